//! What an agent's answer means for the task.

use a2a::{Message, SendMessageResponse, Task, TaskState};
use domain::tasks::finish::{Delivery, Failure, Fault};
use serde_json::Value;

/// What to do next.
#[derive(Debug)]
pub enum Reply {
    /// Done.
    Completed(Delivery),
    /// Over without a result.
    Failed(Delivery, Failure),
    /// Not done yet: ask again after this task.
    Working {
        /// The agent's id for the work.
        task: String,
        /// The agent's id for the conversation.
        context: String,
        /// What it says of its progress.
        progress: Option<String>,
    },
}

/// Reads an answer to `SendMessage`.
pub fn read(response: SendMessageResponse) -> Reply {
    match response {
        SendMessageResponse::Task(task) => read_task(task),
        SendMessageResponse::Message(message) => Reply::Completed(Delivery {
            artifacts: Vec::new(),
            messages: said_by_agent(&message).into_iter().collect(),
        }),
    }
}

/// Reads a task.
pub fn read_task(task: Task) -> Reply {
    let said = task.status.message.as_ref().map(text_of).filter(|t| !t.is_empty());
    let delivery = Delivery {
        artifacts: task.artifacts.iter().flatten().filter_map(json_of).collect(),
        messages: task.status.message.as_ref().and_then(said_by_agent).into_iter().collect(),
    };
    let failed = |message: String, kind, fault| Failure { message, kind, fault };
    let or = |fallback: &str| said.clone().unwrap_or_else(|| fallback.to_owned());
    match task.status.state {
        TaskState::Completed => Reply::Completed(delivery),
        TaskState::Failed => {
            Reply::Failed(delivery, failed(or("The agent failed without a reason"), "Reported a failure", Fault::Agent))
        }
        TaskState::Rejected => {
            Reply::Failed(delivery, failed(or("The agent rejected the task"), "Rejected the task", Fault::Requester))
        }
        TaskState::Canceled => {
            Reply::Failed(delivery, failed(or("The agent gave the task up"), "Gave the task up", Fault::Agent))
        }
        TaskState::InputRequired | TaskState::AuthRequired => {
            let asked = or("The agent needs more than it was given");
            let message = format!("{asked} (The agent asks for more input: hire it again with that in your message.)");
            Reply::Failed(delivery, failed(message, "Asked for more input", Fault::Requester))
        }
        TaskState::Submitted | TaskState::Working => {
            Reply::Working { task: task.id.to_string(), context: task.context_id, progress: said }
        }
        TaskState::Unspecified => Reply::Failed(
            delivery,
            failed("The agent named no state of its task".into(), "Answered against the protocol", Fault::Agent),
        ),
    }
}

fn json_of<T: serde::Serialize>(value: &T) -> Option<Value> {
    serde_json::to_value(value).ok()
}

/// What the agent sends is the agent's, whatever role it writes.
fn said_by_agent(message: &Message) -> Option<Value> {
    let mut value = json_of(message)?;
    value["role"] = Value::from("ROLE_AGENT");
    Some(value)
}

fn text_of(message: &Message) -> String {
    let texts: Vec<&str> = message.parts.iter().filter_map(a2a::Part::as_text).collect();
    texts.join("\n").chars().take(2_000).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn task(state: &str) -> Reply {
        let value = json!({"task": {"id": "t", "contextId": "c", "status": {"state": state, "message":
            {"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": "said"}]}}}});
        read(serde_json::from_value(value).unwrap())
    }

    #[test]
    fn every_state_of_the_protocol_means_something() {
        assert!(matches!(task("TASK_STATE_COMPLETED"), Reply::Completed(_)));
        for (state, fault) in [
            ("TASK_STATE_FAILED", Fault::Agent),
            ("TASK_STATE_REJECTED", Fault::Requester),
            ("TASK_STATE_CANCELED", Fault::Agent),
            ("TASK_STATE_INPUT_REQUIRED", Fault::Requester),
            ("TASK_STATE_AUTH_REQUIRED", Fault::Requester),
        ] {
            let Reply::Failed(_, failure) = task(state) else { panic!("{state}") };
            assert_eq!(failure.fault, fault, "{state}");
            assert!(failure.message.starts_with("said"));
        }
        for state in ["TASK_STATE_SUBMITTED", "TASK_STATE_WORKING"] {
            let Reply::Working { task, progress, .. } = task(state) else { panic!("{state}") };
            assert_eq!((task.as_str(), progress.as_deref()), ("t", Some("said")));
        }
    }

    #[test]
    fn a_message_is_an_answer_too() {
        let value = json!({"message": {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "hi"}]}});
        let Reply::Completed(delivery) = read(serde_json::from_value(value).unwrap()) else { panic!() };
        assert_eq!(delivery.messages.len(), 1);
        assert_eq!(delivery.messages[0]["role"], "ROLE_AGENT", "nobody speaks for the requester");
    }
}
