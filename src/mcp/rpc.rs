//! JSON-RPC 2.0 as MCP uses it (specification, "Messages"): one message a body, an id that is a string or an integer.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// The body is not JSON.
pub const PARSE_ERROR: i64 = -32700;
/// It is no message, or not one that may be sent here.
pub const INVALID_REQUEST: i64 = -32600;
/// There is no such method.
pub const METHOD_NOT_FOUND: i64 = -32601;
/// The parameters are wrong, or lead nowhere.
pub const INVALID_PARAMS: i64 = -32602;
/// A fault of ours.
pub const INTERNAL_ERROR: i64 = -32603;
/// No such resource, in the revisions before 2026-07-28.
pub const RESOURCE_NOT_FOUND: i64 = -32002;
/// A header does not say what the body does.
pub const HEADER_MISMATCH: i64 = -32020;
/// A revision that is not spoken here.
pub const UNSUPPORTED_VERSION: i64 = -32022;

/// Why there is no result.
#[derive(Clone, Debug, PartialEq)]
pub struct RpcError {
    /// The status, where the error is the whole HTTP answer.
    pub status: StatusCode,
    /// The code. Refusals of HTTP (401, 403, 413, 429) have their status: MCP leaves such numbers to applications.
    pub code: i64,
    /// For people.
    pub message: String,
    /// Particulars.
    pub data: Option<Value>,
}

impl RpcError {
    /// An error that is an ordinary answer.
    pub fn new(code: i64, message: impl Into<String>) -> RpcError {
        RpcError { status: StatusCode::OK, code, message: message.into(), data: None }
    }

    /// Wrong parameters.
    pub fn params(message: impl Into<String>) -> RpcError {
        RpcError::new(INVALID_PARAMS, message)
    }

    /// A refusal of HTTP.
    pub fn refused(status: StatusCode, message: impl Into<String>) -> RpcError {
        RpcError::new(i64::from(status.as_u16()), message).with_status(status)
    }

    /// The same under another status.
    pub fn with_status(mut self, status: StatusCode) -> RpcError {
        self.status = status;
        self
    }

    /// The same with particulars.
    pub fn with_data(mut self, data: Value) -> RpcError {
        self.data = Some(data);
        self
    }

    /// The message. An error of something that had no readable id has none.
    pub fn message(&self, id: Option<&Value>) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(data) = &self.data {
            error["data"] = data.clone();
        }
        let mut message = json!({ "jsonrpc": "2.0", "error": error });
        if let Some(id) = id {
            message["id"] = id.clone();
        }
        message
    }

    /// The HTTP answer.
    pub fn respond(&self, id: Option<&Value>) -> Response {
        (self.status, Json(self.message(id))).into_response()
    }
}

impl IntoResponse for RpcError {
    fn into_response(self) -> Response {
        self.respond(None)
    }
}

/// A result.
pub fn result(id: &Value, result: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

/// A notification.
pub fn notification(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}

/// A message that came in.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// Wants an answer.
    Request(Request),
    /// Wants none.
    Notification(String, Map<String, Value>),
    /// The answer to a request of ours: its id, and the result where it is not an error.
    Response(Value, Option<Value>),
}

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What its answer is known by.
    pub id: Value,
    /// What is asked.
    pub method: String,
    /// With what.
    pub params: Map<String, Value>,
}

impl Incoming {
    /// Reads a message.
    ///
    /// # Errors
    /// [`INVALID_REQUEST`] with the id, if it has one that can be read.
    pub fn read(message: Value) -> Result<Incoming, (Option<Value>, RpcError)> {
        let Value::Object(mut message) = message else {
            return Err((None, invalid("a message is an object")));
        };
        let id = message.remove("id");
        let known = id.clone().filter(is_id);
        let refuse = |what: &str| Err((known.clone(), invalid(what)));
        if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return refuse("jsonrpc must be \"2.0\"");
        }
        if id.is_some() && known.is_none() {
            return refuse("id must be a string or an integer");
        }
        let method = match message.remove("method") {
            Some(Value::String(method)) => method,
            Some(_) => return refuse("method must be a string"),
            None => {
                return match (known.clone(), message.remove("result"), message.contains_key("error")) {
                    (Some(id), result @ Some(_), false) => Ok(Incoming::Response(id, result)),
                    (Some(id), None, true) => Ok(Incoming::Response(id, None)),
                    _ => refuse("method is missing"),
                };
            }
        };
        let params = match message.remove("params") {
            None => Map::new(),
            Some(Value::Object(params)) => params,
            Some(_) => {
                return Err((known, RpcError::params("params must be an object").with_status(StatusCode::BAD_REQUEST)));
            }
        };
        Ok(match known {
            Some(id) => Incoming::Request(Request { id, method, params }),
            None => Incoming::Notification(method, params),
        })
    }
}

fn is_id(id: &Value) -> bool {
    id.is_string() || id.is_i64() || id.is_u64()
}

fn invalid(what: &str) -> RpcError {
    RpcError::new(INVALID_REQUEST, what).with_status(StatusCode::BAD_REQUEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(message: Value) -> (Option<Value>, i64) {
        let (id, error) = Incoming::read(message).unwrap_err();
        (id, error.code)
    }

    #[test]
    fn messages_are_told_apart() {
        let request = Incoming::read(json!({"jsonrpc": "2.0", "id": "a", "method": "ping"})).unwrap();
        assert_eq!(request, Incoming::Request(Request { id: json!("a"), method: "ping".into(), params: Map::new() }));
        let note = Incoming::read(json!({"jsonrpc": "2.0", "method": "n", "params": {"a": 1}})).unwrap();
        assert!(matches!(note, Incoming::Notification(method, params) if method == "n" && params["a"] == 1));
        let answer = Incoming::read(json!({"jsonrpc": "2.0", "id": 7, "result": {}})).unwrap();
        assert_eq!(answer, Incoming::Response(json!(7), Some(json!({}))));
        let error = Incoming::read(json!({"jsonrpc": "2.0", "id": 7, "error": {"code": 1, "message": "x"}})).unwrap();
        assert_eq!(error, Incoming::Response(json!(7), None));
    }

    #[test]
    fn what_is_no_message_is_refused_with_its_id() {
        for (message, id) in [
            (json!(1), None),
            (json!({"id": 1, "method": "ping"}), Some(json!(1))),
            (json!({"jsonrpc": "1.0", "id": 1, "method": "ping"}), Some(json!(1))),
            (json!({"jsonrpc": "2.0", "id": null, "method": "ping"}), None),
            (json!({"jsonrpc": "2.0", "id": 1.5, "method": "ping"}), None),
            (json!({"jsonrpc": "2.0", "id": {}, "method": "ping"}), None),
            (json!({"jsonrpc": "2.0", "id": 1, "method": 2}), Some(json!(1))),
            (json!({"jsonrpc": "2.0", "id": 1}), Some(json!(1))),
            (json!({"jsonrpc": "2.0", "result": {}}), None),
            (json!({"jsonrpc": "2.0", "id": 1, "result": {}, "error": {}}), Some(json!(1))),
        ] {
            assert_eq!(refused(message.clone()), (id, INVALID_REQUEST), "{message}");
        }
        let wrong = json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []});
        assert_eq!(refused(wrong), (Some(json!(1)), INVALID_PARAMS));
    }
}
