//! Tasks over REST: ordered, waited for, refused with the field's name.

use domain::api_keys::{NewKey, Scope, Scopes};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{code, fields, only, read};
use crate::test_app::TestApp;

#[sqlx::test(migrations = "./migrations")]
async fn a_task_from_order_to_file(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = app.agent(&owner, "qr-maker", "2.50").await;
    let program = app.program_with(&buyer, NewKey::named("k", only(Scope::TasksWrite))).await;
    let order = json!({"agentId": agent, "skillId": "encode", "data": {"text": "https://example.org"},
        "maxBudgetCredits": "2.50", "minTrustScore": 50, "timeoutSeconds": 60, "title": "A code"});
    let (status, made) = program.post("/tasks?wait=30", order).await;
    assert_eq!(status, 201, "{made}");
    let task = &made["data"];
    assert_eq!(task["state"], "completed", "{task}");
    assert_eq!(
        (&task["title"], &task["costCredits"], &task["hold"]),
        (&json!("A code"), &json!("2.50"), &json!("settled"))
    );
    let file = task["artifacts"][0]["parts"].as_array().unwrap().iter().find(|p| p["file"].is_object()).unwrap();
    let url = file["file"]["url"].as_str().unwrap().strip_prefix("/api/v1").unwrap();
    let answer = program.request(Method::GET, url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let bytes = answer.bytes().await.unwrap();
    assert_eq!(bytes.len() as u64, file["file"]["size"].as_u64().unwrap());
    assert!(bytes.starts_with(b"\x89PNG") || bytes.starts_with(b"<svg") || bytes.starts_with(b"<?xml"), "an image");

    let id = task["id"].as_str().unwrap();
    let got = program.request(Method::GET, &format!("/tasks/{id}")).send().await.unwrap();
    let tag = got.headers()["etag"].to_str().unwrap().to_owned();
    let same =
        program.request(Method::GET, &format!("/tasks/{id}")).header("If-None-Match", &tag).send().await.unwrap();
    assert_eq!(same.status(), 304);
    let rated = program.post(&format!("/tasks/{id}/rating"), json!({"stars": 5, "text": "Sharp"})).await;
    assert_eq!(rated.0, 200, "{rated:?}");
    let twice = program.post(&format!("/tasks/{id}/rating"), json!({"stars": 1})).await;
    assert_eq!(code(&twice), (409, "CONFLICT"));
    let again = program.post(&format!("/tasks/{id}/retry?wait=30"), json!({"maxPriceCredits": "2.50"})).await;
    assert_eq!((again.0, &again.1["data"]["retryOf"]), (201, &json!(id)));
    let disputed = program.post(&format!("/tasks/{id}/reject"), json!({"reason": "Upside down"})).await;
    assert_eq!((disputed.0, &disputed.1["data"]["escrowCredits"]), (201, &json!("2.50")));
    let page = program.get("/tasks?limit=1&role=requester&state=completed").await.1;
    assert_eq!(page["data"].as_array().unwrap().len(), 1);
    let cursor = page["nextCursor"].as_str().unwrap();
    let next = program.get(&format!("/tasks?limit=1&cursor={cursor}")).await.1;
    assert_ne!(next["data"][0]["id"], page["data"][0]["id"]);
    assert_eq!(
        program.get(&format!("/tasks?limit=1&cursor={}", next["nextCursor"].as_str().unwrap_or("x"))).await.0,
        400
    );
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn what_is_wrong_is_named_and_nothing_is_written(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "10").await;
    let program = app.program(&buyer).await;
    let order = |change: Value| {
        let mut order = json!({"agentId": agent, "skillId": "echo", "message": "hi"});
        for (name, value) in change.as_object().unwrap() {
            order[name] = value.clone();
        }
        order
    };
    for (change, field) in [
        (json!({"message": ""}), "message"),
        (json!({"message": 3}), "message"),
        (json!({"agentId": "x"}), "agentId"),
        (json!({"agnetId": agent}), "agnetId"),
        (json!({"skillId": "paint"}), "skillId"),
        (json!({"maxBudgetCredits": "9.99"}), "maxBudgetCredits"),
        (json!({"maxBudgetCredits": "1.999"}), "maxBudgetCredits"),
        (json!({"maxBudgetCredits": true}), "maxBudgetCredits"),
        (json!({"timeoutSeconds": 5}), "timeoutSeconds"),
        (json!({"minTrustScore": 101}), "minTrustScore"),
        (json!({"title": "x".repeat(201)}), "title"),
        (json!({"parts": [{"text": "a", "url": "https://example.org"}]}), "parts[0]"),
        (json!({"parts": [{"raw": "%%%"}]}), "parts[0]"),
        (json!({"parts": [{"url": "ftp://example.org/x"}]}), "parts"),
        (json!({"parts": [{"txt": "a"}]}), "parts[0].txt"),
        (json!({"follows": "00000000-0000-4000-8000-000000000000"}), "follows"),
        (json!({"message": "a\u{0}b"}), "text"),
    ] {
        let answer = program.post("/tasks", order(change.clone())).await;
        assert_eq!((code(&answer), fields(&answer)), ((400, "VALIDATION_ERROR"), vec![field]), "{change}: {answer:?}");
    }
    let missing = program.post("/tasks", json!({"message": "hi"})).await;
    assert_eq!((missing.0, fields(&missing)), (400, vec!["agentId"]));
    let unknown = order(json!({"agentId": "00000000-0000-4000-8000-000000000000"}));
    assert_eq!(code(&program.post("/tasks", unknown).await), (404, "AGENT_NOT_FOUND"));
    let untrusted = program.post("/tasks", order(json!({"minTrustScore": 99}))).await;
    assert_eq!(code(&untrusted), (403, "TRUST_THRESHOLD_NOT_MET"));
    for (path, field) in [("/tasks?wait=61", "wait"), ("/tasks?wait=x", "wait"), ("/tasks?wiat=1", "wiat")] {
        let answer = program.post(path, order(json!({}))).await;
        assert_eq!((code(&answer).0, fields(&answer)), (400, vec![field]), "{path}: {answer:?}");
    }
    for (path, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("cursor=x", "cursor"),
        ("state=odd", "state"),
        ("role=x", "role"),
    ] {
        let answer = program.get(&format!("/tasks?{path}")).await;
        assert_eq!((code(&answer).0, fields(&answer)), (400, vec![field]), "{path}: {answer:?}");
    }
    let trailing = format!("{} {{}}", order(json!({})));
    for (text, says) in
        [("{", "not JSON"), ("[]", "not a list"), (&trailing, "not one JSON value"), ("\"x\"", "invalid")]
    {
        let request = program.request(Method::POST, "/tasks").header("content-type", "application/json");
        let request = request.body(text.to_owned());
        let answer = read(request.send().await.unwrap()).await;
        assert_eq!(answer.0, 400, "{text}");
        assert!(answer.1["error"]["message"].as_str().unwrap().contains(says), "{text}: {answer:?}");
    }
    let form = program.request(Method::POST, "/tasks").header("content-type", "text/plain").body("agentId=1");
    assert_eq!(fields(&read(form.send().await.unwrap()).await), ["Content-Type"]);
    let large = program.request(Method::POST, "/tasks").header("content-type", "application/json");
    let large = large.body("x".repeat(5 * 1024 * 1024)).send().await.unwrap();
    assert_eq!(fields(&read(large).await), ["body"]);
    assert_eq!(code(&program.get("/nonsense").await), (404, "NOT_FOUND"));
    assert_eq!(code(&program.call(Method::DELETE, "/tasks", None).await), (405, "METHOD_NOT_ALLOWED"));
    let tasks: i64 = sqlx::query_scalar("SELECT count(*) FROM tasks").fetch_one(&pool).await.unwrap();
    assert_eq!((tasks, app.available(&buyer).await.as_str()), (0, "1000.00"));

    domain::agents::set_status(&app.db, &owner, agent, false).await.unwrap();
    assert_eq!(code(&program.post("/tasks", order(json!({}))).await), (503, "AGENT_OFFLINE"));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn limits_are_counted_and_said(pool: PgPool) {
    let app = TestApp::start_with(pool, &["--rate-limit", "60", "--rate-limit-anonymous", "20"]).await;
    let (_, person) = app.person("ada").await;
    let program = app.program(&person).await;
    let first = program.request(Method::GET, "/account").send().await.unwrap();
    let number = |answer: &reqwest::Response, name: &str| {
        answer.headers()[name].to_str().unwrap().parse::<f64>().unwrap_or(-1.0)
    };
    assert_eq!((number(&first, "ratelimit-limit"), number(&first, "ratelimit-remaining")), (60.0, 59.0));
    assert_eq!(first.headers()["ratelimit-policy"], "\"account\";q=60;w=60");
    let mut good = 1;
    let refused = loop {
        let answer = program.request(Method::GET, "/account").send().await.unwrap();
        if answer.status() == 200 {
            good += 1;
            assert!(good < 80, "no limit");
        } else {
            break answer;
        }
    };
    assert!((58..70).contains(&good), "{good}");
    assert!(number(&refused, "retry-after") >= 1.0 && refused.headers().contains_key("ratelimit-reset"));
    assert_eq!(code(&read(refused).await), (429, "RATE_LIMIT_EXCEEDED"));
    // Another key of the account does not help; another account is not touched.
    let second = app.program_with(&person, NewKey::named("second", Scopes::All)).await;
    assert_eq!(second.get("/account").await.0, 429);
    let (_, other) = app.person("other").await;
    let other = app.program(&other).await;
    assert_eq!(other.get("/account").await.0, 200);
    // A key with a limit of its own is held to that one first.
    let narrow = NewKey { requests_per_minute: Some(3), ..NewKey::named("narrow", Scopes::All) };
    let (_, third) = app.person("third").await;
    let narrow = app.program_with(&third, narrow).await;
    let statuses = [narrow.get("/account").await.0, narrow.get("/account").await.0, narrow.get("/account").await.0];
    assert_eq!((statuses, narrow.get("/account").await.0), ([200; 3], 429));
    // Who guesses keys pays as an address: four guesses of 5 units are all of 20.
    let guess = super::Program { secret: format!("nxk_{}", "A".repeat(43)), ..app.nobody() };
    let guesses = [guess.get("/account").await.0, guess.get("/account").await.0, guess.get("/account").await.0];
    assert_eq!((guesses, guess.get("/account").await.0, guess.get("/account").await.0), ([401; 3], 401, 429));
    assert_eq!(app.nobody().get("/health").await.0, 429, "and so does what is open to all");
    app.finish().await;
}
