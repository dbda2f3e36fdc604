//! Who comes in, and what they hear who do not: the key, its limits, and the challenge.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use domain::AgentId;

use super::error::GatewayError;
use super::operations::Call;
use crate::api::caller::{Refused, admit};
use crate::api::limits::Allowed;
use crate::state::AppState;
use crate::web::client_address;

/// A caller who was let in.
pub struct Admitted {
    /// What they may do.
    pub call: Call,
    /// What is left of their limit.
    pub allowed: Allowed,
}

/// Lets a caller in, at this cost.
///
/// # Errors
/// A key that is none, or too many requests.
pub async fn enter(
    state: &AppState,
    parts: &Parts,
    agent: AgentId,
    cost: u32,
) -> Result<Admitted, (GatewayError, Option<Allowed>)> {
    let from = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip());
    let address = client_address::of(from, &parts.headers, &state.trusted_proxies);
    match admit(state, &parts.headers, address, cost, &format!("/a2a/{agent}")).await {
        Ok((key, allowed)) => Ok(Admitted { call: Call { state: state.clone(), agent, key }, allowed }),
        Err(Refused(error, allowed)) => {
            let shop = state.public_url.join("/credits").unwrap_or_else(|_| (*state.public_url).clone());
            Err((GatewayError::of(error.0, &shop), allowed))
        }
    }
}

/// What every answer carries: what is left of the limit, and for who has no key how to get one (RFC 6750, section 3; RFC 9728,
/// section 5.1).
pub fn sign(mut response: Response, state: &AppState, path: &str, allowed: Option<&Allowed>) -> Response {
    if let Some(allowed) = allowed {
        allowed.write(response.headers_mut());
    }
    if matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        let mut metadata = (*state.public_url).clone();
        metadata.set_path(&format!("/.well-known/oauth-protected-resource{path}"));
        let error = if response.status() == StatusCode::FORBIDDEN { ", error=\"insufficient_scope\"" } else { "" };
        let value = format!("Bearer realm=\"NEXUS\", resource_metadata=\"{metadata}\"{error}");
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
    }
    response
}
