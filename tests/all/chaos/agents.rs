//! The agents, played: what each does with a task follows from the task's text, such as `crashes 17`.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures::StreamExt as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::calls::{Call, Calls};
use super::kinds::Kind;

/// Work that an agent has taken.
#[derive(Clone)]
struct Work {
    text: String,
    done_at: Instant,
    answered: bool,
    /// How often its result was told.
    told: u32,
}

/// All agents, behind one address.
#[derive(Clone)]
pub struct Agents {
    pub address: String,
    pub calls: Arc<Calls>,
    works: Arc<Mutex<BTreeMap<String, Work>>>,
    /// Rings that were taken, refused, and not heard.
    pub rung: Arc<[AtomicU64; 3]>,
    pub hung_up: Arc<AtomicU64>,
    bell: reqwest::Client,
}

/// A request and what it is about.
struct Asked {
    kind: Kind,
    n: u32,
    text: String,
    /// How often this message has come.
    times: u32,
    rpc: Value,
}

impl Agents {
    pub async fn play() -> Agents {
        nexus::serve::install_tls();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let agents = Agents {
            address: listener.local_addr().unwrap().to_string(),
            calls: Arc::default(),
            works: Arc::default(),
            rung: Arc::default(),
            hung_up: Arc::default(),
            bell: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap(),
        };
        let router = Router::new()
            .route("/{kind}", post(answer))
            .route("/{kind}/file", axum::routing::get(std::future::pending::<StatusCode>))
            .with_state(agents.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        agents
    }

    pub fn endpoint(&self, kind: Kind) -> String {
        format!("http://{}/{}", self.address, kind.word())
    }

    /// Takes the work on, once, however often it is sent.
    fn take(&self, text: &str, lasts: Duration) -> Value {
        let id = remote_id(text);
        let mut works = self.works.lock().unwrap();
        let new = Work { text: text.to_owned(), done_at: Instant::now() + lasts, answered: false, told: 0 };
        works.entry(id.clone()).or_insert(new);
        task(&id, "TASK_STATE_WORKING", None)
    }

    fn ring(&self, params: &Value, after: &[u64]) {
        let push = &params["configuration"]["taskPushNotificationConfig"];
        let (Some(url), Some(token)) = (push["url"].as_str(), push["token"].as_str()) else { return };
        let (url, token, agents) = (url.to_owned(), token.to_owned(), self.clone());
        let pauses: Vec<Duration> = after.iter().map(|ms| Duration::from_millis(*ms)).collect();
        tokio::spawn(async move {
            for pause in pauses {
                tokio::time::sleep(pause).await;
                let sent = agents.bell.post(&url).bearer_auth(&token).body("{}").send().await;
                let how = match sent.map(|answer| answer.status()) {
                    Ok(status) if status.is_success() => 0,
                    Ok(_) => 1,
                    Err(_) => 2,
                };
                agents.rung[how].fetch_add(1, Ordering::Relaxed);
            }
        });
    }

    /// What is told of a task that somebody asks after.
    fn told(&self, asked: &Value, id: &str) -> Response {
        let mut works = self.works.lock().unwrap();
        let Some((work, (kind, n))) = works.get_mut(id).and_then(|w| Kind::of(&w.text).map(|k| (w, k))) else {
            return error(asked, -32001);
        };
        if kind == Kind::Forgets && n % 2 == 0 {
            works.remove(id);
            return error(asked, -32001);
        }
        if Instant::now() < work.done_at {
            return result(asked, task(id, "TASK_STATE_WORKING", None));
        }
        if kind == Kind::Asks && !work.answered {
            return result(asked, question(id));
        }
        work.told += 1;
        let word = if kind == Kind::Twice && work.told > 1 { "other" } else { "done" };
        let text = format!("{word} {}", work.text);
        result(asked, task(id, "TASK_STATE_COMPLETED", Some(&text)))
    }
}

pub fn remote_id(text: &str) -> String {
    format!("r-{}", text.replace(' ', "-"))
}

async fn answer(State(agents): State<Agents>, Path(word): Path<String>, body: Bytes) -> Response {
    let rpc: Value = serde_json::from_slice(&body).unwrap();
    let Some((kind, _)) = Kind::of(&format!("{word} 0")) else { return StatusCode::NOT_FOUND.into_response() };
    let params = &rpc["params"];
    let begin = |text: &str| agents.calls.begin(kind as usize, kind.most() as usize, text);
    match rpc["method"].as_str().unwrap_or_default() {
        "SendMessage" | "SendStreamingMessage" => {
            let text = params["message"]["parts"][0]["text"].as_str().unwrap().to_owned();
            let times = agents.calls.came(&text, params["message"]["messageId"].as_str().unwrap());
            let call = begin(text.trim_start_matches("reply to "));
            match Kind::of(&text) {
                Some((kind, n)) => message(agents, call, Asked { kind, n, text, times, rpc }).await,
                None => reply(&agents, &rpc).await,
            }
        }
        "GetTask" => {
            let id = params["id"].as_str().unwrap_or_default();
            let text = agents.works.lock().unwrap().get(id).map(|w| w.text.clone());
            let _call = text.map(|text| begin(&text));
            tokio::time::sleep(Duration::from_millis(5)).await;
            agents.told(&rpc, id)
        }
        "CancelTask" => {
            agents.hung_up.fetch_add(1, Ordering::Relaxed);
            result(&rpc, task(params["id"].as_str().unwrap_or_default(), "TASK_STATE_CANCELED", None))
        }
        _ => error(&rpc, -32601),
    }
}

/// The requester's answer to what was asked.
async fn reply(agents: &Agents, rpc: &Value) -> Response {
    let id = rpc["params"]["message"]["taskId"].as_str().unwrap_or_default().to_owned();
    if let Some(work) = agents.works.lock().unwrap().get_mut(&id) {
        work.answered = true;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let text = agents.works.lock().unwrap().get(&id).map(|w| format!("done {}", w.text));
    match text {
        Some(text) => result(rpc, json!({ "task": task(&id, "TASK_STATE_COMPLETED", Some(&text)) })),
        None => error(rpc, -32001),
    }
}

async fn message(agents: Agents, call: Call, asked: Asked) -> Response {
    let Asked { kind, n, times, .. } = asked;
    let params = &asked.rpc["params"];
    let (pause, right) = (u64::from(n % 50), format!("done {}", asked.text));
    let wait = |ms: u64| tokio::time::sleep(Duration::from_millis(ms));
    match kind {
        Kind::Once => wait(5 + pause).await,
        Kind::Crowded => wait(600).await,
        Kind::Later => {
            let lasts = if n % 8 == 0 { 20_000 } else { 500 + 100 * pause };
            return result(&asked.rpc, json!({ "task": agents.take(&asked.text, Duration::from_millis(lasts)) }));
        }
        Kind::Rings => {
            let lasts = 500 + 150 * pause;
            agents.ring(params, &[lasts + 50, 1_000, 1_000]);
            return result(&asked.rpc, json!({ "task": agents.take(&asked.text, Duration::from_millis(lasts)) }));
        }
        Kind::Twice => {
            agents.ring(params, &[100, 100, 200, 10, 1_000]);
            return result(&asked.rpc, json!({ "task": agents.take(&asked.text, Duration::from_millis(300)) }));
        }
        Kind::Asks => {
            wait(pause).await;
            agents.take(&asked.text, Duration::ZERO);
            return result(&asked.rpc, json!({ "task": question(&remote_id(&asked.text)) }));
        }
        Kind::Forgets if times == 1 => {
            return result(&asked.rpc, json!({ "task": agents.take(&asked.text, Duration::from_millis(800)) }));
        }
        Kind::Forgets => {}
        Kind::Streams => return stream(agents, call, &asked),
        Kind::Crashes if n % 25 == 0 || (n % 4 == 1 && times <= 1 + n % 2) => {
            wait(pause).await;
            return broken(if n % 3 == 0 { Some(br#"{"jsonrpc":"2.0","id":"#) } else { None });
        }
        Kind::Crashes => wait(pause).await,
        Kind::Stumbles if n % 4 == 0 && times <= 1 + n % 3 => {
            wait(pause).await;
            let busy = (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "1")], "busy");
            return if n % 8 == 0 { busy.into_response() } else { StatusCode::INTERNAL_SERVER_ERROR.into_response() };
        }
        Kind::Stumbles => wait(pause).await,
        Kind::Stalls => std::future::pending().await,
        Kind::Late => wait(13_000).await,
        Kind::Garbage => {
            wait(pause).await;
            return garbage(&asked);
        }
        Kind::Files => {
            let part = json!({ "url": format!("{}/file", agents.endpoint(Kind::Files)), "filename": "never.txt" });
            let mut done = task(&remote_id(&asked.text), "TASK_STATE_COMPLETED", Some(&right));
            done["artifacts"][0]["parts"].as_array_mut().unwrap().push(part);
            return result(&asked.rpc, json!({ "task": done }));
        }
    }
    drop(call);
    let id = remote_id(&asked.text);
    if n % 2 == 0 {
        let said = json!({"messageId": format!("m-{id}"), "role": "ROLE_AGENT", "parts": [{ "text": right }]});
        return result(&asked.rpc, json!({ "message": said }));
    }
    result(&asked.rpc, json!({ "task": task(&id, "TASK_STATE_COMPLETED", Some(&right)) }))
}

/// Five pieces of a result, 200 ms apart.
fn stream(agents: Agents, call: Call, asked: &Asked) -> Response {
    let id = remote_id(&asked.text);
    agents.take(&asked.text, Duration::from_millis(1_000));
    let status = |state: &str| json!({"statusUpdate": {"taskId": id, "contextId": "c", "status": {"state": state}}});
    let piece = |text: String, append: bool| {
        json!({"artifactUpdate": {"taskId": id, "contextId": "c", "append": append,
            "artifact": {"artifactId": "a", "parts": [{ "text": text }]}}})
    };
    let mut events = vec![
        json!({ "task": task(&id, "TASK_STATE_WORKING", None) }),
        piece(String::from("done "), false),
        piece(format!("{} ", asked.kind.word()), true),
        piece(asked.n.to_string(), true),
    ];
    let breaks = asked.n.is_multiple_of(4) && asked.times == 1;
    if breaks {
        events.truncate(2);
    } else {
        events.push(status("TASK_STATE_COMPLETED"));
    }
    let rpc_id = asked.rpc["id"].clone();
    let bytes = events.into_iter().map(move |e| {
        let event = json!({ "jsonrpc": "2.0", "id": rpc_id, "result": e });
        Ok::<_, io::Error>(Bytes::from(format!("data: {event}\n\n")))
    });
    let end = breaks.then(|| Err(io::Error::other("broken on purpose")));
    let pieces = futures::stream::iter(bytes.chain(end)).then(move |piece| {
        // Held as long as the stream is.
        let _under_way = &call;
        async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            piece
        }
    });
    ([("content-type", "text/event-stream")], Body::from_stream(pieces)).into_response()
}

/// An answer whose connection breaks.
fn broken(begun: Option<&'static [u8]>) -> Response {
    let begun = begun.map(|bytes| Ok(Bytes::from_static(bytes)));
    let pieces = begun.into_iter().chain([Err(io::Error::other("broken on purpose"))]);
    let body = Body::from_stream(futures::stream::iter(pieces));
    ([("content-type", "application/json"), ("content-length", "500")], body).into_response()
}

fn garbage(asked: &Asked) -> Response {
    let envelope = |result: Value| json!({ "jsonrpc": "2.0", "id": asked.rpc["id"], "result": result });
    let done = task("r", "TASK_STATE_COMPLETED", Some("done"));
    let value = match asked.n % 7 {
        0 => return ([("content-type", "text/html")], "<html><body>Welcome</body></html>").into_response(),
        1 => json!({ "jsonrpc": "2.0", "id": "somebody-elses", "result": { "task": done } }),
        2 => json!([1, "two", { "three": null }]),
        3 => envelope(json!({ "weather": "fine" })),
        4 => {
            let piece = Bytes::from(vec![b'x'; 1024 * 1024]);
            let pieces = futures::stream::iter((0..9).map(move |_| Ok::<_, Infallible>(piece.clone())));
            return ([("content-type", "application/json")], Body::from_stream(pieces)).into_response();
        }
        5 => envelope(json!({ "task": { "id": "r", "status": { "state": "TASK_STATE_ENLIGHTENED" } } })),
        _ => return ([("content-type", "application/json")], "{\"jsonrpc\": \"2.0\", \"resu").into_response(),
    };
    ([("content-type", "application/json")], value.to_string()).into_response()
}

fn task(id: &str, state: &str, text: Option<&str>) -> Value {
    let mut task = json!({ "id": id, "contextId": "c", "status": { "state": state } });
    if let Some(text) = text {
        task["artifacts"] = json!([{ "artifactId": "a", "parts": [{ "text": text }] }]);
    }
    task
}

fn question(id: &str) -> Value {
    let mut task = task(id, "TASK_STATE_INPUT_REQUIRED", None);
    task["status"]["message"] =
        json!({"messageId": format!("q-{id}"), "role": "ROLE_AGENT", "parts": [{"text": "Which?"}]});
    task
}

fn result(asked: &Value, result: Value) -> Response {
    let answer = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result });
    ([("content-type", "application/json")], answer.to_string()).into_response()
}

fn error(asked: &Value, code: i64) -> Response {
    let answer = json!({ "jsonrpc": "2.0", "id": asked["id"], "error": { "code": code, "message": "no" } });
    ([("content-type", "application/json")], answer.to_string()).into_response()
}
