//! Pages for what is not there or went wrong.

use domain::{Error, Missing};
use http::StatusCode;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use crate::components::heading::PageHeading;
use crate::context::PageRequest;
use crate::query::encode;

/// No page at this address.
#[component]
pub fn NotFound() -> impl IntoView {
    set_status(StatusCode::NOT_FOUND);
    view! {
        <PageHeading title="Nothing here" lead="There is no page at this address, or it is not yours to see." />
        <p class="button-row">
            <a class="button button-primary" href="/marketplace">"To the marketplace"</a>
            <a class="button" href="/">"To the front page"</a>
        </p>
    }
}

/// What a page shows instead of data that could not be loaded, with the right status.
pub fn respond(error: &Error, request: &PageRequest) -> AnyView {
    match error {
        Error::Unauthorized | Error::WrongCredentials => {
            let to = sign_in_address(&request.uri);
            leptos_axum::redirect(&to);
            view! { <PageHeading title="Sign in first" /><p><a href=to>"Sign in"</a></p> }.into_any()
        }
        Error::NotFound(
            Missing::Agent
            | Missing::Task
            | Missing::Account
            | Missing::Session
            | Missing::Purchase
            | Missing::Key
            | Missing::Webhook
            | Missing::Delivery,
        ) => view! { <NotFound /> }.into_any(),
        Error::Validation(_) => {
            set_status(StatusCode::BAD_REQUEST);
            said("This address is not quite right", &format!("In the address, {error}."))
        }
        Error::Forbidden(_)
        | Error::SpendingLimit(_)
        | Error::Key(_)
        | Error::MissingScope(_)
        | Error::TrustThresholdNotMet(_) => {
            set_status(StatusCode::FORBIDDEN);
            said("Not allowed", &error.to_string())
        }
        Error::AgentOffline(_)
        | Error::Conflict(_)
        | Error::InsufficientCredits { .. }
        | Error::RateLimited(_)
        | Error::RequestInFlight
        | Error::IdempotencyConflict
        | Error::Stale
        | Error::TaskCancelled
        | Error::Protocol(_) => {
            set_status(StatusCode::CONFLICT);
            said("This cannot be shown now", &error.to_string())
        }
        Error::Internal(source) => {
            set_status(StatusCode::INTERNAL_SERVER_ERROR);
            leptos::logging::error!("a page could not load its data: {source}");
            said(
                "Something went wrong",
                "It is our fault, not yours. Nothing was changed. Please try again in a moment.",
            )
        }
    }
}

fn said(title: &str, text: &str) -> AnyView {
    view! { <PageHeading title=title lead=text.to_owned() /><p><a class="button" href="/">"To the front page"</a></p> }
        .into_any()
}

/// Where to sign in, and to come back from there.
pub fn sign_in_address(back_to: &str) -> String {
    format!("/sign-in?next={}", encode(back_to).replace("%2F", "/"))
}

pub(super) fn set_status(status: StatusCode) {
    if let Some(options) = use_context::<ResponseOptions>() {
        options.set_status(status);
    }
}
