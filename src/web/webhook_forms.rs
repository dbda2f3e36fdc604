//! The forms of webhook endpoints.

use std::time::Duration;

use app::FlashKind;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{TimeDelta, Utc};
use domain::webhooks::{self, DeliveryDetail, DeliveryState, EndpointChange, NewEndpoint};
use domain::{Actor, DeliveryId, Error, WebhookId};

use super::account_forms::{Fields, field};
use super::page;
use super::visit::SignedIn;
use crate::state::AppState;

/// The page that lists them.
const PAGE: &str = "/settings/webhooks";
/// How long a page waits for a message that its reader has just sent; it goes out whether or not.
const PATIENCE: Duration = Duration::from_secs(3);

/// Adds one; its secret is shown once.
pub async fn create(State(state): State<AppState>, me: SignedIn, Form(fields): Form<Fields>) -> Response {
    let done = async {
        let new = NewEndpoint {
            url: field(&fields, "url"),
            description: field(&fields, "description"),
            types: types(&fields)?,
        };
        webhooks::create(&state.db, &me.visit.actor, new, state.webhook_schemes).await
    };
    match done.await {
        Ok((endpoint, secret)) => {
            let text = "The endpoint is added. Keep this signing secret: with it your receiver can tell our messages from \
                        anybody's. Next: send a test message.";
            me.visit.flash(FlashKind::Secret, text, Some(secret.0)).await;
            Redirect::to(&format!("{PAGE}/{}", endpoint.id)).into_response()
        }
        Err(error) => page::refused(&state, &me.visit, PAGE, fields, error).await,
    }
}

/// Changes where its messages go, and which.
pub async fn change(
    State(state): State<AppState>,
    me: SignedIn,
    Path(id): Path<WebhookId>,
    Form(fields): Form<Fields>,
) -> Response {
    let done = async {
        let change = EndpointChange {
            url: Some(field(&fields, "url")),
            description: Some(field(&fields, "description")),
            types: Some(types(&fields)?),
            active: None,
        };
        webhooks::change(&state.db, &me.visit.actor, id, change, state.webhook_schemes).await
    };
    let done = done.await.map(|_| "Saved. It counts for messages from now on.".to_owned());
    said(&state, &me, id, fields, done).await
}

/// On or off.
pub async fn set_active(
    State(state): State<AppState>,
    me: SignedIn,
    Path(id): Path<WebhookId>,
    Form(fields): Form<Fields>,
) -> Response {
    let active = field(&fields, "active") == "true";
    let change = EndpointChange { active: Some(active), ..EndpointChange::default() };
    let done = webhooks::change(&state.db, &me.visit.actor, id, change, state.webhook_schemes).await;
    let text = if active {
        "The endpoint is on: messages are sent to it from now on."
    } else {
        "The endpoint is off. What was waiting for it has failed; you can send it again later."
    };
    said(&state, &me, id, fields, done.map(|_| text.to_owned())).await
}

/// A new secret, shown once.
pub async fn rotate_secret(State(state): State<AppState>, me: SignedIn, Path(id): Path<WebhookId>) -> Response {
    match webhooks::rotate_secret(&state.db, &me.visit.actor, id).await {
        Ok(secret) => {
            let text =
                "A new signing secret. The old one stays good for a day: messages carry both signatures until then.";
            me.visit.flash(FlashKind::Secret, text, Some(secret.0)).await;
            Redirect::to(&format!("{PAGE}/{id}")).into_response()
        }
        Err(error) => said(&state, &me, id, Vec::new(), Err(error)).await,
    }
}

/// Sends a test message and shows how it was answered.
pub async fn send_test(State(state): State<AppState>, me: SignedIn, Path(id): Path<WebhookId>) -> Response {
    match webhooks::send_test(&state.db, &me.visit.actor, id).await {
        Ok(delivery) => sent(&state, &me, id, delivery, 0).await,
        Err(error) => said(&state, &me, id, Vec::new(), Err(error)).await,
    }
}

