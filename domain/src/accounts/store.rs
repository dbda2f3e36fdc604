//! The SQL of accounts: `auth.users`, `auth.sessions`, `auth.sign_in_failures`.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use super::{Mail, Profile, SessionRecord, SessionView};
use crate::{Error, Result, SessionHandle, UserId};

pub(super) async fn insert_user(tx: &mut PgConnection, email: &str, hash: &str, name: &str) -> Result<UserId> {
    sqlx::query_scalar!(
        r#"INSERT INTO auth.users (email, password_hash, display_name) VALUES ($1, $2, $3) RETURNING id AS "id: UserId""#,
        email,
        hash,
        name
    )
    .fetch_one(tx)
    .await
    .map_err(|e| match e.as_database_error().and_then(|d| d.constraint()) {
        Some("users_email_unique") => Error::field("email", "has an account already: sign in instead"),
        _ => e.into(),
    })
}

/// The account's balance with its grant. The ledger is a module to the right of this one; its SQL function alone
/// writes the balance.
pub(super) async fn open_balance(tx: &mut PgConnection, user: UserId) -> Result<()> {
    sqlx::query_scalar!("SELECT ledger.open_account($1)", user as UserId).fetch_one(tx).await?;
    Ok(())
}

/// The agent that this person hires others with. `agents` belongs to a module to the right of this one, and the
/// account must not exist for a moment without it: hence a function of the migrations.
pub(super) async fn insert_client_agent(tx: &mut PgConnection, user: UserId, name: &str) -> Result<()> {
    sqlx::query_scalar!("SELECT economy.make_client_agent($1, $2)", user as UserId, name).fetch_one(tx).await?;
    Ok(())
}

pub(super) async fn credentials(pool: &PgPool, email: &str) -> Result<Option<(UserId, Option<String>)>> {
    let row = sqlx::query!(
        r#"SELECT id AS "id: UserId", password_hash FROM auth.users
            WHERE email = $1 AND closed_at IS NULL AND kind = 'person'"#,
        email
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|r| (r.id, r.password_hash)))
}

pub(super) async fn password_hash(pool: &PgPool, user: UserId) -> Result<Option<String>> {
    let row =
        sqlx::query_scalar!("SELECT password_hash FROM auth.users WHERE id = $1 AND closed_at IS NULL", user as UserId)
            .fetch_optional(pool)
            .await?;
    Ok(row.flatten())
}

pub(super) async fn failures(pool: &PgPool, key: &str) -> Result<Option<(i32, DateTime<Utc>)>> {
    let row = sqlx::query!("SELECT failures, last_failed_at FROM auth.sign_in_failures WHERE key = $1", key)
        .fetch_optional(pool)
        .await?;
    Ok(row.map(|r| (r.failures, r.last_failed_at)))
}

