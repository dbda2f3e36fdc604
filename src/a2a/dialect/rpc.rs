//! The envelope of JSON-RPC 2.0.

use serde_json::{Value, json};

use crate::a2a::call_error::CallError;

pub(super) fn request(id: &str, method: &str, params: Value) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}

/// The result of an answer, which must be to our request.
pub(super) fn result<'a>(answer: &'a Value, id: &str) -> Result<&'a Value, CallError> {
    if answer.get("id").and_then(Value::as_str) != Some(id) {
        return Err(CallError::protocol("The agent's answer is not to our request (its id differs)"));
    }
    answer.get("result").ok_or_else(|| CallError::protocol("The agent's answer has neither result nor error"))
}

/// The same from agents that leave the id out.
pub(super) fn lenient_result<'a>(answer: &'a Value, id: &str) -> Result<&'a Value, CallError> {
    match answer.get("id") {
        None | Some(Value::Null) => {
            answer.get("result").ok_or_else(|| CallError::foreign("The agent's answer has neither result nor error"))
        }
        Some(_) => result(answer, id),
    }
}
