//! Everything that can go wrong on the wire, and how each is told. All but one are JSON-RPC error objects:
//! clients crash on anything else, whatever the HTTP status.

use a2a::{A2AError, JsonRpcError, JsonRpcId, JsonRpcResponse, PROTOCOL_DOMAIN, TypedDetail, error_code};
use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// JSON-RPC leaves this one to the server; A2A has no code for a caller that is not let in.
const UNAUTHENTICATED: i32 = -32000;

/// Why a request got no result.
#[derive(Debug)]
pub(super) enum Failure {
    /// An error of the protocol; HTTP 200, as JSON-RPC over HTTP has it.
    Rpc(A2AError),
    /// The caller is not let in: 401.
    Unauthenticated(&'static str),
    /// The body could not be read, by size or by a broken connection.
    Body(StatusCode, String),
    /// As many tasks under way as the agent takes: 503, worth another try.
    Busy,
    /// Asked for: a 500 that is no JSON-RPC.
    Deliberate,
}

impl From<A2AError> for Failure {
    fn from(error: A2AError) -> Self {
        Failure::Rpc(error)
    }
}

impl Failure {
    /// The answer to the request called `id`.
    pub fn answer(self, id: JsonRpcId) -> Response {
        match self {
            Failure::Rpc(error) => Json(JsonRpcResponse::error(id, error.to_jsonrpc_error())).into_response(),
            Failure::Unauthenticated(why) => {
                let error = detailed(UNAUTHENTICATED, why, "UNAUTHENTICATED");
                let challenge = [(header::WWW_AUTHENTICATE, "Standard-Webhooks")];
                (StatusCode::UNAUTHORIZED, challenge, Json(JsonRpcResponse::error(id, error))).into_response()
            }
            Failure::Body(status, why) => {
                let error = A2AError::invalid_request(why).to_jsonrpc_error();
                (status, Json(JsonRpcResponse::error(id, error))).into_response()
            }
            Failure::Busy => {
                let error =
                    detailed(error_code::INTERNAL_ERROR, "all places are taken; try again shortly", "UNAVAILABLE");
                let wait = [(header::RETRY_AFTER, "5")];
                (StatusCode::SERVICE_UNAVAILABLE, wait, Json(JsonRpcResponse::error(id, error))).into_response()
            }
            Failure::Deliberate => (StatusCode::INTERNAL_SERVER_ERROR, "broken on request\n").into_response(),
        }
    }

    /// The JSON-RPC code, for the log.
    pub fn code(&self) -> i32 {
        match self {
            Failure::Rpc(error) => error.code,
            Failure::Unauthenticated(_) => UNAUTHENTICATED,
            Failure::Body(..) => error_code::INVALID_REQUEST,
            Failure::Busy | Failure::Deliberate => error_code::INTERNAL_ERROR,
        }
    }
}

/// An error whose reason the protocol's table does not have.
fn detailed(code: i32, message: &str, reason: &str) -> JsonRpcError {
    let info = TypedDetail::error_info(reason, PROTOCOL_DOMAIN, None);
    JsonRpcError { code, message: message.to_owned(), data: Some(json!([info])) }
}
