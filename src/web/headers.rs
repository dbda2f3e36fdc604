//! Headers that every answer carries.

use axum::http::{HeaderName, HeaderValue, Request, header};
use tower::Layer;
use tower::layer::util::{Identity, Stack};
use tower_http::set_header::SetResponseHeaderLayer;
use tracing::Span;

use crate::state::AppState;

type Fixed = SetResponseHeaderLayer<HeaderValue>;
type FiveFixed = Stack<Fixed, Stack<Fixed, Stack<Fixed, Stack<Fixed, Stack<Fixed, Identity>>>>>;

/// What a browser must not do with any answer of ours. Pages carry a Content-Security-Policy with a nonce of their
/// own (`web::page`); this one is for everything else.
pub fn layer(state: &AppState) -> FiveFixed {
    let fixed = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
    };
    // Over plain http browsers ignore the last one, so it can always be sent; a short life while not on https.
    let transport =
        if state.public_url.scheme() == "https" { "max-age=31536000; includeSubDomains" } else { "max-age=0" };
    let stack = Stack::new(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"), Identity::new());
    let stack = Stack::new(fixed(header::X_FRAME_OPTIONS, "DENY"), stack);
    let stack = Stack::new(fixed(header::REFERRER_POLICY, "strict-origin-when-cross-origin"), stack);
    let stack = Stack::new(fixed(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"), stack);
    Stack::new(fixed(header::STRICT_TRANSPORT_SECURITY, transport), stack)
}

/// A span for each request, with its id; the address without its query, which may hold what people typed.
pub fn span<B>(request: &Request<B>) -> Span {
    let id = request.headers().get("x-request-id").and_then(|v| v.to_str().ok()).unwrap_or_default();
    tracing::info_span!("request", method = %request.method(), path = request.uri().path(), id)
}

const _: fn() = || {
    fn is_layer<S, L: Layer<S>>() {}
    is_layer::<axum::routing::Route, Fixed>();
};
