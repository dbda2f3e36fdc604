//! An account's endpoints: where its messages go.

use chrono::{DateTime, Utc};

use super::rules::{self, Schemes};
use super::store;
use crate::signing::new_secret;
use crate::{Actor, Db, Error, FieldError, Missing, Result, WebhookId};

/// An endpoint to be added.
#[derive(Clone, Debug, Default)]
pub struct NewEndpoint {
    /// Where messages go.
    pub url: String,
    /// The owner's words for it.
    pub description: String,
    /// The types that it wants; empty for all, also those that come later.
    pub types: Vec<String>,
}

/// What is to be different; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct EndpointChange {
    /// Where messages go.
    pub url: Option<String>,
    /// The owner's words for it.
    pub description: Option<String>,
    /// The types that it wants; empty for all.
    pub types: Option<Vec<String>>,
    /// Whether anything is sent there. What waits when it is switched off has failed.
    pub active: Option<bool>,
}

/// An endpoint as its owner sees it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The endpoint.
    pub id: WebhookId,
    /// Where messages go.
    pub url: String,
    /// The owner's words for it.
    pub description: String,
    /// The types that it wants; empty for all.
    pub types: Vec<String>,
    /// Since when and why nothing is sent; `None` while it is on.
    pub off: Option<Off>,
    /// The first failed try since the last message that arrived.
    pub failing_since: Option<DateTime<Utc>>,
    /// When the last message to it was written.
    pub last_message_at: Option<DateTime<Utc>>,
    /// When it was added.
    pub created_at: DateTime<Utc>,
}

/// An endpoint that is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Off {
    /// Since when.
    pub at: Option<DateTime<Utc>>,
    /// By whom and why.
    pub reason: OffReason,
}

/// Why an endpoint is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffReason {
    /// Its owner did it.
    Owner,
    /// Its receiver answered 410 Gone.
    Gone,
    /// Every try failed for five days.
    Failing,
}

/// What messages to an endpoint are signed with: shown when it is made, and never again.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// Adds an endpoint, switched on. Answers with it and its secret.
///
/// # Errors
/// [`Error::Validation`] for each wrong field; [`Error::Conflict`] above [`rules::ENDPOINTS_MAX`].
pub async fn create(db: &Db, actor: &Actor, new: NewEndpoint, schemes: Schemes) -> Result<(Endpoint, Secret)> {
    let user = actor.user()?;
    let change =
        EndpointChange { url: Some(new.url), description: Some(new.description), types: Some(new.types), active: None };
    let change = tidy(change, schemes)?;
    let secret = Secret(new_secret());
    let mut tx = db.begin(actor).await?;
    let id = store::insert(&mut tx, user, &change).await?;
    store::set_secret(&mut tx, id, &secret).await?;
    let endpoint = store::endpoints(&mut tx, user, Some(id)).await?.pop().ok_or(Error::NotFound(Missing::Webhook))?;
    tx.commit().await?;
    Ok((endpoint, secret))
}

/// The actor's endpoints, oldest first.
///
/// # Errors
/// [`Error::Unauthorized`].
pub async fn list(db: &Db, actor: &Actor) -> Result<Vec<Endpoint>> {
    let user = actor.user()?;
    let mut tx = db.begin(actor).await?;
    store::endpoints(&mut tx, user, None).await
}

/// One of the actor's endpoints.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs.
pub async fn get(db: &Db, actor: &Actor, id: WebhookId) -> Result<Endpoint> {
    let user = actor.user()?;
    let mut tx = db.begin(actor).await?;
    store::endpoints(&mut tx, user, Some(id)).await?.pop().ok_or(Error::NotFound(Missing::Webhook))
}

/// Holds one of the actor's endpoints still until the (joint) transaction ends, so that what was looked at is what is changed.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs.
pub async fn lock(db: &Db, actor: &Actor, id: WebhookId) -> Result<()> {
    let user = actor.user()?;
    let mut tx = db.begin(&Actor::System).await?;
    if store::lock(&mut tx, user, id).await? { Ok(()) } else { Err(Error::NotFound(Missing::Webhook)) }
}

/// Changes one of the actor's endpoints. Answers with it as it is then.
///
/// # Errors
/// [`Error::Validation`] for each wrong field; [`Error::NotFound`] when it is not theirs.
pub async fn change(
    db: &Db,
    actor: &Actor,
    id: WebhookId,
    change: EndpointChange,
    schemes: Schemes,
) -> Result<Endpoint> {
    let user = actor.user()?;
    let change = tidy(change, schemes)?;
    let mut tx = db.begin(actor).await?;
    store::change(&mut tx, user, id, &change).await?;
    let endpoint = store::endpoints(&mut tx, user, Some(id)).await?.pop().ok_or(Error::NotFound(Missing::Webhook))?;
    tx.commit().await?;
    Ok(endpoint)
}

/// Removes one of the actor's endpoints with its deliveries.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs.
pub async fn delete(db: &Db, actor: &Actor, id: WebhookId) -> Result<()> {
    let user = actor.user()?;
    let mut tx = db.begin(actor).await?;
    store::delete(&mut tx, user, id).await?;
    tx.commit().await?;
    Ok(())
}

/// Gives one of the actor's endpoints a new secret and answers with it. The old one stays good for a day: messages carry
/// both signatures until then.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs.
pub async fn rotate_secret(db: &Db, actor: &Actor, id: WebhookId) -> Result<Secret> {
    actor.user()?;
    let secret = Secret(new_secret());
    let mut tx = db.begin(actor).await?;
    store::set_secret(&mut tx, id, &secret).await?;
    tx.commit().await?;
    Ok(secret)
}

fn tidy(mut change: EndpointChange, schemes: Schemes) -> Result<EndpointChange> {
    let trim = |text: &mut Option<String>| {
        if let Some(text) = text {
            *text = text.trim().to_owned();
        }
    };
    trim(&mut change.url);
    trim(&mut change.description);
    if let Some(types) = &mut change.types {
        types.sort_unstable();
        types.dedup();
    }
    let wrong: Vec<FieldError> = [
        change.url.as_deref().and_then(|url| rules::check_url(url, schemes)),
        change.description.as_deref().and_then(rules::check_description),
        change.types.as_deref().and_then(rules::check_types),
    ]
    .into_iter()
    .flatten()
    .collect();
    if wrong.is_empty() { Ok(change) } else { Err(Error::Validation(wrong)) }
}
