//! The tests of the economy on real databases, as one program: it links once.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod accounts;
mod api_keys;
mod asking;
mod calling_off;
mod connections;
mod dispatch;
mod disputes;
mod ledger;
mod liveness;
mod money;
mod oauth;
mod policies;
mod routes;
mod schedules;
mod schema;
mod stress;
mod support;
mod task_life;
mod trust;
mod trust_before;
mod webhooks;
