//! The tests of the server, as one program: it links once. Real PostgreSQL, real agents over HTTP, one process.
#![expect(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod a2a_client;
mod api;
mod api_snapshot;
mod called_off;
mod chaos;
mod client;
mod conversations;
mod credits;
mod docs;
mod faults;
mod gateway;
mod hired_sdks;
mod hiring;
mod house;
mod interop;
mod judging;
mod keys_pages;
mod liveness;
mod mail;
mod mcp;
mod monitoring;
mod oauth;
mod outbound;
mod pages;
mod payments;
mod provider;
mod reviews;
mod scripted_agent;
mod site;
mod test_app;
mod topups;
mod webhooks;
mod webhooks_out;
