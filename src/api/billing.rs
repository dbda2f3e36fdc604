//! Credits over REST: balance, ledger, usage, purchases, refunds, limits.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;
use domain::ledger::payments::packages::{PACKAGES, Package};
use domain::ledger::payments::purchase::{self, Offer, PurchaseStatus};
use domain::ledger::payments::{customer, refund, topup};
use domain::ledger::{self, EntryFilter, EntryKind};
use domain::{Actor, Db, Error, PurchaseId, accounts};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::answer::{Answer, Data, List, data, list};
use super::billing_body::{BalanceBody, LimitsBody, NewLimitsBody, Topup, Transaction, Usage};
use super::caller::{BillingRead, BillingWrite, Caller};
use super::input::{Id, Input, Nothing, Paging, Params, cursor, limit};
use super::once::Once;
use super::purchase_body::{Checkout, CheckoutBody, PackageBody, Receipt, ReceiptRow, Refund};
use crate::payments::PaymentError;
use crate::state::AppState;
use crate::web::failure::ApiError;

/// Get the balance
#[utoipa::path(get, path = "/billing/balance", tag = "Billing", operation_id = "getBalance",
    security(("key" = ["billing:read"])),
    responses((status = 200, description = "What the account has", body = Data<BalanceBody>)))]
pub async fn balance(State(state): State<AppState>, caller: Caller<BillingRead>) -> Answer<BalanceBody> {
    let balance = ledger::balance(&state.db, &caller.actor).await?;
    Ok(data(BalanceBody::of(balance, ledger::low_balance(&state.db, &caller.actor).await?)))
}

/// Which rows of the ledger.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TransactionQuery {
    /// Only `initial_grant`, `purchase`, `task_debit`, `task_credit`, `platform_fee` or `refund`.
    #[serde(rename = "type")]
    #[param(example = "task_debit")]
    kind: Option<String>,
    /// Rows a page, 1 to 100; 20 when left out.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// List transactions
///
/// The ledger of the account, newest first. The sum of all amounts is the balance.
#[utoipa::path(get, path = "/billing/transactions", tag = "Billing", operation_id = "listTransactions",
    params(TransactionQuery), security(("key" = ["billing:read"])),
    responses((status = 200, description = "A page of rows", body = List<Transaction>)))]
pub async fn transactions(
    State(state): State<AppState>,
    caller: Caller<BillingRead>,
    Params(query): Params<TransactionQuery>,
) -> Result<Json<List<Transaction>>, ApiError> {
    let kind = query.kind.as_deref().map(|word| {
        EntryKind::parse(word).ok_or_else(|| {
            let words: Vec<&str> = EntryKind::ALL.iter().map(|k| k.as_str()).collect();
            Error::field("type", format!("must be one of {}", words.join(", ")))
        })
    });
    let filter = EntryFilter { kind: kind.transpose()?, after: cursor(query.cursor.as_deref())? };
    let page = ledger::entries(&state.db, &caller.actor, &filter, limit(query.limit)?).await?;
    Ok(list(page, Transaction::from))
}

/// Of how long.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct UsageQuery {
    /// `7d`, `30d` or `90d`; `30d` when left out.
    #[param(example = "7d")]
    period: Option<String>,
}

/// Get the usage
///
/// What was spent and earned, day by day (UTC).
#[utoipa::path(get, path = "/billing/usage", tag = "Billing", operation_id = "getUsage", params(UsageQuery),
    security(("key" = ["billing:read"])), responses((status = 200, description = "By day", body = Data<Usage>)))]
pub async fn usage(
    State(state): State<AppState>,
    caller: Caller<BillingRead>,
    Params(query): Params<UsageQuery>,
) -> Answer<Usage> {
    let wanted = query.period.as_deref().unwrap_or("30d");
    let days = ledger::PERIODS.into_iter().find(|days| wanted == format!("{days}d"));
    let days = days.ok_or_else(|| Error::field("period", "must be 7d, 30d or 90d"))?;
    Ok(data(Usage::of(ledger::usage(&state.db, &caller.actor, days, Utc::now().date_naive()).await?)))
}

/// List packages
///
/// What is on sale. Needs no key.
#[utoipa::path(get, path = "/billing/packages", tag = "Billing", operation_id = "listPackages",
    responses((status = 200, description = "The packages", body = Data<Vec<PackageBody>>)))]
