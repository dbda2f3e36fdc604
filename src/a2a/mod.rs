//! Our side of A2A: reading agents' cards and calling agents. Everything behind `dialect` is A2A 1.0 JSON, whatever
//! the agent speaks.

mod assembly;
mod call_error;
pub mod card;
mod client;
mod dialect;
mod file;
pub mod push;
pub mod reply;
mod sse;
mod target;
pub mod test_call;
mod updates;

pub use call_error::CallError;
pub use client::{AgentClient, Outgoing};
pub use dialect::parts;
pub use file::FetchedFile;
pub use push::Push;
pub use reply::{Ask, Reply, Working};
pub use target::{Protocol, Target};
pub use updates::{Step, Updates};
