//! The platform's own agent: it hires whoever fits for those who do not know whom to hire, and says whom and why
//! ([`domain::routes`]).

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use chrono::Utc;
use domain::agents::{self, SearchQuery};
use domain::routes::{self, Candidate, Nobody, Ordered, Picked, Request, Strategy, Wishes};
use domain::tasks::{Part, PartBody, content};
use domain::{Actor, TaskId};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::card;
use super::error::{GatewayError, Result};
use super::operations::{Call, TIMEOUT_SECONDS, seconds};
use super::request::{self, Send};
use super::version::{self, Version};
use crate::a2a::card::PRICING;
use crate::state::AppState;

/// The skill that hires.
const HIRE: &str = "find-and-hire";
/// The skill that only finds.
const DISCOVER: &str = "discover";
/// How many agents are told of at once.
const SHOWN: usize = 10;

/// What becomes of a message.
pub enum Heard<T> {
    /// It is answered by a message, and that is all.
    Answered(Value),
    /// It is a task.
    Begun(T),
}

/// Names of wishes, as messages have them.
const NAMES: [&str; 7] = ["skill", "skillId", "tags", "maxCredits", "strategy", "minTrust", "maxAgents"];

/// What a message asks for: which of our skills, and what of the agent.
#[derive(Debug, Default, PartialEq)]
struct Asked {
    discover: bool,
    wishes: Wishes,
}

/// Does what a message asks for.
///
/// # Errors
/// A wish that is none; as [`routes::order`].
pub async fn hear(call: &Call, actor: &Actor, mut send: Send) -> Result<Heard<TaskId>> {
    let asked = asked(&mut send)?;
    let context = send.context.clone();
    if asked.discover {
        let found = discover(call, actor, &asked.wishes, &send.parts).await.map_err(|e| call.refused(e))?;
        return Ok(Heard::Answered(found.said(context)));
    }
    if send.parts.is_empty() {
        return Err(GatewayError::field(
            "message.parts",
            "must say what the agent is to do, beside what is wished of it",
        ));
    }
    let timeout_seconds = seconds(send.asked(TIMEOUT_SECONDS))?;
    let order = Request {
        wishes: asked.wishes,
        message: send.message,
        parts: send.parts,
        context: send.context,
        timeout_seconds,
    };
    let ordered = routes::order(&call.state.db, actor, &order, send.push.as_ref(), Utc::now()).await;
    match ordered.map_err(|e| call.refused(e))? {
        Ordered::Hired(id) => Ok(Heard::Begun(id)),
        Ordered::Nobody(nobody) => Ok(Heard::Answered(Found::none(nobody).said(context))),
    }
}

// What is wished --------------------------------------------------------------------------------------------------

/// Reads the wishes of a message and takes the data part that only says them out of it. In metadata only the names of wishes are
/// read; a data part that has one of them has no others.
fn asked(send: &mut Send) -> Result<Asked> {
    let mut out = Asked::default();
    let mut skills = Vec::new();
    for name in NAMES {
        if let Some(value) = send.asked(name) {
            wish(&mut out.wishes, &mut skills, name, value, &format!("metadata.{name}"))?;
        }
    }
    if let Some(value) = send.asked(super::operations::MAX_CREDITS) {
        out.wishes.max_credits = Some(request::credits(value, super::operations::MAX_CREDITS)?);
    }
    let is_wishes = |part: &Part| match &part.body {
        PartBody::Data(Value::Object(fields)) => fields.keys().any(|k| NAMES.contains(&k.as_str())),
        PartBody::Data(_) | PartBody::Text(_) | PartBody::Raw(_) | PartBody::Url(_) => false,
    };
    if let Some(n) = send.parts.iter().position(is_wishes) {
        let part = send.parts.remove(n);
        if let Some(parts) = send.message.get_mut("parts").and_then(Value::as_array_mut) {
            parts.remove(n);
        }
        if let PartBody::Data(Value::Object(fields)) = &part.body {
            for (name, value) in fields {
                let at = format!("message.parts[{n}].data.{name}");
                wish(&mut out.wishes, &mut skills, name, value, &at)?;
            }
        }
    }
    for (skill, at) in skills {
        match skill.as_str() {
            HIRE => {}
            DISCOVER => out.discover = true,
            _ if out.wishes.skill.as_ref().is_some_and(|known| *known != skill) => {
                return Err(GatewayError::field(at, "names another skill than the rest of the message"));
            }
            _ => out.wishes.skill = Some(skill),
        }
    }
    Ok(out)
}

