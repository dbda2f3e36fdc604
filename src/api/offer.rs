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
    let scopes =
        operation.get("security").map(|ways| array(ways).flat_map(|way| array(&way["key"])).map(text).collect());
    ApiOperation {
        tag: text(&operation["tags"][0]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        scopes,
    }
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
        assert_eq!((hire.tag.as_str(), hire.scopes.as_deref()), ("Tasks", Some(&["tasks:write".to_owned()][..])));
        assert_eq!(find("GET", "/account").scopes, Some(Vec::new()), "any key");
        assert_eq!(find("GET", "/health").scopes, None, "no key");
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
