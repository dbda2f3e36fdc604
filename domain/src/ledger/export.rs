//! The books in the plain-text formats of others' accounting tools, so that they can be checked without ours.
//!
//! Each ledger row is one transaction: the account's posting, asserted to leave the balance that the row claims, against
//! where the credits came from or went to. Escrow and the two clearing accounts end where the audit says they must.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use super::EntryKind;
use super::store;
use crate::{Actor, Credits, Db, Error, Result, UserId};

/// Which tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// hledger (and ledger-cli): with a balance assertion at each row.
    Hledger,
    /// beancount: with the balances at the end.
    Beancount,
}

/// A ledger row, as it is exported.
pub(super) struct ExportRow {
    pub user: UserId,
    pub position: i64,
    pub kind: String,
    pub amount: Credits,
    pub balance_after: Credits,
    pub reference: Option<String>,
    pub description: String,
    pub of_task: bool,
    pub of_purchase: bool,
    pub created_at: DateTime<Utc>,
}

/// Where the other side of a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Other {
    Grants,
    Purchases,
    Escrow,
    Adjustments,
}

impl Other {
    fn of(row: &ExportRow) -> Result<Other> {
        let kind = EntryKind::parse(&row.kind)
            .ok_or_else(|| Error::Internal(format!("ledger row of unknown type {}", row.kind).into()))?;
        Ok(match kind {
            EntryKind::InitialGrant => Other::Grants,
            EntryKind::Purchase => Other::Purchases,
            // A fee is paid out of what escrow paid, and goes where escrow is: the two rows of a fee meet there.
            EntryKind::TaskDebit | EntryKind::TaskCredit | EntryKind::PlatformFee => Other::Escrow,
            EntryKind::Refund if row.of_purchase => Other::Purchases,
            EntryKind::Refund if row.of_task => Other::Escrow,
            EntryKind::Refund => Other::Adjustments,
        })
    }

    fn name(self, format: Format) -> &'static str {
        match (self, format) {
            (Other::Grants, Format::Hledger) => "issued:grants",
            (Other::Purchases, Format::Hledger) => "issued:purchases",
            (Other::Escrow, Format::Hledger) => "escrow",
            (Other::Adjustments, Format::Hledger) => "adjustments",
            (Other::Grants, Format::Beancount) => "Equity:Issued:Grants",
            (Other::Purchases, Format::Beancount) => "Equity:Issued:Purchases",
            (Other::Escrow, Format::Beancount) => "Liabilities:Escrow",
            (Other::Adjustments, Format::Beancount) => "Equity:Adjustments",
        }
    }
}

/// Rows at a time.
const CHUNK: i64 = 5_000;

/// Writes the whole ledger, oldest first, in pieces handed to `write`. One snapshot: what is written balances.
///
/// # Errors
/// [`Error::Forbidden`] for anybody but the program itself; what `write` answers.
pub async fn export(
    db: &Db,
    actor: &Actor,
    format: Format,
    mut write: impl FnMut(&str) -> std::io::Result<()>,
) -> Result<u64> {
    if *actor != Actor::System {
        return Err(Error::Forbidden("only the program itself may export the ledger".into()));
    }
    let mut tx = db.begin(actor).await?;
    store::begin_export(&mut tx).await?;
    let failed = |e: std::io::Error| Error::Internal(Box::new(e));
    write(&head(format, &store::export_accounts(&mut tx).await?)).map_err(failed)?;
    let mut done = 0;
    loop {
        let rows = store::export_rows(&mut tx, CHUNK).await?;
        let mut text = String::new();
        for row in &rows {
            entry(&mut text, format, row)?;
        }
        write(&text).map_err(failed)?;
        done += rows.len() as u64;
        if rows.is_empty() {
            break;
        }
    }
    let tail = tail(format, &store::export_balances(&mut tx).await?, store::escrow(&mut tx).await?);
    write(&tail).map_err(failed)?;
    Ok(done)
}

fn account(format: Format, user: UserId) -> String {
    match (format, user == UserId::PLATFORM) {
        (Format::Hledger, true) => "platform".into(),
        (Format::Hledger, false) => format!("users:{user}"),
        (Format::Beancount, true) => "Liabilities:Platform".into(),
        (Format::Beancount, false) => format!("Liabilities:Users:U-{user}"),
    }
}

fn head(format: Format, accounts: &[UserId]) -> String {
    let others =
        [Other::Grants, Other::Purchases, Other::Escrow, Other::Adjustments].map(|o| o.name(format).to_owned());
    let names = others.into_iter().chain(accounts.iter().map(|u| account(format, *u)));
    let mut text = String::new();
    match format {
        Format::Hledger => {
            text.push_str(
                "; NEXUS ledger, in credits. Check it with: hledger check -s -f FILE\ncommodity 1000.00 CREDITS\n",
            );
            for name in names {
                let _ = writeln!(text, "account {name}");
            }
        }
        Format::Beancount => {
            text.push_str("; NEXUS ledger, in credits. Check it with: bean-check FILE\n");
            for name in names {
                let _ = writeln!(text, "1970-01-01 open {name} CREDITS");
            }
        }
    }
    text.push('\n');
    text
}

fn entry(text: &mut String, format: Format, row: &ExportRow) -> Result<()> {
    let (own, other) = (account(format, row.user), Other::of(row)?.name(format));
    // Descriptions hold titles that people typed: one line, and nothing that ends the description early.
    let words: String =
        row.description.chars().map(|c| if c.is_control() || ";|\"\\".contains(c) { ' ' } else { c }).collect();
    let day = row.created_at.format("%Y-%m-%d");
    let reference = row.reference.as_deref().unwrap_or("-");
    let _ = match format {
        Format::Hledger => writeln!(
            text,
            "{day} ({}) {words}  ; {} {reference}\n    {own}  {} CREDITS = {} CREDITS\n    {other}  {} CREDITS\n",
            row.position, row.kind, row.amount, row.balance_after, -row.amount
        ),
        Format::Beancount => writeln!(
            text,
            "{day} * \"{} {words}\"\n  {own}  {} CREDITS\n  {other}  {} CREDITS\n",
            row.kind, row.amount, -row.amount
        ),
    };
    Ok(())
}

/// The balances at the end, for the tool to compare with what it added up.
fn tail(format: Format, balances: &[(UserId, Credits)], escrow: Credits) -> String {
    let today = Utc::now().date_naive();
    let mut text = String::new();
    match format {
        Format::Hledger => {
            let _ = writeln!(text, "{today} Balances and open holds at the time of the export");
            let _ = writeln!(text, "    escrow  0.00 CREDITS = {escrow} CREDITS");
            let _ = writeln!(text, "    adjustments  0.00 CREDITS = 0.00 CREDITS");
            for (user, balance) in balances {
                let _ = writeln!(text, "    {}  0.00 CREDITS = {balance} CREDITS", account(format, *user));
            }
        }
        Format::Beancount => {
            // A beancount balance holds at the beginning of its day.
            let tomorrow = today.succ_opt().unwrap_or(today);
            let _ = writeln!(text, "{tomorrow} balance Liabilities:Escrow  {escrow} CREDITS");
            for (user, balance) in balances {
                let _ = writeln!(text, "{tomorrow} balance {}  {balance} CREDITS", account(format, *user));
            }
        }
    }
    text
}
