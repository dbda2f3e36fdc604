//! Requests of programs: those that happen once though they are sent twice, how often one may ask, and what processes tell one
//! another about those that take a while.

mod idempotency;
mod rates;
mod signals;
mod store;

pub use idempotency::{Claim, IdempotencyKey, claim, forget_old, keep};
pub use rates::{Lease, forget_full_buckets, give_back, lease};
pub use signals::{SIGNALS, signal};
