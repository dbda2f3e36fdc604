//! The SQL of webhooks: `webhook_endpoints`, `webhook_secrets`, `webhook_messages`, `webhook_deliveries`,
//! `webhook_attempts`. What owners may not write themselves is done by functions of the schema `webhooks`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::deliver::{Answer, Claim, LEASE, Message, PER_ENDPOINT, Tried};
use super::endpoints::{Endpoint, EndpointChange, Off, OffReason, Secret};
use super::log::{Attempt, DeliveryDetail, DeliveryState, DeliverySummary};
use crate::{DeliveryId, Error, Missing, Result, SigningSecrets, UserId, WebhookId};

// Endpoints -------------------------------------------------------------------------------------------------------

pub(super) async fn insert(tx: &mut PgConnection, user: UserId, new: &EndpointChange) -> Result<WebhookId> {
    Ok(sqlx::query_scalar!(
        r#"INSERT INTO webhook_endpoints (user_id, url, description, event_types) VALUES ($1, $2, $3, $4)
           RETURNING id AS "id: WebhookId""#,
        user as UserId,
        new.url.as_deref().unwrap_or_default(),
        new.description.as_deref().unwrap_or_default(),
        new.types.as_deref().unwrap_or_default()
    )
    .fetch_one(tx)
    .await?)
}

pub(super) async fn set_secret(tx: &mut PgConnection, id: WebhookId, secret: &Secret) -> Result<()> {
    sqlx::query_scalar!("SELECT webhooks.set_secret($1, $2)", id as WebhookId, secret.0).fetch_one(tx).await?;
    Ok(())
}

/// The account's endpoints, or the one that is asked for.
pub(super) async fn endpoints(tx: &mut PgConnection, user: UserId, id: Option<WebhookId>) -> Result<Vec<Endpoint>> {
    let rows = sqlx::query!(
        r#"SELECT e.id AS "id: WebhookId", e.url, e.description, e.event_types, e.active, e.off_reason, e.off_at,
                  e.failing_since, e.created_at,
                  (SELECT d.created_at FROM webhook_deliveries d WHERE d.endpoint_id = e.id ORDER BY d.number DESC LIMIT 1)
                    AS last_message_at
             FROM webhook_endpoints e
            WHERE e.user_id = $1 AND ($2::uuid IS NULL OR e.id = $2) ORDER BY e.created_at, e.id"#,
        user as UserId,
        id as Option<WebhookId>
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Endpoint {
            id: r.id,
            url: r.url,
            description: r.description,
            types: r.event_types,
            off: (!r.active).then_some(Off {
                at: r.off_at,
                reason: match r.off_reason.as_deref() {
                    Some("gone") => OffReason::Gone,
                    Some(_) => OffReason::Failing,
                    None => OffReason::Owner,
                },
            }),
            failing_since: r.failing_since,
            last_message_at: r.last_message_at,
            created_at: r.created_at,
        })
        .collect())
}

pub(super) async fn change(tx: &mut PgConnection, user: UserId, id: WebhookId, change: &EndpointChange) -> Result<()> {
    let done = sqlx::query!(
        "UPDATE webhook_endpoints SET url = coalesce($3, url), description = coalesce($4, description),
                event_types = coalesce($5, event_types), active = coalesce($6, active)
          WHERE user_id = $1 AND id = $2",
        user as UserId,
        id as WebhookId,
        change.url,
        change.description,
        change.types.as_deref(),
        change.active
    )
    .execute(tx)
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound(Missing::Webhook)) }
}

/// Locks an account's endpoint; `false` when there is none.
pub(super) async fn lock(tx: &mut PgConnection, user: UserId, id: WebhookId) -> Result<bool> {
    let found = sqlx::query_scalar!(
        r#"SELECT true AS "found!" FROM webhook_endpoints WHERE id = $1 AND user_id = $2 FOR NO KEY UPDATE"#,
        id as WebhookId,
        user as UserId
    );
    Ok(found.fetch_optional(tx).await?.is_some())
}

