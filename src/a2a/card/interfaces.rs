//! Which interface of a card to call: cards of A2A 1.0 and 0.3, and older ones that have no more than an address.

use domain::agents::SigningSecrets;
use serde_json::Value;
use url::Url;

use super::super::target::{Protocol, Target};

/// An interface that we can call.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Interface {
    pub(super) url: String,
    pub(super) protocol: Protocol,
    pub(super) tenant: Option<String>,
}

/// The interfaces of a card that we can call, the one to prefer first: the newest version, and within it JSON-RPC.
pub(super) fn interfaces(card: &Value) -> Vec<Interface> {
    let mut found: Vec<Interface> = items(card, "supportedInterfaces").filter_map(supported).collect();
    let text = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).map(str::to_owned);
    if let Some(url) = text(card, "url") {
        let transport = text(card, "preferredTransport");
        let old = transport.is_none() && card.get("additionalInterfaces").is_none() && says_no_version(card);
        let protocol = if old { Some(Protocol::Plain) } else { v03(transport.as_deref().unwrap_or("JSONRPC")) };
        found.extend(protocol.map(|protocol| Interface { url, protocol, tenant: None }));
        found.extend(items(card, "additionalInterfaces").filter_map(|i| {
            let protocol = v03(&text(i, "transport")?)?;
            Some(Interface { url: text(i, "url")?, protocol, tenant: None })
        }));
    }
    // Stable: within one protocol the card's own order counts.
    found.sort_by_key(|i| Protocol::ALL.iter().position(|p| *p == i.protocol));
    found.dedup();
    found
}

/// Cards before 0.2.6 name no version. Those of A2A had modes from the first day on; what has not, or lists its
/// schemes the way drafts did, is older.
fn says_no_version(card: &Value) -> bool {
    card.get("protocolVersion").is_none()
        && (card.get("defaultInputModes").is_none() || card.pointer("/authentication/schemes").is_some())
}

fn items<'a>(card: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    card.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default().iter()
}

/// An entry of `supportedInterfaces`.
fn supported(entry: &Value) -> Option<Interface> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let version = text("protocolVersion").unwrap_or("1.0");
    let binding = text("protocolBinding")?.to_ascii_uppercase();
    let protocol = match (version.split('.').next(), binding.as_str()) {
        (Some("1"), "JSONRPC") => Protocol::V1JsonRpc,
        (Some("1"), "HTTP+JSON") => Protocol::V1Rest,
        (Some("0"), _) => v03(&binding)?,
        _ => return None,
    };
    let tenant = text("tenant").filter(|t| !t.is_empty()).map(str::to_owned);
    Some(Interface { url: text("url")?.to_owned(), protocol, tenant })
}

fn v03(transport: &str) -> Option<Protocol> {
    match transport.to_ascii_uppercase().as_str() {
        "JSONRPC" => Some(Protocol::V03JsonRpc),
        "HTTP+JSON" => Some(Protocol::V03Rest),
        _ => None,
    }
}

/// Why nothing of a card can be called, in one sentence.
pub(super) fn why_none(card: &Value) -> String {
    let names = |key: &str, what: &str| -> Vec<String> {
        items(card, key).filter_map(|i| i.get(what)?.as_str()).map(str::to_owned).collect()
    };
    let mut offered = names("supportedInterfaces", "protocolBinding");
    offered.extend(card.get("preferredTransport").and_then(Value::as_str).map(str::to_owned));
    offered.extend(names("additionalInterfaces", "transport"));
    offered.dedup();
    let offered: Vec<String> = offered.iter().map(|o| o.chars().take(40).collect()).collect();
    if offered.is_empty() {
        return "the card names no address at which the agent can be called".into();
    }
    if offered.iter().all(|o| o.eq_ignore_ascii_case("GRPC")) {
        return "the card offers gRPC alone; NEXUS calls agents over JSON-RPC or REST (HTTP+JSON)".into();
    }
    format!(
        "the card offers {}; NEXUS calls agents over JSON-RPC or REST (HTTP+JSON) of A2A 1.x or 0.3",
        offered.join(", ")
    )
}

/// The interface that the card names at `endpoint`, the best where it names several.
fn named(endpoint: &str, card: &Value) -> Option<Interface> {
    let same = |url: &str| url.trim_end_matches('/') == endpoint.trim_end_matches('/');
    interfaces(card).into_iter().find(|i| same(&i.url))
}

/// The dialects that an agent may speak, likeliest first. One alone where its card says so.
pub(in crate::a2a) fn candidates(endpoint: &str, card: &Value) -> Vec<Protocol> {
    let told = named(endpoint, card).or_else(|| interfaces(card).into_iter().next()).map(|i| i.protocol);
    let sure = named(endpoint, card).is_some() && told != Some(Protocol::Plain);
    if let (Some(told), true) = (told, sure) {
        return vec![told];
    }
    // JSON-RPC is likelier than REST. To REST of 1.0 the prefix of 0.3 is a tenant, so 1.0 is asked first.
    let usual =
        [Protocol::V1JsonRpc, Protocol::V03JsonRpc, Protocol::V1Rest, Protocol::V03Rest, Protocol::Plain].into_iter();
    told.into_iter().chain(usual.filter(|p| Some(*p) != told)).collect()
}

