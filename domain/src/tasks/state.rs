//! The states of a task and the moves between them.

/// Where a task is (`tasks.status`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskState {
    /// Written, no agent yet.
    Pending,
    /// An agent has it, its price is held, a worker will call or has just done so.
    Assigned,
    /// The agent has been called.
    Running,
    /// Done; paid.
    Completed,
    /// Not done; refunded.
    Failed,
    /// Called off by its requester; refunded.
    Cancelled,
}

impl TaskState {
    /// All, in the order of a life.
    pub const ALL: [TaskState; 6] = [
        TaskState::Pending,
        TaskState::Assigned,
        TaskState::Running,
        TaskState::Completed,
        TaskState::Failed,
        TaskState::Cancelled,
    ];

    /// The database's word.
    pub fn as_str(self) -> &'static str {
        match self {
            TaskState::Pending => "pending",
            TaskState::Assigned => "assigned",
            TaskState::Running => "running",
            TaskState::Completed => "completed",
            TaskState::Failed => "failed",
            TaskState::Cancelled => "cancelled",
        }
    }

    /// A word for people.
    pub fn label(self) -> &'static str {
        match self {
            TaskState::Pending => "Draft",
            TaskState::Assigned => "Queued",
            TaskState::Running => "Running",
            TaskState::Completed => "Completed",
            TaskState::Failed => "Failed",
            TaskState::Cancelled => "Cancelled",
        }
    }

    /// The state of a word.
    pub fn parse(text: &str) -> Option<TaskState> {
        TaskState::ALL.into_iter().find(|s| s.as_str() == text)
    }

    /// Whether it has ended; such a state is never left.
    pub fn is_terminal(self) -> bool {
        matches!(self, TaskState::Completed | TaskState::Failed | TaskState::Cancelled)
    }

    /// Whether a task may go from here to `next`.
    pub fn may_become(self, next: TaskState) -> bool {
        use TaskState::{Assigned, Cancelled, Completed, Failed, Pending, Running};
        matches!(
            (self, next),
            (Pending, Assigned | Failed | Cancelled)
                | (Assigned, Running | Completed | Failed | Cancelled)
                | (Running, Completed | Failed | Cancelled)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for state in TaskState::ALL {
            assert_eq!(TaskState::parse(state.as_str()), Some(state));
        }
        assert_eq!(TaskState::parse("timed_out"), None);
    }

    #[test]
    fn an_end_is_never_left_and_nothing_skips_the_hold() {
        for from in TaskState::ALL {
            for to in TaskState::ALL {
                if from.is_terminal() || from == to {
                    assert!(!from.may_become(to), "{from:?} -> {to:?}");
                }
            }
        }
        // Completion pays, so it is reached only from a task that was held; the database asks that it was called, too.
        assert!(!TaskState::Pending.may_become(TaskState::Completed));
    }
}
