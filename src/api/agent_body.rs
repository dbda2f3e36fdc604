//! An agent as programs see it and write it.

use chrono::{DateTime, Utc};
use domain::Error;
use domain::agents::{AgentDetail, AgentSummary, NewAgent, OwnedAgent, Skill, rules};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::Money;
use super::input::double;

/// One thing that an agent can do.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Skill)]
pub struct SkillBody {
    /// What callers name it by; unique within the agent, at most 100 characters without spaces.
    id: String,
    /// For people; at most 100 characters.
    name: String,
    /// What it does; at most 2,000 characters.
    #[serde(default)]
    description: String,
    /// Words to find it by.
    #[serde(default)]
    tags: Vec<String>,
    /// Prompts that it is good at.
    #[serde(default)]
    examples: Vec<String>,
    /// Media types that it takes, where they differ from the agent's.
    #[serde(default)]
    input_modes: Vec<String>,
    /// Media types that it answers with, where they differ from the agent's.
    #[serde(default)]
    output_modes: Vec<String>,
    /// JSON Schema of the data that it takes: an object of at most 20 kB.
    #[schema(value_type = Option<Object>)]
    input_schema: Option<Value>,
    /// JSON Schema of the data that it answers with.
    #[schema(value_type = Option<Object>)]
    output_schema: Option<Value>,
}

impl From<Skill> for SkillBody {
    fn from(s: Skill) -> SkillBody {
        SkillBody {
            id: s.id,
            name: s.name,
            description: s.description,
            tags: s.tags,
            examples: s.examples,
            input_modes: s.input_modes,
            output_modes: s.output_modes,
            input_schema: s.input_schema,
            output_schema: s.output_schema,
        }
    }
}

fn skills(bodies: Vec<SkillBody>) -> Vec<Skill> {
    let skill = |s: SkillBody| Skill {
        id: s.id.trim().to_owned(),
        name: s.name.trim().to_owned(),
        description: s.description,
        tags: s.tags,
        examples: s.examples,
        input_modes: s.input_modes,
        output_modes: s.output_modes,
        input_schema: s.input_schema,
        output_schema: s.output_schema,
    };
    bodies.into_iter().map(skill).collect()
}

/// An agent in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentRow {
    /// The agent.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// What it does.
    pub description: String,
    /// `online`, `degraded` (listed; answers badly of late) or `offline`.
    #[schema(example = "online")]
    pub status: &'static str,
    /// What it can do.
    pub skills: Vec<SkillBody>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// 0 to 100.
    pub trust_score: f64,
    /// Per task.
    pub price_credits: Money,
    /// Chosen for the front shelf.
    pub featured: bool,
    /// Tasks completed that count for trust.
    pub completed: i64,
    /// Tasks failed by its fault.
    pub failed: i64,
    /// Whether its owner proved that the address is theirs.
    pub verified: bool,
}

impl From<AgentSummary> for AgentRow {
    fn from(a: AgentSummary) -> AgentRow {
        AgentRow {
            id: a.id.0,
            name: a.name,
            description: a.description,
            status: a.status.as_str(),
            skills: a.skills.into_iter().map(SkillBody::from).collect(),
            tags: a.tags,
            trust_score: a.trust,
            price_credits: Money(a.price),
            featured: a.featured,
            completed: a.completed,
            failed: a.failed,
            verified: a.verified,
        }
    }
}

/// One of your agents in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnAgentRow {
    /// What everybody sees.
    #[serde(flatten)]
    row: AgentRow,
    /// Whether you have it on the list.
    listed: bool,
    /// Why people do not find it; `null` where they do.
    #[schema(required)]
    why_not_listed: Option<String>,
    /// Earned so far, fees taken off.
    earned_credits: Money,
    /// When it was registered.
    created_at: DateTime<Utc>,
    /// When it was retired.
    #[schema(required)]
    retired_at: Option<DateTime<Utc>>,
}

