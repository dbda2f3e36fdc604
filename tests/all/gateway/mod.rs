//! The A2A gateway over HTTP: its door, its errors, its streams, and the official SDKs' clients in front of it.

mod cards;
mod door;
mod flow;
mod interop;
mod pushes;
mod router;
mod snippets;

use domain::AgentId;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use crate::test_app::TestApp;

/// A client at one agent's address.
#[derive(Clone)]
pub struct Caller {
    http: Client,
    pub url: String,
    secret: String,
}

impl Caller {
    pub fn new(app: &TestApp, agent: AgentId, secret: &str) -> Caller {
        let http = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Caller { http, url: format!("http://{}/a2a/{agent}", app.addr), secret: secret.to_owned() }
    }

    /// A client at the platform's own agent.
    pub fn at_platform(app: &TestApp, secret: &str) -> Caller {
        let at_agent = Caller::new(app, AgentId(uuid::Uuid::nil()), secret);
        Caller { url: format!("http://{}/a2a", app.addr), ..at_agent }
    }

    fn with_key(&self, request: RequestBuilder) -> RequestBuilder {
        if self.secret.is_empty() { request } else { request.bearer_auth(&self.secret) }
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.with_key(self.http.post(format!("{}{path}", self.url)))
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.with_key(self.http.get(format!("{}{path}", self.url)))
    }

    pub fn delete(&self, path: &str) -> RequestBuilder {
        self.with_key(self.http.delete(format!("{}{path}", self.url)))
    }

    /// The request of a method of 1.0.
    pub fn method(&self, method: &str, params: Value) -> RequestBuilder {
        let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        self.post("").header("A2A-Version", "1.0").json(&body)
    }

    /// What a method of 1.0 answers: its result or its error.
    pub async fn rpc(&self, method: &str, params: Value) -> Result<Value, Value> {
        outcome(read(self.method(method, params)).await.1)
    }

    /// The events of a streaming method, to the end of the stream.
    pub async fn events(&self, method: &str, params: Value) -> Vec<Value> {
        let answer = self.method(method, params).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let text = answer.text().await.unwrap();
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|data| outcome(serde_json::from_str(data).unwrap()).unwrap()).collect()
    }
}

fn outcome(answer: Value) -> Result<Value, Value> {
    assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(7)), "{answer}");
    match answer.get("error") {
        Some(error) => Err(error.clone()),
        None => Ok(answer["result"].clone()),
    }
}

pub async fn read(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
}

/// `SendMessage` with one text.
pub fn say(text: &str) -> Value {
    json!({ "message": { "messageId": format!("m-{text}"), "role": "ROLE_USER", "parts": [{ "text": text }] } })
}

/// Parameters with more in the message, or beside it.
pub fn with(mut params: Value, place: &str, value: Value) -> Value {
    let (parent, name) = place.rsplit_once('/').unwrap();
    params.pointer_mut(parent).unwrap()[name] = value;
    params
}
