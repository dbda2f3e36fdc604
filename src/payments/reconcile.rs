//! What no event told, asked for: purchases that nothing was heard of, refunds not made yet, cards not kept yet, and
//! automatic top-ups that are due. Any number of processes may run these; each thing is put off as it is taken up.

use chrono::{DateTime, TimeDelta, Utc};
use domain::Db;
use domain::ledger::payments::events::{self, News, PaymentEvent};
use domain::ledger::payments::purchase::{self, Purchase, PurchaseStatus};
use domain::ledger::payments::{customer, refund, topup};
use stripe_checkout::checkout_session::RetrieveCheckoutSession;
use stripe_core::payment_intent::CancelPaymentIntent;

use super::api::{Named, Session};
use super::news::{self, Payment};
use super::{PaymentError, Payments};
use crate::cli::with_source;

/// After this long a purchase that the provider knows nothing of is over.
const FORGOTTEN: TimeDelta = TimeDelta::hours(24);

/// After this long a payment that its owner did not confirm with the bank is given up, so that it stands in nobody's way.
const UNCONFIRMED: TimeDelta = TimeDelta::hours(48);

/// One round of asking.
///
/// # Errors
/// When the database does not answer.
pub async fn round(db: &Db, payments: &Payments, now: DateTime<Utc>) -> domain::Result<()> {
    for due in purchase::due_for_check(db, payments.provider(), now).await? {
        if let Err(error) = check(db, payments, &due, now).await {
            tracing::warn!(purchase = %due.id, %error, "a purchase could not be asked about yet");
        }
    }
    for order in refund::due(db, now).await? {
        payments.settle_refund(db, &order).await?;
    }
    for bought in customer::due_cards(db, payments.provider(), now).await? {
        payments.keep_card_of(db, bought.id).await;
    }
    Ok(())
}

/// Charges what is due.
///
/// # Errors
/// When the database does not answer.
pub async fn top_up(db: &Db, payments: &Payments, now: DateTime<Utc>) -> domain::Result<()> {
    for due in topup::due(db, payments.provider(), now).await? {
        if let Err(error) = payments.charge(db, &due, now).await {
            let error = with_source(&error);
            tracing::error!(purchase = %due.purchase.id, error, "an automatic top-up was interrupted; it is due again");
        }
    }
    Ok(())
}

async fn check(db: &Db, payments: &Payments, due: &Purchase, now: DateTime<Utc>) -> Result<(), PaymentError> {
    let told = match (&due.session_id, &due.payment_intent) {
        (Some(session), _) => session_news(payments, due, session).await?,
        (None, Some(intent)) if due.automatic => {
            let seen = payments.intent(intent).await?;
            let waits = matches!(news::of_intent(&seen, due.id), Payment::NeedsOwner);
            if waits && now - due.created_at > UNCONFIRMED {
                payments.ask::<Named>(&CancelPaymentIntent::new(intent.as_str())).await?;
                let reason = "nobody confirmed the payment with the bank".to_owned();
                Some(News::Failed { purchase: due.id, reason })
            } else {
                payments.take_payment(db, due, &seen, now).await.map_err(database)?;
                None
            }
        }
        // The program was stopped between beginning the purchase and hearing of the provider.
        (None, _) if now - due.created_at > FORGOTTEN => Some(News::Expired { purchase: due.id }),
        (None, _) => None,
    };
    if let Some(news) = told {
        let effect = events::apply(db, &PaymentEvent { event: None, as_of: now, news }).await.map_err(database)?;
        tracing::info!(purchase = %due.id, ?effect, "the payment provider was asked about a purchase");
        if effect == events::Effect::Credited && due.save_card {
            payments.keep_card_of(db, due.id).await;
        }
    }
    Ok(())
}

async fn session_news(payments: &Payments, due: &Purchase, session: &str) -> Result<Option<News>, PaymentError> {
    let session: Session = payments.ask(&RetrieveCheckoutSession::new(session)).await?;
    let news = news::of_session(&session, due.id);
    // A slow payment that failed leaves its session complete and unpaid: its payment says so.
    if let (Some(News::Processing { .. }), PurchaseStatus::Processing, Some(intent)) =
        (&news, due.status, &session.payment_intent)
        && let Payment::News(failed @ News::Failed { .. }) = news::of_intent(&payments.intent(intent).await?, due.id)
    {
        return Ok(Some(failed));
    }
    Ok(news)
}

fn database(error: domain::Error) -> PaymentError {
    PaymentError::Provider(with_source(&error))
}
