//! The rows of the stand-in for a payment provider (play money). It is no part of the economy: the economy believes
//! only what the stand-in's signed webhooks say, as it would the real provider's.

mod store;

use serde_json::Value;

use crate::{Actor, Db, Result, Tx};

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

/// How an event's webhook is delivered: what a real one can suffer on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// At once.
    #[default]
    Prompt,
    /// At once, and a second time.
    Twice,
    /// After 20 seconds.
    Late,
    /// Not at all: whoever wants to know has to ask.
    Never,
}

/// An object in Stripe's shape.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its id.
    pub id: String,
    /// What its `object` member says.
    pub kind: String,
    /// What the API shows.
    pub body: Value,
    /// What it does not show.
    pub hidden: Value,
    /// Seconds from now until something happens to it by itself.
    pub due_in: Option<i32>,
}

/// An answer that was given under an idempotency key.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What was asked: method, address, parameters.
    pub request: String,
    /// The status.
    pub status: i32,
    /// The body.
    pub body: Value,
}

/// The stand-in's books, open for writing: one writer at a time, all or nothing.
#[derive(Debug)]
pub struct Books {
    tx: Tx,
}

impl Books {
    /// Waits for the last writer, and begins.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open(db: &Db) -> Result<Books> {
        let mut tx = db.begin(&Actor::System).await?;
        store::take_turn(&mut tx).await?;
        Ok(Books { tx })
    }

    /// An object.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn get(&mut self, id: &str) -> Result<Option<Object>> {
        store::object(&mut *self.tx, id).await
    }

    /// Writes an object, new or changed.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn put(&mut self, object: &Object) -> Result<()> {
        store::put(&mut self.tx, object).await
    }

    /// The newest object of a kind that belongs to a payment.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn of_payment(&mut self, kind: &str, payment_intent: &str) -> Result<Option<Object>> {
        store::of_payment(&mut self.tx, kind, payment_intent).await
    }

    /// An object to which something is to happen by now; it is put off for a minute.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn due(&mut self) -> Result<Option<Object>> {
        store::due(&mut self.tx).await
    }

    /// Tells an event: keeps it, and queues its webhook.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tell(&mut self, id: &str, event: &Value, fate: Fate) -> Result<()> {
        store::tell(&mut self.tx, id, event, fate).await
    }

    /// What was answered under an idempotency key.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn answered(&mut self, key: &str) -> Result<Option<Answer>> {
        store::answered(&mut self.tx, key).await
    }

    /// Keeps an answer under its idempotency key.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn keep_answer(&mut self, key: &str, answer: &Answer) -> Result<()> {
        store::keep_answer(&mut self.tx, key, answer).await
    }

    /// Ends; everything stands. Dropped without it, nothing does.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn close(self) -> Result<()> {
        Ok(self.tx.commit().await?)
    }
}

/// What webhooks are signed with: made once, the same for every process on this database.
///
/// # Errors
/// When the database does not answer.
pub async fn webhook_secret(db: &Db) -> Result<String> {
    let fresh = format!("whsec_{}", hex(&rand::random::<[u8; 24]>()));
    store::webhook_secret(db.pool(), &fresh).await
}

/// An object, to look at.
///
/// # Errors
/// When the database does not answer.
pub async fn object(db: &Db, id: &str) -> Result<Option<Object>> {
    store::object(db.pool(), id).await
}

/// Events, newest first; those of one type, or older than a known one, where that is asked.
///
/// # Errors
/// When the database does not answer.
pub async fn events(db: &Db, kind: Option<&str>, after: Option<&str>, limit: i64) -> Result<Vec<Value>> {
    store::events(db.pool(), kind, after, limit).await
}

/// Webhooks that are due; each is put off while it is being tried, so that processes share the work.
///
/// # Errors
/// When the database does not answer.
pub async fn due_deliveries(db: &Db) -> Result<Vec<Delivery>> {
    store::due_deliveries(db.pool()).await
}

/// Notes that a webhook was taken; one that is to be delivered twice is due again.
///
/// # Errors
/// When the database does not answer.
pub async fn delivered(db: &Db, event_id: &str) -> Result<()> {
    store::delivered(db.pool(), event_id).await
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