/// Whom to call for a listing. `protocol` is what an earlier test call found out, and wins; else the card's interface
/// of that address decides, else its best, else it is A2A 1.0 over JSON-RPC.
///
/// # Errors
/// One sentence, when the endpoint is no URL.
pub fn target(
    endpoint: &str,
    card: &Value,
    protocol: Option<&str>,
    secrets: &SigningSecrets,
) -> Result<Target, String> {
    let url = Url::parse(endpoint).map_err(|_| "the agent's address is not a URL".to_owned())?;
    let all = interfaces(card);
    let same = |i: &&Interface| i.url.trim_end_matches('/') == endpoint.trim_end_matches('/');
    let found = protocol.and_then(Protocol::parse);
    let protocol = found
        .or_else(|| all.iter().find(same).map(|i| i.protocol))
        .or_else(|| all.first().map(|i| i.protocol))
        .unwrap_or(Protocol::V1JsonRpc);
    let tenant = all.iter().filter(|i| i.protocol == protocol).find(same).and_then(|i| i.tenant.clone());
    let can = |what: &str| {
        protocol != Protocol::Plain
            && card.get("capabilities").and_then(|c| c.get(what)).and_then(Value::as_bool).unwrap_or(false)
    };
    Ok(Target {
        endpoint: url,
        protocol,
        tenant,
        streaming: can("streaming"),
        push: can("pushNotifications"),
        secrets: secrets.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn best(card: Value) -> Option<(String, &'static str)> {
        interfaces(&card).into_iter().next().map(|i| (i.url, i.protocol.as_str()))
    }

    #[test]
    fn the_best_interface_of_every_kind_of_card() {
        let entry = |binding: &str, version: &str, url: &str| json!({"url": url, "protocolBinding": binding, "protocolVersion": version});
        for (interfaces, expected) in [
            (json!([entry("HTTP+JSON", "1.0", "r"), entry("JSONRPC", "1.0", "j")]), Some(("j", "1.0 JSONRPC"))),
            (json!([entry("GRPC", "1.0", "g"), entry("HTTP+JSON", "1.0", "r")]), Some(("r", "1.0 HTTP+JSON"))),
            (json!([entry("JSONRPC", "0.3", "o"), entry("HTTP+JSON", "1.0", "r")]), Some(("r", "1.0 HTTP+JSON"))),
            (json!([entry("JSONRPC", "0.3.0", "o")]), Some(("o", "0.3 JSONRPC"))),
            (json!([entry("JSONRPC", "2.0", "n")]), None),
            (json!([entry("GRPC", "1.0", "g")]), None),
        ] {
            let expected = expected.map(|(u, p)| (u.to_owned(), p));
            assert_eq!(best(json!({"name": "x", "supportedInterfaces": interfaces})), expected, "{interfaces}");
        }
        let old = |more: Value| {
            let mut card = json!({"name": "x", "url": "u", "defaultInputModes": ["text"]});
            card.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            best(card).map(|(_, p)| p)
        };
        assert_eq!(old(json!({"protocolVersion": "0.3.0"})), Some("0.3 JSONRPC"));
        assert_eq!(old(json!({"protocolVersion": "0.2.5"})), Some("0.3 JSONRPC"));
        assert_eq!(old(json!({})), Some("0.3 JSONRPC"));
        assert_eq!(old(json!({"protocolVersion": "0.3.0", "preferredTransport": "HTTP+JSON"})), Some("0.3 HTTP+JSON"));
        let more = json!([{"url": "r", "transport": "HTTP+JSON"}, {"url": "g", "transport": "GRPC"}]);
        let grpc = json!({"protocolVersion": "0.3.0", "preferredTransport": "GRPC", "additionalInterfaces": more});
        assert_eq!(old(grpc), Some("0.3 HTTP+JSON"));
        assert_eq!(old(json!({"authentication": {"schemes": ["none"]}})), Some("plain"));
        assert_eq!(best(json!({"name": "x", "url": "u"})), Some(("u".into(), "plain")));
        assert_eq!(best(json!({"name": "x"})), None);
    }

    #[test]
    fn why_a_card_is_of_no_use_is_said() {
        let of = |interfaces: Value| why_none(&json!({"supportedInterfaces": interfaces}));
        assert!(of(json!([{"url": "g", "protocolBinding": "GRPC", "protocolVersion": "1.0"}])).contains("gRPC alone"));
        assert!(of(json!([{"url": "s", "protocolBinding": "SMTP", "protocolVersion": "1.0"}])).contains("offers SMTP"));
        assert!(of(json!([])).contains("no address"));
    }

    #[test]
    fn the_listing_s_address_and_a_test_decide() {
        let card = json!({"name": "x", "capabilities": {"streaming": true, "pushNotifications": true},
            "supportedInterfaces": [
                {"url": "https://x.example/rpc", "protocolBinding": "JSONRPC", "protocolVersion": "1.0", "tenant": "t1"},
                {"url": "https://x.example/rest", "protocolBinding": "HTTP+JSON", "protocolVersion": "1.0"}]});
        let none = SigningSecrets(vec![]);
        let of = |endpoint: &str, found: Option<&str>| target(endpoint, &card, found, &none).unwrap();
        let rpc = of("https://x.example/rpc/", None);
        assert_eq!((rpc.protocol, rpc.tenant.as_deref()), (Protocol::V1JsonRpc, Some("t1")));
        assert!(rpc.streaming && rpc.push);
        let rest = of("https://x.example/rest", None);
        assert_eq!((rest.protocol, rest.tenant), (Protocol::V1Rest, None));
        let plain = of("https://x.example/rpc", Some("plain"));
        assert_eq!((plain.protocol, plain.streaming, plain.push, plain.tenant), (Protocol::Plain, false, false, None));
        assert_eq!(target("https://x.example/", &Value::Null, None, &none).unwrap().protocol, Protocol::V1JsonRpc);
        assert_eq!(candidates("https://x.example/rest", &card), [Protocol::V1Rest]);
        assert_eq!(candidates("https://elsewhere.example/", &Value::Null).len(), 5);
        assert_eq!(candidates("u", &json!({"name": "x", "url": "u"}))[..2], [Protocol::Plain, Protocol::V1JsonRpc]);
    }
}
