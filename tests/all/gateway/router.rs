//! The platform's own agent over HTTP: it hires, falls back, and keeps one id; in both versions and both bindings.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use domain::Actor;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::net::TcpListener;

use super::{Caller, read, say, with};
use crate::scripted_agent::{Answer, ScriptedAgent, task};
use crate::test_app::TestApp;

/// Named, and at that price.
async fn named(app: &TestApp, agent: &ScriptedAgent, name: &str, price: &str) {
    let sql = format!("UPDATE agents SET name = '{name}', price_per_task = {price} WHERE id = '{}'", agent.id);
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(app.db.pool()).await.unwrap();
}

fn failing(_: &str, _: &Value, _: usize) -> Answer {
    Answer::Now(json!({"task": task("TASK_STATE_FAILED", "my disk is full", json!([]))}))
}

fn doing(_: &str, _: &Value, _: usize) -> Answer {
    Answer::Now(
        json!({"task": task("TASK_STATE_COMPLETED", "done", json!([{"artifactId": "a", "parts": [{"text": "made"}]}]))}),
    )
}

struct Scene {
    app: TestApp,
    owner: Actor,
    buyer: Actor,
    client: Caller,
}

async fn scene(pool: PgPool) -> Scene {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let client = Caller::at_platform(&app, &app.program(&buyer).await.secret);
    Scene { app, owner, buyer, client }
}

/// A message with wishes in a data part.
fn wishing(text: &str, wishes: Value) -> Value {
    with(say(text), "/message/parts", json!([{"text": text}, {"data": wishes}]))
}

fn cheapest() -> Value {
    json!({"skill": "work", "strategy": "cheapest"})
}

fn texts(task: &Value) -> Vec<&str> {
    task["history"].as_array().unwrap().iter().filter_map(|m| m["parts"][0]["text"].as_str()).collect()
}

