//! Agents as people see them.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::watch::Watch;
use super::{AgentStatus, Skill, store};
use crate::{Actor, AgentId, Credits, Cursor, Db, Error, Missing, Page, Result};

/// An agent on a card.
#[derive(Clone, Debug)]
pub struct AgentSummary {
    /// The agent.
    pub id: AgentId,
    /// What it is called.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Whether it takes work.
    pub status: AgentStatus,
    /// What it can do.
    pub skills: Vec<Skill>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// 0 to 100.
    pub trust: f64,
    /// Per task.
    pub price: Credits,
    /// Chosen for the shelf.
    pub featured: bool,
    /// Tasks completed that count for trust.
    pub completed: i64,
    /// Tasks failed by its fault.
    pub failed: i64,
    /// Whether its owner proved that the address is theirs.
    pub verified: bool,
}

/// An agent on its own page.
#[derive(Clone, Debug)]
pub struct AgentDetail {
    /// What a card shows.
    pub summary: AgentSummary,
    /// Who lists it.
    pub publisher: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// Whether it is the actor's own: hiring it moves no credits.
    pub own: bool,
}

/// An agent as its owner sees it.
#[derive(Clone, Debug)]
pub struct OwnedAgent {
    /// What a card shows.
    pub summary: AgentSummary,
    /// Where it answers.
    pub endpoint: String,
    /// Where its card was fetched.
    pub card_url: Option<String>,
    /// Its card, as fetched.
    pub card: Value,
    /// When it answered a test call at this endpoint.
    pub tested_at: Option<DateTime<Utc>>,
    /// When it was retired.
    pub retired_at: Option<DateTime<Utc>>,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// Earned so far, fees taken off.
    pub earned: Credits,
    /// Whether its owner has it on the list.
    pub listed: bool,
    /// Tasks that it is given at once.
    pub max_concurrent: i32,
    /// In how many seconds it promises an answer.
    pub promised_seconds: Option<i32>,
    /// What the watch of a listed agent shows.
    pub watch: Watch,
}

impl OwnedAgent {
    /// Why people do not find it, if they do not.
    pub fn why_not_listed(&self) -> Option<String> {
        let why = if self.retired_at.is_some() {
            "It is retired."
        } else if self.summary.skills.is_empty() {
            "It has no skill: people hire a skill. Add one below."
        } else if self.tested_at.is_none() {
            "It has not answered a test call at this address yet. Make one, then put it online."
        } else if !self.listed {
            "It is off the list. Put it online when it should take work."
        } else if self.summary.status == AgentStatus::Offline {
            return self.watch.trouble().or_else(|| Some("It is offline.".into()));
        } else {
            return None;
        };
        Some(why.to_owned())
    }

    /// Why it is listed with a mark, if it is.
    pub fn why_degraded(&self) -> Option<String> {
        (self.summary.status == AgentStatus::Degraded).then(|| self.watch.trouble()).flatten()
    }
}

/// True figures for the front page.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Agents listed now.
    pub listed: i64,
    /// Tasks that listed agents completed.
    pub completed: i64,
    /// Distinct skills on offer.
    pub skills: i64,
}

/// A listed agent, or one of the actor's own.
///
/// # Errors
/// [`Error::NotFound`] for one that is neither.
pub async fn detail(db: &Db, actor: &Actor, id: AgentId) -> Result<AgentDetail> {
    let mut tx = db.begin(actor).await?;
    let own = match actor {
        Actor::Session(user) | Actor::Key { user, .. } => store::is_owner(&mut tx, *user, id).await?,
        Actor::Anonymous | Actor::System => false,
    };
    store::detail(&mut tx, id, own).await?.ok_or(Error::NotFound(Missing::Agent))
}

/// Refuses an agent that is trusted less than `least`, 0 to 100.
///
/// # Errors
/// [`Error::TrustThresholdNotMet`]; [`Error::Validation`] of `minTrustScore`; [`Error::NotFound`].
pub async fn require_trust(db: &Db, actor: &Actor, id: AgentId, least: f64) -> Result<()> {
    if !(0.0..=100.0).contains(&least) {
        return Err(Error::field("minTrustScore", "must be 0 to 100"));
    }
    let agent = detail(db, actor, id).await?.summary;
    if agent.trust >= least {
        return Ok(());
    }
    Err(Error::TrustThresholdNotMet(format!(
        "{} has a trust score of {:.2}, below {least:.2}",
        agent.name, agent.trust
    )))
}

