//! Echo: repeats what it is sent, and fails in every way an agent can, for tests of whoever calls agents.
//!
//! The first text part, or the field `text` of a data part, decides:
//!
//! - `fail…`: a failed task; `reject…`: a rejected one
//! - `later N`: works for N seconds (at most 600), then repeats as usual
//! - `hang…`: no answer for 120 seconds; `error…`: JSON-RPC error -32603; `500…`: HTTP 500
//! - anything else: the parts, as they came, in one artifact

use std::time::Duration;

use a2a::{Artifact, Message, PartContent, new_artifact_id};
use serde_json::Value;

use crate::agent::{Agent, DemoAgent, Done, Refusal, Skill, Started};
use crate::protocol::misbehaviour::Misbehaviour;
use crate::schema;

/// Longer than any caller should wait for an answer.
const SILENCE: Duration = Duration::from_secs(120);
const LATEST: u64 = 600;

pub(crate) const AGENT: Agent = Agent {
    listing: DemoAgent { slug: "echo", name: "Echo", price: "1.00", tags: &["test"], featured: false, samples: &[] },
    description: "Repeats the parts it is sent. Text that starts with fail, reject, later N, hang, error or 500 makes \
                  it do just that.",
    version: "1.0.0",
    skills: &[Skill {
        id: "echo",
        name: "Echo",
        description: "Repeats the parts it is sent.",
        tags: &["test"],
        examples: &["Hello", "later 5", "fail"],
        input_modes: &["text/plain", "application/json", "application/octet-stream"],
        output_modes: &["text/plain", "application/json", "application/octet-stream"],
        input_schema: || {
            let text =
                schema::long_text("Text", "What to repeat, or what to do: fail, reject, later 5, hang.", 100_000);
            schema::object(&[("text", text)], &[])
        },
        output_schema: || schema::object(&[("echo", schema::record("The parts, as they were sent.", &[]))], &["echo"]),
        start,
    }],
    misbehave: Some(misbehave),
};

fn start(message: &Message) -> Result<Started, Refusal> {
    let text = command(message);
    if text.starts_with("fail") {
        return Err(Refusal::failed("failed on request"));
    }
    if text.starts_with("reject") {
        return Err(Refusal::rejected("text", "rejected on request; send something else"));
    }
    let done = repeat(message);
    let Some(seconds) = text.strip_prefix("later ").and_then(|rest| rest.split_whitespace().next()?.parse().ok())
    else {
        return Ok(Started::Done(done));
    };
    let seconds: u64 = std::cmp::min(seconds, LATEST);
    Ok(Started::Working(Box::new(move |progress| {
        Box::pin(async move {
            progress.say(format!("Waiting for {seconds} s"));
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Ok(done)
        })
    })))
}

fn misbehave(message: &Message) -> Option<Misbehaviour> {
    let text = command(message);
    if text.starts_with("hang") {
        Some(Misbehaviour::Silence(SILENCE))
    } else if text.starts_with("error") {
        Some(Misbehaviour::InternalError)
    } else if text.starts_with("500") {
        Some(Misbehaviour::ServerError)
    } else {
        None
    }
}

fn repeat(message: &Message) -> Done {
    let artifact = Artifact {
        artifact_id: new_artifact_id(),
        name: Some("echo".to_owned()),
        description: Some("The parts, as they were sent.".to_owned()),
        parts: message.parts.clone(),
        metadata: None,
        extensions: None,
    };
    Done { line: "Repeated".to_owned(), artifacts: vec![artifact] }
}

fn command(message: &Message) -> &str {
    let text = message.parts.iter().find_map(|part| match &part.content {
        PartContent::Text(text) => Some(text.as_str()),
        PartContent::Data(data) => data.get("text").and_then(Value::as_str),
        PartContent::Raw(_) | PartContent::Url(_) => None,
    });
    text.unwrap_or_default().trim_start()
}
