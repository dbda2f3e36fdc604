//! On the list and off it.

use super::store;
use crate::{Actor, AgentId, Db, Error, Missing, Result};

/// Notes that the agent answered a test call at `endpoint`, in this protocol. A changed endpoint is not the one that answered.
///
/// # Errors
/// [`Error::NotFound`] when it is not the actor's, or its endpoint is another by now.
pub async fn mark_tested(db: &Db, actor: &Actor, id: AgentId, endpoint: &str, protocol: Option<&str>) -> Result<()> {
    let owner = actor.user()?;
    if store::mark_tested(db.pool(), owner, id, endpoint, protocol).await? {
        Ok(())
    } else {
        Err(Error::NotFound(Missing::Agent))
    }
}

/// Puts one of the actor's agents on the list, or takes it off.
///
/// # Errors
/// [`Error::Validation`] when it cannot be listed yet, with the reason; [`Error::NotFound`].
pub async fn set_status(db: &Db, actor: &Actor, id: AgentId, online: bool) -> Result<()> {
    actor.user()?;
    let mut tx = db.begin(actor).await?;
    store::set_status(&mut tx, id, if online { "online" } else { "offline" }).await?;
    tx.commit().await?;
    Ok(())
}

/// Retires one of the actor's agents for good. Tasks it has accepted are still served and paid.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs or is retired already.
pub async fn retire(db: &Db, actor: &Actor, id: AgentId) -> Result<()> {
    actor.user()?;
    let mut tx = db.begin(actor).await?;
    store::retire(&mut tx, id).await?;
    tx.commit().await?;
    Ok(())
}
