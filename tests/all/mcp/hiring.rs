//! Hiring: progress on the way, being called off, refusals that a model can act on.

use std::time::Duration;

use domain::Actor;
use domain::api_keys::{NewKey, Scopes};
use domain::tasks::TaskState;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Mcp, answered};
use crate::scripted_agent::{Answer, ScriptedAgent, task};
use crate::test_app::TestApp;

/// An agent that says what it does and ends after a second, or, where it is told to, never.
async fn worker(app: &TestApp, owner: &Actor) -> ScriptedAgent {
    let says = |state: &str, said: &str| {
        json!({"statusUpdate": {"taskId": "t1", "contextId": "c1", "status": {"state": state, "message":
            {"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": said}]}}}})
    };
    ScriptedAgent::listed(app, owner, json!({"streaming": true}), move |method, params, _| {
        let endless = params.pointer("/message/parts/0/text").and_then(Value::as_str) == Some("for ever");
        match method {
            "SendStreamingMessage" if endless => Answer::Stream(vec![
                (0, json!({"task": task("TASK_STATE_WORKING", "Digging", json!([]))})),
                (60_000, says("TASK_STATE_COMPLETED", "never")),
            ]),
            "SendStreamingMessage" => Answer::Stream(vec![
                (0, json!({"task": task("TASK_STATE_WORKING", "Digging", json!([]))})),
                (500, says("TASK_STATE_WORKING", "Half way")),
                (500, json!({"task": task("TASK_STATE_COMPLETED", "Done", json!([
                    {"artifactId": "a", "name": "Report", "parts": [
                        {"raw": "aGVsbG8=", "filename": "report.txt", "mediaType": "text/plain"}, {"text": "dug"}]}]))})),
            ]),
            _ => Answer::Now(task("TASK_STATE_CANCELED", "stopped", json!([]))),
        }
    })
    .await
}

fn order(agent: &ScriptedAgent, message: &str, token: Option<&str>) -> Value {
    let mut params = json!({"name": "delegate_task", "arguments": {"agentId": agent.id, "message": message}});
    if let Some(token) = token {
        params["_meta"] = json!({"progressToken": token});
    }
    params
}

#[sqlx::test(migrations = "./migrations")]
async fn progress_is_shown_while_the_agent_works(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = worker(&app, &owner).await;
    let mcp = app.mcp(&buyer).await;
    for old in [false, true] {
        let message = if old {
            mcp.old(7, "tools/call", order(&agent, "dig", Some("p-1")))
        } else {
            mcp.modern(7, "tools/call", order(&agent, "dig", Some("p-1")))
        };
        let (answer, before) = mcp.open(message).await.end().await;
        assert_eq!(answer["id"], 7);
        assert_eq!(answer["result"].get("resultType").is_some(), !old, "{answer}");
        let done = &answer["result"]["structuredContent"];
        assert_eq!((&done["state"], &done["result"]["text"]), (&json!("completed"), &json!("dug")), "{answer}");
        assert!(
            before.iter().all(|m| m["method"] == "notifications/progress" && m["params"]["progressToken"] == "p-1")
        );
        let numbers: Vec<i64> = before.iter().map(|m| m["params"]["progress"].as_i64().unwrap()).collect();
        assert!(numbers.len() > 3 && numbers.windows(2).all(|w| w[0] < w[1]), "{numbers:?}");
        let words: Vec<&str> = before.iter().map(|m| m["params"]["message"].as_str().unwrap()).collect();
        assert!(words.contains(&"ordered") && words.contains(&"Scripted says: “Half way”"), "{words:?}");
        // A file is a link to a resource.
        let links: Vec<&Value> =
            answer["result"]["content"].as_array().unwrap().iter().filter(|c| c["type"] == "resource_link").collect();
        let uri = format!("nexus://tasks/{}/artifacts/0/0", done["id"].as_str().unwrap());
        assert_eq!((links.len(), &links[0]["uri"], &links[0]["name"]), (1, &json!(uri), &json!("report.txt")));
    }
    // A client from before there were links gets none.
    let (_, body) = mcp.old(7, "tools/call", order(&agent, "dig", None));
    let oldest = mcp.request().header("mcp-protocol-version", "2025-03-26").json(&body).send().await.unwrap();
    let content = answered(oldest).await.1["result"]["content"].clone();
    let kinds: Vec<&Value> = content.as_array().unwrap().iter().map(|c| &c["type"]).collect();
    assert_eq!(kinds, ["text", "text"]);
    // Without a token nothing is said on the way.
    let (_, before) = mcp.open(mcp.modern(8, "tools/call", order(&agent, "dig", None))).await.end().await;
    assert_eq!(before, Vec::<Value>::new());
    // Who cannot read a stream waits for one answer.
    let (request, body) = mcp.modern(9, "tools/call", order(&agent, "dig", Some("p")));
    let request = request.build().unwrap();
    let mut headers = request.headers().clone();
    headers.insert("accept", "application/json".parse().unwrap());
    let plain = reqwest::Client::builder().no_proxy().build().unwrap().post(request.url().clone());
    let answer = plain.headers(headers).json(&body).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answered(answer).await.1["result"]["structuredContent"]["state"], "completed");
    app.finish().await;
}

