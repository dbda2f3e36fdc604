//! The cards of agents as the gateway shows them (A2A 1.0, section 4.4): their skills, our address, our price.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use domain::agents::{self, Exposed, Skill};
use domain::{AgentId, Error};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use super::error::GatewayError;
use super::rpc::no_agent;
use super::version::{self, Version};
use crate::a2a::card::{PRICING, SCHEMAS};
use crate::state::AppState;

/// The extension in which the extended card says how an agent stands.
pub const STANDING: &str = "urn:nexus:a2a:standing:1";

/// How long a card may be kept.
const MAX_AGE: &str = "public, max-age=60";

/// An agent's card: in 1.0, in 0.3 to who asks for that.
pub async fn show(State(state): State<AppState>, Path(agent): Path<String>, headers: HeaderMap, uri: Uri) -> Response {
    match version::named(&headers, &uri) {
        Ok(version) => respond(&state, &agent, version.unwrap_or(Version::V1), &headers).await,
        Err(error) => error.rest_response(Version::V1, "application/json"),
    }
}

/// An agent's card in 0.3: where clients of that time look.
pub async fn show_v03(State(state): State<AppState>, Path(agent): Path<String>, headers: HeaderMap) -> Response {
    respond(&state, &agent, Version::V03, &headers).await
}

/// The keys that cards are signed with.
pub async fn jwks(State(state): State<AppState>) -> Response {
    match state.signer.jwks(&state.db).await {
        Ok(keys) => ([(header::CACHE_CONTROL, "public, max-age=3600")], axum::Json(keys)).into_response(),
        Err(error) => GatewayError::of(error, &state.public_url).rest_response(Version::V1, "application/json"),
    }
}

async fn respond(state: &AppState, agent: &str, version: Version, headers: &HeaderMap) -> Response {
    let card = match agent.parse::<AgentId>() {
        Ok(id) => of(state, id).await,
        Err(_) => Err(Error::NotFound(domain::Missing::Agent)),
    };
    shown(card, state, version, headers)
}

/// A card with what caches need (section 8.6): an entity tag, an age, and that it varies by version.
pub fn tagged(card: Value, headers: &HeaderMap) -> Response {
    // The signature is another each time; what it is over tells cards apart.
    let mut said = card.clone();
    said.as_object_mut().into_iter().for_each(|c| drop(c.remove("signatures")));
    let hash: String = Sha256::digest(said.to_string()).iter().take(8).map(|b| format!("{b:02x}")).collect();
    let tag = format!("\"{hash}\"");
    let known = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let mut response = if known.is_some_and(|k| k.split(',').any(|t| t.trim().trim_start_matches("W/") == tag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        axum::Json(card).into_response()
    };
    let out = response.headers_mut();
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(MAX_AGE));
    out.insert(header::VARY, HeaderValue::from_static("A2A-Version"));
    out.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(header::ETAG, tag);
    }
    response
}

/// The card as its version has it, or why there is none.
pub(super) fn shown(card: domain::Result<Value>, state: &AppState, version: Version, headers: &HeaderMap) -> Response {
    match card {
        Ok(card) => tagged(if version == Version::V03 { v03(&card) } else { card }, headers),
        Err(Error::NotFound(_)) => no_agent().rest_response(Version::V1, "application/json"),
        Err(error) => GatewayError::of(error, &state.public_url).rest_response(Version::V1, "application/json"),
    }
}

async fn of(state: &AppState, id: AgentId) -> domain::Result<Value> {
    let agent = agents::exposed(&state.db, id).await?;
    signed(state, card(&state.public_url, &agent)).await
}

/// A card with our signature.
///
/// # Errors
/// When the database does not answer.
pub async fn signed(state: &AppState, card: Value) -> domain::Result<Value> {
    let mut jwks = (*state.public_url).clone();
    jwks.set_path("/.well-known/jwks.json");
    state.signer.sign(&state.db, &card, &jwks).await
}

