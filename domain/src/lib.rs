//! The NEXUS economy: every rule and all SQL.
//!
//! This crate knows no HTTP, no Leptos, no Stripe and no environment. Each noun is a module; a module may use
//! only the ones to its left: `accounts, api_keys, webhooks, ledger, trust, agents, tasks, routes, workflows`. Wires (pages, REST,
//! the worker, the command line) translate in and out and call one operation here.
#![warn(missing_docs)]

pub mod accounts;
pub mod agents;
pub mod api_keys;
pub mod ledger;
pub mod requests;
pub mod routes;
pub mod sandbox;
pub mod tasks;
pub mod trust;
pub mod webhooks;

mod actor;
mod credits;
mod cursor;
mod db;
mod error;
pub mod fault;
mod ids;
mod signing;

pub use actor::Actor;
pub use credits::{Credits, CreditsError};
pub use cursor::{Cursor, Page};
pub use db::{Db, Joint, MIGRATOR, Tx};
pub use error::{Error, FieldError, Missing, Result};
pub use ids::{AgentId, ClientId, DeliveryId, KeyId, PurchaseId, SessionHandle, TaskId, UserId, WebhookId};
pub use signing::SigningSecrets;
