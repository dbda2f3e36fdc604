//! Pages: rendered whole by Leptos, with what the request is about in context.

use std::any::Any;

use app::{Form, PageRequest, Viewer, sentence};
use axum::body::Body;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use axum::response::IntoResponse;
use chrono::Utc;
use domain::{Actor, Error};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use super::failure::{log_if_ours, status_of};
use super::visit::Visit;
use crate::state::AppState;

/// Shows the page of the request's address.
pub async fn show(
    State(state): State<AppState>,
    visit: Visit,
    method: Method,
    OriginalUri(uri): OriginalUri,
) -> Response<Body> {
    if !matches!(method, Method::GET | Method::HEAD) {
        return (StatusCode::METHOD_NOT_ALLOWED, "This address takes no such request.").into_response();
    }
    render(&state, &visit, &uri.to_string(), Form::default(), None).await
}

/// Shows the page that a refused form stands on, with what was typed and what is wrong with it.
pub async fn refused(
    state: &AppState,
    visit: &Visit,
    uri: &str,
    typed: Vec<(String, String)>,
    error: Error,
) -> Response<Body> {
    refused_towards(state, visit, uri, typed, error, None).await
}

/// The same of a page whose form leads to `to`, a source of a Content-Security-Policy.
pub async fn refused_towards(
    state: &AppState,
    visit: &Visit,
    uri: &str,
    typed: Vec<(String, String)>,
    error: Error,
    to: Option<String>,
) -> Response<Body> {
    log_if_ours(&error);
    let status = status_of(&error);
    let wait = if let Error::RateLimited(wait) = &error { Some(wait.as_secs().max(1)) } else { None };
    let mut form = Form { values: without_secrets(typed), ..Form::default() };
    match error {
        Error::Validation(fields) => form.errors = fields,
        other => form.message = Some(sentence(&other.to_string())),
    }
    let mut response = render(state, visit, uri, form, to).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    if let Some(seconds) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Shows the page that a form stands on, filled with `values` (a step of a longer form: nothing is wrong).
pub async fn filled(state: &AppState, visit: &Visit, uri: &str, form: Form) -> Response<Body> {
    render(state, visit, uri, form, None).await
}

/// The same of a page whose form leads to `to`, a source of a Content-Security-Policy.
pub async fn towards(state: &AppState, visit: &Visit, uri: &str, form: Form, to: Option<String>) -> Response<Body> {
    render(state, visit, uri, form, to).await
}

/// Passwords are never sent back.
fn without_secrets(typed: Vec<(String, String)>) -> Vec<(String, String)> {
    typed.into_iter().filter(|(name, _)| !name.contains("password")).collect()
}

async fn render(state: &AppState, visit: &Visit, uri: &str, form: Form, to: Option<String>) -> Response<Body> {
    let request = match page_request(state, visit, uri, form).await {
        Ok(request) => request,
        Err(error) => {
            log_if_ours(&error);
            let sentence = "Something went wrong on our side. Please try again in a moment.";
            return (StatusCode::INTERNAL_SERVER_ERROR, sentence).into_response();
        }
    };
    let path = uri.parse::<Uri>().unwrap_or_else(|_| Uri::from_static("/"));
    let mut http = Request::new(Body::empty());
    *http.uri_mut() = path;
    // Only to one that takes HTML does Leptos answer a redirect as a redirect.
    http.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("text/html"));
    let options = state.leptos.clone();
    let https = state.public_url.scheme() == "https";
    let sandbox = state.site.sandbox;
    leptos_axum::render_app_async_with_context(
        move || provide_context(request.clone()),
        move || {
            if let Some(response) = use_context::<ResponseOptions>() {
                response.insert_header(header::CONTENT_SECURITY_POLICY, content_policy(https, sandbox, to.as_deref()));
                response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
            }
            app::shell(options.clone())
        },
    )(http)
    .await
}

/// Scripts by the page's nonce or from our own files, nothing inline else, nothing from elsewhere.
fn content_policy(https: bool, sandbox: bool, to: Option<&str>) -> HeaderValue {
    let nonce = leptos::nonce::use_nonce().map(|n| n.to_string()).unwrap_or_default();
    // Browsers hold a form's redirects to this too: buying goes on to Stripe's page, confirming to the bank's.
    let payments = if sandbox { "" } else { " https://checkout.stripe.com https://hooks.stripe.com" };
    let client = to.map(|to| format!(" {to}")).unwrap_or_default();
    // A client on the person's own computer answers on plain http, which must not be made https.
    let upgrade = if https && to.is_none() { "; upgrade-insecure-requests" } else { "" };
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'{payments}{client}; frame-ancestors 'none'{upgrade}"
    );
    HeaderValue::from_str(&policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
}

async fn page_request(state: &AppState, visit: &Visit, uri: &str, form: Form) -> domain::Result<PageRequest> {
    let viewer = match visit.actor {
        Actor::Session(_) | Actor::Key { .. } => Some(Viewer {
            profile: domain::accounts::profile(&state.db, &visit.actor).await?,
            balance: domain::ledger::balance(&state.db, &visit.actor).await?,
        }),
        Actor::Anonymous | Actor::System => None,
    };
    Ok(PageRequest {
        db: state.db.clone(),
        actor: visit.actor,
        viewer,
        now: Utc::now(),
        session: visit.session_hash(),
        flash: visit.take_flash().await,
        form,
        site: state.site.clone(),
        uri: uri.to_owned(),
    })
}

/// What a panic looks like from outside; it is logged by the hook.
pub fn panicked(_: Box<dyn Any + Send + 'static>) -> Response<Body> {
    tracing::error!("a handler panicked");
    (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side. Please try again in a moment.")
        .into_response()
}
