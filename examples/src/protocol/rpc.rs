//! From an HTTP request to a JSON-RPC answer: who may call, which version, which method.

use a2a::{A2AError, JsonRpcId, JsonRpcRequest, JsonRpcResponse, SVC_PARAM_VERSION, VERSION, methods as names};
use axum::Json;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use serde_json::Value;

use super::failure::Failure;
use super::methods;
use super::proto_json::camel_case;
use super::server::Server;

/// The answer to one POST. Each request is logged once, here; what it carried never is.
pub(super) async fn answer(server: &Server, headers: &HeaderMap, query: Option<&str>, body: &[u8]) -> Response {
    let agent = server.agent.listing.slug;
    let mut id = JsonRpcId::Null;
    let mut method = String::new();
    match result(server, headers, query, body, &mut id, &mut method).await {
        Ok(result) => {
            tracing::info!(agent, method, "answered");
            Json(JsonRpcResponse::success(id, result)).into_response()
        }
        Err(failure) => {
            tracing::info!(agent, method, code = failure.code(), "refused");
            failure.answer(id)
        }
    }
}

/// `id` and `method` are filled in as soon as they are known, so that errors carry them too.
async fn result(
    server: &Server,
    headers: &HeaderMap,
    query: Option<&str>,
    body: &[u8],
    id: &mut JsonRpcId,
    method: &mut String,
) -> Result<Value, Failure> {
    // First, so that a caller who is not let in learns nothing from the order of complaints.
    server.door.check(headers, body, Utc::now().timestamp()).map_err(Failure::Unauthenticated)?;
    if !is_json(headers) {
        return Err(A2AError::content_type_not_supported().into());
    }
    let body: Value =
        serde_json::from_slice(body).map_err(|error| A2AError::parse_error(format!("not JSON: {error}")))?;
    if let Some(sent) = body.get("id") {
        *id = serde_json::from_value(sent.clone()).unwrap_or(JsonRpcId::Null);
    }
    let request: JsonRpcRequest = serde_json::from_value(body)
        .map_err(|error| A2AError::invalid_request(format!("not a JSON-RPC 2.0 request with an id: {error}")))?;
    if request.jsonrpc != "2.0" {
        return Err(A2AError::invalid_request("jsonrpc must be \"2.0\"").into());
    }
    check_version(headers, query)?;
    *method = request.method;
    let params = match request.params {
        None => Value::Object(serde_json::Map::new()),
        Some(params @ Value::Object(_)) => camel_case(params),
        Some(_) => return Err(A2AError::invalid_params("params must be an object").into()),
    };
    dispatch(server, method, params).await
}

/// Methods of A2A that need a capability these agents do not declare have errors of their own.
async fn dispatch(server: &Server, method: &str, params: Value) -> Result<Value, Failure> {
    match method {
        names::SEND_MESSAGE => methods::send_message(server, params).await,
        names::GET_TASK => methods::get_task(server, params),
        names::CANCEL_TASK => methods::cancel_task(server, params),
        names::CREATE_PUSH_CONFIG | names::GET_PUSH_CONFIG | names::LIST_PUSH_CONFIGS | names::DELETE_PUSH_CONFIG => {
            Err(A2AError::push_notification_not_supported().into())
        }
        known if names::is_valid(known) => {
            Err(A2AError::unsupported_operation(format!("this agent does not offer {known}")).into())
        }
        unknown => Err(A2AError::method_not_found(unknown).into()),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    sent.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// The version stands in a header or in the query; without one it is 0.3, which these agents do not speak.
fn check_version(headers: &HeaderMap, query: Option<&str>) -> Result<(), A2AError> {
    let header = headers.get(SVC_PARAM_VERSION).and_then(|value| value.to_str().ok()).map(str::trim);
    let in_query = || {
        let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(name, _)| *name == SVC_PARAM_VERSION).map(|(_, value)| value)
    };
    let asked = header.filter(|version| !version.is_empty()).or_else(in_query).filter(|version| !version.is_empty());
    match asked {
        // A patch number changes nothing in the protocol.
        Some(version) if version == VERSION || version.starts_with("1.0.") => Ok(()),
        Some(version) => Err(A2AError::version_not_supported(version)),
        None => Err(A2AError::version_not_supported("0.3 (no A2A-Version was sent; send A2A-Version: 1.0)")),
    }
}
