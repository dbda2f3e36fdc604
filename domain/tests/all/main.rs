//! The tests of the economy on real databases, as one program: it links once.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod accounts;
mod ledger;
mod money;
mod policies;
mod schema;
mod stress;
mod support;
mod task_life;
