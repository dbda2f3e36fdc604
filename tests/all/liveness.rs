//! Agents that are watched, over HTTP: probed by the worker, heard through heartbeats, checked and proven by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};

use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::agents::watch::proof;
use domain::agents::{self, AgentStatus, NewAgent, Skill};
use domain::{Actor, AgentId};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use sqlx::PgPool;
use tokio::net::TcpListener;

use crate::provider::until;
use crate::test_app::{TestApp, location};

/// An agent whose answers a test steers: the status of its card, of its endpoint, and the text of its proof file.
struct Steered {
    origin: String,
    card: Arc<AtomicU16>,
    rpc: Arc<AtomicU16>,
    /// Whether the endpoint answers in the protocol.
    said: Arc<AtomicBool>,
    proof: Arc<std::sync::Mutex<(u16, String)>>,
}

impl Steered {
    async fn start() -> Steered {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (card, rpc) = (Arc::new(AtomicU16::new(200)), Arc::new(AtomicU16::new(200)));
        let said = Arc::new(AtomicBool::new(true));
        let proof = Arc::new(std::sync::Mutex::new((404, String::new())));
        let status = |of: &AtomicU16| StatusCode::from_u16(of.load(Ordering::SeqCst)).unwrap();
        let (card_of, rpc_of, said_of, proof_of) = (card.clone(), rpc.clone(), said.clone(), proof.clone());
        let token = proof.clone();
        let router = Router::new()
            .route(
                "/card.json",
                get(move || async move {
                    let token = token.lock().unwrap().1.clone();
                    let owner = json!({ "uri": proof::OWNER, "params": { "token": token } });
                    (status(&card_of), Json(json!({ "name": "Steered", "capabilities": { "extensions": [owner] } })))
                }),
            )
            .route(
                "/rpc",
                post(move |Json(call): Json<Value>| async move {
                    let error = json!({ "code": -32603, "message": "secret words of the agent" });
                    let answer = json!({ "jsonrpc": "2.0", "id": call["id"], "error": error });
                    (status(&rpc_of), if said_of.load(Ordering::SeqCst) { answer.to_string() } else { "down".into() })
                }),
            )
            .route("/page", post(|| async { (StatusCode::OK, "<html>hello</html>") }))
            .route(
                proof::FILE,
                get(move || async move {
                    let (status, text) = proof_of.lock().unwrap().clone();
                    (StatusCode::from_u16(status).unwrap(), text)
                }),
            );
        tokio::spawn(async move { axum::serve(listener, router).await });
        Steered { origin, card, rpc, said, proof }
    }

    /// Registered for `owner` and put on the list; answers with its id and secret.
    async fn list(&self, app: &TestApp, owner: &Actor, path: &str, card: bool) -> (AgentId, String) {
        let new = NewAgent {
            name: "Steered".into(),
            endpoint: format!("{}{path}", self.origin),
            skills: vec![Skill { id: "work".into(), name: "Work".into(), ..Skill::default() }],
            card_url: card.then(|| format!("{}/card.json", self.origin)),
            ..NewAgent::default()
        };
        let registered = agents::register(&app.db, owner, new.clone()).await.unwrap();
        agents::mark_tested(&app.db, owner, registered.id, &new.endpoint, None).await.unwrap();
        agents::set_status(&app.db, owner, registered.id, true).await.unwrap();
        (registered.id, registered.secret)
    }
}

async fn status_becomes(app: &TestApp, owner: &Actor, id: AgentId, status: AgentStatus) {
    until(&format!("the agent becomes {status:?}"), || async {
        // As if the time to the next probe had passed.
        sqlx::query("UPDATE agent_watch SET next_probe_at = now() WHERE next_probe_at > now()")
            .execute(app.db.pool())
            .await
            .unwrap();
        agents::owned(&app.db, owner, id).await.unwrap().summary.status == status
    })
    .await;
}

