//! The artifacts agents answer with: one part each, named so that people and programs find it.

use a2a::{Artifact, Part, new_artifact_id};
use serde_json::Value;

/// Text for people.
pub(crate) fn text(name: &str, description: &str, text: impl Into<String>) -> Artifact {
    of_part(name, description, Part::text(text).with_media_type("text/plain"))
}

/// An object, or an array of objects that reads as a table.
pub(crate) fn data(name: &str, description: &str, value: Value) -> Artifact {
    of_part(name, description, Part::data(value).with_media_type("application/json"))
}

/// A file, carried inside the answer.
pub(crate) fn file(name: &str, description: &str, filename: &str, media_type: &str, bytes: Vec<u8>) -> Artifact {
    of_part(name, description, Part::raw(bytes).with_filename(filename).with_media_type(media_type))
}

fn of_part(name: &str, description: &str, part: Part) -> Artifact {
    Artifact {
        artifact_id: new_artifact_id(),
        name: Some(name.to_owned()),
        description: Some(description.to_owned()),
        parts: vec![part],
        metadata: None,
        extensions: None,
    }
}
