//! The SQL of the payment sandbox: schema `sandbox`.

use serde_json::Value;
use sqlx::{PgConnection, PgExecutor, PgPool};

use super::{Answer, Delivery, Fate, Object};
use crate::Result;

pub(super) async fn webhook_secret(pool: &PgPool, fresh: &str) -> Result<String> {
    Ok(sqlx::query_scalar!(
        "INSERT INTO sandbox.webhook_secret AS w (secret) VALUES ($1)
         ON CONFLICT (only_one) DO UPDATE SET secret = w.secret RETURNING secret",
        fresh
    )
    .fetch_one(pool)
    .await?)
}

/// The advisory lock (any number that nothing else here uses) lasts as long as the transaction.
pub(super) async fn take_turn(tx: &mut PgConnection) -> Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock(7253002)").fetch_one(tx).await?;
    Ok(())
}

pub(super) async fn object(db: impl PgExecutor<'_>, id: &str) -> Result<Option<Object>> {
    Ok(sqlx::query_as!(
        Object,
        r#"SELECT id, kind, body, hidden, NULL::integer AS due_in FROM sandbox.objects WHERE id = $1"#,
        id
    )
    .fetch_optional(db)
    .await?)
}

pub(super) async fn put(tx: &mut PgConnection, object: &Object) -> Result<()> {
    sqlx::query!(
        "INSERT INTO sandbox.objects (id, kind, body, hidden, due_at)
         VALUES ($1, $2, $3, $4, now() + $5::integer * interval '1 second')
         ON CONFLICT (id) DO UPDATE SET body = excluded.body, hidden = excluded.hidden, due_at = excluded.due_at",
        object.id,
        object.kind,
        object.body,
        object.hidden,
        object.due_in
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn of_payment(tx: &mut PgConnection, kind: &str, payment_intent: &str) -> Result<Option<Object>> {
    Ok(sqlx::query_as!(
        Object,
        "SELECT id, kind, body, hidden, NULL::integer AS due_in FROM sandbox.objects
          WHERE kind = $1 AND body ->> 'payment_intent' = $2 ORDER BY created_at DESC LIMIT 1",
        kind,
        payment_intent
    )
    .fetch_optional(tx)
    .await?)
}

pub(super) async fn due(tx: &mut PgConnection) -> Result<Option<Object>> {
    Ok(sqlx::query_as!(
        Object,
        "UPDATE sandbox.objects SET due_at = now() + interval '1 minute'
          WHERE id = (SELECT id FROM sandbox.objects WHERE due_at <= now() ORDER BY due_at LIMIT 1)
         RETURNING id, kind, body, hidden, NULL::integer AS due_in"
    )
    .fetch_optional(tx)
    .await?)
}

pub(super) async fn tell(tx: &mut PgConnection, id: &str, event: &Value, fate: Fate) -> Result<()> {
    sqlx::query!("INSERT INTO sandbox.events (id, body) VALUES ($1, $2)", id, event).execute(&mut *tx).await?;
    let (times, wait) = match fate {
        Fate::Prompt => (1, 0),
        Fate::Twice => (2, 0),
        Fate::Late => (1, 20),
        Fate::Never => return Ok(()),
    };
    sqlx::query!(
        "INSERT INTO sandbox.webhook_deliveries (event_id, payload, times, next_at)
         VALUES ($1, $2, $3, now() + $4::integer * interval '1 second')",
        id,
        event.to_string(),
        times,
        wait
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn answered(tx: &mut PgConnection, key: &str) -> Result<Option<Answer>> {
    Ok(sqlx::query_as!(Answer, "SELECT request, status, body FROM sandbox.answers WHERE idempotency_key = $1", key)
        .fetch_optional(tx)
        .await?)
}

pub(super) async fn keep_answer(tx: &mut PgConnection, key: &str, answer: &Answer) -> Result<()> {
    sqlx::query!(
        "INSERT INTO sandbox.answers (idempotency_key, request, status, body) VALUES ($1, $2, $3, $4)",
        key,
        answer.request,
        answer.status,
        answer.body
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn events(pool: &PgPool, kind: Option<&str>, after: Option<&str>, limit: i64) -> Result<Vec<Value>> {
    Ok(sqlx::query_scalar!(
        "SELECT body FROM sandbox.events
          WHERE ($1::text IS NULL OR body ->> 'type' = $1)
            AND ($2::text IS NULL OR position < (SELECT position FROM sandbox.events WHERE id = $2))
          ORDER BY position DESC LIMIT $3",
        kind,
        after,
        limit
    )
    .fetch_all(pool)
    .await?)
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
    sqlx::query!(
        "UPDATE sandbox.webhook_deliveries SET times = greatest(times - 1, 1), next_at = now(),
                delivered_at = CASE WHEN times = 1 THEN now() END
          WHERE event_id = $1",
        event_id
    )
    .execute(pool)
    .await?;
    Ok(())
}
