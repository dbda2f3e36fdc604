//! Reading an agent's card (A2A 1.0, section "Agent Discovery") into a listing.

use std::time::Duration;

use a2a::AgentCard;
use domain::Credits;
use domain::agents::{NewAgent, Skill, rules};
use serde_json::Value;
use url::Url;

use super::{AgentClient, Target};

/// The extension that carries the JSON Schemas of skills; the card's skill object has no room for them.
pub const SCHEMAS: &str = "urn:nexus:a2a:skill-schemas:1";
/// The extension that carries the price.
pub const PRICING: &str = "urn:nexus:a2a:pricing:1";

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
    let mut last = String::new();
    for address in candidates(&url) {
        let request =
            client.outbound().get(address.clone()).header("accept", "application/json").header("A2A-Version", "1.0");
        match client.outbound().send(request, Duration::from_secs(10)).await {
            Ok(answer) if answer.status.is_success() => {
                let value: Value = serde_json::from_slice(&answer.body)
                    .map_err(|_| format!("{address} answered, but not with JSON"))?;
                return import(&value, address.as_str());
            }
            Ok(answer) => {
                last = format!("no agent card was found: {address} answered with status {}", answer.status.as_u16())
            }
            Err(error) => last = format!("no agent card was found at {address}: {error}"),
        }
    }
    Err(last)
}

/// Where the card may be: as pasted when that looks like a card, else below the address, else at the host's root.
fn candidates(url: &Url) -> Vec<Url> {
    if url.path().ends_with(".json") {
        return vec![url.clone()];
    }
    let mut below = url.clone();
    below.set_query(None);
    below.set_fragment(None);
    let mut root = below.clone();
    below.set_path(&format!("{}/.well-known/agent-card.json", url.path().trim_end_matches('/')));
    root.set_path("/.well-known/agent-card.json");
    if below == root { vec![below] } else { vec![below, root] }
}

/// Reads a card.
///
/// # Errors
/// One sentence, when it is no card of A2A 1.0 or offers no address that we can call.
pub fn import(value: &Value, card_url: &str) -> Result<Imported, String> {
    let card: AgentCard =
        serde_json::from_value(value.clone()).map_err(|e| format!("{card_url} is not an A2A 1.0 agent card: {e}"))?;
    let interface = card
        .supported_interfaces
        .iter()
        .find(|i| i.protocol_binding.eq_ignore_ascii_case("JSONRPC") && i.protocol_version.starts_with("1."))
        .ok_or("the card names no JSON-RPC interface of A2A 1.x, which is what NEXUS speaks")?;
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
            name: card.name.chars().take(100).collect(),
            description: card.description.chars().take(rules::DESCRIPTION_MAX).collect(),
            endpoint: interface.url.clone(),
            tags,
            skills,
            price: price.unwrap_or(Credits::ZERO),
            card: value.clone(),
            card_url: Some(card_url.to_owned()),
        },
    })
}

/// The skills of a card, with the schemas of the extension.
pub fn skills_of(card: &Value) -> Vec<Skill> {
    let schemas = extension(card, SCHEMAS).and_then(|p| p.get("skills"));
    let declared = card.get("skills").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    declared
        .iter()
        .take(rules::SKILLS_MAX)
        .filter_map(|s| serde_json::from_value::<Skill>(s.clone()).ok())
        .map(|mut skill| {
            let own = schemas.and_then(|s| s.get(&skill.id));
            let schema = |key: &str| own.and_then(|o| o.get(key)).filter(|v| v.is_object()).cloned();
            skill.input_schema = schema("inputSchema");
            skill.output_schema = schema("outputSchema");
            skill
        })
        .collect()
}

fn extension<'a>(card: &'a Value, uri: &str) -> Option<&'a Value> {
    let extensions = card.get("capabilities")?.get("extensions")?.as_array()?;
    extensions.iter().find(|e| e.get("uri").and_then(Value::as_str) == Some(uri))?.get("params")
}

/// Whom to call for a listing: its endpoint, with the tenant that the card's interface of that address names.
///
/// # Errors
/// One sentence, when the endpoint is no URL.
pub fn target(endpoint: &str, card: &Value, secrets: &domain::agents::SigningSecrets) -> Result<Target, String> {
    let url = Url::parse(endpoint).map_err(|_| "the agent's address is not a URL".to_owned())?;
    let interfaces = card.get("supportedInterfaces").and_then(Value::as_array);
    let tenant = interfaces
        .and_then(|all| all.iter().find(|i| i.get("url").and_then(Value::as_str) == Some(endpoint)))
        .and_then(|i| i.get("tenant")?.as_str())
        .map(str::to_owned);
    Ok(Target { endpoint: url, tenant, secrets: secrets.clone() })
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
        let target = target(&got.endpoint, &card(), &domain::agents::SigningSecrets(vec![])).unwrap();
        assert_eq!(target.tenant.as_deref(), Some("t1"));
    }

    #[test]
    fn what_cannot_be_called_is_said() {
        let mut old = card();
        old["supportedInterfaces"] =
            json!([{"url": "https://x.example", "protocolBinding": "JSONRPC", "protocolVersion": "0.3"}]);
        assert!(import(&old, "u").unwrap_err().contains("A2A 1.x"));
        assert!(import(&json!({"hello": 1}), "u").unwrap_err().contains("not an A2A 1.0 agent card"));
    }

    #[test]
    fn the_card_is_looked_for_below_the_address_and_at_the_root() {
        let of = |u: &str| candidates(&u.parse().unwrap()).iter().map(Url::to_string).collect::<Vec<_>>();
        assert_eq!(
            of("https://x.example/a/?q=1"),
            ["https://x.example/a/.well-known/agent-card.json", "https://x.example/.well-known/agent-card.json"]
        );
        assert_eq!(of("https://x.example"), ["https://x.example/.well-known/agent-card.json"]);
        assert_eq!(of("https://x.example/my-card.json"), ["https://x.example/my-card.json"]);
    }
}
