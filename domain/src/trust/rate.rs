//! A paying requester's rating of a task.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::voice::Pair;
use super::{Evidence, formula, review, store};
use crate::{AgentId, Error, FieldError, Result, TaskId, UserId, ledger};

/// A rating with what the requester has to say.
#[derive(Clone, Copy, Debug)]
pub struct NewRating<'a> {
    /// Who did the task.
    pub agent: AgentId,
    /// Which task.
    pub task: TaskId,
    /// Who paid for it and rates it now.
    pub payer: UserId,
    /// 1 to 5.
    pub stars: u8,
    /// At most [`review::TEXT_LIMIT`] characters; may be empty.
    pub text: &'a str,
}

/// Takes a rating and answers with the agent's sums. In a transaction of the service's; the caller has made sure that the
/// task ended and was paid for by `payer`, who does not own the agent, and writes the score.
///
/// # Errors
/// [`Error::Validation`] for stars or text out of range; [`Error::Conflict`] when the task was rated before.
pub async fn rate(
    tx: &mut PgConnection,
    rating: &NewRating<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<(AgentId, Evidence)>> {
    let text = rating.text.trim();
    let mut wrong = Vec::new();
    if !(1..=5).contains(&rating.stars) {
        wrong.push(FieldError::new("stars", "must be 1 to 5"));
    }
    wrong.extend(review::too_long("text", text));
    if !wrong.is_empty() {
        return Err(Error::Validation(wrong));
    }
    let mut agents = store::lock_agents(tx, &BTreeMap::from([(rating.agent, (0, 0))])).await?;
    if !store::insert_review(tx, &NewRating { text, ..*rating }, now).await? {
        return Err(Error::Conflict("this task was rated before".into()));
    }
    let key = (rating.agent, rating.payer);
    let mut pairs = store::pairs(tx, &[key]).await?;
    let proven = ledger::have_bought(tx, &[rating.payer]).await?.contains(&rating.payer);
    let evidence = agents.entry(rating.agent).or_default();
    let pair = pairs.entry(key).or_insert_with(|| Pair { as_of: now, ..Pair::default() });
    evidence.hear_rating(pair, proven, formula::rating_of(rating.stars), now);

    let change = (f64::from(rating.stars) - 3.0) * 2.0;
    let reason = format!("Rated {} of 5 stars", rating.stars);
    let event = store::NewEvent::of(rating.agent, rating.task, "rating_received", change, reason);
    store::insert_events(tx, &[event], now).await?;
    store::count_stars(tx, rating.agent, rating.stars).await?;
    store::write_evidence(tx, &agents).await?;
    store::write_pairs(tx, &pairs).await?;
    Ok(agents.into_iter().collect())
}
