//! The client of agents against agents that are played: every dialect, streams cut anywhere, and what goes wrong.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::agents::SigningSecrets;
use domain::tasks::finish::Fault;
use futures::StreamExt;
use nexus::a2a::{AgentClient, Outgoing, Protocol, Push, Reply, Step, Target, card, test_call};
use nexus::outbound::Outbound;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const LIMIT: Duration = Duration::from_secs(5);
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A request as the played agent saw it.
#[derive(Clone, Debug)]
struct Seen {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Value,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// A played agent.
struct Agent {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Agent {
    async fn play(answer: impl Fn(&Seen) -> Response + Clone + Send + Sync + 'static) -> Agent {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/a2a", listener.local_addr().unwrap());
        let notes = Arc::clone(&seen);
        let router = Router::new().fallback(move |request: Request| {
            let (answer, notes) = (answer.clone(), Arc::clone(&notes));
            async move {
                let (head, body) = request.into_parts();
                let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
                let text = |v: &axum::http::HeaderValue| v.to_str().unwrap().to_owned();
                let seen = Seen {
                    method: head.method.to_string(),
                    path: head.uri.path().to_owned(),
                    headers: head.headers.iter().map(|(n, v)| (n.to_string(), text(v))).collect(),
                    body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
                };
                notes.lock().unwrap().push(seen.clone());
                answer(&seen)
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Agent { url, seen }
    }

    fn target(&self, protocol: Protocol) -> Target {
        Target {
            endpoint: self.url.parse().unwrap(),
            protocol,
            tenant: None,
            streaming: true,
            push: true,
            secrets: SigningSecrets(vec![SECRET.into()]),
        }
    }

    fn methods(&self) -> Vec<String> {
        let name = |s: &Seen| s.body["method"].as_str().map_or_else(|| s.path.clone(), str::to_owned);
        self.seen.lock().unwrap().iter().map(name).collect()
    }
}

fn client() -> AgentClient {
    nexus::serve::install_tls();
    AgentClient::new(Outbound::new(true).unwrap())
}

fn hello() -> Outgoing {
    Outgoing { message: json!({"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "hello"}]}), push: None }
}

fn json_answer(value: &Value) -> Response {
    ([("content-type", "application/json")], value.to_string()).into_response()
}

fn result(seen: &Seen, result: Value) -> Response {
    json_answer(&json!({"jsonrpc": "2.0", "id": seen.body["id"], "result": result}))
}

fn error(seen: &Seen, code: i64) -> Response {
    json_answer(&json!({"jsonrpc": "2.0", "id": seen.body["id"], "error": {"code": code, "message": "no"}}))
}

/// A stream of pieces with a pause before each; at the end it closes.
fn stream(pieces: Vec<(u64, Vec<u8>)>) -> Response {
    let pieces = futures::stream::iter(pieces).then(|(pause, piece)| async move {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        Ok::<_, Infallible>(Bytes::from(piece))
    });
    ([("content-type", "text/event-stream; charset=utf-8")], Body::from_stream(pieces)).into_response()
}

fn events(seen: &Seen, results: &[Value]) -> Vec<u8> {
    let wrap = |r: &Value| format!("data: {}\n\n", json!({"jsonrpc": "2.0", "id": seen.body["id"], "result": r}));
    results.iter().map(wrap).collect::<String>().into_bytes()
}

fn story() -> Vec<Value> {
    let artifact = |text: &str, append: bool| {
        json!({"artifactUpdate": {"taskId": "t", "contextId": "c", "append": append, "lastChunk": text == "z",
            "artifact": {"artifactId": "a", "name": "story", "parts": [{"text": text}]}}})
    };
    let status = |state: &str, said: Value| json!({"statusUpdate": {"taskId": "t", "contextId": "c", "status": {"state": state, "message": said}}});
    let said = json!({"messageId": "s", "role": "ROLE_AGENT", "parts": [{"text": "writing ü"}]});
    vec![
        json!({"task": {"id": "t", "contextId": "c", "status": {"state": "TASK_STATE_SUBMITTED"}}}),
        status("TASK_STATE_WORKING", said),
        artifact("x", false),
        artifact("y", true),
        artifact("z", true),
        status("TASK_STATE_COMPLETED", Value::Null),
    ]
}

#[tokio::test]
async fn a_stream_is_put_together_wherever_it_is_cut() {
    let agent = Agent::play(|seen| {
        let bytes = events(seen, &story());
        stream(bytes.chunks(7).map(|c| (0, c.to_vec())).collect())
    })
    .await;
    let client = client();
    let mut updates = client.stream(&agent.target(Protocol::V1JsonRpc), &hello(), LIMIT).await.unwrap();
    let mut steps = 0;
    let last = loop {
        match updates.next().await.unwrap() {
            Step::Changed => steps += 1,
            Step::Final(reply) => break *reply,
            Step::Ended => panic!("it had an end"),
        }
    };
    assert_eq!(steps, 5);
    let working = updates.working();
    assert_eq!((working.task.as_str(), working.context.as_deref()), ("t", Some("c")));
    assert_eq!(working.progress.as_deref(), Some("writing ü"));
    let Reply::Completed(delivery) = last else { panic!("{last:?}") };
    assert_eq!(delivery.artifacts, [json!({"artifactId": "a", "name": "story", "parts": [{"text": "xyz"}]})]);
    let seen = agent.seen.lock().unwrap()[0].clone();
    assert_eq!(seen.header("accept"), Some("text/event-stream, application/json"));
    assert_eq!((seen.header("a2a-version"), &seen.body["method"]), (Some("1.0"), &json!("SendStreamingMessage")));
}

#[tokio::test]
async fn a_dropped_wait_loses_nothing_and_a_broken_stream_says_so() {
    let agent = Agent::play(|seen| {
        let bytes = events(seen, &story()[..5]);
        stream(bytes.chunks(40).map(|c| (5, c.to_vec())).collect())
    })
    .await;
    let client = client();
    let mut updates = client.stream(&agent.target(Protocol::V1JsonRpc), &hello(), LIMIT).await.unwrap();
    // The worker waits for other things at the same time.
    let end = loop {
        if let Ok(step) = tokio::time::timeout(Duration::from_millis(3), updates.next()).await
            && let Step::Ended = step.unwrap()
        {
            break updates.working().clone();
        }
    };
    assert_eq!(end.artifacts[0]["parts"], json!([{"text": "xyz"}]));
}

#[tokio::test]
async fn comments_are_life_and_silence_is_none() {
    let (said, heard) = mpsc::unbounded_channel::<Bytes>();
    let heard = Arc::new(Mutex::new(Some(heard)));
    let agent = Agent::play(move |_| {
        let heard = heard.lock().unwrap().take().unwrap();
        let body = futures::stream::unfold(heard, |mut h| async { Some((Ok::<_, Infallible>(h.recv().await?), h)) });
        ([("content-type", "text/event-stream")], Body::from_stream(body)).into_response()
    })
    .await;
    let client = client();
    said.send(Bytes::from(": hi\n")).unwrap();
    let idle = Duration::from_millis(300);
    let mut updates = client.stream(&agent.target(Protocol::V1JsonRpc), &hello(), idle).await.unwrap();
    let alive = tokio::spawn(async move {
        for _ in 0..8 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            said.send(Bytes::from(": still here\n\n")).unwrap();
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
        drop(said);
    });
    let begun = Instant::now();
    let error = updates.next().await.unwrap_err();
    assert_eq!((error.kind, error.transient), ("Did not answer in time", true));
    let waited = begun.elapsed();
    assert!(waited > Duration::from_millis(900) && waited < Duration::from_secs(5), "{waited:?}");
    alive.abort();
}

#[tokio::test]
async fn an_agent_that_does_not_stream_is_asked_otherwise() {
    let client = client();
    for code in [-32004, -32601] {
        let agent = Agent::play(move |seen| error(seen, code)).await;
        let refused = client.stream(&agent.target(Protocol::V1JsonRpc), &hello(), LIMIT).await.unwrap_err();
        assert!(refused.unsupported, "{code}");
    }
    let rest = Agent::play(|_| StatusCode::NOT_FOUND.into_response()).await;
    let refused = client.stream(&rest.target(Protocol::V1Rest), &hello(), LIMIT).await.unwrap_err();
    assert!(refused.unsupported && refused.status == Some(404));
    let refused = client.stream(&rest.target(Protocol::Plain), &hello(), LIMIT).await.unwrap_err();
    assert!(refused.unsupported && rest.seen.lock().unwrap().len() == 1, "plain agents are not even asked");
    // Some answer at once instead.
    let whole = Agent::play(|seen| {
        let task = json!({"id": "t", "contextId": "c", "status": {"state": "TASK_STATE_WORKING"}});
        result(seen, json!({ "task": task }))
    })
    .await;
    let mut updates = client.stream(&whole.target(Protocol::V1JsonRpc), &hello(), LIMIT).await.unwrap();
    assert!(matches!(updates.next().await.unwrap(), Step::Changed));
    assert_eq!(updates.working().task, "t");
    assert!(matches!(updates.next().await.unwrap(), Step::Ended));
}

#[tokio::test]
async fn a_stream_may_bring_an_error_and_a_web_page_is_none() {
    let client = client();
    let lost = Agent::play(|seen| {
        let body = json!({"jsonrpc": "2.0", "id": seen.body["id"], "error": {"code": -32001, "message": "?"}});
        stream(vec![(0, format!("event: error\ndata: {body}\n\n").into_bytes())])
    })
    .await;
    let mut updates = client.resubscribe(&lost.target(Protocol::V1JsonRpc), "t", LIMIT).await.unwrap();
    assert_eq!(updates.working().task, "t");
    assert!(updates.next().await.unwrap_err().unknown_task);
    let page = Agent::play(|_| ([("content-type", "text/html")], "<html>Welcome</html>").into_response()).await;
    for answered in [
        client.send(&page.target(Protocol::V1JsonRpc), &hello(), LIMIT).await.err(),
        client.stream(&page.target(Protocol::V1Rest), &hello(), LIMIT).await.err(),
    ] {
        let error = answered.unwrap();
        assert!(error.message.contains("HTML page") && !error.transient, "{}", error.message);
    }
    let text = Agent::play(|_| stream(vec![(0, b"data: hello there\n\n".to_vec())])).await;
    let mut updates = client.stream(&text.target(Protocol::V03JsonRpc), &hello(), LIMIT).await.unwrap();
    assert_eq!(updates.next().await.unwrap_err().kind, "Answered against the protocol");
}

#[tokio::test]
async fn rest_is_subscribed_to_by_either_verb() {
    let agent = Agent::play(|seen| {
        if seen.method == "POST" {
            return StatusCode::METHOD_NOT_ALLOWED.into_response();
        }
        let task = json!({"task": {"id": "t", "contextId": "c", "status": {"state": "TASK_STATE_WORKING"}}});
        stream(vec![(0, format!("data: {task}\n\n").into_bytes())])
    })
    .await;
    let mut updates = client().resubscribe(&agent.target(Protocol::V03Rest), "t", LIMIT).await.unwrap();
    assert!(matches!(updates.next().await.unwrap(), Step::Changed));
    let seen = agent.seen.lock().unwrap().clone();
    assert_eq!(seen.iter().map(|s| s.method.as_str()).collect::<Vec<_>>(), ["POST", "GET"]);
    assert!(seen.iter().all(|s| s.path == "/a2a/v1/tasks/t:subscribe" && s.header("webhook-signature").is_some()));
}

#[tokio::test]
async fn every_request_is_signed_over_its_body() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use hmac::{Hmac, KeyInit, Mac};
    let agent = Agent::play(|_| StatusCode::NOT_FOUND.into_response()).await;
    let client = client();
    client.get(&agent.target(Protocol::V1Rest), "t", LIMIT).await.unwrap_err();
    let seen = agent.seen.lock().unwrap()[0].clone();
    let mut mac =
        Hmac::<sha2::Sha256>::new_from_slice(&STANDARD.decode(SECRET.strip_prefix("whsec_").unwrap()).unwrap())
            .unwrap();
    let (id, at) = (seen.header("webhook-id").unwrap(), seen.header("webhook-timestamp").unwrap());
    mac.update(format!("{id}.{at}.").as_bytes());
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!((seen.method.as_str(), seen.header("webhook-signature")), ("GET", Some(expected.as_str())));
}

#[tokio::test]
async fn an_agent_that_takes_no_push_address_is_asked_without() {
    let agent = Agent::play(|seen| {
        if seen.body.pointer("/params/configuration/taskPushNotificationConfig").is_some() {
            return error(seen, -32003);
        }
        result(seen, json!({"message": {"messageId": "a", "role": "ROLE_AGENT", "parts": [{"text": "hi"}]}}))
    })
    .await;
    let push = Push { id: "p".into(), url: "https://n.example/".parse().unwrap(), token: "t".into() };
    let out = Outgoing { push: Some(push), ..hello() };
    let client = client();
    let reply = client.send(&agent.target(Protocol::V1JsonRpc), &out, LIMIT).await.unwrap();
    assert!(matches!(reply, Reply::Completed(_)));
    assert_eq!(agent.seen.lock().unwrap().len(), 2);
    // An agent whose card does not promise it is not told at all.
    let silent = Target { push: false, ..agent.target(Protocol::V1JsonRpc) };
    client.send(&silent, &out, LIMIT).await.unwrap();
    assert_eq!(agent.seen.lock().unwrap().len(), 3);
}

/// An agent that speaks one dialect alone, as its kind answers what it does not know.
fn speaks(dialect: Protocol) -> impl Fn(&Seen) -> Response + Clone + Send + Sync + 'static {
    move |seen: &Seen| {
        let said = |parts: Value| json!({"messageId": "a", "role": "agent", "kind": "message", "parts": parts});
        let method = seen.body["method"].as_str().unwrap_or_default();
        let kind = seen.body.pointer("/params/message/parts/0/kind").is_some();
        match (dialect, method) {
            (Protocol::V1JsonRpc, "SendMessage") => result(seen, json!({"message": said(json!([{"text": "hi"}]))})),
            (Protocol::V03JsonRpc, "message/send") if kind => {
                result(seen, said(json!([{"kind": "text", "text": "hi"}])))
            }
            (Protocol::V03JsonRpc, "message/send") => error(seen, -32602),
            // It takes no notice of what it does not know, as these agents do.
            (Protocol::Plain, "message/send") => {
                let text =
                    seen.body.pointer("/params/message/parts/0/data").and_then(Value::as_str).unwrap_or_default();
                let messages = json!([{"role": "agent", "parts": [{"type": "text", "data": format!("hi {text}")}]}]);
                result(seen, json!({"id": "t", "status": "completed", "messages": messages}))
            }
            (Protocol::V1Rest, "") if seen.path == "/a2a/message:send" => {
                json_answer(&json!({"message": said(json!([{"text": "hi"}]))}))
            }
            (Protocol::V03Rest, "") if seen.path == "/a2a/v1/message:send" => {
                json_answer(&json!({"message": {"messageId": "a", "role": "ROLE_AGENT", "content": [{"text": "hi"}]}}))
            }
            (Protocol::V1Rest | Protocol::V03Rest, _) => {
                (StatusCode::NOT_FOUND, axum::Json(json!({"detail": "Not Found"}))).into_response()
            }
            _ => error(seen, -32601),
        }
    }
}

#[tokio::test]
async fn an_agent_without_a_card_is_understood_by_trying() {
    let client = client();
    let none = SigningSecrets(vec![]);
    for dialect in Protocol::ALL {
        let agent = Agent::play(speaks(dialect)).await;
        let answer = test_call::run(&client, &agent.url, &Value::Null, &none, "s", "there").await;
        let answer = answer.unwrap_or_else(|e| panic!("{dialect:?}: {e}"));
        assert_eq!((answer.protocol, answer.state), (dialect, "it completed the task"), "{:?}", agent.methods());
        assert!(answer.preview.starts_with("hi"), "{}", answer.preview);
        // And from then on it is spoken to in its own tongue.
        let target = card::target(&agent.url, &Value::Null, Some(answer.protocol.as_str()), &none).unwrap();
        assert!(matches!(client.send(&target, &hello(), LIMIT).await, Ok(Reply::Completed(_))), "{dialect:?}");
    }
    let page = Agent::play(|_| ([("content-type", "text/html")], "<html>").into_response()).await;
    let refused = test_call::run(&client, &page.url, &Value::Null, &none, "s", "x").await.unwrap_err();
    assert!(refused.contains("HTML page"), "{refused}");
    let busy = Agent::play(|_| StatusCode::SERVICE_UNAVAILABLE.into_response()).await;
    test_call::run(&client, &busy.url, &Value::Null, &none, "s", "x").await.unwrap_err();
    assert_eq!(busy.seen.lock().unwrap().len(), 1, "what is down is not asked in five ways");
}

#[tokio::test]
async fn a_card_decides_and_an_old_one_is_a_hint() {
    let client = client();
    let none = SigningSecrets(vec![]);
    let agent = Agent::play(speaks(Protocol::V03JsonRpc)).await;
    let newer = json!({"name": "x", "supportedInterfaces": [
        {"url": agent.url, "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}]});
    test_call::run(&client, &agent.url, &newer, &none, "s", "x").await.unwrap_err();
    assert_eq!(agent.methods(), ["SendMessage"], "what the card says is held to");
    let old = json!({"name": "x", "url": agent.url});
    let answer = test_call::run(&client, &agent.url, &old, &none, "s", "x").await.unwrap();
    assert_eq!(answer.protocol, Protocol::V03JsonRpc);
}

#[tokio::test]
async fn a_card_is_found_at_its_older_name() {
    let agent = Agent::play(|seen| match seen.path.as_str() {
        "/a2a/.well-known/agent.json" => {
            json_answer(&json!({"name": "Old", "url": "http://127.0.0.1:1/", "skills": []}))
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    })
    .await;
    let imported = card::fetch(&client(), &agent.url).await.unwrap().listing;
    assert_eq!((imported.name.as_str(), imported.endpoint.as_str()), ("Old", "http://127.0.0.1:1/"));
    let moved = Agent::play(|_| (StatusCode::FOUND, [("location", "https://new.example/")]).into_response()).await;
    assert!(card::fetch(&client(), &moved.url).await.unwrap_err().contains("redirect to https://new.example/"));
}

#[tokio::test]
async fn a_file_is_fetched_without_telling_who_asks() {
    let agent = Agent::play(|seen| match seen.path.as_str() {
        "/a2a/plan.csv" => ([("content-type", "text/csv; charset=utf-8")], "a,b\n").into_response(),
        "/a2a/large" => vec![0u8; 2_000].into_response(),
        _ => StatusCode::GONE.into_response(),
    })
    .await;
    let client = client();
    let file = client.fetch_file(&format!("{}/plan.csv", agent.url), 1_000).await.unwrap();
    assert_eq!((file.bytes.as_slice(), file.media_type.as_deref()), (b"a,b\n".as_slice(), Some("text/csv")));
    assert_eq!(file.filename.as_deref(), Some("plan.csv"));
    let seen = agent.seen.lock().unwrap()[0].clone();
    assert!(seen.header("webhook-signature").is_none() && seen.header("authorization").is_none());
    for (path, why) in [("large", "larger"), ("gone", "410")] {
        let error = client.fetch_file(&format!("{}/{path}", agent.url), 1_000).await.unwrap_err();
        assert!(error.message.contains(why) && error.fault == Fault::Agent, "{}", error.message);
    }
    let with_password = agent.url.replace("http://", "http://me:pw@");
    assert!(client.fetch_file(&with_password, 1_000).await.is_err());
    let guarded = AgentClient::new(Outbound::new(false).unwrap());
    let error = guarded.fetch_file(&format!("{}/plan.csv", agent.url), 1_000).await.unwrap_err();
    assert_eq!(error.fault, Fault::Platform, "our rule is not the agent's doing");
}
