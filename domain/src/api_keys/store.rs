//! The SQL of keys: `api_keys`, `api_key_former`.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::verify::VerifiedKey;
use super::{ApiKey, NewKey, Scopes, Token};
use crate::{AgentId, Credits, Error, KeyId, Result, UserId};

/// Orders whoever makes or changes keys of an account.
pub(super) async fn lock_keys_of(tx: &mut PgConnection, user: UserId) -> Result<()> {
    sqlx::query_scalar!(r#"SELECT id AS "id: UserId" FROM auth.users WHERE id = $1 FOR NO KEY UPDATE"#, user as UserId)
        .fetch_optional(tx)
        .await?;
    Ok(())
}

/// How many keys of an account are not revoked; connections are counted apart.
pub(super) async fn count(tx: &mut PgConnection, user: UserId) -> Result<i64> {
    let n = sqlx::query_scalar!(
        r#"SELECT count(*) AS "n!" FROM api_keys k
            WHERE k.user_id = $1 AND k.revoked_at IS NULL
              AND NOT EXISTS (SELECT 1 FROM oauth_connections c WHERE c.key_id = k.id)"#,
        user as UserId
    );
    Ok(n.fetch_one(tx).await?)
}

/// Refuses ids that are no agent's.
pub(super) async fn check_agents(tx: &mut PgConnection, agents: &[AgentId]) -> Result<()> {
    let unknown = sqlx::query_scalar!(
        r#"SELECT wanted AS "wanted!: AgentId" FROM unnest($1::uuid[]) AS wanted
            WHERE NOT EXISTS (SELECT 1 FROM agents a WHERE a.id = wanted AND a.kind = 'listed') LIMIT 1"#,
        agents as &[AgentId]
    );
    match unknown.fetch_optional(tx).await? {
        Some(id) => Err(Error::field("agentIds", format!("{id} is not an agent"))),
        None => Ok(()),
    }
}

pub(super) async fn insert(tx: &mut PgConnection, user: UserId, new: &NewKey, token: &Token) -> Result<KeyId> {
    let id = sqlx::query_scalar!(
        r#"INSERT INTO api_keys (user_id, name, key_hash, prefix, scopes, expires_at, agent_ids, daily_cap, monthly_cap,
                                 total_cap, requests_per_minute)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id AS "id: KeyId""#,
        user as UserId,
        new.name.trim(),
        token.hash(),
        token.prefix(),
        &new.scopes.words(),
        new.expires_at,
        new.agents.as_deref() as Option<&[AgentId]>,
        new.daily_cap as Option<Credits>,
        new.monthly_cap as Option<Credits>,
        new.total_cap as Option<Credits>,
        new.requests_per_minute
    );
    Ok(id.fetch_one(tx).await?)
}

pub(super) async fn update(tx: &mut PgConnection, id: KeyId, key: &NewKey) -> Result<()> {
    sqlx::query!(
        "UPDATE api_keys SET name = $2, scopes = $3, expires_at = $4, agent_ids = $5, daily_cap = $6, monthly_cap = $7,
                total_cap = $8, requests_per_minute = $9
          WHERE id = $1",
        id as KeyId,
        key.name.trim(),
        &key.scopes.words(),
        key.expires_at,
        key.agents.as_deref() as Option<&[AgentId]>,
        key.daily_cap as Option<Credits>,
        key.monthly_cap as Option<Credits>,
        key.total_cap as Option<Credits>,
        key.requests_per_minute
    )
    .execute(tx)
    .await?;
    Ok(())
}

struct Row {
    id: KeyId,
    name: String,
    prefix: String,
    scopes: Vec<String>,
    agents: Option<Vec<Uuid>>,
    daily_cap: Option<Credits>,
    monthly_cap: Option<Credits>,
    total_cap: Option<Credits>,
    spent_today: Credits,
    spent_this_month: Credits,
    spent_total: Credits,
    requests_per_minute: Option<i32>,
    last_used_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    rotated_at: Option<DateTime<Utc>>,
    former_good_until: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    is_connection: bool,
}