pub(super) async fn delete(tx: &mut PgConnection, user: UserId, id: WebhookId) -> Result<()> {
    let done =
        sqlx::query!("DELETE FROM webhook_endpoints WHERE user_id = $1 AND id = $2", user as UserId, id as WebhookId)
            .execute(tx)
            .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound(Missing::Webhook)) }
}

// The log ---------------------------------------------------------------------------------------------------------

/// A delivery as both queries here name its columns.
struct Row {
    id: DeliveryId,
    message: Uuid,
    kind: String,
    state: String,
    created_at: DateTime<Utc>,
    next_at: Option<DateTime<Utc>>,
    attempts: i64,
    last_status: Option<i32>,
    last_error: Option<String>,
    number: i64,
}

impl Row {
    fn summary(self) -> Result<DeliverySummary> {
        let state = DeliveryState::parse(&self.state)
            .ok_or_else(|| Error::Internal(format!("delivery {} in unknown state {}", self.id, self.state).into()))?;
        Ok(DeliverySummary {
            id: self.id,
            message: self.message,
            kind: self.kind,
            state,
            created_at: self.created_at,
            next_at: self.next_at,
            attempts: self.attempts,
            last_status: self.last_status,
            last_error: self.last_error,
            number: self.number,
        })
    }
}

pub(super) async fn deliveries(
    tx: &mut PgConnection,
    user: UserId,
    endpoint: WebhookId,
    state: Option<DeliveryState>,
    after: Option<i64>,
    limit: usize,
) -> Result<Vec<DeliverySummary>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT d.id AS "id: DeliveryId", d.message_id AS message, m.type AS kind, d.state, d.created_at, d.next_at,
                  (SELECT count(*) FROM webhook_attempts n WHERE n.delivery_id = d.id) AS "attempts!",
                  l.status AS "last_status?", l.error AS "last_error?", d.number
             FROM webhook_deliveries d
             JOIN webhook_endpoints e ON e.id = d.endpoint_id
             JOIN webhook_messages m ON m.id = d.message_id
             LEFT JOIN LATERAL (SELECT n.status, n.error FROM webhook_attempts n WHERE n.delivery_id = d.id
                                 ORDER BY n.id DESC LIMIT 1) l ON true
            WHERE e.user_id = $1 AND d.endpoint_id = $2 AND ($3::text IS NULL OR d.state = $3)
              AND ($4::bigint IS NULL OR d.number < $4)
            ORDER BY d.number DESC LIMIT $5"#,
        user as UserId,
        endpoint as WebhookId,
        state.map(DeliveryState::as_str),
        after,
        limit as i64
    )
    .fetch_all(tx)
    .await?;
    rows.into_iter().map(Row::summary).collect()
}

