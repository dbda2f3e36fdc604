//! Signing secrets: an agent can refuse callers that are not NEXUS.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::store;
use crate::{Actor, AgentId, Db, Result};

/// The secrets that requests to an agent are signed with now: one, or two during a rotation.
#[derive(Clone)]
pub struct SigningSecrets(pub Vec<String>);

impl std::fmt::Debug for SigningSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningSecrets({} redacted)", self.0.len())
    }
}

/// A fresh secret in the form of the Standard Webhooks specification: `whsec_` and 32 random bytes in base64.
pub(super) fn new_secret() -> String {
    format!("whsec_{}", STANDARD.encode(rand::random::<[u8; 32]>()))
}

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
