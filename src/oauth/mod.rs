//! OAuth 2.1 for programs: metadata, registration, tokens. What a person does is a page (`web::connection_forms`); the rules are
//! in `domain::api_keys::connections`.
//!
//! | address | specification |
//! |---|---|
//! | `/.well-known/oauth-protected-resource` and below | RFC 9728 |
//! | `/.well-known/oauth-authorization-server` | RFC 8414 |
//! | `/oauth/register` | RFC 7591 |
//! | `/oauth/token` | RFC 6749, 7636, 8707 |
//! | `/oauth/revoke` | RFC 7009 |

mod answer;
pub mod metadata;
mod register;
mod token;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::state::AppState;

/// Largest request.
const BODY_LIMIT: usize = 64 * 1024;

/// The routes. Any site may call them: nothing here counts a cookie.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/.well-known/oauth-protected-resource", get(metadata::site))
        .route("/.well-known/oauth-protected-resource/{*path}", get(metadata::part))
        .route("/.well-known/oauth-authorization-server", get(metadata::server))
        .route("/.well-known/oauth-authorization-server/{*path}", get(metadata::nothing))
        .route("/.well-known/openid-configuration", get(metadata::nothing))
        .route("/.well-known/openid-configuration/{*path}", get(metadata::nothing))
        .route("/oauth/register", post(register::register))
        .route("/oauth/token", post(token::token))
        .route("/oauth/revoke", post(token::revoke))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn(any_origin))
}

/// Clients that run in a browser call from pages of their own (Fetch, section 3.2).
async fn any_origin(request: Request, next: Next) -> Response {
    let asked = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let mut response = if *request.method() == Method::OPTIONS {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let methods = HeaderValue::from_static("GET, POST, OPTIONS");
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        if let Some(asked) = asked {
            response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
        }
        response.headers_mut().insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
        response
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("WWW-Authenticate, Retry-After"));
    response
}
