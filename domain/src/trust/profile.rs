//! An agent's trust as anybody may see it.

use chrono::{DateTime, Utc};

use super::formula::{self, Evidence, Parts};
use super::store;
use crate::{Actor, AgentId, Db, Result};

/// How long an agent's last 200 completed tasks took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Latency {
    /// How many tasks this is from.
    pub sample: i64,
    /// Half of them took no longer, in milliseconds.
    pub p50_ms: Option<f64>,
    /// 95 of 100 took no longer, in milliseconds.
    pub p95_ms: Option<f64>,
}

/// One thing that affected the score.
#[derive(Clone, Debug)]
pub struct RecentEvent {
    /// `task_completed`, `task_failed` …
    pub kind: String,
    /// Its weight for people, −10 to 10; the formula does not use it.
    pub change: f64,
    /// In words.
    pub reason: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Everything that the score is made of.
#[derive(Clone, Debug)]
pub struct TrustProfile {
    /// What it was computed from.
    pub evidence: Evidence,
    /// The four parts, now.
    pub parts: Parts,
    /// How fast, lately.
    pub latency: Latency,
    /// What happened last, newest first, at most 10.
    pub recent: Vec<RecentEvent>,
}

impl TrustProfile {
    /// Completed of ended tasks, 0 to 1; `None` before the first.
    pub fn success_rate(&self) -> Option<f64> {
        let n = self.evidence.completed + self.evidence.failed;
        (n > 0).then(|| self.evidence.completed as f64 / n as f64)
    }
}

/// The trust of an agent.
///
/// # Errors
/// When the database does not answer; an unknown agent has no evidence.
pub async fn profile(
    db: &Db,
    actor: &Actor,
    agent: AgentId,
    registered: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<TrustProfile> {
    let mut tx = db.begin(actor).await?;
    let evidence = store::evidence(&mut tx, agent).await?;
    Ok(TrustProfile {
        parts: formula::parts(&evidence, registered, now),
        evidence,
        latency: store::latency(&mut tx, agent).await?,
        recent: store::recent_events(&mut tx, agent).await?,
    })
}
