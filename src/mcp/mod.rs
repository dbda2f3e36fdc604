//! The MCP server at `/mcp`: streamable HTTP, the modern revision (2026-07-28) and the ones with `initialize` (2025-11-25 and
//! before) on one address, told apart request by request. Nothing is kept between requests.
//!
//! | what | where |
//! |---|---|
//! | whose pages and which hosts may ask | [`origin`] |
//! | key, sizes, media types, HTTP statuses | [`door`] |
//! | JSON-RPC | [`rpc`] |
//! | revision, required headers and `_meta`, sessions | [`era`] |
//! | method -> answer | [`methods`] |
//! | the tools, each an operation of the REST API | [`tools`], [`schema`], [`call`] |
//! | hiring: progress, calling off, asking the person | [`delegate`], [`follow`], [`elicit`] |
//! | what is read, watched, prompted, completed | [`resources`], [`listen`], [`prompts`], [`completion`] |
//!
//! The transport is our own. The official crate (rmcp 3.11) speaks both revisions too, but its messages are built from types of
//! its own with schemas by schemars, where ours are the REST API's bodies with the schemas of the OpenAPI document; and the
//! answers around a message (a scope that is missing, a limit that is reached, a body that is too large) are HTTP answers of
//! ours. What it would save is the framing of JSON-RPC.

mod call;
mod completion;
mod delegate;
mod door;
mod elicit;
mod era;
mod follow;
mod listen;
mod methods;
mod origin;
mod prompts;
mod resources;
mod rpc;
mod schema;
mod tools;

use axum::Router;
use axum::routing::post;

use crate::api;
use crate::state::AppState;

/// What a client of this server needs to know: the modern revision, where a request says that it speaks it, and how a header
/// carries what is not plain.
pub use era::{MODERN, VERSION_META, encoded as header_value};

/// The routes of the MCP server.
pub fn routes(state: &AppState) -> Router<AppState> {
    let door = door::Door { app: state.clone(), operations: api::operations(state) };
    // With and without a slash: clients post to either, and follow no redirect.
    Router::new()
        .route("/mcp", post(door::receive))
        .route("/mcp/", post(door::receive))
        .method_not_allowed_fallback(door::wrong_method)
        .layer(axum::middleware::from_fn_with_state(state.clone(), origin::check))
        .with_state(door)
}
