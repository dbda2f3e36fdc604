//! The official clients, as published, do all that there is; the official conformance tests find nothing wrong with what needs
//! no tools of their own. `scripts/interop-agents` installs them; scripts/test-rust runs it first.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use super::Mcp;
use crate::scripted_agent::{Answer, ScriptedAgent, task};
use crate::test_app::TestApp;

/// Longest that a client may take.
const LIMIT: Duration = Duration::from_secs(120);

fn interop(mcp: &Mcp, words: &[&str]) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/interop-agents");
    let mut command = Command::new(script);
    command.args(words).env("MCP_URL", &mcp.url).env("MCP_KEY", &mcp.secret).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

async fn ran(command: &mut Command) -> (bool, String, String) {
    let output = tokio::time::timeout(LIMIT, command.output()).await.expect("it does not end").unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

async fn does_everything(pool: PgPool, words: &[&str], version: &str) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let echo = app.agent(&owner, "echo", "1.00").await;
    let asking = ScriptedAgent::listed(&app, &owner, json!({}), |method, params, _| {
        match (method, params.pointer("/message/parts/0/text").and_then(Value::as_str)) {
            ("SendMessage", Some("paint")) => {
                Answer::Now(json!({"task": task("TASK_STATE_INPUT_REQUIRED", "which colour?", json!([]))}))
            }
            ("SendMessage", Some(said)) => Answer::Now(json!({"task": task("TASK_STATE_COMPLETED", "done", json!([
                {"artifactId": "a", "parts": [{"text": format!("painted {said}")}]}]))})),
            _ => Answer::Now(task("TASK_STATE_CANCELED", "stopped", json!([]))),
        }
    })
    .await;
    let mcp = app.mcp(&buyer).await;
    let mut command = interop(&mcp, words);
    command.env("ECHO_AGENT", echo.to_string()).env("ASKING_AGENT", asking.id.to_string());
    let (well, out, err) = ran(&mut command).await;
    assert!(well, "{words:?}: {out}{err}");
    let seen: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!(seen["version"], version, "{seen}");
    assert_eq!(seen["tools"].as_array().unwrap().len(), 10, "{seen}");
    assert!(seen["progress"].as_i64().unwrap() >= 2, "{seen}");
    for (what, expected) in [
        ("echo", "hello"),
        ("balance", "999.00"),
        ("painted", "painted blue"),
        ("replied", "painted red"),
        ("cancelled", "cancelled"),
        ("artifact", "hello"),
        ("refused", "CONFLICT"),
    ] {
        assert_eq!(seen[what], expected, "{what}: {seen}");
    }
    let questions = seen["questions"].as_array().unwrap();
    assert_eq!(questions.len(), 2, "the price, then the colour: {seen}");
    assert!(questions[1].as_str().unwrap().contains("which colour?"), "{seen}");
    let modern = version == nexus::mcp::MODERN;
    assert_eq!(seen["event"].as_str(), modern.then_some("ResourcesListChanged"), "{seen}");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn the_python_client_does_everything(pool: PgPool) {
    does_everything(pool, &["mcp_python", "auto"], "2026-07-28").await;
}

#[sqlx::test(migrations = "./migrations")]
async fn the_python_client_does_everything_the_old_way(pool: PgPool) {
    does_everything(pool, &["mcp_python", "legacy"], "2025-11-25").await;
}

#[sqlx::test(migrations = "./migrations")]
async fn the_typescript_client_does_everything(pool: PgPool) {
    does_everything(pool, &["mcp_js", "client.mjs", "v2", "auto"], "2026-07-28").await;
}

#[sqlx::test(migrations = "./migrations")]
async fn the_typescript_client_does_everything_the_old_way(pool: PgPool) {
    does_everything(pool, &["mcp_js", "client.mjs", "v2", "legacy"], "2025-11-25").await;
}

#[sqlx::test(migrations = "./migrations")]
async fn the_first_typescript_client_does_everything(pool: PgPool) {
    does_everything(pool, &["mcp_js", "client.mjs", "v1"], "2025-11-25").await;
}

#[sqlx::test(migrations = "./migrations")]
async fn the_conformance_tests_pass_that_need_no_tools_of_their_own(pool: PgPool) {
    let app = TestApp::start_with(pool, &["--rate-limit", "100000"]).await;
    let (_, ada) = app.person("ada").await;
    let mcp = app.mcp(&ada).await;
    let mut lender = interop(&mcp, &["mcp_js", "with_key.mjs"]).spawn().unwrap();
    let mut lines = BufReader::new(lender.stdout.take().unwrap()).lines();
    let url = format!("http://127.0.0.1:{}/mcp", lines.next_line().await.unwrap().unwrap());
    for (version, scenarios) in [
        (
            "2026-07-28",
            &[
                "tools-list",
                "server-sse-multiple-streams",
                "resources-list",
                "sep-2164-resource-not-found",
                "prompts-list",
                "dns-rebinding-protection",
                "caching",
                "http-header-validation",
                "input-required-result-missing-input-response",
                "input-required-result-unsupported-methods",
                "input-required-result-ignore-extra-params",
                "input-required-result-validate-input",
            ][..],
        ),
        (
            "2025-11-25",
            &[
                "server-initialize",
                "ping",
                "tools-list",
                "server-sse-multiple-streams",
                "resources-list",
                "prompts-list",
                "dns-rebinding-protection",
                "server-session-lifecycle",
            ],
        ),
    ] {
        for scenario in scenarios {
            let runner = "node_modules/@modelcontextprotocol/conformance/dist/index.js";
            let words = ["mcp_js", runner, "server", "--url", &url, "--spec-version", version, "--scenario", scenario];
            let (well, out, err) = ran(&mut interop(&mcp, &words)).await;
            assert!(well && out.contains("0 failed"), "{version} {scenario}: {out}{err}");
        }
    }
    // Of the largest one four checks need tools that only a server made for the tests has.
    let runner = "node_modules/@modelcontextprotocol/conformance/dist/index.js";
    let words = ["mcp_js", runner, "server", "--url", &url, "--scenario", "server-stateless"];
    let (_, out, err) = ran(&mut interop(&mcp, &words)).await;
    assert!(out.contains("24/28") || out.contains("4 failed"), "{out}{err}");
    drop(lender);
    app.finish().await;
}
