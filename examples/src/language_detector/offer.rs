//! What the language detector offers: its listing, its skill and the schemas.

use serde_json::Value;

use crate::agent::{Agent, DemoAgent, Sample, Skill};
use crate::schema;

pub(super) const TEXT_MAX: usize = 50_000;
/// Files that are read as text.
pub(super) const FILES: &[&str] = &["text/plain"];

pub(crate) const LISTING: DemoAgent = DemoAgent {
    slug: "language-detector",
    name: "Language detector",
    price: "2.00",
    tags: &["text", "language", "detection"],
    featured: false,
    samples: &[
        Sample {
            skill: "detect",
            title: "Which language is this customer writing in?",
            input: include_str!("../../samples/language-detector/customer-mail.json"),
        },
        Sample {
            skill: "detect",
            title: "Sort feedback by language",
            input: include_str!("../../samples/language-detector/mixed-feedback.json"),
        },
        Sample {
            skill: "detect",
            title: "Check the language of a museum label",
            input: include_str!("../../samples/language-detector/museum-label.json"),
        },
    ],
};

pub(crate) const AGENT: Agent = Agent {
    listing: LISTING,
    description: "Says which of 70 languages a text is in, how sure that is, and the language of each paragraph where \
                  there are several. Short texts are marked as unreliable.",
    version: "1.0.0",
    skills: &[Skill {
        id: "detect",
        name: "Detect the language",
        description: "Names the language, its ISO 639-3 code and script, for the text and for each paragraph.",
        tags: &["text", "language"],
        examples: &["Which language is this?", "What language is each of these comments in?"],
        input_modes: &["application/json", "text/plain"],
        output_modes: &["text/plain", "application/json"],
        input_schema,
        output_schema,
        start: super::detect,
    }],
    misbehave: None,
};

fn input_schema() -> Value {
    let text = schema::long_text("Text", "A sentence or more; blank lines part paragraphs.", TEXT_MAX);
    schema::object(&[("text", text)], &["text"])
}

fn output_schema() -> Value {
    let verdict = [
        ("language", schema::field("string", "The language's English name.")),
        ("code", schema::field("string", "ISO 639-3 code.")),
        ("script", schema::field("string", "The writing system.")),
        ("confidence", schema::field("number", "0 to 1.")),
        ("reliable", schema::field("boolean", "Whether the confidence is above 0.9.")),
    ];
    let mut row = vec![
        ("paragraph", schema::field("integer", "Which paragraph, from 1.")),
        ("text", schema::field("string", "How it begins.")),
    ];
    row.extend(verdict.clone());
    let properties = [
        ("answer", schema::field("string", "The language in one sentence.")),
        ("language", schema::record("The language of the text as a whole.", &verdict)),
        ("paragraphs", schema::table("One row a paragraph, where there are several.", &row)),
    ];
    schema::object(&properties, &["answer", "language"])
}
