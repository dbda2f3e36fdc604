//! What the CSV profiler offers: its listing, its skill and the schemas.

use serde_json::{Value, json};

use super::read::DELIMITERS;
use crate::agent::{Agent, DemoAgent, Sample, Skill};
use crate::schema;

/// Together with the request's limit of 2 MiB this is what fits.
pub(super) const CSV_MAX: usize = 1_000_000;
/// Files that are read as CSV.
pub(super) const FILES: &[&str] = &["text/csv", "application/csv", "text/tab-separated-values", "text/plain"];

pub(crate) const LISTING: DemoAgent = DemoAgent {
    slug: "csv-profiler",
    name: "CSV profiler",
    price: "15.00",
    tags: &["data", "csv", "quality"],
    featured: true,
    samples: &[
        Sample {
            skill: "profile",
            title: "Check the order export before the import",
            input: include_str!("../../samples/csv-profiler/orders.json"),
        },
        Sample {
            skill: "profile",
            title: "Profile a month of meter readings",
            input: include_str!("../../samples/csv-profiler/meter-readings.json"),
        },
        Sample {
            skill: "profile",
            title: "What is in this visitor survey?",
            input: include_str!("../../samples/csv-profiler/visitor-survey.json"),
        },
        Sample {
            skill: "profile",
            title: "Profile a sensor log without a header",
            input: include_str!("../../samples/csv-profiler/sensor-log.json"),
        },
    ],
};

pub(crate) const AGENT: Agent = Agent {
    listing: LISTING,
    description: "Profiles a CSV table: type, gaps, distinct values, range, mean and spread of each column, and a list \
                  of what looks wrong: duplicate and ragged rows, constant columns, mixed types.",
    version: "1.0.0",
    skills: &[Skill {
        id: "profile",
        name: "Profile a table",
        description: "Reads CSV of up to a million characters (the delimiter is found by itself) and answers with one \
                      row a column and the oddities in words.",
        tags: &["data", "csv", "quality"],
        examples: &["Profile this CSV file", "Is anything wrong with this export?"],
        input_modes: &["application/json", "text/csv", "text/plain"],
        output_modes: &["text/plain", "application/json"],
        input_schema,
        output_schema,
        start: super::profile,
    }],
    misbehave: None,
};

fn input_schema() -> Value {
    let properties = [
        ("csv", schema::long_text("CSV", "The table, one line a row.", CSV_MAX)),
        ("delimiter", schema::choice("Delimiter", "What separates the fields.", &DELIMITERS, "auto")),
        ("hasHeader", schema::flag("First line is a header", "Whether the first line names the columns.", true)),
    ];
    schema::object(&properties, &["csv"])
}

fn output_schema() -> Value {
    let kinds = ["integer", "number", "boolean", "date", "datetime", "text", "mixed", "empty"];
    let row = [
        ("column", schema::field("string", "The column's name.")),
        ("type", json!({ "type": "string", "enum": kinds, "description": "What its cells hold." })),
        ("filled", schema::field("integer", "Cells with a value.")),
        ("missing", schema::field("integer", "Cells without one.")),
        ("distinct", schema::field("integer", "Different values.")),
        ("min", json!({ "type": ["number", "string", "null"], "description": "Least number or earliest date." })),
        ("max", json!({ "type": ["number", "string", "null"], "description": "Greatest number or latest date." })),
        ("mean", json!({ "type": ["number", "null"], "description": "Mean of the numbers." })),
        ("stddev", json!({ "type": ["number", "null"], "description": "Sample standard deviation of the numbers." })),
        ("topValue", json!({ "type": ["string", "null"], "description": "The most frequent value." })),
        ("topCount", json!({ "type": ["integer", "null"], "description": "How often it occurs." })),
    ];
    let properties = [
        ("summary", schema::field("string", "The table in words, and what looks wrong.")),
        ("columns", schema::table("One row a column.", &row)),
    ];
    schema::object(&properties, &["summary", "columns"])
}
