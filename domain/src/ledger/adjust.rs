//! Corrections by the operator.

use uuid::Uuid;

use super::store;
use crate::{Actor, Credits, Db, Error, Result, UserId};

/// Moves credits between the platform's account and another (positive: to the other), with a reason that both ledgers
/// show. Answers with the adjustment's id, which both rows refer to.
///
/// # Errors
/// [`Error::Forbidden`] for anybody but the program; [`Error::Validation`]; [`Error::InsufficientCredits`] where the giving
/// side has too little.
pub async fn adjust(db: &Db, actor: &Actor, user: UserId, amount: Credits, reason: &str) -> Result<Uuid> {
    if *actor != Actor::System {
        return Err(Error::Forbidden("only the operator may adjust balances".into()));
    }
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > 200 {
        return Err(Error::field("reason", "must have 1 to 200 characters"));
    }
    store::adjust(db.pool(), user, amount, reason).await
}
