//! Agents to hire: five real A2A 1.0 servers that need no key and no model, and `echo`, which tests steer.
//!
//! Each agent is a folder here: `mod.rs` says what it offers, the other files do the work. `protocol` is the
//! A2A server around all of them. An agent is a pure function from a message to artifacts, so everything about
//! HTTP, JSON-RPC, tasks and signatures stands in one place.
//!
//! The rules that every agent keeps:
//!
//! - Input is a `data` part (a JSON object that follows the skill's input schema). Text parts fill the main
//!   field when no `data` part does; files are read as text where the skill's input modes say so.
//! - The skill is `message.metadata.skillId`, else the agent's first.
//! - Input that breaks the schema ends `TASK_STATE_REJECTED`; input that keeps it and still cannot be worked on
//!   ends `TASK_STATE_FAILED`. Both say which field and what to do. Neither panics.
//! - A skill's output schema is an object with one property per artifact, under the artifact's name.
#![warn(missing_docs)]

mod agent;
mod artifact;
mod csv_profiler;
mod echo;
mod input;
mod language_detector;
mod numbers;
mod project_forecaster;
mod protocol;
mod qr_maker;
mod roster;
mod schema;
mod summariser;

use std::collections::HashMap;

pub use agent::{DemoAgent, Sample};

/// The agents to list in a marketplace, the featured ones among them marked. `echo` is not one of them.
pub fn all() -> &'static [DemoAgent] {
    &roster::LISTED
}

/// The agent's A2A 1.0 card. `base` is the agent's own URL without a trailing slash,
/// `http://127.0.0.1:4567/summariser`. `None`: there is no such agent.
pub fn card(slug: &str, base: &str) -> Option<serde_json::Value> {
    protocol::card::value(roster::find(slug)?, base)
}

/// All agents (with `echo`), each under `/{slug}`; `origin` is where they are reached, `http://127.0.0.1:4567`.
///
/// `secrets` holds a signing secret (`whsec_…`) per slug: a caller whose Standard Webhooks signature does not
/// verify gets 401. A slug without one answers anybody; a secret that cannot be read answers nobody.
pub fn router(origin: &str, secrets: HashMap<String, String>) -> axum::Router {
    protocol::server::all(origin, secrets)
}

/// One agent alone at the root `/`, with the same rules as [`router`]. `None`: there is no such agent.
pub fn single(slug: &str, origin: &str, secret: Option<String>) -> Option<axum::Router> {
    Some(protocol::server::alone(roster::find(slug)?, origin, secret))
}
