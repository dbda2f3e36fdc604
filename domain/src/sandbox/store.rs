//! The SQL of the payment sandbox: schema `sandbox`.

use serde_json::Value;
use sqlx::PgPool;

use super::Delivery;
use crate::{Actor, Db, Result};

pub(super) async fn webhook_secret(pool: &PgPool, fresh: &str) -> Result<String> {
    Ok(sqlx::query_scalar!(
        "INSERT INTO sandbox.webhook_secret AS w (secret) VALUES ($1)
         ON CONFLICT (only_one) DO UPDATE SET secret = w.secret RETURNING secret",
        fresh
    )
    .fetch_one(pool)
    .await?)
}

pub(super) async fn create_session(pool: &PgPool, id: &str, key: Option<&str>, body: &Value) -> Result<Value> {
    Ok(sqlx::query_scalar!(
        "INSERT INTO sandbox.checkout_sessions AS s (id, idempotency_key, body) VALUES ($1, $2, $3)
         ON CONFLICT (idempotency_key) DO UPDATE SET body = s.body RETURNING body",
        id,
        key,
        body
    )
    .fetch_one(pool)
    .await?)
}

pub(super) async fn session(pool: &PgPool, id: &str) -> Result<Option<Value>> {
    Ok(sqlx::query_scalar!("SELECT body FROM sandbox.checkout_sessions WHERE id = $1", id).fetch_optional(pool).await?)
}

pub(super) async fn pay(db: &Db, id: &str, paid: &Value, delivery: &Delivery) -> Result<bool> {
    let mut tx = db.begin(&Actor::System).await?;
    let done = sqlx::query!(
        "UPDATE sandbox.checkout_sessions SET body = $2 WHERE id = $1 AND body ->> 'status' = 'open'",
        id,
        paid
    )
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!(
        "INSERT INTO sandbox.webhook_deliveries (event_id, payload) VALUES ($1, $2)",
        delivery.event_id,
        delivery.payload
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(true)
}

/// The wait doubles from 2 s, to at most 5 minutes; after 20 tries it is given up.
pub(super) async fn due_deliveries(pool: &PgPool) -> Result<Vec<Delivery>> {
    Ok(sqlx::query_as!(
        Delivery,
        "UPDATE sandbox.webhook_deliveries d SET attempts = d.attempts + 1,
                next_at = now() + least(interval '5 minutes', interval '1 second' * 2 ^ least(d.attempts + 1, 9))
           FROM (SELECT event_id FROM sandbox.webhook_deliveries
                  WHERE delivered_at IS NULL AND next_at <= now() AND attempts < 20
                  ORDER BY next_at LIMIT 10 FOR UPDATE SKIP LOCKED) due
          WHERE d.event_id = due.event_id RETURNING d.event_id, d.payload, d.attempts"
    )
    .fetch_all(pool)
    .await?)
}

pub(super) async fn delivered(pool: &PgPool, event_id: &str) -> Result<()> {
    sqlx::query!("UPDATE sandbox.webhook_deliveries SET delivered_at = now() WHERE event_id = $1", event_id)
        .execute(pool)
        .await?;
    Ok(())
}
