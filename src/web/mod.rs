//! The site over HTTP: sessions, pages, forms, streams. Translates in and out; the rules are in `domain`.

pub mod account_forms;
pub mod agent_forms;
pub mod client_address;
pub mod connection_forms;
pub mod event_stream;
pub mod failure;
pub mod headers;
pub mod health;
pub mod hire_form;
pub mod judge_forms;
pub mod key_forms;
pub mod ledger_csv;
pub mod limit_forms;
pub mod live;
pub mod page;
pub mod purchase_forms;
pub mod push;
pub mod review_forms;
pub mod same_origin;
pub mod session;
pub mod task_forms;
pub mod topup_forms;
pub mod visit;
pub mod webhook_forms;
