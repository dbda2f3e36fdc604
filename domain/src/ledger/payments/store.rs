//! The SQL of buying: `purchases`, `payment_reversals`, `payment_customers`, `billing_details`, `auto_topups`,
//! `stripe_events`.
//!
//! Locks are taken in one order everywhere: purchase, balance, automatic top-up.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use super::Provider;
use super::customer::SavedCard;
use super::events::EventId;
use super::purchase::{BillingDetails, Purchase, PurchaseStatus};
use super::refund::RefundOrder;
use super::topup::{AutoTopup, TopupSettings, TopupState};
use crate::{Credits, Error, PurchaseId, Result, UserId};

// Purchases -------------------------------------------------------------------------------------------------------

/// The columns that every query for purchases names.
struct Row {
    id: PurchaseId,
    user: UserId,
    provider: String,
    kind: String,
    package: String,
    credits: Credits,
    amount_cents: i64,
    currency: String,
    status: String,
    failure: Option<String>,
    session_id: Option<String>,
    checkout_url: Option<String>,
    payment_intent: Option<String>,
    save_card: bool,
    taken: Credits,
    owed: Credits,
    receipt_number: Option<i64>,
    billing_name: Option<String>,
    billing_address: Option<String>,
    billing_tax_id: Option<String>,
    created_at: DateTime<Utc>,
    paid_at: Option<DateTime<Utc>>,
}

impl Row {
    fn purchase(self) -> Result<Purchase> {
        let unknown = |what: &str| Error::Internal(format!("purchase {} of unknown {what}", self.id).into());
        Ok(Purchase {
            provider: Provider::parse(&self.provider).ok_or_else(|| unknown("provider"))?,
            status: PurchaseStatus::parse(&self.status).ok_or_else(|| unknown("status"))?,
            automatic: self.kind == "auto",
            id: self.id,
            user: self.user,
            package: self.package,
            credits: self.credits,
            amount_cents: self.amount_cents,
            currency: self.currency,
            failure: self.failure,
            session_id: self.session_id,
            checkout_url: self.checkout_url,
            payment_intent: self.payment_intent,
            save_card: self.save_card,
            taken: self.taken,
            owed: self.owed,
            receipt_number: self.receipt_number,
            billing: BillingDetails {
                name: self.billing_name.unwrap_or_default(),
                address: self.billing_address.unwrap_or_default(),
                tax_id: self.billing_tax_id.unwrap_or_default(),
            },
            created_at: self.created_at,
            paid_at: self.paid_at,
        })
    }
}

/// `purchases!("what comes after SELECT and its columns", values…)`, the columns named once.
macro_rules! purchases {
    ($tail:literal $(, $value:expr)* $(,)?) => {
        sqlx::query_as!(
            Row,
            r#"SELECT p.id AS "id: PurchaseId", p.user_id AS "user: UserId", p.provider, p.kind, p.package,
                      p.credits AS "credits: Credits", p.amount_cents, p.currency, p.status, p.failure,
                      p.stripe_session_id AS session_id, p.checkout_url, p.payment_intent_id AS payment_intent, p.save_card,
                      p.taken_credits AS "taken: Credits", p.owed_credits AS "owed: Credits", p.receipt_number,
                      p.billing_name, p.billing_address, p.billing_tax_id, p.created_at, p.paid_at FROM purchases p "#
                + $tail
            $(, $value)*
        )
    };
}

/// A purchase as it is begun.
pub(super) struct NewPurchase<'a> {
    pub user: UserId,
    pub package: &'a str,
    pub automatic: bool,
    pub credits: Credits,
    pub cents: i64,
    pub save_card: bool,
    pub provider: Provider,
}

pub(super) async fn insert_purchase(tx: &mut PgConnection, new: &NewPurchase<'_>) -> Result<Purchase> {
    let id = Uuid::now_v7();
    sqlx::query!(
        "INSERT INTO purchases (id, user_id, package, kind, credits, amount_cents, save_card, provider)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        id,
        new.user as UserId,
        new.package,
        if new.automatic { "auto" } else { "checkout" },
        new.credits as Credits,
        new.cents,
        new.save_card,
        new.provider.as_str()
    )
    .execute(&mut *tx)
    .await?;
    purchases!("WHERE p.id = $1", id).fetch_one(tx).await?.purchase()
}

