//! HTTP around the messages: who asks, how much they may send, what they can read, and which status an answer has.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::body::{self, Body};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use domain::api_keys::Scope;
use domain::{Error, requests};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::call::Asked;
use super::delegate;
use super::era::{Era, SESSION_HEADER, VERSION_HEADER};
use super::follow::{Out, fault};
use super::listen;
use super::methods::{self, Reply};
use super::rpc::{self, INVALID_REQUEST, Incoming, PARSE_ERROR, RpcError};
use crate::api::caller::{self, Refused};
use crate::state::AppState;
use crate::web::failure::{log_if_ours, status_of};
use crate::web::{client_address, event_stream};

/// Most messages of a batch (revisions before 2025-06-18).
const BATCH: usize = 20;
/// Messages that wait for a client that reads slowly; then the sender waits.
const WAITING: usize = 16;

/// What the handlers share.
#[derive(Clone)]
pub struct Door {
    /// The program.
    pub app: AppState,
    /// The operations of the REST API.
    pub operations: Router,
}

/// `POST /mcp`
pub async fn receive(State(door): State<Door>, request: Request) -> Response {
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip());
    let (parts, body) = request.into_parts();
    let address = client_address::of(from, &parts.headers, &door.app.trusted_proxies);
    // The one place where it is decided who asks here.
    let (key, allowed) = match caller::admit(&door.app, &parts.headers, address, 1, "/mcp").await {
        Ok((Some(key), allowed)) => (key, allowed),
        Ok((None, _)) => return unauthorized(&door.app, &Error::Unauthorized),
        Err(Refused(refused, allowed)) => {
            let mut response = refuse(&door.app, &refused.0);
            if let Some(allowed) = allowed {
                allowed.write(response.headers_mut());
            }
            return response;
        }
    };
    let asked = Asked {
        app: door.app,
        operations: door.operations,
        key,
        seal: seal(&parts.headers),
        era: Era::Modern { elicits: false },
        streams: reads(&parts.headers, "text/event-stream"),
    };
    let mut response = match message(&parts.headers, body).await {
        Ok(Value::Array(batch)) => respond_to_batch(asked, &parts.headers, batch).await,
        Ok(message) => respond(asked, &parts.headers, message).await,
        Err(error) => error.into_response(),
    };
    allowed.write(response.headers_mut());
    response
}

/// Everything but POST: there is no stream to GET and no session to DELETE (specification, "Earlier Streamable HTTP Revisions").
pub async fn wrong_method() -> Response {
    let mut response = RpcError::new(INVALID_REQUEST, "send messages with POST")
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
        .into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

/// The body as JSON.
async fn message(headers: &HeaderMap, body: Body) -> Result<Value, RpcError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(RpcError::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json"));
    }
    if !reads(headers, "application/json") {
        let message = "Accept must allow application/json and text/event-stream";
        return Err(RpcError::refused(StatusCode::NOT_ACCEPTABLE, message));
    }
    let bytes = body::to_bytes(body, crate::api::BODY_LIMIT)
        .await
        .map_err(|_| RpcError::refused(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 4 MB, or broke off"))?;
    serde_json::from_slice(&bytes)
        .map_err(|e| RpcError::new(PARSE_ERROR, format!("not JSON: {e}")).with_status(StatusCode::BAD_REQUEST))
}

/// Whether the client reads a media type; who says nothing reads all.
fn reads(headers: &HeaderMap, kind: &str) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter().peekable();
    if accepted.peek().is_none() {
        return kind == "application/json";
    }
    let family = format!("{}/*", kind.split('/').next().unwrap_or_default());
    accepted.filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')).any(|one| {
        let one = one.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        one == "*/*" || one == family || one == kind
    })
}

