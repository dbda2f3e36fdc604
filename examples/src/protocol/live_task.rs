//! One task: its state, whoever waits for it, and the work that can be stopped.

use std::sync::{Mutex, PoisonError};

use a2a::{Message, Part, Role, Task, TaskState, TaskStatus, new_context_id, new_task_id};
use chrono::Utc;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::agent::{Done, Refusal};

/// A task in memory. A terminal state is never left: what comes later changes nothing.
pub(super) struct LiveTask {
    task: watch::Sender<Task>,
    job: Mutex<Option<AbortHandle>>,
    message_id: String,
}

impl LiveTask {
    /// A submitted task for `message`, in the message's context or a new one.
    pub fn new(message: &Message) -> Self {
        let context_id = message.context_id.clone().filter(|id| !id.is_empty()).unwrap_or_else(new_context_id);
        let status = TaskStatus { state: TaskState::Submitted, message: None, timestamp: Some(Utc::now()) };
        let task = Task { id: new_task_id(), context_id, status, artifacts: None, history: None, metadata: None };
        LiveTask { task: watch::Sender::new(task), job: Mutex::new(None), message_id: message.message_id.clone() }
    }

    pub fn id(&self) -> String {
        self.task.borrow().id.clone()
    }

    /// The id of the message that began it.
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    pub fn is_over(&self) -> bool {
        self.task.borrow().status.state.is_terminal()
    }

    /// The task as it is now.
    pub fn snapshot(&self) -> Task {
        self.task.borrow().clone()
    }

    /// The task once it has ended, or (`immediately`) once slow work on it has begun.
    pub async fn settled(&self, immediately: bool) -> Task {
        let mut watcher = self.task.subscribe();
        let enough =
            |task: &Task| task.status.state.is_terminal() || (immediately && task.status.state == TaskState::Working);
        match watcher.wait_for(enough).await {
            Ok(task) => task.clone(),
            // The sender lives in `self`, so it cannot be gone.
            Err(_) => self.snapshot(),
        }
    }

    /// Slow work is at `line`.
    pub fn working(&self, line: impl Into<String>) -> bool {
        self.change(TaskState::Working, line.into(), |_| ())
    }

    /// The end, as the work itself brings it.
    pub fn finish(&self, result: Result<Done, Refusal>) -> bool {
        match result {
            Ok(done) => {
                let artifacts = done.artifacts;
                self.change(TaskState::Completed, done.line, |task| task.artifacts = Some(artifacts))
            }
            Err(Refusal::Rejected(why)) => self.change(TaskState::Rejected, why, |_| ()),
            Err(Refusal::Failed(why)) => self.change(TaskState::Failed, why, |_| ()),
        }
    }

    /// The end, as the caller wants it: stops the work. False if the task had ended already.
    pub fn cancel(&self) -> bool {
        let cancelled = self.change(TaskState::Canceled, "Cancelled on request".to_owned(), |_| ());
        if cancelled && let Some(job) = self.job.lock().unwrap_or_else(PoisonError::into_inner).take() {
            job.abort();
        }
        cancelled
    }

    /// Remembers how to stop the work, or stops it at once where a cancel came first.
    pub fn attach(&self, job: AbortHandle) {
        let mut slot = self.job.lock().unwrap_or_else(PoisonError::into_inner);
        // Checked under the lock that `cancel` takes after ending the task: one of the two sees the other.
        if self.is_over() { job.abort() } else { *slot = Some(job) }
    }

    fn change(&self, state: TaskState, line: String, also: impl FnOnce(&mut Task)) -> bool {
        self.task.send_if_modified(|task| {
            if task.status.state.is_terminal() {
                return false;
            }
            let mut message = Message::new(Role::Agent, vec![Part::text(line)]);
            message.task_id = Some(task.id.clone());
            message.context_id = Some(task.context_id.clone());
            task.status = TaskStatus { state, message: Some(message), timestamp: Some(Utc::now()) };
            also(task);
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> LiveTask {
        LiveTask::new(&Message::new(Role::User, vec![Part::text("x")]))
    }

    #[test]
    fn an_end_is_never_left() {
        let done = || Ok(Done { line: "done".to_owned(), artifacts: vec![] });
        type End = fn(&LiveTask) -> bool;
        let ends: [(&str, End); 3] = [
            ("completed", |task| task.finish(Ok(Done { line: "done".to_owned(), artifacts: vec![] }))),
            ("failed", |task| task.finish(Err(Refusal::failed("no")))),
            ("cancelled", LiveTask::cancel),
        ];
        for (name, end) in ends {
            let task = fresh();
            assert!(task.working("on it") && end(&task), "{name}");
            let at_the_end = task.snapshot();
            assert!(!task.working("late") && !task.finish(done()) && !task.cancel(), "{name}");
            assert_eq!(task.snapshot(), at_the_end, "{name}");
        }
    }

    #[tokio::test]
    async fn cancel_stops_the_work_whichever_comes_first() {
        for cancel_first in [true, false] {
            let task = fresh();
            let work = tokio::spawn(std::future::pending::<()>());
            if cancel_first {
                assert!(task.cancel());
                task.attach(work.abort_handle());
            } else {
                task.attach(work.abort_handle());
                assert!(task.cancel());
            }
            assert!(work.await.unwrap_err().is_cancelled());
        }
    }
}
