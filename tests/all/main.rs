//! The tests of the server, as one program: it links once. Real PostgreSQL, real agents over HTTP, one process.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod docs;
mod hiring;
mod house;
mod pages;
mod payments;
mod site;
mod test_app;
