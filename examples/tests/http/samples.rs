//! Every sample follows its skill's schema, completes, and brings the artifacts that the card promises.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::wire::{Wire, line};
use a2a::{Artifact, Message, Part, PartContent, Role, Task, TaskState};
use demo_agents::{DemoAgent, Sample};
use serde_json::{Map, Value, json};

fn schemas(slug: &str, skill: &str) -> (Value, Value) {
    let card = demo_agents::card(slug, "http://x").unwrap();
    let extensions = card["capabilities"]["extensions"].as_array().unwrap();
    let schemas = extensions.iter().find(|e| e["uri"] == "urn:nexus:a2a:skill-schemas:1").unwrap();
    assert_eq!(schemas["required"], false);
    let schemas = &schemas["params"]["skills"][skill];
    (schemas["inputSchema"].clone(), schemas["outputSchema"].clone())
}

/// Checks a flat object against the words of JSON Schema that these cards use.
fn check(schema: &Value, value: &Map<String, Value>) {
    assert_eq!(schema["type"], "object");
    for name in schema["required"].as_array().unwrap() {
        assert!(value.contains_key(name.as_str().unwrap()), "{name} is missing");
    }
    for (name, value) in value {
        let schema = &schema["properties"][name];
        let fits = match schema["type"].as_str() {
            Some("string") => {
                let max = schema["maxLength"].as_u64().unwrap_or(u64::MAX);
                value.as_str().is_some_and(|text| text.chars().count() as u64 <= max)
            }
            Some("integer") => value.is_i64(),
            Some("number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            _ => false,
        };
        assert!(fits, "{name}: {value} does not fit {schema}");
        if let Some(options) = schema["enum"].as_array() {
            assert!(options.contains(value), "{name}: {value}");
        }
        if let (Some(value), Some(low), Some(high)) =
            (value.as_f64(), schema["minimum"].as_f64(), schema["maximum"].as_f64())
        {
            assert!((low..=high).contains(&value), "{name}: {value}");
        }
    }
}

/// What the output schema describes: one property per artifact.
fn output(artifacts: &[Artifact]) -> Map<String, Value> {
    let content = |part: &Part| match &part.content {
        PartContent::Text(text) => json!(text),
        PartContent::Data(data) => data.clone(),
        PartContent::Raw(bytes) => json!(format!("{} bytes", bytes.len())),
        PartContent::Url(url) => json!(url),
    };
    artifacts.iter().map(|a| (a.name.clone().unwrap(), content(&a.parts[0]))).collect()
}

async fn run(wire: &Wire, agent: &DemoAgent, sample: &Sample) -> Task {
    let input: Value = serde_json::from_str(sample.input).unwrap();
    let (input_schema, output_schema) = schemas(agent.slug, sample.skill);
    check(&input_schema, input.as_object().unwrap());
    let mut message = Message::new(Role::User, vec![Part::data(input)]);
    message.metadata = Some(HashMap::from([("skillId".to_owned(), json!(sample.skill))]));
    let task = wire.send(&format!("/{}", agent.slug), json!({ "message": message })).await;
    assert_eq!(task.status.state, TaskState::Completed, "{}: {}", sample.title, line(&task));
    let output = output(task.artifacts.as_deref().unwrap());
    check(&output_schema, &output);
    for (name, value) in &output {
        let empty = value.as_str().is_some_and(str::is_empty) || value.as_array().is_some_and(Vec::is_empty);
        assert!(!empty, "{}: {name} is empty", sample.title);
    }
    task
}

async fn serve() -> Wire {
    Wire::serve(|origin| demo_agents::router(origin, HashMap::new())).await
}

#[test]
fn the_set_is_what_a_marketplace_needs() {
    let mut featured = 0;
    for agent in demo_agents::all() {
        let (whole, cents) = agent.price.split_once('.').unwrap();
        assert!(whole.parse::<u32>().is_ok() && cents.len() == 2 && cents.parse::<u32>().is_ok(), "{}", agent.price);
        assert!((3..=5).contains(&agent.samples.len()), "{}", agent.slug);
        let card = demo_agents::card(agent.slug, "http://x").unwrap();
        assert_eq!(card["name"], agent.name);
        let extensions = card["capabilities"]["extensions"].as_array().unwrap();
        let pricing = extensions.iter().find(|e| e["uri"] == "urn:nexus:a2a:pricing:1").unwrap();
        assert_eq!(pricing["params"]["creditsPerTask"], agent.price);
        featured += u32::from(agent.featured);
    }
    assert_eq!((demo_agents::all().len(), featured), (5, 3));
    assert!(demo_agents::all().iter().all(|agent| agent.slug != "echo"));
}

#[tokio::test]
async fn fast_agents_complete_at_once() {
    let wire = serve().await;
    for agent in demo_agents::all().iter().filter(|agent| agent.slug != "project-forecaster") {
        for sample in agent.samples {
            run(&wire, agent, sample).await;
        }
    }
}

#[tokio::test]
async fn the_forecaster_blocks_until_the_end() {
    let wire = serve().await;
    let agent = demo_agents::all().iter().find(|agent| agent.slug == "project-forecaster").unwrap();
    let [a, b, c] = agent.samples else { panic!("three samples") };
    let begun = Instant::now();
    let (first, ..) = tokio::join!(run(&wire, agent, a), run(&wire, agent, b), run(&wire, agent, c));
    assert!(begun.elapsed().as_secs() >= 5, "paced");
    assert!(line(&first).starts_with("P50 "), "{}", line(&first));
}

#[tokio::test]
async fn the_forecaster_tells_what_it_is_at_and_stops() {
    let wire = serve().await;
    let path = "/project-forecaster";
    let parts = vec![Part::text("Design; 2; 3; 6\nBuild; 5; 8; 20")];
    let sent = json!({ "message": Message::new(Role::User, parts), "configuration": { "returnImmediately": true } });
    let task = wire.send(path, sent).await;
    assert_eq!(task.status.state, TaskState::Working);
    let reported = async {
        loop {
            let under_way = wire.get(path, &task.id).await;
            if line(&under_way).starts_with("Simulated ") {
                break line(&under_way).to_owned();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let reported = tokio::time::timeout(Duration::from_secs(30), reported).await.unwrap();
    assert!(reported.contains(" of 200,000 runs; P80 so far "), "{reported}");
    let cancelled = wire.call(path, "CancelTask", json!({ "id": task.id })).await;
    assert_eq!(cancelled["result"]["status"]["state"], "TASK_STATE_CANCELED");
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(line(&wire.get(path, &task.id).await), "Cancelled on request");
}