/// One more failure; a quiet day starts the count anew.
pub(super) async fn count_failure(pool: &PgPool, key: &str, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "INSERT INTO auth.sign_in_failures AS f (key, failures, last_failed_at) VALUES ($1, 1, $2)
         ON CONFLICT (key) DO UPDATE SET last_failed_at = $2,
           failures = CASE WHEN f.last_failed_at < $2 - interval '1 day' THEN 1 ELSE f.failures + 1 END",
        key,
        now
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn forget_failures(pool: &PgPool, key: &str) -> Result<()> {
    sqlx::query!("DELETE FROM auth.sign_in_failures WHERE key = $1", key).execute(pool).await?;
    Ok(())
}

pub(super) async fn profile(of: impl PgExecutor<'_>, user: UserId) -> Result<Option<Profile>> {
    Ok(sqlx::query_as!(
        Profile,
        r#"SELECT id AS "id: UserId", email, display_name AS name, created_at, role = 'operator' AS "operator!" FROM auth.users
            WHERE id = $1 AND closed_at IS NULL"#,
        user as UserId
    )
    .fetch_optional(of)
    .await?)
}

pub(super) async fn profiles(pool: &PgPool) -> Result<Vec<Profile>> {
    Ok(sqlx::query_as!(
        Profile,
        r#"SELECT id AS "id: UserId", email, display_name AS name, created_at, role = 'operator' AS "operator!" FROM auth.users
            WHERE closed_at IS NULL AND kind = 'person' ORDER BY created_at, id"#
    )
    .fetch_all(pool)
    .await?)
}

pub(super) async fn set_role(pool: &PgPool, user: UserId, role: &str) -> Result<bool> {
    let done =
        sqlx::query!("UPDATE auth.users SET role = $2 WHERE id = $1 AND closed_at IS NULL", user as UserId, role)
            .execute(pool)
            .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn rename(tx: &mut PgConnection, user: UserId, name: &str) -> Result<()> {
    sqlx::query!("UPDATE auth.users SET display_name = $2 WHERE id = $1", user as UserId, name)
        .execute(&mut *tx)
        .await?;
    sqlx::query_scalar!("SELECT economy.name_client_agent($1, $2)", user as UserId, name).fetch_one(tx).await?;
    Ok(())
}

pub(super) async fn set_password(pool: &PgPool, user: UserId, hash: &str) -> Result<()> {
    sqlx::query!("UPDATE auth.users SET password_hash = $2 WHERE id = $1", user as UserId, hash).execute(pool).await?;
    Ok(())
}

pub(super) async fn cancel_open_tasks(tx: &mut PgConnection, user: UserId) -> Result<()> {
    sqlx::query_scalar!("SELECT economy.cancel_open_tasks($1)", user as UserId).fetch_one(tx).await?;
    Ok(())
}

pub(super) async fn anonymise(tx: &mut PgConnection, user: UserId) -> Result<()> {
    sqlx::query_scalar!("SELECT economy.close_account($1)", user as UserId).fetch_one(tx).await?;
    Ok(())
}

pub(super) async fn save_session(pool: &PgPool, s: &SessionRecord) -> Result<()> {
    sqlx::query!(
        "INSERT INTO auth.sessions (id, user_id, data, user_agent, expires_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (id) DO UPDATE SET user_id = $2, data = $3, expires_at = $5,
           user_agent = CASE WHEN $4 = '' THEN sessions.user_agent ELSE $4 END",
        &s.id[..],
        s.user as Option<UserId>,
        s.data,
        s.user_agent,
        s.expires_at
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn load_session(pool: &PgPool, id: &[u8; 32], now: DateTime<Utc>) -> Result<Option<SessionRecord>> {
    let row = sqlx::query!(
        r#"SELECT s.user_id AS "user: UserId", s.data, s.user_agent, s.expires_at, s.last_seen_at
             FROM auth.sessions s LEFT JOIN auth.users u ON u.id = s.user_id
            WHERE s.id = $1 AND s.expires_at > $2 AND u.closed_at IS NULL"#,
        &id[..],
        now
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if now - row.last_seen_at > chrono::TimeDelta::minutes(1) {
        sqlx::query!("UPDATE auth.sessions SET last_seen_at = $2 WHERE id = $1", &id[..], now).execute(pool).await?;
    }
    Ok(Some(SessionRecord {
        id: *id,
        user: row.user,
        data: row.data,
        user_agent: row.user_agent,
        expires_at: row.expires_at,
    }))
}

pub(super) async fn delete_session(pool: &PgPool, id: &[u8; 32]) -> Result<()> {
    sqlx::query!("DELETE FROM auth.sessions WHERE id = $1", &id[..]).execute(pool).await?;
    Ok(())
}

pub(super) async fn delete_expired_sessions(pool: &PgPool, now: DateTime<Utc>) -> Result<u64> {
    let done = sqlx::query!("DELETE FROM auth.sessions WHERE expires_at <= $1", now).execute(pool).await?;
    Ok(done.rows_affected())
}

pub(super) async fn forget_failures_before(pool: &PgPool, then: DateTime<Utc>) -> Result<u64> {
    let done = sqlx::query!("DELETE FROM auth.sign_in_failures WHERE last_failed_at < $1", then).execute(pool).await?;
    Ok(done.rows_affected())
}

pub(super) async fn sessions(
    pool: &PgPool,
    user: UserId,
    current: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Vec<SessionView>> {
    Ok(sqlx::query_as!(
        SessionView,
        r#"SELECT handle AS "handle: SessionHandle", user_agent, created_at, last_seen_at, id = $2 AS "current!"
             FROM auth.sessions WHERE user_id = $1 AND expires_at > $3 ORDER BY last_seen_at DESC, handle"#,
        user as UserId,
        &current[..],
        now
    )
    .fetch_all(pool)
    .await?)
}

pub(super) async fn end_session(pool: &PgPool, user: UserId, handle: SessionHandle) -> Result<bool> {
    let done = sqlx::query!(
        "DELETE FROM auth.sessions WHERE user_id = $1 AND handle = $2",
        user as UserId,
        handle as SessionHandle
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn end_other_sessions(pool: &PgPool, user: UserId, current: &[u8; 32]) -> Result<u64> {
    let done = sqlx::query!("DELETE FROM auth.sessions WHERE user_id = $1 AND id <> $2", user as UserId, &current[..])
        .execute(pool)
        .await?;
    Ok(done.rows_affected())
}

// Mail ------------------------------------------------------------------------------------------------------------

pub(super) async fn queue_mail(
    tx: &mut PgConnection,
    user: UserId,
    about: &str,
    subject: &str,
    body: &str,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO mails (user_id, about, subject, body) VALUES ($1, $2, $3, $4) ON CONFLICT (about) DO NOTHING",
        user as UserId,
        about,
        subject,
        body
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn due_mails(pool: &PgPool, now: DateTime<Utc>) -> Result<Vec<Mail>> {
    Ok(sqlx::query_as!(
        Mail,
        r#"UPDATE mails m SET attempts = m.attempts + 1,
                  next_at = $1::timestamptz + least(interval '1 day', interval '1 minute' * 4 ^ least(m.attempts, 6))
             FROM (SELECT id FROM mails WHERE sent_at IS NULL AND next_at <= $1 AND attempts < 8
                    ORDER BY next_at LIMIT 20 FOR UPDATE SKIP LOCKED) due, auth.users u
            WHERE m.id = due.id AND u.id = m.user_id AND u.closed_at IS NULL
           RETURNING m.id, u.email AS "to", u.display_name AS name, m.subject, m.body, m.attempts"#,
        now
    )
    .fetch_all(pool)
    .await?)
}

pub(super) async fn mail_sent(pool: &PgPool, mail: Uuid, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!("UPDATE mails SET sent_at = $2 WHERE id = $1", mail, now).execute(pool).await?;
    Ok(())
}
