//! A task followed by an A2A client: a snapshot, then what happens, piece by piece and in order (A2A 1.0, section 3.5.2).

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::routes::told::last_notice_at;
use domain::tasks::Told;
use domain::tasks::content;
use domain::tasks::told::{self as domain_told, News as Happened};
use domain::{Actor, Db};
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::time::Instant;

use super::place::{Ears, Place};
use super::told::{self, Extent};
use crate::state::AppState;
use crate::task_events::News;
use crate::web::failure::log_if_ours;

/// How long the task is kept back from whoever sent a message: some agents answer with a message, and then that is all that is
/// told (section 3.1.2).
const PATIENCE: Duration = Duration::from_secs(1);

/// What a streaming operation answers with.
pub enum Events {
    /// What happens to a task.
    Task(Box<Follow>),
    /// One message, which is all.
    Said(Option<Value>),
}

impl Events {
    /// The next event, and whether it is the last. `None`: the stream is over.
    pub async fn next(&mut self) -> Option<(Value, bool)> {
        match self {
            Events::Task(follow) => follow.next().await,
            Events::Said(message) => Some((message.take()?, true)),
        }
    }
}

/// Somebody who follows a task.
pub struct Follow {
    db: Db,
    place: Place,
    actor: Actor,
    task: Told,
    ears: Ears,
    stopping: broadcast::Receiver<()>,
    /// The task as it is told first.
    first: Value,
    seen_event: i32,
    seen_update: i64,
    /// What each artifact that was told holds, to see at the end whether it was told whole.
    told: HashMap<String, usize>,
    /// Whether it was told that the agent is at work.
    working: bool,
    /// Since when it has been, if it was not told because the task itself was kept back.
    ran: Option<DateTime<Utc>>,
    /// Until when the task is kept back; `None`: it is not, or was told.
    kept_back: Option<Instant>,
    task_told: bool,
    /// Whether a question ends the stream.
    until_asked: bool,
    ready: VecDeque<(Value, bool)>,
    over: bool,
    looked: bool,
}

impl Follow {
    /// Tells the task as it is first; ends with the task, or with a question of its agent's.
    pub fn new(state: &AppState, place: Place, actor: Actor, task: Told, ears: Ears, history: Option<usize>) -> Follow {
        let told = told::artifacts(&task).iter().map(|a| (id_of(a), content::size(a))).collect();
        Follow {
            db: state.db.clone(),
            place,
            actor,
            seen_event: task.last_seq,
            seen_update: task.last_update,
            told,
            working: told::state(&task) == "TASK_STATE_WORKING",
            first: told::task(&task, Extent { history, artifacts: true }),
            task,
            ears,
            stopping: state.stopping.subscribe(),
            ran: None,
            kept_back: None,
            task_told: false,
            until_asked: true,
            ready: VecDeque::new(),
            over: false,
            looked: false,
        }
    }

    /// Goes on behind event number `seq`, which the snapshot may have passed already.
    pub fn since(mut self, seq: i32) -> Follow {
        if seq > 0 {
            self.seen_event = seq.min(self.seen_event);
        }
        self
    }

    /// Tells all that has happened since a request was passed on, which may be more than its snapshot.
    pub fn anew(mut self) -> Follow {
        // The request, and whom it went to.
        self.rewind(last_notice_at(&self.task) + 1);
        self
    }

    /// Keeps the task back for a moment, in case the agent answers with a message.
    pub fn patient(mut self) -> Follow {
        self.kept_back = Some(Instant::now() + PATIENCE);
        self.rewind(1);
        self
    }

    /// What happened between the order and the snapshot is told piece by piece too. `messages`: how many the order has.
    fn rewind(&mut self, messages: usize) {
        if told::has_ended(&self.task) || self.task.waiting.is_some() || self.task.last_update > 0 {
            (self.seen_event, self.seen_update) = (0, 0);
            self.told.clear();
            self.working = false;
            self.first["status"] = json!({ "state": "TASK_STATE_SUBMITTED", "timestamp": told::time(self.task.since) });
            if let Some(first) = self.first.as_object_mut() {
                first.remove("artifacts");
                if let Some(history) = first.get_mut("history").and_then(Value::as_array_mut) {
                    history.truncate(messages);
                }
            }
        }
    }

    /// Goes on over questions.
    pub fn past_questions(mut self) -> Follow {
        self.until_asked = false;
        self
    }

