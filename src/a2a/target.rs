//! Whom to call, and in which dialect.

use domain::agents::SigningSecrets;
use url::Url;

/// How an agent is spoken to: a version of A2A with a binding, or the dialect of agents older than both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// A2A 1.0 over JSON-RPC.
    V1JsonRpc,
    /// A2A 1.0 over REST.
    V1Rest,
    /// A2A 0.3 over JSON-RPC.
    V03JsonRpc,
    /// A2A 0.3 over REST.
    V03Rest,
    /// JSON-RPC `message/send` with parts of `type` and `data`, as agents spoke before 0.3.
    Plain,
}

impl Protocol {
    /// Every dialect, the one to prefer first.
    pub const ALL: [Protocol; 5] =
        [Protocol::V1JsonRpc, Protocol::V1Rest, Protocol::V03JsonRpc, Protocol::V03Rest, Protocol::Plain];

    /// What it is kept and shown as.
    pub fn as_str(self) -> &'static str {
        match self {
            Protocol::V1JsonRpc => "1.0 JSONRPC",
            Protocol::V1Rest => "1.0 HTTP+JSON",
            Protocol::V03JsonRpc => "0.3 JSONRPC",
            Protocol::V03Rest => "0.3 HTTP+JSON",
            Protocol::Plain => "plain",
        }
    }

    /// Reads [`Protocol::as_str`].
    pub fn parse(text: &str) -> Option<Protocol> {
        Protocol::ALL.into_iter().find(|p| p.as_str() == text)
    }

    pub(super) fn is_rest(self) -> bool {
        matches!(self, Protocol::V1Rest | Protocol::V03Rest)
    }
}

/// Whom to call, and what to sign with.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where the interface is: the address that JSON-RPC is posted to, or what REST paths are appended to.
    pub endpoint: Url,
    /// The dialect.
    pub protocol: Protocol,
    /// What the card asks clients to repeat.
    pub tenant: Option<String>,
    /// Whether the card says that the agent streams.
    pub streaming: bool,
    /// Whether the card says that the agent tells of changes by itself.
    pub push: bool,
    /// The agent's secrets.
    pub secrets: SigningSecrets,
}
