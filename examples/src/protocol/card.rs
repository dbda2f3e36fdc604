//! An agent's A2A 1.0 card, with the two extensions that a marketplace reads: schemas of the skills, and a price.

use std::collections::HashMap;

use a2a::{AgentCapabilities, AgentCard, AgentExtension, AgentInterface, AgentSkill, TRANSPORT_PROTOCOL_JSONRPC};
use serde_json::{Map, Value, json};

use crate::agent::{Agent, Skill};

/// Input and output schemas per skill.
const SKILL_SCHEMAS: &str = "urn:nexus:a2a:skill-schemas:1";
/// What a task costs.
const PRICING: &str = "urn:nexus:a2a:pricing:1";

/// The card as JSON. `base` is the URL that JSON-RPC is posted to, without a trailing slash.
pub(crate) fn value(agent: &Agent, base: &str) -> Option<Value> {
    serde_json::to_value(card(agent, base)).ok()
}

fn card(agent: &Agent, base: &str) -> AgentCard {
    AgentCard {
        name: agent.listing.name.to_owned(),
        description: agent.description.to_owned(),
        version: agent.version.to_owned(),
        supported_interfaces: vec![AgentInterface::new(base, TRANSPORT_PROTOCOL_JSONRPC)],
        capabilities: AgentCapabilities {
            streaming: Some(false),
            push_notifications: Some(false),
            extensions: Some(vec![skill_schemas(agent), pricing(agent)]),
            extended_agent_card: None,
        },
        default_input_modes: modes(agent, |skill| skill.input_modes),
        default_output_modes: modes(agent, |skill| skill.output_modes),
        skills: agent.skills.iter().map(described).collect(),
        provider: None,
        documentation_url: None,
        icon_url: None,
        security_schemes: None,
        security_requirements: None,
        signatures: None,
    }
}

fn described(skill: &Skill) -> AgentSkill {
    AgentSkill {
        id: skill.id.to_owned(),
        name: skill.name.to_owned(),
        description: skill.description.to_owned(),
        tags: owned(skill.tags),
        examples: Some(owned(skill.examples)),
        input_modes: Some(owned(skill.input_modes)),
        output_modes: Some(owned(skill.output_modes)),
        security_requirements: None,
    }
}

fn skill_schemas(agent: &Agent) -> AgentExtension {
    let skills: Map<String, Value> = agent
        .skills
        .iter()
        .map(|skill| {
            let schemas = json!({ "inputSchema": (skill.input_schema)(), "outputSchema": (skill.output_schema)() });
            (skill.id.to_owned(), schemas)
        })
        .collect();
    AgentExtension {
        uri: SKILL_SCHEMAS.to_owned(),
        description: Some(
            "JSON Schemas of each skill's input (the data part) and output (one property per artifact, under its name)."
                .to_owned(),
        ),
        required: Some(false),
        params: Some(HashMap::from([("skills".to_owned(), Value::Object(skills))])),
    }
}

fn pricing(agent: &Agent) -> AgentExtension {
    AgentExtension {
        uri: PRICING.to_owned(),
        description: Some("The price of a task in credits.".to_owned()),
        required: Some(false),
        params: Some(HashMap::from([("creditsPerTask".to_owned(), Value::from(agent.listing.price))])),
    }
}

/// The modes of all skills, each once, in the order they first appear.
fn modes(agent: &Agent, of: fn(&Skill) -> &'static [&'static str]) -> Vec<String> {
    let mut modes: Vec<String> = Vec::new();
    for mode in agent.skills.iter().flat_map(of) {
        if !modes.iter().any(|known| known == mode) {
            modes.push((*mode).to_owned());
        }
    }
    modes
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
