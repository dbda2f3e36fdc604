//! What the A2A gateway adds to an agent: a blocking send at an even 50 a second, and the way of a streamed piece from the agent to
//! the client; beside the same calls of the agent itself in the same minutes. `scripts/bench gateway`

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Json;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bench::{Result, assert_adds_up, economy, people, say};
use chrono::Utc;
use clap::Parser as _;
use domain::api_keys::{self, NewKey, Scopes};
use domain::{Actor, AgentId, UserId};
use futures::StreamExt as _;
use nexus::config::Config;
use nexus::database::Database;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

const A_SECOND: u32 = 50;
const SECONDS: u32 = 20;
const ROUNDS: usize = 3;
/// Streams, one at a time, and the pieces of each.
const STREAMS: usize = 60;
const PIECES: usize = 5;

/// When each piece was sent, by its text.
type Sent = Arc<Mutex<std::collections::HashMap<String, Instant>>>;

#[derive(clap::Parser)]
struct Settings {
    #[command(flatten)]
    config: Config,
}

#[tokio::main]
async fn main() -> Result<()> {
    nexus::serve::install_tls();
    let db = economy("gateway").await?;
    people(db.pool(), 100).await?;
    let sent = Sent::default();
    let agent = serve(Arc::clone(&sent)).await?;
    let card = json!({ "capabilities": { "streaming": true }, "supportedInterfaces":
        [{ "url": agent, "protocolBinding": "JSONRPC", "protocolVersion": "1.0" }] });
    for sql in [
        "UPDATE agents SET endpoint = $1, agent_card = $2, max_concurrent = 1000, price_per_task = 1 WHERE kind = 'listed'",
        // By itself: an agent with a new endpoint goes offline until it has answered there.
        "UPDATE agents SET tested_at = now(), listed = true, status = 'online' WHERE kind = 'listed' AND $1 <> '' AND $2 IS NOT NULL",
    ] {
        sqlx::query(sql).bind(&agent).bind(&card).execute(db.pool()).await?;
    }
    let (payer, hired): (UserId, AgentId) =
        sqlx::query_as("SELECT p.id, q.agent FROM u p, u q WHERE p.n = 1 AND q.n = 2").fetch_one(db.pool()).await?;
    let key =
        api_keys::create(&db, &Actor::Session(payer), NewKey::named("bench", Scopes::All), Utc::now()).await?.token;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/a2a/{hired}", listener.local_addr()?);
    let data = std::env::temp_dir().join(format!("nexus-bench-{}", std::process::id()));
    let data_dir = data.to_string_lossy().into_owned();
    let words = ["nexus", "--data-dir", &data_dir, "--allow-private-endpoints", "true", "--rate-limit", "10000000"];
    let config = Settings::try_parse_from(words)?.config;
    let database = Database::of(db.clone(), (*db.pool().connect_options()).clone());
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        nexus::serve::run(&config, &database, listener, false, async {
            let _ = stopped.await;
        })
        .await
    });
    let http = Client::builder().no_proxy().build()?;
    let alone = |method: &str| call(&http, &agent, method);
    let behind = |method: &str| call(&http, &url, method).bearer_auth(key.reveal());
    at_a_rate(|| behind("SendMessage"), 5).await?;

    let mut rows = Vec::new();
    for round in 1..=ROUNDS {
        rows.push((format!("agent alone, round {round}"), at_a_rate(|| alone("SendMessage"), SECONDS).await?));
        rows.push((format!("behind the gateway, round {round}"), at_a_rate(|| behind("SendMessage"), SECONDS).await?));
    }
    let mut ways = Vec::new();
    for (name, request) in [("agent alone", &alone as &dyn Fn(&str) -> RequestBuilder), ("behind the gateway", &behind)]
    {
        let mut times = Vec::new();
        for _ in 0..STREAMS {
            times.extend(pieces(request("SendStreamingMessage"), &sent).await?);
        }
        times.sort_by(f64::total_cmp);
        ways.push((name, times));
    }
    let _ = stop.send(());
    server.await??;
    assert_adds_up(&db).await?;
    let _ = std::fs::remove_dir_all(data);

    say(&format!("| blocking send, {A_SECOND} a second for {SECONDS} s | p50 ms | p99 ms |\n|---|---|---|"));
    for (name, times) in &rows {
        say(&format!("| {name} | {:.2} | {:.2} |", at(times, 0.5), at(times, 0.99)));
    }
    let median = |start: &str| {
        let mut all: Vec<f64> = rows.iter().filter(|(n, _)| n.starts_with(start)).map(|(_, t)| at(t, 0.5)).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    say(&format!("| added by the gateway, p50 | {:.2} | |", median("behind") - median("agent")));
    say("\n| from the agent to the client, a piece | p50 ms | p99 ms |\n|---|---|---|");
    for (name, times) in &ways {
        say(&format!("| {name} | {:.2} | {:.2} |", at(times, 0.5), at(times, 0.99)));
    }
    Ok(())
}

