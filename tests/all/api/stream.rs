//! Streams that go on where they broke.

use std::time::Duration;

use futures::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Program, code};
use crate::scripted_agent::{Answer, ScriptedAgent, task};
use crate::test_app::TestApp;

/// One server-sent event.
#[derive(Debug)]
pub struct Sent {
    pub kind: String,
    pub id: i64,
    pub data: Value,
}

/// Reads events until the stream ends or `enough` says so.
pub async fn events(program: &Program, path: &str, last: Option<i64>, enough: impl Fn(&[Sent]) -> bool) -> Vec<Sent> {
    let mut request = program.request(Method::GET, path);
    if let Some(last) = last {
        request = request.header("Last-Event-ID", last.to_string());
    }
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let (mut body, mut text, mut sent) = (answer.bytes_stream(), String::new(), Vec::new());
    let reading = async {
        while let Some(chunk) = body.next().await {
            text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
            while let Some((frame, rest)) = text.split_once("\n\n") {
                let field =
                    |name: &str| frame.lines().find_map(|l| l.strip_prefix(name)).map(|v| v.trim_start().to_owned());
                if let Some(kind) = field("event:") {
                    let data = serde_json::from_str(&field("data:").unwrap()).unwrap();
                    sent.push(Sent { kind, id: field("id:").unwrap().parse().unwrap(), data });
                }
                text = rest.to_owned();
            }
            if enough(&sent) {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), reading).await.expect("the stream goes on for ever");
    sent
}

#[sqlx::test(migrations = "./migrations")]
async fn a_stream_shows_all_and_goes_on_where_it_broke(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = ScriptedAgent::listed(&app, &owner, json!({}), |_, params, _| {
        match params.pointer("/message/parts/0/text").and_then(Value::as_str) {
            Some("blue") => Answer::Now(json!({"task": task("TASK_STATE_COMPLETED", "done", json!([
                {"artifactId": "a", "parts": [{"text": "painted blue"}]}]))})),
            _ => Answer::Now(json!({"task": task("TASK_STATE_INPUT_REQUIRED", "which colour?", json!([]))})),
        }
    })
    .await;
    let program = app.program(&buyer).await;
    let made = program.post("/tasks?wait=30", json!({"agentId": agent.id, "message": "paint"})).await;
    assert_eq!((made.0, made.1["data"]["waitingFor"].as_str()), (201, Some("input")));
    let id = made.1["data"]["id"].as_str().unwrap().to_owned();
    let path = format!("/tasks/{id}/stream");
    let before = events(&program, &path, None, |sent| !sent.is_empty()).await;
    assert_eq!((before[0].kind.as_str(), before[0].data["waitingFor"].as_str()), ("snapshot", Some("input")));
    let seen = before[0].id;

    // One that watches while it happens, and one that comes back with what it had seen: both get all of it, once.
    let live = {
        let (program, path) = (program.clone(), path.clone());
        tokio::spawn(async move { events(&program, &path, Some(seen), |_| false).await })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    let replied = program.post(&format!("/tasks/{id}/reply?wait=30"), json!({"message": "blue"})).await;
    assert_eq!(replied.1["data"]["result"]["text"], "painted blue", "{replied:?}");
    let live = live.await.unwrap();
    let late = events(&program, &path, Some(seen), |_| false).await;
    for sent in [&live, &late] {
        let numbers: Vec<i64> = sent.iter().filter(|e| e.kind == "event").map(|e| e.id).collect();
        assert_eq!(numbers, (seen + 1..=seen + numbers.len() as i64).collect::<Vec<_>>(), "{sent:#?}");
        let end = sent.last().unwrap();
        assert_eq!((end.kind.as_str(), end.data["state"].as_str()), ("end", Some("completed")));
        assert_eq!(end.data["lastEvent"].as_i64(), numbers.last().copied());
    }
    let all = events(&program, &format!("{path}?after=0"), None, |_| false).await;
    assert_eq!(all[0].data["kind"], "created");
    assert_eq!(all.len() as i64 - 1, all.last().unwrap().id, "every event and the end");
    let bad = program.request(Method::GET, &path).header("Last-Event-ID", "x").send().await.unwrap();
    assert_eq!(code(&super::read(bad).await), (400, "VALIDATION_ERROR"));
    let (_, stranger) = app.person("stranger").await;
    let theirs = app.program(&stranger).await.get(&path).await;
    assert_eq!(code(&theirs), (404, "TASK_NOT_FOUND"));
    app.finish().await;
}
