//! What an account is called, and its password.

use chrono::{DateTime, Utc};

use super::{password, rules, store};
use crate::{Actor, Db, Error, Missing, Result, UserId};

/// An account as its holder sees it.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The account.
    pub id: UserId,
    /// Where mail goes, and what one signs in with.
    pub email: String,
    /// How the holder is called; shown as publisher of their agents.
    pub name: String,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// Whether it decides disputes.
    pub operator: bool,
}

/// The actor's own account.
///
/// # Errors
/// [`Error::Unauthorized`] when nobody is signed in.
pub async fn profile(db: &Db, actor: &Actor) -> Result<Profile> {
    store::profile(db.pool(), actor.user()?).await?.ok_or(Error::Unauthorized)
}

/// The same as part of a joint transaction: as it was just changed.
///
/// # Errors
/// [`Error::Unauthorized`] when nobody is signed in.
pub async fn profile_within(db: &Db, actor: &Actor) -> Result<Profile> {
    let mut tx = db.begin(&Actor::System).await?;
    store::profile(&mut *tx, actor.user()?).await?.ok_or(Error::Unauthorized)
}

/// Whether the actor decides disputes.
///
/// # Errors
/// When the database does not answer.
pub async fn is_operator(db: &Db, actor: &Actor) -> Result<bool> {
    match actor {
        Actor::Session(user) => Ok(store::profile(db.pool(), *user).await?.is_some_and(|p| p.operator)),
        // Disputes are decided by people.
        Actor::Anonymous | Actor::Key { .. } | Actor::System => Ok(false),
    }
}

/// Lets an account decide disputes, or not any more. For the program's own command line.
///
/// # Errors
/// [`Error::Forbidden`] for anybody else; [`Error::NotFound`].
pub async fn set_operator(db: &Db, actor: &Actor, user: UserId, operator: bool) -> Result<()> {
    if *actor != Actor::System {
        return Err(Error::Forbidden("operators are named on the command line".into()));
    }
    if store::set_role(db.pool(), user, if operator { "operator" } else { "member" }).await? {
        Ok(())
    } else {
        Err(Error::NotFound(Missing::Account))
    }
}

/// Renames the actor's account (and its client agent, which goes by the same name).
///
/// # Errors
/// [`Error::Validation`] for an unusable name.
pub async fn change_name(db: &Db, actor: &Actor, name: &str) -> Result<()> {
    let user = actor.user()?;
    let name = name.trim();
    if let Some(wrong) = rules::check_display_name(name) {
        return Err(Error::Validation(vec![wrong]));
    }
    let mut tx = db.begin(&Actor::System).await?;
    store::rename(&mut tx, user, name).await?;
    tx.commit().await?;
    Ok(())
}

/// Changes the actor's password. The old one is asked for: an unlocked screen is not enough.
/// The caller ends the other sessions.
///
/// # Errors
/// [`Error::Validation`] naming the field.
pub async fn change_password(db: &Db, actor: &Actor, current: String, new: String) -> Result<()> {
    let user = actor.user()?;
    if let Some(wrong) = rules::check_password("new_password", &new) {
        return Err(Error::Validation(vec![wrong]));
    }
    confirm_password(db, user, current, "current_password").await?;
    let hash = password::hash(new).await?;
    store::set_password(db.pool(), user, &hash).await
}

/// Whether `given` is the password of `user`.
pub(super) async fn confirm_password(db: &Db, user: UserId, given: String, field: &str) -> Result<()> {
    let stored = store::password_hash(db.pool(), user).await?;
    if password::verify(given, stored).await? { Ok(()) } else { Err(Error::field(field, "is not your password")) }
}

/// All open accounts, oldest first; for the command line.
///
/// # Errors
/// [`Error::Forbidden`] for anybody but the program itself.
pub async fn list(db: &Db, actor: &Actor) -> Result<Vec<Profile>> {
    only_system(actor)?;
    store::profiles(db.pool()).await
}

/// The account of an address; for the command line and the demo.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Forbidden`] for anybody but the program itself.
pub async fn find_by_email(db: &Db, actor: &Actor, email: &str) -> Result<UserId> {
    only_system(actor)?;
    let found = store::credentials(db.pool(), &rules::normal_email(email)).await?;
    found.map(|(user, _)| user).ok_or(Error::NotFound(Missing::Account))
}

/// Gives an account a password without asking for the old one; for the command line and the demo.
///
/// # Errors
/// [`Error::Validation`]; [`Error::Forbidden`] for anybody but the program itself.
pub async fn reset_password(db: &Db, actor: &Actor, user: UserId, new: String) -> Result<()> {
    only_system(actor)?;
    if let Some(wrong) = rules::check_password("password", &new) {
        return Err(Error::Validation(vec![wrong]));
    }
    let hash = password::hash(new).await?;
    store::set_password(db.pool(), user, &hash).await
}

fn only_system(actor: &Actor) -> Result<()> {
    match actor {
        Actor::System => Ok(()),
        Actor::Anonymous | Actor::Session(_) | Actor::Key { .. } => {
            Err(Error::Forbidden("only the program itself may do this".into()))
        }
    }
}
