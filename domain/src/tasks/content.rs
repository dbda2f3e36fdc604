//! Messages and artifacts, as they are kept: the JSON of A2A 1.0 (specification section 4.1, Message, Part and
//! Artifact), so that what an agent sent is what is stored.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::{Map, Value, json};

/// Something said in a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The speaker's id for it.
    pub id: String,
    /// Whether the agent said it (else the requester did).
    pub from_agent: bool,
    /// What was said.
    pub parts: Vec<Part>,
}

/// Something that an agent made.
#[derive(Clone, Debug, PartialEq)]
pub struct Artifact {
    /// The agent's id for it.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it is.
    pub description: String,
    /// What it is made of.
    pub parts: Vec<Part>,
}

/// A piece of a message or artifact.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The content.
    pub body: PartBody,
    /// A file's name.
    pub filename: Option<String>,
    /// Its media type.
    pub media_type: Option<String>,
}

/// The content of a part: exactly one of four.
#[derive(Clone, Debug, PartialEq)]
pub enum PartBody {
    /// Plain text.
    Text(String),
    /// A JSON value.
    Data(Value),
    /// A file's bytes.
    Raw(Vec<u8>),
    /// Where a file is.
    Url(String),
}

impl Part {
    /// A text part.
    pub fn text(text: impl Into<String>) -> Part {
        Part { body: PartBody::Text(text.into()), filename: None, media_type: None }
    }

    /// A data part.
    pub fn data(value: Value) -> Part {
        Part { body: PartBody::Data(value), filename: None, media_type: Some("application/json".into()) }
    }

    /// A file part.
    pub fn file(bytes: Vec<u8>, filename: Option<String>, media_type: Option<String>) -> Part {
        Part { body: PartBody::Raw(bytes), filename, media_type }
    }

    /// Reads a part; `None` for what no version of the protocol calls one.
    pub fn from_json(value: &Value) -> Option<Part> {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let body = if let Some(t) = text("text") {
            PartBody::Text(t)
        } else if let Some(raw) = text("raw") {
            let compact = raw.trim();
            PartBody::Raw(STANDARD.decode(compact).or_else(|_| STANDARD_NO_PAD.decode(compact)).ok()?)
        } else if let Some(url) = text("url") {
            PartBody::Url(url)
        } else {
            PartBody::Data(value.get("data")?.clone())
        };
        Some(Part { body, filename: text("filename"), media_type: text("mediaType") })
    }

    /// Writes a part.
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        let (key, value) = match &self.body {
            PartBody::Text(t) => ("text", json!(t)),
            PartBody::Data(v) => ("data", v.clone()),
            PartBody::Raw(bytes) => ("raw", json!(STANDARD.encode(bytes))),
            PartBody::Url(u) => ("url", json!(u)),
        };
        out.insert(key.into(), value);
        if let Some(name) = &self.filename {
            out.insert("filename".into(), json!(name));
        }
        if let Some(kind) = &self.media_type {
            out.insert("mediaType".into(), json!(kind));
        }
        Value::Object(out)
    }
}

fn parts_of(value: &Value) -> Vec<Part> {
    value
        .get("parts")
        .and_then(Value::as_array)
        .map(|ps| ps.iter().filter_map(Part::from_json).collect())
        .unwrap_or_default()
}

fn string(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl Message {
    /// Reads a message.
    pub fn from_json(value: &Value) -> Message {
        Message {
            id: string(value, "messageId"),
            from_agent: value.get("role").and_then(Value::as_str) == Some("ROLE_AGENT"),
            parts: parts_of(value),
        }
    }

    /// All its text parts, one after the other.
    pub fn text(&self) -> String {
        text_of(&self.parts)
    }
}

impl Artifact {
    /// Reads an artifact.
    pub fn from_json(value: &Value) -> Artifact {
        Artifact {
            id: string(value, "artifactId"),
            name: string(value, "name"),
            description: string(value, "description"),
            parts: parts_of(value),
        }
    }
}

/// The text parts of `parts`, a blank line between them.
pub fn text_of(parts: &[Part]) -> String {
    let texts: Vec<&str> = parts
        .iter()
        .filter_map(|p| match &p.body {
            PartBody::Text(t) => Some(t.as_str()),
            PartBody::Data(_) | PartBody::Raw(_) | PartBody::Url(_) => None,
        })
        .collect();
    texts.join("\n\n")
}

/// The media type of the first part that an agent does not take (A2A 1.0, section 3.1.1), by the modes of its card. What names no
/// type, and agents whose cards name none, are not judged. Text and data are what every agent reads, whatever words its card has
/// for that.
pub fn not_taken<'a>(modes: &[String], parts: &'a [Part]) -> Option<&'a str> {
    if modes.is_empty() {
        return None;
    }
    parts.iter().find_map(|part| {
        let kind = part.media_type.as_deref()?;
        let essence = kind.split(';').next().unwrap_or_default().trim();
        let plain = match part.body {
            PartBody::Text(_) => essence == "text/plain",
            PartBody::Data(_) => essence == "application/json",
            PartBody::Raw(_) | PartBody::Url(_) => false,
        };
        (!plain && !modes.iter().any(|mode| covers(mode, essence))).then_some(kind)
    })
}

/// Whether a mode of a card (`image/png`, `image/*`, and the bare `text` of older cards) covers a media type.
fn covers(mode: &str, kind: &str) -> bool {
    let (mode, kind) = (mode.trim().to_ascii_lowercase(), kind.to_ascii_lowercase());
    let group = kind.split('/').next().unwrap_or_default();
    mode == "*/*" || mode == kind || mode == group || mode.strip_suffix("/*") == Some(group)
}

