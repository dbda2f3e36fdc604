//! Which revision a request speaks, and what that revision asks of it (specification, "Versioning and Compatibility" and
//! "Request Metadata").

use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::rpc::{HEADER_MISMATCH, RpcError, UNSUPPORTED_VERSION};

/// The revision without a handshake.
pub const MODERN: &str = "2026-07-28";
/// Revisions that begin with `initialize`, newest first.
pub const LEGACY: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
/// What is assumed where a request says nothing (2025-11-25, "Protocol Version Header").
const ASSUMED: &str = "2025-03-26";

/// Where a modern request says its revision.
pub const VERSION_META: &str = "io.modelcontextprotocol/protocolVersion";
/// Where it says what its client can do.
const CAPABILITIES_META: &str = "io.modelcontextprotocol/clientCapabilities";
/// The header with the revision.
pub const VERSION_HEADER: &str = "mcp-protocol-version";
/// The header that clients of the old revisions send back.
pub const SESSION_HEADER: &str = "mcp-session-id";

/// The revision of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Era {
    /// 2026-07-28.
    Modern {
        /// Whether the client can ask its person with a form.
        elicits: bool,
    },
    /// 2025-11-25 or before.
    Legacy {
        /// Which.
        version: &'static str,
        /// What `initialize` gave out, where the client sends it back.
        session: Option<Session>,
    },
}

/// What `initialize` gives out and nobody keeps: it tells one client from another that has the same key and the same request
/// ids, and says what the client said of itself. Who makes one up deceives themselves alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// As it is sent.
    pub id: String,
    /// Whether the client can ask its person with a form.
    pub elicits: bool,
}

impl Session {
    /// A new one.
    pub fn new(elicits: bool) -> Session {
        Session { id: format!("{}-{}", Uuid::new_v4().simple(), if elicits { "e" } else { "n" }), elicits }
    }

    fn read(sent: &str) -> Option<Session> {
        let (id, kind) = sent.split_once('-')?;
        let known = Uuid::try_parse(id).is_ok() && matches!(kind, "e" | "n");
        known.then(|| Session { id: sent.to_owned(), elicits: kind == "e" })
    }
}

/// Whether a client's capabilities have forms for its person; an empty `elicitation` means that too.
pub fn elicits(capabilities: &Value) -> bool {
    capabilities.get("elicitation").and_then(Value::as_object).is_some_and(|e| e.is_empty() || e.contains_key("form"))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim)
}

impl Era {
    /// The revision of a message, from its headers and `_meta`.
    ///
    /// # Errors
    /// What the revision asks for and is not there: [`HEADER_MISMATCH`], [`UNSUPPORTED_VERSION`], or wrong parameters; all 400.
    pub fn of(headers: &HeaderMap, method: &str, params: &Map<String, Value>) -> Result<Era, RpcError> {
        let header = text(headers, VERSION_HEADER);
        let meta = params.get("_meta").and_then(|m| m.get(VERSION_META));
        if let Some(version) = meta {
            return modern(headers, method, params, version);
        }
        let only_modern = matches!(method, "server/discover" | "subscriptions/listen");
        match header {
            Some(MODERN) => Err(missing(VERSION_META)),
            _ if only_modern => Err(missing(VERSION_META)),
            Some(sent) if method != "initialize" => match LEGACY.iter().find(|known| **known == sent) {
                Some(version) => Ok(Era::legacy(headers, version)),
                None => Err(unsupported(sent)),
            },
            // The handshake says its revision in the body.
            Some(_) | None => Ok(Era::legacy(headers, ASSUMED)),
        }
    }

    fn legacy(headers: &HeaderMap, version: &'static str) -> Era {
        Era::Legacy { version, session: text(headers, SESSION_HEADER).and_then(Session::read) }
    }

    /// Whether it is 2026-07-28.
    pub fn is_modern(&self) -> bool {
        matches!(self, Era::Modern { .. })
    }
}

