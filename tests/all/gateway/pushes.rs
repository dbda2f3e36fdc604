//! Push notifications: each change of state is posted, in order, with its token, again where it failed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::net::TcpListener;

use super::{Caller, read, say, with};
use crate::scripted_agent::{Answer, ScriptedAgent, task};
use crate::test_app::TestApp;

type Posted = (HeaderMap, Value);

/// Where notifications come in. The first is refused.
async fn receiver() -> (String, Arc<Mutex<Vec<Posted>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/push", listener.local_addr().unwrap());
    let posted: Arc<Mutex<Vec<Posted>>> = Arc::default();
    let kept = Arc::clone(&posted);
    let take = move |headers: HeaderMap, body: String| async move {
        let mut kept = kept.lock().unwrap();
        kept.push((headers, serde_json::from_str(&body).unwrap()));
        if kept.len() == 1 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
    };
    let router = axum::Router::new().fallback(take);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, posted)
}

async fn posts(posted: &Mutex<Vec<Posted>>, n: usize) -> Vec<Posted> {
    for _ in 0..600 {
        let now = posted.lock().unwrap().clone();
        if now.len() >= n {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{} notifications came, not {n}", posted.lock().unwrap().len());
}

#[sqlx::test(migrations = "./migrations")]
async fn each_change_is_posted_in_order_until_it_is_taken(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
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
    let (url, posted) = receiver().await;
    let config = json!({"url": url, "token": "tok", "authentication": {"scheme": "Bearer", "credentials": "cred"}});
    let wanted = with(say("paint"), "/configuration", json!({"taskPushNotificationConfig": config}));
    let asked = client.rpc("SendMessage", wanted).await.unwrap()["task"].clone();
    let id = asked["id"].clone();
    client.rpc("SendMessage", with(say("blue"), "/message/taskId", id.clone())).await.unwrap();
    // What was refused comes again; behind it, in order, the rest.
    let came = loop {
        let came = posts(&posted, 3).await;
        if came.iter().any(|(_, body)| body["task"]["status"]["state"] == "TASK_STATE_COMPLETED") {
            break came;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    for (headers, _) in &came {
        assert_eq!(headers["content-type"], "application/a2a+json");
        assert_eq!(headers["authorization"], "Bearer cred");
        assert_eq!(headers["x-a2a-notification-token"], "tok");
    }
    let bodies: Vec<&Value> = came.iter().map(|(_, body)| body).collect();
    assert_eq!(bodies[0], bodies[1], "the refused one again");
    let state = |b: &Value| {
        [&b["statusUpdate"], &b["task"]].iter().find_map(|s| s["status"]["state"].as_str().map(str::to_owned))
    };
    let states: Vec<String> = bodies[1..].iter().filter_map(|b| state(b)).collect();
    assert_eq!(states.first().map(String::as_str), Some("TASK_STATE_WORKING"));
    assert_eq!(states.last().map(String::as_str), Some("TASK_STATE_COMPLETED"));
    assert!(bodies.iter().all(|b| b["task"]["id"] == id || b["statusUpdate"]["taskId"] == id));
    let made = &bodies.last().unwrap()["task"]["artifacts"][0]["parts"];
    assert_eq!(made, &json!([{"text": "blue it is"}]));
    for _ in 0..200 {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM push_deliveries").fetch_one(&pool).await.unwrap();
        if left == 0 {
            app.finish().await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("something is still to be sent");
}

#[sqlx::test(migrations = "./migrations")]
async fn configurations_are_made_read_and_forgotten(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "1").await;
    let client = Caller::new(&app, agent, &app.program(&buyer).await.secret);
    let task = client.rpc("SendMessage", say("hi")).await.unwrap()["task"]["id"].clone();
    let new = |id: &str, url: &str| json!({"taskId": task, "id": id, "url": url});
    for wrong in ["", "ftp://x.example/", "no address"] {
        let error = client.rpc("CreateTaskPushNotificationConfig", new("x", wrong)).await.unwrap_err();
        assert_eq!(error["code"], -32602, "{wrong}");
    }
    let made = client.rpc("CreateTaskPushNotificationConfig", new("one", "https://x.example/1")).await.unwrap();
    assert_eq!(made, json!({"taskId": task, "id": "one", "url": "https://x.example/1"}));
    // Again under the same name is in its place.
    client.rpc("CreateTaskPushNotificationConfig", new("one", "https://x.example/2")).await.unwrap();
    let named = json!({"taskId": task, "id": "one"});
    assert_eq!(client.rpc("GetTaskPushNotificationConfig", named.clone()).await.unwrap()["url"], "https://x.example/2");
    let path = format!("/tasks/{}/pushNotificationConfigs", task.as_str().unwrap());
    let rest = client.post(&path).header("A2A-Version", "1.0").json(&json!({"id": "two", "url": "https://x.example/"}));
    assert_eq!(read(rest).await.1["id"], "two");
    let (_, all) = read(client.get(&path).header("A2A-Version", "1.0")).await;
    assert_eq!(all["configs"].as_array().unwrap().len(), 2);
    for _ in 0..2 {
        let gone = client.delete(&format!("{path}/two")).header("A2A-Version", "1.0");
        assert_eq!(read(gone).await, (200, json!({})), "twice is once");
    }
    assert_eq!(read(client.get(&format!("{path}/two")).header("A2A-Version", "1.0")).await.0, 404);
    for n in 0..9 {
        client.rpc("CreateTaskPushNotificationConfig", new(&format!("n{n}"), "https://x.example/")).await.unwrap();
    }
    let many = client.rpc("CreateTaskPushNotificationConfig", new("eleventh", "https://x.example/")).await.unwrap_err();
    assert_eq!(many["code"], -32004, "at most ten");
    app.finish().await;
}
