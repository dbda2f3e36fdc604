//! QR code maker: text to a PNG that phones read.

mod image;
mod offer;

use a2a::Message;
use qrcode::types::QrError;
use qrcode::{EcLevel, QrCode, Version};
use serde_json::json;

use crate::agent::{Done, Refusal, Started};
use crate::artifact;
use crate::input::Input;
use crate::numbers::grouped;

pub(crate) use offer::{AGENT, LISTING};

fn encode(message: &Message) -> Result<Started, Refusal> {
    let input = Input::read(message, "text", &[])?;
    let text = input.text("text", offer::TEXT_MAX)?;
    let size = input.choice("size", &offer::SIZES, "medium")?;
    let level = input.choice("errorCorrection", &offer::LEVELS, "M")?;
    let code =
        QrCode::with_error_correction_level(text, level_of(level)).map_err(|error| unfit(&error, text, level))?;
    let image = image::render(&code, scale_of(size))
        .map_err(|error| Refusal::failed(format!("the image could not be written: {error}")))?;
    let version = match code.version() {
        Version::Normal(version) | Version::Micro(version) => version,
    };
    let modules = code.width();
    let details = json!({
        "version": version,
        "modules": modules,
        "errorCorrection": level,
        "pixels": image.side,
        "bytes": text.len(),
    });
    let line = format!("Version {version}, {modules} × {modules} modules, {0} × {0} pixels", image.side);
    let artifacts = vec![
        artifact::file("qr", "The QR code with its quiet zone.", "qr.png", "image/png", image.png),
        artifact::data("details", "Version, size and error correction.", details),
    ];
    Ok(Started::Done(Done { line, artifacts }))
}

fn level_of(name: &str) -> EcLevel {
    match name {
        "L" => EcLevel::L,
        "Q" => EcLevel::Q,
        "H" => EcLevel::H,
        _ => EcLevel::M,
    }
}

/// Pixels a module.
fn scale_of(size: &str) -> usize {
    match size {
        "small" => 4,
        "large" => 16,
        _ => 8,
    }
}

fn unfit(error: &QrError, text: &str, level: &str) -> Refusal {
    match error {
        QrError::DataTooLong => Refusal::failed(format!(
            "text: its {} bytes do not fit with error correction {level}; shorten it or choose {}",
            grouped(text.len() as u64),
            if level == "H" { "Q, M or L" } else { "L" },
        )),
        other => Refusal::failed(format!("text: cannot be encoded: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use a2a::{Part, PartContent, Role};
    use serde_json::Value;

    use super::*;

    fn run(input: Value) -> Result<Done, Refusal> {
        match encode(&Message::new(Role::User, vec![Part::data(input)]))? {
            Started::Done(done) => Ok(done),
            Started::Working(_) => panic!("fast agents do not take time"),
        }
    }

    #[test]
    fn a_file_and_its_facts() {
        let done = run(json!({ "text": "https://example.org/", "size": "small", "errorCorrection": "Q" })).unwrap();
        let file = &done.artifacts[0].parts[0];
        assert_eq!((file.filename.as_deref(), file.media_type.as_deref()), (Some("qr.png"), Some("image/png")));
        let PartContent::Data(details) = &done.artifacts[1].parts[0].content else { panic!("no data") };
        assert_eq!(details["errorCorrection"], "Q");
        assert_eq!(details["modules"], 17 + 4 * details["version"].as_i64().unwrap());
        assert_eq!(details["pixels"], (details["modules"].as_i64().unwrap() + 8) * 4);
    }

    #[test]
    fn too_much_for_the_level_says_what_to_do() {
        let long = "ü".repeat(1_000);
        assert!(run(json!({ "text": long, "errorCorrection": "M" })).is_ok());
        match run(json!({ "text": long, "errorCorrection": "H" })) {
            Err(Refusal::Failed(why)) => assert!(why.contains("2,000 bytes") && why.contains("Q, M or L"), "{why}"),
            _ => panic!("2,000 bytes fit into H"),
        }
        assert!(matches!(run(json!({ "text": "a".repeat(1_501) })), Err(Refusal::Rejected(_))));
    }
}
