//! A task as programs see it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use chrono::{DateTime, Utc};
use domain::tasks::content::text_of;
use domain::tasks::{Artifact, Attempt, Event, Message, Part, PartBody, Role, TaskDetail, TaskSummary, Waiting};
use domain::{Error, TaskId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::Money;

/// A task in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskRow {
    /// The task.
    pub id: Uuid,
    /// What it is called.
    pub title: String,
    /// `pending`, `assigned`, `running`, `completed`, `failed` or `cancelled`.
    #[schema(example = "completed")]
    pub state: &'static str,
    /// Your side of it: `requester` or `provider`.
    pub role: &'static str,
    /// Who does it.
    #[schema(required)]
    pub agent_id: Option<Uuid>,
    /// What that agent is called.
    pub agent_name: String,
    /// Who ordered it.
    pub requester_name: String,
    /// What it waits for when its agent has asked something: `input` (an answer) or `auth` (something done elsewhere first).
    #[schema(required)]
    pub waiting_for: Option<&'static str>,
    /// Whether the agent could not be made to do it.
    pub dead_letter: bool,
    /// The agreed price.
    pub price_credits: Money,
    /// When it was ordered.
    pub created_at: DateTime<Utc>,
    /// When the agent was called.
    #[schema(required)]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[schema(required)]
    pub completed_at: Option<DateTime<Utc>>,
}

impl From<TaskSummary> for TaskRow {
    fn from(t: TaskSummary) -> TaskRow {
        TaskRow {
            id: t.id.0,
            title: t.title,
            state: t.state.as_str(),
            role: match t.role {
                Role::Requester => "requester",
                Role::Provider => "provider",
            },
            agent_id: t.agent.map(|a| a.0),
            agent_name: t.agent_name,
            requester_name: t.requester_name,
            waiting_for: t.waiting.map(|w| match w {
                Waiting::Input => "input",
                Waiting::Auth => "auth",
            }),
            dead_letter: t.dead_letter,
            price_credits: Money(t.price),
            created_at: t.created_at,
            started_at: t.started_at,
            completed_at: t.completed_at,
        }
    }
}

/// A task, whole.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// What a list shows.
    #[serde(flatten)]
    pub row: TaskRow,
    /// Which skill was hired.
    #[schema(required)]
    pub skill_id: Option<String>,
    /// What a program wants of the result.
    pub result: TaskResult,
    /// What was said, oldest first.
    pub messages: Vec<MessageBody>,
    /// What was made.
    pub artifacts: Vec<ArtifactBody>,
    /// What the agent last said of its progress.
    #[schema(required)]
    pub progress: Option<String>,
    /// Why it failed.
    #[schema(required)]
    pub error: Option<String>,
    /// What became of the price: `pending` (held), `settled`, `refunded`; `null` where no credits moved.
    #[schema(required)]
    pub hold: Option<String>,
    /// What it cost in the end.
    pub cost_credits: Money,
    /// By when it must end.
    #[schema(required)]
    pub timeout_at: Option<DateTime<Utc>>,
    /// When you accepted the result.
    #[schema(required)]
    pub accepted_at: Option<DateTime<Utc>>,
    /// The task whose conversation it goes on with.
    #[schema(required)]
    pub follows: Option<Uuid>,
    /// The task that it repeats.
    #[schema(required)]
    pub retry_of: Option<Uuid>,
    /// The calls of the agent, oldest first.
    pub attempts: Vec<AttemptBody>,
    /// The number of its newest event; where a stream goes on.
    pub last_event: i32,
}

/// The text and the first data part of a result.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskResult {
    /// All text of the artifacts, or of the agent's last message where there are none.
    #[schema(required)]
    pub text: Option<String>,
    /// The first data part.
    #[schema(required)]
    pub data: Option<Value>,
}

/// Something said.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageBody {
    /// The speaker's id for it.
    pub message_id: String,
    /// `user` or `agent`.
    pub role: &'static str,
    /// What was said.
    pub parts: Vec<PartOut>,
}

/// Something made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ArtifactBody {
    /// The agent's id for it.
    pub artifact_id: String,
    /// What it is called.
    pub name: String,
    /// What it is.
    pub description: String,
    /// What it is made of.
    pub parts: Vec<PartOut>,
}

/// A piece of a message or artifact: exactly one of `text`, `data`, `file` and `url`.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartOut {
    /// Plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// A JSON value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// A file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<FileOut>,
    /// Where a file is that was not fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// A file's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Its media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
}

/// A file that is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileOut {
    /// How large it is, in bytes.
    pub size: usize,
    /// Where to fetch it, with the same key; `null` for a file that you sent yourself.
    #[schema(required, example = "/api/v1/tasks/0b9f7a1c-5a0e-4a53-9d8e-3b1f4c2d6e7f/artifacts/0/0")]
    pub url: Option<String>,
}

/// One call of the agent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttemptBody {
    /// From 1.
    pub number: i32,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    #[schema(required)]
    pub ended_at: Option<DateTime<Utc>>,
    /// `completed`, `failed`, `retried`, `cancelled`, `lost` or `asked`.
    #[schema(required)]
    pub outcome: Option<String>,
    /// Why it came to nothing.
    #[schema(required)]
    pub error: Option<String>,
    /// The HTTP status, where it says something.
    #[schema(required)]
    pub http_status: Option<i32>,
}

