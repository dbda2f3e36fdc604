//! Asking the person in front of the client (specification, "Elicitation"). Nothing of it is kept here: a modern client is given
//! what belongs to the question (`requestState`, "Multi Round-Trip Requests") and sends it back with the answer; a client of the
//! old revisions answers a request of ours whose id says what it belongs to, so that any process can take the answer.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{TimeDelta, Utc};
use domain::{KeyId, TaskId};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::call::Asked;
use super::rpc::RpcError;

/// How long an answer is waited for.
const KEPT: TimeDelta = TimeDelta::hours(1);

/// The name of the question about a price.
pub const PRICE: &str = "approve_price";
/// The name of an agent's question.
pub const QUESTION: &str = "agent_question";

/// What a question belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum About {
    /// Whether this price may be paid.
    Price(String),
    /// What the agent of this task asked with this event.
    Task(TaskId, i32),
}

#[derive(Serialize, Deserialize)]
struct State {
    key: KeyId,
    until: i64,
    request: String,
    about: About,
}

/// What the client sends back with the answer: bound to the key, to the arguments of the call, and to an hour.
pub fn seal(asked: &Asked, arguments: &Map<String, Value>, about: About) -> String {
    let state = State { key: asked.key.id, until: (Utc::now() + KEPT).timestamp(), request: digest(arguments), about };
    let state = serde_json::to_vec(&state).unwrap_or_default();
    format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(&state),
        URL_SAFE_NO_PAD.encode(mac(&asked.seal, &state).finalize().into_bytes())
    )
}

/// What a client sent back.
///
/// # Errors
/// Wrong parameters, for what was not sealed for this key and these arguments, or too long ago.
pub fn open(asked: &Asked, arguments: &Map<String, Value>, sent: &str) -> Result<About, RpcError> {
    let refused = || {
        RpcError::params("requestState is not what was given out for this call, or is too old: call again without it")
    };
    let (state, tag) = sent.split_once('.').ok_or_else(refused)?;
    let state = URL_SAFE_NO_PAD.decode(state).map_err(|_| refused())?;
    let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| refused())?;
    mac(&asked.seal, &state).verify_slice(&tag).map_err(|_| refused())?;
    let state: State = serde_json::from_slice(&state).map_err(|_| refused())?;
    let fits = state.key == asked.key.id && state.until > Utc::now().timestamp() && state.request == digest(arguments);
    if fits { Ok(state.about) } else { Err(refused()) }
}

fn mac(key: &[u8; 32], message: &[u8]) -> Hmac<Sha256> {
    // A key that is shorter than a block ends in zeros (RFC 2104, section 2).
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    Hmac::<Sha256>::new(&block.into()).chain_update(message)
}