/// The card for who has signed in: with how the agent stands.
///
/// # Errors
/// When the database does not answer.
pub async fn extended(state: &AppState, agent: &Exposed) -> domain::Result<Value> {
    let mut card = card(&state.public_url, agent);
    let detail = agents::detail(&state.db, &domain::Actor::Anonymous, agent.id).await?;
    let standing = json!({
        "uri": STANDING, "description": "How the agent stands on NEXUS",
        "params": { "trust": format!("{:.2}", agent.trust), "completed": detail.summary.completed.to_string(),
                    "failed": detail.summary.failed.to_string(), "status": detail.summary.status.as_str() },
    });
    if let Some(extensions) = card.pointer_mut("/capabilities/extensions").and_then(Value::as_array_mut) {
        extensions.push(standing);
    }
    signed(state, card).await
}

/// Where an agent is reached.
pub fn address(site: &Url, agent: AgentId) -> Url {
    let mut url = site.clone();
    url.set_path(&format!("/a2a/{agent}"));
    url
}

/// How clients show who they are: a key, or a token that a person lets them have.
pub fn security(site: &Url) -> (Value, Value) {
    let at = |path: &str| {
        let mut url = site.clone();
        url.set_path(path);
        url.to_string()
    };
    let scopes = json!({ "agents:read": "See agents", "tasks:read": "See your tasks and their results",
                         "tasks:write": "Hire agents (spends credits), answer, cancel, rate and dispute" });
    let schemes = json!({
        "key": { "httpAuthSecurityScheme": { "scheme": "Bearer", "description": format!("A key of {}", at("/settings/keys")) } },
        "oauth": { "oauth2SecurityScheme": {
            "flows": { "authorizationCode": { "authorizationUrl": at("/oauth/authorize"), "tokenUrl": at("/oauth/token"),
                                              "refreshUrl": at("/oauth/token"), "scopes": scopes, "pkceRequired": true } },
            "oauth2MetadataUrl": at("/.well-known/oauth-authorization-server") } },
    });
    let requirements = json!([
        { "schemes": { "key": { "list": [] } } },
        { "schemes": { "oauth": { "list": ["tasks:read", "tasks:write"] } } },
    ]);
    (schemes, requirements)
}

/// Interfaces at an address: both versions, both bindings, the newest first.
pub fn interfaces(address: &Url) -> Value {
    let at = |binding: &str, version: &str| json!({ "url": address.as_str(), "protocolBinding": binding, "protocolVersion": version });
    json!([at("JSONRPC", "1.0"), at("HTTP+JSON", "1.0"), at("JSONRPC", "0.3"), at("HTTP+JSON", "0.3")])
}

fn card(site: &Url, agent: &Exposed) -> Value {
    let address = address(site, agent.id);
    let (schemes, requirements) = security(site);
    let modes = |own: &[String]| {
        let plain = ["text/plain".to_owned(), "application/json".to_owned()];
        json!(if own.is_empty() { plain.to_vec() } else { own.to_vec() })
    };
    let described = |text: &str, or: &str| json!(if text.is_empty() { or } else { text });
    let mut page = site.clone();
    page.set_path(&format!("/marketplace/{}", agent.id));
    let mut extensions = vec![json!({
        "uri": PRICING, "description": "What a task costs, in NEXUS credits",
        "params": { "pricePerTask": agent.price.to_string(), "currency": "credits" },
    })];
    let schemas: Map<String, Value> = agent.skills.iter().filter_map(schemas_of).collect();
    if !schemas.is_empty() {
        extensions.push(json!({ "uri": SCHEMAS, "description": "JSON Schemas of the skills' data", "params": { "skills": schemas } }));
    }
    json!({
        "name": agent.name,
        "description": described(&agent.description, &agent.name),
        // The listing has no number of its own: when it changed last tells versions apart.
        "version": agent.updated_at.format("%Y.%-m.%-d+%H%M%S").to_string(),
        "provider": { "organization": described(&agent.publisher, "NEXUS"), "url": page.as_str() },
        "documentationUrl": page.as_str(),
        "supportedInterfaces": interfaces(&address),
        "capabilities": { "streaming": true, "pushNotifications": true, "extendedAgentCard": true, "extensions": extensions },
        "securitySchemes": schemes,
        "securityRequirements": requirements,
        "defaultInputModes": modes(&agent.input_modes),
        "defaultOutputModes": modes(&agent.output_modes),
        "skills": agent.skills.iter().map(skill).collect::<Vec<_>>(),
    })
}

