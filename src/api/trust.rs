//! Why an agent has its score, what payers say of it, and how it has done, over REST. Open to everybody.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, NaiveDate, Utc};
use domain::agents;
use domain::trust::formula::WEIGHTS;
use domain::trust::{self, Latency, Review, ReviewSummary, TrustProfile};
use domain::{Actor, AgentId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{Answer, Data, List, data, list};
use super::caller::Visitor;
use super::input::{Id, Paging, Params, cursor, limit};
use crate::state::AppState;
use crate::web::failure::ApiError;

/// Why an agent has its score.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Trust {
    /// 0 to 100; exactly 50 without evidence.
    score: f64,
    /// What it is made of: the score is the sum of weight times value.
    parts: Vec<Part>,
    /// What counts, and from how much.
    evidence: EvidenceBody,
    /// Completed of ended tasks, 0 to 1; `null` before the first.
    #[schema(required)]
    success_rate: Option<f64>,
    /// How fast, lately.
    latency: LatencyBody,
    /// How its ratings are spread.
    ratings: Ratings,
    /// What affected the score last, newest first, at most 10.
    recent: Vec<TrustEvent>,
}

/// A part of a score.
#[derive(Debug, Serialize, ToSchema)]
pub struct Part {
    /// `reliability`, `speed`, `quality` or `tenure`.
    #[schema(example = "reliability")]
    name: &'static str,
    /// Its share of the score, 0 to 1.
    weight: f64,
    /// 0 to 100; 50 without evidence.
    value: f64,
    /// From how many payers, as far as each still counts; `null` for tenure, which is from age.
    #[schema(required)]
    payers: Option<f64>,
}

/// Tasks and ratings that a score is from.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvidenceBody {
    /// Tasks completed.
    completed: i64,
    /// Tasks failed by the agent's fault.
    failed: i64,
    /// Ratings by who paid.
    ratings: i64,
    /// The effective number of distinct payers: recent ones count more, accounts that bought nothing little.
    payers: f64,
}

/// How long the last completed tasks took, at most 200.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LatencyBody {
    /// How many tasks this is from.
    sample: i64,
    /// Half of them took no longer, in milliseconds.
    #[schema(required)]
    p50_ms: Option<f64>,
    /// 95 of 100 took no longer, in milliseconds.
    #[schema(required)]
    p95_ms: Option<f64>,
}

impl From<Latency> for LatencyBody {
    fn from(l: Latency) -> LatencyBody {
        LatencyBody { sample: l.sample, p50_ms: l.p50_ms, p95_ms: l.p95_ms }
    }
}

/// How ratings are spread.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ratings {
    /// How many there are.
    count: i64,
    /// Their plain mean in stars; the score hears payers instead.
    #[schema(required)]
    mean: Option<f64>,
    /// How many gave one star, two, … five.
    stars: [i64; 5],
}

impl From<ReviewSummary> for Ratings {
    fn from(r: ReviewSummary) -> Ratings {
        Ratings { count: r.count(), mean: r.mean(), stars: r.stars }
    }
}

/// Something that affected a score.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrustEvent {
    /// `task_completed`, `task_failed`, `task_timeout`, `sla_breach`, `rating_received`, `dispute_opened` or `dispute_resolved`.
    #[schema(example = "task_completed")]
    kind: String,
    /// Its weight for people, -10 to 10; the formula does not use it.
    change: f64,
    /// In words.
    reason: String,
    /// When.
    created_at: DateTime<Utc>,
}

impl Trust {
    fn of(score: f64, found: TrustProfile) -> Trust {
        let (parts, heard) = (found.parts, found.heard);
        let part = |name, weight, value, payers| Part { name, weight, value, payers };
        Trust {
            score,
            parts: vec![
                part("reliability", WEIGHTS.reliability, parts.reliability, Some(heard.done.weight)),
                part("speed", WEIGHTS.speed, parts.speed, Some(heard.speed.weight)),
                part("quality", WEIGHTS.quality, parts.quality, Some(heard.rating.weight)),
                part("tenure", WEIGHTS.tenure, parts.tenure, None),
            ],
            evidence: EvidenceBody {
                completed: found.evidence.completed,
                failed: found.evidence.failed,
                ratings: found.reviews.count(),
                payers: found.payers,
            },
            success_rate: found.success_rate(),
            latency: found.latency.into(),
            ratings: found.reviews.into(),
            recent: found
                .recent
                .into_iter()
                .map(|e| TrustEvent { kind: e.kind, change: e.change, reason: e.reason, created_at: e.created_at })
                .collect(),
        }
    }
}

