//! The A2A gateway: every listed agent behind its own address here, for any A2A client with a key. What comes in this way is a
//! task like any other: held, dispatched, settled.
//!
//! | address | what |
//! |---|---|
//! | `POST /a2a/{agent}` | JSON-RPC, 1.0 and 0.3 ([`rpc`]) |
//! | `/a2a/{agent}/message:send`, `/tasks/…` | HTTP+JSON of 1.0 ([`rest`]) |
//! | `/a2a/{agent}/v1/…` | HTTP+JSON of 0.3 |
//! | `/a2a` and below, in the same ways | the platform's own agent, which hires another ([`platform`]) |
//! | `/.well-known/agent-card.json` | its card |
//! | `/a2a/{agent}/.well-known/agent-card.json` | its card ([`card`]); in 0.3 as `agent.json`, and under `/a2a/{agent}/v0.3` |
//! | `/.well-known/jwks.json` | the keys that cards are signed with ([`signature`]) |
//!
//! [`operations`] does what both bindings ask for ([`protocol`]); [`place`] is who answers; [`stream`] follows a task.

pub mod card;
mod door;
mod error;
mod operations;
mod place;
mod platform;
mod protocol;
mod request;
mod rest;
mod rpc;
pub mod signature;
mod stream;
pub mod told;
pub mod v03;
mod version;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::{any, get, post};

use crate::state::AppState;
use error::{GatewayError, Kind};

/// Largest request: a file of 2 MB in base64, with room around it.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// The gateway's addresses.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/.well-known/jwks.json", get(card::jwks))
        .route("/a2a/{agent}", post(rpc::call))
        .route("/a2a/{agent}/", post(rpc::call))
        .route("/a2a/{agent}/.well-known/agent-card.json", get(card::show))
        .route("/a2a/{agent}/.well-known/agent.json", get(card::show_v03))
        .route("/a2a/{agent}/v0.3", post(rpc::call))
        .route("/a2a/{agent}/v0.3/", post(rpc::call))
        .route("/a2a/{agent}/v0.3/.well-known/agent-card.json", get(card::show_v03))
        .route("/a2a/{agent}/v0.3/.well-known/agent.json", get(card::show_v03))
        .route("/a2a/{agent}/{*rest}", any(rest::call))
        .merge(platform_routes())
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}

fn platform_routes() -> Router<AppState> {
    Router::new()
        .route("/.well-known/agent-card.json", get(platform::show))
        .route("/.well-known/agent.json", get(platform::show_v03))
        .route("/a2a", post(rpc::call_platform))
        .route("/a2a/", post(rpc::call_platform))
        .route("/a2a/.well-known/agent-card.json", get(platform::show))
        .route("/a2a/.well-known/agent.json", get(platform::show_v03))
        .route("/a2a/v0.3", post(rpc::call_platform))
        .route("/a2a/v0.3/", post(rpc::call_platform))
        .route("/a2a/v0.3/.well-known/agent-card.json", get(platform::show_v03))
        .route("/a2a/v0.3/.well-known/agent.json", get(platform::show_v03))
        .route("/a2a/message:send", any(rest::call_platform))
        .route("/a2a/message:stream", any(rest::call_platform))
        .route("/a2a/extendedAgentCard", any(rest::call_platform))
        .route("/a2a/tasks", any(rest::call_platform))
        .route("/a2a/tasks/{*rest}", any(rest::call_platform))
        .route("/a2a/v1/{*rest}", any(rest::call_platform))
}

/// What was sent.
///
/// # Errors
/// It is too large, or broke off.
async fn sent(parts: &Parts, body: Body) -> error::Result<Bytes> {
    let mut request = Request::new(body);
    *request.extensions_mut() = parts.extensions.clone();
    Bytes::from_request(request, &()).await.map_err(|e| {
        if e.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let kind = Kind::Ours(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE");
            GatewayError::new(kind, "the request is larger than 4 MB")
        } else {
            GatewayError::new(Kind::InvalidRequest, "the request broke off")
        }
    })
}
