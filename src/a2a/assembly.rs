//! Puts a stream's events together: what is known of the task now, and what its end means. No network here.

use domain::Credits;
use serde_json::{Value, json};

use super::call_error::CallError;
use super::dialect::{Event, Snapshot, State};
use super::reply::{self, Reply, Working};
use crate::outbound::ANSWER_LIMIT;

/// Most events of one stream.
const EVENTS_MAX: usize = 100_000;

/// Most artifacts of one stream.
const ARTIFACTS_MAX: usize = 1_000;

/// A task as its stream has told it so far.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    working: Working,
    /// What each artifact has taken of the limit, in bytes.
    sizes: Vec<usize>,
    cost: Option<Credits>,
    events: usize,
    /// Pieces that nobody was told of yet.
    fresh: Vec<Value>,
    /// Whether it has said that it has a task.
    taken: bool,
}

impl Assembly {
    /// A stream after a task that is known already.
    pub(super) fn of(task: &str) -> Assembly {
        Assembly { working: Working { task: task.to_owned(), ..Working::default() }, ..Assembly::default() }
    }

    /// The task as it is now.
    pub(super) fn working(&self) -> &Working {
        &self.working
    }

    /// The pieces that came since this was asked last, as [`domain::tasks::told::relay`] takes them.
    pub(super) fn fresh(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.fresh)
    }

    /// Adds an event that took `size` bytes; answers with the end, or the question, if that is what it is.
    ///
    /// # Errors
    /// [`CallError`] when the stream has grown beyond what is kept.
    pub(super) fn take(&mut self, event: Event, size: usize) -> Result<Option<Reply>, CallError> {
        self.events += 1;
        if self.events > EVENTS_MAX {
            return Err(CallError::protocol(format!("The agent's stream has more than {EVENTS_MAX} events")));
        }
        if !self.taken && !matches!(event, Event::Message(_)) {
            self.taken = true;
            self.fresh.push(json!({ "taken": true }));
        }
        let end = match event {
            Event::Message(message) => Some(reply::of_message(message)),
            Event::Task(snapshot) => {
                let whole =
                    snapshot.artifacts.iter().map(|a| json!({ "artifact": a, "append": false, "lastChunk": false }));
                self.fresh.extend(whole);
                self.replace(snapshot, size)?
            }
            Event::Status(snapshot) => {
                if matches!(snapshot.state, Some(State::Submitted | State::Working)) {
                    self.fresh.extend(snapshot.said.iter().map(|said| json!({ "said": said })));
                }
                self.status(snapshot)?
            }
            Event::Artifact { task, context, artifact, append, last } => {
                self.name(task, context);
                self.fresh.push(json!({ "artifact": artifact, "append": append, "lastChunk": last }));
                self.artifact(artifact, append, size);
                None
            }
        };
        if self.sizes.len() > ARTIFACTS_MAX {
            return Err(CallError::protocol(format!("The agent's stream has more than {ARTIFACTS_MAX} artifacts")));
        }
        if self.sizes.iter().sum::<usize>() > ANSWER_LIMIT {
            return Err(CallError::protocol("The agent's stream has brought more than 8 MB"));
        }
        Ok(end)
    }

    fn name(&mut self, task: String, context: Option<String>) {
        if !task.is_empty() {
            self.working.task = task;
        }
        if context.is_some() {
            self.working.context = context;
        }
    }

    /// The whole task again. One without artifacts does not take back those that were streamed.
    fn replace(&mut self, mut snapshot: Snapshot, size: usize) -> Result<Option<Reply>, CallError> {
        if !snapshot.artifacts.is_empty() {
            self.working.artifacts = std::mem::take(&mut snapshot.artifacts);
            self.sizes = vec![0; self.working.artifacts.len()];
            self.sizes[0] = size;
        }
        self.status(snapshot)
    }

    fn status(&mut self, snapshot: Snapshot) -> Result<Option<Reply>, CallError> {
        self.name(snapshot.id, snapshot.context);
        self.cost = snapshot.cost.or(self.cost);
        if matches!(snapshot.state, Some(State::Submitted | State::Working)) {
            let said = snapshot.said.last().map(reply::text_of).filter(|t| !t.is_empty());
            self.working.progress = said.or_else(|| self.working.progress.take());
            return Ok(None);
        }
        reply::of_task(Snapshot {
            id: self.working.task.clone(),
            context: self.working.context.clone(),
            artifacts: self.working.artifacts.clone(),
            cost: self.cost,
            state: snapshot.state,
            said: snapshot.said,
            history: snapshot.history,
        })
        .map(Some)
    }

    fn artifact(&mut self, artifact: Value, append: bool, size: usize) {
        let known = self.working.artifacts.iter().position(|a| a["artifactId"] == artifact["artifactId"]);
        match known {
            Some(n) if append => {
                extend(&mut self.working.artifacts[n], artifact);
                self.sizes[n] += size;
            }
            Some(n) => {
                self.working.artifacts[n] = artifact;
                self.sizes[n] = size;
            }
            None => {
                self.working.artifacts.push(artifact);
                self.sizes.push(size);
            }
        }
    }
}

