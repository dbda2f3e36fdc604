//! Who may reach `/mcp` through a browser: nobody but this site's own pages. A page elsewhere whose name was made to lead to
//! this machine (DNS rebinding) is seen by its `Host` and its `Origin` (specification, Streamable HTTP, "Security & Endpoint").

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use url::Url;

use super::rpc::{INVALID_REQUEST, RpcError};
use crate::state::AppState;

/// Refuses a foreign `Host` with 421 and a foreign `Origin` with 403.
pub async fn check(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let named = request.headers().get(header::HOST).and_then(|v| v.to_str().ok());
    let host = named.or_else(|| request.uri().authority().map(Authority::as_str)).unwrap_or_default().to_owned();
    if !is_ours(&host, &state.public_url) {
        let message = "this host is not served here: use the address of the site";
        return RpcError::new(INVALID_REQUEST, message).with_status(StatusCode::MISDIRECTED_REQUEST).into_response();
    }
    let ours = state.public_url.origin().ascii_serialization();
    let foreign = request.headers().get_all(header::ORIGIN).iter().any(|origin| {
        let origin = origin.to_str().unwrap_or_default();
        origin != ours && origin != format!("http://{host}") && origin != format!("https://{host}")
    });
    if foreign {
        let message = "pages of other sites may not ask here";
        return RpcError::new(INVALID_REQUEST, message).with_status(StatusCode::FORBIDDEN).into_response();
    }
    next.run(request).await
}

/// Whether this is the site's own host, or this machine under one of its own names, which no other can be made to lead to.
fn is_ours(host: &str, site: &Url) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let ip = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    if name.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback()) {
        return true;
    }
    let port = authority.port_u16().or_else(|| if site.scheme() == "https" { Some(443) } else { Some(80) });
    site.host_str().is_some_and(|ours| ours.eq_ignore_ascii_case(name)) && site.port_or_known_default() == port
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_and_this_machine_are_ours() {
        let site = Url::parse("https://nexus.example").unwrap();
        for ours in ["nexus.example", "NEXUS.example:443", "localhost", "localhost:3000", "127.0.0.1:9", "[::1]:3000"] {
            assert!(is_ours(ours, &site), "{ours}");
        }
        for foreign in [
            "",
            "nexus.example:444",
            "evil.example",
            "nexus.example.evil.example",
            "localhost.evil.example",
            "10.0.0.1",
            "a b",
        ] {
            assert!(!is_ours(foreign, &site), "{foreign}");
        }
    }
}
