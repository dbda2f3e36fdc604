//! Money given back.

use domain::Db;
use domain::ledger::payments::refund::{self, RefundOrder};
use stripe_core::refund::CreateRefund;

use super::api::{Named, metadata};
use super::{PaymentError, Payments};

impl Payments {
    /// Asks the provider for a refund; asked twice for one order, it makes one (idempotency key).
    ///
    /// # Errors
    /// [`PaymentError::Declined`] when it refuses for good, [`PaymentError::Provider`] when it is worth asking again.
    pub async fn refund(&self, order: &RefundOrder) -> Result<(), PaymentError> {
        let request = CreateRefund::new()
            .payment_intent(order.payment_intent.as_str())
            .amount(order.amount_cents)
            .metadata(metadata("order_id", &order.id));
        self.ask_once::<Named>(&request, &format!("refund-{}", order.id)).await?;
        Ok(())
    }

    /// Brings an order to its end: made, or refused for good and the credits given back. Otherwise it is asked again.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn settle_refund(&self, db: &Db, order: &RefundOrder) -> domain::Result<()> {
        match self.refund(order).await {
            Ok(()) => refund::accepted(db, order.id).await,
            Err(PaymentError::Declined(reason)) => {
                tracing::warn!(order = %order.id, reason, "the payment provider refused a refund for good");
                refund::failed(db, order.id, &order.payment_intent).await
            }
            Err(error @ (PaymentError::Provider(_) | PaymentError::Setup(_))) => {
                tracing::warn!(order = %order.id, %error, "a refund was not made yet");
                Ok(())
            }
        }
    }
}
