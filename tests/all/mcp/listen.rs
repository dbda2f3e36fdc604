//! Streams of what has changed.

use domain::Actor;
use domain::api_keys::{Scope, Scopes};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::code;
use crate::api::only;
use crate::scripted_agent::{Answer, ScriptedAgent, task};
use crate::test_app::TestApp;

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// An agent that asks, and ends when it is answered.
async fn asker(app: &TestApp, owner: &Actor) -> ScriptedAgent {
    ScriptedAgent::listed(app, owner, json!({}), |_, params, _| {
        match params.pointer("/message/parts/0/text").and_then(Value::as_str) {
            Some("ask") => Answer::Now(json!({"task": task("TASK_STATE_INPUT_REQUIRED", "what?", json!([]))})),
            _ => Answer::Now(json!({"task": task("TASK_STATE_COMPLETED", "done", json!([]))})),
        }
    })
    .await
}

#[sqlx::test(migrations = "./migrations")]
async fn a_stream_tells_of_ones_tasks_and_of_nothing_else(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let (_, stranger) = app.person("stranger").await;
    let agent = asker(&app, &owner).await;
    let (mcp, other) = (app.mcp(&buyer).await, app.mcp(&stranger).await);
    let order = json!({"agentId": agent.id, "message": "ask"});
    let mine = mcp.good("delegate_task", order.clone()).await["id"].as_str().unwrap().to_owned();
    let theirs = other.good("delegate_task", order.clone()).await["id"].as_str().unwrap().to_owned();
    let uri = format!("nexus://tasks/{mine}");
    let wanted = json!({"toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true,
        "resourceSubscriptions": [uri, format!("nexus://tasks/{theirs}"), "nexus://agents", "file:///x"]});
    let mut stream = mcp.open(mcp.modern(42, "subscriptions/listen", json!({"notifications": wanted}))).await;
    let agreed = stream.next().await.unwrap();
    assert_eq!(agreed["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(
        agreed["params"]["notifications"],
        json!({"resourcesListChanged": true, "resourceSubscriptions": [uri]})
    );
    assert_eq!(agreed["params"]["_meta"][SUBSCRIPTION], 42);

    // What happens to somebody else's is not told.
    other.good("reply_to_task", json!({"taskId": theirs, "message": "x"})).await;
    other.good("delegate_task", order.clone()).await;
    mcp.good("reply_to_task", json!({"taskId": mine, "message": "that"})).await;
    let told = stream.next().await.unwrap();
    assert_eq!(told["method"], "notifications/resources/updated");
    assert_eq!((&told["params"]["uri"], &told["params"]["_meta"][SUBSCRIPTION]), (&json!(uri), &json!(42)));
    mcp.good("delegate_task", order).await;
    let told = stream.until("notifications/resources/list_changed").await;
    assert_eq!(told["params"]["_meta"][SUBSCRIPTION], 42);
    app.finish().await;
    // The program stops: the stream ends with its result.
    let (end, _) = stream.end().await;
    assert_eq!((&end["id"], &end["result"]["resultType"]), (&json!(42), &json!("complete")));
    assert_eq!(end["result"]["_meta"][SUBSCRIPTION], 42);
}

#[sqlx::test(migrations = "./migrations")]
async fn what_was_not_asked_for_is_not_told(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = asker(&app, &owner).await;
    let mcp = app.mcp(&buyer).await;
    let order = json!({"agentId": agent.id, "message": "ask"});
    let task = mcp.good("delegate_task", order.clone()).await["id"].clone();
    let nothing = json!({"notifications": {"toolsListChanged": true, "resourcesListChanged": false}});
    let mut stream = mcp.open(mcp.modern(1, "subscriptions/listen", nothing)).await;
    assert_eq!(stream.next().await.unwrap()["params"]["notifications"], json!({}));
    mcp.good("reply_to_task", json!({"taskId": task, "message": "x"})).await;
    mcp.good("delegate_task", order).await;
    // Without the scope there is nothing to hear of.
    let blind = app.mcp_with(&buyer, only(Scope::AgentsRead)).await;
    let wanted = json!({"notifications": {"resourcesListChanged": true, "resourceSubscriptions": [format!("nexus://tasks/{}", task.as_str().unwrap())]}});
    let mut sees_nothing = blind.open(blind.modern(1, "subscriptions/listen", wanted.clone())).await;
    assert_eq!(sees_nothing.next().await.unwrap()["params"]["notifications"], json!({}));
    // Only for who reads streams, and only in 2026-07-28.
    let (request, body) = mcp.modern(1, "subscriptions/listen", wanted.clone());
    let request = request.build().unwrap();
    let mut headers = request.headers().clone();
    headers.insert("accept", "application/json".parse().unwrap());
    let plain = reqwest::Client::builder().no_proxy().build().unwrap().post(request.url().clone()).headers(headers);
    assert_eq!(plain.json(&body).send().await.unwrap().status(), 406);
    assert_eq!(code(&mcp.ask_old("subscriptions/listen", wanted).await), (400, -32602));
    app.finish().await;
    assert_eq!(stream.end().await.1, Vec::<Value>::new());
    assert_eq!(sees_nothing.end().await.1, Vec::<Value>::new());
}

#[sqlx::test(migrations = "./migrations")]
async fn a_revoked_key_hears_nothing_more(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = asker(&app, &owner).await;
    let program = app.program_with(&buyer, domain::api_keys::NewKey::named("short", Scopes::All)).await;
    let mcp = super::Mcp { secret: program.secret.clone(), ..app.mcp(&buyer).await };
    let task = mcp.good("delegate_task", json!({"agentId": agent.id, "message": "ask"})).await["id"].clone();
    let uri = format!("nexus://tasks/{}", task.as_str().unwrap());
    let wanted = json!({"notifications": {"resourceSubscriptions": [uri]}});
    let mut stream = mcp.open(mcp.modern(1, "subscriptions/listen", wanted)).await;
    stream.next().await.unwrap();
    domain::api_keys::revoke(&app.db, &buyer, program.key, chrono::Utc::now()).await.unwrap();
    app.mcp(&buyer).await.good("reply_to_task", json!({"taskId": task, "message": "x"})).await;
    assert_eq!(stream.end().await.1, Vec::<Value>::new());
    app.finish().await;
}
