//! A person says yes.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{Asked, CODE_LIFE, CONNECTIONS_MAX, store};
use crate::api_keys::store::lock_keys_of;
use crate::api_keys::{NewKey, Scope, Scopes, rules, token};
use crate::{Actor, Credits, Db, Error, Result};

/// What a person gives to a client that asked.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What it may do: of what it asked, some.
    pub scopes: BTreeSet<Scope>,
    /// The most it may hold a day (UTC).
    pub daily_cap: Option<Credits>,
    /// The most it may hold a calendar month (UTC).
    pub monthly_cap: Option<Credits>,
    /// The most it may hold in all.
    pub total_cap: Option<Credits>,
    /// When the connection ends by itself.
    pub ends_at: Option<DateTime<Utc>>,
}

impl Choice {
    /// The key that the connection becomes.
    pub(super) fn key(&self, name: &str) -> NewKey {
        NewKey {
            expires_at: self.ends_at,
            daily_cap: self.daily_cap,
            monthly_cap: self.monthly_cap,
            total_cap: self.total_cap,
            ..NewKey::named(name, Scopes::Some(self.scopes.clone()))
        }
    }
}

/// Approves; answers with the code that the client fetches its tokens with.
///
/// # Errors
/// [`Error::Validation`] for what was not asked, nothing at all, or wrong caps; [`Error::Unauthorized`] for anyone but a
/// signed-in person: a key connects nobody; [`Error::Conflict`] at [`CONNECTIONS_MAX`] connections.
pub async fn approve(db: &Db, actor: &Actor, asked: &Asked, choice: &Choice, now: DateTime<Utc>) -> Result<String> {
    let Actor::Session(user) = *actor else { return Err(Error::Unauthorized) };
    if choice.scopes.is_empty() {
        return Err(Error::field("scopes", "is empty: tick at least one, or refuse"));
    }
    if !choice.scopes.is_subset(&asked.scopes) {
        return Err(Error::field("scopes", "has one that was not asked for"));
    }
    let wrong = rules::check_new(&choice.key(&asked.client.name), now);
    if !wrong.is_empty() {
        return Err(Error::Validation(wrong));
    }
    let code = token::secret("nxo_");
    let mut tx = db.begin(&Actor::System).await?;
    lock_keys_of(&mut tx, user).await?;
    if store::count(&mut tx, user, now).await? >= CONNECTIONS_MAX {
        return Err(Error::Conflict(format!("an account has at most {CONNECTIONS_MAX} connections: cut one off")));
    }
    store::insert_code(&mut tx, &token::hash_of(&code), user, asked, choice, now + CODE_LIFE).await?;
    tx.commit().await?;
    Ok(code)
}
