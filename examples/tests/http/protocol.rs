//! The protocol over real HTTP: card, errors, idempotence, bad input.

use std::collections::HashMap;

use crate::wire::{Wire, answer, line, text};
use a2a::{AgentCard, Message, Part, PartContent, Role, TaskState};
use serde_json::{Value, json};

async fn all() -> Wire {
    Wire::serve(|origin| demo_agents::router(origin, HashMap::new())).await
}

#[tokio::test]
async fn cards_are_served_cached_and_valid() {
    let wire = all().await;
    let slugs = demo_agents::all().iter().map(|agent| agent.slug).chain(["echo"]);
    for slug in slugs {
        let base = format!("{}/{slug}", wire.origin);
        let url = format!("{base}/.well-known/agent-card.json");
        let response = wire.client.get(&url).send().await.unwrap();
        assert!(response.headers()["cache-control"].to_str().unwrap().contains("max-age"));
        let etag = response.headers()["etag"].clone();
        let body: Value = response.json().await.unwrap();
        assert_eq!(demo_agents::card(slug, &base).unwrap(), body);
        let card: AgentCard = serde_json::from_value(body).unwrap();
        assert_eq!(card.supported_interfaces[0].url, base);
        assert_eq!(card.supported_interfaces[0].protocol_version, "1.0");
        assert!(!card.skills.is_empty());
        let again = wire.client.get(&url).header("if-none-match", etag).send().await.unwrap();
        assert_eq!(again.status(), 304);
    }
    assert!(demo_agents::card("nobody", "http://x").is_none());
}

#[tokio::test]
async fn one_agent_alone_lives_at_the_root() {
    let wire = Wire::serve(|origin| demo_agents::single("echo", origin, None).unwrap()).await;
    let card: Value = wire
        .client
        .get(format!("{}/.well-known/agent-card.json", wire.origin))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(card["supportedInterfaces"][0]["url"], wire.origin.as_str());
    for path in ["", "/"] {
        let task = wire.send(path, json!({ "message": text("hello") })).await;
        assert_eq!(task.artifacts.unwrap()[0].parts[0].as_text(), Some("hello"));
    }
    assert!(demo_agents::single("nobody", "http://x", None).is_none());
}

