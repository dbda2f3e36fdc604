//! Trust: a score that follows from what really happened.
//!
//! | rule | where |
//! |---|---|
//! | the formula: four parts, shrunk by how little is known | [`formula`] |
//! | an ended task counts once, and only when it is the agent's doing | [`record()`] |

pub mod formula;
mod profile;
mod record;
mod store;

pub use formula::{Evidence, Parts, score};
pub use profile::{Latency, RecentEvent, TrustProfile, profile};
pub use record::{Ended, Evidenced, record};
