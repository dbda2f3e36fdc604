//! The trust formula: 40 % reliability, 20 % speed, 25 % quality, 15 % tenure (the weights are given with the
//! data model). Each part is on a scale of 0 to 100 and starts at 50 without evidence.
//!
//! A part is the mean of what payers say together with [`PRIOR`] imagined neutral ones, the posterior mean of a Beta
//! prior (Laplace's rule of succession with a heavier prior): two content payers out of two say less than 200 out of
//! 200, and the score shows it. How payers are heard is in [`super::voice`].

use chrono::{DateTime, TimeDelta, Utc};

use super::voice::Heard;

/// How many neutral payers are imagined before the first real one.
pub const PRIOR: f64 = 10.0;
/// All accounts that have bought nothing count in each part for at most this many payers together. An account costs
/// nothing to open, so any number of them must not be worth more than this.
pub const UNPROVEN_TOGETHER: f64 = 2.0;
/// A task that ends within this counts as fully fast.
pub const FAST: TimeDelta = TimeDelta::seconds(5);
/// The speed halves each time the duration doubles beyond [`FAST`]: at 10 s it is 0.5, at 20 s 0.25.
const SPEED_HALVES_PER_DOUBLING: f64 = 1.0;
/// Tenure reaches 100 this long after registration, and only as far as completed work bears it out.
pub const FULL_TENURE: TimeDelta = TimeDelta::days(365);

/// What is known of an agent: running sums, so that an event costs the same for the millionth task.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// Completed tasks that count, ever; a plain number that is shown and does not enter the score.
    pub completed: i64,
    /// Tasks that failed by the agent's fault, likewise.
    pub failed: i64,
    /// The moment for which the sums hold.
    pub as_of: DateTime<Utc>,
    /// The voices of payers that have bought credits.
    pub proven: Voices,
    /// The voices of all others.
    pub unproven: Voices,
}

/// Sums over payers, each times its standing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Voices {
    /// Whether tasks were done.
    pub done: Heard,
    /// How soon those that were done.
    pub speed: Heard,
    /// What the payers said of them.
    pub rating: Heard,
}

/// What each part counts for in the score: reliability, speed, quality, tenure.
pub const WEIGHTS: Parts = Parts { reliability: 0.40, speed: 0.20, quality: 0.25, tenure: 0.15 };

/// The four parts, each 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parts {
    /// Share of tasks that were completed.
    pub reliability: f64,
    /// How soon they were.
    pub speed: f64,
    /// What paying requesters said of them.
    pub quality: f64,
    /// How long the agent has worked here.
    pub tenure: f64,
}

/// The speed of one completed task in [0, 1]: 1 up to [`FAST`], then halving with each doubling of the duration.
pub fn speed_of(duration: TimeDelta) -> f64 {
    let ratio = duration.num_milliseconds() as f64 / FAST.num_milliseconds() as f64;
    if ratio <= 1.0 { 1.0 } else { ratio.powf(-SPEED_HALVES_PER_DOUBLING) }
}

/// A rating of 1 to 5 stars in [0, 1].
pub fn rating_of(stars: u8) -> f64 {
    (f64::from(stars) - 1.0) / 4.0
}

impl Evidence {
    /// What counts of it at `now`: recent weeks more than old ones, and the unproven together for no more than
    /// [`UNPROVEN_TOGETHER`]. The weights are the effective numbers of distinct payers.
    pub fn heard(&self, now: DateTime<Utc>) -> Voices {
        let mut then = *self;
        then.decay_to(now);
        let both = |of: fn(&Voices) -> Heard| {
            let (proven, unproven) = (of(&then.proven), of(&then.unproven));
            let part = if unproven.weight > UNPROVEN_TOGETHER { UNPROVEN_TOGETHER / unproven.weight } else { 1.0 };
            Heard { sum: proven.sum + part * unproven.sum, weight: proven.weight + part * unproven.weight }
        };
        Voices { done: both(|v| v.done), speed: both(|v| v.speed), rating: both(|v| v.rating) }
    }
}

/// The parts of an agent's trust.
pub fn parts(evidence: &Evidence, registered: DateTime<Utc>, now: DateTime<Utc>) -> Parts {
    let heard = evidence.heard(now);
    let age = (now - registered).num_seconds().max(0) as f64 / FULL_TENURE.num_seconds() as f64;
    // Age alone proves nothing: the part moves from 50 as far as completed work bears it out.
    let borne_out = heard.done.sum / (heard.done.sum + PRIOR);
    Parts {
        reliability: shrunk(heard.done),
        speed: shrunk(heard.speed),
        quality: shrunk(heard.rating),
        tenure: 50.0 + 50.0 * age.min(1.0) * borne_out,
    }
}

/// The score, 0 to 100 with two decimals; exactly 50 without evidence. Sums that hold for an earlier moment are brought
/// to `now`.
pub fn score(evidence: &Evidence, registered: DateTime<Utc>, now: DateTime<Utc>) -> f64 {
    let p = parts(evidence, registered, now);
    let w = WEIGHTS;
    let weighted = w.reliability * p.reliability + w.speed * p.speed + w.quality * p.quality + w.tenure * p.tenure;
    (weighted * 100.0).round().clamp(0.0, 10_000.0) / 100.0
}

/// 100 times the mean of what was heard and [`PRIOR`] neutral voices.
fn shrunk(heard: Heard) -> f64 {
    100.0 * (heard.sum + PRIOR / 2.0) / (heard.weight + PRIOR)
}