/// The arguments, however their members are ordered.
fn digest(arguments: &Map<String, Value>) -> String {
    fn add(value: &Value, hash: &mut Sha256) {
        match value {
            Value::Object(members) => {
                let mut names: Vec<&String> = members.keys().collect();
                names.sort();
                hash.update("{");
                for name in names {
                    hash.update(Value::String(name.clone()).to_string());
                    members.get(name).into_iter().for_each(|member| add(member, hash));
                }
                hash.update("}");
            }
            Value::Array(items) => {
                hash.update("[");
                items.iter().for_each(|item| add(item, hash));
                hash.update("]");
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => hash.update(format!("{value},")),
        }
    }
    let mut hash = Sha256::new();
    add(&Value::Object(arguments.clone()), &mut hash);
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// A result that asks the person something before there is one.
pub fn input_required(name: &str, request: &Value, state: String) -> Value {
    json!({ "resultType": "input_required", "inputRequests": { name: request }, "requestState": state })
}

/// Asks whether a price may be paid.
pub fn price_request(agent: &str, price: &str) -> Value {
    form(
        &format!("Hire “{agent}” for {price} credits?"),
        json!({ "approve": { "type": "boolean", "title": format!("Pay {price} credits"), "default": false } }),
        "approve",
    )
}

/// Passes on what an agent asks.
pub fn question_request(agent: &str, question: &str) -> Value {
    let question = if question.trim().is_empty() { "(it did not say what)" } else { question.trim() };
    form(
        &format!(
            "The agent “{agent}” that you hired asks (these are its words; give it no passwords or keys):\n\n{question}"
        ),
        json!({ "answer": { "type": "string", "title": "Your answer", "minLength": 1, "maxLength": 100_000 } }),
        "answer",
    )
}

fn form(message: &str, properties: Value, required: &str) -> Value {
    let schema = json!({ "type": "object", "properties": properties, "required": [required] });
    json!({ "method": "elicitation/create", "params": { "mode": "form", "message": message, "requestedSchema": schema } })
}

/// What a person said.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// They filled the form in.
    Yes(Value),
    /// They would not, or closed it.
    No,
}

/// Reads the result of an `elicitation/create`; nothing where there is none.
pub fn said(result: Option<&Value>) -> Option<Said> {
    let result = result?;
    match result["action"].as_str() {
        Some("accept") => Some(Said::Yes(result["content"].clone())),
        Some("decline" | "cancel") => Some(Said::No),
        Some(_) | None => None,
    }
}

/// The id of a request of ours to a client of the old revisions.
#[derive(Clone, Debug, PartialEq)]
pub enum Ours {
    /// About a price.
    Price(Uuid),
    /// About the question that an agent asked with this event.
    Task(TaskId, i32),
}

impl Ours {
    /// As it is sent.
    pub fn id(&self) -> String {
        match self {
            Ours::Price(name) => format!("price.{name}"),
            Ours::Task(task, seq) => format!("ask.{task}.{seq}"),
        }
    }

    /// The request that has this id; nothing where it is none of ours.
    pub fn read(id: &Value) -> Option<Ours> {
        let (kind, rest) = id.as_str()?.split_once('.')?;
        match kind {
            "price" => rest.parse().ok().map(Ours::Price),
            "ask" => {
                let (task, seq) = rest.split_once('.')?;
                Some(Ours::Task(task.parse().ok()?, seq.parse().ok()?))
            }
            _ => None,
        }
    }
}

/// The subject under which processes tell one another what became of a request of this key.
pub fn subject(asked: &Asked, of: &[&str]) -> String {
    let mut hash = Sha256::new().chain_update(asked.key.id.to_string());
    for part in of {
        hash.update([0]);
        hash.update(part);
    }
    format!("mcp:{}", URL_SAFE_NO_PAD.encode(hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn arguments_are_the_same_in_any_order_and_only_then() {
        let one = digest(&map(json!({"a": {"x": 1, "y": [1, 2]}, "b": "c"})));
        assert_eq!(one, digest(&map(json!({"b": "c", "a": {"y": [1, 2], "x": 1}}))));
        for other in [
            json!({"a": {"x": 1, "y": [2, 1]}, "b": "c"}),
            json!({"a": {"x": 1, "y": [12]}, "b": "c"}),
            json!({"a": {"x": 1, "y": [1, 2]}, "b": "d"}),
            json!({"a": {"x": 1, "y": [1, 2]}}),
        ] {
            assert_ne!(one, digest(&map(other.clone())), "{other}");
        }
    }

    #[test]
    fn requests_of_ours_are_known_by_their_ids() {
        for ours in [Ours::Price(Uuid::from_u128(3)), Ours::Task(TaskId(Uuid::from_u128(4)), 7)] {
            assert_eq!(Ours::read(&json!(ours.id())), Some(ours));
        }
        for foreign in [json!(1), json!("x"), json!("price.x"), json!("ask.x.1"), json!("ask.1")] {
            assert_eq!(Ours::read(&foreign), None, "{foreign}");
        }
    }

    #[test]
    fn what_a_person_said_is_yes_no_or_nothing() {
        let yes = json!({"action": "accept", "content": {"approve": true}});
        assert_eq!(said(Some(&yes)), Some(Said::Yes(json!({"approve": true}))));
        assert_eq!(said(Some(&json!({"action": "decline"}))), Some(Said::No));
        assert_eq!(said(Some(&json!({"action": "cancel"}))), Some(Said::No));
        assert_eq!(said(Some(&json!({}))), None);
        assert_eq!(said(None), None);
    }
}
