//! `nexus credits …`: the balance, its movements, and buying more.

use chrono::{DateTime, NaiveDate, Utc};
use clap::{Args, Subcommand};
use domain::ledger::payments::price;
use serde::Deserialize;
use serde_json::json;

use super::bodies::{data, day, sum};
use super::failure::Failure;
use super::table::{Cell, Column, cell};
use super::terminal::{Line, Style};
use super::{Context, pages};

/// What can be done with credits.
#[derive(Debug, Args)]
pub struct Credits {
    #[command(subcommand)]
    command: Option<CreditsCommand>,
}

#[derive(Debug, Subcommand)]
enum CreditsCommand {
    /// What was spent and earned, day by day
    Usage {
        /// 7d, 30d or 90d
        #[arg(long, default_value = "30d")]
        period: String,
    },
    /// Every movement, newest first
    History {
        /// Only of this type: initial_grant, purchase, task_debit, task_credit, platform_fee or refund
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<String>,
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// What is on sale
    Packages,
    /// Begin a purchase; prints the address of the payment page
    Buy {
        /// A package's id
        #[arg(required_unless_present = "amount", conflicts_with = "amount")]
        package: Option<String>,
        /// Any sum instead, in dollars, such as 25 or 12.50
        #[arg(long, value_parser = cents)]
        amount: Option<i64>,
    },
}

/// `nexus credits …`
pub async fn run(context: &Context, credits: Credits) -> Result<(), Failure> {
    match credits.command {
        None => balance(context).await,
        Some(CreditsCommand::Usage { period }) => usage(context, period).await,
        Some(CreditsCommand::History { kind, limit }) => history(context, kind, limit).await,
        Some(CreditsCommand::Packages) => packages(context).await,
        Some(CreditsCommand::Buy { package, amount }) => buy(context, package, amount).await,
    }
}
fn cents(text: &str) -> Result<i64, String> {
    let sum: domain::Credits = text.trim().trim_start_matches('$').parse().map_err(|e| format!("{e}"))?;
    Ok(sum.cents())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Balance {
    available: String,
    held: String,
    low_balance: Option<String>,
}

async fn balance(context: &Context) -> Result<(), Failure> {
    let document = context.signed_in()?.get(&["billing", "balance"], &[]).await?;
    if context.printed(&document)? {
        return Ok(());
    }
    let balance: Balance = data(&document)?;
    let screen = &context.screen;
    screen.out(Line::default().with(Style::Bold, sum(&balance.available)).with(Style::Plain, " credits available"))?;
    screen.out(format!("{} credits held by running tasks", sum(&balance.held)))?;
    match balance.low_balance {
        Some(low) => screen.out(format!("A mail is sent when less than {} are available", sum(&low))),
        None => Ok(()),
    }
}

#[derive(Deserialize)]
struct Usage {
    spent: String,
    earned: String,
    days: Vec<Day>,
}

#[derive(Deserialize)]
struct Day {
    day: NaiveDate,
    spent: String,
    earned: String,
}

async fn usage(context: &Context, period: String) -> Result<(), Failure> {
    let document = context.signed_in()?.get(&["billing", "usage"], &[("period", period)]).await?;
    if context.printed(&document)? {
        return Ok(());
    }
    let usage: Usage = data(&document)?;
    let row = |day: String, spent: &str, earned: &str| vec![cell(day), cell(sum(spent)), cell(sum(earned))];
    let mut rows: Vec<Vec<Cell>> =
        usage.days.iter().map(|d| row(d.day.format("%F").to_string(), &d.spent, &d.earned)).collect();
    rows.push(row("in all".into(), &usage.spent, &usage.earned));
    context.table(&[Column::whole("DAY (UTC)"), Column::number("SPENT"), Column::number("EARNED")], &rows)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Movement {
    #[serde(rename = "type")]
    kind: String,
    amount: String,
    balance_after: String,
    description: String,
    created_at: DateTime<Utc>,
}

async fn history(context: &Context, kind: Option<String>, limit: usize) -> Result<(), Failure> {
    let query: Vec<(&str, String)> = kind.map(|kind| ("type", kind)).into_iter().collect();
    let document = pages(&context.signed_in()?, &["billing", "transactions"], &query, limit).await?;
    if context.printed(&document)? {
        return Ok(());
    }
    let movements: Vec<Movement> = data(&document)?;
    if movements.is_empty() {
        context.screen.note("No movements.");
        return Ok(());
    }
    let columns = [
        Column::whole("WHEN"),
        Column::whole("TYPE"),
        Column::number("CREDITS"),
        Column::number("BALANCE"),
        Column::text("WHAT FOR", 8).spare(),
    ];
    let row = |m: &Movement| {
        vec![
            cell(day(&m.created_at)),
            cell(&*m.kind),
            cell(sum(&m.amount)),
            cell(sum(&m.balance_after)),
            cell(&*m.description),
        ]
    };
    context.table(&columns, &movements.iter().map(row).collect::<Vec<_>>())?;
    if document["nextCursor"].is_string() {
        context.screen.note("There are more: --limit shows them.");
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    id: String,
    name: String,
    credits: String,
    amount_cents: i64,
}

async fn packages(context: &Context) -> Result<(), Failure> {
    let document = context.api()?.get(&["billing", "packages"], &[]).await?;
    if context.printed(&document)? {
        return Ok(());
    }
    let packages: Vec<Package> = data(&document)?;
    let columns = [Column::whole("ID"), Column::text("NAME", 8), Column::number("CREDITS"), Column::number("PRICE")];
    let row = |p: &Package| {
        vec![(Style::Bold, p.id.clone()), cell(&*p.name), cell(sum(&p.credits)), cell(price::dollars(p.amount_cents))]
    };
    context.table(&columns, &packages.iter().map(row).collect::<Vec<_>>())?;
    context.screen.note("Buy one: nexus credits buy ID");
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Checkout {
    credits: String,
    amount_cents: i64,
    url: String,
    sandbox: bool,
}

async fn buy(context: &Context, package: Option<String>, amount: Option<i64>) -> Result<(), Failure> {
    let body = match package {
        Some(package) => json!({ "packageId": package }),
        None => json!({ "amountCents": amount }),
    };
    let document = context.signed_in()?.post(&["billing", "checkout"], &body, None).await?;
    if context.printed(&document)? {
        return Ok(());
    }
    let checkout: Checkout = data(&document)?;
    let play = if checkout.sandbox { ", in play money" } else { "" };
    let offer =
        format!("{} credits for {}{play}. Pay here:", sum(&checkout.credits), price::dollars(checkout.amount_cents));
    context.screen.note(offer);
    context.screen.out(checkout.url)
}
