//! ProtoJSON takes field names in both spellings: `messageId` and `message_id`. Some clients send the second.

use serde_json::{Map, Value};

/// Members whose content is the caller's own and keeps its spelling.
const OPAQUE: [&str; 2] = ["data", "metadata"];

/// `params` with every protocol field in camelCase. Where both spellings are present the camelCase one wins.
pub(super) fn camel_case(params: Value) -> Value {
    match params {
        Value::Array(items) => Value::Array(items.into_iter().map(camel_case).collect()),
        Value::Object(fields) => {
            let mut renamed = Map::new();
            for (name, value) in fields {
                let value = if OPAQUE.contains(&name.as_str()) { value } else { camel_case(value) };
                let camel = camel(&name);
                if camel == name || !renamed.contains_key(&camel) {
                    renamed.insert(camel, value);
                }
            }
            Value::Object(renamed)
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut raise = false;
    for c in name.chars() {
        match (c, raise) {
            ('_', _) if !out.is_empty() => raise = true,
            (c, true) => {
                out.extend(c.to_uppercase());
                raise = false;
            }
            (c, false) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_spellings_and_the_callers_own_words() {
        let sent = json!({
            "message": { "message_id": "m", "parts": [{ "data": { "a_b": 1 }, "media_type": "x" }], "metadata": { "c_d": 2 } },
            "configuration": { "return_immediately": true, "returnImmediately": false },
        });
        let read = json!({
            "message": { "messageId": "m", "parts": [{ "data": { "a_b": 1 }, "mediaType": "x" }], "metadata": { "c_d": 2 } },
            "configuration": { "returnImmediately": false },
        });
        assert_eq!(camel_case(sent), read);
    }
}
