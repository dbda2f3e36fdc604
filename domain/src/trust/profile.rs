//! An agent's trust as anybody may see it.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::formula::{self, Evidence, Parts, Voices};
use super::{HISTORY_DAYS, ReviewSummary, store};
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
    /// What they are from, now: the weights are effective numbers of payers.
    pub heard: Voices,
    /// The effective number of distinct payers whose tasks count.
    pub payers: f64,
    /// The last score of each day on which one was computed, oldest first, of the last [`HISTORY_DAYS`] days.
    pub history: Vec<(NaiveDate, f64)>,
    /// How its ratings are spread.
    pub reviews: ReviewSummary,
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
    let (evidence, reviews) = store::evidence(&mut tx, agent).await?;
    let heard = evidence.heard(now);
    let since = (now - TimeDelta::days(HISTORY_DAYS - 1)).date_naive();
    Ok(TrustProfile {
        parts: formula::parts(&evidence, registered, now),
        payers: heard.done.weight,
        heard,
        evidence,
        reviews,
        history: store::history(&mut tx, agent, since).await?,
        latency: store::latency(&mut tx, agent).await?,
        recent: store::recent_events(&mut tx, agent).await?,
    })
}
