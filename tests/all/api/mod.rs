//! The REST API over HTTP, as programs use it.

mod agents;
mod billing;
mod examples;
mod market;
mod once;
mod processes;
mod stream;
mod tasks;
mod walk;

use std::collections::BTreeSet;

use chrono::Utc;
use domain::api_keys::{self, NewKey, Scope, Scopes};
use domain::{Actor, Db, KeyId};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;

use crate::test_app::TestApp;

/// A program with a key.
#[derive(Clone)]
pub struct Program {
    base: String,
    client: Client,
    pub secret: String,
    pub key: KeyId,
}

impl Program {
    /// A program of `actor`'s with a key of these scopes and limits, against a server at `base`.
    pub async fn with(base: String, db: &Db, actor: &Actor, new: NewKey) -> Program {
        let made = api_keys::create(db, actor, new, Utc::now()).await.unwrap();
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Program { base, client, secret: made.token.reveal().to_owned(), key: made.key.id }
    }

    /// The same program against another server.
    pub fn at(&self, base: String) -> Program {
        Program { base, ..self.clone() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}/api/v1{path}", self.base));
        if self.secret.is_empty() { request } else { request.bearer_auth(&self.secret) }
    }

    /// Status and JSON of an answer.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = self.request(method, path);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        read(request.send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::POST, path, Some(body)).await
    }
}

pub async fn read(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// The code of a refusal.
pub fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["code"].as_str().unwrap_or_default())
}

/// The fields that a refusal names.
pub fn fields(answer: &(u16, Value)) -> Vec<&str> {
    let details = answer.1["error"]["details"].as_array();
    details.into_iter().flatten().filter_map(|d| d["field"].as_str()).collect()
}

pub fn only(scope: Scope) -> Scopes {
    Scopes::Some(BTreeSet::from([scope]))
}

impl TestApp {
    pub fn base(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// A program of `actor`'s whose key may do everything.
    pub async fn program(&self, actor: &Actor) -> Program {
        self.program_with(actor, NewKey::named("test", Scopes::All)).await
    }

    pub async fn program_with(&self, actor: &Actor, new: NewKey) -> Program {
        Program::with(self.base(), &self.db, actor, new).await
    }

    /// A program without a key.
    pub fn nobody(&self) -> Program {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Program { base: self.base(), client, secret: String::new(), key: KeyId(uuid::Uuid::nil()) }
    }
}