pub(super) async fn delivery(tx: &mut PgConnection, user: UserId, id: DeliveryId) -> Result<Option<DeliveryDetail>> {
    let row = sqlx::query!(
        r#"SELECT d.id AS "id: DeliveryId", d.endpoint_id AS "endpoint: WebhookId", d.message_id, m.type AS kind, m.data,
                  m.created_at AS at, d.state, d.created_at, d.next_at, d.number
             FROM webhook_deliveries d
             JOIN webhook_endpoints e ON e.id = d.endpoint_id
             JOIN webhook_messages m ON m.id = d.message_id
            WHERE e.user_id = $1 AND d.id = $2"#,
        user as UserId,
        id as DeliveryId
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(r) = row else { return Ok(None) };
    let attempts = sqlx::query_as!(
        Attempt,
        "SELECT at, duration_ms, status, error, answer FROM webhook_attempts WHERE delivery_id = $1 ORDER BY id",
        id as DeliveryId
    )
    .fetch_all(tx)
    .await?;
    let last = attempts.last();
    let row = Row {
        id: r.id,
        message: r.message_id,
        kind: r.kind.clone(),
        state: r.state,
        created_at: r.created_at,
        next_at: r.next_at,
        attempts: attempts.len() as i64,
        last_status: last.and_then(|a| a.status),
        last_error: last.and_then(|a| a.error.clone()),
        number: r.number,
    };
    let body = Message { id: r.message_id, kind: r.kind, data: r.data, at: r.at }.body();
    Ok(Some(DeliveryDetail { summary: row.summary()?, endpoint: r.endpoint, body, attempts }))
}

pub(super) async fn send_test(tx: &mut PgConnection, endpoint: WebhookId) -> Result<DeliveryId> {
    Ok(sqlx::query_scalar!(r#"SELECT webhooks.send_test($1) AS "id!: DeliveryId""#, endpoint as WebhookId)
        .fetch_one(tx)
        .await?)
}

pub(super) async fn resend(tx: &mut PgConnection, id: DeliveryId) -> Result<()> {
    sqlx::query_scalar!("SELECT webhooks.resend($1)", id as DeliveryId).fetch_one(tx).await?;
    Ok(())
}

pub(super) async fn resend_failed(tx: &mut PgConnection, endpoint: WebhookId, since: DateTime<Utc>) -> Result<i64> {
    Ok(sqlx::query_scalar!(r#"SELECT webhooks.resend_failed($1, $2) AS "count!""#, endpoint as WebhookId, since)
        .fetch_one(tx)
        .await?)
}

// The worker ------------------------------------------------------------------------------------------------------

/// Takes on what is due. A loose index scan finds each endpoint that something waits for; then the first few of each, and
/// of those the ones whose endpoints have least on its way. What another worker is taking on is passed over.
pub(super) async fn claim(pool: &PgPool, limit: i64, now: DateTime<Utc>) -> Result<Vec<Claim>> {
    let rows = sqlx::query!(
        r#"WITH RECURSIVE waited_for AS (
             (SELECT d.endpoint_id FROM webhook_deliveries d WHERE d.state = 'waiting' ORDER BY d.endpoint_id LIMIT 1)
             UNION ALL
             SELECT (SELECT d.endpoint_id FROM webhook_deliveries d WHERE d.state = 'waiting' AND d.endpoint_id > w.endpoint_id
                      ORDER BY d.endpoint_id LIMIT 1)
               FROM waited_for w WHERE w.endpoint_id IS NOT NULL),
           due AS MATERIALIZED (
             SELECT f.id
               FROM waited_for w
               JOIN webhook_endpoints e ON e.id = w.endpoint_id AND e.active
               CROSS JOIN LATERAL (SELECT count(*) AS n FROM webhook_deliveries d
                                    WHERE d.endpoint_id = e.id AND d.lease_token IS NOT NULL AND d.next_at > $2) busy
               CROSS JOIN LATERAL (SELECT d.id, d.next_at, row_number() OVER (ORDER BY d.next_at, d.number) AS n
                                     FROM webhook_deliveries d
                                    WHERE d.endpoint_id = e.id AND d.state = 'waiting' AND d.next_at <= $2
                                    ORDER BY d.next_at, d.number LIMIT greatest($3 - busy.n, 0)) f
              ORDER BY busy.n + f.n, f.next_at LIMIT $1),
           taken AS MATERIALIZED (
             SELECT d.id FROM webhook_deliveries d WHERE d.id IN (SELECT due.id FROM due) AND d.state = 'waiting' AND d.next_at <= $2
                FOR UPDATE SKIP LOCKED),
           leased AS (
             UPDATE webhook_deliveries d SET lease_token = gen_random_uuid(), next_at = $4
               FROM taken WHERE d.id = taken.id RETURNING d.id, d.number, d.lease_token, d.endpoint_id, d.message_id)
           SELECT l.id AS "id: DeliveryId", l.lease_token AS "token!", e.id AS "endpoint: WebhookId", e.url,
                  m.id AS message, m.type AS kind, m.data AS "data: Value", m.created_at AS at, s.secret,
                  CASE WHEN s.previous_until > $2 THEN s.previous END AS previous
             FROM leased l
             JOIN webhook_endpoints e ON e.id = l.endpoint_id
             JOIN webhook_messages m ON m.id = l.message_id
             JOIN webhook_secrets s ON s.endpoint_id = e.id
            ORDER BY l.number"#,
        limit,
        now,
        PER_ENDPOINT,
        now + LEASE
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Claim {
            delivery: r.id,
            token: r.token,
            endpoint: r.endpoint,
            url: r.url,
            message: Message { id: r.message, kind: r.kind, data: r.data, at: r.at },
            secrets: SigningSecrets([Some(r.secret), r.previous].into_iter().flatten().collect()),
        })
        .collect())
}

/// An endpoint whose row is locked.
pub(super) struct LockedEndpoint {
    pub id: WebhookId,
    pub user: UserId,
    pub url: String,
    pub active: bool,
    pub failing_since: Option<DateTime<Utc>>,
}

pub(super) async fn lock_endpoint(tx: &mut PgConnection, id: WebhookId) -> Result<Option<LockedEndpoint>> {
    Ok(sqlx::query_as!(
        LockedEndpoint,
        r#"SELECT id AS "id: WebhookId", user_id AS "user: UserId", url, active, failing_since
             FROM webhook_endpoints WHERE id = $1 FOR NO KEY UPDATE"#,
        id as WebhookId
    )
    .fetch_optional(tx)
    .await?)
}

/// A delivery whose row is locked.
pub(super) struct LockedDelivery {
    pub token: Option<Uuid>,
    pub tries: i32,
}

pub(super) async fn lock_delivery(tx: &mut PgConnection, id: DeliveryId) -> Result<Option<LockedDelivery>> {
    Ok(sqlx::query_as!(
        LockedDelivery,
        "SELECT lease_token AS token, tries FROM webhook_deliveries WHERE id = $1 FOR NO KEY UPDATE",
        id as DeliveryId
    )
    .fetch_optional(tx)
    .await?)
}

pub(super) async fn add_attempt(
    tx: &mut PgConnection,
    id: DeliveryId,
    tried: &Tried,
    answer: Option<&str>,
) -> Result<()> {
    let (status, error) = match &tried.answer {
        Answer::Status { code, .. } => (Some(i32::from(*code)), None),
        Answer::Nothing(why) => (None, Some(why.as_str())),
    };
    sqlx::query!(
        "INSERT INTO webhook_attempts (delivery_id, at, duration_ms, status, error, answer) VALUES ($1, $2, $3, $4, $5, $6)",
        id as DeliveryId,
        tried.at,
        i32::try_from(tried.took.as_millis()).unwrap_or(i32::MAX),
        status,
        error,
        answer
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn set_delivered(tx: &mut PgConnection, id: DeliveryId, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "UPDATE webhook_deliveries SET state = 'delivered', ended_at = $2, next_at = NULL, lease_token = NULL
          WHERE id = $1 AND state <> 'delivered'",
        id as DeliveryId,
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// One failed try more: again at `next`, or failed for good.
pub(super) async fn set_failed_try(
    tx: &mut PgConnection,
    id: DeliveryId,
    next: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!(
        "UPDATE webhook_deliveries SET tries = tries + 1, next_at = $2, lease_token = NULL,
                state = CASE WHEN $2::timestamptz IS NULL THEN 'failed' ELSE 'waiting' END,
                ended_at = CASE WHEN $2::timestamptz IS NULL THEN $3::timestamptz END
          WHERE id = $1",
        id as DeliveryId,
        next,
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes since when an endpoint fails, or that it does not.
pub(super) async fn set_failing(tx: &mut PgConnection, id: WebhookId, since: Option<DateTime<Utc>>) -> Result<()> {
    sqlx::query!(
        "UPDATE webhook_endpoints SET failing_since = $2 WHERE id = $1 AND failing_since IS DISTINCT FROM $2",
        id as WebhookId,
        since
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Switches an endpoint off; a trigger ends what waits for it.
pub(super) async fn switch_off(tx: &mut PgConnection, id: WebhookId, reason: &str) -> Result<()> {
    sqlx::query!("UPDATE webhook_endpoints SET active = false, off_reason = $2 WHERE id = $1", id as WebhookId, reason)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn forget_before(pool: &PgPool, then: DateTime<Utc>, limit: i64) -> Result<u64> {
    let done = sqlx::query!(
        "DELETE FROM webhook_messages
          WHERE id IN (SELECT m.id FROM webhook_messages m WHERE m.created_at < $1 ORDER BY m.created_at LIMIT $2)",
        then,
        limit
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
