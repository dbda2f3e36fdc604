//! What paying requesters say of an agent, and what its owner answers.

use chrono::{DateTime, Utc};

use super::store;
use crate::{Actor, AgentId, Cursor, Db, Error, FieldError, Missing, Page, Result, TaskId};

/// How long a review or an answer may be, in characters.
pub const TEXT_LIMIT: usize = 2_000;

/// A review as anybody may read it.
#[derive(Clone, Debug)]
pub struct Review {
    /// The task that it is about.
    pub task: TaskId,
    /// Who did it.
    pub agent: AgentId,
    /// The display name of who wrote it.
    pub author: String,
    /// 1 to 5.
    pub stars: i16,
    /// In words; may be empty.
    pub text: String,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// What the agent's owner says to it.
    pub answer: Option<String>,
    /// When the owner last said so.
    pub answered_at: Option<DateTime<Utc>>,
}

/// How an agent's ratings are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReviewSummary {
    /// How many gave one star, two, … five.
    pub stars: [i64; 5],
}

impl ReviewSummary {
    /// How many ratings there are.
    pub fn count(&self) -> i64 {
        self.stars.iter().sum()
    }

    /// The plain mean in stars; `None` before the first. The score uses payers' voices instead.
    pub fn mean(&self) -> Option<f64> {
        let total: i64 = self.stars.iter().zip(1..).map(|(n, stars)| n * stars).sum();
        (self.count() > 0).then(|| total as f64 / self.count() as f64)
    }
}

/// An agent's reviews, newest first.
///
/// # Errors
/// [`Error::Validation`] for a cursor of another list.
pub async fn reviews(
    db: &Db,
    actor: &Actor,
    agent: AgentId,
    after: Option<Cursor>,
    limit: usize,
) -> Result<Page<Review>> {
    let after = match after {
        None => None,
        Some(cursor) => {
            let at = DateTime::parse_from_rfc3339(&cursor.key);
            let at = at.map_err(|_| Error::field("cursor", "is not one that this list gave out"))?;
            Some((at.with_timezone(&Utc), TaskId(cursor.id)))
        }
    };
    let mut tx = db.begin(actor).await?;
    let rows = store::reviews(&mut tx, agent, after, limit + 1).await?;
    Ok(Page::cut(rows, limit, |r| Cursor { key: r.created_at.to_rfc3339(), id: r.task.0 }))
}

/// The review of a task, if there is one.
///
/// # Errors
/// When the database does not answer.
pub async fn review_of(db: &Db, actor: &Actor, task: TaskId) -> Result<Option<Review>> {
    let mut tx = db.begin(actor).await?;
    store::review_of(&mut tx, task).await
}

/// Answers the review of a task as the owner of its agent, or changes that answer.
///
/// # Errors
/// [`Error::Unauthorized`]; [`Error::Validation`] for an answer that is empty or too long; [`Error::NotFound`] where there
/// is no review, or it is of somebody else's agent.
pub async fn answer_review(db: &Db, actor: &Actor, task: TaskId, text: &str) -> Result<()> {
    actor.user()?;
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::field("answer", "must not be empty"));
    }
    if let Some(wrong) = too_long("answer", text) {
        return Err(Error::Validation(vec![wrong]));
    }
    let mut tx = db.begin(actor).await?;
    if !store::answer(&mut tx, task, text).await? {
        return Err(Error::NotFound(Missing::Task));
    }
    tx.commit().await?;
    Ok(())
}

pub(super) fn too_long(field: &str, text: &str) -> Option<FieldError> {
    (text.chars().count() > TEXT_LIMIT)
        .then(|| FieldError::new(field, format!("must not be longer than {TEXT_LIMIT} characters")))
}
