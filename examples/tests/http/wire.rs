//! A caller: serves a router on a free port and speaks JSON-RPC to it over real HTTP.

use a2a::{Message, Part, Role, Task};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Agents behind an address of their own.
pub struct Wire {
    pub origin: String,
    pub client: Client,
}

impl Wire {
    /// Serves what `router` makes of the origin.
    pub async fn serve(router: impl FnOnce(&str) -> axum::Router) -> Wire {
        // Fails when another test of the process was first, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let router = router(&origin);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Wire { origin, client: Client::new() }
    }

    /// A POST to `path` with the headers of a good request.
    pub fn post(&self, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.origin);
        self.client.post(url).header("content-type", "application/json").header("a2a-version", "1.0")
    }

    /// The whole JSON-RPC answer.
    pub async fn call(&self, path: &str, method: &str, params: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        answer(self.post(path).body(body.to_string()).send().await.unwrap()).await
    }

    /// The task that `SendMessage` answers with.
    pub async fn send(&self, path: &str, params: Value) -> Task {
        let answer = self.call(path, "SendMessage", params).await;
        assert!(answer["error"].is_null(), "{answer}");
        serde_json::from_value(answer["result"]["task"].clone()).unwrap()
    }

    /// The task as `GetTask` has it.
    pub async fn get(&self, path: &str, id: &str) -> Task {
        let answer = self.call(path, "GetTask", json!({ "id": id })).await;
        serde_json::from_value(answer["result"].clone()).unwrap_or_else(|_| panic!("{answer}"))
    }
}

/// The answer, checked to be JSON-RPC 2.0.
pub async fn answer(response: Response) -> Value {
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["jsonrpc"], "2.0", "{answer}");
    assert!(answer.get("result").is_some() != answer.get("error").is_some(), "{answer}");
    answer
}

/// A message with one text part.
pub fn text(text: &str) -> Message {
    Message::new(Role::User, vec![Part::text(text)])
}

/// The line of a task's status message.
pub fn line(task: &Task) -> &str {
    task.status.message.as_ref().and_then(Message::text).unwrap_or_default()
}
