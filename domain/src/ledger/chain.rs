//! The fingerprint of a ledger row: SHA-256 over the one before it and over everything that the row says.
//!
//! The database computes the same (`ledger.entry_hash`); a test holds the two against each other, and the audit
//! recomputes all of them.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::{Credits, UserId};

/// What a row says.
pub(super) struct Content<'a> {
    pub user: UserId,
    pub position: i64,
    pub kind: &'a str,
    pub amount: Credits,
    pub balance_after: Credits,
    pub created_at: DateTime<Utc>,
    pub reference: Option<&'a str>,
    pub description: &'a str,
    /// As PostgreSQL writes a jsonb.
    pub metadata: &'a str,
}

/// The hash of a row that follows one with the hash `previous` (empty: it is the account's first).
pub(super) fn hash(previous: &[u8], c: &Content<'_>) -> [u8; 32] {
    let mut text = String::with_capacity(320);
    let _ = write!(text, "{}|{}|{}|", c.user, c.position, c.kind);
    write_amount(&mut text, c.amount);
    write_amount(&mut text, c.balance_after);
    let _ = write!(
        text,
        "{}|{}|{}|{}|{}|{}",
        c.created_at.timestamp_micros(),
        c.reference.map_or(-1, |r| i64::try_from(r.len()).unwrap_or(i64::MAX)),
        c.reference.unwrap_or_default(),
        c.description.len(),
        c.description,
        c.metadata
    );
    Sha256::new().chain_update(previous).chain_update(text.as_bytes()).finalize().into()
}

/// As PostgreSQL writes a `numeric(12,2)`.
fn write_amount(text: &mut String, amount: Credits) {
    let cents = amount.cents();
    let sign = if cents < 0 { "-" } else { "" };
    let _ = write!(text, "{sign}{}.{:02}|", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
}
