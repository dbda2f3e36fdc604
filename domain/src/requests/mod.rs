//! Requests of programs: those that happen once though they are sent twice, and how often one may ask.

mod idempotency;
mod rates;
mod store;

pub use idempotency::{Claim, IdempotencyKey, claim, forget_old, keep};
pub use rates::{Lease, forget_full_buckets, give_back, lease};
