//! `nexus mcp`: MCP on the standard streams (specification, "stdio"), for assistants that start a program instead of asking an
//! address. Each line is a message; it goes to `/mcp` as it is, and what comes back is written as lines. Nothing else is.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt as _;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::task::{AbortHandle, JoinSet};

use super::Context;
use super::events::Reader;
use super::failure::Failure;
use super::http::Api;
use crate::mcp::{MODERN, VERSION_META, header_value};

/// The program's own code for an answer that is none (JSON-RPC, "Internal error").
const BROKEN: i64 = -32603;

/// `nexus mcp`
pub async fn run(context: &Context) -> Result<(), Failure> {
    let bridge = Bridge { api: context.signed_in()?, said: Arc::default() };
    let mut lines = BufReader::new(tokio::io::stdin()).split(b'\n');
    let (mut working, mut requests) = (JoinSet::new(), HashMap::<String, InFlight>::new());
    loop {
        let line = match lines.next_segment().await {
            Ok(Some(line)) => line,
            // The client has gone.
            Ok(None) | Err(_) => break,
        };
        while let Some(Ok(id)) = working.try_join_next() {
            requests.remove(&id);
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let Ok(message) = serde_json::from_slice::<Value>(&line) else {
            say(
                &json!({ "jsonrpc": "2.0", "id": null, "error": { "code": -32700, "message": "the line is not JSON" } }),
            );
            continue;
        };
        let id = message.get("id").filter(|_| message.get("method").is_some()).map(Value::to_string);
        match (message["method"].as_str(), id) {
            // What follows it needs what it answers.
            (Some("initialize"), _) | (_, None) => {
                if let Some(cancelled) = bridge.closes(&message, &mut requests) {
                    cancelled.abort();
                } else {
                    bridge.pass_on(message, &AtomicBool::new(false)).await;
                }
            }
            (method, Some(id)) => {
                let (bridge, name, off) = (bridge.clone(), id.clone(), Arc::<AtomicBool>::default());
                let in_flight = InFlight {
                    closes: modern(&message).is_some(),
                    lasts: method == Some("subscriptions/listen"),
                    off: Arc::clone(&off),
                    task: working.spawn(async move {
                        bridge.pass_on(message, &off).await;
                        name
                    }),
                };
                requests.insert(id, in_flight);
            }
        }
    }
    // What was asked is answered; streams that would never end are closed.
    requests.values().filter(|r| r.lasts).for_each(|r| r.task.abort());
    while working.join_next().await.is_some() {}
    Ok(())
}

/// A request that is not answered yet.
struct InFlight {
    /// Whether closing its stream is what calls it off (2026-07-28).
    closes: bool,
    /// Whether it has no end of its own.
    lasts: bool,
    /// Whether the client has called it off: then it wants no answer.
    off: Arc<AtomicBool>,
    task: AbortHandle,
}

/// The revision that a message says it speaks, where it is 2026-07-28 or later.
fn modern(message: &Value) -> Option<&str> {
    message["params"]["_meta"][VERSION_META].as_str()
}

/// What `initialize` answered, which later messages say again.
#[derive(Default)]
struct Said {
    version: Option<String>,
    session: Option<HeaderValue>,
}

#[derive(Clone)]
struct Bridge {
    api: Api,
    said: Arc<Mutex<Said>>,
}

impl Bridge {
    /// The request that this message calls off by closing its stream. In the old revisions the server is told instead.
    fn closes(&self, message: &Value, requests: &mut HashMap<String, InFlight>) -> Option<AbortHandle> {
        if message["method"] != "notifications/cancelled" {
            return None;
        }
        let id = message["params"]["requestId"].to_string();
        let request = requests.get(&id)?;
        request.off.store(true, Ordering::Relaxed);
        if request.closes { requests.remove(&id).map(|r| r.task) } else { None }
    }

    fn said(&self) -> std::sync::MutexGuard<'_, Said> {
        // Nothing is left half done under the lock.
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn pass_on(&self, message: Value, off: &AtomicBool) {
        let id = message.get("id").filter(|_| message.get("method").is_some()).cloned();
        let begins = message["method"] == "initialize" && modern(&message).is_none();
        let answer = match self.api.message(&message, self.headers(&message)).await {
            Ok(answer) => answer,
            Err(failure) => return failed(id.as_ref(), &failure.sentence()),
        };
        if begins {
            self.said().session = answer.headers().get("mcp-session-id").cloned();
        }
        let streams =
            answer.headers().get(CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"text/event-stream"));
        if streams {
            return stream(id.as_ref(), answer, off).await;
        }
        let status = answer.status();
        let body: Option<Value> = answer.json().await.ok();
        match body {
            Some(body) if body.is_array() => say(&body),
            Some(mut body) if body["jsonrpc"] == "2.0" => {
                if begins {
                    self.said().version = body["result"]["protocolVersion"].as_str().map(str::to_owned);
                }
                if let Some(id) = &id {
                    body["id"] = id.clone();
                }
                // A notification has no answer, not even a refusal.
                if id.is_some() {
                    say(&body);
                }
            }
            Some(_) | None if status == StatusCode::ACCEPTED => {}
            Some(_) | None => failed(id.as_ref(), &format!("NEXUS answered with status {status}")),
        }
    }

    /// What HTTP says of a message again (specification, Streamable HTTP, "Request Metadata").
    fn headers(&self, message: &Value) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut set = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        if let Some(version) = modern(message) {
            set("mcp-protocol-version", version);
            set("mcp-method", message["method"].as_str().unwrap_or_default());
            let params = &message["params"];
            if let Some(name) = params["name"].as_str().or(params["uri"].as_str()) {
                set("mcp-name", &header_value(name));
            }
            return headers;
        }
        let said = self.said();
        if message["method"] != "initialize"
            && let Some(version) = said.version.as_deref().filter(|version| *version != MODERN)
        {
            set("mcp-protocol-version", version);
        }
        if let Some(session) = &said.session {
            headers.insert(HeaderName::from_static("mcp-session-id"), session.clone());
        }
        headers
    }
}

/// Writes what a stream brings, until the answer has come.
async fn stream(id: Option<&Value>, answer: Response, off: &AtomicBool) {
    let (mut body, mut reader) = (answer.bytes_stream(), Reader::default());
    while let Some(Ok(bytes)) = body.next().await {
        reader.feed(&bytes);
        while let Some(happening) = reader.next() {
            let answered = happening.data.get("method").is_none() && happening.data.get("id") == id;
            say(&happening.data);
            if answered {
                return;
            }
        }
    }
    if !off.load(Ordering::Relaxed) {
        failed(id, "the connection to NEXUS broke off before the answer came");
    }
}

fn failed(id: Option<&Value>, message: &str) {
    if let Some(id) = id {
        say(&json!({ "jsonrpc": "2.0", "id": id, "error": { "code": BROKEN, "message": message } }));
    }
}

/// A message as a line. Who does not read any more has gone, which the end of the input says.
fn say(message: &Value) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{message}").and_then(|()| out.flush());
}
