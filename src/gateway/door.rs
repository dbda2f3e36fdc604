//! Who comes in, and what they hear who do not: the key, its limits, and the challenge.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::Response;
use domain::api_keys::Scope;

use super::error::GatewayError;
use super::operations::Call;
use super::place::Place;
use crate::api::caller::{Refused, admit};
use crate::api::limits::Allowed;
use crate::oauth::metadata::challenge;
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
    place: Place,
    cost: u32,
) -> Result<Admitted, (GatewayError, Option<Allowed>)> {
    let from = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip());
    let address = client_address::of(from, &parts.headers, &state.trusted_proxies);
    match admit(state, &parts.headers, address, cost, &place.path()).await {
        Ok((key, allowed)) => Ok(Admitted { call: Call { state: state.clone(), place, key }, allowed }),
        Err(Refused(error, allowed)) => {
            let shop = state.public_url.join("/credits").unwrap_or_else(|_| (*state.public_url).clone());
            Err((GatewayError::of(error.0, &shop), allowed))
        }
    }
}

/// What every answer carries: what is left of the limit, and for who has no key, or one without the scope, how to get one.
pub fn sign(mut response: Response, state: &AppState, path: &str, allowed: Option<&Allowed>) -> Response {
    if let Some(allowed) = allowed {
        allowed.write(response.headers_mut());
    }
    let lacking = response.extensions_mut().remove::<Scope>();
    let wrong = lacking.map(|_| "insufficient_scope");
    if response.status() == StatusCode::UNAUTHORIZED || lacking.is_some() {
        let site = state.public_url.as_str().trim_end_matches('/');
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge(site, path, wrong, lacking));
    }
    response
}
