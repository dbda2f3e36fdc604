//! Why a call came to nothing, and what to do about it.

use domain::tasks::finish::Fault;
use serde_json::Value;

use crate::outbound::{Head, OutboundError};

/// Why a call came to nothing.
#[derive(Clone, Debug)]
pub struct CallError {
    /// For the task's parties.
    pub message: String,
    /// For the agent's public record: the kind, nothing of the content.
    pub kind: &'static str,
    /// Whose doing.
    pub fault: Fault,
    /// Whether it may go better another time: connections, timeouts, 408, 429 and 5xx.
    pub transient: bool,
    /// What `Retry-After` asked for, in seconds.
    pub retry_after: Option<u64>,
    /// Whether the agent said that it knows no such task.
    pub unknown_task: bool,
    /// Whether the agent does not offer this operation: ask in another way (send instead of stream).
    pub unsupported: bool,
    /// The HTTP status that was seen.
    pub status: Option<u16>,
    /// Whether the agent may speak another dialect.
    pub other_dialect: bool,
    /// Whether the agent does not take the push address that was sent along.
    pub no_push: bool,
}

/// What an agent says is wrong, in the terms of A2A 1.0 (specification section 5.4, error code mappings).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    UnknownTask,
    NoPush,
    Unsupported,
    /// What was asked does not fit the agent.
    BadInput,
    /// The method or version is not known, or the request is none.
    OtherDialect,
    Other,
}

impl CallError {
    pub(super) fn new(message: impl Into<String>, kind: &'static str, fault: Fault, transient: bool) -> CallError {
        CallError {
            message: message.into(),
            kind,
            fault,
            transient,
            retry_after: None,
            unknown_task: false,
            unsupported: false,
            status: None,
            other_dialect: false,
            no_push: false,
        }
    }

    /// The agent broke the protocol.
    pub(crate) fn protocol(message: impl Into<String>) -> CallError {
        CallError::new(message, "Answered against the protocol", Fault::Agent, false)
    }

    /// The agent answered, but not in the dialect that it was asked in.
    pub(super) fn foreign(message: impl Into<String>) -> CallError {
        CallError { other_dialect: true, ..CallError::protocol(message) }
    }

    /// The dialect has no such operation.
    pub(super) fn no_such_operation() -> CallError {
        CallError { unsupported: true, ..CallError::protocol("The agent's protocol has no such operation") }
    }

    /// Nothing was answered.
    pub(super) fn unanswered(error: OutboundError) -> CallError {
        let message = format!("The agent could not be reached: {error}");
        match error {
            OutboundError::Connect | OutboundError::Broken => {
                CallError::new(message, "Could not be reached", Fault::Agent, true)
            }
            OutboundError::Timeout => CallError::new(message, "Did not answer in time", Fault::Agent, true),
            error @ (OutboundError::TooLarge(_) | OutboundError::Unreadable(_)) => {
                CallError::protocol(format!("The agent answered, but {error}"))
            }
            // Our own rule, which another worker's settings may see otherwise: nothing that the agent did.
            OutboundError::Refused(why) => CallError::new(
                format!("The agent was not called: {why}"),
                "Has an address that is not called",
                Fault::Platform,
                false,
            ),
        }
    }

    /// The error object of JSON-RPC.
    pub(super) fn of_rpc(error: &Value) -> CallError {
        let code = error.get("code").and_then(Value::as_i64).unwrap_or_default();
        CallError::saying(meaning_of_code(code), &code.to_string(), &said(error))
    }

    /// The body of an unsuccessful REST answer: the error object of A2A 1.0, or the bare `message` that 0.3 agents
    /// send. `about_task`: the request named a task, so that 404 speaks of it.
    pub(super) fn of_rest(body: &Value, head: &Head, about_task: bool) -> CallError {
        let error = body.get("error").filter(|e| e.is_object()).unwrap_or(body);
        let status = head.status.as_u16();
        let mut meaning = reason_of(error).map_or(Said::Other, meaning_of_reason);
        if meaning == Said::Other {
            meaning = match (error.get("code").and_then(Value::as_i64), status) {
                (Some(code), _) if code < 0 => meaning_of_code(code),
                // A server without such a path says so in its own words.
                (_, 404) if about_task && error.get("message").is_some_and(Value::is_string) => Said::UnknownTask,
                (_, 415 | 422) => Said::BadInput,
                (_, 404 | 405) => Said::OtherDialect,
                (_, 501) => Said::Unsupported,
                _ if error.get("status").and_then(Value::as_str) == Some("INVALID_ARGUMENT") => Said::BadInput,
                _ => Said::Other,
            };
        }
        CallError::saying(meaning, &format!("HTTP {status}"), &said(error))
    }

