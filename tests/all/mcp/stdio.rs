//! `nexus mcp`: the real program, on its standard streams.

use std::process::Stdio;
use std::time::Duration;

use domain::tasks::TaskState;
use nexus::mcp::{MODERN, VERSION_META};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

use crate::client::Home;
use crate::scripted_agent::{Answer, ScriptedAgent, task};
use crate::test_app::TestApp;

struct Talk {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Talk {
    fn start(home: &Home) -> Talk {
        let mut command = home.command(&["mcp"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Talk { child, input, lines: BufReader::new(output).lines() }
    }

    async fn say(&mut self, message: &Value) {
        self.input.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    /// The next line, which is a message: nothing else is written there.
    async fn next(&mut self) -> Value {
        let line =
            tokio::time::timeout(Duration::from_secs(30), self.lines.next_line()).await.expect("nothing is said");
        serde_json::from_str(&line.unwrap().expect("the output has ended")).unwrap()
    }

    async fn ask(&mut self, id: i64, method: &str, params: Value) -> Value {
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await;
        let answer = self.next().await;
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    /// Ends the input; answers with what is still said, and the exit code.
    async fn end(mut self) -> (Vec<Value>, i32) {
        drop(self.input);
        let mut rest = Vec::new();
        while let Some(line) = self.lines.next_line().await.unwrap() {
            rest.push(serde_json::from_str(&line).unwrap());
        }
        let status =
            tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await.expect("it does not end").unwrap();
        (rest, status.code().unwrap())
    }
}

fn meta(params: Value) -> Value {
    let mut params = params;
    params["_meta"][VERSION_META] = json!(MODERN);
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    params
}

#[sqlx::test(migrations = "./migrations")]
async fn both_kinds_of_revision_pass_through(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "1.00").await;
    let home = Home::new();
    let unsigned = home.run(&["mcp"]).await;
    assert_eq!((unsigned.code, unsigned.out.as_str()), (1, ""), "nothing but messages on the output: {unsigned:?}");
    home.sign_in(&app, &buyer).await;
    let mut talk = Talk::start(&home);
    let hello =
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}});
    assert_eq!(talk.ask(0, "initialize", hello).await["result"]["protocolVersion"], "2025-11-25");
    talk.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    assert_eq!(talk.ask(1, "tools/list", json!({})).await["result"]["tools"].as_array().unwrap().len(), 10);
    let order = json!({"name": "delegate_task", "arguments": {"agentId": agent, "message": "hello"}});
    let done = talk.ask(2, "tools/call", order.clone()).await;
    assert_eq!(done["result"]["structuredContent"]["result"]["text"], "hello");
    assert_eq!(done["result"].get("resultType"), None);
    // The other kind, in the same process; a name that no header can carry goes through too.
    let done = talk.ask(3, "tools/call", meta(order)).await;
    assert_eq!(
        (&done["result"]["resultType"], &done["result"]["structuredContent"]["state"]),
        (&json!("complete"), &json!("completed"))
    );
    let odd = talk.ask(4, "resources/read", meta(json!({"uri": " nexus://ü\n"}))).await;
    assert_eq!(odd["error"]["code"], -32602, "{odd}");
    assert_eq!(talk.ask(5, "no/such", meta(json!({}))).await["error"]["code"], -32601);
    talk.input.write_all(b"not json\n\n").await.unwrap();
    assert_eq!(talk.next().await["error"]["code"], -32700);
    // What was asked before the input ends is answered; a stream without an end is closed.
    talk.say(&json!({"jsonrpc": "2.0", "id": 6, "method": "subscriptions/listen", "params": meta(json!({"notifications": {}}))})).await;
    assert_eq!(talk.next().await["method"], "notifications/subscriptions/acknowledged");
    talk.say(&json!({"jsonrpc": "2.0", "id": 7, "method": "ping"})).await;
    let (rest, code) = talk.end().await;
    assert_eq!((rest, code), (vec![json!({"jsonrpc": "2.0", "id": 7, "result": {}})], 0));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn calling_off_reaches_the_agent_in_both(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = ScriptedAgent::listed(&app, &owner, json!({}), |method, _, _| {
        let now = task("TASK_STATE_WORKING", "Working", json!([]));
        Answer::Now(if method == "SendMessage" { json!({"task": now}) } else { now })
    })
    .await;
    let home = Home::new();
    home.sign_in(&app, &buyer).await;
    let mut talk = Talk::start(&home);
    let hello =
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}});
    talk.ask(0, "initialize", hello).await;
    let order = json!({"name": "delegate_task", "arguments": {"agentId": agent.id, "message": "x"}, "_meta": {"progressToken": 1}});
    for (id, params) in [(1, order.clone()), (2, meta(order))] {
        talk.say(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})).await;
        assert_eq!(talk.next().await["method"], "notifications/progress");
        talk.say(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}})).await;
        let tasks = app.mcp(&buyer).await.good("list_tasks", json!({"limit": 1})).await;
        let task = tasks["data"][0]["id"].as_str().unwrap().parse().unwrap();
        assert_eq!(app.ended(&buyer, task).await.summary.state, TaskState::Cancelled, "{id}");
    }
    let (rest, code) = talk.end().await;
    assert!(rest.iter().all(|m| m["method"] == "notifications/progress"), "no answers: {rest:?}");
    assert_eq!(code, 0);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn what_nexus_refuses_or_does_not_answer_is_an_error_message(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, buyer) = app.person("buyer").await;
    let home = Home::new();
    let program = home.sign_in(&app, &buyer).await;
    let mut talk = Talk::start(&home);
    domain::api_keys::revoke(&app.db, &buyer, program.key, chrono::Utc::now()).await.unwrap();
    let refused = talk.ask(1, "tools/list", meta(json!({}))).await;
    assert_eq!(refused["error"]["code"], 401, "{refused}");
    app.finish().await;
    let gone = talk.ask(2, "tools/list", meta(json!({}))).await;
    assert!(gone["error"]["message"].as_str().unwrap().contains("NEXUS"), "{gone}");
    assert_eq!(talk.end().await.1, 0);
}
