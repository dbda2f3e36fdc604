//! The SDKs are made of `sdk/openapi.json`: it is what this program says of itself, and every operation has a name in them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

const ANEW: &str = "run scripts/generate-sdks";

fn read(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn the_sdks_are_made_of_this_document() {
    let (now, kept) = (nexus::api::document(), read("openapi.json"));
    for part in ["/paths", "/components/schemas"] {
        let named = |document: &Value| document.pointer(part).unwrap().as_object().unwrap().clone();
        let (now, kept) = (named(now), named(&kept));
        let changed: Vec<&String> =
            now.keys().chain(kept.keys()).filter(|name| now.get(*name) != kept.get(*name)).collect();
        assert!(changed.is_empty(), "not the same in sdk/openapi.json under {part}: {changed:?}; {ANEW}");
    }
    assert!(*now == kept, "sdk/openapi.json is another document; {ANEW}");
}

#[test]
fn every_operation_has_a_name_in_the_sdks_and_no_name_is_left_over() {
    let document = nexus::api::document();
    let items = document["paths"].as_object().unwrap().values();
    let operations = items.flat_map(|item| item.as_object().unwrap().values());
    let ids: BTreeSet<&str> = operations.map(|o| o["operationId"].as_str().unwrap()).collect();
    let names = read("names.json");
    let names = names.as_object().unwrap();
    let named: BTreeSet<&str> = names.keys().map(String::as_str).collect();
    assert_eq!(ids, named, "sdk/names.json: operation → group.method");
    let different: BTreeSet<&str> = names.values().map(|n| n.as_str().unwrap()).collect();
    assert_eq!(different.len(), names.len(), "two operations have one name");
}
