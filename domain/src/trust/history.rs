//! Scores over time: one a day is kept, and those that only time changes are found.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{Evidence, store};
use crate::{AgentId, Result};

/// How many days of scores a profile shows.
pub const HISTORY_DAYS: i64 = 90;

/// Remembers scores as those of today (UTC); the last of a day stands. Called beside `agents::set_trust_scores`, in the
/// transaction in which [`super::record()`], [`super::rate()`], [`super::dispute_resolved`] or [`stale`] gave the sums.
///
/// # Errors
/// When the database does not answer.
pub async fn remember_scores(tx: &mut PgConnection, scores: &BTreeMap<AgentId, f64>, now: DateTime<Utc>) -> Result<()> {
    if scores.is_empty() {
        return Ok(());
    }
    store::remember(tx, scores, now).await
}

/// Up to `limit` agents whose scores were last computed before `older_than`, longest ago first, with their sums: the
/// evidence about them has faded since. They stay locked until the transaction ends, so that a score computed from these
/// sums cannot overwrite a newer one; what somebody else has locked is being scored anyway and is left out.
///
/// # Errors
/// When the database does not answer.
pub async fn stale(tx: &mut PgConnection, older_than: DateTime<Utc>, limit: i64) -> Result<Vec<(AgentId, Evidence)>> {
    let agents = store::lock_stale(tx, older_than, limit).await?;
    Ok(agents.into_iter().collect())
}
