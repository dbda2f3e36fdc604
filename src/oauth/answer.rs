//! Answers and refusals of the endpoints, and what asking costs.

use std::net::SocketAddr;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::Error;
use domain::api_keys::connections::{Failure, Refusal, Why};
use serde_json::{Value, json};

use crate::api::limits::Subject;
use crate::state::AppState;
use crate::web::client_address;
use crate::web::failure::log_if_ours;

/// What a client gets; nobody on the way keeps it (RFC 6749, section 5.1).
pub fn private(status: StatusCode, body: Value) -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
    (status, headers, Json(body)).into_response()
}

/// A refusal in the form of RFC 6749, section 5.2. A client that came with an Authorization header is told its scheme.
pub fn refused(failure: Failure, by_header: bool) -> Response {
    let refusal = match failure {
        Failure::Refused(refusal) => refusal,
        Failure::Fault(error) => {
            log_if_ours(&error);
            let said = "something went wrong on our side: try again in a moment";
            let body = json!({ "error": "server_error", "error_description": said });
            return private(StatusCode::INTERNAL_SERVER_ERROR, body);
        }
    };
    let status = if refusal.why == Why::InvalidClient { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
    let body = json!({ "error": refusal.why.as_str(), "error_description": refusal.description });
    let mut response = private(status, body);
    if status == StatusCode::UNAUTHORIZED && by_header {
        let value = HeaderValue::from_static("Basic realm=\"NEXUS\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}

/// A malformed request.
pub fn malformed(why: Why, what: &str) -> Failure {
    Refusal::new(why, what).into()
}

/// Spends `cost` units of the sender's address, as anyone without a key does; answers with a refusal when it has too few.
pub async fn pay(state: &AppState, from: SocketAddr, headers: &HeaderMap, cost: u32) -> Result<(), Response> {
    let address = client_address::of(Some(from.ip()), headers, &state.trusted_proxies);
    let subject = (Subject::Address(address), state.limits.anonymous);
    let allowed = match state.limits.take(&[subject], cost).await {
        Ok(allowed) => allowed,
        Err(error) => return Err(refused(Error::into(error), false)),
    };
    let Some(wait) = allowed.wait else { return Ok(()) };
    let seconds = wait.as_secs_f64().ceil() as u64;
    let said = format!("too many requests: wait {seconds} seconds");
    let body = json!({ "error": "temporarily_unavailable", "error_description": said });
    let mut response = private(StatusCode::TOO_MANY_REQUESTS, body);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    allowed.write(response.headers_mut());
    Err(response)
}
