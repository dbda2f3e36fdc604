//! The platform's own agent: whoever does not know whom to hire asks it. It picks an agent, hires it with an ordinary task, and
//! hires the next one where that fails.
//!
//! | rule | where |
//! |---|---|
//! | who fits, and in which order they are asked | [`mod@pick`] |
//! | the request, its first task and its hold are one transaction | [`order()`] |
//! | one task at a time, the next when the last has failed, by whichever process sees it | [`advance()`] |
//! | it keeps one id and one conversation over all its tasks | [`told`](mod@told) |
//! | a cancel ends the request and the task that runs | [`cancel()`] |
//! | each hold is taken through the key that ordered, by the ordinary rules | [`crate::tasks::create_said`] |
//!
//! To its clients a request is a task; it is named by a [`TaskId`](crate::TaskId), which no task of its own has.

mod advance;
mod cancel;
mod order;
pub mod pick;
pub mod pushes;
mod store;
pub mod told;

pub use advance::advance;
pub use cancel::{cancel, reply_said};
pub use order::{Ordered, Request, order};
pub use pick::{Candidate, Nobody, Picked, Strategy, Wishes, pick};
pub use told::{list_told, told};

/// Tasks of requests have ended; the payload says nothing.
pub const TASK_ROUTES: &str = "task_routes";

/// Where a request is, beside what its newest task says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteState {
    /// Its task runs, or the next is about to be written.
    Open,
    /// One of its agents delivered.
    Completed,
    /// None did.
    Failed,
    /// It was called off.
    Cancelled,
}

impl RouteState {
    /// The database's word.
    pub fn as_str(self) -> &'static str {
        match self {
            RouteState::Open => "open",
            RouteState::Completed => "completed",
            RouteState::Failed => "failed",
            RouteState::Cancelled => "cancelled",
        }
    }

    /// The state of a word.
    pub fn parse(text: &str) -> Option<RouteState> {
        [RouteState::Open, RouteState::Completed, RouteState::Failed, RouteState::Cancelled]
            .into_iter()
            .find(|s| s.as_str() == text)
    }
}