fn modern(headers: &HeaderMap, method: &str, params: &Map<String, Value>, version: &Value) -> Result<Era, RpcError> {
    let Some(version) = version.as_str() else { return Err(missing(VERSION_META)) };
    same(headers, "MCP-Protocol-Version", version)?;
    if version != MODERN {
        return Err(unsupported(version));
    }
    same(headers, "Mcp-Method", method)?;
    let meta = params.get("_meta").and_then(Value::as_object);
    let capabilities = meta.and_then(|m| m.get(CAPABILITIES_META)).filter(|c| c.is_object());
    let Some(capabilities) = capabilities else { return Err(missing(CAPABILITIES_META)) };
    let named = match method {
        "tools/call" | "prompts/get" => params.get("name"),
        "resources/read" => params.get("uri"),
        _ => None,
    };
    if let Some(name) = named.and_then(Value::as_str) {
        same(headers, "Mcp-Name", name)?;
    }
    Ok(Era::Modern { elicits: elicits(capabilities) })
}

/// Refuses a header that does not say what the body does.
fn same(headers: &HeaderMap, name: &'static str, expected: &str) -> Result<(), RpcError> {
    let mismatch = |what: String| {
        let message = format!("Header mismatch: {what}");
        Err(RpcError::new(HEADER_MISMATCH, message).with_status(StatusCode::BAD_REQUEST))
    };
    let mut sent = headers.get_all(name).iter();
    match (sent.next(), sent.next()) {
        (None, _) => mismatch(format!("{name} is missing")),
        (Some(_), Some(_)) => mismatch(format!("{name} was sent twice")),
        (Some(value), None) => match value.to_str().ok().map(str::trim).and_then(decoded) {
            Some(value) if value == expected => Ok(()),
            Some(value) => mismatch(format!("{name} is '{value}' where the body says '{expected}'")),
            None => mismatch(format!("{name} cannot be read")),
        },
    }
}

/// The value of a header: plain, or `=?base64?…?=` (specification, "Value Encoding").
fn decoded(sent: &str) -> Option<String> {
    let Some(encoded) = sent.strip_prefix("=?base64?").and_then(|s| s.strip_suffix("?=")) else {
        return Some(sent.to_owned());
    };
    String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
}

/// A value as a header may carry it.
pub fn encoded(value: &str) -> String {
    let plain = value.bytes().all(|b| (0x20..=0x7e).contains(&b)) && value.trim() == value && !value.is_empty();
    if plain && !value.starts_with("=?base64?") {
        return value.to_owned();
    }
    format!("=?base64?{}?=", STANDARD.encode(value))
}

fn missing(what: &str) -> RpcError {
    RpcError::params(format!("params._meta[\"{what}\"] is missing")).with_status(StatusCode::BAD_REQUEST)
}

fn unsupported(requested: &str) -> RpcError {
    RpcError::new(UNSUPPORTED_VERSION, "Unsupported protocol version")
        .with_status(StatusCode::BAD_REQUEST)
        .with_data(json!({ "supported": supported(), "requested": requested }))
}

/// Every revision that is spoken here, newest first.
pub fn supported() -> Vec<&'static str> {
    std::iter::once(MODERN).chain(LEGACY).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_values_survive_their_encoding() {
        for value in ["delegate_task", "nexus://tasks/ä", " padded ", "=?base64?x?=", "a\nb", ""] {
            let sent = encoded(value);
            assert!(sent.bytes().all(|b| (0x20..=0x7e).contains(&b)), "{sent}");
            assert_eq!(decoded(&sent).as_deref(), Some(value));
        }
        assert_eq!(encoded("delegate_task"), "delegate_task");
        assert_eq!(decoded("=?base64?SGVsbG8?="), None, "without its padding");
        assert_eq!(decoded("=?base64?SGVsbG8"), Some("=?base64?SGVsbG8".into()), "not the whole mark");
    }

    #[test]
    fn a_session_says_what_its_client_can_do() {
        for elicits in [true, false] {
            let session = Session::new(elicits);
            assert_eq!(Session::read(&session.id), Some(session.clone()));
        }
        for foreign in ["", "x", "x-e", "e", &format!("{}-x", Uuid::nil().simple())] {
            assert_eq!(Session::read(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn forms_are_for_clients_that_have_them() {
        assert!(elicits(&json!({"elicitation": {}})));
        assert!(elicits(&json!({"elicitation": {"form": {}, "url": {}}})));
        assert!(!elicits(&json!({"elicitation": {"url": {}}})));
        assert!(!elicits(&json!({"sampling": {}})));
    }
}