/// The actor's listings, newest first, retired ones last; at most 500.
///
/// # Errors
/// [`Error::Unauthorized`].
pub async fn mine(db: &Db, actor: &Actor) -> Result<Vec<OwnedAgent>> {
    Ok(mine_after(db, actor, None, 500).await?.items)
}

/// The same in pages. A key that is limited to chosen agents sees no others.
///
/// # Errors
/// [`Error::Unauthorized`]; [`Error::Validation`] for a cursor of another list.
pub async fn mine_after(db: &Db, actor: &Actor, after: Option<&Cursor>, limit: usize) -> Result<Page<OwnedAgent>> {
    let owner = actor.user()?;
    let after = after.map(|cursor| {
        let (in_use, at) = cursor.key.split_once(' ')?;
        let created_at = DateTime::parse_from_rfc3339(at).ok()?.with_timezone(&Utc);
        Some(store::After { in_use: in_use.parse().ok()?, created_at, id: AgentId(cursor.id) })
    });
    if let Some(None) = after {
        return Err(Error::field("cursor", "is not one that this list gave out"));
    }
    let mut tx = db.begin(actor).await?;
    let rows = store::owned(&mut tx, owner, None, after.flatten().as_ref(), limit + 1).await?;
    Ok(Page::cut(rows, limit, |a| Cursor {
        key: format!("{} {}", a.retired_at.is_none(), a.created_at.to_rfc3339()),
        id: a.summary.id.0,
    }))
}

/// One of the actor's listings.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs.
pub async fn owned(db: &Db, actor: &Actor, id: AgentId) -> Result<OwnedAgent> {
    let owner = actor.user()?;
    let mut tx = db.begin(actor).await?;
    store::owned(&mut tx, owner, Some(id), None, 1).await?.into_iter().next().ok_or(Error::NotFound(Missing::Agent))
}

/// True figures for the front page.
///
/// # Errors
/// When the database does not answer.
pub async fn totals(db: &Db, actor: &Actor) -> Result<Totals> {
    let mut tx = db.begin(actor).await?;
    store::totals(&mut tx).await
}

/// A listed agent as its address at the gateway shows it.
#[derive(Clone, Debug)]
pub struct Exposed {
    /// The agent.
    pub id: AgentId,
    /// What it is called.
    pub name: String,
    /// What it does.
    pub description: String,
    /// What it can do.
    pub skills: Vec<Skill>,
    /// Per task.
    pub price: Credits,
    /// The media types it takes where a skill says nothing else, as its own card has them; empty where it has none.
    pub input_modes: Vec<String>,
    /// The media types it answers with.
    pub output_modes: Vec<String>,
    /// Who offers it.
    pub publisher: String,
    /// When its listing last changed.
    pub updated_at: DateTime<Utc>,
    /// How much it is trusted.
    pub trust: f64,
}

/// The listed agent at a gateway address. Whoever may see the marketplace may see it.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn exposed(db: &Db, id: AgentId) -> Result<Exposed> {
    store::exposed(db.pool(), id).await?.ok_or(Error::NotFound(Missing::Agent))
}

/// The keys that cards are signed with, as PKCS #8, by their ids; the first signs. `new` makes one where there is none yet;
/// whichever process is first decides.
///
/// # Errors
/// When the database does not answer.
pub async fn card_keys(db: &Db, new: impl FnOnce() -> (String, Vec<u8>)) -> Result<Vec<(String, Vec<u8>)>> {
    let keys = store::card_keys(db.pool()).await?;
    if !keys.is_empty() {
        return Ok(keys);
    }
    let (id, pkcs8) = new();
    store::first_card_key(db.pool(), &id, &pkcs8).await?;
    store::card_keys(db.pool()).await
}