pub async fn packages() -> Json<Data<Vec<PackageBody>>> {
    data(PACKAGES.iter().map(PackageBody::from).collect())
}

fn offer(body: &CheckoutBody) -> domain::Result<Offer> {
    match (&body.package_id, body.amount_cents) {
        (Some(id), None) => Package::find(id)
            .map(Offer::Package)
            .ok_or_else(|| Error::field("packageId", "is not one of the packages on sale")),
        (None, Some(cents)) => Ok(Offer::Amount(cents)),
        (None, None) => Err(Error::field("packageId", "is missing: name a package, or a sum as amountCents")),
        (Some(_), Some(_)) => Err(Error::field("amountCents", "cannot be beside a package")),
    }
}

/// Begin a purchase
///
/// Answers with a page on which a person pays; the credits are there as soon as the payment is confirmed, and from then on there
/// is a receipt with the same id. Sent again with the same `Idempotency-Key` it is the same page.
#[utoipa::path(post, path = "/billing/checkout", tag = "Billing", operation_id = "createCheckout",
    security(("key" = ["billing:write"])), request_body = CheckoutBody,
    responses((status = 201, description = "The purchase and its page", body = Data<Checkout>),
              (status = 502, description = "The payment provider did not open the page; nothing was charged",
               body = super::answer::Refusal)))]
pub async fn checkout(
    State(state): State<AppState>,
    caller: Caller<BillingWrite>,
    once: Once,
    input: Input<CheckoutBody>,
) -> Result<Response, ApiError> {
    let (actor, body) = (caller.actor, input.body);
    let (offer, provider) = (offer(&body)?, state.payments.provider());
    // What is kept of it is the purchase: its page is opened after the transaction, and found again with the purchase.
    let done = once
        .run(&state.db, &actor, &input.fingerprint, StatusCode::CREATED, |db: Db| async move {
            let begun = purchase::begin(&db, &actor, offer, body.save_card, provider).await;
            let begun = begun.map_err(|e| e.with_fields_named(&[("amount", "amountCents")]))?;
            Ok(Begun { id: begun.id })
        })
        .await?;
    let kept: Begun = done.read()?;
    let begun = purchase::find(&state.db, &actor, kept.id).await?;
    let url = match (&begun.checkout_url, &begun.failure) {
        (Some(url), _) => url.clone(),
        (None, Some(why)) => return Err(Error::Conflict(why.clone()).into()),
        (None, None) => {
            let email = accounts::profile(&state.db, &actor).await?.email;
            match state.payments.begin_checkout(&state.db, &begun, &email).await? {
                Ok(opened) => opened.url,
                Err(PaymentError::Declined(why)) => return Err(Error::Conflict(why).into()),
                Err(error @ (PaymentError::Provider(_) | PaymentError::Setup(_))) => {
                    tracing::error!(%error, purchase = %begun.id, "a checkout could not be opened");
                    let why = "the payment page could not be opened, and nothing was charged: send it again";
                    return Err(Error::Protocol(why.into()).into());
                }
            }
        }
    };
    Ok(done.with(Checkout::of(begun, url)))
}

/// What is kept of a checkout.
#[derive(Deserialize, Serialize)]
struct Begun {
    id: PurchaseId,
}

/// List receipts
///
/// One for each purchase that was paid, newest first.
#[utoipa::path(get, path = "/billing/receipts", tag = "Billing", operation_id = "listReceipts", params(Paging),
    security(("key" = ["billing:read"])), responses((status = 200, description = "A page of receipts", body = List<ReceiptRow>)))]
pub async fn receipts(
    State(state): State<AppState>,
    caller: Caller<BillingRead>,
    Params(paging): Params<Paging>,
) -> Result<Json<List<ReceiptRow>>, ApiError> {
    let (after, limit) = (cursor(paging.cursor.as_deref())?, limit(paging.limit)?);
    Ok(list(purchase::receipts(&state.db, &caller.actor, after.as_ref(), limit).await?, ReceiptRow::from))
}

/// Get a receipt
///
/// There is none before the purchase is paid.
#[utoipa::path(get, path = "/billing/receipts/{id}", tag = "Billing", operation_id = "getReceipt",
    params(("id" = Uuid, Path, description = "The purchase")), security(("key" = ["billing:read"])),
    responses((status = 200, description = "The receipt", body = Data<Receipt>)))]
