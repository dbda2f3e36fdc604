//! What makes NEXUS call an owner's agent: a test call, a check, its card, its proof. The call is made outside of any
//! transaction and has no `Idempotency-Key`: nothing is created, and sending it again is asking again.

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::agents::watch;
use domain::agents::watch::proof::{self, Seen};
use domain::agents::{self, NewAgent, OwnedAgent};
use domain::{AgentId, Error};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::agent_body::{Agent, SkillBody, in_words, listing};
use super::agents::own;
use super::answer::{Answer, Data, Money, Refusal, data};
use super::caller::{AgentsRead, AgentsWrite, Caller};
use super::input::{Id, Input, Nothing};
use crate::a2a::card::{self, Imported};
use crate::a2a::test_call;
use crate::state::AppState;

/// A test call.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = TestCall)]
pub struct TestCallBody {
    /// For which skill; the first when left out.
    skill_id: Option<String>,
    /// Something that the skill understands.
    message: String,
}

/// How an agent answered a test call.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestAnswer {
    /// In how many milliseconds.
    millis: u64,
    /// With what, in words.
    #[schema(example = "it completed the task")]
    state: &'static str,
    /// The beginning of what it said.
    preview: String,
    /// In which dialect of A2A.
    protocol: &'static str,
}

/// Make a test call
///
/// Sends the agent a message as a task would; no credits move. An answer in its protocol, whatever it says, is what an agent
/// needs before it is listed. It has 30 seconds.
#[utoipa::path(post, path = "/agents/{id}/test", tag = "Agents", operation_id = "testAgent",
    params(("id" = Uuid, Path, description = "Your agent")), security(("key" = ["agents:write"])), request_body = TestCallBody,
    responses((status = 200, description = "It answered", body = Data<TestAnswer>),
              (status = 502, description = "It did not answer, or not in its protocol: the message says what was wrong",
               body = Refusal)))]
pub async fn test(
    State(state): State<AppState>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<AgentId>,
    input: Input<TestCallBody>,
) -> Answer<TestAnswer> {
    caller.check_agent(id)?;
    let agent = in_use(&state, &caller.actor, id).await?;
    let TestCallBody { skill_id, message } = input.body;
    if message.trim().is_empty() {
        return Err(Error::field("message", "is empty: send something that the skill understands").into());
    }
    let skills = &agent.summary.skills;
    let skill = match skill_id {
        Some(skill) if skills.iter().any(|s| s.id == skill) => skill,
        Some(_) => return Err(Error::field("skillId", "is not a skill of this agent").into()),
        None => skills.first().map(|s| s.id.clone()).unwrap_or_default(),
    };
    let secrets = agents::signing_secrets(&state.db, id).await?;
    let answer = test_call::run(&state.agents, &agent.endpoint, &agent.card, &secrets, &skill, &message).await;
    let answer = answer.map_err(Error::Protocol)?;
    let protocol = answer.protocol.as_str();
    agents::mark_tested(&state.db, &caller.actor, id, &agent.endpoint, Some(protocol)).await?;
    let millis = u64::try_from(answer.millis).unwrap_or(u64::MAX);
    Ok(data(TestAnswer { millis, state: answer.state, preview: answer.preview, protocol }))
}

/// One of the actor's agents that is not retired.
async fn in_use(state: &AppState, actor: &domain::Actor, id: AgentId) -> domain::Result<OwnedAgent> {
    let agent = agents::owned(&state.db, actor, id).await?;
    if agent.retired_at.is_none() { Ok(agent) } else { Err(Error::NotFound(domain::Missing::Agent)) }
}

/// What a check showed.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckAnswer {
    /// Whether it is there.
    answered: bool,
    /// In how many milliseconds it answered.
    #[schema(required)]
    millis: Option<i32>,
    /// What was wrong.
    #[schema(required)]
    problem: Option<String>,
    /// What the agent is now: `online`, `degraded` or `offline`; `null` where it was asked otherwise meanwhile.
    #[schema(required)]
    status: Option<&'static str>,
}

