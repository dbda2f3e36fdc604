//! What is said to an agent in one attempt, and what it answers, until there is an end, a question, or a reason to leave it
//! to work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use domain::tasks::dispatch::{self, Claim, Question};
use domain::tasks::finish::{Delivery, Failure};
use domain::tasks::{content, retry, told};
use futures::FutureExt;
use serde_json::{Value, json};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{Worker, cancels};
use crate::a2a::{Ask, CallError, Outgoing, Push, Reply, Step, Target, Updates, Working};

/// The longest wait for one answer; an agent that works longer answers with a task and is asked again.
const CALL_LIMIT: Duration = Duration::from_secs(120);
/// The longest silence of a stream before the agent is asked instead.
const STREAM_IDLE: Duration = Duration::from_secs(90);
/// The first and the longest pause between two questions while the conversation is held.
const POLL_FIRST: Duration = Duration::from_millis(20);
const POLL_LONGEST: Duration = Duration::from_secs(3);
/// How long a conversation is held; then the task is left with its agent, and somebody asks now and then.
const HOLD: Duration = Duration::from_secs(15);
/// How long an answered question may still stand as the agent's state.
const STALE: Duration = Duration::from_secs(10);
/// How often what a stream brings is shown, at most.
const SHOW: Duration = Duration::from_millis(300);
/// Files that are fetched from where the agent put them, how large each may be, and in which time.
const FILES: usize = 10;
const FILE_LARGEST: usize = 2 * 1024 * 1024;
const FILES_LIMIT: Duration = Duration::from_secs(30);

/// How a conversation came to its end for now.
pub(super) enum Talked {
    Completed(Delivery),
    Failed(Delivery, Failure),
    Asks(Question),
    /// The agent works on; it is asked again after this.
    Later(Duration),
}

/// Why an attempt stops early.
pub(super) enum Stop {
    /// The task has ended (cancelled, timed out): tell the agent.
    Ended,
    /// Another worker has it.
    Lost,
    /// This process is stopping.
    Abandoned,
}

/// Why a conversation broke off.
pub(super) enum Halt {
    Call(CallError),
    Domain(domain::Error),
    Stop(Stop),
}

impl From<CallError> for Halt {
    fn from(error: CallError) -> Self {
        Halt::Call(error)
    }
}

impl From<domain::Error> for Halt {
    fn from(error: domain::Error) -> Self {
        Halt::Domain(error)
    }
}

pub(super) struct Conversation<'a> {
    worker: &'a Worker,
    claim: &'a Claim,
    target: Target,
    remote: Option<String>,
    /// What the requester was shown last.
    shown: Option<String>,
    artifacts_shown: usize,
    /// Whether who follows the task knows that the agent has it.
    taken: bool,
    bell: Arc<Notify>,
}

