//! Ways to break the protocol on purpose, so that whoever calls agents can be tested against broken ones.

use std::time::Duration;

/// What happens instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misbehaviour {
    /// Nothing is sent for this long; then the task is worked on as usual.
    Silence(Duration),
    /// JSON-RPC error -32603.
    InternalError,
    /// HTTP 500 with a body that is not JSON-RPC.
    ServerError,
}
