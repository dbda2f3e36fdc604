//! Delivering, as whoever runs the worker does it: take what is due under a lease, send, note how it went.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::retry::{self, Verdict};
use super::store;
use crate::{Actor, Db, DeliveryId, Result, SigningSecrets, WebhookId, accounts};

/// How long a claim stands; a try must be noted well before.
pub const LEASE: TimeDelta = TimeDelta::seconds(60);
/// Messages that are on their way to one endpoint at once. Two workers that claim in the same moment may each count what
/// the other has not begun yet, and go above it for one round.
pub const PER_ENDPOINT: i64 = 8;
/// Messages are forgotten after that, with their deliveries.
const KEPT: TimeDelta = TimeDelta::days(30);
/// Messages that one statement forgets.
const FORGOTTEN_AT_ONCE: i64 = 5_000;
/// Characters of an answer that are kept; the database has the same limit.
const ANSWER_KEPT: usize = 500;

/// A message, the same for all its endpoints and on every try.
#[derive(Clone, Debug)]
pub struct Message {
    /// What receivers get as `webhook-id`.
    pub id: Uuid,
    /// Its type.
    pub kind: String,
    /// What it tells.
    pub data: Value,
    /// When that happened.
    pub at: DateTime<Utc>,
}

impl Message {
    /// The body of the request, as the Standard Webhooks specification recommends it: `type`, `timestamp`, `data`.
    pub fn body(&self) -> String {
        #[derive(Serialize)]
        struct Body<'a> {
            r#type: &'a str,
            timestamp: String,
            data: &'a Value,
        }
        let timestamp = self.at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let body = Body { r#type: &self.kind, timestamp, data: &self.data };
        serde_json::to_string(&body).unwrap_or_default()
    }
}

/// A delivery that a worker has taken on.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Proof that it is ours until the lease ends.
    pub(super) token: Uuid,
    /// Where it goes.
    pub endpoint: WebhookId,
    /// Its URL.
    pub url: String,
    /// What is sent.
    pub message: Message,
    /// What it is signed with.
    pub secrets: SigningSecrets,
}

/// How one try went.
#[derive(Clone, Debug)]
pub struct Tried {
    /// When it began.
    pub at: DateTime<Utc>,
    /// How long it took.
    pub took: Duration,
    /// What came back.
    pub answer: Answer,
}

/// What came back.
#[derive(Clone, Debug)]
pub enum Answer {
    /// An HTTP answer.
    Status {
        /// Its status.
        code: u16,
        /// For how long its `Retry-After` header asks to be left alone.
        retry_after: Option<Duration>,
        /// Its beginning; more than 500 characters are cut.
        text: String,
    },
    /// None, and why.
    Nothing(String),
}

/// What followed from a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The receiver has it.
    Delivered,
    /// It is tried again then.
    Later(DateTime<Utc>),
    /// It was the last try.
    Failed,
    /// The endpoint was switched off, and its owner told by mail.
    SwitchedOff,
    /// Nothing: the endpoint is gone, or the delivery is another's by now or has ended.
    Nothing,
}

/// Takes on up to `limit` deliveries that are due, at most [`PER_ENDPOINT`] for each endpoint with what is on its way there
/// already. Endpoints take turns, those with least on its way first: neither one that hangs nor one with a long queue holds
/// up another. A claim that is not noted within [`LEASE`] is free to others.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(db: &Db, limit: i64, now: DateTime<Utc>) -> Result<Vec<Claim>> {
    store::claim(db.pool(), limit, now).await
}

