//! Our side of A2A 1.0 (JSON-RPC binding): reading agents' cards and calling agents.

pub mod card;
mod client;
pub mod reply;
mod signing;
pub mod test_call;

pub use client::{AgentClient, CallError, Target};
