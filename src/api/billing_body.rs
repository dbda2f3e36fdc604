//! Credits as programs see them: balance, ledger, usage, limits.

use chrono::{DateTime, NaiveDate, Utc};
use domain::Credits;
use domain::ledger::payments::customer::SavedCard;
use domain::ledger::payments::topup::AutoTopup;
use domain::ledger::{Balance, Entry, SpendingLimits, UsageDay};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::Money;

/// What an account has, in credits.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Balance)]
pub struct BalanceBody {
    /// What can be spent now.
    available: Money,
    /// What running tasks hold: spent when they complete, back when they do not.
    held: Money,
    /// Both together.
    total: Money,
    /// Earned by your agents, fees taken off.
    earned: Money,
    /// Paid for completed tasks.
    spent: Money,
    /// Bought, less what was taken back.
    purchased: Money,
    /// Below which available balance a mail is sent; `null`: never.
    #[schema(required, value_type = Option<Money>)]
    low_balance: Option<Money>,
}

impl BalanceBody {
    /// A balance and where it counts as low.
    pub fn of(balance: Balance, low: Option<Credits>) -> BalanceBody {
        BalanceBody {
            available: Money(balance.available),
            held: Money(balance.held),
            total: Money(balance.total()),
            earned: Money(balance.earned),
            spent: Money(balance.spent),
            purchased: Money(balance.purchased),
            low_balance: low.map(Money),
        }
    }
}

/// A row of the ledger.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    /// The row.
    id: Uuid,
    /// Its number in your account, from 1 without gaps.
    position: i64,
    /// `initial_grant`, `purchase`, `task_debit`, `task_credit`, `platform_fee` or `refund`.
    #[serde(rename = "type")]
    #[schema(example = "task_debit")]
    kind: &'static str,
    /// Negative where it takes credits.
    amount: Money,
    /// The balance right after it.
    balance_after: Money,
    /// What caused it: a task, or a checkout session.
    #[schema(required)]
    reference_id: Option<String>,
    /// For people.
    description: String,
    /// When.
    created_at: DateTime<Utc>,
}

impl From<Entry> for Transaction {
    fn from(e: Entry) -> Transaction {
        Transaction {
            id: e.id,
            position: e.position,
            kind: e.kind.as_str(),
            amount: Money(e.amount),
            balance_after: Money(e.balance_after),
            reference_id: e.reference_id,
            description: e.description,
            created_at: e.created_at,
        }
    }
}

/// What was spent and earned.
#[derive(Debug, Serialize, ToSchema)]
pub struct Usage {
    /// `7d`, `30d` or `90d`.
    #[schema(example = "30d")]
    period: String,
    /// In all of the period.
    spent: Money,
    /// In all of the period.
    earned: Money,
    /// Each day, today last; days without movement included.
    days: Vec<UsageDayBody>,
}

/// A day (UTC).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsageDay)]
pub struct UsageDayBody {
    /// The day.
    day: NaiveDate,
    /// Held for tasks on this day, less what came back on this day.
    spent: Money,
    /// Earned by your agents, fees taken off.
    earned: Money,
}

impl Usage {
    /// The days of a period.
    pub fn of(days: Vec<UsageDay>) -> Usage {
        let sum = |of: fn(&UsageDay) -> Credits| Money(days.iter().map(of).sum());
        Usage {
            period: format!("{}d", days.len()),
            spent: sum(|d| d.spent),
            earned: sum(|d| d.earned),
            days: days
                .iter()
                .map(|d| UsageDayBody { day: d.day, spent: Money(d.spent), earned: Money(d.earned) })
                .collect(),
        }
    }
}

/// What an account allows itself, in credits. Days and months are those of UTC.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Limits)]
pub struct LimitsBody {
    /// The most a day; `null`: no limit.
    #[schema(required, value_type = Option<Money>)]
    daily: Option<Money>,
    /// The most a calendar month; `null`: no limit.
    #[schema(required, value_type = Option<Money>)]
    monthly: Option<Money>,
    /// Below which available balance a mail is sent, once a crossing; `null`: never.
    #[schema(required, value_type = Option<Money>)]
    low_balance: Option<Money>,
    /// Held today and not come back.
    spent_today: Money,
    /// Held this month and not come back.
    spent_this_month: Money,
}

impl LimitsBody {
    /// Limits and where the balance counts as low.
    pub fn of(limits: SpendingLimits, low: Option<Credits>) -> LimitsBody {
        LimitsBody {
            daily: limits.daily.map(Money),
            monthly: limits.monthly.map(Money),
            low_balance: low.map(Money),
            spent_today: Money(limits.spent_today),
            spent_this_month: Money(limits.spent_this_month),
        }
    }
}

/// Limits as they are set: all of them.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewLimits)]
pub struct NewLimitsBody {
    /// The most a day; `null`: no limit.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required, value_type = Option<Money>)]
    pub daily: Option<Money>,
    /// The most a calendar month; `null`: no limit.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required, value_type = Option<Money>)]
    pub monthly: Option<Money>,
    /// Below which available balance a mail is sent; `null`: never.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required, value_type = Option<Money>)]
    pub low_balance: Option<Money>,
}

/// Automatic top-up.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Topup {
    /// `active`, `needs_action` (the bank wants the owner), `paused` (declined too often) or `off`.
    #[schema(example = "active")]
    state: &'static str,
    /// It buys when the balance is below this; `null` where it was never set.
    #[schema(required, value_type = Option<Money>)]
    threshold: Option<Money>,
    /// For this many US cents.
    #[schema(required)]
    amount_cents: Option<i64>,
    /// At most this many US cents in a calendar month (UTC).
    #[schema(required)]
    monthly_cap_cents: Option<i64>,
    /// Declines in a row.
    failures: i32,
    /// What went wrong last.
    #[schema(required)]
    last_error: Option<String>,
    /// The card that it charges; `null` where none is kept.
    #[schema(required)]
    card: Option<CardBody>,
}

/// A card that the payment provider keeps.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Card)]
pub struct CardBody {
    /// `visa`, `mastercard`, …
    brand: String,
    /// Its last four digits.
    last4: String,
    /// Month and year.
    #[schema(example = "04/2030")]
    expires: String,
}

impl Topup {
    /// What is set, and the card.
    pub fn of(set: Option<AutoTopup>, card: Option<SavedCard>) -> Topup {
        Topup {
            state: set.as_ref().map_or("off", |t| t.state.as_str()),
            threshold: set.as_ref().map(|t| Money(t.threshold)),
            amount_cents: set.as_ref().map(|t| t.amount_cents),
            monthly_cap_cents: set.as_ref().map(|t| t.monthly_cap_cents),
            failures: set.as_ref().map_or(0, |t| t.failures),
            last_error: set.and_then(|t| t.last_error),
            card: card.map(|c| CardBody { brand: c.brand, last4: c.last4, expires: c.expires }),
        }
    }
}
