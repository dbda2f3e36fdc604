//! A task's stream that goes on where it broke.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::stream::BoxStream;
use uuid::Uuid;

use super::events::{Happening, Reader};
use super::failure::Failure;
use super::http::{Api, backoff};

/// How long a server that has been heard before may be silent before it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The stream of a task: the snapshot, each event once, the end.
pub struct Follower {
    api: Api,
    task: String,
    /// The number of the last event that was given out.
    last: Option<i64>,
    reader: Reader,
    body: Option<BoxStream<'static, reqwest::Result<Vec<u8>>>>,
    /// Since when nothing comes, and how often it was tried.
    silent: Option<(Instant, u32)>,
    over: bool,
}

impl Follower {
    /// Follows a task from now on.
    pub fn new(api: &Api, task: Uuid) -> Follower {
        Follower {
            api: api.clone(),
            task: task.to_string(),
            last: None,
            reader: Reader::default(),
            body: None,
            silent: None,
            over: false,
        }
    }

    /// The next that happens; `None` after the end. Nothing is lost when it is not waited for.
    ///
    /// # Errors
    /// A refusal at once; a lost connection after [`PATIENCE`].
    pub async fn next(&mut self) -> Result<Option<Happening>, Failure> {
        loop {
            if let Some(happening) = self.reader.next() {
                self.silent = None;
                // A server that begins anew repeats nothing, but one behind another might.
                if happening.kind == "event"
                    && happening.number.is_some_and(|n| self.last.is_some_and(|last| n <= last))
                {
                    continue;
                }
                self.last = happening.number.or(self.last);
                self.over = happening.kind == "end";
                return Ok(Some(happening));
            }
            if self.over {
                return Ok(None);
            }
            match &mut self.body {
                None => self.open().await?,
                Some(body) => match body.next().await {
                    Some(Ok(bytes)) => self.reader.feed(&bytes),
                    // Half an event is not one: it is sent again.
                    Some(Err(_)) | None => {
                        self.body = None;
                        self.reader = Reader::default();
                    }
                },
            }
        }
    }

    async fn open(&mut self) -> Result<(), Failure> {
        let (since, tries) = self.silent.unwrap_or_else(|| (Instant::now(), 0));
        if tries > 0 {
            tokio::time::sleep(backoff(tries)).await;
        }
        self.silent = Some((since, tries + 1));
        match self.api.stream(&["tasks", &self.task, "stream"], self.last).await {
            Ok(answer) => {
                self.body = Some(answer.bytes_stream().map(|bytes| bytes.map(|b| b.to_vec())).boxed());
                Ok(())
            }
            Err(Failure::Refused(refusal)) if !refusal.is_transient() => Err(Failure::Refused(refusal)),
            Err(failure) if since.elapsed() > PATIENCE => Err(failure),
            Err(_) => Ok(()),
        }
    }
}
