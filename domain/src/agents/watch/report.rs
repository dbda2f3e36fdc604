//! What is shown of an agent's life: to everybody, and to its owner.

use chrono::{DateTime, Utc};

use super::liveness::Reason;
use super::store;
use super::uptime::Uptime;
use crate::agents::AgentStatus;
use crate::{Actor, AgentId, Db, Error, Missing, Result};

/// Incidents that are shown.
const INCIDENTS: i64 = 10;

/// A time in which a listed agent was not online.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Degraded or offline.
    pub status: AgentStatus,
    /// Why it began.
    pub reason: Reason,
    /// When it was seen first.
    pub began_at: DateTime<Utc>,
    /// When it was over; `None` while it lasts.
    pub ended_at: Option<DateTime<Utc>>,
}

/// What everybody sees of a listed agent's life. No addresses, no bodies, no errors.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its status.
    pub status: AgentStatus,
    /// Since when its owner's proof is known; `None` without one.
    pub verified_at: Option<DateTime<Utc>>,
    /// In how many seconds it promises an answer.
    pub promised_seconds: Option<i32>,
    /// The last probe since it was listed.
    pub last_checked: Option<DateTime<Utc>>,
    /// The last heartbeat.
    pub last_heartbeat: Option<DateTime<Utc>>,
    /// The last 30 days.
    pub uptime: Uptime,
    /// The last incidents, newest first.
    pub incidents: Vec<Incident>,
}

/// What its owner sees besides.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// The last probe.
    pub probed_at: Option<DateTime<Utc>>,
    /// In how many milliseconds it was answered; `None` where it was not.
    pub millis: Option<i32>,
    /// What was wrong with it, for the owner.
    pub probe_error: Option<String>,
    /// The last heartbeat.
    pub last_heartbeat: Option<DateTime<Utc>>,
    /// The incident that lasts.
    pub incident: Option<Incident>,
}

impl Watch {
    /// Why a listed agent is not online, since when, and what brings it back.
    pub fn trouble(&self) -> Option<String> {
        let incident = self.incident?;
        let last = self.probe_error.as_ref().filter(|_| matches!(incident.reason, Reason::NoAnswer | Reason::Silent));
        let last = last.map(|error| format!(" The last check: {error}.")).unwrap_or_default();
        Some(format!(
            "It is {} since {}: {}.{last} {}",
            incident.status.as_str(),
            incident.began_at.format("%-d %b %Y, %H:%M UTC"),
            incident.reason.public().to_lowercase(),
            incident.reason.cure()
        ))
    }
}

/// The life of a listed agent, or of one of the actor's own.
///
/// # Errors
/// [`Error::NotFound`] for one that is neither.
pub async fn report(db: &Db, actor: &Actor, id: AgentId, now: DateTime<Utc>) -> Result<Report> {
    let mut tx = db.begin(actor).await?;
    let mut report = store::report(&mut tx, id).await?.ok_or(Error::NotFound(Missing::Agent))?;
    report.uptime = Uptime::of(&store::uptime(&mut tx, id, now.date_naive()).await?, now.date_naive());
    report.incidents = store::incidents(&mut tx, id, INCIDENTS).await?;
    Ok(report)
}
