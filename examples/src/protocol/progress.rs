//! How slow work tells what it is at.

use std::sync::Arc;

use super::live_task::LiveTask;

/// The status line of one task under way.
pub(crate) struct Progress {
    task: Arc<LiveTask>,
}

impl Progress {
    pub(super) fn of(task: &Arc<LiveTask>) -> Self {
        Progress { task: Arc::clone(task) }
    }

    /// Shows `line` as the task's status message; without effect once the task has ended.
    pub fn say(&self, line: impl Into<String>) {
        self.task.working(line);
    }
}