    /// The next event, and whether it is the last. `None`: the stream is over.
    pub async fn next(&mut self) -> Option<(Value, bool)> {
        if !self.looked {
            self.looked = true;
            if self.kept_back.is_none() {
                self.tell_task();
            }
            self.look().await;
        }
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            let patience = self.kept_back.unwrap_or_else(|| Instant::now() + Duration::from_secs(86_400));
            tokio::select! {
                news = self.ears.next() => match news {
                    News::Event(_) | News::Updates | News::Missed => self.look().await,
                    News::Rung => {}
                },
                () = tokio::time::sleep_until(patience) => self.tell_task(),
                stop = self.stopping.recv() => {
                    if !matches!(stop, Err(broadcast::error::RecvError::Lagged(_))) {
                        self.over = true;
                    }
                }
            }
        }
    }

    fn tell(&mut self, event: Value) {
        self.ready.push_back((event, false));
    }

    /// Tells the task, once, and that it runs where that was kept back with it.
    fn tell_task(&mut self) {
        if std::mem::replace(&mut self.task_told, true) {
            return;
        }
        self.kept_back = None;
        let task = self.first.take();
        self.tell(json!({ "task": task }));
        if let Some(at) = self.ran.take() {
            self.tell_working(None, at);
        }
    }

    fn tell_working(&mut self, said: Option<&Value>, at: DateTime<Utc>) {
        if said.is_some() || !self.working {
            self.working = true;
            let event = told::working(&self.task, said, at);
            self.tell(event);
        }
    }

    /// Reads what is new.
    async fn look(&mut self) {
        loop {
            let (work, seen) = (self.task.work, (self.seen_event, self.seen_update));
            let news = domain_told::news_after(&self.db, &self.actor, work, seen.0, seen.1).await;
            let news = match news {
                Ok(news) if news.is_empty() => {
                    if self.place == Place::Platform && self.turned().await {
                        continue;
                    }
                    return;
                }
                Ok(news) => news,
                Err(error) => {
                    log_if_ours(&error);
                    self.over = true;
                    return;
                }
            };
            for one in news {
                match one {
                    Happened::Update(n, body, at) => {
                        self.seen_update = n;
                        self.piece(&body, at);
                    }
                    Happened::Event(seq, kind, at) => {
                        self.seen_event = seq;
                        self.event(&kind, at).await;
                    }
                }
                if self.over {
                    return;
                }
            }
        }
    }

    /// Where the task is a request: whether somebody else was hired for it. Tells of that, or that the request is over.
    async fn turned(&mut self) -> bool {
        let now = match self.place.told(&self.db, &self.actor, self.task.id).await {
            Ok(now) => now,
            Err(error) => {
                log_if_ours(&error);
                self.over = true;
                return false;
            }
        };
        if now.work == self.task.work {
            if told::has_ended(&now) {
                self.settled().await;
            }
            return false;
        }
        self.ears.turn_to(&now);
        // From its beginning, whatever has happened since.
        (self.seen_event, self.seen_update) = (0, 0);
        self.told.clear();
        self.task = now;
        self.tell_task();
        if let Some(said) = self.task.history.get(last_notice_at(&self.task)).cloned() {
            self.tell_working(Some(&said), self.task.since);
        }
        true
    }

    /// A piece of what the agent streams.
    fn piece(&mut self, body: &Value, at: DateTime<Utc>) {
        self.tell_task();
        if let Some(said) = body.get("said") {
            self.tell_working(Some(said), at);
        }
        if let Some(artifact) = body.get("artifact") {
            self.tell_working(None, at);
            let flag = |name: &str| body[name] == json!(true);
            let known = self.told.entry(id_of(artifact)).or_default();
            // The first piece of one that is not known begins it, whatever the agent calls it.
            let append = flag("append") && *known > 0;
            *known = if append { *known + content::size(artifact) } else { content::size(artifact) };
            let event = told::artifact_update(&self.task, artifact, append, flag("lastChunk"));
            self.tell(event);
        }
    }

    async fn event(&mut self, kind: &str, at: DateTime<Utc>) {
        match kind {
            // The agent may answer with a message: the task is not told for this alone.
            "running" if self.kept_back.is_some() => self.ran = Some(at),
            "running" => self.tell_working(None, at),
            "reply" => {
                self.working = false;
                self.tell_working(None, at);
            }
            // What it means to a request is not decided yet.
            "failed" if self.place == Place::Platform => {}
            "asks" | "completed" | "failed" | "cancelled" => self.settled().await,
            _ => {}
        }
    }

    /// It has ended, or its agent asks: as it is now.
    async fn settled(&mut self) {
        match self.place.told(&self.db, &self.actor, self.task.id).await {
            // Somebody else was hired meanwhile, which is told first.
            Ok(task) if task.work != self.task.work => return,
            Ok(task) => self.task = task,
            Err(error) => {
                log_if_ours(&error);
                self.over = true;
                return;
            }
        }
        let ended = told::has_ended(&self.task);
        if let Some(message) = told::answer_by_message(&self.task).filter(|_| self.kept_back.is_some()) {
            self.over = true;
            self.ready.push_back((json!({ "message": message }), true));
            return;
        }
        if !ended && self.task.waiting.is_none() {
            // A question that was answered before it was read of.
            return;
        }
        let status = told::status_update(&self.task, told::status(&self.task));
        self.ran = None;
        self.tell_task();
        for artifact in told::artifacts(&self.task) {
            let known = self.told.get(&id_of(&artifact)).copied();
            if known.is_none_or(|size| !same(size, &artifact)) {
                let event = told::artifact_update(&self.task, &artifact, false, ended);
                self.told.insert(id_of(&artifact), content::size(&artifact));
                self.tell(event);
            }
        }
        self.working = false;
        self.over = ended || self.until_asked;
        let last = self.over;
        self.ready.push_back((status, last));
    }
}

/// Whether an artifact that was told in pieces of so many bytes is whole: what stands around a piece's content is counted with
/// each piece, so the pieces are never less than the whole.
fn same(told: usize, artifact: &Value) -> bool {
    told >= content::size(artifact)
}

fn id_of(artifact: &Value) -> String {
    artifact["artifactId"].as_str().unwrap_or_default().to_owned()
}
