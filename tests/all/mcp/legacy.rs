//! The revisions with a handshake.

use serde_json::{Value, json};
use sqlx::PgPool;

use super::{answered, code};
use crate::test_app::TestApp;

#[sqlx::test(migrations = "./migrations")]
async fn the_handshake_settles_the_revision(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, ada) = app.person("ada").await;
    let mcp = app.mcp(&ada).await;
    for (wanted, settled) in [
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
        ("2025-03-26", "2025-03-26"),
        ("2024-11-05", "2024-11-05"),
        ("2026-07-28", "2025-11-25"),
        ("1.0", "2025-11-25"),
    ] {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize",
            "params": {"protocolVersion": wanted, "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}});
        let answer = mcp.request().json(&body).send().await.unwrap();
        assert!(answer.headers()["mcp-session-id"].to_str().unwrap().is_ascii());
        let (status, answer) = answered(answer).await;
        let result = &answer["result"];
        assert_eq!((status, result["protocolVersion"].as_str()), (200, Some(settled)), "{wanted}");
        assert_eq!(result["serverInfo"]["name"], "nexus");
        // Nothing is told of changes: that would need a stream that outlives its request.
        assert_eq!(result["capabilities"], json!({"tools": {}, "resources": {}, "prompts": {}, "completions": {}}));
        assert_eq!(result.get("resultType"), None, "a field of the other revision");
    }
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn an_old_client_asks_with_or_without_what_it_was_given(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, ada) = app.person("ada").await;
    let bare = app.mcp(&ada).await;
    let mcp = bare.clone().initialized().await;
    let noted = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let (post, _) = mcp.old(0, "", json!({}));
    let answer = post.json(&noted).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (202, String::new()));
    for client in [&bare, &mcp] {
        assert_eq!(client.ask_old("ping", json!({})).await, (200, json!({"jsonrpc": "2.0", "id": 1, "result": {}})));
        let listed = client.ask_old("tools/list", json!({})).await.1["result"].clone();
        assert_eq!(listed["tools"].as_array().unwrap().len(), 10);
        for field in ["resultType", "ttlMs", "cacheScope", "_meta"] {
            assert_eq!(listed.get(field), None, "{field}");
        }
    }
    // No header at all is 2025-03-26; one that is not spoken is refused.
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    assert_eq!(mcp.request().json(&ping).send().await.unwrap().status(), 200);
    let wrong = mcp.request().header("mcp-protocol-version", "2023-01-01").json(&ping).send().await.unwrap();
    assert_eq!(code(&answered(wrong).await), (400, -32022));
    for gone in ["resources/subscribe", "logging/setLevel", "tasks/list", "no/such"] {
        assert_eq!(code(&mcp.ask_old(gone, json!({})).await), (200, -32601), "{gone}");
    }
    let nowhere = mcp.ask_old("resources/read", json!({"uri": "nexus://nowhere"})).await;
    assert_eq!(code(&nowhere), (200, -32002));
    // An answer to nothing is taken and does nothing.
    let (post, _) = mcp.old(0, "", json!({}));
    let stray = json!({"jsonrpc": "2.0", "id": "x", "result": {}});
    assert_eq!(post.json(&stray).send().await.unwrap().status(), 202);
    // In 2026-07-28 there are no such answers.
    let request = mcp.request().header("mcp-protocol-version", "2026-07-28");
    assert_eq!(code(&answered(request.json(&stray).send().await.unwrap()).await), (400, -32600));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn batches_are_for_the_revisions_that_have_them(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, ada) = app.person("ada").await;
    let mcp = app.mcp(&ada).await;
    let ping = |id: i64| json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
    let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let send = async |version: Option<&str>, batch: Value| {
        let request = match version {
            Some(version) => mcp.request().header("mcp-protocol-version", version),
            None => mcp.request(),
        };
        answered(request.json(&batch).send().await.unwrap()).await
    };
    let balance = json!({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "get_balance"}});
    let mixed = json!([ping(1), note, {"jsonrpc": "2.0", "id": 2, "method": "no/such"}, 7, balance]);
    for version in [None, Some("2025-03-26")] {
        let (status, answers) = send(version, mixed.clone()).await;
        assert_eq!((status, answers.as_array().unwrap().len()), (200, 4), "{answers}");
        assert_eq!(answers[0], json!({"jsonrpc": "2.0", "id": 1, "result": {}}));
        assert_eq!((&answers[1]["id"], &answers[1]["error"]["code"]), (&json!(2), &json!(-32601)));
        assert_eq!(answers[2]["error"]["code"], -32600);
        assert_eq!(answers[3]["result"]["structuredContent"]["available"], "1000.00");
    }
    assert_eq!(send(None, json!([note])).await.0, 202);
    for version in ["2025-06-18", "2025-11-25", "2026-07-28"] {
        assert_eq!(code(&send(Some(version), json!([ping(1)])).await), (400, -32600), "{version}");
    }
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}});
    for batch in [json!([]), json!(vec![ping(1); 21]), json!([hello])] {
        assert_eq!(code(&send(None, batch).await), (400, -32600));
    }
    app.finish().await;
}
