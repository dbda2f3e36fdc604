//! The tasks of one agent, in memory and bounded.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use a2a::Message;

use super::live_task::LiveTask;

/// How many tasks an agent remembers.
const CAPACITY: usize = 1_000;

/// Tasks by id and by the message that began them. Beyond the capacity the oldest ended task is forgotten; one
/// under way never is.
pub(super) struct TaskStore {
    capacity: usize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    by_id: HashMap<String, Arc<LiveTask>>,
    by_message: HashMap<String, Arc<LiveTask>>,
    oldest_first: VecDeque<String>,
}

/// What a message found.
pub(super) enum Opened {
    /// A task that begins with it.
    New(Arc<LiveTask>),
    /// The task it began earlier: whoever sends a message again, after a crash say, gets the same work.
    Known(Arc<LiveTask>),
    /// No room: every remembered task is under way.
    Full,
}

impl TaskStore {
    pub fn new() -> Self {
        TaskStore { capacity: CAPACITY, held: Mutex::default() }
    }

    /// The task for `message`. Of several copies of a message exactly one gets [`Opened::New`].
    pub fn open(&self, message: &Message) -> Opened {
        let mut held = self.held();
        if let Some(task) = held.by_message.get(&message.message_id) {
            return Opened::Known(Arc::clone(task));
        }
        if held.by_id.len() >= self.capacity && !held.forget_oldest_ended() {
            return Opened::Full;
        }
        let task = Arc::new(LiveTask::new(message));
        held.by_id.insert(task.id(), Arc::clone(&task));
        held.by_message.insert(message.message_id.clone(), Arc::clone(&task));
        held.oldest_first.push_back(task.id());
        Opened::New(task)
    }

    /// The task that `message_id` began.
    pub fn begun_by(&self, message_id: &str) -> Option<Arc<LiveTask>> {
        self.held().by_message.get(message_id).map(Arc::clone)
    }

    /// The task called `id`.
    pub fn find(&self, id: &str) -> Option<Arc<LiveTask>> {
        self.held().by_id.get(id).map(Arc::clone)
    }

    /// A panic elsewhere cannot leave the maps half-changed in a way that matters, so a poisoned lock is used on.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn forget_oldest_ended(&mut self) -> bool {
        let ended = |id: &String| self.by_id.get(id).is_none_or(|task| task.is_over());
        let Some(at) = self.oldest_first.iter().position(ended) else {
            return false;
        };
        if let Some(task) = self.oldest_first.remove(at).and_then(|id| self.by_id.remove(&id)) {
            self.by_message.remove(task.message_id());
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use a2a::{Part, Role};

    use super::*;
    use crate::agent::Refusal;

    fn message() -> Message {
        Message::new(Role::User, vec![Part::text("x")])
    }

    #[test]
    fn one_message_one_task() {
        let store = TaskStore::new();
        let message = message();
        let Opened::New(first) = store.open(&message) else { panic!("not new") };
        let Opened::Known(again) = store.open(&message) else { panic!("not known") };
        assert!(Arc::ptr_eq(&first, &again));
        assert!(store.find(&first.id()).is_some() && store.find("other").is_none());
    }

    #[test]
    fn the_oldest_ended_task_makes_room() {
        let store = TaskStore { capacity: 2, ..TaskStore::new() };
        let messages = [message(), message(), message()];
        let Opened::New(running) = store.open(&messages[0]) else { panic!("full") };
        let Opened::New(ended) = store.open(&messages[1]) else { panic!("full") };
        assert!(matches!(store.open(&messages[2]), Opened::Full));
        ended.finish(Err(Refusal::failed("no")));
        assert!(matches!(store.open(&messages[2]), Opened::New(_)));
        assert!(store.find(&running.id()).is_some() && store.find(&ended.id()).is_none());
        assert!(store.begun_by(&messages[1].message_id).is_none());
    }
}
