//! What the project forecaster offers: its listing, its skill and the schemas.

use serde_json::{Value, json};

use super::spread::SHAPES;
use crate::agent::{Agent, DemoAgent, Sample, Skill};
use crate::schema;

/// Characters of a plan.
pub(super) const TASKS_MAX: usize = 20_000;
/// The longest a task or a deadline may be.
pub(super) const DAYS_MAX: f64 = 10_000.0;
/// Files that are read as a plan.
pub(super) const FILES: &[&str] = &["text/plain"];

pub(crate) const LISTING: DemoAgent = DemoAgent {
    slug: "project-forecaster",
    name: "Project forecaster",
    price: "25.00",
    tags: &["planning", "forecast", "simulation"],
    featured: false,
    samples: &[
        Sample {
            skill: "forecast",
            title: "When is the new website ready?",
            input: include_str!("../../samples/project-forecaster/website.json"),
        },
        Sample {
            skill: "forecast",
            title: "Forecast the kitchen renovation",
            input: include_str!("../../samples/project-forecaster/kitchen.json"),
        },
        Sample {
            skill: "forecast",
            title: "Can we move the database in 20 days?",
            input: include_str!("../../samples/project-forecaster/database-move.json"),
        },
    ],
};

pub(crate) const AGENT: Agent = Agent {
    listing: LISTING,
    description: "Says how long a project takes, and how sure that is: 200,000 simulated runs over optimistic, likely \
                  and pessimistic estimates, with the chance to make a deadline and the tasks that most of the doubt \
                  comes from. Paced to share the machine: it takes about six seconds and tells how far it is.",
    version: "1.0.0",
    skills: &[Skill {
        id: "forecast",
        name: "Forecast a project",
        description: "Simulates a list of tasks and answers with P50, P80 and P95, a histogram, and each task's share \
                      of the variance.",
        tags: &["planning", "simulation"],
        examples: &["How long will these tasks take?", "Design; 2; 3; 6\nBuild; 5; 8; 20\nTest; 1; 2; 4"],
        input_modes: &["application/json", "text/plain"],
        output_modes: &["text/plain", "application/json"],
        input_schema,
        output_schema,
        start: super::forecast,
    }],
    misbehave: None,
};

fn input_schema() -> Value {
    let tasks = "One task a line: name; optimistic; likely; pessimistic. Estimates are in days.";
    let deadline = json!({
        "type": "number",
        "title": "Deadline (days)",
        "description": "Answers with the chance to make it. Leave it out if there is none.",
        "minimum": 0,
        "maximum": DAYS_MAX,
    });
    let shape = "PERT trusts the likely estimate more; triangular has heavier tails.";
    let properties = [
        ("tasks", schema::long_text("Tasks", tasks, TASKS_MAX)),
        ("deadlineDays", deadline),
        ("distribution", schema::choice("Distribution", shape, &SHAPES, "pert")),
    ];
    schema::object(&properties, &["tasks"])
}

fn output_schema() -> Value {
    let forecast = [
        ("runs", schema::field("integer", "Simulated runs.")),
        ("p10", schema::field("number", "Days within which 10 % of the runs end.")),
        ("p50", schema::field("number", "Days within which 50 % end.")),
        ("p80", schema::field("number", "Days within which 80 % end.")),
        ("p95", schema::field("number", "Days within which 95 % end.")),
        ("mean", schema::field("number", "Mean days.")),
        ("stddev", schema::field("number", "Standard deviation in days.")),
        ("likelySum", schema::field("number", "Sum of the likely estimates.")),
        ("chanceOfLikelySum", schema::field("number", "Share of the runs within that sum.")),
        ("deadlineDays", json!({ "type": ["number", "null"], "description": "The deadline, where one was given." })),
        ("chanceOfDeadline", json!({ "type": ["number", "null"], "description": "Share of the runs within it." })),
    ];
    let bar = [
        ("fromDays", schema::field("number", "From.")),
        ("toDays", schema::field("number", "To.")),
        ("runs", schema::field("integer", "Runs that took so long.")),
        ("share", schema::field("number", "Share of all runs.")),
        ("cumulative", schema::field("number", "Share of the runs up to here.")),
    ];
    let task = [
        ("task", schema::field("string", "The task's name.")),
        ("optimistic", schema::field("number", "As given.")),
        ("likely", schema::field("number", "As given.")),
        ("pessimistic", schema::field("number", "As given.")),
        ("expected", schema::field("number", "Mean days.")),
        ("contribution", schema::field("number", "Share of the total's variance; the shares add up to 1.")),
        ("overrunChance", schema::field("number", "How often it took longer than likely.")),
    ];
    let properties = [
        ("summary", schema::field("string", "The forecast in words.")),
        ("forecast", schema::record("The forecast in numbers.", &forecast)),
        ("histogram", schema::table("One row a bar.", &bar)),
        ("tasks", schema::table("One row a task.", &task)),
    ];
    schema::object(&properties, &["summary", "forecast", "histogram", "tasks"])
}
