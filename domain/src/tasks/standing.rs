//! What follows for an agent's score when something was noted about it. Trust computes, agents keep.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::trust::{self, Evidence};
use crate::{AgentId, Result, agents};

/// Computes the scores of these agents and writes them, with their history.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn write(tx: &mut PgConnection, sums: &[(AgentId, Evidence)], now: DateTime<Utc>) -> Result<()> {
    if sums.is_empty() {
        return Ok(());
    }
    let ids: Vec<AgentId> = sums.iter().map(|(agent, _)| *agent).collect();
    let since = agents::registered_at(tx, &ids).await?;
    let scores: BTreeMap<AgentId, f64> =
        sums.iter().filter_map(|(agent, sum)| Some((*agent, trust::score(sum, *since.get(agent)?, now)))).collect();
    agents::set_trust_scores(tx, &scores).await?;
    trust::remember_scores(tx, &scores, now).await
}
