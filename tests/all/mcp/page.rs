//! docs/mcp.md says what is.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::json;
use sqlx::PgPool;

use crate::api::only;
use crate::test_app::TestApp;

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/mcp.md")).unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn the_page_has_every_tool_with_the_scope_that_it_needs(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, ada) = app.person("ada").await;
    let rows: BTreeMap<String, String> = page()
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.strip_prefix("| `")?.strip_suffix(" |")?.split(" | ").collect();
            let [name, _, scope] = cells[..] else { return None };
            Some((name.trim_matches('`').to_owned(), scope.trim_matches('`').to_owned()))
        })
        .filter(|(name, _)| name.contains('_'))
        .collect();
    let mut needed = BTreeMap::new();
    for tool in app.mcp(&ada).await.result("tools/list", json!({})).await["tools"].as_array().unwrap() {
        let name = tool["name"].as_str().unwrap();
        // A key with another scope is told which one is missing.
        let other = app.mcp_with(&ada, only(domain::api_keys::Scope::WebhooksRead)).await;
        let (_, answer) = other.ask("tools/call", json!({"name": name, "arguments": {}})).await;
        needed.insert(name.to_owned(), answer["error"]["data"]["scope"].as_str().unwrap_or("none").to_owned());
    }
    assert_eq!(rows, needed);
    app.finish().await;
}

#[test]
fn the_page_names_tests_that_exist() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/all/mcp");
    let mut named = 0;
    for word in page().split('`').filter(|word| word.contains("::")) {
        let (file, test) = word.split_once("::").unwrap();
        let source = fs::read_to_string(folder.join(format!("{file}.rs"))).unwrap_or_else(|e| panic!("{word}: {e}"));
        assert!(source.contains(&format!("fn {test}(")), "docs/mcp.md names {word}, which is no test");
        named += 1;
    }
    assert!(named > 20, "{named}");
}