#[sqlx::test(migrations = "./migrations")]
async fn the_worker_finds_out_who_answers(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (browser, owner) = app.person("owner").await;
    let (buyer, _) = app.person("buyer").await;
    let steered = Steered::start().await;
    let (id, _) = steered.list(&app, &owner, "/rpc", true).await;
    // One of the real agents, without a card, behind its signature.
    let echo = app.agent(&owner, "echo", "10").await;
    // Answers, but not in the protocol.
    let (page, _) = steered.list(&app, &owner, "/page", false).await;
    // Answers with an error of the protocol: it is there.
    let (rpc, _) = steered.list(&app, &owner, "/rpc", false).await;
    until("all are probed", || async {
        let asked: i64 = sqlx::query_scalar("SELECT count(*) FROM agent_watch WHERE last_probe_at IS NOT NULL")
            .fetch_one(app.db.pool())
            .await
            .unwrap();
        asked == 4
    })
    .await;
    let watch = |id| {
        let (db, owner) = (app.db.clone(), owner);
        async move { agents::owned(&db, &owner, id).await.unwrap().watch }
    };
    for id in [id, echo, rpc] {
        let watch = watch(id).await;
        assert!(watch.millis.is_some() && watch.probe_error.is_none(), "{id} {watch:?}");
    }
    let why = watch(page).await.probe_error.unwrap();
    assert!(why.contains("not JSON"), "{why}");

    // A card that has gone is no outage: the endpoint answers.
    steered.card.store(404, Ordering::SeqCst);
    let asked = watch(id).await.probed_at;
    until("it is probed again", || async {
        sqlx::query("UPDATE agent_watch SET next_probe_at = now()").execute(app.db.pool()).await.unwrap();
        watch(id).await.probed_at > asked
    })
    .await;
    assert_eq!(watch(id).await.probe_error, None);

    steered.card.store(502, Ordering::SeqCst);
    steered.rpc.store(503, Ordering::SeqCst);
    steered.said.store(false, Ordering::SeqCst);
    status_becomes(&app, &owner, id, AgentStatus::Offline).await;
    let hire = buyer
        .post_multipart(
            &format!("/marketplace/{id}/hire"),
            &[("skill", "work"), ("price", "0.00"), ("message", "x")],
            None,
        )
        .await;
    assert_eq!(hire.status(), 503);
    let found = buyer.get("/marketplace").await.text().await.unwrap();
    assert!(!found.contains(&id.to_string()), "an offline agent is in no list");

    // Its page stays and says so; what the check met is for its owner alone.
    let public = buyer.get(&format!("/marketplace/{id}")).await;
    assert_eq!(public.status(), 200);
    let public = public.text().await.unwrap();
    for word in ["Did not answer", "so far", "Last checked", "Offline"] {
        assert!(public.contains(word), "{word}: {public}");
    }
    // The site has its own address on the page, and the agent's gateway with it.
    let public = public.replace(&format!("127.0.0.1:{}", app.addr.port()), "here");
    for hidden in ["502", "127.0.0.1:", "secret words", "/card.json"] {
        assert!(!public.contains(hidden), "{hidden} is shown to everybody");
    }
    let manage = browser.get(&format!("/agents/{id}")).await.text().await.unwrap();
    assert!(
        manage.contains("Its card answered with HTTP status 502, and it answered with HTTP status 503")
            && manage.contains("brings it back"),
        "{manage}"
    );
    let mine = browser.get("/agents").await.text().await.unwrap();
    assert!(mine.contains("HTTP status 502"), "the list says why as well");

    // Mended: the owner checks by hand, and it is back.
    steered.card.store(200, Ordering::SeqCst);
    until("a check by hand is let in", || async {
        browser.post(&format!("/agents/{id}/check"), &[]).await.status() == 303
    })
    .await;
    assert_eq!(agents::owned(&app.db, &owner, id).await.unwrap().summary.status, AgentStatus::Online);
    let again = browser.post(&format!("/agents/{id}/check"), &[]).await;
    assert_eq!(again.status(), 429);
    for path in ["check", "proof"] {
        assert_eq!(buyer.post(&format!("/agents/{id}/{path}"), &[]).await.status(), 404, "{path} of somebody else's");
    }
    let public = buyer.get(&format!("/marketplace/{id}")).await.text().await.unwrap();
    assert!(!public.contains("so far") && public.contains("Too early for a percentage"), "{public}");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn an_agent_that_is_down_is_found_out_without_a_card(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let steered = Steered::start().await;
    let (id, _) = steered.list(&app, &owner, "/rpc", false).await;
    status_becomes(&app, &owner, id, AgentStatus::Online).await;
    let new = NewAgent {
        name: "Nobody".into(),
        endpoint: "http://127.0.0.1:9/".into(),
        skills: vec![Skill { id: "work".into(), name: "Work".into(), ..Skill::default() }],
        ..NewAgent::default()
    };
    let dead = agents::register(&app.db, &owner, new).await.unwrap().id;
    agents::mark_tested(&app.db, &owner, dead, "http://127.0.0.1:9/", None).await.unwrap();
    agents::set_status(&app.db, &owner, dead, true).await.unwrap();
    status_becomes(&app, &owner, dead, AgentStatus::Offline).await;
    let why = agents::owned(&app.db, &owner, dead).await.unwrap().why_not_listed().unwrap();
    assert!(why.contains("could not be reached"), "{why}");
    // An error page of whatever stands before the agent is no answer of it.
    steered.rpc.store(404, Ordering::SeqCst);
    steered.said.store(false, Ordering::SeqCst);
    status_becomes(&app, &owner, id, AgentStatus::Offline).await;
    app.finish().await;
}

struct Sent {
    status: u16,
    body: Value,
}

/// Sends a heartbeat; `secret` none: without a signature.
async fn heartbeat(app: &TestApp, id: &str, secret: Option<&str>, at: i64, body: &str) -> Sent {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.post(format!("http://{}/api/v1/agents/{id}/heartbeat", app.addr)).body(body.to_owned());
    if let Some(secret) = secret {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("b-{at}.{at}.{body}").as_bytes());
        let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        request = request
            .header("webhook-id", format!("b-{at}"))
            .header("webhook-timestamp", at.to_string())
            .header("webhook-signature", signature);
    }
    let answer = request.send().await.unwrap();
    Sent { status: answer.status().as_u16(), body: answer.json().await.unwrap() }
}

