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

mod cancel;
pub mod content;
mod create;
pub mod dispatch;
mod feed;
pub mod finish;
mod group_commit;
pub mod retry;
pub mod state;
mod store;
mod sweep;
mod view;

pub use cancel::cancel;
pub use content::{Artifact, Message, Part, PartBody};
pub use create::{Accepted, NewTask, create};
pub use feed::{TASK_EVENTS, TASK_QUEUE, parse_notification};
pub use group_commit::Finisher;
pub use state::TaskState;
pub use sweep::sweep;
pub use view::{
    Event, Role, TaskCounts, TaskDetail, TaskFilter, TaskSummary, counts, detail, event_data_text, file, has_history,
    list,
};