impl From<Row> for ApiKey {
    fn from(r: Row) -> ApiKey {
        ApiKey {
            id: r.id,
            name: r.name,
            prefix: r.prefix,
            scopes: Scopes::stored(&r.scopes),
            agents: r.agents.map(typed),
            daily_cap: r.daily_cap,
            monthly_cap: r.monthly_cap,
            total_cap: r.total_cap,
            spent_today: r.spent_today,
            spent_this_month: r.spent_this_month,
            spent_total: r.spent_total,
            requests_per_minute: r.requests_per_minute,
            last_used_at: r.last_used_at,
            expires_at: r.expires_at,
            rotated_at: r.rotated_at,
            former_good_until: r.former_good_until,
            revoked_at: r.revoked_at,
            created_at: r.created_at,
            is_connection: r.is_connection,
        }
    }
}

fn typed(ids: Vec<Uuid>) -> Vec<AgentId> {
    ids.into_iter().map(AgentId).collect()
}

/// Keys that people made, or those that are connections.
pub(super) async fn list(
    tx: &mut PgConnection,
    user: UserId,
    connections: bool,
    now: DateTime<Utc>,
) -> Result<Vec<ApiKey>> {
    let mut all = keys(tx, user, None, now).await?;
    all.retain(|key| key.is_connection == connections);
    Ok(all)
}

pub(super) async fn find(tx: &mut PgConnection, user: UserId, id: KeyId, now: DateTime<Utc>) -> Result<Option<ApiKey>> {
    Ok(keys(tx, user, Some(id), now).await?.into_iter().next())
}

async fn keys(tx: &mut PgConnection, user: UserId, id: Option<KeyId>, now: DateTime<Utc>) -> Result<Vec<ApiKey>> {
    let today = now.date_naive();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT k.id AS "id: KeyId", k.name, k.prefix, k.scopes, k.agent_ids AS "agents", k.daily_cap AS "daily_cap: Credits",
                  k.monthly_cap AS "monthly_cap: Credits", k.total_cap AS "total_cap: Credits", k.requests_per_minute,
                  coalesce(s.today, 0) AS "spent_today!: Credits", coalesce(s.month, 0) AS "spent_this_month!: Credits",
                  coalesce(s.total, 0) AS "spent_total!: Credits", k.last_used_at, k.expires_at, k.rotated_at,
                  f.good_until AS "former_good_until?", k.revoked_at, k.created_at,
                  EXISTS (SELECT 1 FROM oauth_connections c WHERE c.key_id = k.id) AS "is_connection!"
             FROM api_keys k
             LEFT JOIN LATERAL (SELECT sum(d.spent) AS total,
                                       sum(d.spent) FILTER (WHERE d.day = $3) AS today,
                                       sum(d.spent) FILTER (WHERE d.day >= date_trunc('month', $3::date)::date) AS month
                                  FROM api_key_days d WHERE d.key_id = k.id) s ON true
             LEFT JOIN LATERAL (SELECT max(p.good_until) AS good_until FROM api_key_former p
                                 WHERE p.key_id = k.id AND p.good_until > $4) f ON true
            WHERE k.user_id = $1 AND ($2::uuid IS NULL OR k.id = $2)
              AND ($2::uuid IS NOT NULL OR k.revoked_at IS NULL OR k.revoked_at > $4 - interval '30 days')
            ORDER BY k.created_at DESC, k.id"#,
        user as UserId,
        id as Option<KeyId>,
        today,
        now
    );
    Ok(rows.fetch_all(tx).await?.into_iter().map(ApiKey::from).collect())
}