/// One message.
async fn respond(asked: Asked, headers: &HeaderMap, message: Value) -> Response {
    let incoming = match Incoming::read(message) {
        Ok(incoming) => incoming,
        Err((id, error)) => return error.respond(id.as_ref()),
    };
    match incoming {
        Incoming::Request(request) => {
            let id = request.id.clone();
            let era = match Era::of(headers, &request.method, &request.params) {
                Ok(era) => era,
                Err(error) => return error.respond(Some(&id)),
            };
            let asked = Asked { era, ..asked };
            match methods::answer(&asked, request).await {
                Ok(reply) => sent(asked, id, reply).await,
                Err(error) => with_challenge(&asked.app, error, Some(&id)),
            }
        }
        Incoming::Notification(method, params) => {
            // 2026-07-28 has none to this side, and asks nothing of one.
            if let Ok(era @ Era::Legacy { .. }) = Era::of(headers, &method, &params)
                && method == "notifications/cancelled"
                && let Some(request) = params.get("requestId")
            {
                call_off(&Asked { era, ..asked }, request).await;
            }
            StatusCode::ACCEPTED.into_response()
        }
        Incoming::Response(id, result) => match Era::of(headers, "", &serde_json::Map::new()) {
            Ok(era @ Era::Legacy { .. }) => {
                delegate::take_in(&Asked { era, ..asked }, &id, result.as_ref()).await;
                StatusCode::ACCEPTED.into_response()
            }
            Ok(Era::Modern { .. }) | Err(_) => RpcError::new(INVALID_REQUEST, "nothing was asked here")
                .with_status(StatusCode::BAD_REQUEST)
                .respond(Some(&id)),
        },
    }
}

async fn call_off(asked: &Asked, request: &Value) {
    let Some(subject) = delegate::called_off_by(asked, request) else { return };
    if let Err(error) = requests::signal(&asked.app.db, &subject).await {
        log_if_ours(&error);
    }
}

/// A batch, which only the revisions before 2025-06-18 know: each is answered in turn, without a stream.
async fn respond_to_batch(asked: Asked, headers: &HeaderMap, batch: Vec<Value>) -> Response {
    let version = headers.get(VERSION_HEADER).map(|v| v.to_str().unwrap_or_default());
    let refuse = |what: &str| RpcError::new(INVALID_REQUEST, what).with_status(StatusCode::BAD_REQUEST).into_response();
    if !matches!(version, None | Some("2025-03-26" | "2024-11-05")) {
        return refuse("one message a body: this revision has no batches");
    }
    if batch.is_empty() || batch.len() > BATCH {
        return refuse("a batch has 1 to 20 messages");
    }
    if batch.iter().any(|m| m["method"] == "initialize" || m["params"]["_meta"].get(super::VERSION_META).is_some()) {
        return refuse("this message cannot be part of a batch");
    }
    let mut answers = Vec::new();
    for message in batch {
        if let Err(error) = charge(&asked, 1).await {
            return with_challenge(&asked.app, error, None);
        }
        let answer = respond(Asked { streams: false, ..asked.clone() }, headers, message).await;
        let bytes = body::to_bytes(answer.into_body(), usize::MAX).await.unwrap_or_default();
        if let Ok(answer) = serde_json::from_slice::<Value>(&bytes) {
            answers.push(answer);
        }
    }
    if answers.is_empty() { StatusCode::ACCEPTED.into_response() } else { Json(answers).into_response() }
}

/// A reply as HTTP.
async fn sent(asked: Asked, id: Value, reply: Reply) -> Response {
    match reply {
        Reply::Result(result) => Json(rpc::result(&id, &methods::finished(&asked.era, result))).into_response(),
        Reply::Begun(result, session) => {
            let mut response = Json(rpc::result(&id, &result)).into_response();
            if let Ok(session) = HeaderValue::from_str(&session.id) {
                response.headers_mut().insert(SESSION_HEADER, session);
            }
            response
        }
        Reply::Work(work) if asked.streams => streamed(move |out| async move {
            let outcome = work.run(&out).await?;
            Some(listen::ended(&id, outcome.map(|result| methods::finished(&asked.era, result))))
        }),
        Reply::Work(work) => match work.run(&Out(None)).await {
            Some(Ok(result)) => Json(rpc::result(&id, &methods::finished(&asked.era, result))).into_response(),
            Some(Err(error)) => error.respond(Some(&id)),
            // Called off: nobody waits for the answer.
            None => StatusCode::ACCEPTED.into_response(),
        },
        Reply::Listen(_) if !asked.streams => {
            RpcError::refused(StatusCode::NOT_ACCEPTABLE, "Accept must allow text/event-stream").respond(Some(&id))
        }
        Reply::Listen(listen) => streamed(move |out| async move {
            let id = listen.id().clone();
            let outcome = listen.run(&out).await.map(|result| methods::finished(&asked.era, result));
            Some(listen::ended(&id, outcome))
        }),
    }
}