impl<'a> Conversation<'a> {
    pub(super) fn new(worker: &'a Worker, claim: &'a Claim, target: Target) -> Conversation<'a> {
        let remote = claim.remote_task.clone();
        Conversation {
            worker,
            claim,
            target,
            remote,
            shown: None,
            artifacts_shown: 0,
            taken: false,
            bell: Arc::default(),
        }
    }

    /// Rung when the agent says that there is news.
    pub(super) fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.bell)
    }

    /// Sends the message, or asks after the task that an earlier attempt began.
    pub(super) async fn hold(&mut self) -> Result<Talked, Halt> {
        let begun = Instant::now();
        let asked = self.claim.sent.then(|| self.remote.clone()).flatten();
        let resumed = asked.is_some();
        let mut reply = match asked {
            Some(id) => match self.ask_after(&id).await {
                Ok(reply) => reply,
                // The agent was restarted and forgot: the same message again, under the same id.
                Err(error) if error.unknown_task && !self.is_follow_up() => self.begin().await?,
                Err(error) => return Err(error.into()),
            },
            None => self.begin().await?,
        };
        let mut pause = POLL_FIRST;
        loop {
            let working = match reply {
                Reply::Working(working) => working,
                Reply::Completed(delivery) => return Ok(Talked::Completed(delivery)),
                Reply::Failed(delivery, failure) => return Ok(Talked::Failed(delivery, failure)),
                // The question that was just answered: the agent has not got to the answer yet.
                Reply::Asks(ask) if self.was_answered(&ask) && begun.elapsed() < STALE => {
                    Working { task: ask.task, context: ask.context, progress: None, artifacts: ask.artifacts }
                }
                Reply::Asks(ask) => {
                    return Ok(Talked::Asks(Question {
                        auth: ask.auth,
                        remote_task: ask.task,
                        context: ask.context,
                        messages: ask.messages,
                        artifacts: ask.artifacts,
                        said: ask.said_id,
                    }));
                }
            };
            if self.show(&working, true).await? {
                pause = POLL_FIRST;
            }
            if resumed || begun.elapsed() > HOLD || self.worker.stop.is_cancelled() {
                let age =
                    self.claim.started_at.map_or(begun.elapsed(), |at| (Utc::now() - at).to_std().unwrap_or_default());
                return Ok(Talked::Later(retry::poll_pause(age, self.target.push, rand::random())));
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.bell.notified() => {}
                () = self.worker.stop.cancelled() => {}
            }
            pause = pause.mul_f64(1.5).min(POLL_LONGEST);
            reply = match self.ask_after(&working.task).await {
                Ok(reply) => reply,
                // It was restarted in the middle: the next attempt sends the message again.
                Err(error) if error.unknown_task => return Err(CallError { transient: true, ..error }.into()),
                Err(error) => return Err(error.into()),
            };
        }
    }

    /// Whether a question is one that the requester's message answers.
    fn was_answered(&self, ask: &Ask) -> bool {
        let known = |m: &Value| {
            m.get("messageId").and_then(Value::as_str).is_some_and(|id| self.claim.said.iter().any(|s| s == id))
        };
        self.is_follow_up() && !ask.messages.is_empty() && ask.messages.iter().all(known)
    }

    async fn ask_after(&self, task: &str) -> Result<Reply, CallError> {
        self.worker.agents.get(&self.target, task, CALL_LIMIT).await
    }

    /// Whether the message answers a question of the agent's, in a task that it has.
    fn is_follow_up(&self) -> bool {
        self.claim.message_no > 0
    }

    async fn begin(&mut self) -> Result<Reply, Halt> {
        let outgoing = self.outgoing();
        // A stream about a task that waits for an answer may begin with that task as it was, which would be read as its asking
        // again: answers are sent, and asked after.
        if self.target.streaming && !self.is_follow_up() {
            match self.worker.agents.stream(&self.target, &outgoing, STREAM_IDLE).await {
                Ok(updates) => return self.listen(updates).await,
                Err(error) if error.unsupported => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.worker.agents.send(&self.target, &outgoing, CALL_LIMIT).await?)
    }

    /// Takes a stream as it comes, until its end or what stands in place of one.
    async fn listen(&mut self, mut updates: Updates) -> Result<Reply, Halt> {
        let mut last = Instant::now().checked_sub(SHOW).unwrap_or_else(Instant::now);
        let mut behind = false;
        loop {
            // What is there already is taken before anything is written; then nothing waits for what is to come.
            let step = match updates.next().now_or_never() {
                Some(step) => step,
                None => {
                    self.relay(&mut updates).await?;
                    let patience = if behind { SHOW.saturating_sub(last.elapsed()) } else { STREAM_IDLE + SHOW };
                    match tokio::time::timeout(patience, updates.next()).await {
                        Ok(step) => step,
                        // Nothing more may come for a while: what has come is shown.
                        Err(_) => {
                            self.show(updates.working(), false).await?;
                            (last, behind) = (Instant::now(), false);
                            continue;
                        }
                    }
                }
            };
            match step {
                Ok(Step::Changed) => behind = true,
                Ok(Step::Final(reply)) => {
                    // The end stands behind everything that came before it.
                    self.relay(&mut updates).await?;
                    return Ok(*reply);
                }
                Ok(Step::Ended) => break,
                // A stream that broke is no answer, where the agent can be asked after the task.
                Err(error) if !updates.working().task.is_empty() && error.transient => break,
                Err(error) => return Err(error.into()),
            }
            if last.elapsed() >= SHOW {
                self.relay(&mut updates).await?;
                self.show(updates.working(), false).await?;
                (last, behind) = (Instant::now(), false);
            }
        }
        let working = updates.working().clone();
        if working.task.is_empty() {
            return Err(CallError::protocol("The agent's stream ended without a task or a message").into());
        }
        self.relay(&mut updates).await?;
        self.show(&working, false).await?;
        Ok(self.ask_after(&working.task).await?)
    }

    /// Passes on what the agent has streamed. What came together is written together, and nothing waits for what is to come.
    async fn relay(&self, updates: &mut Updates) -> domain::Result<()> {
        let fresh = updates.fresh();
        if fresh.is_empty() { Ok(()) } else { told::relay(&self.worker.db, self.claim, &fresh).await }
    }

    /// Writes down and shows what is new; answers whether anything was. `pieces`: whether it is also to be passed on to who
    /// follows the task, which a stream has done.
    async fn show(&mut self, working: &Working, pieces: bool) -> domain::Result<bool> {
        let (db, claim) = (&self.worker.db, self.claim);
        if working.task.is_empty() {
            return Ok(false);
        }
        if self.remote.as_deref() != Some(working.task.as_str()) || (self.shown.is_none() && !claim.sent) {
            dispatch::note_remote(db, claim, &working.task, working.context.as_deref()).await?;
            self.remote = Some(working.task.clone());
        }
        let said = working.progress.clone().filter(|p| self.shown.as_ref() != Some(p));
        if let Some(text) = &said {
            dispatch::progress(db, claim, text).await?;
        }
        self.shown = working.progress.clone().or_else(|| self.shown.take()).or_else(|| Some(String::new()));
        let size = working.artifacts.iter().map(content::size).sum();
        let made = size != self.artifacts_shown;
        if made {
            dispatch::show_artifacts(db, claim, &working.artifacts).await?;
            self.artifacts_shown = size;
        }
        if pieces {
            let mut fresh = vec![json!({ "taken": true })];
            fresh.extend(said.iter().map(|text| {
                json!({ "said": { "messageId": Uuid::new_v4(), "role": "ROLE_AGENT", "parts": [{ "text": text }] } })
            }));
            if made {
                fresh.extend(
                    working.artifacts.iter().map(|a| json!({ "artifact": a, "append": false, "lastChunk": false })),
                );
            }
            if made || said.is_some() || !self.taken {
                told::relay(db, claim, &fresh).await?;
                self.taken = true;
            }
        }
        Ok(made || said.is_some())
    }

    fn outgoing(&self) -> Outgoing {
        let claim = self.claim;
        let mut message = claim.message.clone();
        // The requester's own id, the same in every attempt.
        if message.get("messageId").is_none() {
            message["messageId"] = json!(claim.message_id);
        }
        if let Some(skill) = &claim.skill {
            message["metadata"]["skillId"] = json!(skill);
        }
        if let Some(context) = &claim.context {
            message["contextId"] = json!(context);
        }
        if self.is_follow_up() {
            message["taskId"] = json!(self.remote);
        } else if let Some(reference) = &claim.reference {
            message["referenceTaskIds"] = json!([reference]);
        }
        let url = self.worker.bell.join(&claim.task.to_string()).ok();
        let push = url.map(|url| Push { id: claim.task.to_string(), url, token: claim.push_token.clone() });
        Outgoing { message, push }
    }

    /// Fetches files that the agent only said the address of, as far as they may be and can be had: the address may be gone
    /// tomorrow. What cannot be fetched stays an address.
    pub(super) async fn with_files(&self, mut delivery: Delivery) -> Delivery {
        let links = content::links(&delivery.artifacts);
        let fetching = async {
            for (artifact, part, url) in links.into_iter().take(FILES) {
                match self.worker.agents.fetch_file(&url, FILE_LARGEST).await {
                    Ok(file) => {
                        let part = &mut delivery.artifacts[artifact]["parts"][part];
                        content::become_file(part, &file.bytes, file.filename, file.media_type);
                    }
                    Err(error) => {
                        tracing::debug!(task = %self.claim.task, error = error.message, "a file was not fetched")
                    }
                }
            }
        };
        // What was fetched by then is kept.
        tokio::select! {
            () = fetching => {}
            () = tokio::time::sleep(FILES_LIMIT) => {}
            () = self.worker.abandon.cancelled() => {}
        }
        delivery
    }

    /// The task was called off or ran out of time: the agent may stop working. If it does not hear it here, it is written down
    /// that it is to be told.
    pub(super) async fn tell_it_is_over(&self) {
        let Some(id) = &self.remote else { return };
        let told = tokio::select! {
            told = self.worker.agents.cancel(&self.target, id) => told,
            // Another process tells it.
            () = self.worker.abandon.cancelled() => return,
        };
        match told {
            Err(error) if error.transient => {
                tracing::debug!(task = %self.claim.task, error = error.message, "the agent was not told of the end");
            }
            Ok(()) | Err(_) => cancels::forget(self.worker, self.claim.task).await,
        }
    }
}
