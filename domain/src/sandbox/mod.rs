//! The rows of the stand-in for a payment provider (play money). It is no part of the economy: the economy believes
//! only what the stand-in's signed webhooks say, as it would the real provider's.

mod store;

use serde_json::Value;

use crate::{Db, Result};

/// A webhook that is to be delivered.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The event's id.
    pub event_id: String,
    /// The body, exactly as it is signed and sent.
    pub payload: String,
    /// How often it was tried.
    pub attempts: i32,
}

/// What webhooks are signed with: made once, the same for every process on this database.
///
/// # Errors
/// When the database does not answer.
pub async fn webhook_secret(db: &Db) -> Result<String> {
    let fresh = format!("whsec_{}", hex(&rand::random::<[u8; 24]>()));
    store::webhook_secret(db.pool(), &fresh).await
}

/// Keeps a new checkout session, or answers with the one of the same idempotency key.
///
/// # Errors
/// When the database does not answer.
pub async fn create_session(db: &Db, id: &str, idempotency_key: Option<&str>, body: &Value) -> Result<Value> {
    store::create_session(db.pool(), id, idempotency_key, body).await
}

/// A checkout session.
///
/// # Errors
/// When the database does not answer.
pub async fn session(db: &Db, id: &str) -> Result<Option<Value>> {
    store::session(db.pool(), id).await
}

/// Marks an open session as paid and queues its webhook, together. `false`: it was not open.
///
/// # Errors
/// When the database does not answer.
pub async fn pay(db: &Db, id: &str, paid: &Value, delivery: &Delivery) -> Result<bool> {
    store::pay(db, id, paid, delivery).await
}

/// Webhooks that are due; each is put off while it is being tried, so that processes share the work.
///
/// # Errors
/// When the database does not answer.
pub async fn due_deliveries(db: &Db) -> Result<Vec<Delivery>> {
    store::due_deliveries(db.pool()).await
}

/// Notes that a webhook was taken.
///
/// # Errors
/// When the database does not answer.
pub async fn delivered(db: &Db, event_id: &str) -> Result<()> {
    store::delivered(db.pool(), event_id).await
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
