//! Examples of the OpenAPI document. They stand in `examples/*.json`, in the order in which a test sends them to a server and
//! compares the answers, so that none is made up; the same test, asked to record, writes the answers.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The files, in order.
pub const FILES: [(&str, &str); 5] = [
    ("tasks", include_str!("examples/tasks.json")),
    ("keys", include_str!("examples/keys.json")),
    ("agents", include_str!("examples/agents.json")),
    ("billing", include_str!("examples/billing.json")),
    ("webhooks", include_str!("examples/webhooks.json")),
];

/// One request and its answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Example {
    /// Of which operation. The document shows the first of each.
    pub operation: String,
    /// Who sends it, where it is not the buyer: `provider`, the owner of the agent.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// The id of what it makes, as later examples name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What stands in the path.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub path: serde_json::Map<String, Value>,
    /// What stands in the query.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// The body, where it takes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The status of the answer.
    pub status: u16,
    /// The answer; nothing where it is not JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
}

/// All of them.
pub fn all() -> Vec<Example> {
    FILES.iter().flat_map(|(_, text)| serde_json::from_str::<Vec<Example>>(text).unwrap_or_default()).collect()
}

/// Writes them into the document.
pub(super) fn add(document: &mut Value) {
    let examples = all();
    let paths = document["paths"].as_object_mut();
    for operation in paths.into_iter().flatten().flat_map(|(_, item)| item.as_object_mut().into_iter().flatten()) {
        let operation = operation.1;
        let Some(example) = examples.iter().find(|e| operation["operationId"] == e.operation.as_str()) else {
            continue;
        };
        if let (Some(body), Some(content)) =
            (&example.body, operation.pointer_mut("/requestBody/content/application~1json"))
        {
            content["example"] = body.clone();
        }
        let answer = format!("/responses/{}/content/application~1json", example.status);
        if let (Some(body), Some(content)) = (&example.answer, operation.pointer_mut(&answer)) {
            content["example"] = body.clone();
        }
        for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap_or_default().to_owned();
            if parameter["in"] == "path"
                && let Some(value) = example.path.get(&name)
            {
                parameter["example"] = json!(value);
            }
        }
    }
}
