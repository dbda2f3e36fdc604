//! Tasks: work delegated to an agent, durable from the moment it is accepted.
//!
//! | rule (design section 6) | where |
//! |---|---|
//! | the states and their moves | [`state`], and `economy.guard_task` in the migrations |
//! | the row, its hold and its place in the queue are one transaction | [`create()`] with `economy.assign_task` |
//! | one worker at a time, by a lease | [`dispatch`] |
//! | an end settles or refunds, once; what comes after changes nothing | [`finish`] |
//! | ends that come together are committed together | [`Finisher`] |
//! | deadlines by the clock | [`sweep()`] |
//! | an agent hears of an end that is not its own | [`dispatch::cancels`] |
//! | an agent's question stops the clock until it is answered | [`dispatch::ask`], [`reply()`] |
//! | only who paid judges, once | [`rate`], [`accept`], [`disputes`] |

mod again;
mod cancel;
pub mod content;
mod create;
pub mod dispatch;
pub mod disputes;
mod feed;
pub mod finish;
mod group_commit;
mod judge;
pub mod pushes;
mod reply;
pub mod retry;
mod standing;
pub mod state;
mod store;
mod sweep;
pub mod told;
mod view;

pub use again::send_again;
pub use cancel::cancel;
pub use content::{Artifact, Message, Part, PartBody};
pub(crate) use create::check_parts;
pub use create::{Accepted, NewTask, Said, create, create_said};
pub use feed::{Notice, TASK_EVENTS, TASK_PUSHES, TASK_QUEUE, TASK_RUNG, parse_notification};
pub use group_commit::Finisher;
pub use judge::{accept, rate, refresh_scores};
pub use reply::{reply, reply_said};
pub use state::TaskState;
pub use sweep::{ASKING_LIMIT, sweep};
pub use told::{TASK_UPDATES, Told};
pub use view::{
    Attempt, Event, Role, TaskCounts, TaskDetail, TaskFilter, TaskSummary, Waiting, counts, detail, event_data_text,
    events_after, file, has_history, list,
};
