//! The official SDKs' clients do every operation at an agent of theirs, by itself and behind the gateway: what comes of it is the
//! same.

use std::path::Path;
use std::process::Command;

use domain::{Actor, AgentId, agents};
use nexus::a2a::{AgentClient, card};
use nexus::outbound::Outbound;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::interop::Sdk;
use crate::test_app::TestApp;

async fn client(sdk: &str, words: &[&str]) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/interop-agents");
    let mut command = Command::new(script);
    command.arg(sdk).arg("client").args(words);
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{sdk} {words:?}: {said}");
    serde_json::from_slice(&done.stdout).unwrap()
}

async fn listed(app: &TestApp, owner: &Actor, base: &str) -> AgentId {
    let client = AgentClient::new(Outbound::new(true).unwrap());
    let mut new = card::fetch(&client, base).await.unwrap().listing;
    new.price = "1".parse().unwrap();
    let endpoint = new.endpoint.clone();
    let agent = agents::register(&app.db, owner, new).await.unwrap().id;
    agents::mark_tested(&app.db, owner, agent, &endpoint, None).await.unwrap();
    agents::set_status(&app.db, owner, agent, true).await.unwrap();
    agent
}

/// `card`: what the client is given of a base. `better`: what the SDK's agent answers wrongly, and what is right.
async fn compare(pool: PgPool, sdk: &str, at: &str, card: impl Fn(String) -> String, better: &[(&str, Value)]) {
    let agent = Sdk::start(sdk);
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let id = listed(&app, &owner, &agent.base).await;
    let key = app.program(&buyer).await.secret;
    for binding in ["JSONRPC", "HTTP+JSON"] {
        let mut alone = client(sdk, &[&card(agent.base.clone()), binding]).await;
        let behind = client(sdk, &[&card(format!("http://{}/a2a/{id}{at}", app.addr)), binding, &key]).await;
        for (what, right) in better {
            alone[*what] = right.clone();
        }
        let (alone, behind) = (alone.as_object().unwrap(), behind.as_object().unwrap());
        assert!(alone.len() > 15, "{sdk} {binding} did little: {alone:?}");
        for what in alone.keys() {
            assert_eq!(behind.get(what), alone.get(what), "{sdk} {binding}: {what}");
        }
    }
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn the_python_client_of_version_1(pool: PgPool) {
    compare(pool, "python_1", "", |base| base, &[]).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn the_python_client_of_version_0_3(pool: PgPool) {
    compare(pool, "python_0_3", "/v0.3", |base| base, &[]).await;
}

#[sqlx::test(migrations = "./migrations")]
async fn the_javascript_client(pool: PgPool) {
    // A task that was cancelled has ended (section 3.1.5).
    let better = [("cancelled twice", json!("TaskNotCancelableError"))];
    compare(pool, "js", "", |base| format!("{base}/.well-known/agent-card.json"), &better).await;
}

/// At the platform's own agent, with that agent to hire. A task is what comes of hiring, also where its agent answers with a message;
/// what fails has failed for good where nobody else can be asked.
#[sqlx::test(migrations = "./migrations")]
async fn the_python_client_at_the_platforms_agent(pool: PgPool) {
    let agent = Sdk::start("python_1");
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    listed(&app, &owner, &agent.base).await;
    let key = app.program(&buyer).await.secret;
    for binding in ["JSONRPC", "HTTP+JSON"] {
        let alone = client("python_1", &[&agent.base, binding]).await;
        let behind = client("python_1", &[&format!("http://{}", app.addr), binding, &key]).await;
        let others = ["message", "message streamed", "failed", "rejected"];
        let (alone, of_ours) = (alone.as_object().unwrap(), behind.as_object().unwrap());
        assert!(alone.len() > 15, "{binding} did little: {alone:?}");
        for what in alone.keys().filter(|what| !others.contains(&what.as_str())) {
            assert_eq!(of_ours.get(what), alone.get(what), "{binding}: {what}");
        }
        let message = &behind["message"]["task"];
        assert_eq!(
            (&message["state"], &message["said"]),
            (&json!("TASK_STATE_COMPLETED"), &alone["message"]["message"])
        );
        assert_eq!(behind["message streamed"].as_array().unwrap().last().unwrap()["state"], "TASK_STATE_COMPLETED");
        for what in ["failed", "rejected"] {
            let failed = &behind[what]["task"];
            assert_eq!(failed["state"], "TASK_STATE_FAILED", "{binding}: {what}");
            let why = failed["said"][0]["text"].as_str().unwrap();
            assert!(why.contains("nobody else who fits can be had"), "{why}");
        }
    }
    app.finish().await;
}
