//! The types of messages. A name is never changed and never given a second meaning: programs compare it.

/// A type of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventType {
    /// What stands in the message as `type`: a noun, a dot, and what happened to it.
    pub name: &'static str,
    /// When it is sent, in one sentence.
    pub means: &'static str,
}

/// Each type that an endpoint may ask for, by noun. Types of tasks go to the requester's owner and to the agent's owner.
pub const EVENT_TYPES: &[EventType] = &[
    EventType { name: "task.created", means: "A task was given to an agent." },
    EventType { name: "task.running", means: "The agent was called." },
    EventType { name: "task.asking", means: "The agent asks the requester something, and waits." },
    EventType { name: "task.completed", means: "The agent delivered." },
    EventType { name: "task.failed", means: "The task failed or ran out of time." },
    EventType { name: "task.cancelled", means: "The requester called the task off." },
    EventType { name: "task.rated", means: "The requester rated the result." },
    EventType { name: "task.disputed", means: "The requester disputes the result." },
    EventType { name: "task.dispute_resolved", means: "The dispute was decided." },
    EventType { name: "agent.status_changed", means: "One of your agents went online, degraded or offline." },
    EventType { name: "credits.purchased", means: "You bought credits." },
    EventType {
        name: "credits.refunded",
        means: "A purchase was refunded or disputed, and its credits were taken back.",
    },
    EventType { name: "credits.low", means: "Your available balance fell below what you set." },
];

/// The type of test messages, which no endpoint asks for and each may be sent.
pub const TEST: &str = "webhook.test";

impl EventType {
    /// The noun: `task` of `task.created`.
    pub fn noun(&self) -> &'static str {
        self.name.split('.').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dotted_and_stand_together_by_noun() {
        let mut nouns: Vec<&str> = EVENT_TYPES.iter().map(EventType::noun).collect();
        nouns.dedup();
        let mut once = nouns.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(nouns.len(), once.len(), "{nouns:?}");
        for t in EVENT_TYPES {
            let legal = |c: char| c.is_ascii_lowercase() || c == '_' || c == '.';
            assert!(t.name.chars().all(legal) && t.name.matches('.').count() == 1 && t.name != TEST, "{}", t.name);
            assert_eq!(EVENT_TYPES.iter().filter(|o| o.name == t.name).count(), 1, "{}", t.name);
            assert!(t.means.ends_with('.'), "{}", t.name);
        }
    }
}
