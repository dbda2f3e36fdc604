//! The stand-in for Stripe's API: bracketed forms in, Stripe's objects and errors out. A repeated idempotency key gets
//! the first answer, or with other parameters an error.

use axum::body::Bytes;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use domain::sandbox::{self, Answer, Books};
use serde_json::{Value, json};

use super::API_KEY;
use super::calls;
use super::form::Form;
use crate::state::AppState;

/// Its addresses.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/sandbox/stripe/v1/{*path}", get(read).post(write))
        .route("/sandbox/stripe/test/disputes", post(test_dispute))
}

/// Why a call is not done.
#[derive(Debug)]
pub(super) enum Refusal {
    /// As Stripe says it: the status and what stands under `error`.
    Stripe(StatusCode, Value),
    /// The database does not answer.
    Database(domain::Error),
}

impl From<domain::Error> for Refusal {
    fn from(error: domain::Error) -> Self {
        Refusal::Database(error)
    }
}

impl Refusal {
    /// A parameter is missing or wrong.
    pub(super) fn parameter(name: &str) -> Refusal {
        let error = json!({ "type": "invalid_request_error", "message": format!("Missing or invalid parameter: {name}"),
                            "param": name, "code": "parameter_missing" });
        Refusal::Stripe(StatusCode::BAD_REQUEST, error)
    }

    /// There is no such object.
    pub(super) fn missing(what: &str, id: &str, parameter: &str) -> Refusal {
        let error = json!({ "type": "invalid_request_error", "message": format!("No such {what}: '{id}'"),
                            "param": parameter, "code": "resource_missing" });
        Refusal::Stripe(StatusCode::NOT_FOUND, error)
    }

    /// It cannot be done now.
    pub(super) fn state(code: &str, message: &str) -> Refusal {
        let error = json!({ "type": "invalid_request_error", "message": message, "code": code });
        Refusal::Stripe(StatusCode::BAD_REQUEST, error)
    }