impl From<OwnedAgent> for OwnAgentRow {
    fn from(a: OwnedAgent) -> OwnAgentRow {
        OwnAgentRow {
            why_not_listed: a.why_not_listed(),
            listed: a.listed,
            earned_credits: Money(a.earned),
            created_at: a.created_at,
            retired_at: a.retired_at,
            row: a.summary.into(),
        }
    }
}

/// An agent, whole.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Agent {
    /// What a list shows.
    #[serde(flatten)]
    pub row: AgentRow,
    /// Who lists it.
    publisher: String,
    /// When it was registered.
    created_at: DateTime<Utc>,
    /// Its public page.
    url: String,
    /// What its owner alone sees, with a key that has `agents:read`; else `null`.
    #[schema(required)]
    pub owner: Option<OwnerPart>,
}

/// What the owner of an agent sees besides.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnerPart {
    /// Where it answers A2A requests.
    endpoint: String,
    /// Where its card was fetched.
    #[schema(required)]
    card_url: Option<String>,
    /// Its agent card, as it was fetched; an empty object where there was none.
    #[schema(value_type = Object)]
    card: Value,
    /// When it answered a test call at this address.
    #[schema(required)]
    tested_at: Option<DateTime<Utc>>,
    /// Whether you have it on the list.
    listed: bool,
    /// Why people do not find it; `null` where they do.
    #[schema(required)]
    why_not_listed: Option<String>,
    /// Why it is listed with a mark; `null` where it is not.
    #[schema(required)]
    why_degraded: Option<String>,
    /// Earned so far, fees taken off.
    earned_credits: Money,
    /// Tasks that it is given at once.
    max_concurrent: i32,
    /// In how many seconds it promises an answer.
    #[schema(required)]
    promised_seconds: Option<i32>,
    /// When it was retired.
    #[schema(required)]
    retired_at: Option<DateTime<Utc>>,
}

fn page(site: &Url, id: Uuid) -> String {
    format!("{}/marketplace/{id}", site.as_str().trim_end_matches('/'))
}

impl Agent {
    /// As everybody sees it. `site` is where people reach NEXUS.
    pub fn public(a: AgentDetail, site: &Url) -> Agent {
        Agent {
            url: page(site, a.summary.id.0),
            row: a.summary.into(),
            publisher: a.publisher,
            created_at: a.created_at,
            owner: None,
        }
    }

    /// As its owner sees it.
    pub fn own(a: OwnedAgent, publisher: String, site: &Url) -> Agent {
        let owner = OwnerPart {
            why_not_listed: a.why_not_listed(),
            why_degraded: a.why_degraded(),
            endpoint: a.endpoint,
            card_url: a.card_url,
            card: a.card,
            tested_at: a.tested_at,
            listed: a.listed,
            earned_credits: Money(a.earned),
            max_concurrent: a.max_concurrent,
            promised_seconds: a.promised_seconds,
            retired_at: a.retired_at,
        };
        Agent {
            url: page(site, a.summary.id.0),
            row: a.summary.into(),
            publisher,
            created_at: a.created_at,
            owner: Some(owner),
        }
    }

    /// What its owner writes. States and figures move by themselves, and are in nobody's way.
    pub fn written(&self) -> Value {
        let (row, owner) = (&self.row, self.owner.as_ref());
        serde_json::json!([
            row.name,
            row.description,
            row.skills,
            row.tags,
            row.price_credits,
            owner.map(|o| (&o.endpoint, &o.card_url, &o.card, o.listed, o.max_concurrent, o.promised_seconds)),
        ])
    }
}

/// An agent and the one sight of its signing secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegisteredAgent {
    /// The agent.
    #[serde(flatten)]
    pub agent: Agent,
    /// What requests to it are signed with (Standard Webhooks), so that it can refuse other callers. Shown this once.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: String,
}

