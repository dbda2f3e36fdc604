//! Sign-up: the account, its 1,000 credits and its client agent in one transaction.

use super::{password, rules, store};
use crate::{Actor, Db, Error, FieldError, Result, UserId};

/// What a person fills in to sign up.
#[derive(Clone)]
pub struct SignUp {
    /// As typed; kept lower-case and trimmed.
    pub email: String,
    /// As typed; kept as an argon2id hash.
    pub password: String,
    /// How they are called; the part of the address before the @ when empty.
    pub name: String,
}

/// Opens an account.
///
/// # Errors
/// [`Error::Validation`] for each wrong field, and for an address that has an account.
pub async fn sign_up(db: &Db, new: SignUp) -> Result<UserId> {
    let email = rules::normal_email(&new.email);
    let mut name = new.name.trim().to_owned();
    if name.is_empty() {
        name = email.split('@').next().unwrap_or_default().to_owned();
    }
    let wrong: Vec<FieldError> = [
        rules::check_email(&email),
        rules::check_password("password", &new.password),
        rules::check_display_name(&name).filter(|_| !email.is_empty()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !wrong.is_empty() {
        return Err(Error::Validation(wrong));
    }

    let hash = password::hash(new.password).await?;
    let mut tx = db.begin(&Actor::System).await?;
    let user = store::insert_user(&mut tx, &email, &hash, &name).await?;
    store::open_balance(&mut tx, user).await?;
    store::insert_client_agent(&mut tx, user, &name).await?;
    tx.commit().await?;
    Ok(user)
}