#[sqlx::test(migrations = "./migrations")]
async fn heartbeats_over_http(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (browser, owner) = app.person("owner").await;
    let (buyer, _) = app.person("buyer").await;
    let steered = Steered::start().await;
    let (id, secret) = steered.list(&app, &owner, "/rpc", true).await;
    let id_text = id.to_string();
    let now = chrono::Utc::now().timestamp();
    let beat = |secret, at, body| heartbeat(&app, &id_text, secret, at, body);

    let taken = beat(Some(&secret), now, "").await;
    assert_eq!((taken.status, taken.body["data"]["status"].as_str()), (200, Some("online")));
    let next: chrono::DateTime<chrono::Utc> = taken.body["data"]["nextBefore"].as_str().unwrap().parse().unwrap();
    assert!((115..=125).contains(&(next.timestamp() - now)), "{next}");
    assert_eq!(beat(Some(&secret), now, "").await.status, 409, "a replay");

    // One answer for everything that may be wrong.
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let wrong = beat(Some(other), now + 1, "{}").await;
    assert_eq!((wrong.status, wrong.body["error"]["code"].as_str()), (401, Some("UNAUTHORIZED")));
    for refused in [
        beat(None, now + 1, "{}").await,
        beat(Some(&secret), now - 310, "{}").await,
        heartbeat(&app, "00000000-0000-4000-8000-00000000dead", Some(&secret), now + 1, "{}").await,
        heartbeat(&app, "nonsense", Some(&secret), now + 1, "{}").await,
    ] {
        assert_eq!((refused.status, &refused.body), (401, &wrong.body));
    }
    for (at, body) in
        [(now + 1, "nonsense"), (now + 1, "[]"), (now + 1, r#"{"status":"fine"}"#), (now + 1, r#"{"status":7}"#)]
    {
        let refused = beat(Some(&secret), at, body).await;
        assert_eq!((refused.status, refused.body["error"]["code"].as_str()), (400, Some("VALIDATION_ERROR")), "{body}");
    }
    let large = format!(r#"{{"status":"online","x":"{}"}}"#, "x".repeat(5_000));
    assert_eq!(beat(Some(&secret), now + 1, &large).await.status, 413);

    // What it says counts at once, for hiring too.
    let down = beat(Some(&secret), now + 2, r#"{"status":"offline","note":"ignored"}"#).await;
    assert_eq!(down.body["data"]["status"], "offline");
    let form = [("skill", "work"), ("price", "0.00"), ("message", "x")];
    assert_eq!(buyer.post_multipart(&format!("/marketplace/{id}/hire"), &form, None).await.status(), 503);
    let page = buyer.get(&format!("/marketplace/{id}")).await.text().await.unwrap();
    assert!(page.contains("Said that it is offline"), "{page}");
    let manage = browser.get(&format!("/agents/{id}")).await.text().await.unwrap();
    assert!(manage.contains("A heartbeat that says online brings it back"), "{manage}");
    assert_eq!(beat(Some(&secret), now + 3, r#"{"status":"online"}"#).await.body["data"]["status"], "online");
    assert_eq!(buyer.post_multipart(&format!("/marketplace/{id}/hire"), &form, None).await.status(), 303);
    sqlx::query("DELETE FROM task_queue").execute(app.db.pool()).await.unwrap();
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn the_example_of_the_documentation_is_taken(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let steered = Steered::start().await;
    let (id, secret) = steered.list(&app, &owner, "/rpc", true).await;
    let page = include_str!("../../docs/list-an-agent.md");
    let example = page.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let run = tokio::process::Command::new("sh")
        .args(["-eu", "-c", example])
        .env("NEXUS", format!("http://{}", app.addr))
        .env("AGENT", id.to_string())
        .env("SECRET", secret)
        .env("no_proxy", "*")
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(said.contains(r#""status":"online""#), "{said} {}", String::from_utf8_lossy(&run.stderr));
    assert!(agents::owned(&app.db, &owner, id).await.unwrap().watch.last_heartbeat.is_some());
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn an_address_is_proven_by_file_or_card_and_the_proof_can_be_lost(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (browser, owner) = app.person("owner").await;
    let (buyer, _) = app.person("buyer").await;
    let steered = Steered::start().await;
    let (id, _) = steered.list(&app, &owner, "/rpc", true).await;
    let token = proof::show(&app.db, &owner, id).await.unwrap().token;
    let manage = || async { browser.get(&format!("/agents/{id}")).await.text().await.unwrap() };
    assert!(manage().await.contains(&token), "the owner sees what to publish");
    // The limit on checks by hand is not what is tested here.
    let check = || async {
        sqlx::query("UPDATE agent_proofs SET checked_at = NULL").execute(app.db.pool()).await.unwrap();
        let answer = browser.post(&format!("/agents/{id}/proof"), &[]).await;
        assert_eq!((answer.status().as_u16(), location(&answer).to_owned()), (303, format!("/agents/{id}")));
        agents::owned(&app.db, &owner, id).await.unwrap().summary.verified
    };
    let publish = |status: u16, text: &str| *steered.proof.lock().unwrap() = (status, text.to_owned());

    assert!(!check().await);
    let page = manage().await;
    assert!(page.contains("HTTP status 404") && page.contains("Not proven"), "{page}");
    publish(200, &format!("# agents of example.org\n{token}\n"));
    assert!(check().await, "by the file");
    let public = buyer.get(&format!("/marketplace/{id}")).await.text().await.unwrap();
    assert!(public.contains("Verified owner") && !public.contains(&token), "{public}");
    assert!(buyer.get("/marketplace").await.text().await.unwrap().contains("Verified owner"), "on cards");

    // The card, without the file.
    publish(404, &token);
    assert!(check().await, "by the card");
    // The worker looks again: trouble proves nothing, absence does.
    let due = || async {
        sqlx::query("UPDATE agent_proofs SET next_check_at = now(), checked_at = NULL")
            .execute(app.db.pool())
            .await
            .unwrap();
        until("the worker looked again", || async {
            sqlx::query_scalar("SELECT checked_at IS NOT NULL FROM agent_proofs")
                .fetch_one(app.db.pool())
                .await
                .unwrap()
        })
        .await;
        agents::owned(&app.db, &owner, id).await.unwrap().summary.verified
    };
    publish(503, "");
    assert!(due().await);
    publish(410, "");
    assert!(!due().await);
    assert!(!buyer.get("/marketplace").await.text().await.unwrap().contains("Verified owner"));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn an_owner_sets_how_many_at_once_and_what_is_promised(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (browser, owner) = app.person("owner").await;
    let steered = Steered::start().await;
    let (id, _) = steered.list(&app, &owner, "/rpc", true).await;
    let endpoint = format!("{}/rpc", steered.origin);
    let save = |many: &'static str, promise: &'static str| {
        let form = [
            ("action", "save"),
            ("name", "Steered"),
            ("endpoint", endpoint.as_str()),
            ("price", "1"),
            ("max_concurrent", many),
            ("promised_seconds", promise),
            ("skills", "1"),
            ("skill.0.id", "work"),
            ("skill.0.name", "Work"),
        ]
        .map(|(n, v)| (n.to_owned(), v.to_owned()));
        let browser = browser.clone();
        async move {
            let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            browser.post(&format!("/agents/{id}"), &form).await
        }
    };
    assert_eq!(save("4", "90").await.status(), 303);
    let mine = agents::owned(&app.db, &owner, id).await.unwrap();
    assert_eq!((mine.max_concurrent, mine.promised_seconds, mine.listed), (4, Some(90), true));
    let page = app.browser().get(&format!("/marketplace/{id}")).await.text().await.unwrap();
    assert!(page.contains("Promises an answer within") && page.contains("1 min 30 s"), "{page}");
    for (many, promise, field) in [
        ("0", "", "max_concurrent"),
        ("1001", "", "max_concurrent"),
        ("4", "soon", "promised_seconds"),
        ("4", "3601", "promised_seconds"),
    ] {
        let refused = save(many, promise).await;
        let status = refused.status();
        let page = refused.text().await.unwrap();
        assert!(status == 400 && page.contains(&format!("{}-error", field)), "{many} {promise}: {status}");
    }
    assert_eq!(save("4", "").await.status(), 303);
    assert_eq!(agents::owned(&app.db, &owner, id).await.unwrap().promised_seconds, None);
    app.finish().await;
}