/// Something that happened to a task.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventBody {
    /// From 1, without gaps.
    pub seq: i32,
    /// `created`, `assigned`, `running`, `progress`, `artifact`, `asks`, `reply`, `retry`, `completed`, `failed`, `cancelled`,
    /// `accepted`, `rated`, `disputed`, `dispute` or `dispute_ended`.
    pub kind: String,
    /// Particulars.
    pub data: Value,
    /// When.
    pub at: DateTime<Utc>,
}

impl From<Event> for EventBody {
    fn from(e: Event) -> EventBody {
        EventBody { seq: e.seq, kind: e.kind, data: e.data, at: e.created_at }
    }
}

impl From<Attempt> for AttemptBody {
    fn from(a: Attempt) -> AttemptBody {
        AttemptBody {
            number: a.number,
            started_at: a.started_at,
            ended_at: a.ended_at,
            outcome: a.outcome,
            error: a.error,
            http_status: a.http_status,
        }
    }
}

fn part(part: Part, url: Option<String>) -> PartOut {
    let mut out = PartOut { filename: part.filename, media_type: part.media_type, ..PartOut::default() };
    match part.body {
        PartBody::Text(text) => out.text = Some(text),
        PartBody::Data(value) => out.data = Some(value),
        PartBody::Raw(bytes) => out.file = Some(FileOut { size: bytes.len(), url }),
        PartBody::Url(link) => out.url = Some(link),
    }
    out
}

fn message(m: Message) -> MessageBody {
    MessageBody {
        message_id: m.id,
        role: if m.from_agent { "agent" } else { "user" },
        parts: m.parts.into_iter().map(|p| part(p, None)).collect(),
    }
}

fn artifact(task: TaskId, n: usize, a: Artifact) -> ArtifactBody {
    let parts = a.parts.into_iter().enumerate();
    ArtifactBody {
        artifact_id: a.id,
        name: a.name,
        description: a.description,
        parts: parts.map(|(m, p)| part(p, Some(format!("/api/v1/tasks/{task}/artifacts/{n}/{m}")))).collect(),
    }
}

/// What a program wants of a result: as `tasks.output` has it.
fn result(task: &TaskDetail) -> TaskResult {
    let mut parts: Vec<Part> = task.artifacts.iter().flat_map(|a| a.parts.clone()).collect();
    if parts.is_empty() && task.summary.state.is_terminal() {
        parts = task.messages.iter().rev().find(|m| m.from_agent).map(|m| m.parts.clone()).unwrap_or_default();
    }
    let text = text_of(&parts);
    let data = parts.into_iter().find_map(|p| match p.body {
        PartBody::Data(value) => Some(value),
        PartBody::Text(_) | PartBody::Raw(_) | PartBody::Url(_) => None,
    });
    TaskResult { text: (!text.is_empty()).then_some(text), data }
}

impl From<TaskDetail> for Task {
    fn from(t: TaskDetail) -> Task {
        let id = t.summary.id;
        Task {
            result: result(&t),
            progress: t.progress().map(str::to_owned),
            skill_id: t.skill,
            messages: t.messages.into_iter().map(message).collect(),
            artifacts: t.artifacts.into_iter().enumerate().map(|(n, a)| artifact(id, n, a)).collect(),
            error: t.error,
            hold: t.hold,
            cost_credits: Money(t.cost),
            timeout_at: t.timeout_at,
            accepted_at: t.accepted_at,
            follows: t.follows.map(|f| f.0),
            retry_of: t.retry_of.map(|r| r.0),
            attempts: t.attempts.into_iter().map(AttemptBody::from).collect(),
            last_event: t.last_seq,
            row: TaskRow::from(t.summary),
        }
    }
}

/// A piece of what is sent: exactly one of `text`, `data`, `raw` and `url` (the part of A2A 1.0).
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartIn {
    /// Plain text.
    text: Option<String>,
    /// A JSON value.
    data: Option<Value>,
    /// A file's bytes in base64; at most 2 MB.
    raw: Option<String>,
    /// Where a file is.
    url: Option<String>,
    /// The file's name.
    filename: Option<String>,
    /// Its media type.
    media_type: Option<String>,
}

/// What an agent is sent: words, data, or parts. Words come first, then data, then parts.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Said {
    /// Words.
    pub message: Option<String>,
    /// A JSON value, such as the skill's input schema asks for.
    pub data: Option<Value>,
    /// Parts, for files and more than one of a kind.
    pub parts: Option<Vec<PartIn>>,
}

impl Said {
    /// The parts that are kept and sent.
    ///
    /// # Errors
    /// [`Error::Validation`] of `parts[n]`.
    pub fn parts(self) -> domain::Result<Vec<Part>> {
        let mut parts: Vec<Part> = self.message.into_iter().map(Part::text).collect();
        parts.extend(self.data.map(Part::data));
        for (n, sent) in self.parts.unwrap_or_default().into_iter().enumerate() {
            parts.push(read(sent).map_err(|what| Error::field(format!("parts[{n}]"), what))?);
        }
        Ok(parts)
    }
}

fn read(sent: PartIn) -> Result<Part, &'static str> {
    let body = match (sent.text, sent.data, sent.raw, sent.url) {
        (Some(text), None, None, None) => PartBody::Text(text),
        (None, Some(data), None, None) => PartBody::Data(data),
        (None, None, Some(raw), None) => {
            let bytes = STANDARD.decode(&raw).or_else(|_| STANDARD_NO_PAD.decode(&raw));
            PartBody::Raw(bytes.map_err(|_| "raw is not base64")?)
        }
        (None, None, None, Some(url)) => PartBody::Url(url),
        _ => return Err("must have exactly one of text, data, raw and url"),
    };
    Ok(Part { body, filename: sent.filename, media_type: sent.media_type })
}
