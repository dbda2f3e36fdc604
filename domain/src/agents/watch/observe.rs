//! An observation: time is counted for the state that held, and the state follows from what is known now.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use super::liveness::{Reason, Signals, judge};
use super::store::{self, Facts};
use super::uptime;
use crate::agents::{AgentStatus, store as agents_store};
use crate::{Result, accounts};

/// Mails about one agent's outages are at least this far apart.
const MAIL_EVERY: TimeDelta = TimeDelta::hours(1);

/// Counts the time since the last observation and writes what the facts say now: status, incident, mail. The caller
/// holds the agent's locks ([`store::lock`]) and has put its own observation into `facts`.
pub(super) async fn observe(tx: &mut PgConnection, facts: &Facts, now: DateTime<Utc>) -> Result<AgentStatus> {
    if !facts.listed {
        return Ok(AgentStatus::Offline);
    }
    let (parts, up_to) = uptime::since(facts.observed_at, now);
    for part in parts {
        store::add_uptime(tx, facts.agent, facts.status, part).await?;
    }
    store::set_observed(tx, facts.agent, up_to).await?;

    let (status, reason) = judge(&signals(facts), now);
    if status == facts.status {
        return Ok(status);
    }
    agents_store::set_observed_status(tx, facts.agent, status).await?;
    store::close_incident(tx, facts.agent, now).await?;
    if let Some(reason) = reason {
        let incident = store::open_incident(tx, facts.agent, status, reason, now).await?;
        if status == AgentStatus::Offline && facts.mailed_at.is_none_or(|at| now - at >= MAIL_EVERY) {
            let about = format!("agent-offline-{incident}");
            let (subject, body) = mail(facts, reason, now);
            accounts::queue_mail(tx, facts.owner, &about, &subject, &body).await?;
            store::set_mailed(tx, facts.agent, now).await?;
        }
    }
    Ok(status)
}

fn signals(facts: &Facts) -> Signals {
    Signals {
        given: facts.status,
        said: facts.said,
        beat_at: facts.beat_at.filter(|at| *at >= facts.watched_since),
        answered: facts.answered,
        failures: facts.failures,
        calls_held: facts.calls_held,
    }
}

fn mail(facts: &Facts, reason: Reason, now: DateTime<Utc>) -> (String, String) {
    // A subject is one line, whatever a name holds.
    let name = facts.name.replace(char::is_control, " ");
    let last = facts.probe_error.as_deref().filter(|_| matches!(reason, Reason::NoAnswer | Reason::Silent));
    let last = last.map(|error| format!(" The last check: {error}.")).unwrap_or_default();
    let body = format!(
        "Your agent {name} is offline since {}: {}.{last} Nobody can hire it until it is back. {} \
         Its page under “My agents” has a button to check it at once.",
        now.format("%-d %b %Y, %H:%M UTC"),
        reason.public().to_lowercase(),
        reason.cure(),
    );
    (format!("Your agent {name} is offline"), body)
}