/// Check an agent now
///
/// Asks it whether it is there, as NEXUS does by the clock. It costs the agent nothing. At most every two seconds.
#[utoipa::path(post, path = "/agents/{id}/check", tag = "Agents", operation_id = "checkAgent",
    params(("id" = Uuid, Path, description = "Your agent")), security(("key" = ["agents:write"])), request_body = Nothing,
    responses((status = 200, description = "What it showed", body = Data<CheckAnswer>)))]
pub async fn check(
    State(state): State<AppState>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<AgentId>,
    _: Input<Nothing>,
) -> Answer<CheckAnswer> {
    caller.check_agent(id)?;
    let probe = watch::probe_now(&state.db, &caller.actor, id, Utc::now()).await?;
    let (outcome, status) = state.prober.check(&state.db, &probe).await?;
    Ok(data(CheckAnswer {
        answered: outcome.is_ok(),
        millis: outcome.as_ref().ok().copied(),
        problem: outcome.err(),
        status: status.map(|s| s.as_str()),
    }))
}

/// What to do with a card.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = CardRefresh)]
pub struct CardRefreshBody {
    /// Where the card is, or the agent; where it was fetched before when left out.
    card_url: Option<String>,
    /// Whether the listing becomes what the card says.
    #[serde(default)]
    apply: bool,
}

/// What an agent's card says.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CardReport {
    /// Where it was fetched.
    card_url: String,
    /// The agent's name.
    name: String,
    /// What it does.
    description: String,
    /// The address that NEXUS would call.
    endpoint: String,
    /// Words to find it by.
    tags: Vec<String>,
    /// What it can do.
    skills: Vec<SkillBody>,
    /// Its price, if it names one.
    #[schema(required, value_type = Option<Money>)]
    price_credits: Option<Money>,
    /// The fields in which the listing was another.
    differs: Vec<&'static str>,
    /// Whether the listing is as the card says now.
    applied: bool,
    /// The agent, with its card as it is kept.
    agent: Agent,
}

/// Fetch the card anew
///
/// Answers what it says and where that differs from the listing; with `apply` the listing becomes that. A price stays where
/// the card names none. Another address takes the agent off the list until it has answered a test call there.
#[utoipa::path(post, path = "/agents/{id}/card/refresh", tag = "Agents", operation_id = "refreshAgentCard",
    params(("id" = Uuid, Path, description = "Your agent")), security(("key" = ["agents:write"])),
    request_body = CardRefreshBody,
    responses((status = 200, description = "What the card says", body = Data<CardReport>),
              (status = 502, description = "There is no card that can be read: the message says why", body = Refusal)))]
pub async fn refresh_card(
    State(state): State<AppState>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<AgentId>,
    input: Input<CardRefreshBody>,
) -> Answer<CardReport> {
    caller.check_agent(id)?;
    let (actor, body) = (caller.actor, input.body);
    let before = in_use(&state, &actor, id).await?;
    let fetched = match (&body.card_url, &before.card_url) {
        (Some(url), _) => card::fetch(&state.agents, url).await.map_err(|why| Error::field("cardUrl", why))?,
        (None, Some(url)) => card::fetch(&state.agents, url).await.map_err(Error::Protocol)?,
        (None, None) => card::fetch(&state.agents, &before.endpoint).await.map_err(Error::Protocol)?,
    };
    let (db, joint) = state.db.joint().await?;
    agents::lock(&db, &actor, id).await?;
    let now = listing(&agents::owned(&db, &actor, id).await?);
    let differs = differences(&now, &fetched);
    if body.apply {
        agents::update(&db, &actor, id, over(now, fetched.clone())).await.map_err(in_words)?;
    }
    let agent = own(&db, &actor, id, &state.public_url).await?;
    joint.commit().await?;
    let said = fetched.listing;
    Ok(data(CardReport {
        card_url: said.card_url.unwrap_or_default(),
        name: said.name,
        description: said.description,
        endpoint: said.endpoint,
        tags: said.tags,
        skills: said.skills.into_iter().map(SkillBody::from).collect(),
        price_credits: fetched.has_price.then_some(Money(said.price)),
        differs,
        applied: body.apply,
        agent,
    }))
}

