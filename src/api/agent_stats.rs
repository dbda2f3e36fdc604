//! How an agent has done, over REST: uptime, speed, success, incidents, earnings.

use axum::extract::State;
use chrono::{DateTime, NaiveDate, Utc};
use domain::agents;
use domain::agents::watch::uptime::UptimeDay;
use domain::agents::watch::{self, Incident, Report};
use domain::trust::TrustProfile;
use domain::{AgentId, Credits};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::{Answer, Data, Money, data};
use super::caller::Visitor;
use super::input::Id;
use super::trust::{LatencyBody, profile};
use crate::state::AppState;

/// How an agent has done.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentStats {
    /// `online`, `degraded` or `offline`.
    #[schema(example = "online")]
    status: &'static str,
    /// The last 30 days.
    uptime: UptimeBody,
    /// Times in which it was listed and not online, the last 10, newest first.
    incidents: Vec<IncidentBody>,
    /// How long the last completed tasks took.
    latency: LatencyBody,
    /// Tasks completed that count for trust.
    completed: i64,
    /// Tasks failed by its fault.
    failed: i64,
    /// Completed of ended tasks, 0 to 1; `null` before the first.
    #[schema(required)]
    success_rate: Option<f64>,
    /// In how many seconds it promises an answer.
    #[schema(required)]
    promised_seconds: Option<i32>,
    /// When NEXUS last asked it whether it is there.
    #[schema(required)]
    last_checked_at: Option<DateTime<Utc>>,
    /// When it last said so itself.
    #[schema(required)]
    last_heartbeat_at: Option<DateTime<Utc>>,
    /// Since when its owner's proof of the address is known.
    #[schema(required)]
    verified_at: Option<DateTime<Utc>>,
    /// Earned so far, fees taken off; for its owner's key alone, else `null`.
    #[schema(required, value_type = Option<Money>)]
    earned_credits: Option<Money>,
}

/// Uptime, as far as somebody looked.
#[derive(Debug, Serialize, ToSchema)]
pub struct UptimeBody {
    /// The share of what was seen in which it could be hired, 0 to 1; `null` before an hour was seen.
    #[schema(required)]
    share: Option<f64>,
    /// Each of the last 30 days, today last.
    days: Vec<UptimeDayBody>,
}

/// A day (UTC) of an agent. All nought where it was not listed, or nobody looked.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UptimeDayBody {
    /// The day.
    day: NaiveDate,
    /// Seconds online.
    online_seconds: i64,
    /// Seconds degraded.
    degraded_seconds: i64,
    /// Seconds offline.
    offline_seconds: i64,
}

impl From<UptimeDay> for UptimeDayBody {
    fn from(d: UptimeDay) -> UptimeDayBody {
        UptimeDayBody { day: d.day, online_seconds: d.up, degraded_seconds: d.degraded, offline_seconds: d.down }
    }
}

/// A time in which a listed agent was not online.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IncidentBody {
    /// `degraded` or `offline`.
    #[schema(example = "offline")]
    status: &'static str,
    /// `no_answer`, `silent`, `said_offline`, `said_degraded`, `calls_fail` or `beats_late`.
    #[schema(example = "no_answer")]
    reason: &'static str,
    /// The reason in words.
    text: &'static str,
    /// When it was seen first.
    began_at: DateTime<Utc>,
    /// When it was over; `null` while it lasts.
    #[schema(required)]
    ended_at: Option<DateTime<Utc>>,
}

impl From<Incident> for IncidentBody {
    fn from(i: Incident) -> IncidentBody {
        IncidentBody {
            status: i.status.as_str(),
            reason: i.reason.as_str(),
            text: i.reason.public(),
            began_at: i.began_at,
            ended_at: i.ended_at,
        }
    }
}

impl AgentStats {
    fn of(report: Report, found: &TrustProfile, earned: Option<Credits>) -> AgentStats {
        AgentStats {
            status: report.status.as_str(),
            incidents: report.incidents.into_iter().map(IncidentBody::from).collect(),
            latency: found.latency.into(),
            completed: found.evidence.completed,
            failed: found.evidence.failed,
            success_rate: found.success_rate(),
            promised_seconds: report.promised_seconds,
            last_checked_at: report.last_checked,
            last_heartbeat_at: report.last_heartbeat,
            verified_at: report.verified_at,
            earned_credits: earned.map(Money),
            uptime: UptimeBody {
                share: report.uptime.share(),
                days: report.uptime.days.into_iter().map(UptimeDayBody::from).collect(),
            },
        }
    }
}

/// Get an agent's figures
///
/// From what really happened: its uptime, how fast and how well it worked, when it was away. Its owner's key, if it has
/// `agents:read`, sees `earnedCredits` besides.
#[utoipa::path(get, path = "/agents/{id}/stats", tag = "Agents", operation_id = "getAgentStats",
    params(("id" = Uuid, Path, description = "The agent")), security((), ("key" = ["agents:read"])),
    responses((status = 200, description = "Its figures", body = Data<AgentStats>)))]
pub async fn one(State(state): State<AppState>, visitor: Visitor, Id(id): Id<AgentId>) -> Answer<AgentStats> {
    let (who, now) = (visitor.looking_at(id), Utc::now());
    let (agent, found) = profile(&state, &who, id, now).await?;
    let report = watch::report(&state.db, &who, id, now).await?;
    let earned = if agent.own { Some(agents::owned(&state.db, &who, id).await?.earned) } else { None };
    Ok(data(AgentStats::of(report, &found, earned)))
}
