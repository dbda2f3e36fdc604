//! Calling an agent: three operations of A2A 1.0 over JSON-RPC (specification sections 3 and 9), each one signed
//! request through the guarded client.

use std::time::Duration;

use a2a::{SendMessageResponse, Task};
use chrono::Utc;
use domain::agents::SigningSecrets;
use domain::tasks::finish::Fault;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::outbound::{Answer, Outbound, OutboundError};

/// Calls agents; cheap to clone.
#[derive(Clone, Debug)]
pub struct AgentClient {
    outbound: Outbound,
}

/// Whom to call, and what to sign with.
#[derive(Clone, Debug)]
pub struct Target {
    /// The JSON-RPC address.
    pub endpoint: Url,
    /// What the card asks clients to repeat.
    pub tenant: Option<String>,
    /// The agent's secrets.
    pub secrets: SigningSecrets,
}

/// Why a call came to nothing.
#[derive(Clone, Debug)]
pub struct CallError {
    /// For the task's parties.
    pub message: String,
    /// For the agent's public record: the kind, nothing of the content.
    pub kind: &'static str,
    /// Whose doing.
    pub fault: Fault,
    /// Whether it may go better another time: connections, timeouts, 429 and 5xx.
    pub transient: bool,
    /// What `Retry-After` asked for, in seconds.
    pub retry_after: Option<u64>,
    /// Whether the agent said that it knows no such task.
    pub unknown_task: bool,
}

impl CallError {
    fn new(message: impl Into<String>, kind: &'static str, fault: Fault, transient: bool) -> CallError {
        CallError { message: message.into(), kind, fault, transient, retry_after: None, unknown_task: false }
    }

    /// The agent broke the protocol.
    pub(super) fn protocol(message: impl Into<String>) -> CallError {
        CallError::new(message, "Answered against the protocol", Fault::Agent, false)
    }
}

impl AgentClient {
    /// A client that goes out through `outbound`.
    pub fn new(outbound: Outbound) -> AgentClient {
        AgentClient { outbound }
    }

    /// The way out.
    pub(super) fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// `SendMessage`. The agent may answer with a task that is not done yet (`returnImmediately`).
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn send(&self, to: &Target, message: &Value, limit: Duration) -> Result<SendMessageResponse, CallError> {
        let mut params = json!({
            "message": message,
            "configuration": { "returnImmediately": true },
        });
        with_tenant(to, &mut params);
        let result = self.call(to, "SendMessage", params, limit).await?;
        serde_json::from_value(result)
            .map_err(|e| CallError::protocol(format!("The agent's answer is no A2A 1.0 task or message: {e}")))
    }

    /// `GetTask`.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn get(&self, to: &Target, id: &str, limit: Duration) -> Result<Task, CallError> {
        let mut params = json!({ "id": id });
        with_tenant(to, &mut params);
        let result = self.call(to, "GetTask", params, limit).await?;
        serde_json::from_value(result)
            .map_err(|e| CallError::protocol(format!("The agent's answer is no A2A 1.0 task: {e}")))
    }

    /// `CancelTask`.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn cancel(&self, to: &Target, id: &str) -> Result<(), CallError> {
        let mut params = json!({ "id": id });
        with_tenant(to, &mut params);
        self.call(to, "CancelTask", params, Duration::from_secs(10)).await.map(|_| ())
    }

    async fn call(&self, to: &Target, method: &str, params: Value, limit: Duration) -> Result<Value, CallError> {
        let request_id = Uuid::new_v4().to_string();
        let body = json!({ "jsonrpc": "2.0", "id": request_id, "method": method, "params": params }).to_string();
        let mut request = self
            .outbound
            .post(to.endpoint.clone())
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .header("A2A-Version", "1.0");
        for (name, value) in super::signing::headers(&to.secrets, &request_id, Utc::now().timestamp(), body.as_bytes())
        {
            request = request.header(name, value);
        }
        let answer = self.outbound.send(request.body(body), limit).await.map_err(unanswered)?;
        result_of(&answer, &request_id)
    }
}

fn with_tenant(to: &Target, params: &mut Value) {
    if let Some(tenant) = &to.tenant {
        params["tenant"] = json!(tenant);
    }
}

fn unanswered(error: OutboundError) -> CallError {
    let message = format!("The agent could not be reached: {error}");
    match error {
        OutboundError::Connect | OutboundError::Broken => {
            CallError::new(message, "Could not be reached", Fault::Agent, true)
        }
        OutboundError::Timeout => CallError::new(message, "Did not answer in time", Fault::Agent, true),
        OutboundError::TooLarge => CallError::protocol("The agent's answer is larger than 8 MB"),
        // Our own rule, which another worker's settings may see otherwise: nothing that the agent did.
        OutboundError::Refused(why) => CallError::new(
            format!("The agent was not called: {why}"),
            "Has an address that is not called",
            Fault::Platform,
            false,
        ),
    }
}

