//! The test call that an agent answers before it is listed.

use std::time::{Duration, Instant};

use domain::agents::SigningSecrets;
use domain::tasks::content::{Artifact, Message, PartBody, text_of};
use domain::tasks::finish::{Delivery, Fault};
use serde_json::{Value, json};
use uuid::Uuid;

use super::call_error::CallError;
use super::reply::Reply;
use super::{AgentClient, Outgoing, Protocol, Target, card};

/// How long the agent has, for each dialect that is tried.
const LIMIT: Duration = Duration::from_secs(30);

/// How the agent answered.
#[derive(Debug)]
pub struct TestAnswer {
    /// In which time.
    pub millis: u128,
    /// With what, in a word.
    pub state: &'static str,
    /// The beginning of what it said.
    pub preview: String,
    /// In which dialect: its card's, or the one that was found out.
    pub protocol: Protocol,
}

/// Sends one message as a task would. An answer in the protocol passes, also one that says it is still working or
/// that this input does not suit it: what is tested is that somebody at the address speaks A2A. Where no card says
/// which dialect, they are tried one after the other until one is understood.
///
/// # Errors
/// One sentence, when nobody answers or the answer is in no dialect.
pub async fn run(
    client: &AgentClient,
    endpoint: &str,
    known_card: &Value,
    secrets: &SigningSecrets,
    skill: &str,
    text: &str,
) -> Result<TestAnswer, String> {
    let mut refusal: Option<TestAnswer> = None;
    let mut first: Option<CallError> = None;
    for protocol in card::candidates(endpoint, known_card) {
        let target = card::target(endpoint, known_card, Some(protocol.as_str()), secrets)?;
        let begun = Instant::now();
        let answered = client.send(&target, &message(skill, text), LIMIT).await;
        let millis = begun.elapsed().as_millis();
        match answered {
            Ok(reply) => {
                let (state, preview) = told(client, &target, reply).await;
                return Ok(TestAnswer { millis, state, preview, protocol });
            }
            // It understood the envelope; another dialect may suit its parts better.
            Err(error) if error.fault == Fault::Requester => {
                let state = "it answered that this input does not suit it";
                refusal.get_or_insert(TestAnswer { millis, state, preview: error.message, protocol });
            }
            Err(error) => {
                let go_on = error.other_dialect;
                first.get_or_insert(error);
                if !go_on {
                    break;
                }
            }
        }
    }
    match (refusal, first) {
        (Some(refusal), _) => Ok(refusal),
        (None, Some(error)) => Err(error.message),
        (None, None) => Err("the agent was not called".into()),
    }
}

fn message(skill: &str, text: &str) -> Outgoing {
    let message = json!({
        "messageId": Uuid::new_v4(), "role": "ROLE_USER", "parts": [{ "text": text }],
        "metadata": { "skillId": skill, "test": true },
    });
    Outgoing { message, push: None }
}

/// What the reply says, in a word, and its beginning.
async fn told(client: &AgentClient, target: &Target, reply: Reply) -> (&'static str, String) {
    let (state, task, said) = match reply {
        Reply::Completed(delivery) => return ("it completed the task", preview(&delivery)),
        Reply::Failed(_, failure) => return ("it answered that it cannot do this", failure.message),
        Reply::Asks(ask) => ("it took the task and asks for more", ask.task, ask.said),
        Reply::Working(working) => ("it took the task and is working", working.task, working.progress),
    };
    // It is only a test: let it stop working.
    if let Err(error) = client.cancel(target, &task).await {
        tracing::debug!(error = error.message, "the test task was not cancelled");
    }
    (state, said.unwrap_or_default())
}

fn preview(delivery: &Delivery) -> String {
    let artifacts: Vec<Artifact> = delivery.artifacts.iter().map(Artifact::from_json).collect();
    let mut parts: Vec<_> = artifacts.into_iter().flat_map(|a| a.parts).collect();
    parts.extend(delivery.messages.iter().map(Message::from_json).flat_map(|m| m.parts));
    let mut text = text_of(&parts);
    if text.is_empty() {
        text = match parts.first().map(|p| &p.body) {
            Some(PartBody::Data(value)) => value.to_string(),
            Some(PartBody::Raw(bytes)) => format!("a file of {} bytes", bytes.len()),
            Some(PartBody::Url(url)) => url.clone(),
            Some(PartBody::Text(_)) | None => "nothing".into(),
        };
    }
    text.chars().take(400).collect()
}
