//! A state-changing request must come from a page of ours: another site can make a browser send a form with our
//! cookie, but not with our origin. No GET changes state.

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::state::AppState;

/// Refuses what another site, or nobody knows who, sent.
pub async fn check(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if changes && !comes_from_us(&state, &request) {
        let sentence = "This form was not sent from a page of this site, so nothing was changed.";
        return (StatusCode::FORBIDDEN, sentence).into_response();
    }
    next.run(request).await
}

/// By `Sec-Fetch-Site` where the browser sends it, else by `Origin`, which all send with a POST.
fn comes_from_us(state: &AppState, request: &Request) -> bool {
    let header = |name| request.headers().get(name).and_then(|v: &axum::http::HeaderValue| v.to_str().ok());
    if let Some(site) = header("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = header(header::ORIGIN.as_str()) else { return false };
    let host = header(header::HOST.as_str());
    origin == state.public_url.origin().ascii_serialization()
        || host.is_some_and(|h| origin == format!("http://{h}") || origin == format!("https://{h}"))
}
