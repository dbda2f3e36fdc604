//! What an agent is made of: what it is listed as, its skills, and how work on a message begins.

use std::future::Future;
use std::pin::Pin;

use a2a::{Artifact, Message};
use serde_json::Value;

use crate::protocol::misbehaviour::Misbehaviour;
use crate::protocol::progress::Progress;

/// One agent of the set, as a marketplace lists it.
#[derive(Clone, Copy, Debug)]
pub struct DemoAgent {
    /// Its path, and its name in `nexus agent SLUG`.
    pub slug: &'static str,
    /// Its name as people read it.
    pub name: &'static str,
    /// Credits a task, two decimals: `"10.00"`.
    pub price: &'static str,
    /// Lower-case words to find it by.
    pub tags: &'static [&'static str],
    /// Whether the front page shows it.
    pub featured: bool,
    /// Tasks worth running against it.
    pub samples: &'static [Sample],
}

/// A task worth running against an agent: it completes, and its result is worth a look.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The id of the skill.
    pub skill: &'static str,
    /// A short title, as a person would give the task.
    pub title: &'static str,
    /// A JSON object, valid against the skill's input schema.
    pub input: &'static str,
}

/// An agent with everything its card and its server need.
pub(crate) struct Agent {
    pub listing: DemoAgent,
    pub description: &'static str,
    pub version: &'static str,
    /// Never empty; the first is the one for a message that names none.
    pub skills: &'static [Skill],
    /// How a message makes this agent break the protocol on purpose. `None` for agents that people hire.
    pub misbehave: Option<fn(&Message) -> Option<Misbehaviour>>,
}

impl Agent {
    /// The skill that `message` asks for.
    pub fn skill_for(&self, message: &Message) -> Result<&'static Skill, Refusal> {
        let asked = message.metadata.as_ref().and_then(|m| m.get("skillId"));
        let id = match asked {
            None | Some(Value::Null) => {
                return self.skills.first().ok_or_else(|| Refusal::failed("this agent has no skill"));
            }
            Some(Value::String(id)) => id,
            Some(_) => return Err(Refusal::rejected("skillId", "must be a text; send the id of a skill")),
        };
        self.skills.iter().find(|skill| skill.id == id).ok_or_else(|| {
            let known: Vec<&str> = self.skills.iter().map(|skill| skill.id).collect();
            let fix = format!("there is no such skill here; use one of: {}", known.join(", "));
            Refusal::rejected("skillId", fix)
        })
    }
}

/// One thing an agent can do.
pub(crate) struct Skill {
    pub id: &'static str,
    pub name: &'static str,
    pub description: &'static str,
    pub tags: &'static [&'static str],
    /// Prompts in plain language.
    pub examples: &'static [&'static str],
    pub input_modes: &'static [&'static str],
    pub output_modes: &'static [&'static str],
    pub input_schema: fn() -> Value,
    pub output_schema: fn() -> Value,
    pub start: Start,
}

/// Begins work on a message. Runs on a thread that may block, so fast agents do everything here.
pub(crate) type Start = fn(&Message) -> Result<Started, Refusal>;

/// What came of beginning.
pub(crate) enum Started {
    /// All is done already.
    Done(Done),
    /// The input is good; the rest takes time and can be watched and cancelled.
    Working(Job),
}

/// The rest of slow work. Dropping the future stops it.
pub(crate) type Job = Box<dyn FnOnce(Progress) -> Running + Send>;
/// See [`Job`].
pub(crate) type Running = Pin<Box<dyn Future<Output = Result<Done, Refusal>> + Send>>;

/// A finished task.
pub(crate) struct Done {
    /// One line for the status message.
    pub line: String,
    pub artifacts: Vec<Artifact>,
}

/// Why a task ends without a result, in words for whoever sent it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The input breaks the skill's schema: `TASK_STATE_REJECTED`.
    Rejected(String),
    /// The input keeps it, and the work still cannot be done: `TASK_STATE_FAILED`.
    Failed(String),
}

impl Refusal {
    /// `field` breaks the schema; `fix` says how and what to send instead.
    pub fn rejected(field: &str, fix: impl AsRef<str>) -> Self {
        Refusal::Rejected(format!("{field}: {}", fix.as_ref()))
    }

    /// `why` starts with the field where one is to blame.
    pub fn failed(why: impl Into<String>) -> Self {
        Refusal::Failed(why.into())
    }
}
