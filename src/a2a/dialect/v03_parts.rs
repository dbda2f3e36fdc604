//! The parts of A2A 0.3, in both of its forms: `{"kind": "file", "file": {"bytes": …}}` and
//! `{"file": {"fileWithBytes": …}}`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::read::{self, bytes_of, named, raw_part, string, unknown_part, with_metadata};
use super::v1;

/// 0.3 has objects as data only. The official SDKs mark other values, wrapped, with this member of the metadata.
const WRAPPED: &str = "data_part_compat";

/// A part for JSON-RPC.
pub(super) fn to_json(part: &Value) -> Value {
    let file = |key: &str, value: &Value| {
        let mut file = json!({});
        file[key] = value.clone();
        json!({ "kind": "file", "file": with_name(file, part) })
    };
    let made = if let Some(text) = part.get("text") {
        json!({ "kind": "text", "text": text })
    } else if let Some(raw) = part.get("raw") {
        file("bytes", raw)
    } else if let Some(url) = part.get("url") {
        file("uri", url)
    } else {
        return data(part, |object| json!({ "kind": "data", "data": object }));
    };
    with_metadata(made, part)
}

/// A part for REST. To the official Python SDK, which most of these agents are built on, the field of bytes holds base64
/// text, so that on the wire it is encoded twice; the JavaScript SDK reads it once, and its agents get the text.
pub(super) fn to_proto(part: &Value) -> Value {
    let made = if let Some(text) = part.get("text") {
        json!({ "text": text })
    } else if let Some(raw) = part.get("raw").and_then(Value::as_str) {
        json!({ "file": with_name(json!({ "fileWithBytes": STANDARD.encode(raw) }), part) })
    } else if let Some(url) = part.get("url") {
        json!({ "file": with_name(json!({ "fileWithUri": url }), part) })
    } else {
        return data(part, |object| json!({ "data": { "data": object } }));
    };
    with_metadata(made, part)
}

fn data(part: &Value, write: impl Fn(Value) -> Value) -> Value {
    let value = part.get("data").cloned().unwrap_or(Value::Null);
    if value.is_object() {
        return with_metadata(write(value), part);
    }
    let mut made = with_metadata(write(json!({ "value": value })), part);
    made["metadata"][WRAPPED] = json!(true);
    made
}

fn with_name(mut file: Value, part: &Value) -> Value {
    if let Some(name) = part.get("filename") {
        file["name"] = name.clone();
    }
    if let Some(kind) = part.get("mediaType") {
        file["mimeType"] = kind.clone();
    }
    file
}

/// Reads a part of either form.
pub(super) fn part(part: &Value) -> Value {
    let kind = part.get("kind").or_else(|| part.get("type")).and_then(Value::as_str);
    let made = match kind {
        Some("text") => part.get("text").filter(|t| t.is_string()).map(|t| json!({ "text": t })),
        Some("data") => part.get("data").map(|d| json!({ "data": d })),
        Some("file") => part.get("file").and_then(file),
        Some(_) => None,
        None if part.get("file").is_some() => part.get("file").and_then(file),
        // The protocol buffers' DataPart is an object with one member.
        None => match part.pointer("/data/data") {
            Some(inner) => Some(json!({ "data": inner })),
            None => return v1::part(part),
        },
    };
    let Some(mut made) = made else { return unknown_part(part) };
    let mut metadata = part.get("metadata").cloned().unwrap_or(Value::Null);
    let mark = metadata.as_object_mut().and_then(|m| m.remove(WRAPPED));
    if mark == Some(json!(true))
        && let Some(inner) = made.pointer("/data/value")
    {
        made = json!({ "data": inner });
    }
    with_metadata(made, &json!({ "metadata": metadata }))
}

fn file(file: &Value) -> Option<Value> {
    let (name, kind) = (string(file, "name"), string(file, "mimeType").or_else(|| string(file, "mediaType")));
    if let Some(bytes) = string(file, "bytes") {
        return raw_part(&bytes, name, kind);
    }
    if let Some(bytes) = string(file, "fileWithBytes") {
        return raw_part(&twice(&bytes).unwrap_or(bytes), name, kind);
    }
    let url = string(file, "uri").or_else(|| string(file, "fileWithUri")).or_else(|| string(file, "url"))?;
    Some(named(json!({ "url": url }), name, kind))
}

/// The base64 within base64, where that is what it is.
fn twice(outer: &str) -> Option<String> {
    let inner = String::from_utf8(read::bytes_of(outer)?).ok()?;
    (!inner.is_empty() && inner.len().is_multiple_of(4) && bytes_of(&inner).is_some()).then_some(inner)
}