pub(super) async fn revoke(tx: &mut PgConnection, user: UserId, id: KeyId, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE api_keys SET revoked_at = coalesce(revoked_at, $3) WHERE id = $1 AND user_id = $2",
        id as KeyId,
        user as UserId,
        now
    );
    let known = done.execute(&mut *tx).await?.rows_affected() == 1;
    sqlx::query!("DELETE FROM api_key_former WHERE key_id = $1", id as KeyId).execute(tx).await?;
    Ok(known)
}

/// The former secret is good until `good_until`; those before it are not any more.
pub(super) async fn rotate(
    tx: &mut PgConnection,
    id: KeyId,
    token: &Token,
    now: DateTime<Utc>,
    good_until: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!("DELETE FROM api_key_former WHERE key_id = $1", id as KeyId).execute(&mut *tx).await?;
    if good_until > now {
        sqlx::query!(
            "INSERT INTO api_key_former (key_hash, key_id, good_until) SELECT key_hash, id, $2 FROM api_keys WHERE id = $1",
            id as KeyId,
            good_until
        )
        .execute(&mut *tx)
        .await?;
    }
    sqlx::query!(
        "UPDATE api_keys SET key_hash = $2, prefix = $3, rotated_at = $4 WHERE id = $1",
        id as KeyId,
        token.hash(),
        token.prefix(),
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) type Found = (VerifiedKey, Option<DateTime<Utc>>, Option<DateTime<Utc>>);

pub(super) struct Looked {
    pub(super) id: KeyId,
    pub(super) user: UserId,
    pub(super) scopes: Vec<String>,
    pub(super) agents: Option<Vec<Uuid>>,
    pub(super) requests_per_minute: Option<i32>,
    pub(super) last_used_at: Option<DateTime<Utc>>,
    pub(super) revoked_at: Option<DateTime<Utc>>,
    pub(super) expires_at: Option<DateTime<Utc>>,
    pub(super) audience: Option<String>,
}

impl Looked {
    pub(super) fn found(self, now: DateTime<Utc>) -> Found {
        let key = VerifiedKey {
            id: self.id,
            user: self.user,
            scopes: Scopes::stored(&self.scopes),
            agents: self.agents.map(typed),
            requests_per_minute: self.requests_per_minute,
            use_is_news: self.last_used_at.is_none_or(|at| at < now - TimeDelta::minutes(1)),
            audience: self.audience,
        };
        (key, self.revoked_at, self.expires_at)
    }
}

pub(super) async fn by_hash(pool: &PgPool, hash: &str, now: DateTime<Utc>) -> Result<Option<Found>> {
    let row = sqlx::query_as!(
        Looked,
        r#"SELECT id AS "id: KeyId", user_id AS "user: UserId", scopes, agent_ids AS "agents", requests_per_minute,
                  last_used_at, revoked_at, expires_at, NULL::text AS "audience?"
             FROM api_keys WHERE key_hash = $1"#,
        hash
    );
    Ok(row.fetch_optional(pool).await?.map(|r| r.found(now)))
}

pub(super) async fn by_former_hash(pool: &PgPool, hash: &str, now: DateTime<Utc>) -> Result<Option<Found>> {
    let row = sqlx::query_as!(
        Looked,
        r#"SELECT k.id AS "id: KeyId", k.user_id AS "user: UserId", k.scopes, k.agent_ids AS "agents", k.requests_per_minute,
                  k.last_used_at, k.revoked_at, k.expires_at, NULL::text AS "audience?"
             FROM api_key_former f JOIN api_keys k ON k.id = f.key_id
            WHERE f.key_hash = $1 AND f.good_until > $2"#,
        hash,
        now
    );
    Ok(row.fetch_optional(pool).await?.map(|r| r.found(now)))
}

pub(super) async fn note_use(pool: &PgPool, key: KeyId, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "UPDATE api_keys SET last_used_at = $2
          WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2::timestamptz - interval '1 minute')",
        key as KeyId,
        now
    )
    .execute(pool)
    .await?;
    Ok(())
}