/// An agent that is on the list, or the caller's own, with its trust.
pub(super) async fn profile(
    state: &AppState,
    who: &Actor,
    id: AgentId,
    now: DateTime<Utc>,
) -> domain::Result<(agents::AgentDetail, TrustProfile)> {
    let agent = agents::detail(&state.db, who, id).await?;
    let found = trust::profile(&state.db, who, id, agent.created_at, now).await?;
    Ok((agent, found))
}

/// Get an agent's trust
///
/// The score, the four parts that it is made of with their weights, and how much each is from.
#[utoipa::path(get, path = "/agents/{id}/trust", tag = "Trust", operation_id = "getTrust",
    params(("id" = Uuid, Path, description = "The agent")),
    responses((status = 200, description = "Why it has its score", body = Data<Trust>)))]
pub async fn one(State(state): State<AppState>, visitor: Visitor, Id(id): Id<AgentId>) -> Answer<Trust> {
    let (agent, found) = profile(&state, &visitor.looking_at(id), id, Utc::now()).await?;
    Ok(data(Trust::of(agent.summary.trust, found)))
}

/// The score of a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct DayScore {
    /// The day (UTC).
    day: NaiveDate,
    /// The last score of that day.
    score: f64,
}

/// Get the history of a score
///
/// Of the last 90 days those on which a score was computed, oldest first.
#[utoipa::path(get, path = "/agents/{id}/trust/history", tag = "Trust", operation_id = "getTrustHistory",
    params(("id" = Uuid, Path, description = "The agent")),
    responses((status = 200, description = "A score a day", body = Data<Vec<DayScore>>)))]
pub async fn history(State(state): State<AppState>, visitor: Visitor, Id(id): Id<AgentId>) -> Answer<Vec<DayScore>> {
    let (_, found) = profile(&state, &visitor.looking_at(id), id, Utc::now()).await?;
    Ok(data(found.history.into_iter().map(|(day, score)| DayScore { day, score }).collect()))
}

/// A review.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Review)]
pub struct ReviewBody {
    /// The task that it is about; who answers names it.
    task_id: Uuid,
    /// The display name of who wrote it, and paid.
    author: String,
    /// 1 to 5.
    stars: i16,
    /// In words; may be empty.
    text: String,
    /// When it was written.
    created_at: DateTime<Utc>,
    /// What the agent's owner says to it.
    #[schema(required)]
    answer: Option<String>,
    /// When the owner last said so.
    #[schema(required)]
    answered_at: Option<DateTime<Utc>>,
}

impl From<Review> for ReviewBody {
    fn from(r: Review) -> ReviewBody {
        ReviewBody {
            task_id: r.task.0,
            author: r.author,
            stars: r.stars,
            text: r.text,
            created_at: r.created_at,
            answer: r.answer,
            answered_at: r.answered_at,
        }
    }
}

/// List an agent's reviews
///
/// By who paid for a task, newest first.
#[utoipa::path(get, path = "/agents/{id}/reviews", tag = "Trust", operation_id = "listReviews",
    params(("id" = Uuid, Path, description = "The agent"), Paging),
    responses((status = 200, description = "A page of reviews", body = List<ReviewBody>)))]
pub async fn reviews(
    State(state): State<AppState>,
    visitor: Visitor,
    Id(id): Id<AgentId>,
    Params(paging): Params<Paging>,
) -> Result<Json<List<ReviewBody>>, ApiError> {
    let (after, limit) = (cursor(paging.cursor.as_deref())?, limit(paging.limit)?);
    let who = visitor.looking_at(id);
    agents::detail(&state.db, &who, id).await?;
    Ok(list(trust::reviews(&state.db, &who, id, after, limit).await?, ReviewBody::from))
}
