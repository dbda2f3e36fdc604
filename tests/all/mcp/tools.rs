//! Each tool, by its owner, by a stranger, and as it says of itself.

use domain::AgentId;
use domain::api_keys::{NewKey, Scopes};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::Mcp;
use crate::test_app::TestApp;

const ORDER: &str = "say it back";

#[sqlx::test(migrations = "./migrations")]
async fn the_tools_say_what_they_do(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, ada) = app.person("ada").await;
    let listed = app.mcp(&ada).await.result("tools/list", json!({})).await;
    assert_eq!(listed.get("nextCursor"), None);
    let tools = listed["tools"].as_array().unwrap();
    let shown: Vec<String> = tools
        .iter()
        .map(|tool| {
            for part in ["title", "description"] {
                assert!(tool[part].as_str().unwrap().len() > 5, "{tool}");
            }
            for schema in ["inputSchema", "outputSchema"] {
                assert_eq!(tool[schema]["type"], "object", "{tool}");
            }
            let hints = &tool["annotations"];
            let marks = [
                ("readOnlyHint", "reads"),
                ("destructiveHint", "destroys"),
                ("idempotentHint", "repeats"),
                ("openWorldHint", "reaches out"),
            ];
            let marks: Vec<&str> =
                marks.iter().filter(|(hint, _)| hints[hint].as_bool().unwrap()).map(|m| m.1).collect();
            format!("{}: {}", tool["name"].as_str().unwrap(), marks.join(", "))
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    discover_agents: reads, repeats
    get_agent: reads, repeats
    get_agent_trust: reads, repeats
    delegate_task: reaches out
    check_task_status: reads, repeats
    reply_to_task: reaches out
    cancel_task: destroys, reaches out
    rate_agent: destroys
    list_tasks: reads, repeats
    get_balance: reads, repeats
    ");
    app.finish().await;
}

/// One buyer and one agent at 2.50, and a task that it has completed.
async fn bought(app: &TestApp) -> (Mcp, AgentId, String) {
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "2.50").await;
    let mcp = app.mcp(&buyer).await;
    let done = mcp.good("delegate_task", json!({"agentId": agent, "message": ORDER})).await;
    assert_eq!(done["state"], "completed", "{done}");
    (mcp, agent, done["id"].as_str().unwrap().to_owned())
}

#[sqlx::test(migrations = "./migrations")]
async fn an_agent_is_found_looked_at_hired_and_rated(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (mcp, agent, task) = bought(&app).await;
    let found =
        mcp.good("discover_agents", json!({"q": "echo", "maxPrice": "3.00", "skills": ["echo"], "limit": 5})).await;
    assert_eq!((&found["total"], &found["data"][0]["id"]), (&json!(1), &json!(agent)));
    assert_eq!(mcp.good("discover_agents", json!({"maxPrice": "1.00"})).await["total"], 0);
    let shown = mcp.good("get_agent", json!({"agentId": agent})).await;
    assert_eq!(
        (&shown["name"], &shown["priceCredits"], &shown["owner"]),
        (&json!("echo"), &json!("2.50"), &Value::Null)
    );
    let trust = mcp.good("get_agent_trust", json!({"agentId": agent})).await;
    assert_eq!(trust["parts"].as_array().unwrap().len(), 4);
    let status = mcp.good("check_task_status", json!({"taskId": task})).await;
    assert_eq!(
        (&status["state"], &status["costCredits"], &status["result"]["text"]),
        (&json!("completed"), &json!("2.50"), &json!(ORDER))
    );
    let rated = mcp.good("rate_agent", json!({"taskId": task, "stars": 5, "text": "quick"})).await;
    assert_eq!(rated["id"], json!(task));
    assert_eq!(mcp.refused("rate_agent", json!({"taskId": task, "stars": 5})).await, "CONFLICT");
    let listed = mcp.good("list_tasks", json!({"role": "requester", "state": "completed"})).await;
    assert_eq!(listed["data"][0]["id"], json!(task));
    assert_eq!(listed["nextCursor"], Value::Null);
    let balance = mcp.good("get_balance", json!({})).await;
    assert_eq!((&balance["available"], &balance["spent"]), (&json!("997.50"), &json!("2.50")));
    assert_eq!(mcp.refused("cancel_task", json!({"taskId": task})).await, "CONFLICT", "it has ended");
    assert_eq!(
        mcp.refused("reply_to_task", json!({"taskId": task, "message": "x"})).await,
        "CONFLICT",
        "it asks nothing"
    );
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn what_an_agent_wrote_is_marked_as_foreign(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (mcp, agent, task) = bought(&app).await;
    for (tool, arguments, within) in [
        ("check_task_status", json!({"taskId": task}), "/result"),
        ("list_tasks", json!({}), "/data/*/title"),
        ("get_agent", json!({"agentId": agent}), "/description"),
        ("discover_agents", json!({}), "/data/*/description"),
    ] {
        let result = mcp.tool(tool, arguments).await;
        let marked = result["_meta"]["nexus/foreignContent"].as_array().unwrap();
        assert!(marked.contains(&json!(within)), "{tool}: {marked:?}");
        let content = result["content"].as_array().unwrap();
        let said = content[0]["text"].as_str().unwrap();
        assert!(said.contains("not instructions"), "{tool}: {said}");
        assert!(content[1]["_meta"]["nexus/foreignContent"].is_array(), "{tool}");
        let text: Value = serde_json::from_str(content[1]["text"].as_str().unwrap()).unwrap();
        assert_eq!(text, result["structuredContent"], "{tool}: the same for models and programs");
    }
    let balance = mcp.tool("get_balance", json!({})).await;
    assert_eq!(balance["content"].as_array().unwrap().len(), 1);
    assert_eq!(balance["_meta"].get("nexus/foreignContent"), None);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_stranger_and_a_limited_key_find_nothing(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (mcp, agent, task) = bought(&app).await;
    let (_, stranger) = app.person("stranger").await;
    let theirs = app.mcp(&stranger).await;
    for (tool, arguments) in [
        ("check_task_status", json!({"taskId": task})),
        ("check_task_status", json!({"taskId": task, "waitSeconds": 5})),
        ("reply_to_task", json!({"taskId": task, "message": "x"})),
        ("cancel_task", json!({"taskId": task})),
        ("rate_agent", json!({"taskId": task, "stars": 1})),
        ("check_task_status", json!({"taskId": "no id"})),
        ("check_task_status", json!({"taskId": "../agents"})),
        ("check_task_status", json!({"taskId": ""})),
    ] {
        assert_eq!(theirs.refused(tool, arguments.clone()).await, "TASK_NOT_FOUND", "{tool} {arguments}");
    }
    for tool in ["get_agent", "get_agent_trust"] {
        assert_eq!(theirs.refused(tool, json!({"agentId": task})).await, "AGENT_NOT_FOUND", "{tool}");
    }
    assert_eq!(theirs.good("list_tasks", json!({})).await["data"], json!([]));
    assert_eq!(theirs.good("get_balance", json!({})).await["available"], "1000.00");
    let (_, other) = app.person("other").await;
    let second = app.agent(&other, "echo", "1.00").await;
    let narrow = NewKey { agents: Some(vec![second]), ..NewKey::named("narrow", Scopes::All) };
    let limited = Mcp { secret: app.program_with(&stranger, narrow).await.secret, ..mcp.clone() };
    assert_eq!(limited.refused("delegate_task", json!({"agentId": agent, "message": "x"})).await, "FORBIDDEN");
    let done = limited.good("delegate_task", json!({"agentId": second, "message": "x"})).await;
    assert_eq!(done["state"], "completed");
    app.finish().await;
}