    /// An unsuccessful status without words of the protocol.
    pub(super) fn of_status(head: &Head) -> CallError {
        let message = match head.status.as_u16() {
            401 | 403 => "The agent refused our credentials".to_owned(),
            code @ 300..=399 => {
                format!("The agent answered with a redirect (HTTP status {code}), which is not followed")
            }
            code => format!("The agent answered with HTTP status {code}"),
        };
        let mut error = CallError::new(message, "Answered with an error", Fault::Agent, false);
        // A redirect may be a framework's way to say that there is something below this path, as REST has it.
        error.other_dialect = matches!(head.status.as_u16(), 300..=399 | 404 | 405 | 415 | 501);
        error
    }

    /// With what the answer's head adds. An agent that is busy says so with both: an error object and a status that
    /// asks to come again.
    pub(super) fn under(mut self, head: &Head) -> CallError {
        let again = head.status.is_server_error() || matches!(head.status.as_u16(), 408 | 429);
        self.transient |= again && self.fault == Fault::Agent && !self.unsupported;
        self.retry_after = head.retry_after;
        self.status = Some(head.status.as_u16());
        self
    }

    fn saying(meaning: Said, code: &str, said: &str) -> CallError {
        let plain = || format!("The agent answered with error {code}: {said}");
        let mut error = match meaning {
            Said::BadInput => CallError::new(
                format!("The agent does not take this input: {said}"),
                "Refused the input",
                Fault::Requester,
                false,
            ),
            Said::UnknownTask => {
                CallError::new("The agent no longer knows this task", "Lost the task", Fault::Agent, false)
            }
            Said::NoPush | Said::Unsupported | Said::OtherDialect | Said::Other => {
                CallError::new(plain(), "Answered with an error", Fault::Agent, false)
            }
        };
        error.unknown_task = meaning == Said::UnknownTask;
        error.unsupported = matches!(meaning, Said::Unsupported | Said::OtherDialect);
        error.other_dialect = meaning == Said::OtherDialect;
        error.no_push = meaning == Said::NoPush;
        error
    }
}

fn said(error: &Value) -> String {
    error.get("message").and_then(Value::as_str).unwrap_or_default().chars().take(300).collect()
}

fn meaning_of_code(code: i64) -> Said {
    match code {
        -32001 => Said::UnknownTask,
        -32003 => Said::NoPush,
        -32004 => Said::Unsupported,
        // Invalid params; content type not supported.
        -32602 | -32005 => Said::BadInput,
        // Method not found; version not supported; no request at all.
        -32601 | -32009 | -32600 => Said::OtherDialect,
        _ => Said::Other,
    }
}

/// The reason of the error's `google.rpc.ErrorInfo` (specification section 11.6).
fn reason_of(error: &Value) -> Option<&str> {
    error.get("details")?.as_array()?.iter().find_map(|d| d.get("reason")?.as_str())
}

fn meaning_of_reason(reason: &str) -> Said {
    match reason {
        "TASK_NOT_FOUND" => Said::UnknownTask,
        "PUSH_NOTIFICATION_NOT_SUPPORTED" => Said::NoPush,
        "UNSUPPORTED_OPERATION" => Said::Unsupported,
        "INVALID_PARAMS" | "CONTENT_TYPE_NOT_SUPPORTED" => Said::BadInput,
        "VERSION_NOT_SUPPORTED" | "METHOD_NOT_FOUND" | "INVALID_REQUEST" => Said::OtherDialect,
        _ => Said::Other,
    }
}
