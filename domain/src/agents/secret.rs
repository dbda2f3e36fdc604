//! Signing secrets: an agent can refuse callers that are not NEXUS.

use super::store;
use crate::signing::{SigningSecrets, new_secret};
use crate::{Actor, AgentId, Db, Result};

/// Gives one of the actor's agents a new secret and answers with it, the only time it is shown. The old one stays
/// good for a day: requests carry both signatures until then.
///
/// # Errors
/// [`crate::Error::NotFound`] when the agent is not theirs.
pub async fn rotate_secret(db: &Db, actor: &Actor, id: AgentId) -> Result<String> {
    actor.user()?;
    let secret = new_secret();
    let mut tx = db.begin(actor).await?;
    store::set_secret(&mut tx, id, &secret).await?;
    tx.commit().await?;
    Ok(secret)
}

/// The secrets of an agent, for signing a request to it.
///
/// # Errors
/// When the database does not answer.
pub async fn signing_secrets(db: &Db, id: AgentId) -> Result<SigningSecrets> {
    store::secrets(db.pool(), id).await
}