/// A time of many, in milliseconds.
fn at(times: &[f64], share: f64) -> f64 {
    times[((times.len() - 1) as f64 * share) as usize] * 1_000.0
}

fn call(http: &Client, url: &str, method: &str) -> RequestBuilder {
    let text = if method == "SendMessage" { "hello" } else { "tell me a story" };
    let message = json!({ "messageId": "1", "role": "ROLE_USER", "parts": [{ "text": text }] });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": { "message": message } });
    http.post(url).header("A2A-Version", "1.0").json(&body)
}

/// Sends at an even rate, whether or not the ones before have ended; answers with the times, sorted, in seconds.
async fn at_a_rate(request: impl Fn() -> RequestBuilder, seconds: u32) -> Result<Vec<f64>> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / A_SECOND);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..A_SECOND * seconds {
        ticks.tick().await;
        let (begun, request) = (Instant::now(), request());
        calls.spawn(async move {
            let answer: Value = request.send().await?.json().await?;
            Ok::<_, reqwest::Error>((begun.elapsed().as_secs_f64(), answer))
        });
    }
    let mut times = Vec::new();
    while let Some(done) = calls.join_next().await {
        let (time, answer) = done??;
        if answer["result"]["task"]["status"]["state"] != "TASK_STATE_COMPLETED" {
            return Err(format!("not completed: {answer}").into());
        }
        times.push(time);
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

/// How long each piece of one stream was on its way, in seconds.
async fn pieces(request: RequestBuilder, sent: &Sent) -> Result<Vec<f64>> {
    let mut chunks = request.send().await?.bytes_stream();
    let (mut text, mut times) = (String::new(), Vec::new());
    while let Some(chunk) = chunks.next().await {
        text.push_str(std::str::from_utf8(&chunk?)?);
        while let Some((event, rest)) = text.clone().split_once("\n\n") {
            text = rest.to_owned();
            let Some(data) = event.strip_prefix("data: ") else { continue };
            let value: Value = serde_json::from_str(data)?;
            let piece = &value["result"]["artifactUpdate"]["artifact"]["parts"][0]["text"];
            let at = piece.as_str().and_then(|piece| sent.lock().ok()?.remove(piece));
            times.extend(at.map(|at| at.elapsed().as_secs_f64()));
        }
    }
    if times.len() == PIECES { Ok(times) } else { Err(format!("{} pieces of {PIECES} came", times.len()).into()) }
}

/// An agent that answers at once, or streams a few pieces with pauses between.
async fn serve(sent: Sent) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let answer = move |Json(request): Json<Value>| {
        let sent = Arc::clone(&sent);
        async move { respond(&request, sent) }
    };
    let router = axum::Router::new().route("/", post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(url)
}

fn respond(request: &Value, sent: Sent) -> Response {
    let id = request["id"].clone();
    let task = uuid::Uuid::new_v4().to_string();
    let envelope = move |result: Value| json!({ "jsonrpc": "2.0", "id": id, "result": result });
    let status = |state: &str| json!({ "state": state });
    let whole = |state: &str| json!({ "task": { "id": task, "contextId": "c", "status": status(state) } });
    // From an agent that can, the gateway takes a stream, whatever its client asked for.
    let done = envelope(whole("TASK_STATE_COMPLETED"));
    match (request["method"].as_str(), request["params"]["message"]["parts"][0]["text"].as_str()) {
        (Some("SendMessage"), _) => return Json(done).into_response(),
        (_, Some("hello")) => {
            let only = futures::stream::iter([Ok::<_, Infallible>(Event::default().data(done.to_string()))]);
            return Sse::new(only).into_response();
        }
        _ => {}
    }
    let end = json!({ "statusUpdate": { "taskId": task, "contextId": "c", "status": status("TASK_STATE_COMPLETED") } });
    let first = whole("TASK_STATE_WORKING");
    let steps = futures::stream::unfold(0, move |n| {
        let (envelope, sent, task, end, first) =
            (envelope.clone(), Arc::clone(&sent), task.clone(), end.clone(), first.clone());
        async move {
            let event = match n {
                0 => first,
                n if n <= PIECES => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    let text = uuid::Uuid::new_v4().to_string();
                    let artifact = json!({ "artifactId": "a", "parts": [{ "text": text }] });
                    sent.lock().ok()?.insert(text, Instant::now());
                    json!({ "artifactUpdate": { "taskId": task, "contextId": "c", "append": n > 1, "artifact": artifact } })
                }
                n if n == PIECES + 1 => end,
                _ => return None,
            };
            Some((Ok::<_, Infallible>(Event::default().data(envelope(event).to_string())), n + 1))
        }
    });
    Sse::new(steps).into_response()
}