/// Reads one wish, which stands `at`. Names of skills are ours or an agent's, which is seen at the end.
fn wish(wishes: &mut Wishes, skills: &mut Vec<(String, String)>, name: &str, value: &Value, at: &str) -> Result<()> {
    let wrong = |what: &str| GatewayError::field(at, what);
    let text = || value.as_str().filter(|t| !t.is_empty()).map(str::to_owned);
    match name {
        "skill" | "skillId" => skills.push((text().ok_or_else(|| wrong("must be the id of a skill"))?, at.to_owned())),
        "tags" => {
            let tags = value.as_array().filter(|tags| tags.iter().all(Value::is_string));
            let tags = tags.ok_or_else(|| wrong("must be a list of strings"))?;
            wishes.tags = tags.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        }
        "maxCredits" => {
            let sum = request::credits(value, at)?;
            if sum.is_negative() {
                return Err(wrong("cannot be negative"));
            }
            wishes.max_credits = Some(sum);
        }
        "strategy" => {
            let known = Strategy::ALL.map(Strategy::as_str).join(", ");
            let strategy = value.as_str().and_then(Strategy::parse);
            wishes.strategy = strategy.ok_or_else(|| wrong(&format!("must be one of {known}")))?;
        }
        "minTrust" => {
            let trust = value.as_f64().filter(|t| (0.0..=100.0).contains(t));
            wishes.min_trust = Some(trust.ok_or_else(|| wrong("must be a number from 0 to 100"))?);
        }
        "maxAgents" => {
            let most = request::whole(value).filter(|n| (1..=5).contains(n)).and_then(|n| i32::try_from(n).ok());
            wishes.max_agents = most.ok_or_else(|| wrong("must be a whole number from 1 to 5"))?;
        }
        _ => return Err(wrong(&format!("is no wish; there are {}", NAMES.join(", ")))),
    }
    Ok(())
}

// What is found ---------------------------------------------------------------------------------------------------

/// Who fits, as it is said.
struct Found {
    text: String,
    data: Value,
}

impl Found {
    fn none(nobody: Nobody) -> Found {
        let mut text = match nobody.online {
            0 => "No agent that you could hire is online.".to_owned(),
            1 => "Nobody fits. One agent that you could hire is online.".to_owned(),
            n => format!("Nobody fits. {n} agents that you could hire are online."),
        };
        for (wish, count) in &nobody.without {
            let fit = if *count == 1 { "1 would fit".to_owned() } else { format!("{count} would fit") };
            text += &format!(" Without {wish}, {fit}.");
        }
        let without: Value = nobody.without.iter().map(|(wish, count)| json!({ "wish": wish, "fit": count })).collect();
        Found { text, data: json!({ "agents": [], "online": nobody.online, "without": without }) }
    }

    fn some(site: &Url, found: &[Candidate]) -> Found {
        let fit = if found.len() == 1 { "1 agent fits".to_owned() } else { format!("{} agents fit", found.len()) };
        let shown = &found[..found.len().min(SHOWN)];
        let line = |c: &Candidate| format!("\n- {}: {} credits, trust {:.2}", c.name, c.price, c.trust);
        let agents: Value = shown
            .iter()
            .map(|c| {
                let mut agent = json!({
                    "agentId": c.agent, "name": c.name, "description": c.description, "price": c.price.to_string(),
                    "trust": c.trust, "url": card::address(site, c.agent).as_str(),
                });
                if let Some(ms) = c.p50_ms {
                    agent["medianMs"] = json!(ms.round());
                }
                agent
            })
            .collect();
        let text = format!("{fit}, the first choice first:{}", shown.iter().map(line).collect::<String>());
        Found { text, data: json!({ "agents": agents, "fit": found.len() }) }
    }

