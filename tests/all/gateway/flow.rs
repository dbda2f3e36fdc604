//! What is sent arrives as it is, what comes back is told as it comes, and names stay.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Caller, read, say, with};
use crate::scripted_agent::{Answer, ScriptedAgent, task};
use crate::test_app::TestApp;

fn update(state: &str) -> Value {
    json!({"statusUpdate": {"taskId": "t1", "contextId": "c1", "status": {"state": state}}})
}

fn piece(text: &str, append: bool) -> Value {
    json!({"artifactUpdate": {"taskId": "t1", "contextId": "c1", "append": append,
        "artifact": {"artifactId": "a", "name": "Story", "parts": [{"text": text}]}}})
}

#[sqlx::test(migrations = "./migrations")]
async fn a_message_reaches_the_agent_as_it_was_sent(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = ScriptedAgent::listed(&app, &owner, json!({}), |_, _, _| {
        Answer::Now(json!({"task": task("TASK_STATE_COMPLETED", "", json!([]))}))
    })
    .await;
    let client = Caller::new(&app, agent.id, &app.program(&buyer).await.secret);
    let parts = json!([{"text": "hi", "metadata": {"k": [1, {"a": null}]}}, {"raw": "AAH/", "filename": "x.bin"},
        {"url": "https://files.example/f.csv"}, {"data": {"n": 1.5}}]);
    let message = json!({"messageId": "the client's own id", "role": "ROLE_USER", "parts": parts, "metadata": {"trace": "t"},
        "extensions": ["urn:x"], "contextId": "talk-1"});
    // The same id twice is two messages: clients do repeat them.
    for _ in 0..2 {
        let told =
            client.rpc("SendMessage", json!({"message": message, "metadata": {"skillId": "work"}})).await.unwrap();
        let told = &told["task"];
        assert_eq!((&told["contextId"], &told["status"]["state"]), (&json!("talk-1"), &json!("TASK_STATE_COMPLETED")));
        let kept = &told["history"][0];
        assert_eq!(
            (&kept["messageId"], &kept["parts"], &kept["metadata"]),
            (&message["messageId"], &parts, &message["metadata"])
        );
        assert_eq!((&kept["taskId"], &kept["contextId"]), (&told["id"], &json!("talk-1")));
    }
    let sent = agent.called("SendMessage", 2).await;
    for (n, sent) in sent.iter().enumerate() {
        let sent = &sent["message"];
        assert_eq!((&sent["messageId"], &sent["parts"]), (&message["messageId"], &parts));
        assert_eq!((&sent["metadata"]["trace"], &sent["extensions"]), (&json!("t"), &json!(["urn:x"])));
        // The second goes on in the conversation that the agent knows by another name.
        assert_eq!(sent.get("contextId"), (n == 1).then(|| json!("c1")).as_ref());
    }
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn pieces_are_told_as_they_come(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = ScriptedAgent::listed(&app, &owner, json!({"streaming": true}), |_, _, _| {
        let working = json!({"task": {"id": "t1", "contextId": "c1", "status": {"state": "TASK_STATE_SUBMITTED"}}});
        let mut steps = vec![(0, working), (10, update("TASK_STATE_WORKING"))];
        steps.extend((0..5).map(|n| (200, piece(&format!("{n} "), n > 0))));
        steps.push((10, update("TASK_STATE_COMPLETED")));
        Answer::Stream(steps)
    })
    .await;
    let client = Caller::new(&app, agent.id, &app.program(&buyer).await.secret);
    let answer = client.method("SendStreamingMessage", say("tell")).send().await.unwrap();
    let begun = Instant::now();
    let mut chunks = answer.bytes_stream();
    let (mut text, mut came) = (String::new(), Vec::new());
    let mut following = None;
    while let Some(chunk) = chunks.next().await {
        text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        while let Some((event, rest)) = text.clone().split_once("\n\n") {
            text = rest.to_owned();
            let Some(data) = event.strip_prefix("data: ") else { continue };
            let result = serde_json::from_str::<Value>(data).unwrap()["result"].clone();
            if following.is_none() {
                // A second one follows from here on.
                let (client, id) = (client.clone(), json!({"id": result["task"]["id"]}));
                following = Some(tokio::spawn(async move { client.events("SubscribeToTask", id).await }));
            }
            came.push((begun.elapsed(), result));
        }
    }
    let of = |event: &Value| event["artifactUpdate"]["artifact"]["parts"][0]["text"].as_str().map(str::to_owned);
    let pieces: Vec<(Duration, String)> = came.iter().filter_map(|(at, e)| Some((*at, of(e)?))).collect();
    assert_eq!(pieces.iter().map(|p| p.1.as_str()).collect::<Vec<_>>(), ["0 ", "1 ", "2 ", "3 ", "4 "]);
    assert!(pieces.windows(2).all(|p| p[1].0 - p[0].0 > Duration::from_millis(100)), "one by one: {pieces:?}");
    let appended: Vec<bool> = came
        .iter()
        .filter(|(_, e)| of(e).is_some())
        .map(|(_, e)| e["artifactUpdate"]["append"] == json!(true))
        .collect();
    assert_eq!(appended, [false, true, true, true, true]);
    assert_eq!(came[0].1["task"]["status"]["state"], "TASK_STATE_SUBMITTED");
    assert_eq!(came.last().unwrap().1["statusUpdate"]["status"]["state"], "TASK_STATE_COMPLETED");
    assert_eq!(came.len(), 8, "the task, that it runs, five pieces and the end: {came:#?}");
    // The other one was told the same from there on, in the same order.
    let followed = following.unwrap().await.unwrap();
    assert!(followed[0].get("task").is_some());
    assert_eq!(followed.iter().filter_map(of).collect::<Vec<_>>(), ["0 ", "1 ", "2 ", "3 ", "4 "]);
    assert_eq!(followed.last(), came.last().map(|c| &c.1));
    // What is over cannot be followed, and is one artifact.
    let id = json!({"id": came[0].1["task"]["id"]});
    assert_eq!(client.rpc("SubscribeToTask", id.clone()).await.unwrap_err()["code"], -32004);
    let whole = client.rpc("GetTask", id).await.unwrap();
    assert_eq!(whole["artifacts"][0]["parts"], json!([{"text": "0 1 2 3 4 "}]));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn an_answer_that_is_a_message_is_told_as_one(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = ScriptedAgent::listed(&app, &owner, json!({}), |_, _, _| {
        Answer::Now(json!({"message": {"messageId": "a1", "role": "ROLE_AGENT", "contextId": "c1", "parts": [{"text": "hello"}]}}))
    })
    .await;
    let client = Caller::new(&app, agent.id, &app.program(&buyer).await.secret);
    let answer = client.rpc("SendMessage", say("hi")).await.unwrap();
    assert_eq!(
        (&answer["message"]["messageId"], &answer["message"]["parts"]),
        (&json!("a1"), &json!([{"text": "hello"}]))
    );
    let events = client.events("SendStreamingMessage", say("hi")).await;
    assert_eq!(events.len(), 1, "{events:#?}");
    assert_eq!(events[0]["message"]["parts"], json!([{"text": "hello"}]));
    // It was paid for like any other, and can be looked up.
    let id = json!({"id": answer["message"]["taskId"]});
    assert_eq!(client.rpc("GetTask", id).await.unwrap()["status"]["state"], "TASK_STATE_COMPLETED");
    assert_eq!(app.available(&buyer).await, "980.00");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_question_stops_and_its_answer_goes_on(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = ScriptedAgent::listed(&app, &owner, json!({}), |_, params, _| {
        let answered = params["message"]["taskId"] == "t1";
        let made = json!([{"artifactId": "a", "parts": [{"text": "blue it is"}]}]);
        Answer::Now(json!({"task": match answered {
            true => task("TASK_STATE_COMPLETED", "done", made),
            false => task("TASK_STATE_INPUT_REQUIRED", "which colour?", json!([])),
        }}))
    })
    .await;
    let client = Caller::new(&app, agent.id, &app.program(&buyer).await.secret);
    let asked = client.events("SendStreamingMessage", say("paint")).await;
    let last = &asked.last().unwrap()["statusUpdate"];
    assert_eq!(last["status"]["state"], "TASK_STATE_INPUT_REQUIRED");
    assert_eq!(last["status"]["message"]["parts"], json!([{"text": "which colour?"}]));
    let (id, context) = (last["taskId"].clone(), last["contextId"].clone());
    let refused = async |params: Value| client.rpc("SendMessage", params).await.unwrap_err()["code"].as_i64().unwrap();
    let answer = with(say("blue"), "/message/taskId", id.clone());
    assert_eq!(refused(with(answer.clone(), "/message/contextId", json!("another"))).await, -32602);
    assert_eq!(refused(with(say("blue"), "/message/taskId", json!("unknown"))).await, -32001);
    let done = client.rpc("SendMessage", answer.clone()).await.unwrap()["task"].clone();
    assert_eq!((&done["id"], &done["contextId"]), (&id, &context), "names stay");
    assert_eq!(done["status"]["state"], "TASK_STATE_COMPLETED");
    let texts: Vec<&str> =
        done["history"].as_array().unwrap().iter().filter_map(|m| m["parts"][0]["text"].as_str()).collect();
    assert_eq!(texts, ["paint", "which colour?", "blue"]);
    assert_eq!(done["status"]["message"]["parts"][0]["text"], "done");
    assert_eq!(agent.calls("SendMessage")[1]["message"]["messageId"], "m-blue");
    assert_eq!(refused(answer).await, -32004, "what has ended takes no message");
    assert_eq!(client.rpc("CancelTask", json!({"id": id})).await.unwrap_err()["code"], -32002);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn lists_are_cut_sorted_and_filtered(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "1").await;
    let client = Caller::new(&app, agent, &app.program(&buyer).await.secret);
    for n in 0..5 {
        let params = with(say(&format!("number {n}")), "/message/contextId", json!(format!("c{}", n % 2)));
        client.rpc("SendMessage", params).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let page = client.rpc("ListTasks", json!({"pageSize": 2, "pageToken": token})).await.unwrap();
        assert_eq!((&page["totalSize"], &page["pageSize"]), (&json!(5), &json!(2)));
        for task in page["tasks"].as_array().unwrap() {
            assert!(task.get("artifacts").is_none(), "left out where they are not asked for");
            seen.push(task["status"]["timestamp"].as_str().unwrap().to_owned());
        }
        token = page["nextPageToken"].as_str().unwrap().to_owned();
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted_by(|a, b| a >= b), "the newest state first: {seen:?}");
    let count = async |params: Value| client.rpc("ListTasks", params).await.unwrap()["totalSize"].as_i64().unwrap();
    assert_eq!(count(json!({"contextId": "c0"})).await, 3);
    assert_eq!(count(json!({"status": "TASK_STATE_COMPLETED"})).await, 5);
    assert_eq!(count(json!({"status": "TASK_STATE_WORKING"})).await, 0);
    assert_eq!(count(json!({"statusTimestampAfter": seen[1]})).await, 2, "that time itself counts");
    let whole = client.rpc("ListTasks", json!({"includeArtifacts": true, "historyLength": 0})).await.unwrap();
    assert!(whole["tasks"].as_array().unwrap().iter().all(|t| t["artifacts"].is_array() && t.get("history").is_none()));
    let (_, rest) = read(client.get("/tasks?contextId=c0&pageSize=1").header("A2A-Version", "1.0")).await;
    assert_eq!((rest["tasks"].as_array().unwrap().len(), &rest["totalSize"]), (1, &json!(3)));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn media_types_that_the_agent_does_not_take_are_refused(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    // Its card takes text/plain.
    let agent = ScriptedAgent::listed(&app, &owner, json!({}), |_, _, _| {
        Answer::Now(json!({"task": task("TASK_STATE_COMPLETED", "", json!([]))}))
    })
    .await;
    let client = Caller::new(&app, agent.id, &app.program(&buyer).await.secret);
    let file = |kind: &str| with(say("look"), "/message/parts", json!([{"raw": "AAH/", "mediaType": kind}]));
    let error = client.rpc("SendMessage", file("application/x-unsupported")).await.unwrap_err();
    assert_eq!((&error["code"], &error["data"][0]["reason"]), (&json!(-32005), &json!("CONTENT_TYPE_NOT_SUPPORTED")));
    assert!(client.rpc("SendMessage", file("text/plain; charset=utf-8")).await.is_ok());
    assert_eq!(app.available(&buyer).await, "990.00");
    app.finish().await;
}
