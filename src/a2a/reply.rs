//! What an agent's answer means for the task.

use domain::Credits;
use domain::tasks::finish::{AgentWord, Delivery, Failure, Fault};
use serde_json::Value;

use super::call_error::CallError;
use super::dialect::{Event, Snapshot, State};

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
    Working(Working),
    /// The agent waits for the requester; a message with this task's id goes on.
    Asks(Ask),
}

/// Work under way.
#[derive(Clone, Debug, Default)]
pub struct Working {
    /// The agent's id for the work; empty until a stream has named it.
    pub task: String,
    /// The agent's id for the conversation.
    pub context: Option<String>,
    /// What it says of its progress.
    pub progress: Option<String>,
    /// What it has made so far, A2A 1.0 JSON.
    pub artifacts: Vec<Value>,
}

/// A question to the requester.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The agent's id for the work.
    pub task: String,
    /// The agent's id for the conversation.
    pub context: Option<String>,
    /// Whether it asks for credentials rather than for input.
    pub auth: bool,
    /// The text of its question.
    pub said: Option<String>,
    /// The id of the message that it is.
    pub said_id: Option<String>,
    /// What it said, A2A 1.0 JSON.
    pub messages: Vec<Value>,
    /// What it has made so far, A2A 1.0 JSON.
    pub artifacts: Vec<Value>,
}

/// Reads the answer to a message or to a question after a task.
///
/// # Errors
/// [`CallError`] when it is an event, which only streams carry, or a task under way that cannot be asked after.
pub(super) fn read(event: Event) -> Result<Reply, CallError> {
    match event {
        Event::Task(snapshot) => of_task(snapshot),
        Event::Message(message) => Ok(of_message(message)),
        Event::Status(_) | Event::Artifact { .. } => {
            Err(CallError::foreign("The agent answered with an event of a stream where a task or message belongs"))
        }
    }
}

/// A message is a whole answer.
pub(super) fn of_message(message: Value) -> Reply {
    let text = |key: &str| message.get(key).and_then(Value::as_str).map(str::to_owned);
    Reply::Completed(Delivery {
        artifacts: Vec::new(),
        cost: cost_of(&message),
        task: text("taskId"),
        context: text("contextId"),
        word: AgentWord { state: Some("completed"), message: id_of(&message), by_message: true },
        messages: vec![message],
    })
}

/// What a task's state means.
pub(super) fn of_task(task: Snapshot) -> Result<Reply, CallError> {
    let said = task.said.last().map(text_of).filter(|t| !t.is_empty());
    let said_id = task.said.last().and_then(id_of);
    // An agent that ends without a word and without a result has said it before.
    let messages = if task.said.is_empty() && task.artifacts.is_empty() { task.history } else { task.said };
    let Some(state) = task.state else {
        return Err(CallError::protocol("The agent named no state of its task"));
    };
    let unnamed = task.id.is_empty();
    let working = Working { task: task.id, context: task.context, progress: said.clone(), artifacts: task.artifacts };
    let failed = |fallback: &str, kind, fault| Failure {
        message: said.clone().unwrap_or_else(|| fallback.to_owned()),
        kind,
        fault,
    };
    let failure = match state {
        State::Completed => {
            return Ok(Reply::Completed(delivered(working, messages, task.cost, ("completed", said_id))));
        }
        State::Failed => failed("The agent failed without a reason", "Reported a failure", Fault::Agent),
        State::Rejected => failed("The agent rejected the task", "Rejected the task", Fault::Requester),
        State::Canceled => failed("The agent gave the task up", "Gave the task up", Fault::Agent),
        State::Submitted | State::Working | State::InputRequired | State::AuthRequired if unnamed => {
            return Err(CallError::protocol("The agent named no id of its task"));
        }
        State::Submitted | State::Working => return Ok(Reply::Working(working)),
        State::InputRequired | State::AuthRequired => {
            let Working { task, context, progress: said, artifacts } = working;
            let auth = state == State::AuthRequired;
            return Ok(Reply::Asks(Ask { task, context, auth, said, said_id, messages, artifacts }));
        }
    };
    let word = match state {
        State::Rejected => "rejected",
        State::Canceled => "canceled",
        _ => "failed",
    };
    Ok(Reply::Failed(delivered(working, messages, task.cost, (word, said_id)), failure))
}

