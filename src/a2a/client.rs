//! Calling an agent: five operations of A2A (specification section 3.1), each one signed request through the guarded
//! client.

use std::time::Duration;

use chrono::Utc;
use reqwest::RequestBuilder;
use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::call_error::CallError;
use super::dialect::{self, Event, Operation};
use super::push::Push;
use super::reply::{self, Reply};
use super::target::Target;
use super::updates::{Stream, Updates};
use crate::outbound::{ANSWER_LIMIT, Outbound, after, signing};

/// How long an agent has to take a cancellation.
const CANCEL_LIMIT: Duration = Duration::from_secs(10);

/// Calls agents; cheap to clone.
#[derive(Clone, Debug)]
pub struct AgentClient {
    outbound: Outbound,
}

/// A message on its way.
#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    /// The message, A2A 1.0 JSON. With `taskId` it goes on with a task.
    pub message: Value,
    /// Where the agent may tell of changes.
    pub push: Option<Push>,
}

impl AgentClient {
    /// A client that goes out through `outbound`.
    pub fn new(outbound: Outbound) -> AgentClient {
        AgentClient { outbound }
    }

    /// The way out.
    pub(super) fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// Sends a message. The agent may answer with a task that is not done yet.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn send(&self, to: &Target, out: &Outgoing, limit: Duration) -> Result<Reply, CallError> {
        if out.push.is_some() && to.push {
            match self.ask(to, Operation::Send(out), limit).await {
                // Its card promised more than it does: the task is polled.
                Err(error) if error.no_push => {}
                answered => return reply::read(answered?),
            }
        }
        let bare = without_push(out);
        reply::read(self.ask(to, Operation::Send(bare.as_ref().unwrap_or(out)), limit).await?)
    }

    /// Sends a message and follows the task; `idle` is the longest silence of the connection.
    ///
    /// # Errors
    /// [`CallError`]; `unsupported` where the agent does not stream.
    pub async fn stream(&self, to: &Target, out: &Outgoing, idle: Duration) -> Result<Updates, CallError> {
        if out.push.is_some() && to.push {
            match self.follow(to, Operation::Stream(out), idle).await {
                Err(error) if error.no_push => {}
                followed => return followed,
            }
        }
        let bare = without_push(out);
        self.follow(to, Operation::Stream(bare.as_ref().unwrap_or(out)), idle).await
    }

    /// Follows a task that is under way.
    ///
    /// # Errors
    /// [`CallError`]; `unsupported` where the agent does not stream, or the task has ended: ask with `get`.
    pub async fn resubscribe(&self, to: &Target, task: &str, idle: Duration) -> Result<Updates, CallError> {
        match self.follow(to, Operation::Resubscribe { task, by_get: false }, idle).await {
            Err(error) if to.protocol.is_rest() && !error.unknown_task && matches!(error.status, Some(404 | 405)) => {
                self.follow(to, Operation::Resubscribe { task, by_get: true }, idle).await
            }
            followed => followed,
        }
    }

    /// Asks after a task.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn get(&self, to: &Target, task: &str, limit: Duration) -> Result<Reply, CallError> {
        reply::read(self.ask(to, Operation::Get(task), limit).await?)
    }

    /// Tells the agent that the task is called off.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn cancel(&self, to: &Target, task: &str) -> Result<(), CallError> {
        self.ask(to, Operation::Cancel(task), CANCEL_LIMIT).await.map(|_| ())
    }

    async fn ask(&self, to: &Target, op: Operation<'_>, limit: Duration) -> Result<Event, CallError> {
        let (request, id) = self.request(to, op)?;
        let answer = self.outbound.send(request, limit).await.map_err(CallError::unanswered)?;
        dialect::answer(to.protocol, op, &answer, &id)
    }

    async fn follow(&self, to: &Target, op: Operation<'_>, idle: Duration) -> Result<Updates, CallError> {
        let (request, id) = self.request(to, op)?;
        let task = match op {
            Operation::Resubscribe { task, .. } => Some(task),
            Operation::Send(_) | Operation::Stream(_) | Operation::Get(_) | Operation::Cancel(_) => None,
        };
        let answer = self.outbound.open(request, idle).await.map_err(CallError::unanswered)?;
        if answer.head.status.is_success() && answer.head.is_event_stream() {
            return Ok(Updates::streaming(Stream::of(answer, to.protocol, op, id, idle), task));
        }
        let answer = answer.whole(ANSWER_LIMIT, after(Instant::now(), idle)).await.map_err(CallError::unanswered)?;
        Ok(Updates::whole(dialect::answer(to.protocol, op, &answer, &id)?, task))
    }

    /// The signed request, and its id.
    fn request(&self, to: &Target, op: Operation<'_>) -> Result<(RequestBuilder, String), CallError> {
        let id = Uuid::new_v4().to_string();
        let call = dialect::call(to, op, &id).ok_or_else(CallError::no_such_operation)?;
        let mut request = match &call.body {
            Some(_) => self.outbound.post(call.url).header("content-type", "application/json"),
            None => self.outbound.get(call.url),
        };
        let accept = if op.streams() { "text/event-stream, application/json" } else { "application/json" };
        request = request.header("accept", accept);
        if let Some(version) = call.version {
            request = request.header("A2A-Version", version);
        }
        let body = call.body.unwrap_or_default();
        for (name, value) in signing::headers(&to.secrets, &id, Utc::now().timestamp(), body.as_bytes()) {
            request = request.header(name, value);
        }
        Ok((if body.is_empty() { request } else { request.body(body) }, id))
    }
}

/// The message without its push address; `None` where it has none.
fn without_push(out: &Outgoing) -> Option<Outgoing> {
    out.push.is_some().then(|| Outgoing { message: out.message.clone(), push: None })
}
