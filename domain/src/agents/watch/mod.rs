//! Agents that are watched: by probes of ours, by heartbeats of theirs, and by how calls to them go.
//!
//! | rule | where |
//! |---|---|
//! | what the signals say of an agent | [`liveness::judge`] |
//! | a changed status, its incident and the mail are one transaction | `observe` |
//! | a probe is made by one process | [`due_probes`] |
//! | a heartbeat is signed, recent, and newer than the last one | [`authenticate_beat`], [`beat`] |
//! | uptime counts what was seen, and nothing else | [`uptime`] |
//! | an owner proves that the address is theirs | [`proof`] |
//! | the watch begins and ends with the listing | the trigger `watch_what_is_listed` |

mod heartbeat;
pub mod liveness;
mod observe;
mod probe;
pub mod proof;
mod report;
mod store;
pub mod uptime;

pub use heartbeat::{Beat, BeatHeaders, Beaten, authenticate_beat, beat, beat_of_owner};
pub use probe::{Probe, due_probes, probe_now, record_probe};
pub use report::{Incident, Report, Watch, report};
pub(in crate::agents) use store::incident;
pub use uptime::forget_old_uptime;
