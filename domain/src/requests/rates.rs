//! How often one may ask: token buckets that all processes share, spent by the lease.

use super::store;
use crate::{Db, Result};

/// Tokens that a process may spend without asking again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lease {
    /// How many; 0 when there are fewer than the least that was asked for.
    pub granted: f64,
    /// How many the bucket still has.
    pub remaining: f64,
}

/// Leases tokens from the bucket of `subject`, which holds `capacity` and fills evenly in a minute: at least `least` or none,
/// at most `want` and an eighth of what is there.
///
/// # Errors
/// When the database does not answer.
pub async fn lease(db: &Db, subject: &str, capacity: f64, least: f64, want: f64) -> Result<Lease> {
    store::lease_tokens(db.pool(), subject, capacity, least, want).await
}

/// Gives back what was leased and not spent.
///
/// # Errors
/// When the database does not answer.
pub async fn give_back(db: &Db, unspent: &[(String, f64)]) -> Result<()> {
    if unspent.is_empty() {
        return Ok(());
    }
    store::return_tokens(db.pool(), unspent).await
}

/// Forgets buckets that have been full for a while; answers with how many.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_full_buckets(db: &Db) -> Result<u64> {
    store::forget_full_buckets(db.pool()).await
}
