//! The examples of the OpenAPI document, sent in order to a server. What they answer is what the document says.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, Utc};
use domain::Actor;
use nexus::api::examples::{self, Example};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use super::Program;
use crate::provider::{buy, starter};
use crate::scripted_agent::{Answer, ScriptedAgent, task};
use crate::test_app::TestApp;

/// What the examples call the server.
const HOST: &str = "https://nexus.example.org";
/// What they call the receiver of webhooks.
const RECEIVER: &str = "https://hooks.example.org/nexus";
/// Where they have the agent that is to be registered, at `/a2a`.
const NEW_AGENT: &str = "https://echo.example.org";
/// What the buyer has bought before.
const BOUGHT: &str = "7d5f2a90-4b1c-4e8d-9c3a-2e6f8b0d1a01";
/// The agents that are listed before.
const ECHO: &str = "6f1c1a52-3f0e-4f6b-9a53-1f7f0a5e2d10";
const ASKER: &str = "6f1c1a52-3f0e-4f6b-9a53-1f7f0a5e2d11";
/// When everything happens.
const TIME: &str = "2026-11-25T09:30:00Z";

/// A server that the examples were sent to.
pub struct Fixture {
    pub app: TestApp,
    pub buyer: Actor,
    /// Words of the examples and what they are here: ids, secrets, addresses.
    words: Vec<(String, String)>,
    answers: Vec<(Example, u16, Option<Value>)>,
}

