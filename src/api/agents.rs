//! An owner's agents over REST: register, list, look, change, retire.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::agents::{self, NewAgent};
use domain::{Actor, AgentId, Db, Error, accounts, trust};
use serde::Deserialize;
use url::Url;
use utoipa::ToSchema;

use super::agent_body::{Agent, AgentChangeBody, NewAgentBody, OwnAgentRow, RegisteredAgent, in_words, listing};
use super::answer::{Data, List, check_match_as, list, tag, tagged_as};
use super::caller::{AgentsRead, AgentsWrite, Caller, Visitor};
use super::input::{Id, Input, Nothing, Paging, Params, cursor, limit};
use super::once::{Done, Once};
use super::trust::ReviewBody;
use crate::a2a::card;
use crate::state::AppState;
use crate::web::failure::ApiError;

/// One of the actor's agents, as part of a joint transaction too.
pub(super) async fn own(db: &Db, actor: &Actor, id: AgentId, site: &Url) -> domain::Result<Agent> {
    let agent = agents::owned(db, actor, id).await?;
    Ok(Agent::own(agent, accounts::profile_within(db, actor).await?.name, site))
}

/// Register an agent
///
/// From its card (`cardUrl`), from fields, or both: a field wins over the card. It is off the list until it has answered a test
/// call and is put on. What it is called with is signed with `secret`, which is shown this once.
#[utoipa::path(post, path = "/agents", tag = "Agents", operation_id = "registerAgent",
    security(("key" = ["agents:write"])), request_body = NewAgentBody,
    responses((status = 201, description = "The agent, with its signing secret this once", body = Data<RegisteredAgent>)))]
pub async fn register(
    State(state): State<AppState>,
    caller: Caller<AgentsWrite>,
    once: Once,
    input: Input<NewAgentBody>,
) -> Result<Done, ApiError> {
    let (actor, body) = (caller.actor, input.body);
    if caller.key.is_limited_to_agents() {
        return Err(Error::Forbidden("this key is limited to chosen agents: it registers none".into()).into());
    }
    let told = match &body.card_url {
        None => NewAgent::default(),
        Some(url) => {
            if let Some(done) = once.before(&state.db, &actor, &input.fingerprint).await? {
                return Ok(done);
            }
            let imported = card::fetch(&state.agents, url).await.map_err(|why| Error::field("cardUrl", why))?;
            imported.listing
        }
    };
    let new = body.over(told);
    let site = &state.public_url;
    let done = once.run(&state.db, &actor, &input.fingerprint, StatusCode::CREATED, |db: Db| async move {
        let registered = agents::register(&db, &actor, new).await.map_err(in_words)?;
        Ok(RegisteredAgent { agent: own(&db, &actor, registered.id, site).await?, secret: registered.secret })
    });
    Ok(done.await?)
}

/// List your agents
///
/// Newest first, retired ones last.
#[utoipa::path(get, path = "/agents", tag = "Agents", operation_id = "listAgents", params(Paging),
    security(("key" = ["agents:read"])), responses((status = 200, description = "A page of agents", body = List<OwnAgentRow>)))]
pub async fn all(
    State(state): State<AppState>,
    caller: Caller<AgentsRead>,
    Params(paging): Params<Paging>,
) -> Result<Json<List<OwnAgentRow>>, ApiError> {
    let (after, limit) = (cursor(paging.cursor.as_deref())?, limit(paging.limit)?);
    Ok(list(agents::mine_after(&state.db, &caller.actor, after.as_ref(), limit).await?, OwnAgentRow::from))
}

/// Get an agent
///
/// One that is on the list, or your own. Its owner's key, if it has `agents:read`, gets `owner` besides.
#[utoipa::path(get, path = "/agents/{id}", tag = "Agents", operation_id = "getAgent",
    params(("id" = Uuid, Path, description = "The agent")), security((), ("key" = ["agents:read"])),
    responses((status = 200, description = "The agent", body = Data<Agent>),
              (status = 304, description = "As `If-None-Match` says")))]
pub async fn one(
    State(state): State<AppState>,
    visitor: Visitor,
    Id(id): Id<AgentId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let who = visitor.looking_at(id);
    let mine = match who {
        Actor::Anonymous | Actor::System => None,
        Actor::Session(_) | Actor::Key { .. } => match own(&state.db, &who, id, &state.public_url).await {
            Err(Error::NotFound(_)) => None,
            other => Some(other?),
        },
    };
    let agent = match mine {
        Some(agent) => agent,
        None => Agent::public(agents::detail(&state.db, &Actor::Anonymous, id).await?, &state.public_url),
    };
    let etag = etag(&agent);
    Ok(tagged_as(agent, &etag, &headers))
}

/// The entity tag of an agent: of what its owner writes, and of all. A change is refused for the first alone, or an agent that
/// works could never be changed: its figures move with every task.
fn etag(agent: &Agent) -> String {
    let (written, all) = (tag(&agent.written()), tag(agent));
    format!("\"{}.{}\"", written.trim_matches('"'), all.trim_matches('"'))
}

fn check_match(headers: &HeaderMap, now: &Agent) -> domain::Result<()> {
    let written = tag(&now.written());
    let written = written.trim_matches('"');
    check_match_as(headers, |tag| tag.strip_prefix('"').and_then(|t| t.split_once('.')).is_some_and(|t| t.0 == written))
}

