//! What the QR code maker offers: its listing, its skill and the schemas.

use serde_json::Value;

use crate::agent::{Agent, DemoAgent, Sample, Skill};
use crate::schema;

/// Phones have trouble with denser codes long before the format's own limit of 2,953 bytes.
pub(super) const TEXT_MAX: usize = 1_500;
pub(super) const SIZES: [&str; 3] = ["small", "medium", "large"];
pub(super) const LEVELS: [&str; 4] = ["L", "M", "Q", "H"];

pub(crate) const LISTING: DemoAgent = DemoAgent {
    slug: "qr-maker",
    name: "QR code maker",
    price: "5.00",
    tags: &["image", "qr", "print"],
    featured: true,
    samples: &[
        Sample {
            skill: "encode",
            title: "QR code for the lunch menu",
            input: include_str!("../../samples/qr-maker/menu-link.json"),
        },
        Sample {
            skill: "encode",
            title: "Guest Wi-Fi as a QR code",
            input: include_str!("../../samples/qr-maker/guest-wifi.json"),
        },
        Sample {
            skill: "encode",
            title: "Label for a tool cabinet",
            input: include_str!("../../samples/qr-maker/cabinet-label.json"),
        },
        Sample {
            skill: "encode",
            title: "Put the opening night into calendars",
            input: include_str!("../../samples/qr-maker/calendar-event.json"),
        },
    ],
};

pub(crate) const AGENT: Agent = Agent {
    listing: LISTING,
    description: "Makes QR codes as PNG images, ready for print: any text, link, Wi-Fi login or calendar entry of up \
                  to 1,500 characters, in three sizes and four levels of error correction.",
    version: "1.0.0",
    skills: &[Skill {
        id: "encode",
        name: "Make a QR code",
        description: "Encodes text as a QR code and answers with a PNG, quiet zone included, and its facts.",
        tags: &["image", "qr"],
        examples: &["Make a QR code for https://example.org", "A large QR code of our Wi-Fi login, level H"],
        input_modes: &["application/json", "text/plain"],
        output_modes: &["image/png", "application/json"],
        input_schema,
        output_schema,
        start: super::encode,
    }],
    misbehave: None,
};

fn input_schema() -> Value {
    let size = schema::choice("Size", "4, 8 or 16 pixels a module.", &SIZES, "medium");
    let levels = "How much of the code may be damaged: L 7 %, M 15 %, Q 25 %, H 30 %.";
    let level = schema::choice("Error correction", levels, &LEVELS, "M");
    let text = schema::long_text("Text", "What a phone reads: a link, a text, a Wi-Fi login.", TEXT_MAX);
    schema::object(&[("text", text), ("size", size), ("errorCorrection", level)], &["text"])
}

fn output_schema() -> Value {
    let details = [
        ("version", schema::field("integer", "1 to 40; the larger, the denser.")),
        ("modules", schema::field("integer", "Modules a side, without the quiet zone.")),
        ("errorCorrection", schema::field("string", "L, M, Q or H.")),
        ("pixels", schema::field("integer", "Pixels a side, with the quiet zone.")),
        ("bytes", schema::field("integer", "Length of the text in UTF-8.")),
    ];
    let properties = [
        ("qr", schema::field("string", "The PNG, base64.")),
        ("details", schema::record("Version, size and error correction.", &details)),
    ];
    schema::object(&properties, &["qr", "details"])
}
