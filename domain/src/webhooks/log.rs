//! What was sent to an endpoint, and sending again.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{endpoints, store};
use crate::{Actor, Cursor, Db, DeliveryId, Error, Missing, Page, Result, WebhookId};

/// Where a message is on its way to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is to be tried, for the first time or again.
    Waiting,
    /// Its receiver has it.
    Delivered,
    /// It has not, and nothing more is tried.
    Failed,
}

impl DeliveryState {
    /// Each state.
    pub const ALL: [DeliveryState; 3] = [DeliveryState::Waiting, DeliveryState::Delivered, DeliveryState::Failed];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            DeliveryState::Waiting => "waiting",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Failed => "failed",
        }
    }

    /// What is written so.
    pub fn parse(text: &str) -> Option<DeliveryState> {
        DeliveryState::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// Which deliveries to list.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Only those in this state.
    pub state: Option<DeliveryState>,
    /// After this one.
    pub after: Option<Cursor>,
}

/// A delivery in a list.
#[derive(Clone, Debug)]
pub struct DeliverySummary {
    /// The delivery.
    pub id: DeliveryId,
    /// The message: what receivers get as `webhook-id`.
    pub message: Uuid,
    /// Its type.
    pub kind: String,
    /// Where it is.
    pub state: DeliveryState,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it is tried next; `None` when it is not. While it is being sent, when others may take it up.
    pub next_at: Option<DateTime<Utc>>,
    /// How often it was tried.
    pub attempts: i64,
    /// The HTTP status of the last try, if it was answered.
    pub last_status: Option<i32>,
    /// Why the last try was not answered.
    pub last_error: Option<String>,
    /// Its place in the log.
    pub(super) number: i64,
}

/// One try.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// When it began.
    pub at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub duration_ms: i32,
    /// The HTTP status, if it was answered.
    pub status: Option<i32>,
    /// Why it was not.
    pub error: Option<String>,
    /// The first 500 characters of the answer.
    pub answer: Option<String>,
}

/// A delivery with all that is known of it.
#[derive(Clone, Debug)]
pub struct DeliveryDetail {
    /// As in the list.
    pub summary: DeliverySummary,
    /// Where it goes.
    pub endpoint: WebhookId,
    /// What is sent, byte by byte.
    pub body: String,
    /// Each try, the first first.
    pub attempts: Vec<Attempt>,
}

/// What was sent to one of the actor's endpoints, newest first.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs; [`Error::Validation`] for a cursor of another list.
pub async fn deliveries(
    db: &Db,
    actor: &Actor,
    endpoint: WebhookId,
    filter: &DeliveryFilter,
    limit: usize,
) -> Result<Page<DeliverySummary>> {
    let user = actor.user()?;
    let foreign = || Error::field("cursor", "is not one that this list gave out");
    let after = match &filter.after {
        Some(cursor) => Some(cursor.key.parse::<i64>().map_err(|_| foreign())?),
        None => None,
    };
    endpoints::get(db, actor, endpoint).await?;
    let mut tx = db.begin(actor).await?;
    let rows = store::deliveries(&mut tx, user, endpoint, filter.state, after, limit + 1).await?;
    Ok(Page::cut(rows, limit, |d| Cursor { key: d.number.to_string(), id: d.id.0 }))
}

/// One of the actor's deliveries.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs.
pub async fn delivery(db: &Db, actor: &Actor, id: DeliveryId) -> Result<DeliveryDetail> {
    let user = actor.user()?;
    let mut tx = db.begin_snapshot(actor).await?;
    store::delivery(&mut tx, user, id).await?.ok_or(Error::NotFound(Missing::Delivery))
}

/// Sends a test message to one of the actor's endpoints, and to no other; answers with the delivery.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs; [`Error::Conflict`] when it is switched off.
pub async fn send_test(db: &Db, actor: &Actor, endpoint: WebhookId) -> Result<DeliveryId> {
    actor.user()?;
    let mut tx = db.begin(actor).await?;
    let id = store::send_test(&mut tx, endpoint).await?;
    tx.commit().await?;
    Ok(id)
}

/// Sends a message of the actor's again, whatever came of it before: the same message id, and all tries anew. One that waits
/// is tried now.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs; [`Error::Conflict`] when its endpoint is switched off, or it is being sent.
pub async fn resend(db: &Db, actor: &Actor, id: DeliveryId) -> Result<()> {
    actor.user()?;
    let mut tx = db.begin(actor).await?;
    store::resend(&mut tx, id).await?;
    tx.commit().await?;
    Ok(())
}

/// Sends again all that failed to reach one of the actor's endpoints and was written since then. Answers with how many.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs; [`Error::Conflict`] when it is switched off.
pub async fn resend_failed(db: &Db, actor: &Actor, endpoint: WebhookId, since: DateTime<Utc>) -> Result<i64> {
    actor.user()?;
    let mut tx = db.begin(actor).await?;
    let count = store::resend_failed(&mut tx, endpoint, since).await?;
    tx.commit().await?;
    Ok(count)
}
