//! Reading an agent's card (A2A specification, section "Agent Discovery") into a listing.

use std::time::Duration;

use domain::Credits;
use domain::agents::{NewAgent, Skill, rules};
use serde_json::Value;
use url::Url;

use super::AgentClient;
use crate::outbound::Head;

mod interfaces;

pub(super) use interfaces::candidates;
pub use interfaces::target;

/// The extension that carries the JSON Schemas of skills; the card's skill object has no room for them.
pub const SCHEMAS: &str = "urn:nexus:a2a:skill-schemas:1";
/// The extension that carries the price.
pub const PRICING: &str = "urn:nexus:a2a:pricing:1";

/// Where cards are: the name since 0.3, and the one before.
const WELL_KNOWN: [&str; 2] = ["agent-card.json", "agent.json"];

/// A listing as its card tells it.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The listing.
    pub listing: NewAgent,
    /// Whether the card named a price.
    pub has_price: bool,
}

/// Fetches the card behind what somebody pasted: the card's own address, or the agent's.
///
/// # Errors
/// One sentence.
pub async fn fetch(client: &AgentClient, pasted: &str) -> Result<Imported, String> {
    let pasted = pasted.trim();
    let pasted = if pasted.contains("://") { pasted.to_owned() } else { format!("https://{pasted}") };
    let url = Url::parse(&pasted).map_err(|_| "is not a URL such as https://agents.example.org/a2a".to_owned())?;
    let mut first = None;
    for address in places(&url) {
        let request =
            client.outbound().get(address.clone()).header("accept", "application/json").header("A2A-Version", "1.0");
        let why = match client.outbound().send(request, Duration::from_secs(10)).await {
            Ok(answer) if answer.status.is_success() => match serde_json::from_slice::<Value>(&answer.body) {
                Ok(value) if answer.may_be_json() => return import(&value, address.as_str()),
                _ => format!("no agent card was found: {address} answered, but not with JSON"),
            },
            Ok(answer) => format!("no agent card was found: {address} answered with {}", answered(&answer)),
            // The other places are on the same host.
            Err(error) => return Err(format!("no agent card was found at {address}: {error}")),
        };
        first.get_or_insert(why);
    }
    Err(first.unwrap_or_else(|| "no agent card was found".into()))
}

fn answered(head: &Head) -> String {
    let status = head.status.as_u16();
    match &head.location {
        Some(to) if head.status.is_redirection() => format!("a redirect to {to}: paste that address if it is right"),
        _ => format!("status {status}"),
    }
}

/// Where the card may be: as pasted when that looks like a card, else below the address, else at the host's root.
fn places(url: &Url) -> Vec<Url> {
    if url.path().ends_with(".json") {
        return vec![url.clone()];
    }
    let mut found: Vec<Url> = Vec::new();
    for base in [url.path().trim_end_matches('/'), ""] {
        for name in WELL_KNOWN {
            let mut place = url.clone();
            place.set_query(None);
            place.set_fragment(None);
            place.set_path(&format!("{base}/.well-known/{name}"));
            if !found.contains(&place) {
                found.push(place);
            }
        }
    }
    found
}

/// Reads a card of any version.
///
/// # Errors
/// One sentence, when it is no agent card or offers no address that we can call.
pub fn import(value: &Value, card_url: &str) -> Result<Imported, String> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("name").trim().is_empty() {
        return Err(format!("{card_url} is not an agent card: it names no agent"));
    }
    let best = interfaces::interfaces(value).into_iter().next().ok_or_else(|| interfaces::why_none(value))?;
    let price = extension(value, PRICING)
        .and_then(|p| p.get("creditsPerTask"))
        .and_then(Value::as_str)
        .and_then(|p| p.parse::<Credits>().ok());
    let skills = skills_of(value);
    let mut tags: Vec<String> = Vec::new();
    for tag in skills.iter().flat_map(|s| &s.tags).filter_map(|t| rules::to_tag(t)) {
        if !tags.contains(&tag) && tags.len() < rules::TAGS_MAX {
            tags.push(tag);
        }
    }
    Ok(Imported {
        has_price: price.is_some(),
        listing: NewAgent {
            name: text("name").trim().chars().take(100).collect(),
            description: text("description").chars().take(rules::DESCRIPTION_MAX).collect(),
            endpoint: best.url,
            tags,
            skills,
            price: price.unwrap_or(Credits::ZERO),
            card: value.clone(),
            card_url: Some(card_url.to_owned()),
            ..NewAgent::default()
        },
    })
}

/// The skills of a card, with the schemas of the extension.
pub fn skills_of(card: &Value) -> Vec<Skill> {
    let schemas = extension(card, SCHEMAS).and_then(|p| p.get("skills"));
    let declared = card.get("skills").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut skills: Vec<Skill> = Vec::new();
    for mut skill in declared.iter().take(rules::SKILLS_MAX).filter_map(skill) {
        let own = schemas.and_then(|s| s.get(&skill.id));
        let schema = |key: &str| own.and_then(|o| o.get(key)).filter(|v| v.is_object()).cloned();
        skill.input_schema = schema("inputSchema");
        skill.output_schema = schema("outputSchema");
        if !skills.iter().any(|s| s.id == skill.id) {
            skills.push(skill);
        }
    }
    skills
}

