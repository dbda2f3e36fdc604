//! What the database announces: the channels of NOTIFY and the form of their payloads.

use crate::TaskId;

/// Tasks' events were written; the payload is read by [`parse_notification`].
pub const TASK_EVENTS: &str = "task_events";
/// A task was queued, or a place became free for one; the payload says nothing.
pub const TASK_QUEUE: &str = "task_queue";
/// An agent rang about a task that a worker has; payload its id.
pub const TASK_RUNG: &str = "task_rung";

/// Notifications for A2A clients were written; the payload says nothing.
pub const TASK_PUSHES: &str = "task_pushes";

/// An event of a task, as it is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whose.
    pub task: TaskId,
    /// Its number.
    pub seq: i32,
    /// Whether it ended the task.
    pub ended: bool,
}

/// The events of a [`TASK_EVENTS`] payload: `task:seq`, with `!` after the one that ends a task, and commas between.
pub fn parse_notification(payload: &str) -> impl Iterator<Item = Notice> {
    payload.split(',').filter_map(|one| {
        let (task, seq) = one.split_once(':')?;
        let ended = seq.ends_with('!');
        Some(Notice { task: task.parse().ok()?, seq: seq.trim_end_matches('!').parse().ok()?, ended })
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn many_events_come_in_one_notice() {
        let (a, b) = (TaskId(Uuid::from_u128(1)), TaskId(Uuid::from_u128(2)));
        let seen: Vec<Notice> = parse_notification(&format!("{a}:3,{b}:12!,nonsense,x:1")).collect();
        assert_eq!(seen, [Notice { task: a, seq: 3, ended: false }, Notice { task: b, seq: 12, ended: true }]);
    }
}
