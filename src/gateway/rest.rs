//! HTTP+JSON: 1.0 (section 11) under an agent's address, 0.3 under its `/v1`.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde_json::{Map, Value, json};

use super::error::{GatewayError, Kind, Result};
use super::place::Place;
use super::protocol::{Answer, Operation};
use super::request::{self, Fields};
use super::rpc::{list, no_agent};
use super::stream::Events;
use super::v03::{self, Form};
use super::version::{self, Version};
use super::{door, sent};
use crate::state::AppState;
use crate::web::event_stream;

/// The media type of the binding (section 11.1).
const A2A_JSON: &str = "application/a2a+json";

/// Answers a request to a resource of an agent's.
pub async fn call(
    State(state): State<AppState>,
    Path((agent, rest)): Path<(String, String)>,
    parts: Parts,
    body: Body,
) -> Response {
    answer(state, agent.parse().map(Place::Agent).ok(), (format!("/a2a/{agent}"), rest), parts, body).await
}

/// Answers a request to a resource of the platform's.
pub async fn call_platform(State(state): State<AppState>, parts: Parts, body: Body) -> Response {
    let (path, decoded) = ("/a2a", percent_encoding::percent_decode_str(parts.uri.path()).decode_utf8_lossy());
    let rest = decoded.strip_prefix("/a2a/").unwrap_or_default().to_owned();
    drop(decoded);
    answer(state, Some(Place::Platform), (path.to_owned(), rest), parts, body).await
}

/// `place` `None`: no agent's. Then the address, and the resource below it.
async fn answer(
    state: AppState,
    place: Option<Place>,
    (path, rest): (String, String),
    parts: Parts,
    body: Body,
) -> Response {
    let media = media(&parts.headers);
    let result = match (operation(&parts, &rest, body).await, place) {
        (Err(error), _) => Err((error, None)),
        (Ok(_), None) => Err((no_agent(), None)),
        (Ok((version, operation)), Some(place)) => match door::enter(&state, &parts, place, operation.cost()).await {
            Err(refused) => Err(refused),
            Ok(admitted) => match admitted.call.run(operation).await {
                Ok(answer) => Ok((answer, version, admitted.allowed)),
                Err(error) => Err((error, Some(admitted.allowed))),
            },
        },
    };
    match result {
        Err((error, allowed)) => door::sign(
            error.rest_response(if rest.starts_with("v1/") { Version::V03 } else { Version::V1 }, media),
            &state,
            &path,
            allowed.as_ref(),
        ),
        Ok((answer, version, allowed)) => door::sign(answered(answer, version, media), &state, &path, Some(&allowed)),
    }
}

/// The binding's own media type to who sent or asked for it; others may not know it.
fn media(headers: &HeaderMap) -> &'static str {
    let names = |name: header::HeaderName| {
        headers.get(name).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains(A2A_JSON))
    };
    if names(header::ACCEPT) || names(header::CONTENT_TYPE) { A2A_JSON } else { "application/json" }
}

/// What a request asks for.
async fn operation(parts: &Parts, rest: &str, body: Body) -> Result<(Version, Operation)> {
    let named = version::named(&parts.headers, &parts.uri)?;
    let (version, rest) = match rest.strip_prefix("v1/") {
        Some(rest) => (Version::V03, rest),
        None => (Version::V1, rest),
    };
    if named.is_some_and(|named| named != version) {
        return Err(nothing(rest));
    }
    let query = query(parts);
    let body = if parts.method == Method::POST { read(parts, body).await? } else { Value::Null };
    let segments: Vec<String> = rest.split('/').map(decoded).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (get, post) = (parts.method == Method::GET || parts.method == Method::HEAD, parts.method == Method::POST);
    let delete = parts.method == Method::DELETE;
    let asked = Fields::of(&query, "")?;
    let operation = match segments[..] {
        ["message:send"] if post => Operation::Send(Box::new(request::send(&body, version)?)),
        ["message:stream"] if post => Operation::Stream(Box::new(request::send(&body, version)?)),
        ["tasks"] if get => Operation::List(list(&asked)?),
        ["card"] if get && version == Version::V03 => Operation::ExtendedCard,
        ["extendedAgentCard"] if get && version == Version::V1 => Operation::ExtendedCard,
        ["tasks", task] => match task.rsplit_once(':') {
            Some((task, "cancel")) if post => Operation::Cancel(task.to_owned()),
            // The text of the specification and its protocol buffers name different methods.
            Some((task, "subscribe")) if post || get => Operation::Subscribe(task.to_owned()),
            None if get => Operation::Get(task.to_owned(), request::history_length(&asked)?),
            _ => return Err(wrong_method(parts, rest)),
        },
        ["tasks", task, "pushNotificationConfigs"] if post => {
            let fields = Fields::of(&body, "")?;
            Operation::SetPush(task.to_owned(), set_push(&fields, version)?)
        }
        ["tasks", task, "pushNotificationConfigs"] if get => Operation::ListPush(task.to_owned()),
        ["tasks", task, "pushNotificationConfigs", id] if get => {
            Operation::GetPush(task.to_owned(), Some(id.to_owned()))
        }
        ["tasks", task, "pushNotificationConfigs", id] if delete => {
            Operation::DeletePush(task.to_owned(), id.to_owned())
        }
        ["message:send" | "message:stream" | "tasks" | "card" | "extendedAgentCard"]
        | ["tasks", _, "pushNotificationConfigs"]
        | ["tasks", _, "pushNotificationConfigs", _] => return Err(wrong_method(parts, rest)),
        _ => return Err(nothing(rest)),
    };
    Ok((version, operation))
}

