//! Purchases as programs see them: what is on sale, checkouts, receipts, refunds.

use chrono::{DateTime, Utc};
use domain::Credits;
use domain::ledger::payments::packages::Package;
use domain::ledger::payments::purchase::{BillingDetails, Purchase};
use domain::ledger::payments::refund::{self, OrderState, RefundOrder};
use domain::ledger::payments::{Provider, price};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::Money;

/// Credits on sale.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Package)]
pub struct PackageBody {
    /// What a checkout names it by.
    #[schema(example = "pro")]
    id: &'static str,
    /// For people.
    name: &'static str,
    /// The credits that it brings.
    credits: Money,
    /// Its price in US cents.
    amount_cents: i64,
}

impl From<&Package> for PackageBody {
    fn from(p: &Package) -> PackageBody {
        PackageBody { id: p.id, name: p.name, credits: Money(p.credits()), amount_cents: p.cents }
    }
}

/// What to buy: a package or a sum.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewCheckout)]
pub struct CheckoutBody {
    /// One of the packages on sale.
    pub package_id: Option<String>,
    /// Any sum in US cents, from $5.00 to $10,000.00; it buys what the packages' prices say.
    #[schema(minimum = 500, maximum = 1_000_000)]
    pub amount_cents: Option<i64>,
    /// Whether the card is kept, for automatic top-up.
    #[serde(default)]
    pub save_card: bool,
}

const _: () = assert!(price::LEAST_CENTS == 500 && price::MOST_CENTS == 1_000_000);

/// A purchase that waits to be paid.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Checkout {
    /// The purchase. Once it is paid, its receipt has this id.
    id: Uuid,
    /// The package, or `null` for a sum.
    #[schema(required)]
    package_id: Option<String>,
    /// What is credited when it is paid.
    credits: Money,
    /// The price in US cents.
    amount_cents: i64,
    /// Whether the card is kept.
    save_card: bool,
    /// Where a person pays.
    url: String,
    /// Whether this is play money: NEXUS runs without a payment provider.
    sandbox: bool,
    /// When it was begun.
    created_at: DateTime<Utc>,
}

impl Checkout {
    /// A purchase and its page.
    pub fn of(p: Purchase, url: String) -> Checkout {
        Checkout {
            id: p.id.0,
            package_id: (p.package != "amount").then_some(p.package),
            credits: Money(p.credits),
            amount_cents: p.amount_cents,
            save_card: p.save_card,
            url,
            sandbox: p.provider == Provider::Sandbox,
            created_at: p.created_at,
        }
    }
}

/// A paid purchase in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptRow {
    /// The purchase.
    id: Uuid,
    /// The receipt's number.
    #[schema(example = "NX-000042")]
    number: String,
    /// The package, or `null` for a sum.
    #[schema(required)]
    package_id: Option<String>,
    /// Whether it was an automatic top-up.
    automatic: bool,
    /// What was credited.
    credits: Money,
    /// What was paid, in hundredths of `currency`.
    amount_cents: i64,
    /// Lower-case ISO 4217.
    #[schema(example = "usd")]
    currency: String,
    /// Credits taken back after a refund or dispute.
    taken_credits: Money,
    /// Credits still to be taken back: they were spent.
    owed_credits: Money,
    /// Whether this was play money.
    sandbox: bool,
    /// When it was paid.
    #[schema(required)]
    paid_at: Option<DateTime<Utc>>,
}

impl From<Purchase> for ReceiptRow {
    fn from(p: Purchase) -> ReceiptRow {
        ReceiptRow {
            id: p.id.0,
            number: p.receipt().unwrap_or_default(),
            package_id: (p.package != "amount").then_some(p.package),
            automatic: p.automatic,
            credits: Money(p.credits),
            amount_cents: p.amount_cents,
            currency: p.currency,
            taken_credits: Money(p.taken),
            owed_credits: Money(p.owed),
            sandbox: p.provider == Provider::Sandbox,
            paid_at: p.paid_at,
        }
    }
}

/// A receipt, whole.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// What a list shows.
    #[serde(flatten)]
    row: ReceiptRow,
    /// Whom it is made out to, as it was when it was paid.
    billed_to: BilledTo,
    /// What would come back if a refund were asked for now; `null` where nothing would.
    #[schema(required)]
    refundable: Option<Refundable>,
    /// Why nothing would; `null` where something would.
    #[schema(required)]
    why_not_refundable: Option<String>,
}

/// Whom a receipt is made out to; each may be empty.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BilledTo {
    /// A person or company.
    name: String,
    /// Lines of an address.
    address: String,
    /// A VAT or other tax number.
    tax_id: String,
}

/// What can come back of a purchase.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Refundable {
    /// Credits that would go: those that are not spent, held or gone back.
    credits: Money,
    /// Cents that would come back for them.
    amount_cents: i64,
}

impl Receipt {
    /// A paid purchase; `available` is what can be spent now.
    pub fn of(p: Purchase, available: Credits, now: DateTime<Utc>) -> Receipt {
        let offer = refund::refundable(&p, available, now);
        let BillingDetails { name, address, tax_id } = p.billing.clone();
        Receipt {
            row: p.into(),
            billed_to: BilledTo { name, address, tax_id },
            why_not_refundable: offer.as_ref().err().map(ToString::to_string),
            refundable: offer.ok().map(|(credits, amount_cents)| Refundable { credits: Money(credits), amount_cents }),
        }
    }
}

/// A refund that was asked for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Refund {
    /// The order.
    pub id: Uuid,
    /// The purchase.
    pub receipt_id: Uuid,
    /// Credits that left the balance.
    #[schema(value_type = Money)]
    pub credits: Money,
    /// Cents that come back to the card.
    pub amount_cents: i64,
    /// `ordered` (the provider is asked again by itself) or `made`.
    #[schema(example = "made")]
    pub state: String,
}

impl Refund {
    /// An order that was just written.
    pub fn ordered(order: &RefundOrder, receipt: Uuid, credits: Credits) -> Refund {
        Refund {
            id: order.id,
            receipt_id: receipt,
            credits: Money(credits),
            amount_cents: order.amount_cents,
            state: "ordered".to_owned(),
        }
    }

    /// The same as far as it is now; `None` for one that the provider refused.
    pub fn now(self, state: OrderState) -> Option<Refund> {
        let state = match state {
            OrderState::Ordered => "ordered",
            OrderState::Taken => "made",
            OrderState::Refused => return None,
        };
        Some(Refund { state: state.to_owned(), ..self })
    }
}
