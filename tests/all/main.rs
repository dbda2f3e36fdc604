//! The tests of the server, as one program: it links once. Real PostgreSQL, real agents over HTTP, one process.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod credits;
mod docs;
mod faults;
mod hiring;
mod house;
mod mail;
mod monitoring;
mod pages;
mod payments;
mod provider;
mod site;
mod test_app;
mod topups;
mod webhooks;