/// Adds a chunk. Text goes on where text was, so that what was streamed reads as one.
fn extend(known: &mut Value, mut chunk: Value) {
    for key in ["name", "description", "metadata"] {
        if let Some(value) = chunk.get(key) {
            known[key] = value.clone();
        }
    }
    let more = chunk.get_mut("parts").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
    let Some(parts) = known.get_mut("parts").and_then(Value::as_array_mut) else { return };
    for part in more {
        match (parts.last_mut(), part.get("text").and_then(Value::as_str)) {
            (Some(last), Some(text)) if is_plain_text(last) && is_plain_text(&part) => {
                if let Some(Value::String(known)) = last.get_mut("text") {
                    known.push_str(text);
                }
            }
            _ => parts.push(part),
        }
    }
}

/// Whether a part is text without a name or type of its own.
fn is_plain_text(part: &Value) -> bool {
    part.get("text").is_some_and(Value::is_string)
        && part.get("filename").is_none()
        && part.get("mediaType").is_none_or(|t| *t == json!("text/plain"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(text: &str, append: bool) -> Event {
        let artifact = json!({"artifactId": "a", "name": "answer", "parts": [{"text": text}]});
        Event::Artifact { task: "t".into(), context: Some("c".into()), artifact, append, last: false }
    }

    fn status(state: State, said: &str) -> Event {
        let said = if said.is_empty() { vec![] } else { vec![json!({"messageId": "m", "parts": [{"text": said}]})] };
        Event::Status(Snapshot { id: "t".into(), state: Some(state), said, ..Snapshot::default() })
    }

    #[test]
    fn streamed_text_reads_as_one() {
        let mut so_far = Assembly::default();
        for (text, append) in [("Once ", false), ("upon ", true), ("a time", true)] {
            assert!(so_far.take(chunk(text, append), 10).unwrap().is_none());
        }
        let artifact = json!({"artifactId": "a", "name": "answer", "parts": [{"text": "Once upon a time"}]});
        assert_eq!(so_far.working().artifacts, std::slice::from_ref(&artifact));
        let data = json!({"artifactId": "a", "parts": [{"data": 1}, {"text": "x"}]});
        so_far
            .take(Event::Artifact { task: "t".into(), context: None, artifact: data, append: true, last: false }, 9)
            .unwrap();
        let parts = json!([{"text": "Once upon a time"}, {"data": 1}, {"text": "x"}]);
        assert_eq!(so_far.working().artifacts[0]["parts"], parts);
        so_far.take(chunk("Anew", false), 10).unwrap();
        assert_eq!(so_far.working().artifacts[0]["parts"], json!([{"text": "Anew"}]), "not appended: in its place");
        assert_eq!(so_far.working().context.as_deref(), Some("c"));
    }

    #[test]
    fn the_end_brings_what_was_streamed() {
        let mut so_far = Assembly::default();
        assert!(so_far.take(status(State::Working, "reading"), 10).unwrap().is_none());
        assert!(so_far.take(status(State::Working, ""), 10).unwrap().is_none());
        assert_eq!(so_far.working().progress.as_deref(), Some("reading"), "a bare status takes nothing back");
        so_far.take(chunk("done", false), 10).unwrap();
        let bare = Snapshot { id: "t".into(), state: Some(State::Completed), ..Snapshot::default() };
        let Some(Reply::Completed(delivery)) = so_far.take(Event::Task(bare), 10).unwrap() else { panic!() };
        assert_eq!(delivery.artifacts[0]["parts"], json!([{"text": "done"}]));
    }

    #[test]
    fn what_is_kept_has_a_limit_and_what_is_replaced_does_not_count() {
        let mut so_far = Assembly::default();
        for _ in 0..10 {
            so_far.take(chunk("again", false), ANSWER_LIMIT / 2).unwrap();
        }
        so_far.take(chunk("more", true), ANSWER_LIMIT / 2).unwrap();
        assert!(so_far.take(chunk("more", true), 1).is_err());
        let mut endless = Assembly::default();
        let full = (0..=EVENTS_MAX).find_map(|_| endless.take(status(State::Working, ""), 1).err());
        assert!(full.is_some_and(|e| e.message.contains("events")));
        let mut scattered = Assembly::default();
        let full = (0..=ARTIFACTS_MAX).find_map(|n| {
            let artifact = json!({"artifactId": n.to_string(), "parts": []});
            scattered
                .take(Event::Artifact { task: "t".into(), context: None, artifact, append: false, last: false }, 1)
                .err()
        });
        assert!(full.is_some_and(|e| e.message.contains("artifacts")));
    }
}
