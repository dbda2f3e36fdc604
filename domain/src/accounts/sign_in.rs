//! Sign-in with e-mail address and password.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{password, rules, store};
use crate::{Db, Error, Result, UserId};

/// Failures that cost nothing, per account and per address (an office shares one address).
const FREE_PER_ACCOUNT: i32 = 5;
const FREE_PER_ADDRESS: i32 = 30;

/// What a person fills in to sign in, and where from.
#[derive(Clone)]
pub struct SignIn {
    /// As typed.
    pub email: String,
    /// As typed.
    pub password: String,
    /// The caller's network address, for slowing guesses down.
    pub address: String,
}

/// Forgets failed tries that slow nobody down any more; answers with how many.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_old_failures(db: &Db, now: DateTime<Utc>) -> Result<u64> {
    store::forget_failures_before(db.pool(), now - TimeDelta::days(1)).await
}

/// Checks the credentials.
///
/// # Errors
/// [`Error::WrongCredentials`], alike for an unknown account, a closed one and a wrong password;
/// [`Error::RateLimited`] after too many failures, whether or not this try would have been right.
pub async fn sign_in(db: &Db, input: SignIn, now: DateTime<Utc>) -> Result<UserId> {
    let email = rules::normal_email(&input.email);
    if rules::check_email(&email).is_some() {
        // No account has such an address; and what is typed here becomes a key below.
        return Err(Error::WrongCredentials);
    }
    let keys =
        [(format!("account:{email}"), FREE_PER_ACCOUNT), (format!("address:{}", input.address), FREE_PER_ADDRESS)];
    let mut wait = Duration::ZERO;
    for (key, free) in &keys {
        if let Some((failures, last)) = store::failures(db.pool(), key).await? {
            let until = last + rules::sign_in_delay(failures, *free);
            wait = wait.max((until - now).to_std().unwrap_or_default());
        }
    }
    if !wait.is_zero() {
        return Err(Error::RateLimited(wait));
    }

    let found = store::credentials(db.pool(), &email).await?;
    let (user, hash) = found.unzip();
    if password::verify(input.password, hash.flatten()).await?
        && let Some(user) = user
    {
        store::forget_failures(db.pool(), &keys[0].0).await?;
        return Ok(user);
    }
    for (key, _) in &keys {
        store::count_failure(db.pool(), key, now).await?;
    }
    Err(Error::WrongCredentials)
}
