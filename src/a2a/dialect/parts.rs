//! Parts of messages between the versions of the protocol. What is kept is 1.0.

use serde_json::Value;

use super::{v1, v03_parts};

/// A part of 1.0 in its plain form.
pub fn v1(part: &Value) -> Value {
    v1::part(part)
}

/// A part of 0.3, in either of its forms, as 1.0 has it.
pub fn v03(part: &Value) -> Value {
    v03_parts::part(part)
}

/// A part of 1.0 as the JSON-RPC of 0.3 has it.
pub fn to_v03(part: &Value) -> Value {
    v03_parts::to_json(part)
}

/// A part of 1.0 as the HTTP+JSON of 0.3 has it.
pub fn to_v03_proto(part: &Value) -> Value {
    v03_parts::to_proto(part)
}