#[tokio::test]
async fn errors_have_their_codes_and_details() {
    let wire = all().await;
    let good = |params: Value| json!({ "jsonrpc": "2.0", "id": "a", "method": "SendMessage", "params": params });
    let bodies = [
        ("{", -32700, "PARSE_ERROR"),
        ("[]", -32600, "INVALID_REQUEST"),
        (r#"{"jsonrpc":"2.0","method":"GetTask"}"#, -32600, "INVALID_REQUEST"),
        (r#"{"jsonrpc":"1.0","id":"a","method":"GetTask"}"#, -32600, "INVALID_REQUEST"),
        (r#"{"jsonrpc":"2.0","id":"a","method":"message/send"}"#, -32601, "METHOD_NOT_FOUND"),
        (r#"{"jsonrpc":"2.0","id":"a","method":"SendStreamingMessage"}"#, -32004, "UNSUPPORTED_OPERATION"),
        (
            r#"{"jsonrpc":"2.0","id":"a","method":"GetTaskPushNotificationConfig"}"#,
            -32003,
            "PUSH_NOTIFICATION_NOT_SUPPORTED",
        ),
        (r#"{"jsonrpc":"2.0","id":"a","method":"GetTask","params":[]}"#, -32602, "INVALID_PARAMS"),
        (r#"{"jsonrpc":"2.0","id":"a","method":"GetTask","params":{}}"#, -32602, "INVALID_PARAMS"),
        (r#"{"jsonrpc":"2.0","id":"a","method":"GetTask","params":{"id":"x"}}"#, -32001, "TASK_NOT_FOUND"),
        (r#"{"jsonrpc":"2.0","id":"a","method":"CancelTask","params":{"id":"x"}}"#, -32001, "TASK_NOT_FOUND"),
    ];
    let mut cases: Vec<(String, i32, &str)> = bodies.map(|(body, code, reason)| (body.to_owned(), code, reason)).into();
    let mut odd = [text("x"), text("x"), text("x"), text("x")];
    odd[0].parts.clear();
    odd[1].role = Role::Agent;
    odd[2].message_id.clear();
    odd[3].task_id = Some("x".to_owned());
    let reasons = [
        (-32602, "INVALID_PARAMS"),
        (-32602, "INVALID_PARAMS"),
        (-32602, "INVALID_PARAMS"),
        (-32001, "TASK_NOT_FOUND"),
    ];
    for (message, (code, reason)) in odd.into_iter().zip(reasons) {
        cases.push((good(json!({ "message": message })).to_string(), code, reason));
    }
    let push =
        json!({ "message": text("x"), "configuration": { "taskPushNotificationConfig": { "url": "http://x/" } } });
    cases.push((good(push).to_string(), -32003, "PUSH_NOTIFICATION_NOT_SUPPORTED"));
    for (body, code, reason) in cases {
        let response = wire.post("/echo").body(body.clone()).send().await.unwrap();
        assert_eq!(response.status(), 200, "{body}");
        let error = answer(response).await["error"].take();
        assert_eq!(error["code"], code, "{body}: {error}");
        assert_eq!(error["data"][0]["@type"], "type.googleapis.com/google.rpc.ErrorInfo");
        assert_eq!(
            (&error["data"][0]["reason"], &error["data"][0]["domain"]),
            (&json!(reason), &json!("a2a-protocol.org"))
        );
    }
}

#[tokio::test]
async fn version_and_content_type_are_required() {
    let wire = all().await;
    let url = format!("{}/echo", wire.origin);
    let body =
        json!({ "jsonrpc": "2.0", "id": 3, "method": "SendMessage", "params": { "message": text("x") } }).to_string();
    let post_to =
        |url: &str| wire.client.post(url).header("content-type", "application/json; charset=utf-8").body(body.clone());
    let json = || post_to(&url);
    let code = async |request: reqwest::RequestBuilder| {
        let answer = answer(request.send().await.unwrap()).await;
        (answer["id"].clone(), answer["error"]["code"].as_i64())
    };
    assert_eq!(code(json()).await, (json!(3), Some(-32009)));
    assert_eq!(code(json().header("a2a-version", "")).await, (json!(3), Some(-32009)));
    assert_eq!(code(json().header("a2a-version", "2.0")).await, (json!(3), Some(-32009)));
    assert_eq!(code(json().header("a2a-version", "1.0")).await, (json!(3), None));
    assert_eq!(code(post_to(&format!("{url}?A2A-Version=1.0"))).await, (json!(3), None));
    let plain =
        wire.client.post(&url).header("content-type", "text/plain").header("a2a-version", "1.0").body(body.clone());
    assert_eq!(code(plain).await, (Value::Null, Some(-32005)));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_in_json_rpc() {
    let wire = all().await;
    let response = wire.post("/echo").body(vec![b' '; 2 * 1024 * 1024 + 1]).send().await.unwrap();
    assert_eq!(response.status(), 413);
    assert_eq!(answer(response).await["error"]["code"], -32600);
}

#[tokio::test]
async fn the_same_message_is_the_same_task() {
    let wire = all().await;
    let message = text("later 1");
    let sent = json!({ "message": message, "configuration": { "returnImmediately": true } });
    let first = wire.send("/echo", sent.clone()).await;
    assert_eq!(first.status.state, TaskState::Working);
    let (again, waited) = tokio::join!(wire.send("/echo", sent), wire.send("/echo/", json!({ "message": message })));
    assert_eq!((&again.id, &waited.id), (&first.id, &first.id));
    assert_eq!(waited.status.state, TaskState::Completed);
    assert_eq!(wire.get("/echo", &first.id).await, waited);
    let other = wire.send("/echo", json!({ "message": text("x") })).await;
    assert_ne!(other.id, first.id);
    let mut follow_up = text("more");
    follow_up.task_id = Some(other.id);
    let refused = wire.call("/echo", "SendMessage", json!({ "message": follow_up })).await;
    assert_eq!(refused["error"]["code"], -32004);
}

#[tokio::test]
async fn snake_case_params_are_understood() {
    let wire = all().await;
    let message =
        json!({ "message_id": "snake-1", "context_id": "ctx", "role": "ROLE_USER", "parts": [{ "text": "later 60" }] });
    let sent = json!({ "message": message, "configuration": { "return_immediately": true } });
    let task = wire.send("/echo", sent).await;
    assert_eq!((task.context_id.as_str(), &task.status.state), ("ctx", &TaskState::Working));
}

#[tokio::test]
async fn echo_misbehaves_as_told() {
    let wire = all().await;
    let failed = wire.send("/echo", json!({ "message": text("fail please") })).await;
    assert_eq!((failed.status.state, failed.artifacts), (TaskState::Failed, None));
    let rejected = wire.send("/echo", json!({ "message": text("reject") })).await;
    assert_eq!(rejected.status.state, TaskState::Rejected);
    let error = wire.call("/echo", "SendMessage", json!({ "message": text("error") })).await;
    assert_eq!(error["error"]["code"], -32603);
    let by_data = Message::new(Role::User, vec![Part::data(json!({ "text": "500" }))]);
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": { "message": by_data } });
    assert_eq!(wire.post("/echo").body(body.to_string()).send().await.unwrap().status(), 500);
    let hang = wire.call("/echo", "SendMessage", json!({ "message": text("hang") }));
    assert!(tokio::time::timeout(std::time::Duration::from_millis(500), hang).await.is_err());
}

#[tokio::test]
async fn cancel_ends_a_task_once() {
    let wire = all().await;
    let sent = json!({ "message": text("later 60"), "configuration": { "returnImmediately": true } });
    let task = wire.send("/echo", sent).await;
    let cancelled = wire.call("/echo", "CancelTask", json!({ "id": task.id })).await;
    assert_eq!(cancelled["result"]["status"]["state"], "TASK_STATE_CANCELED");
    let again = wire.call("/echo", "CancelTask", json!({ "id": task.id })).await;
    assert_eq!(again["error"]["code"], -32002);
}

#[tokio::test]
async fn bad_input_ends_with_the_field_and_the_fix() {
    let wire = all().await;
    let data = |value: Value| vec![Part::data(value)];
    let cases = [
        ("/summariser", data(json!({})), TaskState::Rejected, "text: is missing"),
        (
            "/summariser",
            data(json!({ "text": "A. B.", "sentences": 99 })),
            TaskState::Rejected,
            "sentences: must be a whole number",
        ),
        ("/language-detector", vec![Part::text("1234 5678")], TaskState::Failed, "text: holds no letters"),
        ("/csv-profiler", vec![Part::text("hello")], TaskState::Failed, "csv: has no rows"),
        ("/csv-profiler", vec![Part::url("http://x/a.csv")], TaskState::Rejected, "csv: addresses are not fetched"),
        ("/qr-maker", vec![Part::text("x".repeat(2_000))], TaskState::Rejected, "text: has 2,000 characters"),
        ("/project-forecaster", vec![Part::text("A; 1")], TaskState::Failed, "tasks: line 1: must read"),
    ];
    for (path, parts, state, why) in cases {
        let task = wire.send(path, json!({ "message": Message::new(Role::User, parts) })).await;
        assert!(line(&task).starts_with(why), "{path}: {}", line(&task));
        assert_eq!((task.status.state, task.artifacts), (state, None), "{path}");
    }
    let mut unknown = text("x");
    unknown.metadata = Some(HashMap::from([("skillId".to_owned(), json!("translate"))]));
    let task = wire.send("/summariser", json!({ "message": unknown })).await;
    assert_eq!(line(&task), "skillId: there is no such skill here; use one of: summarise, keywords");
}

#[tokio::test]
async fn a_csv_file_is_read() {
    let wire = all().await;
    let file = Part::raw(b"a,b\n1,2\n3,4\n".to_vec()).with_media_type("text/csv").with_filename("t.csv");
    let task = wire.send("/csv-profiler", json!({ "message": Message::new(Role::User, vec![file]) })).await;
    let artifacts = task.artifacts.unwrap();
    let PartContent::Data(rows) = &artifacts[1].parts[0].content else { panic!("no data") };
    assert_eq!((rows[0]["column"].as_str(), rows[1]["mean"].as_f64()), (Some("a"), Some(3.0)));
}