/// Change an agent
///
/// Its listing, and whether it is on the list (`listed`). A new `endpoint` takes it off the list until it has answered a test
/// call there. `If-Match` is about what you write: the agent's states and figures may have moved.
#[utoipa::path(patch, path = "/agents/{id}", tag = "Agents", operation_id = "changeAgent",
    params(("id" = Uuid, Path, description = "Your agent")), security(("key" = ["agents:write"])),
    request_body = AgentChangeBody, responses((status = 200, description = "The agent", body = Data<Agent>)))]
pub async fn change(
    State(state): State<AppState>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<AgentId>,
    headers: HeaderMap,
    once: Once,
    input: Input<AgentChangeBody>,
) -> Result<Done, ApiError> {
    caller.check_agent(id)?;
    let (actor, body, site) = (caller.actor, input.body, &state.public_url);
    let done = once.run(&state.db, &actor, &input.fingerprint, StatusCode::OK, |db: Db| async move {
        agents::lock(&db, &actor, id).await?;
        check_match(&headers, &own(&db, &actor, id, site).await?)?;
        let mut new = listing(&agents::owned(&db, &actor, id).await?);
        let listed = body.listed;
        if body.apply(&mut new) {
            agents::update(&db, &actor, id, new).await.map_err(in_words)?;
        }
        if let Some(listed) = listed {
            agents::set_status(&db, &actor, id, listed).await.map_err(in_words)?;
        }
        own(&db, &actor, id, site).await
    });
    Ok(done.await?)
}

/// Retire an agent
///
/// For good: it takes no more tasks and stands in no list but yours. Tasks that it has accepted are still served and paid.
#[utoipa::path(delete, path = "/agents/{id}", tag = "Agents", operation_id = "retireAgent",
    params(("id" = Uuid, Path, description = "Your agent")), security(("key" = ["agents:write"])),
    responses((status = 204, description = "It is retired")))]
pub async fn retire(
    State(state): State<AppState>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<AgentId>,
) -> Result<StatusCode, ApiError> {
    caller.check_agent(id)?;
    let retired = agents::retire(&state.db, &caller.actor, id).await;
    // Sent again, it is as it should be.
    if matches!(retired, Err(Error::NotFound(_)))
        && agents::owned(&state.db, &caller.actor, id).await?.retired_at.is_some()
    {
        return Ok(StatusCode::NO_CONTENT);
    }
    retired?;
    Ok(StatusCode::NO_CONTENT)
}

/// A signing secret, this once.
#[derive(Debug, serde::Serialize, ToSchema)]
pub struct NewSecret {
    /// What requests to the agent are signed with from now on. Shown this once.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: String,
}

/// Rotate the signing secret
///
/// The one before stays good for a day: requests carry both signatures until then.
#[utoipa::path(post, path = "/agents/{id}/secret/rotate", tag = "Agents", operation_id = "rotateAgentSecret",
    params(("id" = Uuid, Path, description = "Your agent")), security(("key" = ["agents:write"])), request_body = Nothing,
    responses((status = 200, description = "The new secret, this once", body = Data<NewSecret>)))]
pub async fn rotate_secret(
    State(state): State<AppState>,
    caller: Caller<AgentsWrite>,
    Id(id): Id<AgentId>,
    once: Once,
    input: Input<Nothing>,
) -> Result<Done, ApiError> {
    caller.check_agent(id)?;
    let actor = caller.actor;
    let done = once.run(&state.db, &actor, &input.fingerprint, StatusCode::OK, |db: Db| async move {
        Ok(NewSecret { secret: agents::rotate_secret(&db, &actor, id).await? })
    });
    Ok(done.await?)
}

/// What the owner of an agent says to a review.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReviewAnswer)]
pub struct AnswerBody {
    /// Everybody may read it; at most 2,000 characters.
    answer: String,
}

/// Answer a review
///
/// It stands under the review of this task. Sent again, it replaces the answer before.
#[utoipa::path(post, path = "/agents/{id}/reviews/{taskId}/answer", tag = "Trust", operation_id = "answerReview",
    params(("id" = Uuid, Path, description = "Your agent"), ("taskId" = Uuid, Path, description = "The task that was reviewed")),
    security(("key" = ["agents:write"])), request_body = AnswerBody,
    responses((status = 200, description = "The review", body = Data<ReviewBody>)))]
pub async fn answer_review(
    State(state): State<AppState>,
    caller: Caller<AgentsWrite>,
    axum::extract::Path((id, task)): axum::extract::Path<(String, String)>,
    once: Once,
    input: Input<AnswerBody>,
) -> Result<Done, ApiError> {
    let id: AgentId = id.parse().map_err(|_| Error::NotFound(domain::Missing::Agent))?;
    let missing = || Error::NotFound(domain::Missing::Task);
    let task: domain::TaskId = task.parse().map_err(|_| missing())?;
    caller.check_agent(id)?;
    let (actor, text) = (caller.actor, input.body.answer);
    let done = once.run(&state.db, &actor, &input.fingerprint, StatusCode::OK, |db: Db| async move {
        agents::owned(&db, &actor, id).await?;
        trust::review_of(&db, &actor, task).await?.filter(|r| r.agent == id).ok_or_else(missing)?;
        trust::answer_review(&db, &actor, task, &text).await?;
        trust::review_of(&db, &actor, task).await?.map(ReviewBody::from).ok_or_else(missing)
    });
    Ok(done.await?)
}
