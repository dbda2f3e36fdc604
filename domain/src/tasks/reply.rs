//! The requester's answer to what its agent asked.

use serde_json::json;
use uuid::Uuid;

use super::content::Part;
use super::{create, store};
use crate::{Actor, Db, Error, Result, TaskId};

/// Answers an agent's question in a task of the actor's: the clock goes on, and a worker sends the answer.
///
/// # Errors
/// [`Error::Validation`]; [`Error::NotFound`] when it is not theirs; [`Error::Conflict`] when nothing is asked.
pub async fn reply(db: &Db, actor: &Actor, id: TaskId, parts: &[Part]) -> Result<()> {
    actor.user()?;
    let wrong = create::check_parts(parts);
    if !wrong.is_empty() {
        return Err(Error::Validation(wrong));
    }
    let message = json!({
        "messageId": Uuid::new_v4(),
        "role": "ROLE_USER",
        "parts": parts.iter().map(Part::to_json).collect::<Vec<_>>(),
    });
    let mut tx = db.begin(actor).await?;
    store::reply(&mut tx, id, &message).await?;
    tx.commit().await?;
    Ok(())
}
