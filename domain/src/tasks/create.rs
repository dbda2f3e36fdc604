//! Hiring: the task, its hold and its place in the queue in one transaction.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::content::{Part, PartBody, text_of};
use super::{store, told};
use crate::{Actor, AgentId, Credits, Db, Error, FieldError, Result, TaskId};

/// Longest text of a request, in characters.
pub const TEXT_MAX: usize = 100_000;
/// Largest file of a request, in bytes.
pub const FILE_MAX: usize = 2 * 1024 * 1024;
/// How long a task may take when nothing else is said, and at least and at most, in seconds.
pub const TIMEOUT_SECONDS: (i64, i64, i64) = (300, 10, 3600);

/// A task as it is ordered.
#[derive(Clone, Debug)]
pub struct NewTask {
    /// Who is hired.
    pub agent: AgentId,
    /// For which of its skills.
    pub skill: Option<String>,
    /// What to call the task; made from the message when empty.
    pub title: String,
    /// What the agent is sent.
    pub parts: Vec<Part>,
    /// Refuse if the agent costs more than this; `None`: whatever it costs.
    pub max_budget: Option<Credits>,
    /// The price that the person was shown; a dearer agent is refused, not charged.
    pub shown_price: Option<Credits>,
    /// Seconds until it counts as failed.
    pub timeout_seconds: Option<i64>,
    /// An ended task of theirs with the same agent, whose conversation this one goes on with.
    pub follows: Option<TaskId>,
    /// An ended task of theirs that this one repeats.
    pub retry_of: Option<TaskId>,
}

/// A task that was accepted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accepted {
    /// The task.
    pub id: TaskId,
    /// What was taken from the balance for it.
    pub held: Credits,
}

/// What a client said in its own words, and in which conversation.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The message, A2A 1.0 JSON, with an id of the client's; its parts are those of the order. It reaches the agent as it is.
    pub message: Option<Value>,
    /// The conversation. One with ended tasks of the same agent goes on where the last of them ended.
    pub context: Option<String>,
}

/// Hires an agent: writes the task, takes the hold and queues it, all or nothing.
///
/// # Errors
/// [`Error::Validation`]; [`Error::NotFound`] and [`Error::AgentOffline`] for the agent;
/// [`Error::InsufficientCredits`]. Nothing is written in any of these cases.
pub async fn create(db: &Db, actor: &Actor, new: NewTask, now: DateTime<Utc>) -> Result<Accepted> {
    create_said(db, actor, new, Said::default(), now).await
}

/// Hires an agent as an A2A client asks for it.
///
/// # Errors
/// As [`create`]; [`Error::Validation`] for a conversation's name that is none.
pub async fn create_said(db: &Db, actor: &Actor, new: NewTask, said: Said, now: DateTime<Utc>) -> Result<Accepted> {
    let user = actor.user()?;
    let mut wrong = check(&new);
    if said.context.as_ref().is_some_and(|c| c.is_empty() || c.len() > 200 || c.contains('\0')) {
        wrong.push(FieldError::new("contextId", "must be 1 to 200 characters"));
    }
    if !wrong.is_empty() {
        return Err(Error::Validation(wrong));
    }
    let (default, _, _) = TIMEOUT_SECONDS;
    let timeout_at = now + TimeDelta::seconds(new.timeout_seconds.unwrap_or(default));
    let message = said.message.as_ref().map_or_else(|| message_of(&new.parts), told::kept_message);

    let mut tx = db.begin(actor).await?;
    let requester = store::client_agent(&mut tx, user).await?;
    let follows = match (&said.context, new.follows) {
        (Some(context), None) => told::store::last_in_context(&mut tx, user, new.agent, context).await?,
        (_, follows) => follows,
    };
    let draft = store::Draft {
        title: title_of(&new),
        requester,
        skill: new.skill.as_deref(),
        input: input_of(&new.parts),
        messages: Value::Array(vec![message]),
        max_budget: new.max_budget.unwrap_or(Credits::ZERO),
        timeout_at,
        follows,
        retry_of: new.retry_of,
        context: said.context,
    };
    let id = store::insert_draft(&mut tx, &draft).await?;
    let held = store::assign(&mut tx, id, new.agent, new.shown_price).await?;
    tx.commit().await?;
    db.wake_workers();
    Ok(Accepted { id, held })
}

/// A requester's message of these parts.
pub(super) fn message_of(parts: &[Part]) -> Value {
    let parts: Vec<Value> = parts.iter().map(Part::to_json).collect();
    json!({ "messageId": Uuid::new_v4(), "role": "ROLE_USER", "parts": parts })
}

fn check(new: &NewTask) -> Vec<FieldError> {
    let mut wrong = check_parts(&new.parts);
    let (_, least, most) = TIMEOUT_SECONDS;
    if new.title.chars().count() > 200 {
        wrong.push(FieldError::new("title", "is longer than 200 characters"));
    }
    if new.max_budget.is_some_and(Credits::is_negative) {
        wrong.push(FieldError::new("maxBudgetCredits", "cannot be negative"));
    }
    if new.timeout_seconds.is_some_and(|s| !(least..=most).contains(&s)) {
        wrong.push(FieldError::new("timeoutSeconds", format!("must be {least} to {most}")));
    }
    wrong
}

