//! The trust formula: 40 % reliability, 20 % speed, 25 % quality, 15 % tenure (the weights are given with the
//! data model). Each part is on a scale of 0 to 100 and starts at 50 without evidence.
//!
//! A part is the mean of what was seen together with [`PRIOR`] imagined neutral observations, the posterior mean
//! of a Beta prior (Laplace's rule of succession with a heavier prior): two good tasks out of two say less than
//! 200 out of 200, and the score shows it.

use chrono::{DateTime, TimeDelta, Utc};

/// How many neutral observations are imagined before the first real one.
pub const PRIOR: f64 = 10.0;
/// A task that ends within this counts as fully fast.
pub const FAST: TimeDelta = TimeDelta::seconds(5);
/// The speed halves each time the duration doubles beyond [`FAST`]: at 10 s it is 0.5, at 20 s 0.25.
const SPEED_HALVES_PER_DOUBLING: f64 = 1.0;
/// Tenure reaches 100 this long after registration, and only as far as completed work bears it out.
pub const FULL_TENURE: TimeDelta = TimeDelta::days(365);

/// What is known of an agent: running sums, so that an event costs the same for the millionth task.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// Completed tasks that count.
    pub completed: i64,
    /// Tasks that failed by the agent's fault.
    pub failed: i64,
    /// Sum of [`speed_of`] over completed tasks.
    pub speed_sum: f64,
    /// Sum of ratings, each mapped to [0, 1].
    pub rating_sum: f64,
    /// How many ratings.
    pub rating_count: i64,
}

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

/// The parts of an agent's trust.
pub fn parts(evidence: &Evidence, registered: DateTime<Utc>, now: DateTime<Utc>) -> Parts {
    let n = (evidence.completed + evidence.failed) as f64;
    let age = (now - registered).num_seconds().max(0) as f64 / FULL_TENURE.num_seconds() as f64;
    // Age alone proves nothing: the part moves from 50 as far as completed work bears it out.
    let borne_out = evidence.completed as f64 / (evidence.completed as f64 + PRIOR);
    Parts {
        reliability: shrunk(evidence.completed as f64, n),
        speed: shrunk(evidence.speed_sum, evidence.completed as f64),
        quality: shrunk(evidence.rating_sum, evidence.rating_count as f64),
        tenure: 50.0 + 50.0 * age.min(1.0) * borne_out,
    }
}

/// The score, 0 to 100 with two decimals; exactly 50 without evidence.
pub fn score(evidence: &Evidence, registered: DateTime<Utc>, now: DateTime<Utc>) -> f64 {
    let p = parts(evidence, registered, now);
    let weighted = 0.40 * p.reliability + 0.20 * p.speed + 0.25 * p.quality + 0.15 * p.tenure;
    (weighted * 100.0).round().clamp(0.0, 10_000.0) / 100.0
}

/// 100 times the mean of `sum` over `n` observations and [`PRIOR`] neutral ones.
fn shrunk(sum: f64, n: f64) -> f64 {
    100.0 * (sum + PRIOR / 2.0) / (n + PRIOR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(n)
    }

    #[test]
    fn nothing_known_is_exactly_fifty_however_old() {
        assert_eq!(score(&Evidence::default(), day(0), day(0)), 50.0);
        assert_eq!(score(&Evidence::default(), day(0), day(3_650)), 50.0);
    }

    #[test]
    fn more_of_the_same_moves_further() {
        let good = |n: i64| Evidence { completed: n, speed_sum: n as f64, ..Evidence::default() };
        let bad = |n: i64| Evidence { failed: n, ..Evidence::default() };
        let at = |e: Evidence| score(&e, day(0), day(0));
        assert!(50.0 < at(good(2)) && at(good(2)) < at(good(20)) && at(good(20)) < at(good(2_000)));
        assert!(50.0 > at(bad(2)) && at(bad(2)) > at(bad(20)));
        // Perfect work without a rating or a year of tenure is not a perfect score.
        assert_eq!(at(good(1_000_000)), 80.0);
    }

    #[test]
    fn speed_halves_as_the_duration_doubles() {
        let of = |ms| speed_of(TimeDelta::milliseconds(ms));
        assert_eq!((of(0), of(5_000), of(10_000), of(20_000)), (1.0, 1.0, 0.5, 0.25));
    }

    proptest! {
        #[test]
        fn the_score_stays_in_range_and_a_failure_never_helps(
            completed in 0_i64..100_000, failed in 0_i64..100_000, speed in 0.0_f64..1.0, ratings in 0_i64..10_000,
            rating in 0.0_f64..1.0, age in 0_i64..4_000,
        ) {
            let e = Evidence {
                completed, failed, speed_sum: speed * completed as f64,
                rating_sum: rating * ratings as f64, rating_count: ratings,
            };
            let s = score(&e, day(0), day(age));
            prop_assert!((0.0..=100.0).contains(&s));
            let worse = Evidence { failed: failed + 1, ..e };
            prop_assert!(score(&worse, day(0), day(age)) <= s);
        }
    }
}