/// A stream of messages that ends with the one that `work` answers. The work goes on when the client goes, until it notices.
fn streamed<F>(work: impl FnOnce(Out) -> F) -> Response
where
    F: Future<Output = Option<Value>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(WAITING);
    let work = work(Out(Some(sender.clone())));
    tokio::spawn(async move {
        if let Some(last) = work.await {
            // Who has gone needs no answer.
            let _ = sender.send(last).await;
        }
    });
    event_stream::respond(futures::stream::unfold(receiver, |mut receiver| async move {
        let message: Value = receiver.recv().await?;
        Some((Ok::<_, Infallible>(Event::default().data(message.to_string())), receiver))
    }))
}

/// Takes what a call costs beyond a message.
///
/// # Errors
/// When it was too often.
pub async fn charge(asked: &Asked, cost: u32) -> Result<(), RpcError> {
    // The first unit was taken when the message came.
    match caller::charge(&asked.app, &asked.key, cost.saturating_sub(1)).await {
        Ok(_) => Ok(()),
        Err(Refused(error, _)) => Err(refusal(&error.0)),
    }
}

/// A refusal of HTTP, as a message.
fn refusal(error: &Error) -> RpcError {
    match error {
        Error::Internal(_) => fault(error).with_status(StatusCode::INTERNAL_SERVER_ERROR),
        Error::RateLimited(wait) => RpcError::refused(status_of(error), error.to_string())
            .with_data(json!({ "retryAfterSeconds": wait.as_secs_f64().ceil().max(1.0) as u64 })),
        _ => RpcError::refused(status_of(error), error.to_string()),
    }
}

fn refuse(app: &AppState, error: &Error) -> Response {
    match error {
        Error::Unauthorized | Error::Key(_) => unauthorized(app, error),
        _ => with_challenge(app, refusal(error), None),
    }
}

/// A scope that the key lacks: 403 with its name, so that a client can ask its person for it (specification, "Scope Challenge
/// Handling"; RFC 6750, section 3.1).
pub fn missing_scope(app: &AppState, scope: Scope) -> RpcError {
    let error = Error::MissingScope(scope);
    let data = json!({ "scope": scope.as_str(), "resource_metadata": metadata(app) });
    RpcError::refused(status_of(&error), error.to_string()).with_data(data)
}

/// An error with the headers that belong to it.
fn with_challenge(app: &AppState, error: RpcError, id: Option<&Value>) -> Response {
    let mut response = error.respond(id);
    let data = error.data.unwrap_or_default();
    if let Some(scope) = data["scope"].as_str().filter(|_| error.status == StatusCode::FORBIDDEN) {
        challenge(&mut response, &format!("error=\"insufficient_scope\", scope=\"{scope}\", {}", location(app)));
    }
    if let Some(seconds) = data["retryAfterSeconds"].as_u64() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn unauthorized(app: &AppState, error: &Error) -> Response {
    let mut response = RpcError::refused(StatusCode::UNAUTHORIZED, error.to_string()).into_response();
    // Who sent nothing is told nothing but where to go (RFC 6750, section 3.1).
    let wrong = if matches!(error, Error::Key(_)) { "error=\"invalid_token\", " } else { "" };
    challenge(&mut response, &format!("{wrong}{}", location(app)));
    response
}

fn challenge(response: &mut Response, what: &str) {
    if let Ok(value) = HeaderValue::from_str(&format!("Bearer realm=\"NEXUS\", {what}")) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
}

fn location(app: &AppState) -> String {
    format!("resource_metadata=\"{}\"", metadata(app))
}

/// Where it is said who gives out keys for this address (RFC 9728, section 3.1).
fn metadata(app: &AppState) -> String {
    format!("{}/.well-known/oauth-protected-resource/mcp", app.public_url.as_str().trim_end_matches('/'))
}

/// What only who sent this key can make: the client of a person cannot change what it carries for another one.
fn seal(headers: &HeaderMap) -> [u8; 32] {
    let key = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    Sha256::new().chain_update("nexus mcp request state").chain_update([0]).chain_update(key).finalize().into()
}
