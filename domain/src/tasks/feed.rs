//! What the database announces: the channels of NOTIFY and the form of their payloads.

use crate::TaskId;

/// A task's event was written; payload `task id:seq`.
pub const TASK_EVENTS: &str = "task_events";
/// A task was queued; empty payload.
pub const TASK_QUEUE: &str = "task_queue";

/// The task and event number of a [`TASK_EVENTS`] payload.
pub fn parse_notification(payload: &str) -> Option<(TaskId, i32)> {
    let (task, seq) = payload.split_once(':')?;
    Some((task.parse().ok()?, seq.parse().ok()?))
}
