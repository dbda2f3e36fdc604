//! The HTTP side: which path serves what.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use sha2::{Digest, Sha256};

use super::failure::Failure;
use super::signature::Door;
use super::task_store::TaskStore;
use super::{card, rpc};
use crate::agent::Agent;
use crate::roster;

/// The largest request: room for a CSV of a million characters in an encoded file part.
const BODY_LIMIT: usize = 2 * 1024 * 1024;
/// Cards change with a release of this program only.
const CARD_CACHE: &str = "public, max-age=300";

/// One agent being served.
pub(super) struct Server {
    pub agent: &'static Agent,
    pub door: Door,
    pub tasks: TaskStore,
    card: Card,
}

struct Card {
    json: String,
    etag: String,
}

/// Every agent under `/{slug}`.
pub(crate) fn all(origin: &str, mut secrets: HashMap<String, String>) -> Router {
    let origin = origin.trim_end_matches('/');
    let router = roster::SERVED.iter().fold(Router::new(), |router, agent| {
        let path = format!("/{}", agent.listing.slug);
        let secret = secrets.remove(agent.listing.slug);
        router.merge(routes(agent, &format!("{origin}{path}"), &path, secret.as_deref()))
    });
    for slug in secrets.keys() {
        tracing::warn!(slug, "a signing secret was set for an agent that does not exist");
    }
    router
}

/// One agent at `/`.
pub(crate) fn alone(agent: &'static Agent, origin: &str, secret: Option<String>) -> Router {
    routes(agent, origin.trim_end_matches('/'), "", secret.as_deref())
}

/// Clients post with and without a trailing slash, and a redirect would lose their body: both are routed.
fn routes(agent: &'static Agent, base: &str, path: &str, secret: Option<&str>) -> Router {
    let mut router = Router::new()
        .route(&format!("{path}/.well-known/agent-card.json"), get(serve_card))
        .route(&format!("{path}/"), post(serve_rpc));
    if !path.is_empty() {
        router = router.route(path, post(serve_rpc));
    }
    let server = Server { agent, door: door(agent, secret), tasks: TaskStore::new(), card: Card::of(agent, base) };
    router.layer(DefaultBodyLimit::max(BODY_LIMIT)).with_state(Arc::new(server))
}

fn door(agent: &Agent, secret: Option<&str>) -> Door {
    let door = Door::behind(secret);
    if matches!(door, Door::Shut) {
        tracing::error!(
            agent = agent.listing.slug,
            "the signing secret is not whsec_ and base64; every caller is refused"
        );
    }
    door
}

impl Card {
    fn of(agent: &Agent, base: &str) -> Card {
        let json = card::value(agent, base).map(|card| card.to_string()).unwrap_or_default();
        let digest: String =
            Sha256::digest(json.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Card { json, etag: format!("\"{digest}\"") }
    }
}

async fn serve_card(State(server): State<Arc<Server>>, headers: HeaderMap) -> Response {
    let card = &server.card;
    let caching = [(header::CACHE_CONTROL, CARD_CACHE), (header::ETAG, card.etag.as_str())];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if known.split(',').any(|etag| etag.trim().trim_start_matches("W/") == card.etag || etag.trim() == "*") {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(header::CONTENT_TYPE, "application/json")], card.json.clone()).into_response()
}

async fn serve_rpc(
    State(server): State<Arc<Server>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match body {
        Ok(body) => rpc::answer(&server, &headers, query.as_deref(), &body).await,
        Err(rejection) => Failure::Body(rejection.status(), rejection.body_text()).answer(a2a::JsonRpcId::Null),
    }
}
