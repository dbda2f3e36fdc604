//! What an agent's answer means for the task.

use a2a::{Message, SendMessageResponse, Task, TaskState};
use domain::Credits;
use domain::tasks::finish::{Delivery, Failure, Fault};
use serde_json::Value;

/// The metadata member in which an agent may say what its work cost (docs/list-an-agent.md).
pub const COST_KEY: &str = "urn:nexus:cost";

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
        SendMessageResponse::Message(message) => {
            let said: Vec<Value> = said_by_agent(&message).into_iter().collect();
            Reply::Completed(Delivery { artifacts: Vec::new(), cost: said.first().and_then(cost_of), messages: said })
        }
    }
}

/// Reads a task.
pub fn read_task(task: Task) -> Reply {
    let said = task.status.message.as_ref().map(text_of).filter(|t| !t.is_empty());
    let messages: Vec<Value> = task.status.message.as_ref().and_then(said_by_agent).into_iter().collect();
    let whole = json_of(&task);
    let delivery = Delivery {
        artifacts: task.artifacts.iter().flatten().filter_map(json_of).collect(),
        cost: whole.as_ref().and_then(cost_of).or_else(|| messages.first().and_then(cost_of)),
        messages,
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

/// What the agent says that the work cost: `metadata["urn:nexus:cost"]` of its task or last message, an amount of credits
/// as a string such as "4.20". Anything else counts as not said.
fn cost_of(of: &Value) -> Option<Credits> {
    of.get("metadata")?.get(COST_KEY)?.as_str()?.parse().ok()
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
    fn an_agent_may_say_that_it_cost_less() {
        let answer = |metadata: Value| {
            let value = json!({"task": {"id": "t", "contextId": "c", "status": {"state": "TASK_STATE_COMPLETED"},
                "metadata": metadata}});
            let Reply::Completed(delivery) = read(serde_json::from_value(value).unwrap()) else { panic!() };
            delivery.cost.map(|c| c.to_string())
        };
        assert_eq!(answer(json!({"urn:nexus:cost": "4.20"})).as_deref(), Some("4.20"));
        for unreadable in [json!({"urn:nexus:cost": 4.2}), json!({"urn:nexus:cost": "much"}), json!({})] {
            assert_eq!(answer(unreadable), None);
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
