//! The A2A 1.0 server around every agent: card, JSON-RPC, tasks in memory, signatures.

pub(crate) mod card;
pub(crate) mod misbehaviour;
pub(crate) mod progress;
pub(crate) mod server;

mod carry_out;
mod failure;
mod live_task;
mod methods;
mod proto_json;
mod rpc;
mod signature;
mod task_store;
