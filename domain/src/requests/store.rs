//! The SQL of requests: `idempotency_keys`, `rate_buckets`.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

use super::Lease;
use crate::{Result, UserId};

/// Takes a request for this transaction, if nobody has it.
pub(super) async fn try_lock(tx: &mut PgConnection, user: UserId, key_hash: &[u8; 32]) -> Result<bool> {
    let taken = sqlx::query_scalar!(
        r#"SELECT pg_try_advisory_xact_lock(hashtextextended($1::text || encode($2, 'hex'), 20)) AS "taken!""#,
        user.to_string(),
        key_hash
    );
    Ok(taken.fetch_one(tx).await?)
}

pub(super) struct Kept {
    pub fingerprint: Vec<u8>,
    pub status: i16,
    pub sealed: Vec<u8>,
}

pub(super) async fn kept(
    tx: &mut PgConnection,
    user: UserId,
    key_hash: &[u8; 32],
    since: DateTime<Utc>,
) -> Result<Option<Kept>> {
    let row = sqlx::query_as!(
        Kept,
        "SELECT fingerprint, status, sealed FROM idempotency_keys WHERE user_id = $1 AND key_hash = $2 AND created_at > $3",
        user as UserId,
        key_hash,
        since
    );
    Ok(row.fetch_optional(tx).await?)
}

/// An answer that is too old to count gives way.
pub(super) async fn keep(
    tx: &mut PgConnection,
    user: UserId,
    key_hash: &[u8; 32],
    fingerprint: &[u8; 32],
    status: i16,
    sealed: &[u8],
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO idempotency_keys (user_id, key_hash, fingerprint, status, sealed) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (user_id, key_hash) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status,
                sealed = excluded.sealed, created_at = now()",
        user as UserId,
        key_hash,
        fingerprint,
        status,
        sealed
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn forget_kept(pool: &PgPool, before: DateTime<Utc>) -> Result<u64> {
    let done = sqlx::query!("DELETE FROM idempotency_keys WHERE created_at < $1", before).execute(pool).await?;
    Ok(done.rows_affected())
}

pub(super) async fn lease_tokens(pool: &PgPool, subject: &str, capacity: f64, least: f64, want: f64) -> Result<Lease> {
    let lease = sqlx::query_as!(
        Lease,
        r#"SELECT granted AS "granted!", remaining AS "remaining!" FROM economy.lease_tokens($1, $2, $3, $4)"#,
        subject,
        capacity,
        least,
        want
    );
    Ok(lease.fetch_one(pool).await?)
}

pub(super) async fn return_tokens(pool: &PgPool, unspent: &[(String, f64)]) -> Result<()> {
    // In one order everywhere, because rows are locked as they come.
    let mut unspent = unspent.to_vec();
    unspent.sort_by(|a, b| a.0.cmp(&b.0));
    let (subjects, tokens): (Vec<String>, Vec<f64>) = unspent.into_iter().unzip();
    sqlx::query!("SELECT economy.return_tokens($1, $2)", &subjects, &tokens).execute(pool).await?;
    Ok(())
}

pub(super) async fn forget_full_buckets(pool: &PgPool) -> Result<u64> {
    let done = sqlx::query!("DELETE FROM rate_buckets WHERE at < now() - interval '10 minutes'").execute(pool).await?;
    Ok(done.rows_affected())
}

pub(super) async fn signal(pool: &PgPool, channel: &str, subject: &str) -> Result<()> {
    sqlx::query!("SELECT pg_notify($1, $2)", channel, subject).execute(pool).await?;
    Ok(())
}
