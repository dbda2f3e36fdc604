//! JSON-RPC: 1.0 (section 9) and 0.3 (section 7 of that version) on one address, told apart by the method's name.

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::Event;
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde_json::{Value, json};
use std::convert::Infallible;

use super::error::{GatewayError, Kind, Result};
use super::place::Place;
use super::protocol::{Answer, ListTasks, Operation};
use super::request::{self, Fields};
use super::stream::Events;
use super::v03::{self, Form};
use super::version::{self, Version};
use super::{door, sent};
use crate::state::AppState;
use crate::web::event_stream;

/// Answers a JSON-RPC request to an agent's address.
pub async fn call(State(state): State<AppState>, Path(agent): Path<String>, parts: Parts, body: Body) -> Response {
    answer(state, agent.parse().map(Place::Agent).ok(), parts, body).await
}

/// Answers a JSON-RPC request to the platform's address.
pub async fn call_platform(State(state): State<AppState>, parts: Parts, body: Body) -> Response {
    answer(state, Some(Place::Platform), parts, body).await
}

/// `place` `None`: no agent's.
async fn answer(state: AppState, place: Option<Place>, parts: Parts, body: Body) -> Response {
    let path = parts.uri.path().trim_end_matches('/').to_owned();
    let (id, result) = match read(&parts, body).await {
        Ok(request) => (request.id.clone(), Ok(request)),
        Err((id, error)) => (id, Err(error)),
    };
    let result = match (result, place) {
        (Err(error), _) => Err((error, None)),
        (Ok(_), None) => Err((no_agent(), None)),
        (Ok(request), Some(place)) => match door::enter(&state, &parts, place, request.operation.cost()).await {
            Err(refused) => Err(refused),
            Ok(admitted) => match admitted.call.run(request.operation).await {
                Ok(answer) => Ok((answer, request.version, admitted.allowed)),
                Err(error) => Err((error, Some(admitted.allowed))),
            },
        },
    };
    match result {
        Err((error, allowed)) => door::sign(error.rpc_response(&id), &state, &path, allowed.as_ref()),
        Ok((answer, version, allowed)) => door::sign(answered(id, answer, version), &state, &path, Some(&allowed)),
    }
}

/// No such agent.
pub fn no_agent() -> GatewayError {
    GatewayError::new(Kind::Ours(StatusCode::NOT_FOUND, "AGENT_NOT_FOUND"), "there is no such agent")
}

struct Request {
    id: Value,
    version: Version,
    operation: Operation,
}

type Unread = (Value, GatewayError);

async fn read(parts: &Parts, body: Body) -> std::result::Result<Request, Unread> {
    let nobody = |error| (Value::Null, error);
    if !is_json(&parts.headers) {
        return Err(nobody(GatewayError::new(Kind::ContentType, "the request must be application/json")));
    }
    let bytes: Bytes = sent(parts, body).await.map_err(nobody)?;
    let mut value: Value = serde_json::from_slice(&bytes)
        .map_err(|e| nobody(GatewayError::new(Kind::Parse, format!("the request is not JSON: {e}"))))?;
    let invalid = |what: &str| GatewayError::new(Kind::InvalidRequest, what);
    if !value.is_object() {
        return Err(nobody(invalid("a request is one object; batches are not taken")));
    }
    let id = value.get("id").cloned().unwrap_or(Value::Null);
    if !(id.is_string() || id.is_i64() || id.is_u64()) {
        return Err(nobody(invalid("id must be a string or a whole number")));
    }
    let failed = |error| (id.clone(), error);
    if value.get("jsonrpc") != Some(&json!("2.0")) {
        return Err(failed(invalid("jsonrpc must be \"2.0\"")));
    }
    let Some(method) = value.get("method").and_then(Value::as_str).map(str::to_owned) else {
        return Err(failed(invalid("method must be a string")));
    };
    let named = version::named(&parts.headers, &parts.uri).map_err(failed)?;
    let params = value.get_mut("params").map(Value::take).filter(|p| !p.is_null()).unwrap_or_else(|| json!({}));
    let (version, operation) = operation(&method, &params, named).map_err(failed)?;
    Ok(Request { id, version, operation })
}

/// Whether a body may be JSON by its content type. Clients that name none are believed.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return true };
    let essence = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// What a method asks for. A client that names no version is one of 0.3 by the letter (section 3.6.2); what it is is plain from
