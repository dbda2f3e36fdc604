//! The SQL of connections: `oauth_clients`, `oauth_connections`, `oauth_codes`, `oauth_access_tokens`, `oauth_refresh_tokens`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

use super::approve::Choice;
use super::ask::Asked;
use super::client::Client;
use crate::api_keys::store::{Found, Looked};
use crate::api_keys::{Scope, Scopes};
use crate::{ClientId, Credits, KeyId, Result, UserId};

pub(super) async fn insert_client(
    pool: &PgPool,
    name: &str,
    redirects: &[String],
    secret_hash: Option<&str>,
    now: DateTime<Utc>,
) -> Result<ClientId> {
    let id = sqlx::query_scalar!(
        r#"INSERT INTO oauth_clients (name, redirect_uris, secret_hash, created_at) VALUES ($1, $2, $3, $4)
           RETURNING id AS "id: ClientId""#,
        name,
        redirects,
        secret_hash,
        now
    );
    Ok(id.fetch_one(pool).await?)
}

pub(super) async fn client(pool: &PgPool, id: ClientId) -> Result<Option<Client>> {
    let row = sqlx::query_as!(
        Client,
        r#"SELECT id AS "id: ClientId", name, redirect_uris, secret_hash FROM oauth_clients WHERE id = $1"#,
        id as ClientId
    );
    Ok(row.fetch_optional(pool).await?)
}

/// How many connections of an account work.
pub(super) async fn count(tx: &mut PgConnection, user: UserId, now: DateTime<Utc>) -> Result<i64> {
    let n = sqlx::query_scalar!(
        r#"SELECT count(*) AS "n!" FROM oauth_connections c JOIN api_keys k ON k.id = c.key_id
            WHERE k.user_id = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > $2)"#,
        user as UserId,
        now
    );
    Ok(n.fetch_one(tx).await?)
}

