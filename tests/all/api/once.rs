//! `Idempotency-Key`: what is sent twice happens once.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{code, fields, read};
use crate::test_app::TestApp;

#[sqlx::test(migrations = "./migrations")]
async fn fifty_racing_requests_make_one_task_and_one_hold(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "3").await;
    let program = app.program(&buyer).await;
    let body = json!({"agentId": agent, "skillId": "echo", "message": "once"});
    let send = || {
        let request = program.request(Method::POST, "/tasks").header("Idempotency-Key", "k-1").json(&body);
        async move {
            let answer = request.send().await.unwrap();
            let replayed = answer.headers().contains_key("idempotent-replayed");
            let wait = answer.headers().contains_key("retry-after");
            (read(answer).await, replayed, wait)
        }
    };
    let answers = futures::future::join_all((0..50).map(|_| send())).await;
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    let mut created: Vec<Value> = Vec::new();
    for (answer, replayed, wait) in &answers {
        *statuses.entry(answer.0).or_default() += 1;
        match answer.0 {
            201 => created.push(answer.1.clone()),
            409 => assert!(*wait && !*replayed && code(answer).1 == "CONFLICT", "{answer:?}"),
            other => panic!("{other}: {answer:?}"),
        }
    }
    assert!(created.len() + statuses.get(&409).copied().unwrap_or(0) == 50 && !created.is_empty(), "{statuses:?}");
    assert_eq!(answers.iter().filter(|(a, replayed, _)| a.0 == 201 && !replayed).count(), 1, "one did it");
    created.dedup();
    assert_eq!(created.len(), 1, "the first answer is every answer");
    let rows = "SELECT count(*) FROM tasks";
    assert_eq!(sqlx::query_scalar::<_, i64>(rows).fetch_one(&pool).await.unwrap(), 1);
    let holds = "SELECT count(*) FROM transactions";
    assert_eq!(sqlx::query_scalar::<_, i64>(holds).fetch_one(&pool).await.unwrap(), 1);
    assert_eq!(app.available(&buyer).await, "997.00");
    // Later the same, though the task has moved on; and with another body or to another place it is refused.
    let (again, replayed, _) = send().await;
    assert!(replayed && again.0 == 201 && again.1 == created[0]);
    let other = program.request(Method::POST, "/tasks").header("Idempotency-Key", "k-1");
    let other = other.json(&json!({"agentId": agent, "skillId": "echo", "message": "twice"})).send().await.unwrap();
    assert_eq!(code(&read(other).await), (422, "IDEMPOTENCY_CONFLICT"));
    let id = again.1["data"]["id"].as_str().unwrap().to_owned();
    let elsewhere = program.request(Method::POST, &format!("/tasks/{id}/cancel")).header("Idempotency-Key", "k-1");
    assert_eq!(code(&read(elsewhere.send().await.unwrap()).await), (422, "IDEMPOTENCY_CONFLICT"));
    // Somebody else's key of the same name is another.
    let (_, stranger) = app.person("stranger").await;
    let theirs = app.program(&stranger).await.request(Method::POST, "/tasks").header("Idempotency-Key", "k-1");
    let theirs = read(theirs.json(&body).send().await.unwrap()).await;
    assert!(theirs.0 == 201 && theirs.1["data"]["id"] != again.1["data"]["id"]);
    for bad in ["", "with space", &"x".repeat(256)] {
        let request = program.request(Method::POST, "/tasks").header("Idempotency-Key", bad).json(&body);
        let answer = read(request.send().await.unwrap()).await;
        assert_eq!((code(&answer), fields(&answer)), ((400, "VALIDATION_ERROR"), vec!["Idempotency-Key"]), "{bad:?}");
    }
    for task in sqlx::query_scalar::<_, uuid::Uuid>("SELECT id FROM tasks").fetch_all(&pool).await.unwrap() {
        let actor = if task.to_string() == id { &buyer } else { &stranger };
        app.ended(actor, domain::TaskId(task)).await;
    }
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn what_failed_did_nothing_and_may_be_sent_again(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "600").await;
    let program = app.program(&buyer).await;
    let body = json!({"agentId": agent, "skillId": "echo", "message": "dear"});
    let send = |key: &'static str| {
        let request = program.request(Method::POST, "/tasks?wait=30").header("Idempotency-Key", key).json(&body);
        async move { read(request.send().await.unwrap()).await }
    };
    assert_eq!(send("first").await.0, 201);
    let refused = send("second").await;
    assert_eq!(code(&refused), (402, "INSUFFICIENT_CREDITS"));
    assert_eq!(refused.1["error"]["details"], json!({"needed": "600.00", "available": "400.00"}));
    let kept = "SELECT count(*) FROM idempotency_keys";
    assert_eq!(sqlx::query_scalar::<_, i64>(kept).fetch_one(&pool).await.unwrap(), 1);
    sqlx::query("UPDATE agents SET price_per_task = 1 WHERE id = $1").bind(agent.0).execute(&pool).await.unwrap();
    let second = send("second").await;
    assert_eq!((second.0, second.1["data"]["state"].as_str()), (201, Some("completed")));
    // Replayed with a wait, it is the task as it is.
    let replayed = send("second").await;
    assert_eq!(replayed.1["data"]["id"], second.1["data"]["id"]);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_secret_is_replayed_and_stands_nowhere_in_clear(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let (_, person) = app.person("ada").await;
    let program = app.program(&person).await;
    let send = || {
        let request = program.request(Method::POST, "/keys").header("Idempotency-Key", "make-one");
        let request = request.json(&json!({"name": "made", "scopes": ["tasks:read"]}));
        async move { read(request.send().await.unwrap()).await }
    };
    let (first, second) = (send().await, send().await);
    assert_eq!(first, second);
    let secret = first.1["data"]["secret"].as_str().unwrap();
    let kept: Vec<u8> = sqlx::query_scalar("SELECT sealed FROM idempotency_keys").fetch_one(&pool).await.unwrap();
    assert!(!kept.windows(12).any(|w| secret.as_bytes().windows(12).any(|s| s == w)), "sealed");
    let keys: i64 = sqlx::query_scalar("SELECT count(*) FROM api_keys").fetch_one(&pool).await.unwrap();
    assert_eq!(keys, 2);
    let made = super::Program { secret: secret.to_owned(), ..program.clone() };
    assert_eq!(made.get("/keys/current").await.1["data"]["scopes"], json!(["tasks:read"]));
    let _: Value = second.1;
    app.finish().await;
}
