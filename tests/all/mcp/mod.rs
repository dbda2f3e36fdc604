//! The MCP server over HTTP, as clients of both kinds of revision use it.

mod asking;
mod clients;
mod envelope;
mod faults;
mod hiring;
mod legacy;
mod listen;
mod page;
mod resources;
mod stdio;
mod tools;

use std::collections::VecDeque;
use std::time::Duration;

use domain::Actor;
use domain::api_keys::{NewKey, Scopes};
use futures::StreamExt as _;
use nexus::mcp::{MODERN, VERSION_META, header_value};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::test_app::TestApp;

/// Longest wait for a message.
const LIMIT: Duration = Duration::from_secs(30);

/// A client with a key.
#[derive(Clone)]
pub struct Mcp {
    url: String,
    client: Client,
    pub secret: String,
    /// What it says of itself.
    pub capabilities: Value,
    /// What `initialize` gave out, for the old revisions.
    pub session: Option<String>,
}

impl TestApp {
    /// A client of `actor`'s whose key may do everything.
    pub async fn mcp(&self, actor: &Actor) -> Mcp {
        self.mcp_with(actor, Scopes::All).await
    }

    pub async fn mcp_with(&self, actor: &Actor, scopes: Scopes) -> Mcp {
        let secret = self.program_with(actor, NewKey::named("assistant", scopes)).await.secret;
        let client = Client::builder().no_proxy().build().unwrap();
        Mcp { url: format!("{}/mcp", self.base()), client, secret, capabilities: json!({}), session: None }
    }
}

impl Mcp {
    /// The same client, at whose screen a person can be asked.
    pub fn with_forms(mut self) -> Mcp {
        self.capabilities = json!({"elicitation": {}});
        self
    }

    /// A POST with the headers that every client sends.
    pub fn request(&self) -> RequestBuilder {
        let request = self.client.post(&self.url).header("accept", "application/json, text/event-stream");
        let request = request.header("content-type", "application/json");
        if self.secret.is_empty() { request } else { request.bearer_auth(&self.secret) }
    }

    /// A message of 2026-07-28, and its POST without a body.
    pub fn modern(&self, id: i64, method: &str, mut params: Value) -> (RequestBuilder, Value) {
        let meta = json!({VERSION_META: MODERN, "io.modelcontextprotocol/clientCapabilities": self.capabilities});
        for (name, value) in meta.as_object().unwrap() {
            params["_meta"][name] = value.clone();
        }
        let mut request = self.request().header("mcp-protocol-version", MODERN).header("mcp-method", method);
        if let Some(name) = params["name"].as_str().or(params["uri"].as_str()) {
            request = request.header("mcp-name", header_value(name));
        }
        (request, json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
    }

    /// A message of 2025-11-25, and its POST without a body.
    pub fn old(&self, id: i64, method: &str, params: Value) -> (RequestBuilder, Value) {
        let mut request = self.request().header("mcp-protocol-version", "2025-11-25");
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session);
        }
        (request, json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
    }

    /// The client after its handshake.
    pub async fn initialized(mut self) -> Mcp {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": self.capabilities,
            "clientInfo": {"name": "test", "version": "1"}});
        let body = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        let answer = self.request().json(&body).send().await.unwrap();
        self.session = Some(answer.headers()["mcp-session-id"].to_str().unwrap().to_owned());
        self
    }

    /// Asks in 2026-07-28; answers with the status and the whole answer.
    pub async fn ask(&self, method: &str, params: Value) -> (u16, Value) {
        let (request, body) = self.modern(1, method, params);
        answered(request.json(&body).send().await.unwrap()).await
    }

    /// The same in 2025-11-25.
    pub async fn ask_old(&self, method: &str, params: Value) -> (u16, Value) {
        let (request, body) = self.old(1, method, params);
        answered(request.json(&body).send().await.unwrap()).await
    }

    /// The result of a method.
    pub async fn result(&self, method: &str, params: Value) -> Value {
        let (status, answer) = self.ask(method, params).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["result"]["resultType"].as_str().map(|t| t.is_empty()), Some(false), "{answer}");
        answer["result"].clone()
    }

    /// The result of a tool.
    pub async fn tool(&self, name: &str, arguments: Value) -> Value {
        self.result("tools/call", json!({"name": name, "arguments": arguments})).await
    }

    /// What a tool answers a program, where it can do what it is asked.
    pub async fn good(&self, name: &str, arguments: Value) -> Value {
        let result = self.tool(name, arguments).await;
        assert_eq!(result["isError"], false, "{result}");
        result["structuredContent"].clone()
    }

    /// The code of what a tool refuses.
    pub async fn refused(&self, name: &str, arguments: Value) -> String {
        let result = self.tool(name, arguments).await;
        assert_eq!(result["isError"], true, "{result}");
        result["_meta"]["nexus/error"]["code"].as_str().unwrap().to_owned()
    }

    /// Opens a stream.
    pub async fn open(&self, message: (RequestBuilder, Value)) -> Stream {
        let answer = message.0.json(&message.1).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["x-accel-buffering"], "no");
        Stream { body: Box::pin(answer.bytes_stream()), text: String::new(), ready: VecDeque::new() }
    }
}

/// Status and JSON of an answer; the last message, where it is a stream.
pub async fn answered(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let text = tokio::time::timeout(LIMIT, answer.text()).await.expect("the answer does not end").unwrap();
    let last = text.lines().filter_map(|l| l.strip_prefix("data:")).next_back();
    (status, serde_json::from_str(last.unwrap_or(&text)).unwrap_or(Value::Null))
}

/// A stream of messages.
pub struct Stream {
    body: std::pin::Pin<Box<dyn futures::Stream<Item = reqwest::Result<axum::body::Bytes>> + Send>>,
    text: String,
    ready: VecDeque<Value>,
}

impl Stream {
    /// The next message; nothing at the end.
    pub async fn next(&mut self) -> Option<Value> {
        let reading = async {
            loop {
                if let Some(message) = self.ready.pop_front() {
                    return Some(message);
                }
                let bytes = self.body.next().await?.unwrap();
                self.text.push_str(std::str::from_utf8(&bytes).unwrap());
                while let Some((frame, rest)) = self.text.split_once("\n\n") {
                    let data = frame.lines().find_map(|l| l.strip_prefix("data:"));
                    self.ready.extend(data.map(|d| serde_json::from_str::<Value>(d).unwrap()));
                    self.text = rest.to_owned();
                }
            }
        };
        tokio::time::timeout(LIMIT, reading).await.expect("the stream says nothing")
    }

    /// The next message that is this method.
    pub async fn until(&mut self, method: &str) -> Value {
        loop {
            let message = self.next().await.expect("the stream has ended");
            if message["method"] == method {
                return message;
            }
            assert!(message.get("method").is_some(), "{method} did not come: {message}");
        }
    }

    /// The answer, and how many messages came before it.
    pub async fn end(&mut self) -> (Value, Vec<Value>) {
        let mut before = Vec::new();
        loop {
            let message = self.next().await.expect("the stream has ended without an answer");
            if message.get("method").is_none() {
                assert_eq!(self.next().await, None, "the answer ends the stream");
                return (message, before);
            }
            before.push(message);
        }
    }
}

/// The code of an error.
pub fn code(answer: &(u16, Value)) -> (u16, i64) {
    (answer.0, answer.1["error"]["code"].as_i64().unwrap_or_default())
}
