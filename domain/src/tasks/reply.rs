//! The requester's answer to what its agent asked.

use serde_json::Value;

use super::content::Part;
use super::{create, store, told};
use crate::{Actor, Db, Error, Result, TaskId};

/// Answers an agent's question in a task of the actor's: the clock goes on, and a worker sends the answer.
///
/// # Errors
/// [`Error::Validation`]; [`Error::NotFound`] when it is not theirs; [`Error::Conflict`] when nothing is asked.
pub async fn reply(db: &Db, actor: &Actor, id: TaskId, parts: &[Part]) -> Result<()> {
    reply_said(db, actor, id, parts, None).await
}

/// The same in a client's own words: `message` (A2A 1.0 JSON) has these parts, and an id of the client's.
///
/// # Errors
/// As [`reply`].
pub async fn reply_said(db: &Db, actor: &Actor, id: TaskId, parts: &[Part], message: Option<&Value>) -> Result<()> {
    actor.user()?;
    let wrong = create::check_parts(parts);
    if !wrong.is_empty() {
        return Err(Error::Validation(wrong));
    }
    let message = message.map_or_else(|| create::message_of(parts), told::kept_message);
    let mut tx = db.begin(actor).await?;
    store::reply(&mut tx, id, &message).await?;
    tx.commit().await?;
    Ok(())
}
