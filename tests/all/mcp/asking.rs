//! What the person in front of the client is asked: whether a price may be paid, and what an agent wants to know.

use domain::{Actor, AgentId};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Mcp, code};
use crate::scripted_agent::{Answer, ScriptedAgent, task};
use crate::test_app::TestApp;

/// An agent at 10.00 that asks for a colour, and paints it.
async fn painter(app: &TestApp, owner: &Actor) -> AgentId {
    let agent = ScriptedAgent::listed(app, owner, json!({}), |_, params, _| {
        match params.pointer("/message/parts/0/text").and_then(Value::as_str) {
            Some("paint") => {
                Answer::Now(json!({"task": task("TASK_STATE_INPUT_REQUIRED", "which colour?", json!([]))}))
            }
            Some("log in") => Answer::Now(json!({"task": task("TASK_STATE_AUTH_REQUIRED", "open my page", json!([]))})),
            Some(said) => Answer::Now(json!({"task": task("TASK_STATE_COMPLETED", "done", json!([
                {"artifactId": "a", "parts": [{"text": format!("painted {said}")}]}]))})),
            None => Answer::Status(400),
        }
    });
    agent.await.id
}

async fn people(app: &TestApp) -> (AgentId, Actor) {
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    (painter(app, &owner).await, buyer)
}

/// The same call with what the person said.
fn again(arguments: &Value, asked: &Value, name: &str, said: Value) -> Value {
    json!({"name": "delegate_task", "arguments": arguments, "requestState": asked["requestState"],
        "inputResponses": {name: said}})
}