/// In 0.3 the configuration stands in a resource that names it.
fn set_push(fields: &Fields<'_>, version: Version) -> Result<domain::tasks::pushes::PushConfig> {
    let config = match version {
        Version::V1 => None,
        Version::V03 => match fields.object("config")? {
            Some(config) => config.object("pushNotificationConfig")?,
            None => fields.object("pushNotificationConfig")?,
        },
    };
    request::push_config(config.as_ref().unwrap_or(fields), version)
}

fn nothing(rest: &str) -> GatewayError {
    GatewayError::new(Kind::MethodNotFound, format!("there is nothing at {rest} in this version"))
}

fn wrong_method(parts: &Parts, rest: &str) -> GatewayError {
    let kind = Kind::Ours(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED");
    GatewayError::new(kind, format!("{rest} does not take {}", parts.method))
}

fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// The query as an object of texts.
fn query(parts: &Parts) -> Value {
    let pairs = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let fields: Map<String, Value> = pairs.map(|(name, value)| (name.into_owned(), json!(value))).collect();
    Value::Object(fields)
}

async fn read(parts: &Parts, body: Body) -> Result<Value> {
    let bytes = sent(parts, body).await?;
    if bytes.trim_ascii().is_empty() {
        return Ok(json!({}));
    }
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or(A2A_JSON);
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !(essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))) {
        return Err(GatewayError::new(
            Kind::ContentType,
            "the request must be application/a2a+json or application/json",
        ));
    }
    let value: Value = serde_json::from_slice(&bytes)
        .map_err(|e| GatewayError::new(Kind::InvalidRequest, format!("the request is not JSON: {e}")))?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(GatewayError::new(Kind::InvalidRequest, "the request must be an object"))
    }
}

fn answered(answer: Answer, version: Version, media: &'static str) -> Response {
    let old = version == Version::V03;
    let value = match answer {
        Answer::Stream(events) => return streamed(events, version),
        Answer::Event(value) if old => v03::event(&value, Form::Proto, true),
        Answer::Task(value) if old => v03::task(&value, Form::Proto),
        Answer::Tasks(mut value) if old => {
            if let Some(tasks) = value.get_mut("tasks").and_then(Value::as_array_mut) {
                tasks.iter_mut().for_each(|task| *task = v03::task(task, Form::Proto));
            }
            value
        }
        Answer::Push(value) if old => v03::push_config(&value, Form::Proto),
        Answer::Pushes(all) if old => {
            json!({ "configs": all.iter().map(|c| v03::push_config(c, Form::Proto)).collect::<Value>() })
        }
        Answer::Card(card) if old => super::card::v03(&card),
        Answer::Pushes(all) => json!({ "configs": all }),
        Answer::Nothing => json!({}),
        Answer::Event(value)
        | Answer::Task(value)
        | Answer::Tasks(value)
        | Answer::Push(value)
        | Answer::Card(value) => value,
    };
    let mut response = axum::Json(value).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

fn streamed(events: Events, version: Version) -> Response {
    event_stream::respond(stream::unfold(events, move |mut events| async move {
        let (event, last) = events.next().await?;
        let value = if version == Version::V03 { v03::event(&event, Form::Proto, last) } else { event };
        Some((Ok::<_, Infallible>(Event::default().data(value.to_string())), events))
    }))
}
