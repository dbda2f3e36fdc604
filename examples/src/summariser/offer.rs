//! What the summariser offers: its listing, its skills and their schemas.

use serde_json::Value;

use crate::agent::{Agent, DemoAgent, Sample, Skill};
use crate::schema;

/// About forty pages.
pub(super) const TEXT_MAX: usize = 100_000;
pub(super) const SENTENCES: i64 = 3;
pub(super) const SENTENCES_MAX: i64 = 10;
pub(super) const KEYWORDS: i64 = 10;
pub(super) const KEYWORDS_MAX: i64 = 30;
/// Files that are read as text.
pub(super) const FILES: &[&str] = &["text/plain"];

pub(crate) const LISTING: DemoAgent = DemoAgent {
    slug: "summariser",
    name: "Summariser",
    price: "10.00",
    tags: &["text", "summary", "keywords"],
    featured: true,
    samples: &[
        Sample {
            skill: "summarise",
            title: "Sum up an article on heat pumps in winter",
            input: include_str!("../../samples/summariser/heat-pumps.json"),
        },
        Sample {
            skill: "summarise",
            title: "Five sentences on last week's checkout outage",
            input: include_str!("../../samples/summariser/checkout-outage.json"),
        },
        Sample {
            skill: "summarise",
            title: "The gist of a report on street trees",
            input: include_str!("../../samples/summariser/street-trees.json"),
        },
        Sample {
            skill: "keywords",
            title: "Keywords for a baking guide",
            input: include_str!("../../samples/summariser/sourdough.json"),
        },
    ],
};

pub(crate) const AGENT: Agent = Agent {
    listing: LISTING,
    description: "Picks the sentences of a text that say most and repeat least, and names the words it is about. \
                  English, German, French and Spanish; other languages work, less well. Every sentence of a summary \
                  stands in the original: nothing is made up.",
    version: "1.0.0",
    skills: &[SUMMARISE, KEYWORDS_SKILL],
    misbehave: None,
};

const SUMMARISE: Skill = Skill {
    id: "summarise",
    name: "Summarise a text",
    description: "Chooses up to ten sentences that stand for the whole text, in their original order, with scores.",
    tags: &["text", "summary"],
    examples: &["Summarise this article in three sentences", "Give me the gist of this incident report"],
    input_modes: &["application/json", "text/plain"],
    output_modes: &["text/plain", "application/json"],
    input_schema: summarise_input,
    output_schema: summarise_output,
    start: super::summarise,
};

const KEYWORDS_SKILL: Skill = Skill {
    id: "keywords",
    name: "Find keywords",
    description: "Names the words and phrases that a text is about, with counts and scores.",
    tags: &["text", "keywords"],
    examples: &["Which keywords describe this text?", "Give me ten tags for this page"],
    input_modes: &["application/json", "text/plain"],
    output_modes: &["text/plain", "application/json"],
    input_schema: keywords_input,
    output_schema: keywords_output,
    start: super::keywords,
};

fn text() -> Value {
    schema::long_text("Text", "The text, a few paragraphs or more.", TEXT_MAX)
}

fn summarise_input() -> Value {
    let sentences = schema::integer("Sentences", "How many sentences the summary has.", (1, SENTENCES_MAX), SENTENCES);
    schema::object(&[("text", text()), ("sentences", sentences)], &["text"])
}

fn summarise_output() -> Value {
    let row = [
        ("position", schema::field("integer", "Which sentence of the text, from 1.")),
        ("score", schema::field("number", "How central it is, 0 to 1.")),
        ("text", schema::field("string", "The sentence.")),
    ];
    let details = [
        ("language", schema::field("string", "The language the text was taken for.")),
        ("sentencesIn", schema::field("integer", "Sentences of the text.")),
        ("sentencesOut", schema::field("integer", "Sentences of the summary.")),
        ("wordsIn", schema::field("integer", "Words of the text.")),
        ("wordsOut", schema::field("integer", "Words of the summary.")),
        ("compressionRatio", schema::field("number", "wordsOut / wordsIn.")),
        ("sentences", schema::table("The chosen sentences.", &row)),
    ];
    let properties = [
        ("summary", schema::field("string", "The chosen sentences in the order of the text.")),
        ("details", schema::record("The sentences with their scores, and counts.", &details)),
    ];
    schema::object(&properties, &["summary", "details"])
}

fn keywords_input() -> Value {
    let count = schema::integer("Count", "How many keywords at most.", (1, KEYWORDS_MAX), KEYWORDS);
    schema::object(&[("text", text()), ("count", count)], &["text"])
}

fn keywords_output() -> Value {
    let row = [
        ("keyword", schema::field("string", "The word or phrase.")),
        ("count", schema::field("integer", "How often it occurs.")),
        ("score", schema::field("number", "How telling it is, 0 to 1.")),
    ];
    let properties = [
        ("keywords", schema::field("string", "The keywords, separated by commas.")),
        ("details", schema::table("One row a keyword, the most telling first.", &row)),
    ];
    schema::object(&properties, &["keywords", "details"])
}
