//! What the played agents see of their callers: the calls under way, and the ids that messages come with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Utc};

/// A moment at which an agent had more calls under way than it takes.
#[derive(Clone, Debug)]
pub struct TooMany {
    pub most: usize,
    pub at: DateTime<Utc>,
    /// What the calls were about.
    pub texts: Vec<String>,
}

/// How a text was sent.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    pub ids: BTreeSet<String>,
    pub times: u32,
}

/// Notes of all agents.
#[derive(Default)]
pub struct Calls {
    next: AtomicU64,
    open: Mutex<BTreeMap<usize, BTreeMap<u64, String>>>,
    pub peaks: Mutex<BTreeMap<usize, usize>>,
    pub too_many: Mutex<Vec<TooMany>>,
    pub sent: Mutex<BTreeMap<String, Sent>>,
}

/// A call under way, until it is answered or its connection is gone.
pub struct Call {
    agent: usize,
    id: u64,
    calls: Arc<Calls>,
}

impl Calls {
    pub fn begin(self: &Arc<Calls>, agent: usize, most: usize, text: &str) -> Call {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut open = self.open.lock().unwrap();
        let now = open.entry(agent).or_default();
        now.insert(id, text.to_owned());
        let n = now.len();
        if n > most {
            let texts = now.values().cloned().collect();
            self.too_many.lock().unwrap().push(TooMany { most, at: Utc::now(), texts });
        }
        let mut peaks = self.peaks.lock().unwrap();
        let peak = peaks.entry(agent).or_default();
        *peak = n.max(*peak);
        Call { agent, id, calls: Arc::clone(self) }
    }

    /// Notes that a message came; answers with how often it has come, this time included.
    pub fn came(&self, text: &str, message_id: &str) -> u32 {
        let mut sent = self.sent.lock().unwrap();
        let sent = sent.entry(text.to_owned()).or_default();
        sent.ids.insert(message_id.to_owned());
        sent.times += 1;
        sent.times
    }

    /// Calls under way about texts that begin like this.
    pub fn under_way(&self, beginning: &str) -> usize {
        self.open.lock().unwrap().values().flat_map(BTreeMap::values).filter(|t| t.starts_with(beginning)).count()
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(open) = self.calls.open.lock().unwrap().get_mut(&self.agent) {
            open.remove(&self.id);
        }
    }
}