fn delivered(
    working: Working,
    messages: Vec<Value>,
    cost: Option<Credits>,
    (state, message): (&'static str, Option<String>),
) -> Delivery {
    let task = (!working.task.is_empty()).then_some(working.task);
    let word = AgentWord { state: Some(state), message, by_message: false };
    Delivery { artifacts: working.artifacts, messages, cost, task, context: working.context, word }
}

fn id_of(message: &Value) -> Option<String> {
    message.get("messageId").and_then(Value::as_str).map(str::to_owned)
}

/// What the agent says that the work cost: `metadata["urn:nexus:cost"]` of its task or last message, an amount of credits
/// as a string such as "4.20". Anything else counts as not said.
pub(super) fn cost_of(of: &Value) -> Option<Credits> {
    of.get("metadata")?.get(COST_KEY)?.as_str()?.parse().ok()
}

/// The text of a message, shortened: for progress and failures.
pub(super) fn text_of(message: &Value) -> String {
    let parts = message.get("parts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let texts: Vec<&str> = parts.iter().filter_map(|p| p.get("text")?.as_str()).collect();
    texts.join("\n").chars().take(2_000).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn task(state: State) -> Snapshot {
        let said = json!({"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": "said"}]});
        Snapshot { id: "t".into(), state: Some(state), said: vec![said], ..Snapshot::default() }
    }

    #[test]
    fn every_state_of_the_protocol_means_something() {
        assert!(matches!(of_task(task(State::Completed)), Ok(Reply::Completed(_))));
        for (state, fault) in
            [(State::Failed, Fault::Agent), (State::Rejected, Fault::Requester), (State::Canceled, Fault::Agent)]
        {
            let Ok(Reply::Failed(_, failure)) = of_task(task(state)) else { panic!("{state:?}") };
            assert_eq!((failure.fault, failure.message.as_str()), (fault, "said"), "{state:?}");
        }
        for state in [State::Submitted, State::Working] {
            let Ok(Reply::Working(working)) = of_task(task(state)) else { panic!("{state:?}") };
            assert_eq!((working.task.as_str(), working.progress.as_deref()), ("t", Some("said")));
        }
        for (state, auth) in [(State::InputRequired, false), (State::AuthRequired, true)] {
            let Ok(Reply::Asks(ask)) = of_task(task(state)) else { panic!("{state:?}") };
            assert_eq!((ask.task.as_str(), ask.said.as_deref(), ask.auth), ("t", Some("said"), auth));
            assert_eq!(ask.messages.len(), 1);
        }
    }

    #[test]
    fn what_cannot_be_followed_is_against_the_protocol() {
        let unnamed = Snapshot { id: String::new(), ..task(State::Working) };
        assert_eq!(of_task(unnamed).unwrap_err().kind, "Answered against the protocol");
        let stateless = Snapshot { state: None, ..task(State::Working) };
        assert_eq!(of_task(stateless).unwrap_err().kind, "Answered against the protocol");
    }

    #[test]
    fn an_answer_given_before_the_end_is_not_lost() {
        let before = json!({"messageId": "h", "role": "ROLE_AGENT", "parts": [{"text": "the answer"}]});
        let silent = Snapshot { said: vec![], history: vec![before.clone()], ..task(State::Completed) };
        let Ok(Reply::Completed(delivery)) = of_task(silent) else { panic!() };
        assert_eq!(delivery.messages, std::slice::from_ref(&before));
        let made = Snapshot { said: vec![], history: vec![before], ..task(State::Completed) };
        let made = Snapshot { artifacts: vec![json!({"artifactId": "a", "parts": []})], ..made };
        let Ok(Reply::Completed(delivery)) = of_task(made) else { panic!() };
        assert_eq!(delivery.messages, Vec::<Value>::new(), "a result speaks for itself");
    }

    #[test]
    fn an_agent_may_say_that_it_cost_less() {
        let cost = |metadata: Value| cost_of(&json!({ "metadata": metadata })).map(|c| c.to_string());
        assert_eq!(cost(json!({"urn:nexus:cost": "4.20"})).as_deref(), Some("4.20"));
        for unreadable in [json!({"urn:nexus:cost": 4.2}), json!({"urn:nexus:cost": "much"}), json!({})] {
            assert_eq!(cost(unreadable), None);
        }
    }
}
