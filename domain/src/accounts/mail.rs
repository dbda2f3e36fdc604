//! Mail to account holders: a row first, written with what it tells of; sent by whoever runs the worker, at least once.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::store;
use crate::{Db, Result, UserId};

/// A mail that is to be sent.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The row.
    pub id: Uuid,
    /// The account's address at this time.
    pub to: String,
    /// The name to greet.
    pub name: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
    /// How often it was tried, this time included.
    pub attempts: i32,
}

/// Queues a mail, in the transaction of what it tells of. `about` names that: the same is told once.
///
/// # Errors
/// When the database does not answer.
pub async fn queue_mail(tx: &mut PgConnection, user: UserId, about: &str, subject: &str, body: &str) -> Result<()> {
    store::queue_mail(tx, user, about, subject, body).await
}

/// Mails to send now. Each is put off (a minute, then longer, to a day), so that processes share the work; after eight
/// tries it is given up. Closed accounts get none.
///
/// # Errors
/// When the database does not answer.
pub async fn due_mails(db: &Db, now: DateTime<Utc>) -> Result<Vec<Mail>> {
    store::due_mails(db.pool(), now).await
}

/// Notes that a mail was taken by the mail server.
///
/// # Errors
/// When the database does not answer.
pub async fn mail_sent(db: &Db, mail: Uuid, now: DateTime<Utc>) -> Result<()> {
    store::mail_sent(db.pool(), mail, now).await
}
