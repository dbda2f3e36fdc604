//! What clients read to find their way: from a door of the site to who gives out tokens for it, and from there to the endpoints.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::api_keys::Scope;
use domain::api_keys::connections::{AuthMethod, offered, resource};
use serde_json::{Value, json};

use crate::state::AppState;

/// The scopes that a part of the site needs; the whole site has all that clients are given.
fn scopes_of(path: &str) -> Vec<&'static str> {
    if path == "/mcp" || resource::covers("/a2a", path) {
        let needed = [Scope::AgentsRead, Scope::TasksWrite, Scope::WorkflowsWrite, Scope::BillingRead];
        needed.into_iter().map(Scope::as_str).collect()
    } else {
        offered().map(Scope::as_str).collect()
    }
}

/// The whole site as a resource.
pub async fn site(State(state): State<AppState>) -> Response {
    protected(&state, "/")
}

/// A part of it, its path put behind the well-known one (RFC 9728, section 3.1).
pub async fn part(State(state): State<AppState>, Path(path): Path<String>) -> Response {
    let site = &state.site.public_url;
    match resource::path_of(site, &format!("{site}/{path}")) {
        Some(path) => protected(&state, &path),
        None => nothing().await,
    }
}

fn protected(state: &AppState, path: &str) -> Response {
    let site = &state.site.public_url;
    answer(json!({
        "resource": resource::address(site, path),
        "resource_name": "NEXUS",
        "authorization_servers": [site],
        "scopes_supported": scopes_of(path),
        "bearer_methods_supported": ["header"],
        "resource_documentation": format!("{site}/docs/use-the-api"),
    }))
}

/// The authorization server.
pub async fn server(State(state): State<AppState>) -> Response {
    let site = &state.site.public_url;
    let methods = AuthMethod::ALL.map(AuthMethod::as_str);
    answer(json!({
        "issuer": site,
        "authorization_endpoint": format!("{site}/oauth/authorize"),
        "token_endpoint": format!("{site}/oauth/token"),
        "registration_endpoint": format!("{site}/oauth/register"),
        "revocation_endpoint": format!("{site}/oauth/revoke"),
        "scopes_supported": scopes_of("/"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "service_documentation": format!("{site}/docs/use-the-api"),
    }))
}

/// What clients look for and is not here: they go on from a plain 404.
pub async fn nothing() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "error": "not_found" }))).into_response()
}

fn answer(document: Value) -> Response {
    ([(header::CACHE_CONTROL, "public, max-age=3600")], Json(document)).into_response()
}

/// `WWW-Authenticate` of a 401 or 403 at the door with this path: where its metadata are (RFC 9728, section 5.1), and what was
/// wrong with the token that came, where one did (`invalid_token`, or `insufficient_scope` with the scope that is missing;
/// RFC 6750, section 3).
pub fn challenge(site: &str, path: &str, error: Option<&str>, scope: Option<Scope>) -> HeaderValue {
    let at = path.trim_end_matches('/');
    let mut value =
        format!("Bearer realm=\"NEXUS\", resource_metadata=\"{site}/.well-known/oauth-protected-resource{at}\"");
    if let Some(error) = error {
        value.push_str(&format!(", error=\"{error}\""));
    }
    let scope = scope.map_or_else(|| scopes_of(path).join(" "), |scope| scope.as_str().to_owned());
    value.push_str(&format!(", scope=\"{scope}\""));
    HeaderValue::from_str(&value).unwrap_or_else(|_| HeaderValue::from_static("Bearer realm=\"NEXUS\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_says_where_to_go_on() {
        let first = challenge("https://nexus.example", "/mcp", None, None);
        assert_eq!(
            first,
            "Bearer realm=\"NEXUS\", resource_metadata=\"https://nexus.example/.well-known/oauth-protected-resource/mcp\", \
             scope=\"agents:read tasks:write workflows:write billing:read\""
        );
        let missing = challenge("https://nexus.example", "/", Some("insufficient_scope"), Some(Scope::KeysRead));
        assert_eq!(
            missing,
            "Bearer realm=\"NEXUS\", resource_metadata=\"https://nexus.example/.well-known/oauth-protected-resource\", \
             error=\"insufficient_scope\", scope=\"keys:read\""
        );
    }
}