#[sqlx::test(migrations = "./migrations")]
async fn the_second_answers_what_the_first_could_not(pool: PgPool) {
    let Scene { app, owner, buyer, client } = scene(pool).await;
    let first = ScriptedAgent::listed(&app, &owner, json!({}), failing).await;
    let second = ScriptedAgent::listed(&app, &owner, json!({}), doing).await;
    named(&app, &first, "First", "1").await;
    named(&app, &second, "Second", "2").await;
    let done = client.rpc("SendMessage", wishing("make it", cheapest())).await.unwrap()["task"].clone();
    assert_eq!(done["status"]["state"], "TASK_STATE_COMPLETED", "{done:#}");
    assert_eq!(done["artifacts"][0]["parts"], json!([{"text": "made"}]));
    let hired = &done["metadata"]["urn:nexus:hired"];
    assert_eq!(
        (&hired["agent"], &hired["agentId"], &hired["price"], &hired["tried"]),
        (&json!("Second"), &json!(second.id), &json!("2.00"), &json!(2))
    );
    let said = texts(&done);
    assert_eq!((said[0], said[2], said.len()), ("make it", "my disk is full", 4), "{said:#?}");
    assert!(said[1].starts_with("I hired First, the cheapest of 2 that fit: 1.00 credits"), "{said:#?}");
    assert!(said[3].starts_with("First failed: ") && said[3].contains("I hired Second"), "{said:#?}");
    for message in done["history"].as_array().unwrap() {
        assert_eq!((&message["taskId"], &message["contextId"]), (&done["id"], &done["contextId"]));
    }
    // Each was sent the requester's own words and message id, without the wishes.
    for agent in [&first, &second] {
        let sent = agent.called("SendMessage", 1).await[0]["message"].clone();
        assert_eq!((&sent["messageId"], &sent["parts"]), (&json!("m-make it"), &json!([{"text": "make it"}])));
    }
    assert_eq!(app.available(&buyer).await, "998.00");
    // It is told the same again, alone in the list, though two tasks were needed.
    let id = json!({"id": done["id"]});
    assert_eq!(client.rpc("GetTask", id.clone()).await.unwrap(), done);
    let listed = client.rpc("ListTasks", json!({"includeArtifacts": true})).await.unwrap();
    assert_eq!((&listed["tasks"], &listed["totalSize"]), (&json!([done]), &json!(1)));
    let none = client.rpc("ListTasks", json!({"status": "TASK_STATE_FAILED"})).await.unwrap();
    assert_eq!(none["totalSize"], 0);
    // Its tasks are not told here, nor it at an agent's address.
    let own = json!({"id": hired["taskId"]});
    assert_eq!(client.rpc("GetTask", own).await.unwrap_err()["code"], -32001);
    let at_agent = Caller { url: client.url.clone() + "/" + &second.id.to_string(), ..client.clone() };
    assert_eq!(at_agent.rpc("GetTask", id.clone()).await.unwrap_err()["code"], -32001);
    assert_eq!(client.rpc("CancelTask", id.clone()).await.unwrap_err()["code"], -32002);
    assert_eq!(client.rpc("SubscribeToTask", id).await.unwrap_err()["code"], -32004);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_stream_goes_on_over_a_fallback(pool: PgPool) {
    let Scene { app, owner, client, .. } = scene(pool).await;
    let first = ScriptedAgent::listed(&app, &owner, json!({}), failing).await;
    let second = ScriptedAgent::listed(&app, &owner, json!({"streaming": true}), |_, _, _| {
        let update =
            |state: &str| json!({"statusUpdate": {"taskId": "t1", "contextId": "c1", "status": {"state": state}}});
        let piece = |text: &str, append: bool| {
            json!({"artifactUpdate": {"taskId": "t1", "contextId": "c1", "append": append,
            "artifact": {"artifactId": "a", "parts": [{"text": text}]}}})
        };
        let task = json!({"task": {"id": "t1", "contextId": "c1", "status": {"state": "TASK_STATE_SUBMITTED"}}});
        let mut steps = vec![(0, task), (10, update("TASK_STATE_WORKING"))];
        steps.extend((0..4).map(|n| (50, piece(&format!("{n} "), n > 0))));
        steps.push((10, update("TASK_STATE_COMPLETED")));
        Answer::Stream(steps)
    })
    .await;
    named(&app, &first, "First", "1").await;
    named(&app, &second, "Second", "2").await;
    let events = client.events("SendStreamingMessage", wishing("tell", cheapest())).await;
    let id = &events[0]["task"]["id"];
    assert!(id.is_string(), "{events:#?}");
    let of = |e: &Value| e["artifactUpdate"]["artifact"]["parts"][0]["text"].as_str().map(str::to_owned);
    assert_eq!(events.iter().filter_map(of).collect::<Vec<_>>(), ["0 ", "1 ", "2 ", "3 "], "{events:#?}");
    let ids = events.iter().flat_map(|e| [&e["statusUpdate"]["taskId"], &e["artifactUpdate"]["taskId"]]);
    assert!(ids.filter(|id| id.is_string()).all(|other| other == id));
    let statuses: Vec<&Value> = events.iter().filter_map(|e| e.get("statusUpdate")).collect();
    assert!(statuses.iter().all(|s| s["status"]["state"] != "TASK_STATE_FAILED"), "{statuses:#?}");
    let notice = statuses.iter().filter_map(|s| s["status"]["message"]["parts"][0]["text"].as_str());
    assert_eq!(notice.filter(|t| t.starts_with("First failed") && t.contains("I hired Second")).count(), 1);
    let last = statuses.last().unwrap();
    assert_eq!(
        (&last["status"]["state"], &last["metadata"]["urn:nexus:hired"]["agent"]),
        (&json!("TASK_STATE_COMPLETED"), &json!("Second"))
    );
    assert_eq!(events.iter().filter(|e| e.get("task").is_some()).count(), 1, "{events:#?}");
    // Where all fail, the stream says so and ends.
    named(&app, &second, "Second", "2000").await;
    let events = client.events("SendStreamingMessage", wishing("tell", cheapest())).await;
    let last = &events.last().unwrap()["statusUpdate"]["status"];
    assert_eq!(last["state"], "TASK_STATE_FAILED");
    assert!(last["message"]["parts"][0]["text"].as_str().unwrap().starts_with("The agent that was hired failed"));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn where_nobody_fits_a_message_says_why_and_wrong_wishes_are_named(pool: PgPool) {
    let Scene { app, owner, buyer, client } = scene(pool).await;
    let agent = ScriptedAgent::listed(&app, &owner, json!({}), doing).await;
    named(&app, &agent, "Only", "10").await;
    let answer = client.rpc("SendMessage", wishing("do", json!({"skill": "work", "maxCredits": "5"}))).await.unwrap();
    let parts = &answer["message"]["parts"];
    assert_eq!(
        parts[0]["text"],
        "Nobody fits. One agent that you could hire is online. Without skill, 0 would fit. Without maxCredits, 1 would fit."
    );
    assert_eq!(parts[1]["data"]["without"][1], json!({"wish": "maxCredits", "fit": 1}));
    let events = client.events("SendStreamingMessage", wishing("do", json!({"tags": ["none"]}))).await;
    assert_eq!((events.len(), events[0]["message"]["role"].as_str()), (1, Some("ROLE_AGENT")));
    for (wishes, field) in [
        (json!({"skill": "work", "budget": "5"}), "message.parts[1].data.budget"),
        (json!({"maxCredits": 5}), "message.parts[1].data.maxCredits"),
    ] {
        let error = client.rpc("SendMessage", wishing("do", wishes)).await.unwrap_err();
        assert_eq!((&error["code"], &error["data"][1]["fieldViolations"][0]["field"]), (&json!(-32602), &json!(field)));
    }
    let only_wishes = with(say("x"), "/message/parts", json!([{"data": {"skill": "work"}}]));
    assert_eq!(client.rpc("SendMessage", only_wishes).await.unwrap_err()["code"], -32602);
    // A list costs nothing and hires nobody. The wishes may stand in metadata.
    let asked = with(say("who works?"), "/message/metadata", json!({"skillId": "discover", "tags": []}));
    let found = client.rpc("SendMessage", asked).await.unwrap()["message"].clone();
    let only = &found["parts"][1]["data"]["agents"][0];
    assert_eq!(
        (&only["agentId"], &only["price"], &only["url"]),
        (&json!(agent.id), &json!("10.00"), &json!(format!("{}/{}", client.url, agent.id)))
    );
    assert_eq!(client.rpc("ListTasks", json!({})).await.unwrap()["totalSize"], 0);
    assert_eq!((app.available(&buyer).await.as_str(), agent.calls("SendMessage").len()), ("1000.00", 0));
    // Too dear for the balance is an error with the sum.
    named(&app, &agent, "Only", "2000").await;
    let error = client.rpc("SendMessage", wishing("do", cheapest())).await.unwrap_err();
    assert_eq!(error["data"][0]["metadata"]["needed"], "2000.00", "{error}");
    // Nobody comes in without a key.
    let nobody = Caller::at_platform(&app, "");
    assert_eq!(read(nobody.method("SendMessage", say("x"))).await.0, 401);
    app.finish().await;
}

/// Where notifications come in.
async fn receiver() -> (String, Arc<Mutex<Vec<Value>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/push", listener.local_addr().unwrap());
    let posted: Arc<Mutex<Vec<Value>>> = Arc::default();
    let kept = Arc::clone(&posted);
    let take = move |body: String| async move {
        kept.lock().unwrap().push(serde_json::from_str(&body).unwrap());
        StatusCode::OK
    };
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(take)).await });
    (url, posted)
}