    /// `Message`.
    fn said(self, context: Option<String>) -> Value {
        json!({
            "messageId": Uuid::new_v4(), "role": "ROLE_AGENT",
            "contextId": context.unwrap_or_else(|| Uuid::new_v4().to_string()),
            "parts": [{ "text": self.text }, { "data": self.data, "mediaType": "application/json" }],
        })
    }
}

/// Agents that fit, in the order in which they would be asked. Where the text's words find some of them, those alone.
async fn discover(call: &Call, actor: &Actor, wishes: &Wishes, parts: &[Part]) -> domain::Result<Found> {
    let db = &call.state.db;
    let mut found = match routes::pick(db, actor, wishes, parts, &[]).await? {
        Picked::Found(found) => found,
        Picked::Nobody(nobody) => return Ok(Found::none(nobody)),
    };
    let text: String = content::text_of(parts).chars().take(200).collect();
    if !text.trim().is_empty() {
        let meant = agents::search(db, actor, &SearchQuery { text, ..SearchQuery::default() }, 100).await?.page.items;
        if found.iter().any(|c| meant.iter().any(|m| m.id == c.agent)) {
            found.retain(|c| meant.iter().any(|m| m.id == c.agent));
        }
    }
    Ok(Found::some(&call.state.public_url, &found))
}

// Its card --------------------------------------------------------------------------------------------------------

/// The platform's card: in 1.0, in 0.3 to who asks for that.
pub async fn show(State(state): State<AppState>, headers: HeaderMap, uri: Uri) -> Response {
    match version::named(&headers, &uri) {
        Ok(version) => respond(&state, version.unwrap_or(Version::V1), &headers).await,
        Err(error) => error.rest_response(Version::V1, "application/json"),
    }
}

/// The platform's card in 0.3: where clients of that time look.
pub async fn show_v03(State(state): State<AppState>, headers: HeaderMap) -> Response {
    respond(&state, Version::V03, &headers).await
}

async fn respond(state: &AppState, version: Version, headers: &HeaderMap) -> Response {
    card::shown(card::signed(state, of(&state.public_url)).await, state, version, headers)
}