/// The listing as the card says it; what a card does not say stays.
fn over(now: NewAgent, card: Imported) -> NewAgent {
    NewAgent {
        price: if card.has_price { card.listing.price } else { now.price },
        max_concurrent: now.max_concurrent,
        promised_seconds: now.promised_seconds,
        ..card.listing
    }
}

fn differences(now: &NewAgent, card: &Imported) -> Vec<&'static str> {
    let said = &card.listing;
    [
        ("name", now.name != said.name.trim()),
        ("description", now.description != said.description.trim()),
        ("endpoint", now.endpoint != said.endpoint.trim()),
        ("tags", now.tags != said.tags),
        ("skills", now.skills != said.skills),
        ("priceCredits", card.has_price && now.price != said.price),
        ("card", now.card != said.card),
        ("cardUrl", now.card_url != said.card_url),
    ]
    .into_iter()
    .filter_map(|(field, differs)| differs.then_some(field))
    .collect()
}

/// How to prove that an agent's address is yours.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProofBody {
    /// What to publish: as a line of the file, or in the card.
    token: String,
    /// Where the file must be.
    #[schema(required)]
    file_url: Option<String>,
    /// The extension of the card that may carry the token instead, as `params.token`.
    extension: &'static str,
    /// Whether it is proven.
    verified: bool,
    /// When it was last looked for.
    #[schema(required)]
    checked_at: Option<DateTime<Utc>>,
    /// Why nothing was proven then.
    #[schema(required)]
    problem: Option<String>,
}

/// Get the proof of an address
///
/// What to publish at the agent's address, so that people see that it is yours, and what was found there last.
#[utoipa::path(get, path = "/agents/{id}/proof", tag = "Agents", operation_id = "getAgentProof",
    params(("id" = Uuid, Path, description = "Your agent")), security(("key" = ["agents:read"])),
    responses((status = 200, description = "The proof", body = Data<ProofBody>)))]
pub async fn get_proof(
    State(state): State<AppState>,
    caller: Caller<AgentsRead>,
    Id(id): Id<AgentId>,
) -> Answer<ProofBody> {
    caller.check_agent(id)?;
    Ok(data(shown_proof(&state, &caller.actor, id).await?))
}

async fn shown_proof(state: &AppState, actor: &domain::Actor, id: AgentId) -> domain::Result<ProofBody> {
    let shown = proof::show(&state.db, actor, id).await?;
    let verified = agents::owned(&state.db, actor, id).await?.summary.verified;
    Ok(ProofBody {
        token: shown.token,
        file_url: shown.file_url.map(String::from),
        extension: proof::OWNER,
        verified,
        checked_at: shown.checked_at,
        problem: shown.problem,
    })
}

/// What was found at an agent's address.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProofAnswer {
    /// Whether the token was found now.
    found: bool,
    /// The proof as it stands: one that was found before outlasts an answer that is not definite.
    proof: ProofBody,
}

/// Look for the proof now
///
/// In the file and in the card. At most every two seconds.
#[utoipa::path(post, path = "/agents/{id}/proof/check", tag = "Agents", operation_id = "checkAgentProof",
    params(("id" = Uuid, Path, description = "Your agent")), security(("key" = ["agents:write"])), request_body = Nothing,
    responses((status = 200, description = "What was found", body = Data<ProofAnswer>)))]
pub async fn check_proof(
    State(state): State<AppState>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<AgentId>,
    _: Input<Nothing>,
) -> Answer<ProofAnswer> {
    caller.check_agent(id)?;
    let check = proof::check_now(&state.db, &caller.actor, id, Utc::now()).await?;
    let seen = state.prober.look_for_proof(&state.db, &check).await?;
    Ok(data(ProofAnswer { found: seen == Seen::Token, proof: shown_proof(&state, &caller.actor, id).await? }))
}