#[sqlx::test(migrations = "./migrations")]
async fn a_question_is_answered_and_changes_are_pushed_over_a_fallback(pool: PgPool) {
    let Scene { app, owner, client, .. } = scene(pool).await;
    let asking = |end: &'static str| {
        move |_: &str, params: &Value, _: usize| {
            let state = if params["message"]["taskId"] == "t1" { end } else { "TASK_STATE_INPUT_REQUIRED" };
            let said = if state == "TASK_STATE_INPUT_REQUIRED" { "which colour?" } else { "so be it" };
            Answer::Now(json!({"task": task(state, said, json!([]))}))
        }
    };
    let first = ScriptedAgent::listed(&app, &owner, json!({}), asking("TASK_STATE_FAILED")).await;
    let second = ScriptedAgent::listed(&app, &owner, json!({}), asking("TASK_STATE_COMPLETED")).await;
    named(&app, &first, "First", "1").await;
    named(&app, &second, "Second", "2").await;
    let (url, posted) = receiver().await;
    let wanted = with(
        wishing("paint", cheapest()),
        "/configuration",
        json!({"taskPushNotificationConfig": {"id": "p", "url": url}}),
    );
    let asked = client.rpc("SendMessage", wanted).await.unwrap()["task"].clone();
    let id = asked["id"].clone();
    assert_eq!(asked["status"]["state"], "TASK_STATE_INPUT_REQUIRED");
    assert_eq!(
        client.rpc("GetTaskPushNotificationConfig", json!({"taskId": id, "id": "p"})).await.unwrap()["url"],
        url
    );
    // The first fails on the answer; the second asks anew, under the same names.
    let again =
        client.rpc("SendMessage", with(say("blue"), "/message/taskId", id.clone())).await.unwrap()["task"].clone();
    assert_eq!((&again["id"], &again["contextId"]), (&id, &asked["contextId"]));
    assert_eq!(again["status"]["state"], "TASK_STATE_INPUT_REQUIRED");
    assert_eq!(again["metadata"]["urn:nexus:hired"]["agent"], "Second");
    let last = client.events("SendStreamingMessage", with(say("red"), "/message/taskId", id.clone())).await;
    assert_eq!(last.last().unwrap()["statusUpdate"]["status"]["state"], "TASK_STATE_COMPLETED");
    let done = client.rpc("GetTask", json!({"id": id})).await.unwrap();
    let said = texts(&done);
    assert_eq!(
        [said[0], said[2], said[3], said[4], said[6], said[7]],
        ["paint", "which colour?", "blue", "so be it", "which colour?", "red"]
    );
    let state = |b: &Value| {
        [&b["statusUpdate"], &b["task"]].iter().find_map(|s| s["status"]["state"].as_str().map(str::to_owned))
    };
    for _ in 0..400 {
        let came = posted.lock().unwrap().clone();
        if came.iter().filter_map(state).any(|s| s == "TASK_STATE_COMPLETED") {
            assert!(came.iter().all(|b| b["task"]["id"] == id || b["statusUpdate"]["taskId"] == id), "{came:#?}");
            assert!(came.iter().filter_map(state).all(|s| s != "TASK_STATE_FAILED"), "{came:#?}");
            app.finish().await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("its end was not told: {:#?}", posted.lock().unwrap());
}

#[sqlx::test(migrations = "./migrations")]
async fn a_request_is_called_off_with_the_task_that_runs(pool: PgPool) {
    let Scene { app, owner, buyer, client } = scene(pool).await;
    let agent = ScriptedAgent::listed(&app, &owner, json!({}), |_, _, _| {
        Answer::Now(json!({"task": task("TASK_STATE_WORKING", "", json!([]))}))
    })
    .await;
    let at_once = with(wishing("work", cheapest()), "/configuration", json!({"returnImmediately": true}));
    let begun = client.rpc("SendMessage", at_once).await.unwrap()["task"].clone();
    agent.called("SendMessage", 1).await;
    let id = json!({"id": begun["id"]});
    let following = {
        let (client, id) = (client.clone(), id.clone());
        tokio::spawn(async move { client.events("SubscribeToTask", id).await })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(app.available(&buyer).await, "990.00");
    assert_eq!(client.rpc("CancelTask", id.clone()).await.unwrap()["status"]["state"], "TASK_STATE_CANCELED");
    assert_eq!(app.available(&buyer).await, "1000.00");
    let events = following.await.unwrap();
    assert_eq!(events.last().unwrap()["statusUpdate"]["status"]["state"], "TASK_STATE_CANCELED");
    assert_eq!(client.rpc("CancelTask", id).await.unwrap_err()["code"], -32002);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn it_is_found_and_spoken_to_in_every_way(pool: PgPool) {
    let Scene { app, owner, client, .. } = scene(pool).await;
    let agent = ScriptedAgent::listed(&app, &owner, json!({}), doing).await;
    let site = Caller { url: format!("http://{}", app.addr), ..client.clone() };
    let (status, card) = read(site.get("/.well-known/agent-card.json")).await;
    assert_eq!((status, &card["name"]), (200, &json!("NEXUS")));
    assert_eq!(card["supportedInterfaces"][0]["url"], client.url.as_str());
    let skills: Vec<&Value> = card["skills"].as_array().unwrap().iter().map(|s| &s["id"]).collect();
    assert_eq!(skills, ["find-and-hire", "discover"]);
    assert!(card["signatures"][0]["signature"].is_string());
    for old in ["/.well-known/agent.json", "/a2a/.well-known/agent.json", "/a2a/v0.3/.well-known/agent-card.json"] {
        let (_, card) = read(site.get(old)).await;
        assert_eq!((&card["url"], &card["protocolVersion"]), (&json!(client.url), &json!("0.3.0")), "{old}");
    }
    assert_eq!(client.rpc("GetExtendedAgentCard", json!({})).await.unwrap_err()["code"], -32004);
    // 1.0 over HTTP+JSON.
    let sent = client.post("/message:send").header("A2A-Version", "1.0").json(&wishing("rest", cheapest()));
    let (_, done) = read(sent).await;
    let path = format!("/tasks/{}", done["task"]["id"].as_str().unwrap());
    assert_eq!(read(client.get(&path).header("A2A-Version", "1.0")).await.1, done["task"]);
    assert_eq!(read(client.get("/tasks").header("A2A-Version", "1.0")).await.1["totalSize"], 1);
    assert_eq!(read(client.post(&format!("{path}:cancel")).header("A2A-Version", "1.0").json(&json!({}))).await.0, 400);
    // 0.3 over both.
    let message = json!({"kind": "message", "messageId": "old", "role": "user", "parts": [{"kind": "text", "text": "hi"}, {"kind": "data", "data": cheapest()}]});
    let old = json!({"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {"message": message}});
    let (_, answer) = read(client.post("").json(&old)).await;
    let old = &answer["result"];
    assert_eq!((&old["kind"], &old["status"]["state"]), (&json!("task"), &json!("completed")), "{answer}");
    assert_eq!(old["metadata"]["urn:nexus:hired"]["agentId"], json!(agent.id));
    let (_, got) = read(client.get(&format!("/v1/tasks/{}", old["id"].as_str().unwrap()))).await;
    assert_eq!(got["status"]["state"], "TASK_STATE_COMPLETED");
    assert_eq!(agent.calls("SendMessage")[1]["message"]["parts"], json!([{"text": "hi"}]));
    app.finish().await;
}
