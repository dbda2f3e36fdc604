//! An owner's agents over REST, from registering to retiring, with everybody who may not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use domain::agents::watch::proof;
use domain::api_keys::{NewKey, Scope, Scopes};
use domain::{Actor, AgentId};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::net::TcpListener;

use super::{Program, code, fields, only, read};
use crate::test_app::TestApp;

/// The echo agent at `{origin}/a2a`, with its card; can be shut, and publishes what it is told to.
struct Echo {
    origin: String,
    open: Arc<AtomicBool>,
    file: Arc<Mutex<String>>,
}

impl Echo {
    async fn start() -> Echo {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (open, file) = (Arc::new(AtomicBool::new(true)), Arc::new(Mutex::new(String::new())));
        let (door, shown) = (open.clone(), file.clone());
        let router = Router::new()
            .nest("/a2a", demo_agents::single("echo", &format!("{origin}/a2a"), None).unwrap())
            .route(proof::FILE, get(async move || shown.lock().unwrap().clone()))
            .layer(axum::middleware::from_fn(move |request, next: axum::middleware::Next| {
                let door = door.clone();
                async move {
                    if door.load(Ordering::SeqCst) {
                        next.run(request).await
                    } else {
                        StatusCode::SERVICE_UNAVAILABLE.into_response()
                    }
                }
            }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Echo { origin, open, file }
    }

    fn address(&self) -> String {
        format!("{}/a2a", self.origin)
    }
}

fn id_of(answer: &(u16, Value)) -> String {
    answer.1["data"]["id"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

/// Registers the agent, tests it and puts it on the list; answers with its id.
async fn listed(program: &Program, echo: &Echo) -> String {
    let made = program.post("/agents", json!({"cardUrl": echo.address(), "priceCredits": "1.50"})).await;
    let id = id_of(&made);
    assert_eq!(program.post(&format!("/agents/{id}/test"), json!({"message": "hello"})).await.0, 200);
    let on = program.call(Method::PATCH, &format!("/agents/{id}"), Some(json!({"listed": true}))).await;
    assert_eq!(on.0, 200, "{on:?}");
    id
}

#[sqlx::test(migrations = "./migrations")]
async fn an_agent_is_registered_tested_listed_and_retired(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (program, nobody, echo) = (app.program(&owner).await, app.nobody(), Echo::start().await);
    let made = program.post("/agents", json!({"cardUrl": echo.address(), "priceCredits": "1.50"})).await;
    let id = id_of(&made);
    let (place, said) = (format!("/agents/{id}"), &made.1["data"]);
    assert_eq!((made.0, &said["priceCredits"], &said["status"]), (201, &json!("1.50"), &json!("offline")));
    assert_eq!(said["owner"]["endpoint"], echo.address());
    assert_eq!((&said["skills"][0]["id"], &said["publisher"]), (&json!("echo"), &json!("owner")));
    assert!(said["secret"].as_str().unwrap().starts_with("whsec_"), "{said}");
    assert!(said["url"].as_str().unwrap().ends_with(&format!("/marketplace/{id}")), "{said}");
    assert!(said["owner"]["whyNotListed"].as_str().unwrap().contains("test call"), "{said}");
    assert_eq!(code(&nobody.get(&place).await), (404, "AGENT_NOT_FOUND"), "not listed");
    let tasks_alone = app.program_with(&owner, NewKey::named("t", only(Scope::TasksWrite))).await;
    assert_eq!(code(&tasks_alone.get(&place).await), (404, "AGENT_NOT_FOUND"), "a key that is not for agents");
    let (status, seen) = program.get(&place).await;
    assert_eq!((status, &seen["data"]["owner"]["card"]["name"]), (200, &said["name"]));
    assert!(!seen.to_string().contains("whsec_"), "shown once");

    let change = |body: Value| program.call(Method::PATCH, &place, Some(body));
    let early = change(json!({"listed": true})).await;
    assert_eq!((early.0, fields(&early)), (400, vec!["listed"]), "{early:?}");
    let test = format!("{place}/test");
    for (body, field) in [
        (json!({"message": " "}), "message"),
        (json!({}), "message"),
        (json!({"message": "x", "skillId": "other"}), "skillId"),
        (json!({"message": 1}), "message"),
        (json!({"message": "x", "skill": "echo"}), "skill"),
    ] {
        let refused = program.post(&test, body.clone()).await;
        assert_eq!((refused.0, fields(&refused)), (400, vec![field]), "{body}");
    }
    let answered = program.post(&test, json!({"skillId": "echo", "message": "hello"})).await;
    assert_eq!((answered.0, &answered.1["data"]["state"]), (200, &json!("it completed the task")));
    assert!(answered.1["data"]["preview"].as_str().unwrap().starts_with("hello"), "{answered:?}");
    assert!(answered.1["data"]["millis"].is_u64() && answered.1["data"]["protocol"].is_string());
    let on = change(json!({"listed": true, "description": "Says it again", "promisedSeconds": 30})).await;
    assert_eq!(
        (on.0, &on.1["data"]["status"], &on.1["data"]["owner"]["listed"]),
        (200, &json!("online"), &json!(true))
    );
    assert_eq!(on.1["data"]["owner"]["whyNotListed"], Value::Null);
    assert_eq!(on.1["data"]["owner"]["promisedSeconds"], 30);
    let none = change(json!({"promisedSeconds": null})).await;
    assert_eq!((none.0, &none.1["data"]["owner"]["promisedSeconds"]), (200, &Value::Null));
    assert_eq!(none.1["data"]["description"], "Says it again", "what is left out stays");

    let (status, public) = nobody.get(&place).await;
    assert_eq!((status, &public["data"]["owner"]), (200, &Value::Null));
    assert!(!public.to_string().contains(&echo.origin), "its address is its owner's: {public}");
    let checked = program.post(&format!("{place}/check"), json!({})).await;
    assert_eq!((checked.0, &checked.1["data"]["answered"]), (200, &json!(true)), "{checked:?}");
    assert!(checked.1["data"]["millis"].is_number() && checked.1["data"]["status"] == "online");
    let again = program.request(Method::POST, &format!("{place}/check")).send().await.unwrap();
    assert!(again.status() == 429 && again.headers().contains_key("retry-after"), "twice in two seconds");

    // A new address has not answered a test call.
    let moved = change(json!({"endpoint": format!("{}/elsewhere", echo.origin)})).await;
    assert_eq!((moved.0, &moved.1["data"]["owner"]["listed"]), (200, &json!(false)));
    assert_eq!(moved.1["data"]["owner"]["testedAt"], Value::Null);
    assert_eq!(code(&program.post(&test, json!({"message": "hello"})).await), (502, "PROTOCOL_ERROR"));

    for _ in 0..2 {
        assert_eq!(program.call(Method::DELETE, &place, None).await, (204, Value::Null), "as often as one likes");
    }
    let (status, retired) = program.get(&place).await;
    assert!(status == 200 && retired["data"]["owner"]["retiredAt"].is_string(), "its owner sees it: {retired}");
    for (method, path, body) in [
        (Method::PATCH, place.clone(), json!({"name": "Back"})),
        (Method::POST, test.clone(), json!({"message": "hello"})),
        (Method::POST, format!("{place}/card/refresh"), json!({})),
        (Method::POST, format!("{place}/heartbeat"), json!({})),
    ] {
        assert_eq!(code(&program.call(method, &path, Some(body)).await), (404, "AGENT_NOT_FOUND"), "{path}");
    }
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn each_wrong_field_of_a_listing_is_named(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let (_, owner) = app.person("owner").await;
    let (program, echo) = (app.program(&owner).await, Echo::start().await);
    let good = json!({"name": "A", "endpoint": "https://a.example/", "skills": [{"id": "s", "name": "S"}]});
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    let long = "x".repeat(101);
    let wrong = [
        ("name", json!("")),
        ("name", json!(long)),
        ("name", json!(7)),
        ("description", json!("x".repeat(5_001))),
        ("endpoint", json!("ftp://a.example")),
        ("endpoint", json!("https://u:p@a.example/")),
        ("tags", json!(["Bad Tag"])),
        ("skills", json!([{"id": "a b", "name": "x"}])),
        ("skills", json!([{"id": "a", "name": "x"}, {"id": "a", "name": "y"}])),
        ("skills", json!([{"id": "a", "name": "x", "inputSchema": 3}])),
        ("priceCredits", json!("-1")),
        ("priceCredits", json!("0.001")),
        ("priceCredits", json!("1000000.01")),
        ("maxConcurrent", json!(0)),
        ("promisedSeconds", json!(3_601)),
        ("cardUrl", json!("not an address")),
        ("cardUrl", json!(format!("{}/nothing.json", echo.origin))),
    ];
    for (field, value) in wrong {
        let refused = program.post("/agents", with(field, value.clone())).await;
        assert_eq!((code(&refused), fields(&refused)), ((400, "VALIDATION_ERROR"), vec![field]), "{value}");
    }
    let refused = program.post("/agents", with("skills", json!([{"id": "a", "name": "x", "modes": []}]))).await;
    assert_eq!(fields(&refused), ["skills[0].modes"]);
    let refused = program.post("/agents", with("skills", json!([{"name": "x"}]))).await;
    assert_eq!(fields(&refused), ["skills[0].id"]);
    let refused = program.post("/agents", json!({"priceCredits": "x", "price": 3})).await;
    assert_eq!(refused.0, 400, "{refused:?}");
    let refused = program.post("/agents", json!({})).await;
    assert_eq!(fields(&refused), ["name", "endpoint"], "all of them at once");
    let agents: i64 =
        sqlx::query_scalar("SELECT count(*) FROM agents WHERE kind = 'listed'").fetch_one(&pool).await.unwrap();
    assert_eq!(agents, 0);
    // Without a skill it may be kept, and not listed.
    let made = program.post("/agents", json!({"name": "A", "endpoint": echo.address()})).await;
    let place = format!("/agents/{}", id_of(&made));
    assert_eq!(program.post(&format!("{place}/test"), json!({"message": "hi"})).await.0, 200);
    let refused = program.call(Method::PATCH, &place, Some(json!({"listed": true}))).await;
    assert_eq!((refused.0, fields(&refused)), (400, vec!["skills"]));
    for (field, value) in [("priceCredits", json!("-1")), ("maxConcurrent", json!(1_001)), ("nonsense", json!(1))] {
        let refused = program.call(Method::PATCH, &place, Some(json!({ (field): value }))).await;
        assert_eq!((refused.0, fields(&refused)), (400, vec![field]), "{field}");
    }
    // A wrong field beside a right one: neither is kept.
    let refused = program.call(Method::PATCH, &place, Some(json!({"name": "B", "listed": true}))).await;
    assert_eq!(refused.0, 400);
    assert_eq!(program.get(&place).await.1["data"]["name"], "A");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn two_writers_do_not_overwrite_each_other(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let (_, owner) = app.person("owner").await;
    let (program, echo) = (app.program(&owner).await, Echo::start().await);
    let place = format!("/agents/{}", listed(&program, &echo).await);
    let etag = async || {
        let answer = program.request(Method::GET, &place).send().await.unwrap();
        answer.headers()["etag"].to_str().unwrap().to_owned()
    };
    let first = etag().await;
    let same = program.request(Method::GET, &place).header("if-none-match", &first).send().await.unwrap();
    assert_eq!(same.status(), 304);
    // Its figures move: another representation, and nothing that its owner wrote.
    sqlx::query("UPDATE agents SET trust_score = 77").execute(&pool).await.unwrap();
    assert_ne!(etag().await, first);
    let fresh = program.request(Method::GET, &place).header("if-none-match", &first).send().await.unwrap();
    assert_eq!(fresh.status(), 200);
    let change = |tag: &str, name: &str| {
        let request = program.request(Method::PATCH, &place).header("if-match", tag).json(&json!({ "name": name }));
        async move { read(request.send().await.unwrap()).await }
    };
    let racing = futures::future::join_all((0..8).map(|n| change(&first, &format!("Writer {n}")))).await;
    let mut statuses: Vec<u16> = racing.iter().map(|a| a.0).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
    assert_eq!(code(&change(&first, "Late").await), (412, "PRECONDITION_FAILED"));
    assert_eq!(change("\"nonsense\"", "Late").await.0, 412);
    let now = etag().await;
    assert_eq!(change(&format!("\"x\", {now}"), "In time").await.0, 200);
    assert_eq!(change("*", "Any").await.1["data"]["name"], "Any");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn registering_twice_with_one_idempotency_key_makes_one_agent(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let (_, owner) = app.person("owner").await;
    let (program, echo) = (app.program(&owner).await, Echo::start().await);
    let send = |body: Value| {
        let request = program.request(Method::POST, "/agents").header("idempotency-key", "reg-1").json(&body);
        async move {
            let answer = request.send().await.unwrap();
            let replayed = answer.headers().contains_key("idempotent-replayed");
            (read(answer).await, replayed)
        }
    };
    let body = json!({"cardUrl": echo.address()});
    echo.open.store(false, Ordering::SeqCst);
    let (shut, _) = send(body.clone()).await;
    assert_eq!((shut.0, fields(&shut)), (400, vec!["cardUrl"]), "what failed did nothing");
    echo.open.store(true, Ordering::SeqCst);
    let (first, replayed) = send(body.clone()).await;
    assert!(first.0 == 201 && !replayed, "{first:?}");
    // The answer is known, wherever the card is now.
    echo.open.store(false, Ordering::SeqCst);
    let (second, replayed) = send(body.clone()).await;
    assert!(replayed && second == first, "{second:?}");
    let (other, _) = send(json!({"cardUrl": echo.address(), "name": "Other"})).await;
    assert_eq!(code(&other), (422, "IDEMPOTENCY_CONFLICT"));
    let agents: i64 =
        sqlx::query_scalar("SELECT count(*) FROM agents WHERE kind = 'listed'").fetch_one(&pool).await.unwrap();
    assert_eq!(agents, 1);
    // A secret is rotated once, too.
    let rotate = format!("/agents/{}/secret/rotate", id_of(&first));
    let turn = async || {
        let request = program.request(Method::POST, &rotate).header("idempotency-key", "rot-1");
        read(request.send().await.unwrap()).await.1["data"]["secret"].as_str().unwrap().to_owned()
    };
    let (one, two) = (turn().await, turn().await);
    assert!(one == two && first.1["data"]["secret"] != one.as_str());
    app.finish().await;
}

/// Every operation on an agent that is its owner's alone: scope, method, path and body.
fn owners_operations(id: &str, task: &str) -> Vec<(Scope, Method, String, Option<Value>)> {
    let at = |path: &str| format!("/agents/{id}{path}");
    let write = Scope::AgentsWrite;
    vec![
        (write, Method::PATCH, at(""), Some(json!({"name": "Mine now"}))),
        (write, Method::POST, at("/test"), Some(json!({"message": "hello"}))),
        (write, Method::POST, at("/check"), Some(json!({}))),
        (write, Method::POST, at("/card/refresh"), Some(json!({"apply": true}))),
        (write, Method::POST, at("/secret/rotate"), Some(json!({}))),
        (write, Method::POST, at("/heartbeat"), Some(json!({"status": "offline"}))),
        (Scope::AgentsRead, Method::GET, at("/proof"), None),
        (write, Method::POST, at("/proof/check"), Some(json!({}))),
        (write, Method::POST, at(&format!("/reviews/{task}/answer")), Some(json!({"answer": "Mine"}))),
        (write, Method::DELETE, at(""), None),
    ]
}

#[sqlx::test(migrations = "./migrations")]
async fn nobody_else_touches_an_agent(pool: PgPool) {
    let app = TestApp::start_with(pool, &["--rate-limit", "100000"]).await;
    let ((_, owner), (_, buyer), (_, other)) =
        (app.person("owner").await, app.person("buyer").await, app.person("other").await);
    let (program, echo) = (app.program(&owner).await, Echo::start().await);
    let (id, second) = (listed(&program, &echo).await, listed(&program, &echo).await);
    let agent = |id: &str| id.parse::<AgentId>().unwrap();
    let hired = app.program(&buyer).await;
    let task = hired.post("/tasks?wait=30", json!({"agentId": id, "message": "x"})).await;
    let task = id_of(&task);
    assert_eq!(hired.post(&format!("/tasks/{task}/rating"), json!({"stars": 4, "text": "Fine"})).await.0, 200);

    let stranger = app.program(&other).await;
    let for_second = NewKey { agents: Some(vec![agent(&second)]), ..NewKey::named("second", Scopes::All) };
    let for_second = app.program_with(&owner, for_second).await;
    for (scope, method, path, body) in owners_operations(&id, &task) {
        for (name, who) in [("a stranger", &stranger), ("a key for another agent", &for_second)] {
            let answer = who.call(method.clone(), &path, body.clone()).await;
            assert_eq!(code(&answer), (404, "AGENT_NOT_FOUND"), "{name} {method} {path}");
        }
        let without = Scope::ALL.into_iter().filter(|s| !only(*s).allow(scope)).collect();
        let without = app.program_with(&owner, NewKey::named("w", Scopes::Some(without))).await;
        let answer = without.call(method.clone(), &path, body.clone()).await;
        assert_eq!(code(&answer), (403, "FORBIDDEN"), "{method} {path}");
        assert_eq!(answer.1["error"]["details"]["scope"], scope.as_str());
        assert_eq!(
            code(&app.nobody().call(method.clone(), &path, body).await),
            (401, "UNAUTHORIZED"),
            "{method} {path}"
        );
    }
    let unharmed = program.get(&format!("/agents/{id}")).await.1;
    assert_eq!((&unharmed["data"]["status"], &unharmed["data"]["name"]), (&json!("online"), &json!("Echo")));

    // A key for chosen agents lists those, sees the other as everybody does, and registers none.
    let list = for_second.get("/agents").await.1;
    let ids: Vec<&str> = list["data"].as_array().unwrap().iter().map(|a| a["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [second.as_str()]);
    assert_eq!(for_second.get(&format!("/agents/{id}")).await.1["data"]["owner"], Value::Null);
    assert_eq!(for_second.get(&format!("/agents/{id}/stats")).await.1["data"]["earnedCredits"], Value::Null);
    assert!(for_second.get(&format!("/agents/{second}")).await.1["data"]["owner"].is_object());
    let made = for_second.post("/agents", json!({"cardUrl": echo.address()})).await;
    assert_eq!(code(&made), (403, "FORBIDDEN"));

    // As its owner, in order: each gets past the door.
    for (_, method, path, body) in owners_operations(&id, &task) {
        let answer = program.call(method.clone(), &path, body).await;
        // The worker may have asked just now.
        let too_soon = path.ends_with("/check") && answer.0 == 429;
        assert!(answer.0 < 300 || too_soon, "{method} {path} {answer:?}");
    }
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn lists_come_in_pages_with_what_is_retired_last(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let program = app.program(&owner).await;
    let mut made = Vec::new();
    for n in 0..5 {
        let body = json!({"name": format!("A{n}"), "endpoint": "https://a.example/"});
        made.push(id_of(&program.post("/agents", body).await));
    }
    assert_eq!(program.call(Method::DELETE, &format!("/agents/{}", made[4]), None).await.0, 204);
    let (mut names, mut query) = (Vec::new(), "/agents?limit=2".to_owned());
    loop {
        let (status, page) = program.get(&query).await;
        assert_eq!(status, 200, "{page}");
        let rows = page["data"].as_array().unwrap();
        assert!(rows.len() <= 2);
        names.extend(rows.iter().map(|a| a["name"].as_str().unwrap().to_owned()));
        match page["nextCursor"].as_str() {
            Some(next) => query = format!("/agents?limit=2&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(names, ["A3", "A2", "A1", "A0", "A4"]);
    for (query, field) in [("limit=0", "limit"), ("limit=101", "limit"), ("cursor=xx", "cursor"), ("page=2", "page")] {
        let refused = program.get(&format!("/agents?{query}")).await;
        assert_eq!((refused.0, fields(&refused)), (400, vec![field]), "{query}");
    }
    // A cursor of another list.
    let foreign = domain::Cursor { key: "50.00".into(), id: uuid::Uuid::nil() };
    assert_eq!(fields(&program.get(&format!("/agents?cursor={foreign}")).await), ["cursor"]);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_card_is_fetched_anew_and_a_proof_is_looked_for(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let (_, owner) = app.person("owner").await;
    let (program, echo, other) = (app.program(&owner).await, Echo::start().await, Echo::start().await);
    let id = listed(&program, &echo).await;
    let place = format!("/agents/{id}/card/refresh");
    let refresh = |body: Value| program.post(&place, body);
    let renamed = json!({"name": "Mine", "maxConcurrent": 3});
    assert_eq!(program.call(Method::PATCH, &format!("/agents/{id}"), Some(renamed)).await.0, 200);
    let (status, seen) = refresh(json!({})).await;
    assert_eq!((status, &seen["data"]["differs"]), (200, &json!(["name", "priceCredits"])), "{seen}");
    assert_eq!((&seen["data"]["applied"], &seen["data"]["agent"]["name"]), (&json!(false), &json!("Mine")));
    let (_, applied) = refresh(json!({"apply": true})).await;
    assert_eq!((&applied["data"]["applied"], &applied["data"]["agent"]["name"]), (&json!(true), &json!("Echo")));
    assert_eq!(applied["data"]["agent"]["owner"]["maxConcurrent"], 3, "a card does not say it");
    assert_eq!(applied["data"]["agent"]["owner"]["listed"], true);
    assert_eq!(refresh(json!({})).await.1["data"]["differs"], json!([]));
    // The agent has moved.
    let (_, moved) = refresh(json!({"cardUrl": other.address(), "apply": true})).await;
    assert_eq!(moved["data"]["agent"]["owner"]["endpoint"], other.address());
    assert_eq!(moved["data"]["agent"]["owner"]["listed"], false, "it has not answered there");
    other.open.store(false, Ordering::SeqCst);
    let gone = refresh(json!({"apply": true})).await;
    assert_eq!(code(&gone), (502, "PROTOCOL_ERROR"));
    assert!(gone.1["error"]["message"].as_str().unwrap().contains("no agent card was found"), "{gone:?}");
    assert_eq!(fields(&refresh(json!({"cardUrl": "nonsense nonsense"})).await), ["cardUrl"]);
    assert_eq!(fields(&refresh(json!({"apply": "yes"})).await), ["apply"]);
    let failing = program.post(&format!("/agents/{id}/test"), json!({"message": "x"})).await;
    assert_eq!(code(&failing), (502, "PROTOCOL_ERROR"));
    other.open.store(true, Ordering::SeqCst);

    let place = format!("/agents/{id}/proof");
    let (status, proof) = program.get(&place).await;
    let token = proof["data"]["token"].as_str().unwrap();
    assert_eq!((status, &proof["data"]["verified"]), (200, &json!(false)));
    assert_eq!(proof["data"]["fileUrl"], format!("{}/.well-known/nexus-agent.txt", other.origin));
    let look = async || {
        sqlx::query("UPDATE agent_proofs SET checked_at = now() - interval '3 seconds'").execute(&pool).await.unwrap();
        program.post(&format!("{place}/check"), json!({})).await.1["data"].clone()
    };
    let nothing = look().await;
    assert_eq!((&nothing["found"], &nothing["proof"]["verified"]), (&json!(false), &json!(false)));
    assert!(nothing["proof"]["problem"].is_string(), "{nothing}");
    token.clone_into(&mut other.file.lock().unwrap());
    let found = look().await;
    assert_eq!((&found["found"], &found["proof"]["verified"]), (&json!(true), &json!(true)));
    assert_eq!(found["proof"]["problem"], Value::Null);
    assert_eq!(program.post(&format!("{place}/check"), json!({})).await.0, 429, "twice in two seconds");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn an_owner_sends_a_heartbeat_with_a_key(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (program, echo) = (app.program(&owner).await, Echo::start().await);
    let id = listed(&program, &echo).await;
    let place = format!("/agents/{id}/heartbeat");
    // As often as they like: there is no replay to refuse.
    for (said, status) in [("degraded", "degraded"), ("online", "online"), ("online", "online")] {
        let beaten = program.post(&place, json!({"status": said})).await;
        assert_eq!((beaten.0, &beaten.1["data"]["status"]), (200, &json!(status)), "{beaten:?}");
        assert!(beaten.1["data"]["nextBefore"].is_string());
    }
    let empty = program.request(Method::POST, &place).send().await.unwrap();
    assert_eq!(empty.status(), 200);
    assert!(empty.headers().contains_key("ratelimit-remaining"), "a key is counted");
    assert_eq!(fields(&program.post(&place, json!({"status": "tired"})).await), ["status"]);
    let large = program.request(Method::POST, &place).body("x".repeat(5_000)).send().await.unwrap();
    assert_eq!(large.status(), 413);
    let garbled = Program { secret: "nxk_nonsense".into(), ..app.nobody() };
    assert_eq!(code(&garbled.post(&place, json!({})).await), (401, "UNAUTHORIZED"));
    let unsigned = app.nobody().request(Method::POST, &place).send().await.unwrap();
    assert!(unsigned.headers().contains_key("www-authenticate") && unsigned.status() == 401);
    assert_eq!(code(&program.post("/agents/nonsense/heartbeat", json!({})).await), (404, "AGENT_NOT_FOUND"));
    assert_eq!(program.get(&place).await.0, 405);
    app.finish().await;
}

async fn count(pool: &PgPool, actor: &Actor) -> i64 {
    let user = actor.user().unwrap();
    let rows =
        sqlx::query_scalar("SELECT count(*) FROM agents WHERE owner_user_id = $1 AND kind = 'listed'").bind(user.0);
    rows.fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn racing_registrations_with_one_key_make_one(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let (_, owner) = app.person("owner").await;
    let (program, echo) = (app.program(&owner).await, Echo::start().await);
    let body = json!({"cardUrl": echo.address()});
    let send = || {
        let request = program.request(Method::POST, "/agents").header("idempotency-key", "race").json(&body);
        async move { read(request.send().await.unwrap()).await }
    };
    let answers = futures::future::join_all((0..12).map(|_| send())).await;
    let made: Vec<&Value> = answers.iter().filter(|a| a.0 == 201).map(|a| &a.1).collect();
    assert!(!made.is_empty() && made.iter().all(|a| *a == made[0]), "{answers:?}");
    assert!(answers.iter().all(|a| matches!(a.0, 201 | 409)), "{answers:?}");
    assert_eq!(count(&pool, &owner).await, 1);
    app.finish().await;
}
