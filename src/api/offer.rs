//! The API's operations as the reference page lists them, read off the OpenAPI document.

use app::{ApiOffer, ApiOperation};
use serde_json::Value;

/// The methods of a path in the order that people look for them.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Every operation of `document`, by tag and path.
pub fn offer(document: &Value, viewer: bool) -> ApiOffer {
    let tags: Vec<&str> = array(&document["tags"]).filter_map(|t| t["name"].as_str()).collect();
    let paths = document["paths"].as_object();
    let mut operations: Vec<ApiOperation> = paths
        .into_iter()
        .flatten()
        .flat_map(|(path, item)| METHODS.iter().filter_map(move |m| Some(operation(m, path, item.get(m)?))))
        .collect();
    // A stable sort: within a tag they stay by path.
    operations.sort_by_key(|o| tags.iter().position(|t| *t == o.tag));
    ApiOffer { viewer, operations }
}

fn operation(method: &str, path: &str, operation: &Value) -> ApiOperation {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    ApiOperation {
        tag: text(&operation["tags"][0]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        needs: needs(&operation["security"]),
    }
}

/// The ways to be let in, any of which will do (OpenAPI 3.1, "Security Requirement Object").
fn needs(security: &Value) -> String {
    let ways: Vec<String> = array(security)
        .map(|way| match way.get("key").and_then(Value::as_array) {
            Some(scopes) if scopes.is_empty() => "any key".to_owned(),
            Some(scopes) => scopes.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" and "),
            None if way.get("agentSignature").is_some() => "the agent’s signature".to_owned(),
            None => "no key".to_owned(),
        })
        .collect();
    if ways.is_empty() { "no key".to_owned() } else { ways.join(" or ") }
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_listed_with_what_it_needs() {
        let document = crate::api::document();
        let operations = offer(document, false).operations;
        let count: usize = document["paths"].as_object().unwrap().values().map(|p| p.as_object().unwrap().len()).sum();
        assert_eq!(operations.len(), count);
        let find = |method: &str, path: &str| operations.iter().find(|o| o.method == method && o.path == path).unwrap();
        let hire = find("POST", "/tasks");
        assert_eq!((hire.tag.as_str(), hire.needs.as_str()), ("Tasks", "tasks:write"));
        assert_eq!(find("GET", "/account").needs, "any key");
        assert_eq!(find("GET", "/health").needs, "no key");
        assert_eq!(find("GET", "/agents/{id}").needs, "no key or agents:read");
        assert_eq!(find("POST", "/agents/{id}/heartbeat").needs, "agents:write or the agent’s signature");
        assert!(operations.iter().all(|o| !o.summary.is_empty() && !o.tag.is_empty()), "{operations:?}");
        // Operations of one tag stand together.
        let mut tags: Vec<&str> = operations.iter().map(|o| o.tag.as_str()).collect();
        tags.dedup();
        let mut once = tags.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(tags.len(), once.len(), "{tags:?}");
    }
}