pub(super) async fn insert_code(
    tx: &mut PgConnection,
    hash: &str,
    user: UserId,
    asked: &Asked,
    choice: &Choice,
    expires_at: DateTime<Utc>,
) -> Result<()> {
    let redirect_uri = asked.redirect_sent.then_some(asked.redirect_uri.as_str());
    let scopes = Scopes::Some(choice.scopes.clone()).words();
    sqlx::query!(
        "INSERT INTO oauth_codes (code_hash, client_id, user_id, redirect_uri, resource, challenge, scopes, daily_cap,
                                  monthly_cap, total_cap, ends_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        hash,
        asked.client.id as ClientId,
        user as UserId,
        redirect_uri,
        asked.resource,
        asked.challenge,
        &scopes,
        choice.daily_cap as Option<Credits>,
        choice.monthly_cap as Option<Credits>,
        choice.total_cap as Option<Credits>,
        choice.ends_at,
        expires_at
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) struct Code {
    pub client: ClientId,
    pub user: UserId,
    pub redirect_uri: Option<String>,
    pub resource: String,
    pub challenge: String,
    pub choice: Choice,
    pub expires_at: DateTime<Utc>,
    pub key: Option<KeyId>,
}

/// A code and the account of who approved, both held until the transaction ends: of one account one connection is made at a time,
/// and none once it is closed.
pub(super) async fn lock_code(tx: &mut PgConnection, hash: &str) -> Result<Option<Code>> {
    let row = sqlx::query!(
        r#"SELECT c.client_id AS "client: ClientId", c.user_id AS "user: UserId", c.redirect_uri, c.resource, c.challenge,
                  c.scopes, c.daily_cap AS "daily_cap: Credits", c.monthly_cap AS "monthly_cap: Credits",
                  c.total_cap AS "total_cap: Credits", c.ends_at, c.expires_at, c.key_id AS "key: KeyId"
             FROM oauth_codes c JOIN auth.users u ON u.id = c.user_id
            WHERE c.code_hash = $1 AND u.closed_at IS NULL FOR NO KEY UPDATE"#,
        hash
    );
    Ok(row.fetch_optional(tx).await?.map(|r| Code {
        client: r.client,
        user: r.user,
        redirect_uri: r.redirect_uri,
        resource: r.resource,
        challenge: r.challenge,
        choice: Choice {
            scopes: r.scopes.iter().filter_map(|word| Scope::parse(word)).collect(),
            daily_cap: r.daily_cap,
            monthly_cap: r.monthly_cap,
            total_cap: r.total_cap,
            ends_at: r.ends_at,
        },
        expires_at: r.expires_at,
        key: r.key,
    }))
}

pub(super) async fn mark_code_used(tx: &mut PgConnection, hash: &str, key: KeyId) -> Result<()> {
    sqlx::query!("UPDATE oauth_codes SET key_id = $2 WHERE code_hash = $1", hash, key as KeyId).execute(tx).await?;
    Ok(())
}

pub(super) async fn insert_connection(
    tx: &mut PgConnection,
    key: KeyId,
    client: ClientId,
    resource: &str,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO oauth_connections (key_id, client_id, resource) VALUES ($1, $2, $3)",
        key as KeyId,
        client as ClientId,
        resource
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn insert_access(
    tx: &mut PgConnection,
    hash: &str,
    key: KeyId,
    audience: &str,
    expires_at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "INSERT INTO oauth_access_tokens (token_hash, key_id, resource, expires_at) VALUES ($1, $2, $3, $4)",
        hash,
        key as KeyId,
        audience,
        expires_at
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn insert_refresh(tx: &mut PgConnection, hash: &str, key: KeyId, follows: Option<&str>) -> Result<()> {
    sqlx::query!(
        "INSERT INTO oauth_refresh_tokens (token_hash, key_id, follows) VALUES ($1, $2, $3)",
        hash,
        key as KeyId,
        follows
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) struct Refresh {
    pub key: KeyId,
    pub user: UserId,
    pub client: ClientId,
    pub resource: String,
    pub scopes: Vec<String>,
    pub used_at: Option<DateTime<Utc>>,
    pub superseded_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub ends_at: Option<DateTime<Utc>>,
}

/// A refresh token and its connection, both held until the transaction ends: of one connection one is used at a time.
pub(super) async fn lock_refresh(tx: &mut PgConnection, hash: &str) -> Result<Option<Refresh>> {
    let row = sqlx::query_as!(
        Refresh,
        r#"SELECT r.key_id AS "key: KeyId", k.user_id AS "user: UserId", c.client_id AS "client: ClientId", c.resource,
                  k.scopes, r.used_at, r.superseded_at, k.revoked_at, k.expires_at AS "ends_at"
             FROM oauth_refresh_tokens r JOIN oauth_connections c ON c.key_id = r.key_id JOIN api_keys k ON k.id = r.key_id
            WHERE r.token_hash = $1 FOR NO KEY UPDATE"#,
        hash
    );
    Ok(row.fetch_optional(tx).await?)
}

pub(super) async fn mark_refresh_used(tx: &mut PgConnection, hash: &str, now: DateTime<Utc>) -> Result<()> {
    // The grace counts from the first use.
    sqlx::query!("UPDATE oauth_refresh_tokens SET used_at = coalesce(used_at, $2) WHERE token_hash = $1", hash, now)
        .execute(tx)
        .await?;
    Ok(())
}

/// Puts those that were given for `hash` out of use, if none of them was used: then `true`.
pub(super) async fn supersede_followers(tx: &mut PgConnection, hash: &str, now: DateTime<Utc>) -> Result<bool> {
    let used = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM oauth_refresh_tokens WHERE follows = $1 AND used_at IS NOT NULL) AS "used!""#,
        hash
    );
    if used.fetch_one(&mut *tx).await? {
        return Ok(false);
    }
    sqlx::query!(
        "UPDATE oauth_refresh_tokens SET superseded_at = coalesce(superseded_at, $2) WHERE follows = $1",
        hash,
        now
    )
    .execute(tx)
    .await?;
    Ok(true)
}

pub(super) async fn client_of_access(tx: &mut PgConnection, hash: &str) -> Result<Option<ClientId>> {
    let id = sqlx::query_scalar!(
        r#"SELECT c.client_id AS "id: ClientId" FROM oauth_access_tokens t JOIN oauth_connections c ON c.key_id = t.key_id
            WHERE t.token_hash = $1"#,
        hash
    );
    Ok(id.fetch_optional(tx).await?)
}

pub(super) async fn delete_access(tx: &mut PgConnection, hash: &str) -> Result<()> {
    sqlx::query!("DELETE FROM oauth_access_tokens WHERE token_hash = $1", hash).execute(tx).await?;
    Ok(())
}

/// The key that an access token points to. It ends with the token, or before.
pub(in crate::api_keys) async fn by_access_token(
    pool: &PgPool,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<Option<Found>> {
    let row = sqlx::query_as!(
        Looked,
        r#"SELECT k.id AS "id: KeyId", k.user_id AS "user: UserId", k.scopes, k.agent_ids AS "agents", k.requests_per_minute,
                  k.last_used_at, k.revoked_at, least(t.expires_at, k.expires_at) AS "expires_at", t.resource AS "audience?"
             FROM oauth_access_tokens t JOIN api_keys k ON k.id = t.key_id
            WHERE t.token_hash = $1"#,
        hash
    );
    Ok(row.fetch_optional(pool).await?.map(|r| r.found(now)))
}

/// Redirect URIs and resource of each of an account's connections.
pub(super) async fn details(tx: &mut PgConnection, user: UserId) -> Result<HashMap<KeyId, (Vec<String>, String)>> {
    let rows = sqlx::query!(
        r#"SELECT c.key_id AS "key: KeyId", o.redirect_uris, c.resource
             FROM oauth_connections c JOIN oauth_clients o ON o.id = c.client_id JOIN api_keys k ON k.id = c.key_id
            WHERE k.user_id = $1"#,
        user as UserId
    );
    Ok(rows.fetch_all(tx).await?.into_iter().map(|r| (r.key, (r.redirect_uris, r.resource))).collect())
}

pub(super) async fn forget_clients(pool: &PgPool, before: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "DELETE FROM oauth_clients o
          WHERE o.created_at < $1 AND NOT EXISTS (SELECT 1 FROM oauth_connections c WHERE c.client_id = o.id)",
        before
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn forget_codes(pool: &PgPool, before: DateTime<Utc>) -> Result<()> {
    sqlx::query!("DELETE FROM oauth_codes WHERE expires_at < $1", before).execute(pool).await?;
    Ok(())
}

pub(super) async fn forget_access(pool: &PgPool, before: DateTime<Utc>) -> Result<()> {
    sqlx::query!("DELETE FROM oauth_access_tokens WHERE expires_at < $1", before).execute(pool).await?;
    Ok(())
}

pub(super) async fn forget_refresh(pool: &PgPool, before: DateTime<Utc>) -> Result<()> {
    sqlx::query!("DELETE FROM oauth_refresh_tokens WHERE used_at < $1 OR superseded_at < $1", before)
        .execute(pool)
        .await?;
    Ok(())
}
