//! Clients fetch their tokens, and give them back.

use std::net::SocketAddr;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use domain::api_keys::connections::{self, Client, CodeRequest, Failure, Issued, RefreshRequest, Why};
use serde_json::json;

use super::answer::{malformed, pay, private, refused};
use crate::state::AppState;

/// What a request costs its address, in units of a plain read. Hosted clients send those of many people from one address.
const COST: u32 = 1;
/// What a wrong secret, code or token costs beside.
const GUESS: u32 = 5;

/// `POST /oauth/token`.
pub async fn token(
    State(state): State<AppState>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let done = async { issue(&state, &Sent::read(&headers, &body)?).await };
    match counted(&state, from, &headers, done).await {
        Ok(issued) => {
            let body = json!({
                "access_token": issued.access_token,
                "token_type": "Bearer",
                "expires_in": issued.expires_in,
                "refresh_token": issued.refresh_token,
                "scope": issued.scopes.words().join(" "),
            });
            private(StatusCode::OK, body)
        }
        Err(response) => response,
    }
}

/// `POST /oauth/revoke`.
pub async fn revoke(
    State(state): State<AppState>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let done = async {
        let sent = Sent::read(&headers, &body)?;
        let client = sent.client(&state).await?;
        connections::revoke_token(&state.db, &client, sent.required("token")?, Utc::now()).await
    };
    match counted(&state, from, &headers, done).await {
        Ok(()) => private(StatusCode::OK, json!({})),
        Err(response) => response,
    }
}

/// Does it, if the address has not asked too often; who guesses pays more.
async fn counted<T>(
    state: &AppState,
    from: SocketAddr,
    headers: &HeaderMap,
    done: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Response> {
    pay(state, from, headers, COST).await?;
    match done.await {
        Ok(value) => Ok(value),
        Err(failure) => {
            let guess =
                matches!(&failure, Failure::Refused(r) if matches!(r.why, Why::InvalidClient | Why::InvalidGrant));
            if guess {
                pay(state, from, headers, GUESS).await?;
            }
            Err(refused(failure, headers.contains_key(header::AUTHORIZATION)))
        }
    }
}

async fn issue(state: &AppState, sent: &Sent) -> Result<Issued, Failure> {
    let (site, now) = (&state.site.public_url, Utc::now());
    let owned = |name: &str| sent.value(name).map(str::to_owned);
    match sent.required("grant_type")? {
        "authorization_code" => {
            let client = sent.client(state).await?;
            let request = CodeRequest {
                code: sent.required("code")?.to_owned(),
                redirect_uri: owned("redirect_uri"),
                verifier: sent.required("code_verifier")?.to_owned(),
                resource: owned("resource"),
            };
            connections::redeem(&state.db, site, &client, &request, now).await
        }
        "refresh_token" => {
            let client = sent.client(state).await?;
            let token = sent.required("refresh_token")?.to_owned();
            let request = RefreshRequest { token, scope: owned("scope"), resource: owned("resource") };
            connections::refresh(&state.db, site, &client, &request, now).await
        }
        _ => Err(malformed(Why::UnsupportedGrantType, "grant_type must be authorization_code or refresh_token")),
    }
}

/// What a client sent: its parameters, and who it says it is by HTTP Basic.
struct Sent {
    parameters: Vec<(String, String)>,
    basic: Option<(String, String)>,
}

impl Sent {
    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Sent, Failure> {
        let wrong = |what: &str| malformed(Why::InvalidRequest, what);
        let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let form = kind.split(';').next().unwrap_or_default().trim();
        if !form.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(wrong("the body must be application/x-www-form-urlencoded"));
        }
        // Without a value is left out (RFC 6749, section 3.2).
        let parsed = url::form_urlencoded::parse(body).into_owned().filter(|(_, value)| !value.is_empty());
        let parameters: Vec<(String, String)> = parsed.collect();
        for (n, (name, _)) in parameters.iter().enumerate() {
            if parameters[..n].iter().any(|(before, _)| before == name) {
                let what = if name == "resource" { Why::InvalidTarget } else { Why::InvalidRequest };
                return Err(malformed(what, "a parameter stands there more than once"));
            }
        }
        let basic = headers.get(header::AUTHORIZATION).map(basic).transpose()?;
        Ok(Sent { parameters, basic })
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn required(&self, name: &str) -> Result<&str, Failure> {
        self.value(name).ok_or_else(|| malformed(Why::InvalidRequest, &format!("{name} is missing")))
    }

    /// Who sent it, by one of the ways and not by two (RFC 6749, section 2.3).
    async fn client(&self, state: &AppState) -> Result<Client, Failure> {
        let named = self.value("client_id");
        let (id, secret) = match (&self.basic, self.value("client_secret")) {
            (Some(_), Some(_)) => {
                return Err(malformed(
                    Why::InvalidRequest,
                    "a client says who it is in the header or in the body, not in both",
                ));
            }
            (Some((id, _)), None) if named.is_some_and(|named| named != id) => {
                return Err(malformed(Why::InvalidRequest, "client_id is not the one of the header"));
            }
            (Some((id, secret)), None) => (id.as_str(), Some(secret.as_str())),
            (None, secret) => (named.unwrap_or_default(), secret),
        };
        if id.is_empty() {
            return Err(malformed(Why::InvalidClient, "client_id is missing"));
        }
        connections::authenticate(&state.db, id, secret).await
    }
}

/// RFC 6749, section 2.3.1: id and secret are form-encoded first.
fn basic(sent: &HeaderValue) -> Result<(String, String), Failure> {
    let read = || {
        let (scheme, encoded) = sent.to_str().ok()?.split_once(' ')?;
        let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (id, secret) = text.split_once(':')?;
        scheme.eq_ignore_ascii_case("basic").then(|| (plain(id), plain(secret)))
    };
    read().ok_or_else(|| malformed(Why::InvalidClient, "the Authorization header is not HTTP Basic"))
}

fn plain(encoded: &str) -> String {
    let field = format!("v={}", encoded.replace('&', "%26"));
    url::form_urlencoded::parse(field.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_is_decoded_twice() {
        let header = |text: &str| HeaderValue::from_str(&format!("basic {}", STANDARD.encode(text))).unwrap();
        assert_eq!(basic(&header("a%3Ab:c+d%26&e")).unwrap(), ("a:b".into(), "c d&&e".into()));
        assert!(basic(&header("nothing")).is_err());
        assert!(basic(&HeaderValue::from_static("Bearer nxk_")).is_err());
    }
}