#[sqlx::test(migrations = "./migrations")]
async fn an_agents_question_goes_to_the_person_and_back(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (agent, buyer) = people(&app).await;
    let mcp = app.mcp(&buyer).await.with_forms();
    let arguments = json!({"agentId": agent, "message": "paint", "waitSeconds": 30});
    let asked = mcp.tool("delegate_task", arguments.clone()).await;
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let question = &asked["inputRequests"]["agent_question"];
    assert_eq!(question["method"], "elicitation/create");
    let message = question["params"]["message"].as_str().unwrap();
    assert!(
        message.contains("“Scripted”") && message.contains("its words") && message.contains("which colour?"),
        "{message}"
    );
    // Nothing said: asked again. And not for other arguments, another key, or with a changed state.
    let nothing = mcp.result("tools/call", again(&arguments, &asked, "other", json!({}))).await;
    assert_eq!(nothing["resultType"], "input_required");
    let blue = json!({"action": "accept", "content": {"answer": "blue"}});
    let mut other = arguments.clone();
    other["message"] = json!("sculpt");
    assert_eq!(
        code(&mcp.ask("tools/call", again(&other, &asked, "agent_question", blue.clone())).await),
        (200, -32602)
    );
    let second = app.mcp(&buyer).await.with_forms();
    assert_eq!(
        code(&second.ask("tools/call", again(&arguments, &asked, "agent_question", blue.clone())).await),
        (200, -32602)
    );
    let mut forged = asked.clone();
    forged["requestState"] = json!(asked["requestState"].as_str().unwrap().replacen('.', "A.", 1));
    assert_eq!(
        code(&mcp.ask("tools/call", again(&arguments, &forged, "agent_question", blue.clone())).await),
        (200, -32602)
    );

    let done = mcp.result("tools/call", again(&arguments, &asked, "agent_question", blue.clone())).await;
    assert_eq!(done["structuredContent"]["result"]["text"], "painted blue", "{done}");
    // Said again, it is not sent again.
    let replayed = mcp.result("tools/call", again(&arguments, &asked, "agent_question", blue)).await;
    assert_eq!(replayed["structuredContent"]["id"], done["structuredContent"]["id"]);
    let tasks = mcp.good("list_tasks", json!({})).await;
    assert_eq!(tasks["data"].as_array().unwrap().len(), 1, "one task was ordered");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn who_will_not_say_leaves_the_task_waiting(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (agent, buyer) = people(&app).await;
    let mcp = app.mcp(&buyer).await.with_forms();
    let arguments = json!({"agentId": agent, "message": "paint"});
    let asked = mcp.tool("delegate_task", arguments.clone()).await;
    let left =
        mcp.result("tools/call", again(&arguments, &asked, "agent_question", json!({"action": "decline"}))).await;
    assert_eq!(left["structuredContent"]["waitingFor"], "input");
    assert!(left["content"][0]["text"].as_str().unwrap().contains("reply_to_task"), "{left}");
    let answer = json!({"taskId": left["structuredContent"]["id"], "message": "red", "waitSeconds": 30});
    assert_eq!(mcp.good("reply_to_task", answer).await["result"]["text"], "painted red");

    // A client without forms is told what is asked, and by what it is answered; passwords are nobody's to ask for.
    let plain = app.mcp(&buyer).await;
    let waits = plain.tool("delegate_task", arguments).await;
    let said = waits["content"][0]["text"].as_str().unwrap();
    assert!(said.contains("asks its requester") && said.contains("reply_to_task"), "{said}");
    assert_eq!(waits["structuredContent"]["messages"][1]["parts"][0]["text"], "which colour?");
    let access = mcp.tool("delegate_task", json!({"agentId": agent, "message": "log in"})).await;
    assert_eq!(access["resultType"], "complete", "access is not a form: {access}");
    assert!(access["content"][0]["text"].as_str().unwrap().contains("Never pass on passwords"), "{access}");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_price_above_the_limit_is_asked_for(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (agent, buyer) = people(&app).await;
    let mcp = app.mcp(&buyer).await.with_forms();
    let arguments = json!({"agentId": agent, "message": "red", "maxPriceWithoutAsking": "9.99"});
    let asked = mcp.tool("delegate_task", arguments.clone()).await;
    let question = &asked["inputRequests"]["approve_price"]["params"];
    assert!(question["message"].as_str().unwrap().contains("10.00 credits"), "{asked}");
    assert_eq!(question["requestedSchema"]["properties"]["approve"]["type"], "boolean");
    for no in [
        json!({"action": "decline"}),
        json!({"action": "cancel"}),
        json!({"action": "accept", "content": {"approve": false}}),
    ] {
        let refused = mcp.result("tools/call", again(&arguments, &asked, "approve_price", no)).await;
        assert_eq!(refused["_meta"]["nexus/error"]["code"], "DECLINED", "{refused}");
    }
    let yes = json!({"action": "accept", "content": {"approve": true}});
    // Agreed without having been asked is not agreed.
    let unasked = json!({"name": "delegate_task", "arguments": arguments, "inputResponses": {"approve_price": yes}});
    assert_eq!(mcp.result("tools/call", unasked).await["resultType"], "input_required");
    assert_eq!(app.available(&buyer).await, "1000.00");
    // Dearer than what was agreed to: asked anew.
    sqlx::query("UPDATE agents SET price_per_task = 11 WHERE id = $1")
        .bind(agent.0)
        .execute(app.db.pool())
        .await
        .unwrap();
    let dearer = mcp.result("tools/call", again(&arguments, &asked, "approve_price", yes.clone())).await;
    assert!(
        dearer["inputRequests"]["approve_price"]["params"]["message"].as_str().unwrap().contains("11.00"),
        "{dearer}"
    );
    let done = mcp.result("tools/call", again(&arguments, &dearer, "approve_price", yes)).await;
    assert_eq!(done["structuredContent"]["result"]["text"], "painted red", "{done}");
    assert_eq!(app.available(&buyer).await, "989.00");

    // Without forms the model is told to ask; what costs no more is not asked for.
    let plain = app.mcp(&buyer).await;
    let refused = plain.tool("delegate_task", arguments).await;
    assert_eq!(refused["_meta"]["nexus/error"]["code"], "PRICE_NEEDS_APPROVAL");
    assert_eq!(refused["_meta"]["nexus/error"]["details"]["priceCredits"], "11.00");
    let cheap = json!({"agentId": agent, "message": "red", "maxPriceWithoutAsking": "11.00"});
    assert_eq!(plain.good("delegate_task", cheap).await["state"], "completed");
    app.finish().await;
}

/// Posts what the person of an old client said.
async fn says(mcp: &Mcp, request: &Value, result: Value) {
    let (post, _) = mcp.old(0, "", json!({}));
    let body = json!({"jsonrpc": "2.0", "id": request["id"], "result": result});
    assert_eq!(post.json(&body).send().await.unwrap().status(), 202);
}

#[sqlx::test(migrations = "./migrations")]
async fn an_old_client_is_asked_on_its_stream(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (agent, buyer) = people(&app).await;
    let mcp = app.mcp(&buyer).await.with_forms().initialized().await;
    let call = |message: &str| {
        let arguments =
            json!({"agentId": agent, "message": message, "maxPriceWithoutAsking": "5.00", "waitSeconds": 60});
        json!({"name": "delegate_task", "arguments": arguments})
    };
    // The price, then the question; each answer comes with a request of its own.
    let mut stream = mcp.open(mcp.old(3, "tools/call", call("paint"))).await;
    let price = stream.until("elicitation/create").await;
    assert!(price["params"]["message"].as_str().unwrap().contains("10.00"), "{price}");
    says(&mcp, &price, json!({"action": "accept", "content": {"approve": true}})).await;
    let question = stream.until("elicitation/create").await;
    assert!(question["params"]["message"].as_str().unwrap().contains("which colour?"), "{question}");
    // Somebody else's answer is nobody's.
    let (_, stranger) = app.person("stranger").await;
    let theirs = app.mcp(&stranger).await.initialized().await;
    says(&theirs, &question, json!({"action": "accept", "content": {"answer": "black"}})).await;
    says(&mcp, &question, json!({"action": "accept", "content": {"answer": "green"}})).await;
    let (answer, _) = stream.end().await;
    assert_eq!(
        (&answer["id"], &answer["result"]["structuredContent"]["result"]["text"]),
        (&json!(3), &json!("painted green")),
        "{answer}"
    );

    let mut stream = mcp.open(mcp.old(4, "tools/call", call("paint"))).await;
    let price = stream.until("elicitation/create").await;
    says(&mcp, &price, json!({"action": "decline"})).await;
    let (answer, _) = stream.end().await;
    assert_eq!(answer["result"]["_meta"]["nexus/error"]["code"], "DECLINED");

    let mut stream = mcp.open(mcp.old(5, "tools/call", call("paint"))).await;
    let price = stream.until("elicitation/create").await;
    says(&mcp, &price, json!({"action": "accept", "content": {"approve": true}})).await;
    let question = stream.until("elicitation/create").await;
    says(&mcp, &question, json!({"action": "cancel"})).await;
    let (answer, _) = stream.end().await;
    assert_eq!(answer["result"]["structuredContent"]["waitingFor"], "input", "{answer}");
    // A client that said nothing of forms is not asked.
    let plain = app.mcp(&buyer).await.initialized().await;
    let (answer, before) = plain.open(plain.old(6, "tools/call", call("paint"))).await.end().await;
    assert_eq!((before.len(), &answer["result"]["_meta"]["nexus/error"]["code"]), (0, &json!("PRICE_NEEDS_APPROVAL")));
    app.finish().await;
}
