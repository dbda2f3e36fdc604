//! Clients register themselves (RFC 7591): nobody has to enter them anywhere first.

use std::net::SocketAddr;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::Utc;
use domain::api_keys::Scope;
use domain::api_keys::connections::{self, AuthMethod, Failure, NewClient, Registered, Why, offered};
use serde::Deserialize;
use serde_json::json;

use super::answer::{malformed, pay, private, refused};
use crate::state::AppState;

/// What registering costs its address, in units of a plain read: it writes a row.
const COST: u32 = 20;
/// The grants that clients get, whatever they ask for (RFC 7591, section 2: a server may replace what was requested).
const GRANTS: [&str; 2] = ["authorization_code", "refresh_token"];

/// What counts of a client's metadata; the rest is not kept.
#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    redirect_uris: Vec<String>,
    client_name: Option<String>,
    token_endpoint_auth_method: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
}

/// Registers a client.
pub async fn register(
    State(state): State<AppState>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(too_often) = pay(&state, from, &headers, COST).await {
        return too_often;
    }
    let done = async {
        let (new, auth) = read(&body)?;
        connections::register(&state.db, new, Utc::now()).await.map(|made| (made, auth))
    };
    match done.await {
        Ok((made, auth)) => registered(made, auth),
        Err(failure) => refused(failure, false),
    }
}

fn read(body: &[u8]) -> Result<(NewClient, AuthMethod), Failure> {
    let wrong = |what: &str| malformed(Why::InvalidClientMetadata, what);
    let metadata: Metadata =
        serde_json::from_slice(body).map_err(|error| wrong(&format!("the body is not client metadata: {error}")))?;
    // Left out, it is Basic (RFC 7591, section 2).
    let named = metadata.token_endpoint_auth_method.as_deref().unwrap_or("client_secret_basic");
    let auth = AuthMethod::ALL.into_iter().find(|method| method.as_str() == named);
    let auth = auth
        .ok_or_else(|| wrong("token_endpoint_auth_method must be none, client_secret_basic or client_secret_post"))?;
    let has = |given: Option<Vec<String>>, needed: &str| given.is_none_or(|all| all.iter().any(|one| one == needed));
    if !has(metadata.grant_types, GRANTS[0]) {
        return Err(wrong("grant_types must have authorization_code"));
    }
    if !has(metadata.response_types, "code") {
        return Err(wrong("response_types must have code"));
    }
    Ok((NewClient { name: metadata.client_name, redirect_uris: metadata.redirect_uris, auth }, auth))
}

fn registered(made: Registered, auth: AuthMethod) -> Response {
    let scopes: Vec<&str> = offered().map(Scope::as_str).collect();
    let mut body = json!({
        "client_id": made.client.id,
        "client_id_issued_at": made.at.timestamp(),
        "client_name": made.client.name,
        "redirect_uris": made.client.redirect_uris,
        "token_endpoint_auth_method": auth.as_str(),
        "grant_types": GRANTS,
        "response_types": ["code"],
        "scope": scopes.join(" "),
    });
    if let Some(secret) = made.secret {
        body["client_secret"] = json!(secret);
        // It does not expire.
        body["client_secret_expires_at"] = json!(0);
    }
    private(StatusCode::CREATED, body)
}
