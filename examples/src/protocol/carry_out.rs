//! Brings a new task to its end.

use std::sync::Arc;

use a2a::Message;
use tokio::task::spawn_blocking;

use super::live_task::LiveTask;
use super::progress::Progress;
use crate::agent::{Job, Refusal, Start, Started};

/// What a task says that a defect of the agent ended. The details are in the log, not for the caller.
const BROKEN: &str = "the agent broke down while it worked on this; the input is not to blame";

/// Works on `message` until `task` has ended, whatever happens; nobody has to wait for it.
pub(super) async fn carry_out(task: Arc<LiveTask>, start: Start, message: Message) {
    match spawn_blocking(move || start(&message)).await {
        Ok(Ok(Started::Done(done))) => {
            task.finish(Ok(done));
        }
        Ok(Ok(Started::Working(job))) => work(&task, job).await,
        Ok(Err(refusal)) => {
            task.finish(Err(refusal));
        }
        Err(error) => broken(&task, &error),
    }
}

async fn work(task: &Arc<LiveTask>, job: Job) {
    task.working("Working");
    let running = tokio::spawn(job(Progress::of(task)));
    task.attach(running.abort_handle());
    match running.await {
        Ok(result) => {
            task.finish(result);
        }
        // Only a cancel aborts it, and that has ended the task already.
        Err(error) if error.is_cancelled() => {}
        Err(error) => broken(task, &error),
    }
}

fn broken(task: &LiveTask, error: &tokio::task::JoinError) {
    tracing::error!(task = task.id(), %error, "a demo agent broke down");
    task.finish(Err(Refusal::failed(BROKEN)));
}

#[cfg(test)]
mod tests {
    use a2a::{Part, Role, TaskState};

    use super::*;

    /// A defect that the compiler does not see coming.
    fn break_down(message: &Message) {
        assert!(message.parts.is_empty(), "on purpose");
    }

    #[tokio::test]
    async fn a_defect_ends_the_task_and_not_the_server() {
        let at_once: Start = |message| {
            break_down(message);
            Err(Refusal::failed("not reached"))
        };
        let later: Start = |message| {
            let message = message.clone();
            Ok(Started::Working(Box::new(move |_| {
                Box::pin(async move {
                    break_down(&message);
                    Err(Refusal::failed("not reached"))
                })
            })))
        };
        for start in [at_once, later] {
            let message = Message::new(Role::User, vec![Part::text("x")]);
            let task = Arc::new(LiveTask::new(&message));
            carry_out(Arc::clone(&task), start, message).await;
            let status = task.snapshot().status;
            assert_eq!(status.state, TaskState::Failed);
            assert_eq!(status.message.as_ref().and_then(Message::text), Some(BROKEN));
        }
    }
}