pub(super) async fn attach_session(pool: &PgPool, purchase: PurchaseId, session: &str, url: &str) -> Result<()> {
    sqlx::query!(
        "UPDATE purchases SET stripe_session_id = $2, checkout_url = $3 WHERE id = $1 AND stripe_session_id IS NULL",
        purchase as PurchaseId,
        session,
        url
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn attach_payment(db: impl PgExecutor<'_>, purchase: PurchaseId, payment_intent: &str) -> Result<()> {
    sqlx::query!(
        "UPDATE purchases SET payment_intent_id = $2 WHERE id = $1 AND payment_intent_id IS NULL",
        purchase as PurchaseId,
        payment_intent
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A purchase, of this account or (`None`) of any.
pub(super) async fn purchase(tx: &mut PgConnection, user: Option<UserId>, id: PurchaseId) -> Result<Option<Purchase>> {
    purchases!("WHERE p.id = $1 AND ($2::uuid IS NULL OR p.user_id = $2)", id as PurchaseId, user.map(|u| u.0))
        .fetch_optional(tx)
        .await?
        .map(Row::purchase)
        .transpose()
}

pub(super) async fn receipts(
    tx: &mut PgConnection,
    user: UserId,
    after: Option<i64>,
    limit: usize,
) -> Result<Vec<Purchase>> {
    purchases!(
        "WHERE p.user_id = $1 AND p.status = 'paid' AND ($2::bigint IS NULL OR p.receipt_number < $2)
         ORDER BY p.receipt_number DESC LIMIT $3",
        user as UserId,
        after,
        limit as i64
    )
    .fetch_all(tx)
    .await?
    .into_iter()
    .map(Row::purchase)
    .collect()
}

pub(super) async fn due_for_check(pool: &PgPool, provider: Provider, now: DateTime<Utc>) -> Result<Vec<Purchase>> {
    let ids = sqlx::query_scalar!(
        "UPDATE purchases p SET checks = p.checks + 1,
                next_check_at = CASE WHEN p.created_at < $2::timestamptz - interval '3 days' THEN NULL
                                     ELSE $2 + least(interval '6 hours', interval '30 seconds' * 2 ^ least(p.checks, 10)) END
           FROM (SELECT id FROM purchases WHERE status IN ('open', 'processing') AND provider = $1 AND next_check_at <= $2
                  ORDER BY next_check_at LIMIT 20 FOR UPDATE SKIP LOCKED) due
          WHERE p.id = due.id RETURNING p.id",
        provider.as_str(),
        now
    )
    .fetch_all(pool)
    .await?;
    purchases!("WHERE p.id = ANY ($1) ORDER BY p.id", &ids)
        .fetch_all(pool)
        .await?
        .into_iter()
        .map(Row::purchase)
        .collect()
}

/// Paid purchases whose card is to be kept. Each is put off, so that processes share the work.
pub(super) async fn due_cards(pool: &PgPool, provider: Provider, now: DateTime<Utc>) -> Result<Vec<Purchase>> {
    let ids = sqlx::query_scalar!(
        "UPDATE purchases p SET checks = p.checks + 1,
                next_check_at = CASE WHEN p.paid_at < $2::timestamptz - interval '3 days' THEN NULL
                                     ELSE $2 + least(interval '6 hours', interval '30 seconds' * 2 ^ least(p.checks, 10)) END
           FROM (SELECT id FROM purchases WHERE status = 'paid' AND save_card AND provider = $1 AND next_check_at <= $2
                  ORDER BY next_check_at LIMIT 20 FOR UPDATE SKIP LOCKED) due
          WHERE p.id = due.id RETURNING p.id",
        provider.as_str(),
        now
    )
    .fetch_all(pool)
    .await?;
    purchases!("WHERE p.id = ANY ($1) ORDER BY p.id", &ids)
        .fetch_all(pool)
        .await?
        .into_iter()
        .map(Row::purchase)
        .collect()
}

/// Nothing is left to ask the provider about a paid purchase.
pub(super) async fn nothing_to_check(pool: &PgPool, id: PurchaseId) -> Result<()> {
    sqlx::query!("UPDATE purchases SET next_check_at = NULL WHERE id = $1 AND status = 'paid'", id as PurchaseId)
        .execute(pool)
        .await?;
    Ok(())
}

pub(super) async fn lock_purchase(tx: &mut PgConnection, id: PurchaseId) -> Result<Option<Purchase>> {
    purchases!("WHERE p.id = $1 FOR UPDATE", id as PurchaseId).fetch_optional(tx).await?.map(Row::purchase).transpose()
}

pub(super) async fn purchase_of_payment(tx: &mut PgConnection, payment_intent: &str) -> Result<Option<PurchaseId>> {
    Ok(sqlx::query_scalar!(
        r#"SELECT id AS "id: PurchaseId" FROM purchases WHERE payment_intent_id = $1"#,
        payment_intent
    )
    .fetch_optional(tx)
    .await?)
}

pub(super) async fn set_processing(tx: &mut PgConnection, id: PurchaseId, payment_intent: Option<&str>) -> Result<()> {
    sqlx::query!(
        "UPDATE purchases SET status = 'processing', payment_intent_id = coalesce(payment_intent_id, $2) WHERE id = $1",
        id as PurchaseId,
        payment_intent
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn end_unpaid(
    tx: &mut PgConnection,
    id: PurchaseId,
    status: &str,
    reason: Option<&str>,
) -> Result<()> {
    sqlx::query!("UPDATE purchases SET status = $2, failure = $3 WHERE id = $1", id as PurchaseId, status, reason)
        .execute(tx)
        .await?;
    Ok(())
}

/// Marks a purchase as paid, with the next receipt number and the billing details of the day. The advisory lock (any
/// number that nothing else here uses) makes the numbers follow each other without gaps.
pub(super) async fn set_paid(
    tx: &mut PgConnection,
    id: PurchaseId,
    session: Option<&str>,
    payment_intent: Option<&str>,
    at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock(7253001)").fetch_one(&mut *tx).await?;
    sqlx::query!(
        "UPDATE purchases p SET status = 'paid', paid_at = $4, failure = NULL,
                stripe_session_id = coalesce(p.stripe_session_id, $2), payment_intent_id = coalesce(p.payment_intent_id, $3),
                receipt_number = (SELECT coalesce(max(receipt_number), 0) + 1 FROM purchases),
                billing_name = (SELECT name FROM billing_details b WHERE b.user_id = p.user_id),
                billing_address = (SELECT address FROM billing_details b WHERE b.user_id = p.user_id),
                billing_tax_id = (SELECT tax_id FROM billing_details b WHERE b.user_id = p.user_id)
          WHERE p.id = $1",
        id as PurchaseId,
        session,
        payment_intent,
        at
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The ledger row of a paid purchase.
pub(super) async fn post_purchase(tx: &mut PgConnection, p: &Purchase, reference: Option<&str>) -> Result<()> {
    let reference = p.session_id.as_deref().or(reference).map_or_else(|| p.id.to_string(), str::to_owned);
    sqlx::query!(
        "SELECT ledger.post($1, 'purchase', $2, $3, $4, $5)",
        p.user as UserId,
        p.credits as Credits,
        reference,
        format!("Bought {} credits", p.credits.grouped()),
        serde_json::json!({ "purchaseId": p.id })
    )
    .fetch_one(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE credit_balances SET total_purchased = total_purchased + $2 WHERE user_id = $1",
        p.user as UserId,
        p.credits as Credits
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn event_is_known(tx: &mut PgConnection, id: &str) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"SELECT EXISTS (SELECT 1 FROM stripe_events WHERE event_id = $1) AS "known!""#, id)
        .fetch_one(tx)
        .await?)
}

/// `false`: it is known already.
pub(super) async fn record_event(tx: &mut PgConnection, event: &EventId) -> Result<bool> {
    let done = sqlx::query!(
        "INSERT INTO stripe_events (event_id, type) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        event.id,
        event.kind
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

// Reversals -------------------------------------------------------------------------------------------------------

/// What takes credits back, as the provider tells it.
pub(super) struct Reversal<'a> {
    pub id: &'a str,
    pub kind: &'a str,
    pub payment_intent: &'a str,
    pub cents: i64,
    pub stands: bool,
}

/// `false`: something as new was told before.
pub(super) async fn note_reversal(tx: &mut PgConnection, r: &Reversal<'_>, as_of: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query!(
        "INSERT INTO payment_reversals AS r (provider_id, kind, payment_intent_id, amount_cents, stands, as_of)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (provider_id) DO UPDATE SET amount_cents = excluded.amount_cents, stands = excluded.stands,
           as_of = excluded.as_of
         WHERE r.as_of <= excluded.as_of AND (r.amount_cents, r.stands) IS DISTINCT FROM (excluded.amount_cents, excluded.stands)",
        r.id,
        r.kind,
        r.payment_intent,
        r.cents,
        r.stands,
        as_of
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn apply_reversals(tx: &mut PgConnection, purchase: PurchaseId) -> Result<()> {
    sqlx::query!("SELECT ledger.apply_reversals($1)", purchase as PurchaseId).fetch_one(tx).await?;
    Ok(())
}

pub(super) async fn collect_debt(tx: &mut PgConnection, user: UserId) -> Result<()> {
    sqlx::query!("SELECT ledger.collect_debt($1)", user as UserId).fetch_one(tx).await?;
    Ok(())
}

pub(super) async fn lock_balance(tx: &mut PgConnection, user: UserId) -> Result<Credits> {
    Ok(sqlx::query_scalar!(
        r#"SELECT balance AS "balance: Credits" FROM credit_balances WHERE user_id = $1 FOR UPDATE"#,
        user as UserId
    )
    .fetch_one(tx)
    .await?)
}

pub(super) async fn order_refund(tx: &mut PgConnection, order: &RefundOrder, now: DateTime<Utc>) -> Result<()> {
    sqlx::query!(
        "INSERT INTO payment_reversals (provider_id, kind, payment_intent_id, amount_cents, as_of, ask_at)
         VALUES ($1, 'requested', $2, $3, $4, $4)",
        order.id.to_string(),
        order.payment_intent,
        order.amount_cents,
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn refund_accepted(pool: &PgPool, order: Uuid) -> Result<()> {
    sqlx::query!("UPDATE payment_reversals SET ask_at = NULL WHERE provider_id = $1", order.to_string())
        .execute(pool)
        .await?;
    Ok(())
}

pub(super) async fn refund_refused(tx: &mut PgConnection, order: Uuid) -> Result<()> {
    sqlx::query!(
        "UPDATE payment_reversals SET ask_at = NULL, stands = false WHERE provider_id = $1 AND kind = 'requested'",
        order.to_string()
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// An order of this account's for a refund, whether it stands, and whether the provider is still to be asked.
pub(super) async fn refund_order(
    tx: &mut PgConnection,
    user: UserId,
    order: Uuid,
) -> Result<Option<(RefundOrder, bool, bool)>> {
    let row = sqlx::query!(
        r#"SELECT r.payment_intent_id, r.amount_cents, r.stands, r.ask_at IS NOT NULL AS "to_ask!"
             FROM payment_reversals r JOIN purchases p ON p.payment_intent_id = r.payment_intent_id
            WHERE r.provider_id = $1 AND r.kind = 'requested' AND p.user_id = $2"#,
        order.to_string(),
        user as UserId
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|r| {
        let order = RefundOrder { id: order, payment_intent: r.payment_intent_id, amount_cents: r.amount_cents };
        (order, r.stands, r.to_ask)
    }))
}

pub(super) async fn due_refunds(pool: &PgPool, now: DateTime<Utc>) -> Result<Vec<RefundOrder>> {
    let rows = sqlx::query!(
        "UPDATE payment_reversals r SET asks = r.asks + 1,
                ask_at = $1::timestamptz + least(interval '1 hour', interval '30 seconds' * 2 ^ least(r.asks, 10))
           FROM (SELECT provider_id FROM payment_reversals WHERE ask_at <= $1 AND stands AND kind = 'requested'
                  ORDER BY ask_at LIMIT 20 FOR UPDATE SKIP LOCKED) due
          WHERE r.provider_id = due.provider_id RETURNING r.provider_id, r.payment_intent_id, r.amount_cents",
        now
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|r| {
            let id = r.provider_id.parse().map_err(|e| Error::Internal(Box::new(e)))?;
            Ok(RefundOrder { id, payment_intent: r.payment_intent_id, amount_cents: r.amount_cents })
        })
        .collect()
}

// Customers and receipts' addresses -------------------------------------------------------------------------------

pub(super) async fn customer_id(pool: &PgPool, user: UserId, provider: Provider) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!(
        "SELECT customer_id FROM payment_customers WHERE user_id = $1 AND provider = $2",
        user as UserId,
        provider.as_str()
    )
    .fetch_optional(pool)
    .await?)
}

pub(super) async fn keep_customer(pool: &PgPool, user: UserId, provider: Provider, id: &str) -> Result<String> {
    Ok(sqlx::query_scalar!(
        "INSERT INTO payment_customers AS c (user_id, provider, customer_id) VALUES ($1, $2, $3)
         ON CONFLICT (user_id, provider) DO UPDATE SET customer_id = c.customer_id RETURNING customer_id",
        user as UserId,
        provider.as_str(),
        id
    )
    .fetch_one(pool)
    .await?)
}

pub(super) async fn keep_card(pool: &PgPool, user: UserId, provider: Provider, card: Option<&SavedCard>) -> Result<()> {
    sqlx::query!(
        "UPDATE payment_customers SET payment_method = $3, card_brand = $4, card_last4 = $5, card_expires = $6
          WHERE user_id = $1 AND provider = $2",
        user as UserId,
        provider.as_str(),
        card.map(|c| c.payment_method.as_str()),
        card.map(|c| c.brand.as_str()),
        card.map(|c| c.last4.as_str()),
        card.map(|c| c.expires.as_str())
    )
    .execute(pool)
    .await?;
    Ok(())
}

pub(super) async fn saved_card(tx: &mut PgConnection, user: UserId, provider: Provider) -> Result<Option<SavedCard>> {
    Ok(sqlx::query_as!(
        SavedCard,
        r#"SELECT payment_method AS "payment_method!", coalesce(card_brand, 'card') AS "brand!",
                  coalesce(card_last4, '') AS "last4!", coalesce(card_expires, '') AS "expires!"
             FROM payment_customers WHERE user_id = $1 AND provider = $2 AND payment_method IS NOT NULL"#,
        user as UserId,
        provider.as_str()
    )
    .fetch_optional(tx)
    .await?)
}

pub(super) async fn billing_details(tx: &mut PgConnection, user: UserId) -> Result<BillingDetails> {
    Ok(sqlx::query_as!(
        BillingDetails,
        "SELECT name, address, tax_id FROM billing_details WHERE user_id = $1",
        user as UserId
    )
    .fetch_optional(tx)
    .await?
    .unwrap_or_default())
}

pub(super) async fn set_billing_details(tx: &mut PgConnection, user: UserId, details: &BillingDetails) -> Result<()> {
    sqlx::query!(
        "INSERT INTO billing_details (user_id, name, address, tax_id) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id) DO UPDATE SET name = excluded.name, address = excluded.address, tax_id = excluded.tax_id,
           updated_at = now()",
        user as UserId,
        details.name.trim(),
        details.address.trim(),
        details.tax_id.trim()
    )
    .execute(tx)
    .await?;
    Ok(())
}

// Automatic top-up ------------------------------------------------------------------------------------------------

pub(super) async fn topup(tx: &mut PgConnection, user: UserId) -> Result<Option<AutoTopup>> {
    let row = sqlx::query!(
        r#"SELECT threshold AS "threshold: Credits", amount_cents, monthly_cap_cents, state, failures, next_try_at, last_error,
                  (SELECT p.id FROM purchases p WHERE p.user_id = t.user_id AND p.kind = 'auto' AND p.status = 'open'
                      AND p.payment_intent_id IS NOT NULL) AS "waiting: PurchaseId"
             FROM auto_topups t WHERE user_id = $1"#,
        user as UserId
    )
    .fetch_optional(tx)
    .await?;
    row.map(|r| {
        let state = TopupState::parse(&r.state)
            .ok_or_else(|| Error::Internal(format!("automatic top-up in unknown state {}", r.state).into()))?;
        Ok(AutoTopup {
            threshold: r.threshold,
            amount_cents: r.amount_cents,
            monthly_cap_cents: r.monthly_cap_cents,
            state,
            failures: r.failures,
            next_try_at: r.next_try_at,
            last_error: r.last_error,
            waiting: r.waiting.filter(|_| state == TopupState::NeedsAction),
        })
    })
    .transpose()
}

pub(super) async fn set_topup(tx: &mut PgConnection, user: UserId, s: &TopupSettings) -> Result<()> {
    // Grants name the columns that an owner may insert, so the rest is set by an update.
    sqlx::query!(
        "INSERT INTO auto_topups (user_id, threshold, amount_cents, monthly_cap_cents) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id) DO UPDATE SET threshold = excluded.threshold, amount_cents = excluded.amount_cents,
           monthly_cap_cents = excluded.monthly_cap_cents, state = 'active', failures = 0, next_try_at = now(),
           last_error = NULL, updated_at = now()",
        user as UserId,
        s.threshold as Credits,
        s.amount_cents,
        s.monthly_cap_cents
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn turn_topup_off(tx: &mut PgConnection, user: UserId) -> Result<()> {
    sqlx::query!("UPDATE auto_topups SET state = 'off', updated_at = now() WHERE user_id = $1", user as UserId)
        .execute(tx)
        .await?;
    Ok(())
}

/// An account whose balance is below its threshold.
pub(super) struct DueAccount {
    pub user: UserId,
    pub amount_cents: i64,
    pub monthly_cap_cents: i64,
    pub bought_this_month: i64,
    pub customer_id: String,
    pub payment_method: String,
    /// A purchase that was begun and has no end yet.
    pub open: Option<Purchase>,
}

pub(super) async fn lock_due_topups(
    tx: &mut PgConnection,
    provider: Provider,
    now: DateTime<Utc>,
) -> Result<Vec<DueAccount>> {
    let rows = sqlx::query!(
        r#"SELECT t.user_id AS "user: UserId", t.amount_cents, t.monthly_cap_cents, c.customer_id,
                  c.payment_method AS "payment_method!",
                  coalesce((SELECT sum(p.amount_cents) FROM purchases p
                             WHERE p.user_id = t.user_id AND p.kind = 'auto' AND p.status IN ('open', 'processing', 'paid')
                               AND p.created_at >= date_trunc('month', $2::timestamptz AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'),
                           0)::bigint AS "bought!"
             FROM auto_topups t JOIN credit_balances b ON b.user_id = t.user_id
             JOIN payment_customers c ON c.user_id = t.user_id AND c.provider = $1 AND c.payment_method IS NOT NULL
             JOIN auth.users u ON u.id = t.user_id AND u.closed_at IS NULL
            WHERE t.state = 'active' AND t.next_try_at <= $2 AND b.balance < t.threshold
            ORDER BY t.next_try_at LIMIT 20 FOR UPDATE OF t SKIP LOCKED"#,
        provider.as_str(),
        now
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut out = Vec::with_capacity(rows.len());
    for r in rows {
        let open = purchases!(
            "WHERE p.user_id = $1 AND p.kind = 'auto' AND p.status IN ('open', 'processing')",
            r.user as UserId
        )
        .fetch_optional(&mut *tx)
        .await?
        .map(Row::purchase)
        .transpose()?;
        out.push(DueAccount {
            user: r.user,
            amount_cents: r.amount_cents,
            monthly_cap_cents: r.monthly_cap_cents,
            bought_this_month: r.bought,
            customer_id: r.customer_id,
            payment_method: r.payment_method,
            open,
        });
    }
    Ok(out)
}

pub(super) async fn put_off_topup(
    tx: &mut PgConnection,
    user: UserId,
    until: DateTime<Utc>,
    why: Option<&str>,
) -> Result<()> {
    sqlx::query!(
        "UPDATE auto_topups SET next_try_at = $2, last_error = coalesce($3, last_error), updated_at = now() WHERE user_id = $1",
        user as UserId,
        until,
        why
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn topup_needs_action(tx: &mut PgConnection, user: UserId) -> Result<()> {
    sqlx::query!(
        "UPDATE auto_topups SET state = 'needs_action', last_error = 'the bank asks for a confirmation', updated_at = now()
          WHERE user_id = $1 AND state = 'active'",
        user as UserId
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn topup_succeeded(tx: &mut PgConnection, user: UserId) -> Result<()> {
    sqlx::query!(
        "UPDATE auto_topups SET failures = 0, last_error = NULL, next_try_at = now(), updated_at = now(),
                state = CASE WHEN state = 'off' THEN 'off' ELSE 'active' END
          WHERE user_id = $1",
        user as UserId
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Counts a decline, and pauses at `most`. Answers with the number of declines in a row; `None` when it is off or there
/// is none.
pub(super) async fn count_topup_failure(
    tx: &mut PgConnection,
    user: UserId,
    reason: &str,
    most: i32,
) -> Result<Option<i32>> {
    Ok(sqlx::query_scalar!(
        "UPDATE auto_topups SET failures = failures + 1, last_error = $2, updated_at = now(),
                state = CASE WHEN failures + 1 >= $3 THEN 'paused' ELSE 'active' END
          WHERE user_id = $1 AND state <> 'off' RETURNING failures",
        user as UserId,
        reason,
        most
    )
    .fetch_optional(tx)
    .await?)
}
