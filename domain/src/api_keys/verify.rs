//! Whether a secret is a key, and what it may do. Asked at every request, and not remembered: revoked means now.

use chrono::{DateTime, Utc};

use super::{Scope, Scopes, Token, connections, store};
use crate::{Actor, AgentId, Db, KeyId, Result, UserId};

/// Why a secret opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyProblem {
    /// It is no key, or not any more.
    Unknown,
    /// It was revoked.
    Revoked,
    /// It has expired.
    Expired,
    /// It is an access token for another part of the site.
    Elsewhere,
}

impl KeyProblem {
    /// For whoever sent it.
    pub fn sentence(self) -> &'static str {
        match self {
            KeyProblem::Unknown => "this is not an API key of NEXUS",
            KeyProblem::Revoked => "this API key was revoked",
            KeyProblem::Expired => "this API key has expired",
            KeyProblem::Elsewhere => "this access token is for another address of this site",
        }
    }
}

/// A key that works.
#[derive(Clone, Debug)]
pub struct VerifiedKey {
    /// The key.
    pub id: KeyId,
    /// Whose.
    pub user: UserId,
    /// What it may do.
    pub scopes: Scopes,
    /// The only agents that it may hire, manage and see tasks of.
    pub agents: Option<Vec<AgentId>>,
    /// Its own rate limit.
    pub requests_per_minute: Option<i32>,
    /// Whether [`note_use`] is due.
    pub use_is_news: bool,
    /// The part of the site that an access token is good at, as a path; `None` for keys, which are good everywhere.
    pub audience: Option<String>,
}

impl VerifiedKey {
    /// Who acts.
    pub fn actor(&self) -> Actor {
        Actor::Key { user: self.user, key: self.id }
    }

    /// Whether it may do this.
    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes.allow(scope)
    }

    /// Whether it may be used at this path of the site. Every wire asks before it lets a key in (RFC 8707; for MCP a MUST).
    pub fn is_for(&self, path: &str) -> bool {
        self.audience.as_deref().is_none_or(|granted| connections::resource::covers(granted, path))
    }

    /// Whether it is for chosen agents alone.
    pub fn is_limited_to_agents(&self) -> bool {
        self.agents.is_some()
    }

    /// Whether it may touch this agent.
    pub fn allows_agent(&self, agent: AgentId) -> bool {
        self.agents.as_ref().is_none_or(|a| a.contains(&agent))
    }
}

/// Looks a secret up, a key's or an access token: one query by the index of hashes, and a second one, for the former secret of
/// a rotated key, only where that finds nothing.
///
/// # Errors
/// When the database does not answer.
pub async fn verify(
    db: &Db,
    token: &Token,
    now: DateTime<Utc>,
) -> Result<std::result::Result<VerifiedKey, KeyProblem>> {
    let hash = token.hash();
    let found = if token.is_access_token() {
        connections::by_access_token(db.pool(), &hash, now).await?
    } else {
        by_key(db, &hash, now).await?
    };
    let Some((key, revoked_at, expires_at)) = found else { return Ok(Err(KeyProblem::Unknown)) };
    Ok(if revoked_at.is_some() {
        Err(KeyProblem::Revoked)
    } else if expires_at.is_some_and(|at| at <= now) {
        Err(KeyProblem::Expired)
    } else {
        Ok(key)
    })
}

async fn by_key(db: &Db, hash: &str, now: DateTime<Utc>) -> Result<Option<store::Found>> {
    match store::by_hash(db.pool(), hash, now).await? {
        Some(found) => Ok(Some(found)),
        None => store::by_former_hash(db.pool(), hash, now).await,
    }
}

/// Notes that a key was used; at most once a minute is written.
///
/// # Errors
/// When the database does not answer.
pub async fn note_use(db: &Db, key: KeyId, now: DateTime<Utc>) -> Result<()> {
    store::note_use(db.pool(), key, now).await
}
