//! Probes: the program asks each listed agent by the clock whether it is there. It costs the agent nothing.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::liveness::{PROBE_EVERY, PROBE_FAILING_EVERY};
use super::{observe, store};
use crate::agents::{AgentStatus, store as agents_store};
use crate::{Actor, AgentId, Db, Error, Missing, Result};

/// A check by hand is made at most this often.
const BY_HAND_EVERY: TimeDelta = TimeDelta::seconds(2);

/// An agent that is to be asked now.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The agent.
    pub agent: AgentId,
    /// Where it answers.
    pub endpoint: String,
    /// Where its card was fetched.
    pub card_url: Option<String>,
    /// Its card, as fetched.
    pub card: Value,
    /// Which protocol the last test call found, where no card says so.
    pub protocol: Option<String>,
}

/// Claims up to `limit` agents whose probe is due. Each claim is one process's: the next probe is put off in the same
/// statement, so a process that dies loses one probe and no more.
///
/// # Errors
/// When the database does not answer.
pub async fn due_probes(db: &Db, limit: i64, now: DateTime<Utc>) -> Result<Vec<Probe>> {
    store::claim_probes(db.pool(), limit, now, PROBE_EVERY, PROBE_FAILING_EVERY).await
}

/// One of the actor's agents, to be asked at once.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs or is retired; [`Error::RateLimited`] when it was asked just now.
pub async fn probe_now(db: &Db, actor: &Actor, id: AgentId, now: DateTime<Utc>) -> Result<Probe> {
    let owner = actor.user()?;
    let (probe, last) = agents_store::probe_of(db.pool(), owner, id).await?.ok_or(Error::NotFound(Missing::Agent))?;
    match last.map(|at| at + BY_HAND_EVERY - now).filter(|wait| *wait > TimeDelta::zero()) {
        Some(wait) => Err(Error::RateLimited(wait.to_std().unwrap_or_default())),
        None => Ok(probe),
    }
}

/// Notes how a probe that was begun at `begun` went: answered in so many milliseconds, or what was wrong, in words for the
/// owner. Answers with the agent's status; `None` where the result says nothing any more, because the agent moved, retired,
/// or was asked later than `begun` already.
///
/// # Errors
/// When the database does not answer.
pub async fn record_probe(
    db: &Db,
    probe: &Probe,
    begun: DateTime<Utc>,
    outcome: Result<i32, String>,
    now: DateTime<Utc>,
) -> Result<Option<AgentStatus>> {
    let mut tx = db.begin(&Actor::System).await?;
    let Some(mut facts) = store::lock(&mut tx, probe.agent, now).await? else { return Ok(None) };
    if facts.endpoint != probe.endpoint || facts.probed_at.is_some_and(|at| at > begun) {
        return Ok(None);
    }
    facts.answered = Some(outcome.is_ok());
    facts.failures = if outcome.is_ok() { 0 } else { facts.failures.saturating_add(1) };
    let every = if outcome.is_ok() { PROBE_EVERY } else { PROBE_FAILING_EVERY };
    // Spread, so that agents listed in one moment are not asked in one moment for ever.
    let thousandths = rand::random_range(900..1_100);
    let next = facts.listed.then(|| now + TimeDelta::milliseconds(every.num_seconds() * thousandths));
    facts.probe_error = outcome.as_ref().err().cloned();
    store::note_probe(&mut tx, &facts, outcome.ok(), next, now).await?;
    let status = observe::observe(&mut tx, &facts, now).await?;
    tx.commit().await?;
    Ok(Some(status))
}