pub async fn receipt(
    State(state): State<AppState>,
    caller: Caller<BillingRead>,
    Id(id): Id<PurchaseId>,
) -> Answer<Receipt> {
    let bought = purchase::find(&state.db, &caller.actor, id).await?;
    if bought.status != PurchaseStatus::Paid {
        return Err(Error::NotFound(domain::Missing::Purchase).into());
    }
    let available = ledger::balance(&state.db, &caller.actor).await?.available;
    Ok(data(Receipt::of(bought, available, Utc::now())))
}

/// Refund a purchase
///
/// What was not spent of it, within 14 days of paying. The credits are gone at once; the money goes back to the card, which
/// takes its bank some days.
#[utoipa::path(post, path = "/billing/receipts/{id}/refund", tag = "Billing", operation_id = "refundPurchase",
    params(("id" = Uuid, Path, description = "The purchase")), security(("key" = ["billing:write"])), request_body = Nothing,
    responses((status = 201, description = "The refund", body = Data<Refund>)))]
pub async fn give_back(
    State(state): State<AppState>,
    caller: Caller<BillingWrite>,
    Id(id): Id<PurchaseId>,
    once: Once,
    input: Input<Nothing>,
) -> Result<Response, ApiError> {
    let actor = caller.actor;
    let done = once
        .run(&state.db, &actor, &input.fingerprint, StatusCode::CREATED, |db: Db| async move {
            let (order, credits) = refund::request(&db, &actor, id, Utc::now()).await?;
            Ok(Refund::ordered(&order, id.0, credits))
        })
        .await?;
    let kept: Refund = done.read()?;
    let (order, mut standing) = refund::find(&state.db, &actor, kept.id).await?;
    if standing == refund::OrderState::Ordered {
        // Asked twice it is made once: the order's id is the provider's idempotency key.
        state.payments.settle_refund(&state.db, &order).await?;
        standing = refund::find(&state.db, &actor, order.id).await?.1;
    }
    match kept.now(standing) {
        Some(refund) => Ok(done.with(refund)),
        None => Err(Error::Conflict("the payment provider refused the refund; the credits are back".into()).into()),
    }
}

async fn limits_of(db: &Db, actor: &Actor) -> domain::Result<LimitsBody> {
    let limits = ledger::limits(db, actor, Utc::now()).await?;
    Ok(LimitsBody::of(limits, ledger::low_balance(db, actor).await?))
}

/// Get the limits
///
/// What the account allows itself, and what of it is spent.
#[utoipa::path(get, path = "/billing/limits", tag = "Billing", operation_id = "getLimits",
    security(("key" = ["billing:read"])), responses((status = 200, description = "The limits", body = Data<LimitsBody>)))]
pub async fn get_limits(State(state): State<AppState>, caller: Caller<BillingRead>) -> Answer<LimitsBody> {
    Ok(data(limits_of(&state.db, &caller.actor).await?))
}

/// Set the limits
///
/// All of them: `null` is no limit. What is held stays; the next task is measured.
#[utoipa::path(put, path = "/billing/limits", tag = "Billing", operation_id = "setLimits",
    security(("key" = ["billing:write"])), request_body = NewLimitsBody,
    responses((status = 200, description = "The limits", body = Data<LimitsBody>)))]
pub async fn set_limits(
    State(state): State<AppState>,
    caller: Caller<BillingWrite>,
    input: Input<NewLimitsBody>,
) -> Answer<LimitsBody> {
    let (actor, body) = (caller.actor, input.body);
    let (db, joint) = state.db.joint().await?;
    ledger::set_limits(&db, &actor, body.daily.map(|m| m.0), body.monthly.map(|m| m.0)).await?;
    ledger::set_low_balance(&db, &actor, body.low_balance.map(|m| m.0)).await?;
    let now = limits_of(&db, &actor).await?;
    joint.commit().await?;
    Ok(data(now))
}

/// Get the automatic top-up
///
/// Whether a saved card buys credits by itself, and how that goes. Turning it on needs a person, at /credits/topup.
#[utoipa::path(get, path = "/billing/topup", tag = "Billing", operation_id = "getTopup",
    security(("key" = ["billing:read"])), responses((status = 200, description = "How it stands", body = Data<Topup>)))]
pub async fn get_topup(State(state): State<AppState>, caller: Caller<BillingRead>) -> Answer<Topup> {
    let set = topup::get(&state.db, &caller.actor).await?;
    let card = customer::saved_card(&state.db, &caller.actor, state.payments.provider()).await?;
    Ok(data(Topup::of(set, card)))
}
