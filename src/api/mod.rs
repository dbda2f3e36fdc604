//! REST, version 1: `/api/v1`. Translates in and out; the rules are in `domain`. Every route stands in [`routes`], and in the
//! OpenAPI document that is made of the same list.

mod account;
mod agent_body;
mod agent_calls;
mod agent_stats;
mod agents;
mod answer;
mod billing;
mod billing_body;
pub mod caller;
mod discover;
mod dispute_body;
pub mod examples;
mod heartbeat;
mod input;
mod judging;
mod keys;
pub mod limits;
pub mod offer;
mod once;
mod openapi;
mod purchase_body;
mod task_body;
mod task_stream;
mod tasks;
mod trust;
mod webhook_log;
mod webhooks;

use std::sync::LazyLock;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The header that makes sending a request twice harmless.
pub use once::HEADER as IDEMPOTENCY_HEADER;

use crate::payments;
use crate::state::AppState;
use crate::web::failure::refusal;

/// Largest body, in bytes: a file of 2 MB in base64, and room.
pub const BODY_LIMIT: usize = 4 * 1024 * 1024;

fn all() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(discover::search))
        .routes(routes!(discover::facets))
        .routes(routes!(agents::register, agents::all))
        .routes(routes!(agents::one, agents::change, agents::retire))
        .routes(routes!(agents::rotate_secret))
        .routes(routes!(agent_calls::test))
        .routes(routes!(agent_calls::check))
        .routes(routes!(agent_calls::refresh_card))
        .routes(routes!(agent_calls::get_proof))
        .routes(routes!(agent_calls::check_proof))
        .routes(routes!(agent_stats::one))
        .routes(routes!(trust::one))
        .routes(routes!(trust::history))
        .routes(routes!(trust::reviews))
        .routes(routes!(agents::answer_review))
        .routes(routes!(tasks::create, tasks::all))
        .routes(routes!(tasks::one))
        .routes(routes!(task_stream::stream))
        .routes(routes!(tasks::cancel))
        .routes(routes!(tasks::reply))
        .routes(routes!(tasks::retry))
        .routes(routes!(tasks::file))
        .routes(routes!(judging::accept))
        .routes(routes!(judging::reject))
        .routes(routes!(judging::rate))
        .routes(routes!(judging::dispute, judging::get_dispute))
        .routes(routes!(judging::say))
        .routes(routes!(judging::offer))
        .routes(routes!(judging::accept_offer))
        .routes(routes!(judging::give_in))
        .routes(routes!(billing::balance))
        .routes(routes!(billing::transactions))
        .routes(routes!(billing::usage))
        .routes(routes!(billing::packages))
        .routes(routes!(billing::checkout))
        .routes(routes!(billing::receipts))
        .routes(routes!(billing::receipt))
        .routes(routes!(billing::give_back))
        .routes(routes!(billing::get_limits, billing::set_limits))
        .routes(routes!(billing::get_topup))
        .routes(routes!(keys::all, keys::create))
        .routes(routes!(keys::current))
        .routes(routes!(keys::one, keys::change, keys::revoke))
        .routes(routes!(keys::rotate))
        .routes(routes!(webhooks::all, webhooks::create))
        .routes(routes!(webhooks::types))
        .routes(routes!(webhooks::one, webhooks::change, webhooks::delete))
        .routes(routes!(webhooks::rotate))
        .routes(routes!(webhook_log::test))
        .routes(routes!(webhook_log::deliveries))
        .routes(routes!(webhook_log::delivery))
        .routes(routes!(webhook_log::resend))
        .routes(routes!(webhook_log::resend_failed))
        .routes(routes!(account::one, account::change))
        .routes(routes!(account::health))
}

/// What an agent itself sends.
fn of_agents() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(heartbeat::receive))
}

/// The OpenAPI document; made once.
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
        let (_, document) = all().merge(of_agents()).split_for_parts();
        openapi::complete(&document)
    });
    &DOCUMENT
}

/// The routes under `/api/v1`.
pub fn routes(state: &AppState) -> Router<AppState> {
    let (documented, _) = all().split_for_parts();
    let (heartbeats, _) = of_agents().split_for_parts();
    documented
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(axum::middleware::from_fn_with_state(state.clone(), caller::authenticate))
        .merge(
            heartbeats
                .method_not_allowed_fallback(wrong_method)
                .layer(DefaultBodyLimit::max(heartbeat::LIMIT))
                .layer(axum::middleware::from_fn_with_state(state.clone(), caller::authenticate_keyed)),
        )
        // Stripe's webhook is signed: it has no key, and is not counted.
        .route("/billing/webhook", post(payments::webhook::receive))
        .layer(axum::middleware::map_response(async |mut response: Response| {
            caller::challenge(&mut response);
            response
        }))
}

/// The operations without who calls and how often: for a wire that knows both, and puts a [`caller::Identity`] into each request.
pub fn operations(state: &AppState) -> Router {
    let (documented, _) = all().split_for_parts();
    documented.layer(DefaultBodyLimit::max(BODY_LIMIT)).with_state(state.clone())
}

/// The OpenAPI document as it is served: with this site's address.
pub async fn serve_document(State(state): State<AppState>) -> Response {
    let mut document = document().clone();
    let address = format!("{}/api/v1", state.public_url.as_str().trim_end_matches('/'));
    document["servers"] = json!([{ "url": address }]);
    axum::Json(document).into_response()
}

async fn unknown(uri: Uri) -> Response {
    let message = format!("there is no {} here: see /docs/api", uri.path());
    refusal(StatusCode::NOT_FOUND, "NOT_FOUND", &message, Value::Null)
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let message = format!("{} does not take {method}: see /docs/api", uri.path());
    refusal(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", &message, Value::Null)
}
