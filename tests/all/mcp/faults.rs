//! What is no message, or too much of one.

use serde_json::{Value, json};
use sqlx::PgPool;

use super::{answered, code};
use crate::test_app::TestApp;

#[sqlx::test(migrations = "./migrations")]
async fn what_is_no_message_has_the_right_error(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, ada) = app.person("ada").await;
    let mcp = app.mcp(&ada).await;
    let send = async |body: &str| code(&answered(mcp.request().body(body.to_owned()).send().await.unwrap()).await);
    for broken in ["", "{", "not json", "{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"ping\"} x", "\u{feff}{}", "\0"]
    {
        assert_eq!(send(broken).await, (400, -32700), "{broken:?}");
    }
    for wrong in [
        "1",
        "null",
        "\"ping\"",
        "{}",
        r#"{"id": 1, "method": "ping"}"#,
        r#"{"jsonrpc": "1.0", "id": 1, "method": "ping"}"#,
        r#"{"jsonrpc": "2.0", "id": null, "method": "ping"}"#,
        r#"{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}"#,
        r#"{"jsonrpc": "2.0", "id": true, "method": "ping"}"#,
        r#"{"jsonrpc": "2.0", "id": 1, "method": 5}"#,
        r#"{"jsonrpc": "2.0", "id": 1}"#,
    ] {
        assert_eq!(send(wrong).await, (400, -32600), "{wrong}");
    }
    assert_eq!(send(r#"{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1]}"#).await, (400, -32602));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(send(&deep).await, (400, -32700), "nested without end");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn wrong_types_are_wrong_parameters(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, ada) = app.person("ada").await;
    let mcp = app.mcp(&ada).await;
    for (method, params) in [
        ("tools/call", json!({})),
        ("tools/call", json!({"name": 5})),
        ("tools/call", json!({"name": "no_such_tool"})),
        ("tools/call", json!({"name": "get_agent", "arguments": [1]})),
        ("tools/call", json!({"name": "delegate_task", "arguments": {}, "requestState": 5})),
        ("tools/call", json!({"name": "delegate_task", "arguments": {}, "requestState": "forged.state"})),
        ("tools/call", json!({"name": "delegate_task", "arguments": {}, "inputResponses": []})),
        ("tools/list", json!({"cursor": "x"})),
        ("tools/list", json!({"cursor": 5})),
        ("resources/list", json!({"cursor": "x"})),
        ("resources/templates/list", json!({"cursor": "x"})),
        ("prompts/list", json!({"cursor": "x"})),
        ("resources/read", json!({})),
        ("resources/read", json!({"uri": {}})),
        ("prompts/get", json!({})),
        ("prompts/get", json!({"name": "no_such_prompt"})),
        ("prompts/get", json!({"name": "find_and_hire"})),
        ("prompts/get", json!({"name": "find_and_hire", "arguments": {"work": 5}})),
        ("completion/complete", json!({})),
        ("completion/complete", json!({"ref": {"type": "ref/x"}, "argument": {"name": "a", "value": ""}})),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "x"}, "argument": {"name": "a", "value": ""}}),
        ),
        ("subscriptions/listen", json!({})),
        ("subscriptions/listen", json!({"notifications": {"toolsListChanged": 1}})),
        ("subscriptions/listen", json!({"notifications": {"resourceSubscriptions": "nexus://agents"}})),
        ("subscriptions/listen", json!({"notifications": {"resourceSubscriptions": vec!["nexus://agents"; 101]}})),
    ] {
        let answer = mcp.ask(method, params.clone()).await;
        assert_eq!(code(&answer), (200, -32602), "{method} {params}: {}", answer.1);
    }
    // Arguments that an operation does not take are said to the model, which can mend them.
    for (tool, arguments, field) in [
        ("get_agent", json!({}), "agentId"),
        ("get_agent", json!({"agentId": 5}), "agentId"),
        ("discover_agents", json!({"limit": 1000}), "limit"),
        ("discover_agents", json!({"tags": [1]}), "tags"),
        ("discover_agents", json!({"q": {"a": 1}}), "q"),
        ("discover_agents", json!({"colour": "red"}), "colour"),
        ("list_tasks", json!({"role": "boss"}), "role"),
        ("list_tasks", json!({"cursor": "x"}), "cursor"),
        ("rate_agent", json!({"taskId": uuid::Uuid::nil(), "stars": "five"}), "stars"),
        ("delegate_task", json!({}), "agentId"),
        ("delegate_task", json!({"agentId": "x", "message": "hi"}), "agentId"),
        ("delegate_task", json!({"agentId": uuid::Uuid::nil(), "waitSeconds": 301}), "waitSeconds"),
        ("delegate_task", json!({"agentId": uuid::Uuid::nil(), "waitSeconds": "5"}), "waitSeconds"),
        ("delegate_task", json!({"agentId": uuid::Uuid::nil(), "maxPriceWithoutAsking": 5}), "maxPriceWithoutAsking"),
        ("delegate_task", json!({"agentId": uuid::Uuid::nil(), "maxPriceWithoutAsking": "x"}), "maxPriceWithoutAsking"),
        ("delegate_task", json!({"agentId": uuid::Uuid::nil(), "idempotencyKey": "a b"}), "idempotencyKey"),
        ("cancel_task", json!({"taskId": uuid::Uuid::nil(), "idempotencyKey": 5}), "idempotencyKey"),
    ] {
        let result = mcp.tool(tool, arguments.clone()).await;
        let error = &result["_meta"]["nexus/error"];
        assert_eq!(
            (&result["isError"], &error["code"]),
            (&json!(true), &json!("VALIDATION_ERROR")),
            "{tool} {arguments}: {result}"
        );
        let named: Vec<&str> =
            error["details"].as_array().unwrap().iter().filter_map(|d| d["field"].as_str()).collect();
        assert_eq!(named, [field], "{tool} {arguments}: {result}");
    }
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn sizes_and_media_types_are_held_to(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, ada) = app.person("ada").await;
    let mcp = app.mcp(&ada).await;
    let (request, mut body) = mcp.modern(1, "tools/call", json!({"name": "discover_agents", "arguments": {}}));
    body["params"]["arguments"]["q"] = Value::String("x".repeat(3_000_000));
    assert_eq!(request.json(&body).send().await.unwrap().status(), 200, "3 MB are taken");
    let (request, _) = mcp.modern(1, "tools/list", json!({}));
    // The answer may come before all is sent: then the connection is closed under the sender.
    if let Ok(answer) = request.body(vec![b' '; 10_000_000]).send().await {
        assert_eq!(code(&answered(answer).await), (413, 413));
    }
    let streamed = futures::stream::iter((0..10).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1_000_000])));
    let (request, _) = mcp.modern(1, "tools/list", json!({}));
    if let Ok(answer) = request.body(reqwest::Body::wrap_stream(streamed)).send().await {
        assert_eq!(answer.status(), 413);
    }
    assert_eq!(mcp.ask("tools/list", json!({})).await.0, 200, "the server goes on");

    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = async |kind: &str, accept: Option<&str>| {
        let (_, body) = mcp.old(1, "ping", json!({}));
        let request =
            client.post(&mcp.url).bearer_auth(&mcp.secret).header("content-type", kind).body(body.to_string());
        let request = match accept {
            Some(accept) => request.header("accept", accept),
            None => request,
        };
        request.send().await.unwrap().status().as_u16()
    };
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        assert_eq!(post(kind, None).await, 415, "{kind}");
    }
    assert_eq!(post("application/json; charset=utf-8", None).await, 200);
    for accept in ["*/*", "application/*", "application/json, text/event-stream", "text/html, application/json;q=0.5"] {
        assert_eq!(post("application/json", Some(accept)).await, 200, "{accept}");
    }
    for accept in ["text/html", "text/event-stream"] {
        assert_eq!(post("application/json", Some(accept)).await, 406, "{accept}");
    }
    app.finish().await;
}
