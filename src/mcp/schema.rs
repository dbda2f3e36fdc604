//! The schemas of the tools, made of the OpenAPI document (JSON Schema 2020-12, as OpenAPI 3.1 is).

use serde_json::{Map, Value, json};

use super::tools::Tool;
use crate::api;

/// Longest wait for a task, and the wait where nothing is said, in seconds.
pub const WAIT: (u64, u64) = (300, 50);

/// Arguments that the REST API has elsewhere, or not at all.
pub const WAIT_SECONDS: &str = "waitSeconds";
/// The `Idempotency-Key`.
pub const IDEMPOTENCY_KEY: &str = "idempotencyKey";
/// Above which price the person is asked.
pub const ASK_ABOVE: &str = "maxPriceWithoutAsking";

/// Formats that say how a number is kept, not what it may be; validators do not know them.
const NUMBER_FORMATS: [&str; 4] = ["int32", "int64", "float", "double"];

fn operation(tool: &Tool) -> &'static Value {
    &api::document()["paths"][tool.path][tool.method]
}

/// What a tool takes.
pub fn input(tool: &Tool) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    if let Some((name, about)) = tool.id {
        properties.insert(name.into(), json!({ "type": "string", "format": "uuid", "description": about }));
        required.push(json!(name));
    }
    for parameter in operation(tool)["parameters"].as_array().into_iter().flatten() {
        // Waiting has a longer reach here, and a key of another name.
        if parameter["in"] == "query" && parameter["name"] != "wait" {
            let mut schema = parameter["schema"].clone();
            schema["description"] = parameter["description"].clone();
            properties.insert(parameter["name"].as_str().unwrap_or_default().into(), schema);
        }
    }
    let body = resolved(&operation(tool)["requestBody"]["content"]["application/json"]["schema"]);
    for (name, schema) in body["properties"].as_object().into_iter().flatten() {
        properties.insert(name.clone(), schema.clone());
    }
    required.extend(body["required"].as_array().into_iter().flatten().cloned());
    if tool.waits {
        let (longest, usual) = (WAIT.0, if tool.reads { 0 } else { WAIT.1 });
        let about =
            format!("How long to wait for the task to end or to ask something, in seconds; {usual} when left out.");
        let schema = json!({ "type": "integer", "minimum": 0, "maximum": longest, "description": about });
        properties.insert(WAIT_SECONDS.into(), schema);
    }
    if tool.name == "delegate_task" {
        let mut schema = api::document()["components"]["schemas"]["Money"].clone();
        schema["description"] = json!("Ask the person before hiring an agent that costs more than this, in credits.");
        properties.insert(ASK_ABOVE.into(), schema);
    }
    if !tool.reads {
        let about = "Makes calling twice harmless: the second call with the same key and arguments answers as the first did, for 24 hours. \
                     1 to 255 printable ASCII characters.";
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": 255, "description": about });
        properties.insert(IDEMPOTENCY_KEY.into(), schema);
    }
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = Value::Array(required);
    }
    closed(schema)
}

/// What a tool answers: the operation's `data`, or its whole answer where that is a page of a list.
pub fn output(tool: &Tool) -> Value {
    let responses = &operation(tool)["responses"];
    let good = ["200", "201"].iter().map(|status| &responses[*status]).find(|r| r.is_object()).unwrap_or(&Value::Null);
    let whole = resolved(&good["content"]["application/json"]["schema"]);
    let mut schema = if is_page(&whole["properties"]) { whole } else { resolved(&whole["properties"]["data"]) };
    // A schema of several parts says nowhere that it is of an object; the revisions before 2026-07-28 want to read it.
    schema["type"] = json!("object");
    closed(schema)
}

/// Whether an answer with these members is a page of a list.
pub fn is_page(members: &Value) -> bool {
    members.get("nextCursor").is_some()
}

/// The schema that is referred to, or the schema itself.
fn resolved(schema: &Value) -> Value {
    match schema["$ref"].as_str().and_then(|r| r.strip_prefix("#/components/schemas/")) {
        Some(name) => api::document()["components"]["schemas"][name].clone(),
        None => schema.clone(),
    }
}

/// A schema that stands by itself: with all that it refers to.
fn closed(mut schema: Value) -> Value {
    let mut definitions = Map::new();
    let mut wanted = Vec::new();
    take_in(&mut schema, &mut wanted);
    while let Some(name) = wanted.pop() {
        if !definitions.contains_key(&name) {
            let mut definition = api::document()["components"]["schemas"][&name].clone();
            take_in(&mut definition, &mut wanted);
            definitions.insert(name, definition);
        }
    }
    if !definitions.is_empty() {
        schema["$defs"] = Value::Object(definitions);
    }
    schema
}

/// Turns references to the document into references to `$defs`, and notes their names.
fn take_in(schema: &mut Value, wanted: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(to)) = members.get_mut("$ref")
                && let Some(name) = to.strip_prefix("#/components/schemas/")
            {
                wanted.push(name.to_owned());
                *to = format!("#/$defs/{name}");
            }
            if members.get("format").and_then(Value::as_str).is_some_and(|f| NUMBER_FORMATS.contains(&f)) {
                members.remove("format");
            }
            members.values_mut().for_each(|member| take_in(member, wanted));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| take_in(item, wanted)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::tools::TOOLS;

    fn references(schema: &Value, found: &mut Vec<String>) {
        match schema {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|m| references(m, found));
            }
            Value::Array(items) => items.iter().for_each(|i| references(i, found)),
            _ => {}
        }
    }

    #[test]
    fn every_tool_has_schemas_that_stand_by_themselves() {
        for tool in &TOOLS {
            for schema in [input(tool), output(tool)] {
                assert_eq!(schema["type"], "object", "{}", tool.name);
                let mut found = Vec::new();
                references(&schema, &mut found);
                for reference in found {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(schema.pointer(pointer).is_some(), "{}: {reference}", tool.name);
                }
            }
            assert!(output(tool).as_object().unwrap().len() > 1, "{} says what it answers", tool.name);
            for required in input(tool)["required"].as_array().into_iter().flatten() {
                assert!(
                    input(tool)["properties"].get(required.as_str().unwrap()).is_some(),
                    "{}: {required}",
                    tool.name
                );
            }
        }
    }

    #[test]
    fn a_tool_takes_what_its_operation_does() {
        let names = |tool: &str| -> Vec<String> {
            let schema = input(Tool::named(tool).unwrap());
            let mut names: Vec<String> = schema["properties"].as_object().unwrap().keys().cloned().collect();
            names.sort();
            names
        };
        assert_eq!(names("get_balance"), Vec::<String>::new());
        assert_eq!(names("get_agent"), ["agentId"]);
        assert_eq!(names("check_task_status"), ["taskId", "waitSeconds"]);
        assert_eq!(names("cancel_task"), ["idempotencyKey", "taskId"]);
        assert_eq!(names("rate_agent"), ["idempotencyKey", "stars", "taskId", "text"]);
        assert_eq!(names("reply_to_task"), ["data", "idempotencyKey", "message", "parts", "taskId", "waitSeconds"]);
        assert_eq!(
            names("discover_agents"),
            ["cursor", "limit", "maxPrice", "minTrust", "q", "skills", "sort", "status", "tags"]
        );
        let hire = names("delegate_task");
        for name in ["agentId", "message", "maxBudgetCredits", "maxPriceWithoutAsking", "waitSeconds", "idempotencyKey"]
        {
            assert!(hire.contains(&name.to_owned()), "{name}");
        }
    }
}