/// `tasks.output`: what a program wants of the result, `{"text": …, "data": …}` — all text of the artifacts (of the
/// agent's last message where there are none) and the first data part.
pub fn output_of(artifacts: &[Value], last_message: Option<&Value>) -> Value {
    let mut parts: Vec<Part> = artifacts.iter().flat_map(parts_of).collect();
    if parts.is_empty()
        && let Some(message) = last_message
    {
        parts = parts_of(message);
    }
    let mut out = Map::new();
    let text = text_of(&parts);
    if !text.is_empty() {
        out.insert("text".into(), json!(text));
    }
    if let Some(data) = parts.iter().find_map(|p| match &p.body {
        PartBody::Data(v) => Some(v.clone()),
        PartBody::Text(_) | PartBody::Raw(_) | PartBody::Url(_) => None,
    }) {
        out.insert("data".into(), data);
    }
    Value::Object(out)
}

/// How much an artifact holds: the bytes of its JSON's strings, for limits and to see whether it has grown.
pub fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum::<usize>() + items.len(),
        Value::Object(fields) => fields.iter().map(|(key, v)| key.len() + size(v)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
    }
}

/// Where artifacts only say the address of a file: the artifact, the part in it, and the address.
pub fn links(artifacts: &[Value]) -> Vec<(usize, usize, String)> {
    let mut found = Vec::new();
    for (a, artifact) in artifacts.iter().enumerate() {
        for (p, part) in artifact.get("parts").and_then(Value::as_array).into_iter().flatten().enumerate() {
            if let Some(url) = part.get("url").and_then(Value::as_str) {
                found.push((a, p, url.to_owned()));
            }
        }
    }
    found
}

/// Puts a file's bytes in place of its address. What the part said of its name and type stands; what it left out is filled in.
pub fn become_file(part: &mut Value, bytes: &[u8], filename: Option<String>, media_type: Option<String>) {
    let Some(fields) = part.as_object_mut() else { return };
    if let Some(url) = fields.remove("url") {
        let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert(FETCHED_FROM.into(), url);
        }
    }
    fields.insert("raw".into(), json!(STANDARD.encode(bytes)));
    for (key, value) in [("filename", filename), ("mediaType", media_type)] {
        if let Some(value) = value
            && !fields.contains_key(key)
        {
            fields.insert(key.into(), json!(value));
        }
    }
}

/// The member of a part's metadata that keeps the address which [`become_file`] took.
const FETCHED_FROM: &str = "urn:nexus:fetchedFrom";

/// Makes a part that [`become_file`] filled what the agent sent: the address again. Others stay as they are.
pub fn give_back_address(part: &mut Value) {
    let Some(fields) = part.as_object_mut() else { return };
    let Some(Value::Object(metadata)) = fields.get_mut("metadata") else { return };
    let Some(url) = metadata.remove(FETCHED_FROM) else { return };
    if metadata.is_empty() {
        fields.remove("metadata");
    }
    fields.remove("raw");
    fields.insert("url".into(), url);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_survive_the_database() {
        for part in [
            Part::text("hello"),
            Part::data(json!({"a": [1, 2]})),
            Part::file(vec![0, 255, 7], Some("x.png".into()), Some("image/png".into())),
            Part { body: PartBody::Url("https://x.example/f".into()), filename: None, media_type: None },
        ] {
            assert_eq!(Part::from_json(&part.to_json()), Some(part));
        }
        assert_eq!(Part::from_json(&json!({"kind": "unknown"})), None);
        assert_eq!(Part::from_json(&json!({"raw": "not base64!"})), None);
    }

    #[test]
    fn an_address_becomes_the_file_that_was_there() {
        let mut part = json!({"url": "https://x.example/f", "filename": "report.pdf"});
        become_file(&mut part, b"%PDF", Some("f".into()), Some("application/pdf".into()));
        let read = Part::from_json(&part).unwrap();
        assert_eq!(read, Part::file(b"%PDF".to_vec(), Some("report.pdf".into()), Some("application/pdf".into())));
        assert!(size(&part) > 10);
        give_back_address(&mut part);
        let sent = json!({"url": "https://x.example/f", "filename": "report.pdf", "mediaType": "application/pdf"});
        assert_eq!(part, sent);
        let artifacts = [json!({"parts": [{"text": "a"}, {"url": "https://x.example/f"}]}), json!({})];
        assert_eq!(links(&artifacts), [(0, 1, "https://x.example/f".to_owned())]);
    }

    #[test]
    fn a_mode_covers_what_it_names() {
        for (mode, kind, yes) in [
            ("image/png", "image/png", true),
            ("image/*", "image/png", true),
            ("text", "text/csv", true),
            ("*/*", "application/pdf", true),
            ("Image/PNG", "image/png", true),
            ("text/plain", "text/csv", false),
            ("text", "application/x-unsupported", false),
        ] {
            assert_eq!(covers(mode, kind), yes, "{mode} {kind}");
        }
    }

    #[test]
    fn the_output_is_text_and_data_of_the_artifacts() {
        let artifacts = [json!({"parts": [{"text": "a"}, {"data": {"n": 1}}]}), json!({"parts": [{"text": "b"}]})];
        assert_eq!(output_of(&artifacts, None), json!({"text": "a\n\nb", "data": {"n": 1}}));
        assert_eq!(output_of(&[], Some(&json!({"parts": [{"text": "said"}]}))), json!({"text": "said"}));
        assert_eq!(output_of(&[], None), json!({}));
    }
}
