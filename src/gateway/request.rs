//! What clients send, read field by field, so that an error names the field. Fields that are not known are passed over, and
//! names are taken in both spellings of protocol buffers' JSON (`contextId`, `context_id`).

use chrono::{DateTime, Utc};
use domain::Credits;
use domain::tasks::Part;
use domain::tasks::pushes::{PushConfig, Version as PushVersion};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::error::{GatewayError, Result};
use super::version::Version;
use crate::a2a::parts;

/// An object and where it stands.
#[derive(Clone)]
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    path: String,
}

impl<'a> Fields<'a> {
    /// The object `value`, which stands at `path`.
    ///
    /// # Errors
    /// It is none.
    pub fn of(value: &'a Value, path: &str) -> Result<Fields<'a>> {
        let object = value.as_object().ok_or_else(|| GatewayError::field(named(path, ""), "must be an object"))?;
        Ok(Fields { object, path: path.to_owned() })
    }

    fn at(&self, name: &str) -> String {
        named(&self.path, name)
    }

    /// A field, in either spelling; null is not there.
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).or_else(|| self.object.get(&snake(name))).filter(|v| !v.is_null())
    }

    /// A text; empty is not there, as in protocol buffers.
    ///
    /// # Errors
    /// It is no text.
    pub fn text(&self, name: &str) -> Result<Option<String>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.contains('\0') => Err(self.wrong(name, "must not contain U+0000")),
            Some(Value::String(text)) => Ok(Some(text.clone()).filter(|t| !t.is_empty())),
            Some(_) => Err(self.wrong(name, "must be a string")),
        }
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// It is not.
    pub fn needed(&self, name: &str) -> Result<String> {
        self.text(name)?.ok_or_else(|| self.wrong(name, "is missing"))
    }

    /// A yes or no.
    ///
    /// # Errors
    /// It is neither.
    pub fn flag(&self, name: &str) -> Result<Option<bool>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            // In a query everything is text.
            Some(Value::String(text)) if text == "true" => Ok(Some(true)),
            Some(Value::String(text)) if text == "false" => Ok(Some(false)),
            Some(_) => Err(self.wrong(name, "must be true or false")),
        }
    }

    /// A whole number within limits.
    ///
    /// # Errors
    /// It is none.
    pub fn number(&self, name: &str, least: i64, most: i64) -> Result<Option<i64>> {
        let number = match self.get(name) {
            None => return Ok(None),
            Some(value @ Value::Number(_)) => whole(value),
            Some(Value::String(text)) => text.parse().ok(),
            Some(_) => None,
        };
        match number.filter(|n| (least..=most).contains(n)) {
            Some(n) => Ok(Some(n)),
            None => Err(self.wrong(name, &format!("must be a whole number from {least} to {most}"))),
        }
    }

    /// An object.
    ///
    /// # Errors
    /// It is none.
    pub fn object(&self, name: &str) -> Result<Option<Fields<'a>>> {
        self.get(name).map(|value| Fields::of(value, &self.at(name))).transpose()
    }

    fn wrong(&self, name: &str, what: &str) -> GatewayError {
        GatewayError::field(self.at(name), what)
    }
}

fn named(path: &str, name: &str) -> String {
    match (path.is_empty(), name.is_empty()) {
        (true, true) => "params".to_owned(),
        (true, false) => name.to_owned(),
        (false, true) => path.to_owned(),
        (false, false) => format!("{path}.{name}"),
    }
}

fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// A message to an agent.
#[derive(Debug)]
pub struct Send {
    /// The message as it is kept: A2A 1.0 JSON.
    pub message: Value,
    /// Its parts.
    pub parts: Vec<Part>,
    /// The task that it goes on with.
    pub task: Option<String>,
    /// The conversation.
    pub context: Option<String>,
    /// Tasks that it refers to.
    pub references: Vec<String>,
    /// Whether the answer is to come at once, whatever the task's state.
    pub at_once: bool,
    /// How many messages of the history the client wants.
    pub history: Option<usize>,
    /// Where it wants to be told.
    pub push: Option<PushConfig>,
    /// Metadata of the request.
    pub metadata: Value,
}

