//! What the client reads of the API's answers. Members that it does not know are passed over: a newer server has more.

use chrono::{DateTime, Utc};
use domain::Credits;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::failure::Failure;

/// Reads `data` of a document.
///
/// # Errors
/// [`Failure::Connection`] when the server speaks another version.
pub fn data<T: DeserializeOwned>(document: &Value) -> Result<T, Failure> {
    read(&document["data"])
}

/// Reads a part of a document.
///
/// # Errors
/// [`Failure::Connection`] when the server speaks another version.
pub fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Failure> {
    T::deserialize(value).map_err(|e| {
        Failure::Connection(format!(
            "the server's answer is not what this version of nexus reads ({e}): use its own version"
        ))
    })
}

/// A sum as people read it.
pub fn sum(text: &str) -> String {
    text.parse::<Credits>().map_or_else(|_| text.to_owned(), Credits::grouped)
}

/// A moment to the minute.
pub fn day(at: &DateTime<Utc>) -> String {
    at.format("%F %H:%M UTC").to_string()
}

/// An account.
#[derive(Debug, Deserialize)]
pub struct Account {
    pub id: String,
    pub name: String,
    pub email: Option<String>,
}

/// An API key.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    pub name: String,
    pub prefix: String,
    pub scopes: Vec<String>,
    pub agent_ids: Option<Vec<String>>,
    pub caps: Caps,
    pub spent: Spent,
    pub expires_at: Option<DateTime<Utc>>,
}

/// Spending caps.
#[derive(Debug, Deserialize)]
pub struct Caps {
    pub day: Option<String>,
    pub month: Option<String>,
    pub total: Option<String>,
}

/// What was spent.
#[derive(Debug, Deserialize)]
pub struct Spent {
    pub day: String,
    pub month: String,
    pub total: String,
}

/// An agent, as lists and its own page have it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Agent {
    pub id: Uuid,
    pub name: String,
    pub description: String,
    pub status: String,
    pub skills: Vec<Skill>,
    pub tags: Vec<String>,
    pub trust_score: f64,
    pub price_credits: String,
    pub completed: i64,
    pub failed: i64,
    pub verified: bool,
    pub publisher: Option<String>,
    pub url: Option<String>,
    pub why_not_listed: Option<String>,
    pub earned_credits: Option<String>,
    pub retired_at: Option<DateTime<Utc>>,
    pub owner: Option<Owner>,
}

impl Agent {
    /// The score with how many tasks it rests on.
    pub fn trust(&self) -> String {
        format!("{:.1} ({})", self.trust_score, self.completed + self.failed)
    }

    /// The skills' ids.
    pub fn skills(&self) -> String {
        self.skills.iter().map(|s| s.id.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// What an agent's owner sees besides.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    pub endpoint: String,
    pub why_not_listed: Option<String>,
    pub earned_credits: String,
}

/// A skill.
#[derive(Debug, Deserialize)]
pub struct Skill {
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub description: String,
}

/// A task in a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskRow {
    pub id: Uuid,
    pub title: String,
    pub state: String,
    pub role: String,
    pub agent_id: Option<Uuid>,
    pub agent_name: String,
    pub requester_name: String,
    pub waiting_for: Option<String>,
    pub price_credits: String,
    pub created_at: DateTime<Utc>,
    pub completed_at: Option<DateTime<Utc>>,
}

impl TaskRow {
    /// Whether its agent waits for an answer of whoever holds the key.
    pub fn asks(&self) -> bool {
        self.waiting_for.is_some() && self.role == "requester"
    }
}

/// A task, whole.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    #[serde(flatten)]
    pub row: TaskRow,
    pub skill_id: Option<String>,
    pub result: TaskResult,
    pub messages: Vec<Message>,
    pub artifacts: Vec<Artifact>,
    pub progress: Option<String>,
    pub error: Option<String>,
    pub hold: Option<String>,
    pub cost_credits: String,
    pub timeout_at: Option<DateTime<Utc>>,
    pub accepted_at: Option<DateTime<Utc>>,
}

impl Task {
    /// What the agent last said.
    pub fn question(&self) -> String {
        let said = self.messages.iter().rev().find(|m| m.role == "agent");
        said.map(|m| m.text()).filter(|t| !t.is_empty()).unwrap_or_else(|| "(no words)".into())
    }
}

/// What a program wants of a result.
#[derive(Clone, Debug, Deserialize)]
pub struct TaskResult {
    pub text: Option<String>,
    pub data: Option<Value>,
}

/// Something said.
#[derive(Clone, Debug, Deserialize)]
pub struct Message {
    pub role: String,
    pub parts: Vec<Part>,
}

impl Message {
    /// Its parts as text.
    pub fn text(&self) -> String {
        self.parts.iter().map(Part::shown).collect::<Vec<_>>().join("\n")
    }
}

/// Something made.
#[derive(Clone, Debug, Deserialize)]
pub struct Artifact {
    pub name: String,
    pub description: String,
    pub parts: Vec<Part>,
}

/// A piece of a message or artifact.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    pub text: Option<String>,
    pub data: Option<Value>,
    pub file: Option<FilePart>,
    pub url: Option<String>,
    pub filename: Option<String>,
}

impl Part {
    /// What it is in words; of a file its name and size.
    pub fn shown(&self) -> String {
        let name = self.filename.as_deref();
        match self {
            Part { text: Some(text), .. } => text.clone(),
            Part { data: Some(data), .. } => serde_json::to_string_pretty(data).unwrap_or_default(),
            Part { file: Some(file), .. } => format!("[{}, {} bytes]", name.unwrap_or("a file"), file.size),
            Part { url: Some(url), .. } => format!("[{} at {url}]", name.unwrap_or("a file")),
            _ => String::new(),
        }
    }
}

/// A file that is kept.
#[derive(Clone, Debug, Deserialize)]
pub struct FilePart {
    pub size: u64,
}