/// One skill: the object of any version, or the bare name that the oldest cards have.
fn skill(declared: &Value) -> Option<Skill> {
    let mut skill = match declared {
        Value::String(name) => Skill { name: name.clone(), ..Skill::default() },
        Value::Object(members) => {
            // Some writers put null where the specification says to leave a member out.
            let said = members.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect();
            serde_json::from_value(Value::Object(said)).ok()?
        }
        _ => return None,
    };
    if skill.id.is_empty() {
        skill.id = rules::to_tag(&skill.name)?;
    }
    if skill.name.trim().is_empty() {
        skill.name = skill.id.clone();
    }
    skill.name = skill.name.chars().take(100).collect();
    skill.description = skill.description.chars().take(2_000).collect();
    Some(skill)
}

fn extension<'a>(card: &'a Value, uri: &str) -> Option<&'a Value> {
    let extensions = card.get("capabilities")?.get("extensions")?.as_array()?;
    extensions.iter().find(|e| e.get("uri").and_then(Value::as_str) == Some(uri))?.get("params")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn card() -> Value {
        json!({
            "name": "Echo", "description": "Repeats", "version": "1.0.0", "defaultInputModes": ["text/plain"],
            "defaultOutputModes": ["text/plain"],
            "supportedInterfaces": [
                {"url": "https://x.example/rest", "protocolBinding": "HTTP+JSON", "protocolVersion": "1.0"},
                {"url": "https://x.example/rpc", "protocolBinding": "JSONRPC", "protocolVersion": "1.0", "tenant": "t1"}],
            "capabilities": {"extensions": [
                {"uri": SCHEMAS, "params": {"skills": {"echo": {"inputSchema": {"type": "object"}}}}},
                {"uri": PRICING, "params": {"creditsPerTask": "2.50"}}]},
            "skills": [{"id": "echo", "name": "Echo", "description": "d", "tags": ["Text Tools"], "examples": ["hi"]}]
        })
    }

    #[test]
    fn a_card_fills_a_listing() {
        let got = import(&card(), "https://x.example/card.json").unwrap().listing;
        assert_eq!(
            (got.name.as_str(), got.endpoint.as_str(), got.price.to_string()),
            ("Echo", "https://x.example/rpc", "2.50".into())
        );
        assert_eq!(got.tags, ["text-tools"]);
        assert_eq!(got.skills[0].input_schema, Some(json!({"type": "object"})));
        assert_eq!(rules::check(&got), vec![]);
    }

    #[test]
    fn older_cards_fill_a_listing_too() {
        let mut old = card();
        old.as_object_mut().unwrap().remove("supportedInterfaces");
        old["url"] = json!("https://x.example/old");
        old["protocolVersion"] = json!("0.3.0");
        old["skills"][0]["inputModes"] = json!(["text/plain"]);
        old["skills"][0]["outputModes"] = Value::Null;
        let got = import(&old, "u").unwrap().listing;
        assert_eq!((got.endpoint.as_str(), got.skills[0].input_modes.len()), ("https://x.example/old", 1));
        assert_eq!((got.price.to_string().as_str(), rules::check(&got)), ("2.50", vec![]));
        let oldest = json!({"name": "Bare", "url": "https://x.example/", "skills": ["Sum up", {"name": "Count words"}],
            "authentication": {"schemes": ["bearer"]}});
        let got = import(&oldest, "u").unwrap().listing;
        let ids: Vec<&str> = got.skills.iter().map(|s| s.id.as_str()).collect();
        assert_eq!((ids, rules::check(&got)), (vec!["sum-up", "count-words"], vec![]));
    }

    #[test]
    fn what_cannot_be_called_is_said() {
        let mut other = card();
        other["supportedInterfaces"] =
            json!([{"url": "https://x.example", "protocolBinding": "GRPC", "protocolVersion": "1.0"}]);
        assert!(import(&other, "u").unwrap_err().contains("gRPC alone"));
        assert!(import(&json!({"hello": 1}), "u").unwrap_err().contains("not an agent card"));
    }

    #[test]
    fn the_card_is_looked_for_below_the_address_and_at_the_root() {
        let of = |u: &str| places(&u.parse().unwrap()).iter().map(Url::to_string).collect::<Vec<_>>();
        assert_eq!(
            of("https://x.example/a/?q=1"),
            [
                "https://x.example/a/.well-known/agent-card.json",
                "https://x.example/a/.well-known/agent.json",
                "https://x.example/.well-known/agent-card.json",
                "https://x.example/.well-known/agent.json"
            ]
        );
        assert_eq!(of("https://x.example").len(), 2);
        assert_eq!(of("https://x.example/my-card.json"), ["https://x.example/my-card.json"]);
    }
}
