//! The SQL of push notifications: `push_configs`, `push_deliveries`.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::{CONFIGS_MAX, Delivery, LEASE, PushConfig, Version};
use crate::tasks::told::store as told;
use crate::{Actor, Db, Result, TaskId, UserId};

struct Row {
    id: String,
    url: String,
    token: Option<String>,
    auth_scheme: Option<String>,
    credentials: Option<String>,
    version: String,
}

impl From<Row> for PushConfig {
    fn from(row: Row) -> PushConfig {
        PushConfig {
            id: row.id,
            url: row.url,
            token: row.token,
            auth: row.auth_scheme.map(|scheme| (scheme, row.credentials.unwrap_or_default())),
            version: if row.version == "0.3" { Version::V03 } else { Version::V1 },
        }
    }
}

/// `false`: there are too many already.
pub(super) async fn set(tx: &mut PgConnection, task: TaskId, config: &PushConfig) -> Result<bool> {
    let (scheme, credentials) = config.auth.clone().unzip();
    let done = sqlx::query!(
        "INSERT INTO push_configs (task_id, id, url, token, auth_scheme, credentials, version)
         SELECT $1, $2, $3, $4, $5, $6, $7
          WHERE (SELECT count(*) FROM push_configs WHERE task_id = $1 AND id <> $2) < $8
         ON CONFLICT (task_id, id) DO UPDATE SET url = excluded.url, token = excluded.token, auth_scheme = excluded.auth_scheme,
           credentials = excluded.credentials, version = excluded.version",
        task as TaskId,
        config.id,
        config.url,
        config.token,
        scheme,
        credentials,
        config.version.as_str(),
        CONFIGS_MAX
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn list(tx: &mut PgConnection, task: TaskId) -> Result<Vec<PushConfig>> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, url, token, auth_scheme, credentials, version FROM push_configs WHERE task_id = $1 ORDER BY id",
        task as TaskId
    );
    Ok(rows.fetch_all(tx).await?.into_iter().map(PushConfig::from).collect())
}

pub(super) async fn delete(tx: &mut PgConnection, task: TaskId, id: &str) -> Result<()> {
    sqlx::query!("DELETE FROM push_configs WHERE task_id = $1 AND id = $2", task as TaskId, id).execute(tx).await?;
    Ok(())
}

pub(super) async fn carry_over(tx: &mut PgConnection, from: TaskId, to: TaskId) -> Result<()> {
    sqlx::query!(
        "INSERT INTO push_configs (task_id, id, url, token, auth_scheme, credentials, version)
         SELECT $2, id, url, token, auth_scheme, credentials, version FROM push_configs WHERE task_id = $1",
        from as TaskId,
        to as TaskId
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn tell_again(tx: &mut PgConnection, task: TaskId) -> Result<()> {
    sqlx::query!(
        r#"WITH written AS (
             INSERT INTO push_deliveries (task_id, config_id, seq)
             SELECT c.task_id, c.id, (SELECT max(e.seq) FROM task_events e WHERE e.task_id = $1)
               FROM push_configs c WHERE c.task_id = $1 RETURNING 1)
           SELECT pg_notify('task_pushes', '') AS "told!: ()" FROM (SELECT count(*) AS n FROM written) w WHERE w.n > 0"#,
        task as TaskId
    )
    .fetch_optional(tx)
    .await?;
    Ok(())
}

pub(super) async fn claim(db: &Db, limit: i64, now: DateTime<Utc>) -> Result<Vec<Delivery>> {
    let mut tx = db.begin(&Actor::System).await?;
    let rows = sqlx::query!(
        r#"WITH due AS (
             SELECT d.id FROM push_deliveries d
              WHERE d.next_at <= $2
                AND NOT EXISTS (SELECT 1 FROM push_deliveries e WHERE e.task_id = d.task_id AND e.config_id = d.config_id AND e.id < d.id)
              ORDER BY d.next_at LIMIT $1 FOR UPDATE OF d SKIP LOCKED),
           leased AS (
             UPDATE push_deliveries d SET lease_token = gen_random_uuid(), next_at = $3 FROM due WHERE d.id = due.id
             RETURNING d.id, d.task_id, d.config_id, d.seq, d.tries, d.lease_token)
           SELECT l.id AS delivery, l.lease_token AS "lease!", l.tries, l.seq, l.task_id AS "task: TaskId", e.kind, e.created_at AS at,
                  r.owner_user_id AS "payer!: UserId", c.id, c.url, c.token, c.auth_scheme, c.credentials, c.version
             FROM leased l
             JOIN push_configs c ON c.task_id = l.task_id AND c.id = l.config_id
             JOIN task_events e ON e.task_id = l.task_id AND e.seq = l.seq
             JOIN tasks t ON t.id = l.task_id JOIN agents r ON r.id = t.requester_agent_id
            ORDER BY l.id"#,
        limit,
        now,
        now + LEASE
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut claimed = Vec::with_capacity(rows.len());
    for r in rows {
        let Some(task) = told::told(&mut tx, r.payer, r.task).await? else { continue };
        let row = Row {
            id: r.id,
            url: r.url,
            token: r.token,
            auth_scheme: r.auth_scheme,
            credentials: r.credentials,
            version: r.version,
        };
        let config = row.into();
        claimed.push(Delivery {
            id: r.delivery,
            token: r.lease,
            tries: r.tries,
            config,
            seq: r.seq,
            kind: r.kind,
            at: r.at,
            task,
        });
    }
    tx.commit().await?;
    Ok(claimed)
}

/// `again`: when it is to be tried next; `None`: not any more.
pub(super) async fn record(pool: &PgPool, delivery: &Delivery, again: Option<DateTime<Utc>>) -> Result<()> {
    let (id, token): (i64, Uuid) = (delivery.id, delivery.token);
    match again {
        Some(at) => {
            sqlx::query!(
                "UPDATE push_deliveries SET tries = tries + 1, next_at = $3, lease_token = NULL WHERE id = $1 AND lease_token = $2",
                id,
                token,
                at
            )
            .execute(pool)
            .await?;
        }
        None => {
            sqlx::query!("DELETE FROM push_deliveries WHERE id = $1 AND lease_token = $2", id, token)
                .execute(pool)
                .await?;
        }
    }
    Ok(())
}