/// Notes how a try went, in one transaction: the try itself, what follows for the delivery, and for its endpoint. A message
/// that arrived has arrived, whoever holds the lease by now; a failure counts only under the lease. `jitter` in [0, 1)
/// spreads the next tries.
///
/// # Errors
/// When the database does not answer; nothing was noted.
pub async fn record(db: &Db, claim: &Claim, tried: &Tried, jitter: f64, now: DateTime<Utc>) -> Result<Recorded> {
    let mut tx = db.begin(&Actor::System).await?;
    // The endpoint first: whoever switches it off locks it before its deliveries.
    let Some(endpoint) = store::lock_endpoint(&mut tx, claim.endpoint).await? else { return Ok(Recorded::Nothing) };
    let Some(delivery) = store::lock_delivery(&mut tx, claim.delivery).await? else { return Ok(Recorded::Nothing) };
    store::add_attempt(&mut tx, claim.delivery, tried, answer_kept(&tried.answer).as_deref()).await?;
    let ours = delivery.token == Some(claim.token);
    let recorded = match retry::verdict(&tried.answer) {
        Verdict::Delivered => {
            store::set_delivered(&mut tx, claim.delivery, now).await?;
            store::set_failing(&mut tx, claim.endpoint, None).await?;
            Recorded::Delivered
        }
        Verdict::Gone if endpoint.active => {
            switch_off(&mut tx, &endpoint, "gone").await?;
            Recorded::SwitchedOff
        }
        Verdict::Gone => Recorded::Nothing,
        Verdict::Failed(asked) => {
            let since = endpoint.failing_since.unwrap_or(now);
            if endpoint.failing_since.is_none() {
                store::set_failing(&mut tx, claim.endpoint, Some(now)).await?;
            }
            if endpoint.active && retry::is_hopeless(since, now) {
                switch_off(&mut tx, &endpoint, "failing").await?;
                Recorded::SwitchedOff
            } else if ours {
                let wait = retry::wait(usize::try_from(delivery.tries).unwrap_or_default() + 1, asked, jitter);
                let next = wait.and_then(|w| TimeDelta::from_std(w).ok()).map(|w| now + w);
                store::set_failed_try(&mut tx, claim.delivery, next, now).await?;
                next.map_or(Recorded::Failed, Recorded::Later)
            } else {
                Recorded::Nothing
            }
        }
    };
    tx.commit().await?;
    Ok(recorded)
}

/// Switches an endpoint off, with what waits for it, and tells its owner.
async fn switch_off(tx: &mut crate::Tx, endpoint: &store::LockedEndpoint, reason: &str) -> Result<()> {
    store::switch_off(tx, endpoint.id, reason).await?;
    let why = if reason == "gone" {
        "Its receiver answered 410 Gone, which says that nothing is to be sent there again."
    } else {
        "Every message to it has failed for five days."
    };
    let body = format!(
        "The webhook endpoint {} was switched off. {why}\n\nWhen it works again, switch it on and send again what failed:\n\n\
         /settings/webhooks/{}",
        endpoint.url, endpoint.id
    );
    let about = format!("webhook-off:{}:{}", endpoint.id, Uuid::new_v4());
    accounts::queue_mail(tx, endpoint.user, &about, "A webhook endpoint was switched off", &body).await
}

/// The beginning of an answer as it can be stored.
fn answer_kept(answer: &Answer) -> Option<String> {
    match answer {
        Answer::Status { text, .. } => {
            let kept: String = text.chars().filter(|c| *c != '\0').take(ANSWER_KEPT).collect();
            (!kept.is_empty()).then_some(kept)
        }
        Answer::Nothing(_) => None,
    }
}

/// Forgets messages of more than 30 days ago. Answers with how many.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_old(db: &Db, now: DateTime<Utc>) -> Result<u64> {
    let mut all = 0;
    loop {
        let gone = store::forget_before(db.pool(), now - KEPT, FORGOTTEN_AT_ONCE).await?;
        all += gone;
        if gone < FORGOTTEN_AT_ONCE.unsigned_abs() {
            return Ok(all);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_is_type_time_and_data() {
        let message = Message {
            id: Uuid::nil(),
            kind: "task.completed".into(),
            data: json!({"taskId": "t", "price": "10.00"}),
            at: DateTime::from_timestamp_micros(1_700_000_000_000_001).unwrap(),
        };
        assert_eq!(
            message.body(),
            r#"{"type":"task.completed","timestamp":"2023-11-14T22:13:20.000001Z","data":{"price":"10.00","taskId":"t"}}"#
        );
    }

    #[test]
    fn what_cannot_be_stored_is_left_out_of_an_answer() {
        let kept = |text: &str| answer_kept(&Answer::Status { code: 500, retry_after: None, text: text.into() });
        assert_eq!(kept("no\0pe").as_deref(), Some("nope"));
        assert_eq!(kept(""), None);
        assert_eq!(kept(&"ä".repeat(900)).map(|t| t.chars().count()), Some(500));
    }
}