fn schemas_of(skill: &Skill) -> Option<(String, Value)> {
    let mut schemas = json!({});
    for (name, schema) in [("input", &skill.input_schema), ("output", &skill.output_schema)] {
        if let Some(schema) = schema {
            schemas[name] = schema.clone();
        }
    }
    schemas.as_object().filter(|s| !s.is_empty())?;
    Some((skill.id.clone(), schemas))
}

fn skill(skill: &Skill) -> Value {
    let described = if skill.description.is_empty() { &skill.name } else { &skill.description };
    // The protocol wants at least one word to find it by.
    let tags = if skill.tags.is_empty() { vec![skill.id.clone()] } else { skill.tags.clone() };
    let mut out = json!({ "id": skill.id, "name": skill.name, "description": described, "tags": tags });
    for (name, items) in
        [("examples", &skill.examples), ("inputModes", &skill.input_modes), ("outputModes", &skill.output_modes)]
    {
        if !items.is_empty() {
            out[name] = json!(items);
        }
    }
    out
}

/// A card of 1.0 in the words of 0.3.
pub fn v03(card: &Value) -> Value {
    let mut out: Map<String, Value> = Map::new();
    for name in [
        "name",
        "description",
        "version",
        "provider",
        "documentationUrl",
        "iconUrl",
        "defaultInputModes",
        "defaultOutputModes",
        "skills",
    ] {
        if let Some(value) = card.get(name) {
            out.insert(name.into(), value.clone());
        }
    }
    let url = card.pointer("/supportedInterfaces/0/url").cloned().unwrap_or_default();
    out.insert("protocolVersion".into(), json!("0.3.0"));
    out.insert("url".into(), url.clone());
    out.insert("preferredTransport".into(), json!("JSONRPC"));
    out.insert(
        "additionalInterfaces".into(),
        json!([{ "url": url, "transport": "JSONRPC" }, { "url": url, "transport": "HTTP+JSON" }]),
    );
    let capabilities = &card["capabilities"];
    out.insert(
        "capabilities".into(),
        json!({
            "streaming": capabilities["streaming"], "pushNotifications": capabilities["pushNotifications"],
            "stateTransitionHistory": false, "extensions": capabilities["extensions"],
        }),
    );
    out.insert("supportsAuthenticatedExtendedCard".into(), capabilities["extendedAgentCard"].clone());
    let described =
        card.pointer("/securitySchemes/key/httpAuthSecurityScheme/description").cloned().unwrap_or_default();
    let mut flow = card
        .pointer("/securitySchemes/oauth/oauth2SecurityScheme/flows/authorizationCode")
        .cloned()
        .unwrap_or_default();
    flow.as_object_mut().into_iter().for_each(|f| drop(f.remove("pkceRequired")));
    let metadata =
        card.pointer("/securitySchemes/oauth/oauth2SecurityScheme/oauth2MetadataUrl").cloned().unwrap_or_default();
    out.insert(
        "securitySchemes".into(),
        json!({
            "key": { "type": "http", "scheme": "bearer", "description": described },
            "oauth": { "type": "oauth2", "flows": { "authorizationCode": flow }, "oauth2MetadataUrl": metadata },
        }),
    );
    out.insert("security".into(), json!([{ "key": [] }, { "oauth": ["tasks:read", "tasks:write"] }]));
    Value::Object(out)
}
