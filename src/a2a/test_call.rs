//! The test call that an agent answers before it is listed.

use std::time::{Duration, Instant};

use domain::agents::SigningSecrets;
use domain::tasks::content::{Artifact, Message, PartBody, text_of};
use domain::tasks::finish::Fault;
use serde_json::{Value, json};
use uuid::Uuid;

use super::reply::{self, Reply};
use super::{AgentClient, card};

/// How the agent answered.
#[derive(Debug)]
pub struct TestAnswer {
    /// In which time.
    pub millis: u128,
    /// With what, in a word.
    pub state: &'static str,
    /// The beginning of what it said.
    pub preview: String,
}

/// Sends one message as a task would. An answer in the protocol passes, also one that says it is still working or
/// that this input does not suit it: what is tested is that somebody at the address speaks A2A.
///
/// # Errors
/// One sentence, when nobody answers or the answer is not in the protocol.
pub async fn run(
    client: &AgentClient,
    endpoint: &str,
    known_card: &Value,
    secrets: &SigningSecrets,
    skill: &str,
    text: &str,
) -> Result<TestAnswer, String> {
    let target = card::target(endpoint, known_card, secrets)?;
    let message = json!({
        "messageId": Uuid::new_v4(), "role": "ROLE_USER", "parts": [{ "text": text }], "metadata": { "skillId": skill, "test": true },
    });
    let begun = Instant::now();
    let response = match client.send(&target, &message, Duration::from_secs(30)).await {
        Ok(response) => response,
        Err(error) if error.fault == Fault::Requester => {
            let millis = begun.elapsed().as_millis();
            return Ok(TestAnswer {
                millis,
                state: "it answered that this input does not suit it",
                preview: error.message,
            });
        }
        Err(error) => return Err(error.message),
    };
    let millis = begun.elapsed().as_millis();
    let (state, preview) = match reply::read(response) {
        Reply::Completed(delivery) => ("it completed the task", preview(&delivery)),
        Reply::Failed(_, failure) if failure.kind == "Answered against the protocol" => return Err(failure.message),
        Reply::Failed(_, failure) => ("it answered that it cannot do this", failure.message),
        Reply::Working { task, progress, .. } => {
            // It is only a test: let it stop working.
            if let Err(error) = client.cancel(&target, &task).await {
                tracing::debug!(error = error.message, "the test task was not cancelled");
            }
            ("it took the task and is working", progress.unwrap_or_default())
        }
    };
    Ok(TestAnswer { millis, state, preview })
}

fn preview(delivery: &domain::tasks::finish::Delivery) -> String {
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