impl Fixture {
    /// Starts a server and sends all examples.
    pub async fn start(pool: PgPool) -> Fixture {
        let settings = ["--rate-limit", "1000000", "--rate-limit-anonymous", "1000000"];
        let app = TestApp::start_with(pool, &settings).await;
        let (_, provider) = app.person("provider").await;
        let (browser, buyer) = app.person("buyer").await;
        let bought = buy(&app, &browser, &buyer, starter(), None).await;
        let echo = app.agent(&provider, "echo", "2.50").await;
        let asker = ScriptedAgent::listed(&app, &provider, json!({}), |_, params, _| {
            match params.pointer("/message/parts/0/text").and_then(Value::as_str) {
                Some("blue") => Answer::Now(json!({"task": task("TASK_STATE_COMPLETED", "done", json!([
                    {"artifactId": "a", "name": "Picture", "parts": [{"text": "painted blue"}]}]))})),
                _ => Answer::Now(json!({"task": task("TASK_STATE_INPUT_REQUIRED", "Which colour?", json!([]))})),
            }
        })
        .await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fresh = format!("http://{}", listener.local_addr().unwrap());
        let router = demo_agents::single("echo", &format!("{fresh}/a2a"), None).unwrap();
        let router = axum::Router::new().nest("/a2a", router);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = format!("http://{}/nexus", listener.local_addr().unwrap());
        let router = axum::Router::new().route("/nexus", axum::routing::post(async || "thank you"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let words = vec![
            (RECEIVER.to_owned(), receiver),
            (HOST.to_owned(), app.base()),
            (NEW_AGENT.to_owned(), fresh),
            (BOUGHT.to_owned(), bought.id.to_string()),
            (ECHO.to_owned(), echo.to_string()),
            (ASKER.to_owned(), asker.id.to_string()),
        ];
        let mut fixture = Fixture { buyer, words, answers: Vec::new(), app };
        let programs = BTreeMap::from([
            ("buyer", fixture.app.program(&buyer).await),
            ("provider", fixture.app.program(&provider).await),
        ]);
        let places = places();
        for example in examples::all() {
            fixture.send(&programs, &places, example).await;
        }
        fixture
    }

    pub async fn finish(self) {
        self.app.finish().await;
    }

    /// Path and body of an operation's first example, in the words of this server.
    pub async fn request_of(&self, operation: &str, template: &str) -> (String, Option<Value>) {
        let find = |name: &str| self.answers.iter().map(|(e, _, _)| e).find(|e| e.operation == name);
        let example = find(operation).unwrap_or_else(|| panic!("{operation} has no example"));
        (self.path(example, template), example.body.as_ref().map(|b| self.real(b)))
    }

    async fn send(
        &mut self,
        programs: &BTreeMap<&str, Program>,
        places: &BTreeMap<String, (Method, String)>,
        example: Example,
    ) {
        let program = &programs[example.sender.as_deref().unwrap_or("buyer")];
        let (method, template) =
            places.get(&example.operation).unwrap_or_else(|| panic!("no operation {}", example.operation));
        let path = self.path(&example, template);
        let body = example.body.as_ref().map(|b| self.real(b));
        let mut request = program.request(method.clone(), &path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        if ["listDeliveries", "resendDelivery"].contains(&example.operation.as_str()) {
            self.deliveries_end().await;
        }
        let (status, answer) = super::read(request.send().await.unwrap()).await;
        let answer = (!answer.is_null()).then_some(answer);
        if let (Some(id), Some(made)) = (&example.id, answer.as_ref().and_then(|a| a.pointer("/data/id"))) {
            self.words.push((id.clone(), made.as_str().unwrap().to_owned()));
        }
        if let (Some(said), Some(answer)) = (&example.answer, &answer) {
            self.learn(said, answer);
        }
        self.answers.push((example, status, answer));
    }

    /// Waits until nothing is on its way to an endpoint: how far it is does not depend on the moment then.
    async fn deliveries_end(&self) {
        let open = "SELECT count(*) FROM webhook_deliveries WHERE state = 'waiting'";
        for _ in 0..200 {
            if sqlx::query_scalar::<_, i64>(open).fetch_one(self.app.db.pool()).await.unwrap() == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("deliveries do not come to an end");
    }

    fn path(&self, example: &Example, template: &str) -> String {
        let mut path = template.to_owned();
        for (name, value) in &example.path {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            path = path.replace(&format!("{{{name}}}"), &self.real_text(&value));
        }
        if !example.query.is_empty() {
            write!(path, "?{}", self.real_text(&example.query)).unwrap();
        }
        path
    }

    /// What the words of an example are here.
    fn real_text(&self, text: &str) -> String {
        self.words.iter().fold(text.to_owned(), |text, (word, here)| text.replace(word, here))
    }

    fn real(&self, value: &Value) -> Value {
        texts(value, &mut |text| self.real_text(text))
    }

    /// Takes the ids and secrets of an answer for those of the example.
    fn learn(&mut self, said: &Value, answer: &Value) {
        match (said, answer) {
            (Value::Object(said), Value::Object(answer)) => {
                for (name, value) in said {
                    self.learn(value, answer.get(name).unwrap_or(&Value::Null));
                }
            }
            (Value::Array(said), Value::Array(answer)) => {
                said.iter().zip(answer).for_each(|(said, answer)| self.learn(said, answer));
            }
            (Value::String(said), Value::String(answer)) => {
                for (word, here) in secrets(said).into_iter().zip(secrets(answer)) {
                    if !self.words.iter().any(|(known, _)| *known == word) {
                        self.words.push((word, here));
                    }
                }
            }
            _ => {}
        }
    }

    /// An answer in the words of the examples.
    fn in_words(&mut self, answer: &Value) -> Value {
        let mut fresh = 0_u128;
        let mut words = std::mem::take(&mut self.words);
        let value = texts(answer, &mut |text| {
            let mut text = text.to_owned();
            for (word, here) in &words {
                text = text.replace(here, word);
            }
            for here in secrets(&text) {
                if words.iter().any(|(word, _)| *word == here) {
                    continue;
                }
                fresh = words.len() as u128;
                let word = if here.starts_with("nxk_") {
                    format!("nxk_{}{fresh:02}", "4Yl0m2W0eH9zV3uQ7c1xT5bN8rK6pJ2sD4fG7hL9a")
                } else if here.starts_with("whsec_") {
                    format!("whsec_{}{fresh:02}", "C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
                } else if here.starts_with("cs_test_") {
                    format!("cs_test_{}{fresh:02}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6")
                } else if here.starts_with("nexus-agent-") {
                    format!("nexus-agent-{}{fresh:02}", "Zm9yIHRoZSBleGFtcGxlcyBvbmx5IQ")
                } else {
                    Uuid::from_u128(0x3c0d_5e4f_1a2b_4c3d_8e9f_0000_0000_0000 + fresh).to_string()
                };
                text = text.replace(&here, &word);
                words.push((word, here));
            }
            if DateTime::parse_from_rfc3339(&text).is_ok() {
                TIME.to_owned()
            } else if let Ok(day) = text.parse::<NaiveDate>() {
                // As many days before the example's as it is before today.
                let then: DateTime<Utc> = TIME.parse().unwrap();
                (then.date_naive() - (Utc::now().date_naive() - day)).to_string()
            } else if text.starts_with("nxk_") && text.len() == 12 {
                // The part of a secret that is shown.
                "nxk_4Yl0m2W0".to_owned()
            } else {
                text
            }
        });
        self.words = words;
        value
    }
}

/// Method and path of each operation.
fn places() -> BTreeMap<String, (Method, String)> {
    let document = nexus::api::document();
    let mut out = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            out.insert(id, (method.to_uppercase().parse().unwrap(), path.clone()));
        }
    }
    out
}

/// A value with each of its strings changed; an id or a time as a name, too.
fn texts(value: &Value, change: &mut impl FnMut(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        Value::Array(items) => items.iter().map(|v| texts(v, change)).collect(),
        Value::Object(fields) => fields.iter().map(|(k, v)| (k.clone(), texts(v, change))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// The ids and secrets in a text.
fn secrets(text: &str) -> Vec<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-_+/=".contains(c);
    let words = text.split(|c: char| !is_word(c) || c == '/' && !text.starts_with("whsec_"));
    words
        .filter(|w| {
            Uuid::parse_str(w).is_ok() && w.len() == 36
                || w.starts_with("nxk_") && w.len() > 12
                || ["whsec_", "cs_test_", "nexus-agent-"].iter().any(|start| w.starts_with(start) && w.len() > 24)
        })
        .map(str::to_owned)
        .collect()
}

/// Where an answer departs from its example: other fields, other kinds of values, other words.
fn departures(at: &str, said: &Value, answer: &Value, out: &mut Vec<String>) {
    match (said, answer) {
        (Value::Object(said), Value::Object(answer)) => {
            for name in said.keys().chain(answer.keys().filter(|k| !said.contains_key(*k))) {
                match (said.get(name), answer.get(name)) {
                    (Some(said), Some(answer)) => departures(&format!("{at}.{name}"), said, answer, out),
                    (Some(_), None) => out.push(format!("{at}.{name} is not in the answer")),
                    (None, _) => out.push(format!("{at}.{name} is not in the example")),
                }
            }
        }
        (Value::Array(said), Value::Array(answer)) => {
            if said.is_empty() != answer.is_empty() {
                out.push(format!("{at} has {} in the example and {} in the answer", said.len(), answer.len()));
            }
            said.iter().zip(answer).enumerate().for_each(|(n, (s, a))| departures(&format!("{at}[{n}]"), s, a, out));
        }
        // Times and durations are what they are; whether a key was used by then, too.
        (Value::Number(_), Value::Number(_)) => {}
        _ if at.ends_with("lastUsedAt") || at.ends_with("nextCursor") => {}
        // "Completed in 12 ms".
        (Value::String(said), Value::String(answer))
            if at.ends_with("reason") && [said, answer].iter().all(|text| text.starts_with("Completed in ")) => {}
        (said, answer) if said == answer => {}
        (said, answer) => out.push(format!("{at} is {said} in the example and {answer} in the answer")),
    }
}

#[sqlx::test(migrations = "./migrations")]
async fn the_examples_of_the_document_are_true(pool: PgPool) {
    let mut fixture = Fixture::start(pool).await;
    let mut wrong = Vec::new();
    for (example, status, answer) in fixture.answers.clone() {
        let at = format!("{} {}", example.operation, example.id.as_deref().unwrap_or_default());
        if status != example.status {
            wrong.push(format!("{at} answers {status}, not {}: {answer:?}", example.status));
            continue;
        }
        match (&example.answer, answer) {
            (Some(said), Some(answer)) => departures(&at, said, &fixture.in_words(&answer), &mut wrong),
            (None, None) => {}
            (said, answer) => wrong.push(format!("{at}: {said:?} in the example, {answer:?} in the answer")),
        }
    }
    assert!(wrong.is_empty(), "record anew after looking (scripts/record-examples):\n{}", wrong.join("\n"));
    fixture.finish().await;
}

/// Not a test: writes the answers into the examples. `scripts/record-examples` runs it.
#[sqlx::test(migrations = "./migrations")]
#[ignore = "writes src/api/examples"]
async fn record_examples(pool: PgPool) {
    let mut fixture = Fixture::start(pool).await;
    let mut answers = std::mem::take(&mut fixture.answers).into_iter();
    for (name, text) in examples::FILES {
        let count = serde_json::from_str::<Vec<Example>>(text).unwrap().len();
        let mut recorded = Vec::new();
        for (mut example, status, answer) in answers.by_ref().take(count) {
            assert!((200..300).contains(&status), "{} answers {status}: {answer:?}", example.operation);
            example.status = status;
            example.answer = answer.map(|a| fixture.in_words(&a));
            recorded.push(example);
        }
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/api/examples/{name}.json"));
        std::fs::write(path, serde_json::to_string_pretty(&recorded).unwrap() + "\n").unwrap();
    }
    fixture.finish().await;
}