    fn answer(self) -> (StatusCode, Value) {
        match self {
            Refusal::Stripe(status, error) => (status, json!({ "error": error })),
            Refusal::Database(error) => {
                crate::web::failure::log_if_ours(&error);
                let error = json!({ "type": "api_error", "message": "The sandbox's database did not answer." });
                (StatusCode::INTERNAL_SERVER_ERROR, json!({ "error": error }))
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, body) = self.answer();
        (status, Json(body)).into_response()
    }
}

async fn read(
    State(state): State<AppState>,
    headers: HeaderMap,
    Path(path): Path<String>,
    OriginalUri(uri): OriginalUri,
) -> Result<Json<Value>, Refusal> {
    authorise(&headers)?;
    let query = Form::parse(uri.query().unwrap_or_default().as_bytes());
    let segments: Vec<&str> = path.split('/').collect();
    let (what, id) = match segments[..] {
        ["checkout", "sessions", id] => ("checkout.session", id),
        ["payment_intents", id] => ("payment_intent", id),
        ["payment_methods", id] => ("payment_method", id),
        ["events"] => {
            let limit = query.cents("limit").unwrap_or(10).min(100);
            let events = sandbox::events(
                &state.db,
                query.get("type").as_deref(),
                query.get("starting_after").as_deref(),
                limit + 1,
            )
            .await?;
            let shown: Vec<&Value> = events.iter().take(usize::try_from(limit).unwrap_or(10)).collect();
            let more = shown.len() < events.len();
            return Ok(Json(json!({ "object": "list", "url": "/v1/events", "has_more": more, "data": shown })));
        }
        _ => return Err(unrecognised(&path)),
    };
    match sandbox::object(&state.db, id).await? {
        Some(object) if object.kind == what => Ok(Json(object.body)),
        _ => Err(Refusal::missing(what, id, "id")),
    }
}

async fn write(
    State(state): State<AppState>,
    headers: HeaderMap,
    Path(path): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    authorise(&headers)?;
    let form = Form::parse(&body);
    let key = headers.get("idempotency-key").and_then(|v| v.to_str().ok());
    let request = format!("POST /v1/{path} {}", form.canonical());
    let mut books = Books::open(&state.db).await?;
    if let Some(key) = key
        && let Some(first) = books.answered(key).await?
    {
        return Ok(repeated(key, first, &request));
    }
    let page = |path: &str| {
        let mut url = (*state.public_url).clone();
        url.set_path(path);
        url.to_string()
    };
    let (status, body) = match calls::run(&mut books, &path, &form, &page).await {
        Ok(Some(body)) => (StatusCode::OK, body),
        Ok(None) => return Err(unrecognised(&path)),
        // A declined charge has happened; everything else that is refused has not.
        Err(Refusal::Stripe(StatusCode::PAYMENT_REQUIRED, error)) => {
            (StatusCode::PAYMENT_REQUIRED, json!({ "error": error }))
        }
        Err(refusal) => return Err(refusal),
    };
    if let Some(key) = key {
        let answer = Answer { request, status: i32::from(status.as_u16()), body: body.clone() };
        books.keep_answer(key, &answer).await?;
    }
    books.close().await?;
    Ok((status, Json(body)).into_response())
}

/// Stripe documentation, "Idempotent requests".
fn repeated(key: &str, first: Answer, request: &str) -> Response {
    if first.request != request {
        let message = format!(
            "Keys for idempotent requests can only be used with the same parameters they were first used with ({key})."
        );
        let error = json!({ "type": "idempotency_error", "message": message });
        return Refusal::Stripe(StatusCode::BAD_REQUEST, error).into_response();
    }
    let status = u16::try_from(first.status).ok().and_then(|s| StatusCode::from_u16(s).ok());
    let mut answer = (status.unwrap_or(StatusCode::OK), Json(first.body)).into_response();
    answer.headers_mut().insert("idempotent-replayed", axum::http::HeaderValue::from_static("true"));
    answer
}

/// `POST /sandbox/stripe/test/disputes` with `payment_intent` and `status` (`open`, `won`, `lost`): what a bank does.
/// Stripe has no such call; its test mode has cards for it.
async fn test_dispute(State(state): State<AppState>, headers: HeaderMap, body: Bytes) -> Result<Json<Value>, Refusal> {
    authorise(&headers)?;
    let json: Option<Value> = serde_json::from_slice(&body).ok();
    let form = Form::parse(&body);
    let member = |name: &str| match &json {
        Some(json) => json.get(name).and_then(Value::as_str).map(str::to_owned),
        None => form.get(name),
    };
    let payment = member("payment_intent").ok_or_else(|| Refusal::parameter("payment_intent"))?;
    let status = member("status").filter(|s| matches!(s.as_str(), "open" | "won" | "lost"));
    let status = status.ok_or_else(|| Refusal::parameter("status"))?;
    let mut books = Books::open(&state.db).await?;
    let mut charge = calls::charge_of(&mut books, &payment).await?;
    let dispute = super::payment::dispute(&mut books, &mut charge, &status).await?;
    books.close().await?;
    Ok(Json(dispute.body))
}

fn unrecognised(path: &str) -> Refusal {
    let message = format!("Unrecognized request URL (/v1/{path}): the sandbox plays only what NEXUS calls.");
    Refusal::Stripe(StatusCode::NOT_FOUND, json!({ "type": "invalid_request_error", "message": message }))
}

fn authorise(headers: &HeaderMap) -> Result<(), Refusal> {
    let given = headers.get("authorization").and_then(|v| v.to_str().ok());
    if given == Some(&format!("Bearer {API_KEY}")) {
        return Ok(());
    }
    let error = json!({ "type": "invalid_request_error", "message": "Invalid API Key provided" });
    Err(Refusal::Stripe(StatusCode::UNAUTHORIZED, error))
}