impl Send {
    /// What the metadata of the request says under a name, or else that of its message.
    pub fn asked(&self, name: &str) -> Option<&Value> {
        self.metadata.get(name).or_else(|| self.message.get("metadata")?.get(name)).filter(|v| !v.is_null())
    }
}

/// A whole number; those of protocol buffers' Struct are floating point.
pub fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().filter(|f| f.fract() == 0.0).map(|f| f as i64))
}

/// A sum of credits, which stands in `field`.
///
/// # Errors
/// It is none.
pub fn credits(value: &Value, field: &str) -> Result<Credits> {
    let sum = value.as_str().and_then(|text| text.parse().ok());
    sum.ok_or_else(|| GatewayError::field(field, "must be a string such as \"2.50\""))
}

/// Reads `SendMessageRequest` (1.0) or `MessageSendParams` (0.3).
///
/// # Errors
/// A field is wrong.
pub fn send(params: &Value, version: Version) -> Result<Send> {
    let fields = Fields::of(params, "")?;
    let message = fields.object("message")?.ok_or_else(|| GatewayError::field("message", "is missing"))?;
    let id = message.needed("messageId")?;
    role(&message)?;
    let given = message.get("parts").or_else(|| message.get("content").filter(|_| version == Version::V03));
    let given = match given {
        Some(Value::Array(parts)) if !parts.is_empty() => parts,
        Some(Value::Array(_)) => return Err(GatewayError::field("message.parts", "must not be empty")),
        Some(_) => return Err(GatewayError::field("message.parts", "must be a list")),
        None => return Err(GatewayError::field("message.parts", "is missing")),
    };
    let mut kept = Vec::with_capacity(given.len());
    let mut parts = Vec::with_capacity(given.len());
    for (n, part) in given.iter().enumerate() {
        let (json, part) = one_part(part, &format!("message.parts[{n}]"), version)?;
        kept.push(json);
        parts.push(part);
    }
    let mut out = json!({ "messageId": id, "role": "ROLE_USER", "parts": kept });
    for name in ["metadata", "extensions"] {
        if let Some(value) = message.get(name) {
            out[name] = value.clone();
        }
    }
    let references = match message.get("referenceTaskIds") {
        None => Vec::new(),
        Some(Value::Array(ids)) if ids.iter().all(Value::is_string) => {
            ids.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        Some(_) => return Err(GatewayError::field("message.referenceTaskIds", "must be a list of strings")),
    };
    let configuration = fields.object("configuration")?;
    let (mut at_once, mut history, mut push) = (false, None, None);
    if let Some(wanted) = &configuration {
        at_once = match version {
            Version::V1 => wanted.flag("returnImmediately")?.unwrap_or(false),
            // In protocol buffers' JSON a no is left out.
            Version::V03 => !wanted.flag("blocking")?.unwrap_or(message.get("content").is_none()),
        };
        history = history_length(wanted)?;
        let name = match version {
            Version::V1 => "taskPushNotificationConfig",
            Version::V03 => "pushNotificationConfig",
        };
        let given = wanted.object(name)?;
        let given = if version == Version::V03 { given.or(wanted.object("pushNotification")?) } else { given };
        push = given.map(|fields| push_config(&fields, version)).transpose()?;
    }
    Ok(Send {
        message: out,
        parts,
        task: message.text("taskId")?,
        context: message.text("contextId")?,
        references,
        at_once,
        history,
        push,
        metadata: fields.get("metadata").cloned().unwrap_or(Value::Null),
    })
}

fn role(message: &Fields<'_>) -> Result<()> {
    match message.get("role") {
        None => Err(GatewayError::field("message.role", "is missing")),
        Some(Value::String(role)) if matches!(role.as_str(), "ROLE_USER" | "user") => Ok(()),
        // The number of ROLE_USER in the protocol buffers.
        Some(Value::Number(n)) if n.as_i64() == Some(1) => Ok(()),
        Some(_) => Err(GatewayError::field("message.role", "must be the user's")),
    }
}

/// A part as it is kept, and read.
fn one_part(given: &Value, path: &str, version: Version) -> Result<(Value, Part)> {
    let wrong = |what: &str| GatewayError::field(path, what);
    let fields = Fields::of(given, path)?;
    let json = match version {
        Version::V1 => {
            let bodies = ["text", "raw", "url", "data"];
            // Data may be null, which is a value there.
            if bodies.iter().filter(|b| given.get(**b).is_some()).count() != 1 {
                return Err(wrong("must have exactly one of text, raw, url and data"));
            }
            for name in &bodies[..3] {
                if given.get(*name).is_some_and(|v| !v.is_string()) {
                    return Err(GatewayError::field(format!("{path}.{name}"), "must be a string"));
                }
            }
            let mut given = given.clone();
            // In the spelling that is kept.
            if let (None, Some(kind)) = (given.get("mediaType"), fields.text("mediaType")?) {
                given["mediaType"] = json!(kind);
            }
            parts::v1(&given)
        }
        Version::V03 => {
            let known = ["text", "file", "data"].iter().any(|name| given.get(*name).is_some());
            if !known {
                return Err(wrong("must be a text, a file or data"));
            }
            parts::v03(given)
        }
    };
    fields.text("filename")?;
    fields.text("mediaType")?;
    if given.get("metadata").is_some_and(|m| !m.is_object() && !m.is_null()) {
        return Err(GatewayError::field(format!("{path}.metadata"), "must be an object"));
    }
    if given.get("raw").is_some() && json.get("raw").is_none() {
        return Err(GatewayError::field(format!("{path}.raw"), "must be base64"));
    }
    let part = Part::from_json(&json).ok_or_else(|| wrong("is no part that can be read"))?;
    Ok((json, part))
}

/// `historyLength`.
///
/// # Errors
/// It is no number, or negative.
pub fn history_length(fields: &Fields<'_>) -> Result<Option<usize>> {
    Ok(fields.number("historyLength", 0, i64::from(i32::MAX))?.and_then(|n| usize::try_from(n).ok()))
}

/// Reads a push notification configuration: flat in 1.0, `PushNotificationConfig` in 0.3.
///
/// # Errors
/// A field is wrong.
pub fn push_config(fields: &Fields<'_>, version: Version) -> Result<PushConfig> {
    let auth = match fields.object("authentication")? {
        None => None,
        Some(auth) => {
            let first = auth.get("schemes").and_then(Value::as_array).and_then(|s| s.first()).and_then(Value::as_str);
            let scheme = auth.text("scheme")?.or_else(|| first.map(str::to_owned));
            scheme.map(|scheme| Ok((scheme, auth.text("credentials")?.unwrap_or_default()))).transpose()?
        }
    };
    Ok(PushConfig {
        id: fields.text("id")?.unwrap_or_else(|| Uuid::new_v4().to_string()),
        url: fields.needed("url")?,
        token: fields.text("token")?,
        auth,
        version: match version {
            Version::V03 => PushVersion::V03,
            Version::V1 => PushVersion::V1,
        },
    })
}

/// A time in RFC 3339.
///
/// # Errors
/// It is none.
pub fn time(fields: &Fields<'_>, name: &str) -> Result<Option<DateTime<Utc>>> {
    let Some(text) = fields.text(name)? else { return Ok(None) };
    let time = DateTime::parse_from_rfc3339(&text);
    time.map(|t| Some(t.to_utc())).map_err(|_| GatewayError::field(name, "must be a time in RFC 3339"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields_of(error: &GatewayError) -> Vec<String> {
        let details = error.rpc()["data"].clone();
        details[1]["fieldViolations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v["field"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_message_is_kept_as_it_was_sent() {
        let parts = json!([
            {"text": "hi", "metadata": {"a": 1}}, {"raw": "AAH/", "filename": "x.bin", "media_type": "application/x"},
            {"url": "https://x.example/f"}, {"data": null}, {"data": [1, "two"]},
        ]);
        let message = json!({"message_id": "any id", "role": "ROLE_USER", "parts": parts, "context_id": "c", "unknown": 1,
            "metadata": {"k": "v"}, "extensions": ["urn:x"], "referenceTaskIds": ["t"]});
        let read = send(&json!({"message": message, "configuration": {"historyLength": 3}}), Version::V1).unwrap();
        assert_eq!(read.message["messageId"], "any id");
        assert_eq!(read.message["metadata"], json!({"k": "v"}));
        assert_eq!(read.message["parts"][0], parts[0]);
        assert_eq!(read.message["parts"][1], json!({"raw": "AAH/", "filename": "x.bin", "mediaType": "application/x"}));
        assert_eq!((read.context.as_deref(), read.task, read.at_once, read.history), (Some("c"), None, false, Some(3)));
        assert_eq!((read.parts.len(), read.references), (5, vec!["t".to_owned()]));
    }

    #[test]
    fn the_older_form_is_read_too() {
        let file = json!({"kind": "file", "file": {"bytes": "AAH/", "name": "x", "mimeType": "a/b"}});
        let message = json!({"kind": "message", "messageId": "1", "role": "user", "parts": [{"kind": "text", "text": "hi"}, file]});
        let read = send(&json!({"message": message, "configuration": {"blocking": false}}), Version::V03).unwrap();
        let parts = json!([{"text": "hi"}, {"raw": "AAH/", "filename": "x", "mediaType": "a/b"}]);
        assert_eq!((&read.message["parts"], read.at_once), (&parts, true));
        let content = json!({"messageId": "1", "role": "ROLE_USER", "content": [{"text": "hi"}]});
        assert_eq!(send(&json!({"message": content}), Version::V03).unwrap().parts, [Part::text("hi")]);
    }

    #[test]
    fn an_error_names_its_field() {
        let good = json!({"messageId": "1", "role": "ROLE_USER", "parts": [{"text": "hi"}]});
        let with = |name: &str, value: Value| {
            let mut message = good.clone();
            message[name] = value;
            json!({ "message": message })
        };
        for (params, field) in [
            (json!([]), "params"),
            (json!({}), "message"),
            (json!({"message": "hi"}), "message"),
            (with("messageId", json!("")), "message.messageId"),
            (with("messageId", json!(5)), "message.messageId"),
            (with("role", json!("ROLE_AGENT")), "message.role"),
            (with("role", Value::Null), "message.role"),
            (with("parts", json!([])), "message.parts"),
            (with("parts", json!("hi")), "message.parts"),
            (with("parts", json!([{"text": "a", "url": "b"}])), "message.parts[0]"),
            (with("parts", json!([{"text": "a"}, {}])), "message.parts[1]"),
            (with("parts", json!([{"text": 5}])), "message.parts[0].text"),
            (with("parts", json!([{"raw": "%%"}])), "message.parts[0].raw"),
            (with("taskId", json!(5)), "message.taskId"),
            (json!({"message": good, "configuration": {"historyLength": -1}}), "configuration.historyLength"),
            (
                json!({"message": good, "configuration": {"returnImmediately": "soon"}}),
                "configuration.returnImmediately",
            ),
            (
                json!({"message": good, "configuration": {"taskPushNotificationConfig": {}}}),
                "configuration.taskPushNotificationConfig.url",
            ),
        ] {
            let error = send(&params, Version::V1).expect_err(&params.to_string());
            assert_eq!(fields_of(&error), [field], "{params}");
        }
    }
}
