//! An agent that does what a test says: A2A 1.0 over JSON-RPC, with streams and rings, and remembers how it was called.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Json;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::agents::{self, NewAgent, Skill};
use domain::{Actor, AgentId};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::test_app::TestApp;

/// What it answers.
pub enum Answer {
    /// A result, at once.
    Now(Value),
    /// An HTTP status and nothing else.
    Status(u16),
    /// Stream responses, each after so many milliseconds.
    Stream(Vec<(u64, Value)>),
}

/// What it was asked: method and params.
pub type Call = (String, Value);

#[derive(Clone)]
pub struct ScriptedAgent {
    pub id: AgentId,
    pub base: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl ScriptedAgent {
    /// Listed for `owner` at 10 credits. `script` is asked with method, params and the number of the call (from 0).
    pub async fn listed(
        app: &TestApp,
        owner: &Actor,
        capabilities: Value,
        script: impl Fn(&str, &Value, usize) -> Answer + Clone + Send + Sync + 'static,
    ) -> ScriptedAgent {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
        let seen = Arc::clone(&calls);
        let answer = move |Json(request): Json<Value>| {
            let (script, seen) = (script.clone(), Arc::clone(&seen));
            async move { respond(&request, &script, &seen) }
        };
        let file = || async { ([("content-type", "text/csv")], "a,b\n1,2\n") };
        let card = json!({
            "name": "Scripted", "description": "d", "version": "1", "defaultInputModes": ["text/plain"],
            "defaultOutputModes": ["text/plain"], "capabilities": capabilities, "skills": [],
            "supportedInterfaces": [{"url": format!("{base}/rpc"), "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}],
        });
        let served = card.clone();
        let router = axum::Router::new()
            .route("/rpc", post(answer))
            .route("/file.csv", get(file))
            .route("/.well-known/agent-card.json", get(move || async move { Json(served) }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let endpoint = format!("{base}/rpc");
        let new = NewAgent {
            name: "Scripted".into(),
            endpoint: endpoint.clone(),
            skills: vec![Skill { id: "work".into(), name: "Work".into(), ..Skill::default() }],
            price: "10".parse().unwrap(),
            card,
            ..NewAgent::default()
        };
        let id = agents::register(&app.db, owner, new).await.unwrap().id;
        agents::mark_tested(&app.db, owner, id, &endpoint, None).await.unwrap();
        agents::set_status(&app.db, owner, id, true).await.unwrap();
        ScriptedAgent { id, base, calls }
    }

    /// The calls of a method, in order.
    pub fn calls(&self, method: &str) -> Vec<Value> {
        self.calls.lock().unwrap().iter().filter(|(m, _)| m == method).map(|(_, params)| params.clone()).collect()
    }

    /// Waits until a method was called `n` times.
    pub async fn called(&self, method: &str, n: usize) -> Vec<Value> {
        for _ in 0..600 {
            let calls = self.calls(method);
            if calls.len() >= n {
                return calls;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{method} was called {} times, not {n}", self.calls(method).len());
    }
}

fn respond(request: &Value, script: &impl Fn(&str, &Value, usize) -> Answer, seen: &Mutex<Vec<Call>>) -> Response {
    let method = request["method"].as_str().unwrap_or_default().to_owned();
    let params = request["params"].clone();
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push((method.clone(), params.clone()));
        seen.len() - 1
    };
    let id = request["id"].clone();
    let envelope = move |result: Value| json!({"jsonrpc": "2.0", "id": id, "result": result});
    match script(&method, &params, number) {
        Answer::Now(result) => Json(envelope(result)).into_response(),
        Answer::Status(code) => axum::http::StatusCode::from_u16(code).unwrap().into_response(),
        Answer::Stream(steps) => {
            let steps = futures::stream::unfold(steps.into_iter(), move |mut steps| {
                let envelope = envelope.clone();
                async move {
                    let (pause, step) = steps.next()?;
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    let event = Event::default().data(envelope(step).to_string());
                    Some((Ok::<_, std::convert::Infallible>(event), steps))
                }
            });
            Sse::new(steps).into_response()
        }
    }
}

/// A task in a state, with what the agent says to it.
pub fn task(state: &str, said: &str, artifacts: Value) -> Value {
    json!({"id": "t1", "contextId": "c1", "artifacts": artifacts, "status": {"state": state, "message":
        {"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": said}]}}})
}