/// The result of a JSON-RPC answer, or what its error and status mean. Some agents send errors with status 200, some
/// with another: the error object says what is wrong, the status whether it may go better another time.
fn result_of(answer: &Answer, request_id: &str) -> Result<Value, CallError> {
    let mut parsed: Option<Value> = serde_json::from_slice(&answer.body).ok();
    if let Some(value) = &mut parsed {
        strip_nul(value);
    }
    let status = answer.status;
    let transient = status.is_server_error() || status.as_u16() == 429 || status.as_u16() == 408;
    if let Some(error) = parsed.as_ref().and_then(|p| p.get("error")).filter(|e| e.is_object()) {
        let mut error = rpc_error(error);
        // An agent that is busy says so with both: an error object and a status that asks to come again.
        error.transient |= transient && error.fault == Fault::Agent;
        error.retry_after = answer.retry_after;
        return Err(error);
    }
    if !status.is_success() {
        let message = match status.as_u16() {
            401 | 403 => "The agent refused our credentials".to_owned(),
            code => format!("The agent answered with HTTP status {code}"),
        };
        let mut error = CallError::new(message, "Answered with an error", Fault::Agent, transient);
        error.retry_after = answer.retry_after;
        return Err(error);
    }
    let parsed = parsed.ok_or_else(|| CallError::protocol("The agent's answer is not JSON"))?;
    if parsed.get("id").and_then(Value::as_str) != Some(request_id) {
        return Err(CallError::protocol("The agent's answer is not to our request (its id differs)"));
    }
    parsed.get("result").cloned().ok_or_else(|| CallError::protocol("The agent's answer has neither result nor error"))
}

/// NUL is a character to JSON and none to PostgreSQL: an answer with one could never be stored.
fn strip_nul(value: &mut Value) {
    match value {
        Value::String(text) => text.retain(|c| c != '\0'),
        Value::Array(items) => items.iter_mut().for_each(strip_nul),
        Value::Object(map) => {
            if map.keys().any(|k| k.contains('\0')) {
                *map = std::mem::take(map).into_iter().map(|(k, v)| (k.replace('\0', ""), v)).collect();
            }
            map.values_mut().for_each(strip_nul);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn rpc_error(error: &Value) -> CallError {
    let code = error.get("code").and_then(Value::as_i64).unwrap_or_default();
    let said: String = error.get("message").and_then(Value::as_str).unwrap_or_default().chars().take(300).collect();
    match code {
        // -32602 invalid params, -32005 content type: what was asked does not fit the agent.
        -32602 | -32005 => {
            let message = format!("The agent does not take this input: {said}");
            CallError::new(message, "Refused the input", Fault::Requester, false)
        }
        -32001 => {
            let mut e = CallError::new("The agent no longer knows this task", "Lost the task", Fault::Agent, false);
            e.unknown_task = true;
            e
        }
        _ => CallError::new(
            format!("The agent answered with error {code}: {said}"),
            "Answered with an error",
            Fault::Agent,
            false,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::StatusCode;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status: StatusCode::from_u16(status).unwrap(), retry_after: None, body: body.into() }
    }

    #[test]
    fn transient_is_what_may_go_better_next_time() {
        for (status, transient) in
            [(500, true), (503, true), (429, true), (400, false), (401, false), (404, false), (302, false)]
        {
            let error = result_of(&answer(status, "x"), "1").unwrap_err();
            assert_eq!(error.transient, transient, "{status}");
        }
        let rpc =
            result_of(&answer(200, r#"{"jsonrpc":"2.0","id":"1","error":{"code":-32603,"message":"boom"}}"#), "1");
        assert!(!rpc.unwrap_err().transient);
        let busy = r#"{"jsonrpc":"2.0","id":"1","error":{"code":-32603,"message":"busy"}}"#;
        assert!(result_of(&answer(503, busy), "1").unwrap_err().transient);
        let input = r#"{"jsonrpc":"2.0","id":"1","error":{"code":-32602,"message":"no text"}}"#;
        assert!(!result_of(&answer(500, input), "1").unwrap_err().transient);
    }

    #[test]
    fn an_answer_must_be_to_our_request() {
        assert_eq!(result_of(&answer(200, r#"{"id":"1","result":7}"#), "1").unwrap(), json!(7));
        for bad in [r#"{"id":"2","result":7}"#, r#"{"id":"1"}"#, "no json", "[]"] {
            assert_eq!(result_of(&answer(200, bad), "1").unwrap_err().fault, Fault::Agent, "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_stored_is_taken_out() {
        let said = r#"{"id":"1","result":{"a\u0000b":["x\u0000y",1]}}"#;
        assert_eq!(result_of(&answer(200, said), "1").unwrap(), json!({"ab": ["xy", 1]}));
    }

    #[test]
    fn a_refused_input_is_not_the_agents_fault() {
        let said = r#"{"jsonrpc":"2.0","id":"1","error":{"code":-32602,"message":"no text"}}"#;
        assert_eq!(result_of(&answer(200, said), "1").unwrap_err().fault, Fault::Requester);
    }
}