/// the method, which no version shares with the other.
fn operation(method: &str, params: &Value, named: Option<Version>) -> Result<(Version, Operation)> {
    let unknown = || GatewayError::new(Kind::MethodNotFound, format!("there is no method {method} in this version"));
    let version = match method {
        "SendMessage"
        | "SendStreamingMessage"
        | "GetTask"
        | "ListTasks"
        | "CancelTask"
        | "SubscribeToTask"
        | "CreateTaskPushNotificationConfig"
        | "GetTaskPushNotificationConfig"
        | "ListTaskPushNotificationConfigs"
        | "DeleteTaskPushNotificationConfig"
        | "GetExtendedAgentCard" => Version::V1,
        _ if method.contains('/') => Version::V03,
        _ => return Err(unknown()),
    };
    if named.is_some_and(|named| named != version) {
        return Err(unknown());
    }
    let fields = || Fields::of(params, "");
    let task = |fields: &Fields<'_>| fields.needed("id");
    let operation = match method {
        "SendMessage" | "message/send" => Operation::Send(Box::new(request::send(params, version)?)),
        "SendStreamingMessage" | "message/stream" => Operation::Stream(Box::new(request::send(params, version)?)),
        "GetTask" | "tasks/get" => {
            let fields = fields()?;
            Operation::Get(task(&fields)?, request::history_length(&fields)?)
        }
        "ListTasks" => Operation::List(list(&fields()?)?),
        "CancelTask" | "tasks/cancel" => Operation::Cancel(task(&fields()?)?),
        "SubscribeToTask" | "tasks/resubscribe" => Operation::Subscribe(task(&fields()?)?),
        "CreateTaskPushNotificationConfig" => {
            let fields = fields()?;
            Operation::SetPush(fields.needed("taskId")?, request::push_config(&fields, version)?)
        }
        "tasks/pushNotificationConfig/set" => {
            let fields = fields()?;
            let config = fields.object("pushNotificationConfig")?;
            let config = config.ok_or_else(|| GatewayError::field("pushNotificationConfig", "is missing"))?;
            Operation::SetPush(fields.needed("taskId")?, request::push_config(&config, version)?)
        }
        "GetTaskPushNotificationConfig" => {
            let fields = fields()?;
            Operation::GetPush(fields.needed("taskId")?, Some(fields.needed("id")?))
        }
        "tasks/pushNotificationConfig/get" => {
            let fields = fields()?;
            Operation::GetPush(task(&fields)?, fields.text("pushNotificationConfigId")?)
        }
        "ListTaskPushNotificationConfigs" => Operation::ListPush(fields()?.needed("taskId")?),
        "tasks/pushNotificationConfig/list" => Operation::ListPush(task(&fields()?)?),
        "DeleteTaskPushNotificationConfig" => {
            let fields = fields()?;
            Operation::DeletePush(fields.needed("taskId")?, fields.needed("id")?)
        }
        "tasks/pushNotificationConfig/delete" => {
            let fields = fields()?;
            Operation::DeletePush(task(&fields)?, fields.needed("pushNotificationConfigId")?)
        }
        "GetExtendedAgentCard" | "agent/getAuthenticatedExtendedCard" => Operation::ExtendedCard,
        _ => return Err(unknown()),
    };
    Ok((version, operation))
}

/// `ListTasksRequest`.
pub fn list(fields: &Fields<'_>) -> Result<ListTasks> {
    Ok(ListTasks {
        context: fields.text("contextId")?,
        state: fields.text("status")?,
        size: fields.number("pageSize", 1, 100)?.and_then(|n| usize::try_from(n).ok()),
        token: fields.text("pageToken")?,
        history: request::history_length(fields)?,
        since: request::time(fields, "statusTimestampAfter")?,
        artifacts: fields.flag("includeArtifacts")?.unwrap_or(false),
    })
}

fn answered(id: Value, answer: Answer, version: Version) -> Response {
    let old = version == Version::V03;
    let result = match answer {
        Answer::Stream(events) => return streamed(id, events, version),
        Answer::Event(value) if old => v03::event(&value, Form::Json, true),
        Answer::Task(value) if old => v03::task(&value, Form::Json),
        Answer::Push(value) if old => v03::push_config(&value, Form::Json),
        Answer::Pushes(all) if old => all.iter().map(|c| v03::push_config(c, Form::Json)).collect(),
        Answer::Card(card) if old => super::card::v03(&card),
        Answer::Pushes(all) => json!({ "configs": all }),
        Answer::Nothing if old => Value::Null,
        Answer::Nothing => json!({}),
        Answer::Event(value)
        | Answer::Task(value)
        | Answer::Tasks(value)
        | Answer::Push(value)
        | Answer::Card(value) => value,
    };
    axum::Json(json!({ "jsonrpc": "2.0", "id": id, "result": result })).into_response()
}

fn streamed(id: Value, events: Events, version: Version) -> Response {
    event_stream::respond(stream::unfold((events, id), move |(mut events, id)| async move {
        let (event, last) = events.next().await?;
        let result = if version == Version::V03 { v03::event(&event, Form::Json, last) } else { event };
        let data = json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string();
        Some((Ok::<_, Infallible>(Event::default().data(data)), (events, id)))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_says_its_version() {
        let id = json!({"id": "t", "taskId": "t"});
        let of = |method: &str, named| operation(method, &id, named).map(|(version, _)| version);
        assert_eq!(of("GetTask", None).unwrap(), Version::V1);
        assert_eq!(of("tasks/get", None).unwrap(), Version::V03);
        assert_eq!(of("GetTask", Some(Version::V1)).unwrap(), Version::V1);
        for (method, named) in
            [("GetTask", Some(Version::V03)), ("tasks/get", Some(Version::V1)), ("tasks/lost", None), ("Odd", None)]
        {
            assert_eq!(of(method, named).unwrap_err().rpc()["code"], -32601, "{method}");
        }
    }
}
