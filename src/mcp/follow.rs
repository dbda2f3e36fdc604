//! Following a task until there is something to answer: progress on the way, and what ends the wait.

use std::time::Duration;

use axum::http::Method;
use domain::TaskId;
use domain::tasks::{self, Event, TaskDetail, Waiting, event_data_text};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::call::Asked;
use super::elicit::{self, Ours};
use super::era::Era;
use super::rpc::{INTERNAL_ERROR, RpcError, notification};
use crate::task_events::Awaited;
use crate::web::failure::log_if_ours;

/// Events that are read at once.
const BATCH: i64 = 200;

/// Where messages go before the answer: the stream of the request, if it has one.
#[derive(Clone)]
pub struct Out(pub Option<mpsc::Sender<Value>>);

impl Out {
    /// Whether there is a stream.
    pub fn is_stream(&self) -> bool {
        self.0.is_some()
    }

    /// Sends a message. Nobody may be there any more, which [`Out::closed`] says.
    pub async fn send(&self, message: Value) {
        if let Some(stream) = &self.0 {
            let _ = stream.send(message).await;
        }
    }

    /// Waits until the client has closed the stream; for ever without one.
    pub async fn closed(&self) {
        match &self.0 {
            Some(stream) => stream.closed().await,
            None => std::future::pending().await,
        }
    }
}

/// Why a wait is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// The task has ended, or waits for its requester, or time is over.
    Now,
    /// The client has called the request off.
    CalledOff,
    /// The client has gone.
    Gone,
}

/// A wait.
pub struct Follow<'a> {
    /// Who waits.
    pub asked: &'a Asked,
    /// For what.
    pub task: TaskId,
    /// Until when.
    pub until: Instant,
    /// By what the client knows its progress, where it wants to see any.
    pub token: Option<&'a Value>,
    /// The number of the last event that is not news.
    pub seen: Option<i32>,
    /// Told when the client calls the request off.
    pub called_off: Option<&'a Awaited>,
    /// Where progress goes.
    pub out: &'a Out,
}

impl Follow<'_> {
    /// Waits; answers with why it is over, and the task as it is then.
    ///
    /// # Errors
    /// When the task is not the caller's, or the database does not answer.
    pub async fn run(mut self) -> domain::Result<(Met, TaskDetail)> {
        let (app, actor) = (&self.asked.app, self.asked.key.actor());
        // Watched before the first look, so that nothing falls between the two.
        let mut news = app.events.watch(self.task);
        let mut stopping = app.stopping.subscribe();
        let mut question: Option<(i32, Awaited)> = None;
        loop {
            let task = tasks::detail(&app.db, &actor, self.task).await?;
            self.show_progress(&task).await?;
            if task.summary.state.is_terminal() || Instant::now() >= self.until {
                return Ok((Met::Now, task));
            }
            if task.summary.waiting.is_some() {
                let asked_already = question.as_ref().is_some_and(|(seq, _)| *seq == task.last_seq);
                if !asked_already {
                    match self.ask(&task).await {
                        Some(asked) => question = Some((task.last_seq, asked)),
                        None => return Ok((Met::Now, task)),
                    }
                }
            }
            let refused = async {
                match &question {
                    Some((_, refused)) => refused.told().await,
                    None => std::future::pending().await,
                }
            };
            let called_off = async {
                match self.called_off {
                    Some(called_off) => called_off.told().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = tokio::time::sleep_until(self.until) => {}
                _ = stopping.recv() => return Ok((Met::Now, task)),
                _ = news.next() => {}
                () = refused => return Ok((Met::Now, tasks::detail(&app.db, &actor, self.task).await?)),
                () = called_off => return Ok((Met::CalledOff, task)),
                () = self.out.closed() => return Ok((Met::Gone, task)),
            }
        }
    }

    /// Tells of what has happened since.
    async fn show_progress(&mut self, task: &TaskDetail) -> domain::Result<()> {
        let seen = self.seen.unwrap_or(task.last_seq);
        self.seen = Some(task.last_seq);
        let Some(token) = self.token.filter(|_| task.last_seq > seen) else { return Ok(()) };
        let actor = self.asked.key.actor();
        for event in tasks::events_after(&self.asked.app.db, &actor, self.task, seen, BATCH).await? {
            self.seen = Some(event.seq);
            let params = json!({ "progressToken": token, "progress": event.seq, "message": in_words(&event, task) });
            self.out.send(notification("notifications/progress", params)).await;
        }
        Ok(())
    }

    /// Passes the agent's question on to the person, where a client of the old revisions can be asked; answers with what is told
    /// when they will not say. What they say comes in with a request of its own, and wakes this as news of the task.
    async fn ask(&self, task: &TaskDetail) -> Option<Awaited> {
        let Era::Legacy { session: Some(session), .. } = &self.asked.era else { return None };
        if !session.elicits || !self.out.is_stream() || task.summary.waiting != Some(Waiting::Input) {
            return None;
        }
        let ours = Ours::Task(self.task, task.last_seq);
        let refused = self.asked.app.events.wait_for(elicit::subject(self.asked, &[&ours.id(), "no"]));
        let mut request = elicit::question_request(&task.summary.agent_name, &question(task));
        request["jsonrpc"] = json!("2.0");
        request["id"] = json!(ours.id());
        self.out.send(request).await;
        Some(refused)
    }
}

/// What the agent last said.
pub fn question(task: &TaskDetail) -> String {
    task.messages.iter().rev().find(|m| m.from_agent).map(tasks::Message::text).unwrap_or_default()
}

/// An event for people. What an agent said stands in quotation marks.
fn in_words(event: &Event, task: &TaskDetail) -> String {
    let agent = &task.summary.agent_name;
    match event.kind.as_str() {
        "created" => "ordered".into(),
        "assigned" => format!("waits for {agent}"),
        "running" => format!("{agent} works"),
        "progress" => format!("{agent} says: “{}”", event_data_text(event, "text")),
        "artifact" => format!("{agent} made something"),
        "asks" => format!("{agent} asks something"),
        "reply" => "answered".into(),
        "retry" => "tried again".into(),
        other => other.to_owned(),
    }
}

/// The task as the REST API shows it.
///
/// # Errors
/// A fault of ours.
pub async fn shown(asked: &Asked, task: TaskId) -> Result<Value, RpcError> {
    let answered = asked.ask(Method::GET, &format!("/tasks/{task}"), None, None).await?;
    if answered.status.is_success() {
        Ok(answered.body["data"].clone())
    } else {
        Err(RpcError::new(INTERNAL_ERROR, "the task cannot be shown any more"))
    }
}

/// An error of the economy where the protocol has no word for it.
pub fn fault(error: &domain::Error) -> RpcError {
    log_if_ours(error);
    RpcError::new(INTERNAL_ERROR, error.to_string())
}

/// The longest wait for a person.
pub const PATIENCE: Duration = Duration::from_secs(300);