/// What is wrong with what an agent is to be sent.
pub(crate) fn check_parts(parts: &[Part]) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    let empty = parts.iter().all(|p| match &p.body {
        PartBody::Text(t) => t.trim().is_empty(),
        PartBody::Data(v) => v.is_null(),
        PartBody::Raw(bytes) => bytes.is_empty(),
        PartBody::Url(u) => u.is_empty(),
    });
    if empty {
        wrong.push(FieldError::new("message", "is empty: say what the agent should do"));
    }
    for part in parts {
        match &part.body {
            PartBody::Text(t) if t.chars().count() > TEXT_MAX => {
                wrong.push(FieldError::new("message", "is longer than 100,000 characters"));
            }
            PartBody::Data(v) if v.to_string().len() > FILE_MAX => {
                wrong.push(FieldError::new("message", "has more than 2 MB of data"));
            }
            PartBody::Raw(bytes) if bytes.len() > FILE_MAX => {
                wrong.push(FieldError::new("file", "is larger than 2 MB"));
            }
            PartBody::Url(u) if !is_link(u) => {
                wrong.push(FieldError::new("fileUrl", "is not an address such as https://example.org/report.pdf"));
            }
            PartBody::Text(_) | PartBody::Data(_) | PartBody::Raw(_) | PartBody::Url(_) => {}
        }
    }
    wrong
}

/// Whether a file may be said to be there. Who fetches it judges where that leads.
fn is_link(text: &str) -> bool {
    text.len() <= 2_000
        && url::Url::parse(text).is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.host_str().is_some())
}

/// The first line of the text, or the first text value of the data, cut to 80 characters.
fn title_of(new: &NewTask) -> String {
    let typed = new.title.trim();
    if !typed.is_empty() {
        return typed.to_owned();
    }
    let mut text = text_of(&new.parts);
    if text.trim().is_empty() {
        text = new
            .parts
            .iter()
            .find_map(|p| match &p.body {
                PartBody::Data(Value::Object(fields)) => {
                    fields.values().filter_map(Value::as_str).find(|t| !t.trim().is_empty()).map(str::to_owned)
                }
                PartBody::Data(_) | PartBody::Text(_) | PartBody::Raw(_) | PartBody::Url(_) => None,
            })
            .or_else(|| new.parts.iter().find_map(|p| p.filename.clone()))
            .unwrap_or_default();
    }
    let line = text.trim().lines().next().unwrap_or_default().trim();
    let mut title: String = line.chars().take(80).collect();
    if title.len() < line.len() {
        title.push('…');
    }
    if title.is_empty() { new.skill.clone().unwrap_or_else(|| "Task".into()) } else { title }
}

/// `tasks.input`: what was asked, for programs: `{"text": …}`, `{"data": …}` or both.
fn input_of(parts: &[Part]) -> Value {
    let mut out = serde_json::Map::new();
    let text = text_of(parts);
    if !text.is_empty() {
        out.insert("text".into(), json!(text));
    }
    if let Some(data) = parts.iter().find_map(|p| match &p.body {
        PartBody::Data(v) => Some(v),
        PartBody::Text(_) | PartBody::Raw(_) | PartBody::Url(_) => None,
    }) {
        out.insert("data".into(), data.clone());
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(parts: Vec<Part>) -> NewTask {
        NewTask {
            agent: AgentId(Uuid::nil()),
            skill: Some("summarise".into()),
            title: String::new(),
            parts,
            max_budget: None,
            shown_price: None,
            timeout_seconds: None,
            follows: None,
            retry_of: None,
        }
    }

    #[test]
    fn a_title_is_made_of_what_was_asked() {
        assert_eq!(title_of(&order(vec![Part::text("  First line\nsecond")])), "First line");
        assert_eq!(title_of(&order(vec![Part::data(json!({"n": 3, "text": "From a form"}))])), "From a form");
        assert_eq!(title_of(&order(vec![Part::file(vec![1], Some("a.csv".into()), None)])), "a.csv");
        assert_eq!(title_of(&order(vec![Part::text("x".repeat(300))])).chars().count(), 81);
        assert_eq!(title_of(&order(vec![])), "summarise");
    }

    #[test]
    fn an_unusable_order_names_the_field() {
        let fields = |o: &NewTask| check(o).into_iter().map(|e| e.field).collect::<Vec<_>>();
        assert_eq!(fields(&order(vec![Part::text("ok")])), Vec::<String>::new());
        assert_eq!(fields(&order(vec![Part::text("  ")])), ["message"]);
        assert_eq!(fields(&order(vec![Part::text("x".repeat(100_001))])), ["message"]);
        assert_eq!(fields(&order(vec![Part::file(vec![0; FILE_MAX + 1], None, None)])), ["file"]);
        assert_eq!(fields(&NewTask { timeout_seconds: Some(9), ..order(vec![Part::text("ok")]) }), ["timeoutSeconds"]);
    }
}