fn of(site: &Url) -> Value {
    let at = |path: &str| {
        let mut url = site.clone();
        url.set_path(path);
        url
    };
    let (schemes, requirements) = card::security(site);
    let text = ["text/plain", "application/json"];
    json!({
        "name": "NEXUS",
        "description": "Finds an agent on the NEXUS marketplace that fits a request, hires it with your credits, and hires the next \
                        one if it fails. Says whom it hired and why.",
        "version": env!("CARGO_PKG_VERSION"),
        "provider": { "organization": "NEXUS", "url": at("/").as_str() },
        "documentationUrl": at("/docs/a2a").as_str(),
        "supportedInterfaces": card::interfaces(&at("/a2a")),
        "capabilities": {
            "streaming": true, "pushNotifications": true, "extendedAgentCard": false,
            "extensions": [{
                "uri": PRICING, "description": "It costs nothing itself: each agent that it hires is paid its own price",
                "params": { "pricePerTask": "0.00", "currency": "credits" },
            }],
        },
        "securitySchemes": schemes,
        "securityRequirements": requirements,
        // What is sent goes to an agent that takes it.
        "defaultInputModes": ["*/*"],
        "defaultOutputModes": ["*/*"],
        "skills": [
            {
                "id": HIRE, "name": "Find and hire",
                "description": "Passes the message on to an agent that fits. Wishes, in a data part of their own or in the message's \
                                metadata: skill (its id), tags (all of them), maxCredits (\"2.50\"), strategy (best, cheapest, \
                                fastest or most-trusted), minTrust (0 to 100), maxAgents (how many are tried, 1 to 5). The task \
                                keeps its id whoever works on it; metadata names the agent, its price and its task.",
                "tags": ["routing", "delegation", "hiring"],
                "examples": ["Summarise this article in three sentences: …"],
            },
            {
                "id": DISCOVER, "name": "Discover",
                "description": "Lists agents that fit the same wishes and the words of the message, with price, trust and address. \
                                Hires nobody and costs nothing.",
                "tags": ["search", "directory"], "examples": ["Who translates to French?"],
                "inputModes": text, "outputModes": text,
            },
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(parts: Value, metadata: Value) -> Send {
        let params = json!({"message": {"messageId": "m", "role": "ROLE_USER", "parts": parts, "metadata": metadata}});
        request::send(&params, Version::V1).unwrap()
    }

    #[test]
    fn wishes_are_read_and_taken_out() {
        let wishes = json!({"skillId": "sum", "tags": ["a", "b"], "maxCredits": "2.50", "strategy": "cheapest", "minTrust": 70,
            "maxAgents": 2.0});
        let rows = json!({"data": {"rows": [1]}});
        let mut send = message(json!([{"text": "do"}, {"data": wishes}, rows]), json!({"trace": "t"}));
        let read = asked(&mut send).unwrap();
        let expected = Wishes {
            skill: Some("sum".into()),
            tags: vec!["a".into(), "b".into()],
            max_credits: Some("2.50".parse().unwrap()),
            strategy: Strategy::Cheapest,
            min_trust: Some(70.0),
            max_agents: 2,
        };
        assert_eq!(read, Asked { discover: false, wishes: expected });
        assert_eq!(send.message["parts"], json!([{"text": "do"}, rows]), "what is not a wish is the agent's");
        assert_eq!(send.parts.len(), 2);
        // In metadata, and with our own skill beside the agent's.
        let mut send =
            message(json!([{"text": "who"}, {"data": {"skill": "sum"}}]), json!({"skillId": "discover", "x": 1}));
        let read = asked(&mut send).unwrap();
        assert_eq!((read.discover, read.wishes.skill.as_deref()), (true, Some("sum")));
    }

    #[test]
    fn a_wish_that_is_none_is_named() {
        for (data, field) in [
            (json!({"skill": "x", "budget": 1}), "message.parts[1].data.budget"),
            (json!({"skill": 5}), "message.parts[1].data.skill"),
            (json!({"tags": "a"}), "message.parts[1].data.tags"),
            (json!({"tags": [1]}), "message.parts[1].data.tags"),
            (json!({"maxCredits": 2.5}), "message.parts[1].data.maxCredits"),
            (json!({"maxCredits": "-1"}), "message.parts[1].data.maxCredits"),
            (json!({"strategy": "luck"}), "message.parts[1].data.strategy"),
            (json!({"minTrust": "70"}), "message.parts[1].data.minTrust"),
            (json!({"minTrust": 101}), "message.parts[1].data.minTrust"),
            (json!({"maxAgents": 6}), "message.parts[1].data.maxAgents"),
            (json!({"maxAgents": 0}), "message.parts[1].data.maxAgents"),
            (json!({"skill": "x", "skillId": "y"}), "message.parts[1].data.skillId"),
        ] {
            let mut send = message(json!([{"text": "do"}, {"data": data}]), json!({}));
            let error = asked(&mut send).unwrap_err().rpc();
            assert_eq!(
                (&error["code"], &error["data"][1]["fieldViolations"][0]["field"]),
                (&json!(-32602), &json!(field))
            );
        }
        let mut send = message(json!([{"text": "do"}]), json!({"strategy": 1}));
        assert!(asked(&mut send).unwrap_err().rpc()["message"].as_str().unwrap().starts_with("metadata.strategy"));
    }
}
