//! The ledger as its account sees it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::store;
use crate::{Actor, Credits, Cursor, Db, Error, Page, Result};

/// What kind of movement a row is (`credit_transactions.type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// The welcome grant.
    InitialGrant,
    /// Bought credits.
    Purchase,
    /// A hold for a task.
    TaskDebit,
    /// Earned by a task.
    TaskCredit,
    /// The platform's share.
    PlatformFee,
    /// A hold that came back.
    Refund,
}

impl EntryKind {
    /// All kinds, in the order a filter shows them.
    pub const ALL: [EntryKind; 6] = [
        EntryKind::TaskDebit,
        EntryKind::TaskCredit,
        EntryKind::PlatformFee,
        EntryKind::Refund,
        EntryKind::Purchase,
        EntryKind::InitialGrant,
    ];

    /// The database's word.
    pub fn as_str(self) -> &'static str {
        match self {
            EntryKind::InitialGrant => "initial_grant",
            EntryKind::Purchase => "purchase",
            EntryKind::TaskDebit => "task_debit",
            EntryKind::TaskCredit => "task_credit",
            EntryKind::PlatformFee => "platform_fee",
            EntryKind::Refund => "refund",
        }
    }

    /// A word for people.
    pub fn label(self) -> &'static str {
        match self {
            EntryKind::InitialGrant => "Welcome grant",
            EntryKind::Purchase => "Purchase",
            EntryKind::TaskDebit => "Task",
            EntryKind::TaskCredit => "Earning",
            EntryKind::PlatformFee => "Platform fee",
            EntryKind::Refund => "Refund",
        }
    }

    /// The kind of a word of the database.
    pub fn parse(text: &str) -> Option<EntryKind> {
        EntryKind::ALL.into_iter().find(|k| k.as_str() == text)
    }
}

/// One ledger row.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The row.
    pub id: Uuid,
    /// Its number in the account's chain, from 1.
    pub position: i64,
    /// What kind of movement.
    pub kind: EntryKind,
    /// Signed: negative for debits.
    pub amount: Credits,
    /// The balance right after it.
    pub balance_after: Credits,
    /// What caused it: a task's id or a checkout session's.
    pub reference_id: Option<String>,
    /// For people.
    pub description: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Which rows.
#[derive(Clone, Debug, Default)]
pub struct EntryFilter {
    /// Only this kind.
    pub kind: Option<EntryKind>,
    /// After this one.
    pub after: Option<Cursor>,
}

/// The actor's ledger rows, newest first.
///
/// # Errors
/// [`Error::Unauthorized`]; [`Error::Validation`] for a cursor of another list.
pub async fn entries(db: &Db, actor: &Actor, filter: &EntryFilter, limit: usize) -> Result<Page<Entry>> {
    let user = actor.user()?;
    let after = match &filter.after {
        Some(cursor) => {
            Some(cursor.key.parse::<i64>().map_err(|_| Error::field("cursor", "is not one that this list gave out"))?)
        }
        None => None,
    };
    let mut tx = db.begin(actor).await?;
    let rows = store::entries(&mut tx, user, filter.kind, after, limit + 1).await?;
    Ok(Page::cut(rows, limit, |e| Cursor { key: e.position.to_string(), id: e.id }))
}
