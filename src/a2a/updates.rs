//! A task followed as the agent streams it.

use std::time::Duration;

use tokio::time::Instant;

use super::assembly::Assembly;
use super::call_error::CallError;
use super::client::Outgoing;
use super::dialect::{self, Event, Operation};
use super::reply::{Reply, Working};
use super::sse::Events;
use super::target::Protocol;
use crate::outbound::{ANSWER_LIMIT, OpenAnswer, after};

/// Most bytes of one stream. What is kept of it is less: [`ANSWER_LIMIT`].
const STREAM_LIMIT: usize = 8 * ANSWER_LIMIT;

/// What came next.
#[derive(Debug)]
pub enum Step {
    /// More is known: see [`Updates::working`].
    Changed,
    /// The end, or a question: completed, failed or asks.
    Final(Box<Reply>),
    /// The stream closed without an end: ask with `get`.
    Ended,
}

/// The stream of one task.
#[derive(Debug)]
pub struct Updates {
    source: Source,
    assembly: Assembly,
}

#[derive(Debug)]
enum Source {
    Stream(Box<Stream>),
    /// The agent answered at once instead of streaming.
    Whole(Option<(Event, usize)>),
}

/// Which kind of stream it is, and what has been read of it.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) answer: OpenAnswer,
    pub(super) protocol: Protocol,
    /// Whether it follows a task that had begun.
    pub(super) again: bool,
    /// The JSON-RPC id of our request.
    pub(super) id: String,
    /// The longest silence of the connection.
    pub(super) idle: Duration,
    events: Events,
    alive: Instant,
    read: usize,
    over: bool,
}

impl Stream {
    pub(super) fn of(answer: OpenAnswer, protocol: Protocol, op: Operation<'_>, id: String, idle: Duration) -> Stream {
        let again = matches!(op, Operation::Resubscribe { .. });
        let (events, alive) = (Events::default(), Instant::now());
        Stream { answer, protocol, again, id, idle, events, alive, read: 0, over: false }
    }

    /// The next event and its size. All state is kept here, so that dropping the future loses nothing.
    async fn next(&mut self) -> Result<Option<(Event, usize)>, CallError> {
        loop {
            if let Some(data) = self.events.next() {
                return Ok(Some((self.event(&data)?, data.len())));
            }
            if self.over {
                return Ok(None);
            }
            // Any byte is a sign of life, also of a comment.
            let chunk = self.answer.chunk(after(self.alive, self.idle)).await.map_err(CallError::unanswered)?;
            self.alive = Instant::now();
            match chunk {
                Some(bytes) => {
                    self.read += bytes.len();
                    if self.read > STREAM_LIMIT {
                        return Err(CallError::protocol("The agent's stream is longer than 64 MB"));
                    }
                    self.events.feed(&bytes)?;
                }
                None => {
                    self.over = true;
                    self.events.end();
                }
            }
        }
    }

    fn event(&self, data: &[u8]) -> Result<Event, CallError> {
        let nothing = Outgoing::default();
        let op =
            if self.again { Operation::Resubscribe { task: "", by_get: false } } else { Operation::Stream(&nothing) };
        dialect::streamed(self.protocol, op, data, &self.answer.head, &self.id)
    }
}

impl Updates {
    pub(super) fn streaming(stream: Stream, task: Option<&str>) -> Updates {
        Updates { source: Source::Stream(Box::new(stream)), assembly: Assembly::of(task.unwrap_or_default()) }
    }

    pub(super) fn whole(event: Event, task: Option<&str>) -> Updates {
        Updates { source: Source::Whole(Some((event, 0))), assembly: Assembly::of(task.unwrap_or_default()) }
    }

    /// Waits for the next step. May be dropped and called again.
    ///
    /// # Errors
    /// [`CallError`]: the connection broke or fell silent, or what came is an error or against the protocol.
    pub async fn next(&mut self) -> Result<Step, CallError> {
        let next = match &mut self.source {
            Source::Stream(stream) => stream.next().await?,
            Source::Whole(event) => event.take(),
        };
        let Some((event, size)) = next else { return Ok(Step::Ended) };
        Ok(self.assembly.take(event, size)?.map_or(Step::Changed, |reply| Step::Final(Box::new(reply))))
    }

    /// The pieces that came since this was asked last, for who follows the task ([`domain::tasks::told::relay`]).
    pub fn fresh(&mut self) -> Vec<serde_json::Value> {
        self.assembly.fresh()
    }

    /// What is known of the task now.
    pub fn working(&self) -> &Working {
        self.assembly.working()
    }
}
