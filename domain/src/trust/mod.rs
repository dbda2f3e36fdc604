//! Trust: a score that follows from what really happened.
//!
//! | rule | where |
//! |---|---|
//! | the formula: four parts, shrunk by how little is known | [`formula`] |
//! | distinct payers count, not tasks; recent weeks count more; accounts that bought nothing count little | [`voice`] |
//! | an ended task counts once, and only when it is the agent's doing | [`record()`] |
//! | a rating counts once a task | [`rate()`] |
//! | what a dispute returns was not done | [`dispute_resolved`] |
//! | reviews are public, and the agent's owner may answer | [`reviews()`], [`answer_review`] |
//! | a score is remembered each day, and fades without work | [`remember_scores`], [`stale`] |
//!
//! The row of an agent in `agent_stats` is the lock of all its sums: whoever changes them takes it first, in id order.

mod dispute;
pub mod formula;
mod history;
mod profile;
mod rate;
mod record;
mod review;
mod store;
pub mod voice;

#[cfg(test)]
mod log_tests;
#[cfg(test)]
mod tests;

pub use dispute::{dispute_opened, dispute_resolved};
pub use formula::{Evidence, Parts, score};
pub use history::{HISTORY_DAYS, remember_scores, stale};
pub use profile::{Latency, RecentEvent, TrustProfile, profile};
pub use rate::{NewRating, rate};
pub use record::{Ended, Evidenced, record};
pub use review::{Review, ReviewSummary, TEXT_LIMIT, answer_review, review_of, reviews};
