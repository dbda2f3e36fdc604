//! Delivers the stand-in's webhooks, signed as Stripe signs them, until they are taken.

use std::time::Duration;

use chrono::Utc;
use domain::Db;
use domain::sandbox::{self, Books, Delivery};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::config::Secret;
use crate::outbound::Outbound;

const POLL: Duration = Duration::from_millis(300);

/// Works until `stop`. The receiver is this program itself, so the client may go to loopback.
pub async fn run(db: Db, webhook: Url, secret: Secret, outbound: Outbound, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = come_due(&db).await {
            tracing::error!(error = %crate::cli::with_source(&error), "the sandbox could not go on by itself");
        }
        match sandbox::due_deliveries(&db).await {
            Ok(due) => {
                for delivery in due {
                    deliver(&db, &webhook, &secret, &outbound, &delivery).await;
                }
            }
            Err(error) => {
                tracing::error!(error = %crate::cli::with_source(&error), "the sandbox's webhooks could not be read")
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

/// Lets slow payments arrive and sessions run out of time.
async fn come_due(db: &Db) -> domain::Result<()> {
    loop {
        let mut books = Books::open(db).await?;
        let Some(object) = books.due().await? else { return Ok(()) };
        super::payment::come_due(&mut books, object).await?;
        books.close().await?;
    }
}

async fn deliver(db: &Db, webhook: &Url, secret: &Secret, outbound: &Outbound, delivery: &Delivery) {
    let request = outbound
        .post(webhook.clone())
        .header("content-type", "application/json")
        .header("stripe-signature", signature(&secret.0, Utc::now().timestamp(), &delivery.payload))
        .body(delivery.payload.clone());
    match outbound.send(request, Duration::from_secs(10)).await {
        Ok(answer) if answer.status.is_success() => {
            if let Err(error) = sandbox::delivered(db, &delivery.event_id).await {
                tracing::error!(error = %crate::cli::with_source(&error), "a delivered webhook could not be noted");
            }
        }
        Ok(answer) => {
            tracing::warn!(status = %answer.status, attempt = delivery.attempts, "a sandbox webhook was refused")
        }
        Err(error) => tracing::warn!(%error, attempt = delivery.attempts, "a sandbox webhook was not delivered"),
    }
}

/// `t=…,v1=…` (Stripe documentation, "Verify webhook signatures manually").
fn signature(secret: &str, timestamp: i64, payload: &str) -> String {
    let mut made = String::new();
    // HMAC takes keys of any length, so there is no error to handle.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        mac.update(format!("{timestamp}.{payload}").as_bytes());
        made = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    }
    format!("t={timestamp},v1={made}")
}