/// Sends one message again and shows how it was answered.
pub async fn resend(
    State(state): State<AppState>,
    me: SignedIn,
    Path((id, delivery)): Path<(WebhookId, DeliveryId)>,
) -> Response {
    let done = async {
        let before = webhooks::delivery(&state.db, &me.visit.actor, delivery).await?;
        webhooks::resend(&state.db, &me.visit.actor, delivery).await?;
        Ok::<_, Error>(before.attempts.len())
    };
    match done.await {
        Ok(before) => sent(&state, &me, id, delivery, before).await,
        Err(error) => {
            let page = format!("{PAGE}/{id}/deliveries/{delivery}");
            page::refused(&state, &me.visit, &page, Vec::new(), error).await
        }
    }
}

/// Sends again what failed in the last hours.
pub async fn resend_failed(
    State(state): State<AppState>,
    me: SignedIn,
    Path(id): Path<WebhookId>,
    Form(fields): Form<Fields>,
) -> Response {
    let done = async {
        let hours = field(&fields, "hours").parse::<u16>().map_err(|_| Error::field("hours", "is not a number"))?;
        let since = Utc::now() - TimeDelta::hours(hours.into());
        webhooks::resend_failed(&state.db, &me.visit.actor, id, since).await
    };
    let done = done.await.map(|count| match count {
        0 => "No message failed in that time.".to_owned(),
        1 => "One message is sent again.".to_owned(),
        n => format!("{n} messages are sent again."),
    });
    said(&state, &me, id, fields, done).await
}

/// Deletes it, if the box was ticked.
pub async fn delete(
    State(state): State<AppState>,
    me: SignedIn,
    Path(id): Path<WebhookId>,
    Form(fields): Form<Fields>,
) -> Response {
    let done = if field(&fields, "confirm").is_empty() {
        Err(Error::field("confirm", "must be ticked: its log goes with it"))
    } else {
        webhooks::delete(&state.db, &me.visit.actor, id).await
    };
    match done {
        Ok(()) => {
            me.visit.flash(FlashKind::Good, "The endpoint is deleted.", None).await;
            Redirect::to(PAGE).into_response()
        }
        Err(error) => said(&state, &me, id, fields, Err(error)).await,
    }
}

/// The types that were chosen; none stands for all.
fn types(fields: &Fields) -> domain::Result<Vec<String>> {
    if field(fields, "which") != "some" {
        return Ok(Vec::new());
    }
    let chosen: Vec<String> = fields.iter().filter(|(n, _)| n == "types").map(|(_, v)| v.clone()).collect();
    if chosen.is_empty() { Err(Error::field("types", "need a type at least, or everything")) } else { Ok(chosen) }
}

/// Waits a little for the answer to a message that was just sent, and shows it on the delivery's page.
async fn sent(state: &AppState, me: &SignedIn, id: WebhookId, delivery: DeliveryId, before: usize) -> Response {
    let (kind, text) = match answered(state, &me.visit.actor, delivery, before).await {
        Ok(seen) => match (seen.attempts.get(before), seen.summary.state) {
            (Some(a), DeliveryState::Delivered) => (
                FlashKind::Good,
                format!("Delivered in {} ms, answered with HTTP {}.", a.duration_ms, a.status.unwrap_or_default()),
            ),
            (Some(a), _) => {
                let why = a.status.map_or_else(|| a.error.clone().unwrap_or_default(), |s| format!("HTTP {s}"));
                (FlashKind::Bad, format!("Not delivered: {why}. It is tried again later."))
            }
            (None, _) => (FlashKind::Good, "The message is on its way.".to_owned()),
        },
        Err(error) => return said(state, me, id, Vec::new(), Err(error)).await,
    };
    me.visit.flash(kind, text, None).await;
    Redirect::to(&format!("{PAGE}/{id}/deliveries/{delivery}")).into_response()
}

/// The delivery when it has one more try than before, or when patience ends.
async fn answered(
    state: &AppState,
    actor: &Actor,
    delivery: DeliveryId,
    before: usize,
) -> domain::Result<DeliveryDetail> {
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        let seen = webhooks::delivery(&state.db, actor, delivery).await?;
        if seen.attempts.len() > before || tokio::time::Instant::now() >= until {
            return Ok(seen);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn said(
    state: &AppState,
    me: &SignedIn,
    id: WebhookId,
    fields: Fields,
    done: domain::Result<String>,
) -> Response {
    let page = format!("{PAGE}/{id}");
    match done {
        Ok(text) => {
            me.visit.flash(FlashKind::Good, text, None).await;
            Redirect::to(&page).into_response()
        }
        Err(error) => page::refused(state, &me.visit, &page, fields, error).await,
    }
}
