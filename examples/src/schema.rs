//! JSON Schemas (draft 2020-12) in the few words that a web form is generated from.

use serde_json::{Map, Value, json};

/// An object with these properties. JSON objects have no order: a form puts the required ones first.
pub(crate) fn object(properties: &[(&str, Value)], required: &[&str]) -> Value {
    let properties: Map<String, Value> =
        properties.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": required,
    })
}

/// Text of several lines.
pub(crate) fn long_text(title: &str, description: &str, max_chars: usize) -> Value {
    json!({
        "type": "string",
        "format": "textarea",
        "title": title,
        "description": description,
        "maxLength": max_chars,
    })
}

/// A whole number within bounds.
pub(crate) fn integer(title: &str, description: &str, bounds: (i64, i64), default: i64) -> Value {
    json!({
        "type": "integer",
        "title": title,
        "description": description,
        "minimum": bounds.0,
        "maximum": bounds.1,
        "default": default,
    })
}

/// One of a few words.
pub(crate) fn choice(title: &str, description: &str, options: &[&str], default: &str) -> Value {
    json!({ "type": "string", "title": title, "description": description, "enum": options, "default": default })
}

/// Yes or no.
pub(crate) fn flag(title: &str, description: &str, default: bool) -> Value {
    json!({ "type": "boolean", "title": title, "description": description, "default": default })
}

/// A value of one JSON type in an output.
pub(crate) fn field(kind: &str, description: &str) -> Value {
    json!({ "type": kind, "description": description })
}

/// A list of objects in an output, which reads as a table.
pub(crate) fn table(description: &str, columns: &[(&str, Value)]) -> Value {
    let columns: Map<String, Value> =
        columns.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({ "type": "array", "description": description, "items": { "type": "object", "properties": columns } })
}

/// An object inside an output.
pub(crate) fn record(description: &str, fields: &[(&str, Value)]) -> Value {
    let fields: Map<String, Value> = fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({ "type": "object", "description": description, "properties": fields })
}
