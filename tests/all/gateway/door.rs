//! Who is let in, what bad requests hear, and in which version.

use domain::api_keys::{NewKey, Scope, Scopes};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Caller, read, say, with};
use crate::api::only;
use crate::test_app::TestApp;

#[sqlx::test(migrations = "./migrations")]
async fn nobody_hires_without_a_key_that_may(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let (_, stranger) = app.person("stranger").await;
    let (agent, other) = (app.agent(&owner, "echo", "3.00").await, app.agent(&owner, "echo", "3.00").await);
    let nobody = Caller::new(&app, agent, "");
    let answer = nobody.method("SendMessage", say("hi")).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let challenge = answer.headers()["www-authenticate"].to_str().unwrap().to_owned();
    let metadata =
        format!("resource_metadata=\"http://{}/.well-known/oauth-protected-resource/a2a/{agent}\"", app.addr);
    assert!(challenge.starts_with("Bearer ") && challenge.contains(&metadata), "{challenge}");
    let body: Value = answer.json().await.unwrap();
    assert_eq!((&body["jsonrpc"], &body["id"], &body["error"]["code"]), (&json!("2.0"), &json!(7), &json!(-32000)));
    assert_eq!(body["error"]["data"][0]["reason"], "UNAUTHORIZED");
    let (status, body) = read(nobody.post("/message:send").header("A2A-Version", "1.0").json(&say("hi"))).await;
    assert_eq!(
        (status, &body["error"]["code"], &body["error"]["status"]),
        (401, &json!(401), &json!("UNAUTHENTICATED"))
    );
    let wrong = Caller::new(&app, agent, "nxk_0000000000000000000000000000000000000000000");
    assert_eq!(read(wrong.method("GetTask", json!({"id": "x"}))).await.0, 401);

    let reads = app.program_with(&buyer, NewKey::named("reads", only(Scope::TasksRead))).await;
    let refused = Caller::new(&app, agent, &reads.secret).method("SendMessage", say("hi")).send().await.unwrap();
    assert_eq!(refused.status(), 403);
    assert!(refused.headers()["www-authenticate"].to_str().unwrap().contains("insufficient_scope"));
    let limited = NewKey { agents: Some(vec![other]), ..NewKey::named("limited", Scopes::All) };
    let limited = app.program_with(&buyer, limited).await;
    assert_eq!(read(Caller::new(&app, agent, &limited.secret).method("SendMessage", say("hi"))).await.0, 404);
    assert!(Caller::new(&app, other, &limited.secret).rpc("SendMessage", say("hi")).await.is_ok());

    // A task is its requester's, at its agent's address.
    let buys = app.program(&buyer).await;
    let client = Caller::new(&app, agent, &buys.secret);
    let task = client.rpc("SendMessage", say("mine")).await.unwrap()["task"].clone();
    let id = json!({ "id": task["id"] });
    assert_eq!(client.rpc("GetTask", id.clone()).await.unwrap()["id"], task["id"]);
    let strange = app.program(&stranger).await;
    let owns = app.program(&owner).await;
    for (at, secret) in [(agent, &strange.secret), (other, &buys.secret), (agent, &owns.secret)] {
        for method in ["GetTask", "CancelTask", "SubscribeToTask"] {
            let error = Caller::new(&app, at, secret).rpc(method, id.clone()).await.unwrap_err();
            assert_eq!(error["code"], -32001, "{method}");
        }
    }
    let listed = Caller::new(&app, agent, &strange.secret).rpc("ListTasks", json!({})).await.unwrap();
    assert_eq!((&listed["tasks"], &listed["totalSize"]), (&json!([]), &json!(0)));
    // It is a task like any other.
    let (_, seen) = buys.get(&format!("/tasks/{}", task["id"].as_str().unwrap())).await;
    assert_eq!((&seen["data"]["state"], &seen["data"]["costCredits"]), (&json!("completed"), &json!("3.00")));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn too_little_credit_says_how_much_and_where(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "5000").await;
    let buys = app.program(&buyer).await;
    let client = Caller::new(&app, agent, &buys.secret);
    let (status, body) = read(client.method("SendMessage", say("hi"))).await;
    assert_eq!((status, &body["error"]["code"]), (402, &json!(-32000)));
    let info = &body["error"]["data"][0];
    assert_eq!(info["reason"], "INSUFFICIENT_CREDITS");
    let shop = format!("http://{}/credits", app.addr);
    assert_eq!(info["metadata"], json!({"needed": "5000.00", "available": "1000.00", "buyAt": shop}));
    // A limit of the request's own is kept before anything is held.
    let cheap = app.agent(&owner, "echo", "3.00").await;
    let client = Caller::new(&app, cheap, &buys.secret);
    let most = |sum: Value| with(say("hi"), "/metadata", json!({ "urn:nexus:maxCredits": sum }));
    assert_eq!(client.rpc("SendMessage", most(json!("2.99"))).await.unwrap_err()["code"], -32602);
    assert_eq!(client.rpc("SendMessage", most(json!(3))).await.unwrap_err()["code"], -32602);
    assert!(client.rpc("SendMessage", most(json!("3.00"))).await.is_ok());
    assert_eq!(app.available(&buyer).await, "997.00");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn bad_requests_hear_what_is_wrong_with_them(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "3.00").await;
    let client = Caller::new(&app, agent, &app.program(&buyer).await.secret);
    let large = "x".repeat(10 * 1024 * 1024);
    for (body, status, code, id) in [
        ("{", 200, -32700, json!(null)),
        ("", 200, -32700, json!(null)),
        ("[]", 200, -32600, json!(null)),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"GetTask"}]"#, 200, -32600, json!(null)),
        ("5", 200, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","method":"GetTask"}"#, 200, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":{},"method":"GetTask"}"#, 200, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"GetTask"}"#, 200, -32600, json!(null)),
        (r#"{"jsonrpc":"1.0","id":1,"method":"GetTask"}"#, 200, -32600, json!(1)),
        (r#"{"id":"a","method":"GetTask"}"#, 200, -32600, json!("a")),
        (r#"{"jsonrpc":"2.0","id":1}"#, 200, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":5}"#, 200, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"Odd"}"#, 200, -32601, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tasks/odd"}"#, 200, -32601, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"GetTask","params":[]}"#, 200, -32602, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{}}"#, 200, -32602, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{"id":5}}"#, 200, -32602, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{"id":"no uuid"}}"#, 200, -32001, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"message":5}}"#, 200, -32602, json!(1)),
        (large.as_str(), 413, -32000, json!(null)),
    ] {
        let request = client.post("").header("content-type", "application/json").body(body.to_owned());
        let (said, answer) = read(request).await;
        let seen = (said, answer["error"]["code"].as_i64(), &answer["id"]);
        assert_eq!(seen, (status, Some(code), &id), "{}: {answer}", &body[..body.len().min(80)]);
        assert!(answer["error"]["message"].is_string() && answer["error"]["data"].is_array(), "{answer}");
    }
    let text = client.post("").header("content-type", "text/plain").body("{}");
    assert_eq!(read(text).await.1["error"]["code"], -32005);
    for (method, path, body, status, reason) in [
        (Method::POST, "/message:send", "{", 400, "INVALID_REQUEST"),
        (Method::POST, "/message:send", "[]", 400, "INVALID_REQUEST"),
        (Method::POST, "/message:send", "{}", 400, "INVALID_PARAMS"),
        (Method::POST, "/message:send", large.as_str(), 413, "PAYLOAD_TOO_LARGE"),
        (Method::GET, "/message:send", "", 405, "METHOD_NOT_ALLOWED"),
        (Method::GET, "/tasks/none", "", 404, "TASK_NOT_FOUND"),
        (Method::GET, "/tasks?pageSize=0", "", 400, "INVALID_PARAMS"),
        (Method::GET, "/tasks?pageSize=101", "", 400, "INVALID_PARAMS"),
        (Method::GET, "/tasks?pageToken=x", "", 400, "INVALID_PARAMS"),
        (Method::GET, "/tasks?status=odd", "", 400, "INVALID_PARAMS"),
        (Method::GET, "/tasks?statusTimestampAfter=yesterday", "", 400, "INVALID_PARAMS"),
        (Method::GET, "/tasks?historyLength=-1", "", 400, "INVALID_PARAMS"),
        (Method::POST, "/tasks/none:cancel", "", 404, "TASK_NOT_FOUND"),
        (Method::POST, "/tasks/none:odd", "", 405, "METHOD_NOT_ALLOWED"),
        (Method::GET, "/odd", "", 404, "METHOD_NOT_FOUND"),
    ] {
        let request = if method == Method::GET { client.get(path) } else { client.post(path) };
        let request = request.header("A2A-Version", "1.0").header("content-type", "application/a2a+json");
        let answer = request.body(body.to_owned()).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/a2a+json");
        let said = answer.status().as_u16();
        let answer: Value = answer.json().await.unwrap();
        let error = &answer["error"];
        assert_eq!(
            (said, &error["code"], &error["details"][0]["reason"]),
            (status, &json!(status), &json!(reason)),
            "{path}"
        );
        assert!(error["status"].is_string() && error["message"].is_string(), "{answer}");
    }
    let nowhere = Caller { url: format!("http://{}/a2a/none", app.addr), ..client.clone() };
    let (status, body) = read(nowhere.method("SendMessage", say("hi"))).await;
    assert_eq!((status, &body["error"]["data"][0]["reason"]), (404, &json!("AGENT_NOT_FOUND")));
    assert_eq!(app.available(&buyer).await, "1000.00", "nothing was held for any of it");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn each_version_is_spoken_and_no_other(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "0").await;
    let client = Caller::new(&app, agent, &app.program(&buyer).await.secret);
    let call = |method: &str, version: Option<&str>| {
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": {"id": "x"}});
        let request = client.post("").json(&body);
        match version {
            Some(version) => request.header("A2A-Version", version),
            None => request,
        }
    };
    for (method, version, code) in [
        ("GetTask", Some("1.0"), -32001),
        ("GetTask", Some("1.0.1"), -32001),
        ("GetTask", None, -32001),
        ("GetTask", Some("0.3"), -32601),
        ("GetTask", Some("2.0"), -32009),
        ("GetTask", Some("nonsense"), -32009),
        ("tasks/get", Some("0.3"), -32001),
        ("tasks/get", Some(""), -32001),
        ("tasks/get", None, -32001),
        ("tasks/get", Some("1.0"), -32601),
        ("ListTasks", Some("0.3"), -32601),
    ] {
        let answer = read(call(method, version)).await;
        assert_eq!((answer.0, &answer.1["error"]["code"]), (200, &json!(code)), "{method} {version:?}");
    }
    let (status, body) = read(client.get("/tasks/x?A2A-Version=9.9")).await;
    assert_eq!((status, &body["error"]["details"][0]["reason"]), (400, &json!("VERSION_NOT_SUPPORTED")));
    // With and without a slash at the end, and never a redirect.
    for path in ["", "/", "/v0.3", "/v0.3/"] {
        let body = json!({"jsonrpc": "2.0", "id": 7, "method": "GetTask", "params": {"id": "x"}});
        assert_eq!(read(client.post(path).json(&body)).await.1["error"]["code"], -32001, "{path}");
    }
    app.finish().await;
}