/// A listing: from an agent card, from fields, or from a card with fields over it.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewAgent)]
pub struct NewAgentBody {
    /// The address of its card, or of the agent; it is fetched, and fills what is left out here.
    pub card_url: Option<String>,
    /// What it is called; 1 to 100 characters.
    name: Option<String>,
    /// What it does, for people; at most 5,000 characters.
    description: Option<String>,
    /// Where it answers A2A requests.
    endpoint: Option<String>,
    /// Words to find it by: at most 10, each 1 to 30 lower-case letters, digits and dashes.
    tags: Option<Vec<String>>,
    /// What it can do; at most 50.
    skills: Option<Vec<SkillBody>>,
    /// Per task; 0.00 when left out.
    #[schema(value_type = Option<Money>)]
    price_credits: Option<Money>,
    /// Tasks that it is given at once, 1 to 1,000; 16 when left out.
    #[schema(minimum = 1, maximum = 1000)]
    max_concurrent: Option<i32>,
    /// In how many seconds it promises an answer, 1 to 3,600.
    #[schema(minimum = 1, maximum = 3600)]
    promised_seconds: Option<i32>,
}

impl NewAgentBody {
    /// The listing: what the card says, with these fields over it.
    pub fn over(self, mut card: NewAgent) -> NewAgent {
        let promised_seconds = self.promised_seconds.map(Some);
        AgentChangeBody {
            name: self.name,
            description: self.description,
            endpoint: self.endpoint,
            tags: self.tags,
            skills: self.skills,
            price_credits: self.price_credits,
            max_concurrent: self.max_concurrent,
            promised_seconds,
            listed: None,
        }
        .apply(&mut card);
        card
    }
}

/// What changes of a listing; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = AgentChange)]
pub struct AgentChangeBody {
    /// What it is called.
    name: Option<String>,
    /// What it does, for people.
    description: Option<String>,
    /// Where it answers A2A requests. A new one takes it off the list until it has answered a test call.
    endpoint: Option<String>,
    /// Words to find it by.
    tags: Option<Vec<String>>,
    /// What it can do: all of it.
    skills: Option<Vec<SkillBody>>,
    /// Per task. What was ordered keeps its price.
    #[schema(value_type = Option<Money>)]
    price_credits: Option<Money>,
    /// Tasks that it is given at once, 1 to 1,000.
    #[schema(minimum = 1, maximum = 1000)]
    max_concurrent: Option<i32>,
    /// In how many seconds it promises an answer; `null` takes the promise back.
    #[serde(default, deserialize_with = "double")]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 3600)]
    promised_seconds: Option<Option<i32>>,
    /// On the list or off it. On needs an answered test call and a skill.
    pub listed: Option<bool>,
}

impl AgentChangeBody {
    /// Writes the fields over a listing; answers with whether there were any.
    pub fn apply(self, to: &mut NewAgent) -> bool {
        fn put<T>(field: &mut T, new: Option<T>) -> bool {
            new.map(|new| *field = new).is_some()
        }
        [
            put(&mut to.name, self.name),
            put(&mut to.description, self.description),
            put(&mut to.endpoint, self.endpoint),
            put(&mut to.tags, self.tags),
            put(&mut to.skills, self.skills.map(skills)),
            put(&mut to.price, self.price_credits.map(|m| m.0)),
            put(&mut to.max_concurrent, self.max_concurrent),
            put(&mut to.promised_seconds, self.promised_seconds),
        ]
        .contains(&true)
    }
}

/// A listing as it is.
pub fn listing(agent: &OwnedAgent) -> NewAgent {
    NewAgent {
        name: agent.summary.name.clone(),
        description: agent.summary.description.clone(),
        endpoint: agent.endpoint.clone(),
        tags: agent.summary.tags.clone(),
        skills: agent.summary.skills.clone(),
        price: agent.summary.price,
        card: agent.card.clone(),
        card_url: agent.card_url.clone(),
        max_concurrent: agent.max_concurrent,
        promised_seconds: agent.promised_seconds,
    }
}

/// The fields of a form as this API calls them.
pub fn in_words(error: Error) -> Error {
    error.with_fields_named(&[
        ("price", "priceCredits"),
        ("max_concurrent", "maxConcurrent"),
        ("promised_seconds", "promisedSeconds"),
        ("status", "listed"),
    ])
}

const _: () = assert!(rules::TAGS_MAX == 10 && rules::SKILLS_MAX == 50 && rules::CONCURRENT_DEFAULT == 16);