/// The task that is being done, as soon as its agent works.
async fn running(mcp: &Mcp) -> domain::TaskId {
    for _ in 0..400 {
        let listed = mcp.good("list_tasks", json!({"state": "running"})).await;
        if let Some(id) = listed["data"][0]["id"].as_str() {
            return id.parse().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("nothing runs");
}

#[sqlx::test(migrations = "./migrations")]
async fn closing_the_stream_calls_a_modern_request_off(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = worker(&app, &owner).await;
    let mcp = app.mcp(&buyer).await;
    let stream = mcp.open(mcp.modern(1, "tools/call", order(&agent, "for ever", None))).await;
    let task = running(&mcp).await;
    // Looking at it is called off without harm.
    let look = json!({"name": "check_task_status", "arguments": {"taskId": task, "waitSeconds": 60}});
    drop(mcp.open(mcp.modern(2, "tools/call", look)).await);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(domain::tasks::detail(&app.db, &buyer, task).await.unwrap().summary.state, TaskState::Running);
    drop(stream);
    assert_eq!(app.ended(&buyer, task).await.summary.state, TaskState::Cancelled);
    assert_eq!(app.available(&buyer).await, "1000.00");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn an_old_client_calls_off_by_saying_so_and_not_by_going(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = worker(&app, &owner).await;
    let mcp = app.mcp(&buyer).await.initialized().await;
    let cancelled =
        |request: i64| json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": request}});
    let mut stream = mcp.open(mcp.old(5, "tools/call", order(&agent, "for ever", None))).await;
    let task = running(&mcp).await;
    // Another client with the same key has the same ids; and one that was never told apart calls nothing off.
    let other = app.mcp(&buyer).await.initialized().await;
    let other = Mcp { secret: mcp.secret.clone(), ..other };
    let nameless = Mcp { session: None, ..mcp.clone() };
    for (client, request) in [(&other, 5), (&nameless, 5), (&mcp, 6)] {
        let (post, _) = client.old(0, "", json!({}));
        assert_eq!(post.json(&cancelled(request)).send().await.unwrap().status(), 202);
    }
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(domain::tasks::detail(&app.db, &buyer, task).await.unwrap().summary.state, TaskState::Running);
    let (post, _) = mcp.old(0, "", json!({}));
    assert_eq!(post.json(&cancelled(5)).send().await.unwrap().status(), 202);
    assert_eq!(stream.next().await, None, "no answer to what was called off");
    assert_eq!(app.ended(&buyer, task).await.summary.state, TaskState::Cancelled);

    let stream = mcp.open(mcp.old(8, "tools/call", order(&agent, "for ever", None))).await;
    let task = running(&mcp).await;
    drop(stream);
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(domain::tasks::detail(&app.db, &buyer, task).await.unwrap().summary.state, TaskState::Running);
    mcp.good("cancel_task", json!({"taskId": task})).await;
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_wait_has_an_end_and_a_second_call_does_nothing_twice(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = worker(&app, &owner).await;
    let mcp = app.mcp(&buyer).await;
    let order = json!({"agentId": agent.id, "message": "for ever", "waitSeconds": 1, "idempotencyKey": "k-1"});
    let first = mcp.good("delegate_task", order.clone()).await;
    assert!(matches!(first["state"].as_str(), Some("assigned" | "running")), "{first}");
    let second = mcp.tool("delegate_task", order).await;
    assert_eq!(second["structuredContent"]["id"], first["id"]);
    assert!(second["content"][0]["text"].as_str().unwrap().contains("check_task_status"), "{second}");
    assert_eq!(mcp.good("list_tasks", json!({})).await["data"].as_array().unwrap().len(), 1);
    let other = json!({"agentId": agent.id, "message": "dig", "waitSeconds": 1, "idempotencyKey": "k-1"});
    assert_eq!(mcp.refused("delegate_task", other).await, "IDEMPOTENCY_CONFLICT");
    let cancelled = mcp.good("cancel_task", json!({"taskId": first["id"]})).await;
    assert_eq!(cancelled["state"], "cancelled");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_refusal_says_what_can_be_done(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let dear = app.agent(&owner, "echo", "1200.00").await;
    let mcp = app.mcp(&buyer).await;
    let order = json!({"agentId": dear, "message": "hi"});
    let result = mcp.tool("delegate_task", order.clone()).await;
    assert_eq!(result["isError"], true);
    let error = &result["_meta"]["nexus/error"];
    assert_eq!(error["code"], "INSUFFICIENT_CREDITS");
    assert_eq!((&error["details"]["needed"], &error["details"]["available"]), (&json!("1200.00"), &json!("1000.00")));
    assert_eq!(error["details"]["topUpUrl"], json!(format!("{}/credits", app.base())));
    assert!(result["content"][0]["text"].as_str().unwrap().contains("/credits"), "{result}");
    let with = |extra: Value| {
        let mut order = order.clone();
        order.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        order
    };
    assert_eq!(mcp.refused("delegate_task", with(json!({"minTrustScore": 99}))).await, "TRUST_THRESHOLD_NOT_MET");
    assert_eq!(mcp.refused("delegate_task", with(json!({"maxBudgetCredits": "5.00"}))).await, "VALIDATION_ERROR");
    let nobody = json!({"agentId": uuid::Uuid::nil(), "message": "hi"});
    assert_eq!(mcp.refused("delegate_task", nobody).await, "AGENT_NOT_FOUND");
    let cap = NewKey { total_cap: Some("1.00".parse().unwrap()), ..NewKey::named("small", Scopes::All) };
    let small = Mcp { secret: app.program_with(&buyer, cap).await.secret, ..mcp.clone() };
    let cheap = app.agent(&owner, "echo", "2.00").await;
    assert_eq!(small.refused("delegate_task", json!({"agentId": cheap, "message": "hi"})).await, "FORBIDDEN");
    assert_eq!(app.available(&buyer).await, "1000.00", "nothing was ordered");
    app.finish().await;
}

/// A client's messages come in anywhere: calling off, and what a person answers, reach the process that waits.
#[sqlx::test(migrations = "./migrations")]
async fn another_process_takes_the_message(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let other = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = worker(&app, &owner).await;
    let mcp = app.mcp(&buyer).await.with_forms().initialized().await;
    let elsewhere = Mcp { url: format!("{}/mcp", other.base()), ..mcp.clone() };
    let mut stream = mcp.open(mcp.old(5, "tools/call", order(&agent, "for ever", None))).await;
    let task = running(&elsewhere).await;
    let (post, _) = elsewhere.old(0, "", json!({}));
    let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 5}});
    assert_eq!(post.json(&cancelled).send().await.unwrap().status(), 202);
    assert_eq!(stream.next().await, None);
    assert_eq!(app.ended(&buyer, task).await.summary.state, TaskState::Cancelled);

    let mut dear = order(&agent, "dig", None);
    dear["arguments"]["maxPriceWithoutAsking"] = json!("1.00");
    let mut stream = mcp.open(mcp.old(6, "tools/call", dear)).await;
    let price = stream.until("elicitation/create").await;
    let (post, _) = elsewhere.old(0, "", json!({}));
    let yes =
        json!({"jsonrpc": "2.0", "id": price["id"], "result": {"action": "accept", "content": {"approve": true}}});
    assert_eq!(post.json(&yes).send().await.unwrap().status(), 202);
    let (answer, _) = stream.end().await;
    assert_eq!(answer["result"]["structuredContent"]["state"], "completed", "{answer}");
    other.finish().await;
    app.finish().await;
}
