//! The client against agents built on the official SDKs, as published: every operation over every interface that each
//! of them serves. `scripts/interop-agents` installs them; scripts/test-rust runs it first.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::HeaderMap;
use domain::agents::{NewAgent, SigningSecrets, rules};
use domain::tasks::finish::{Delivery, Fault};
use nexus::a2a::{
    AgentClient, Ask, Outgoing, Protocol, Push, Reply, Step, Target, Updates, Working, card, push, test_call,
};
use nexus::outbound::Outbound;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

const LIMIT: Duration = Duration::from_secs(10);

/// An agent as a process of its own. It ends with its standard input, so it cannot outlive this process.
pub struct Sdk {
    child: Child,
    pub base: String,
}

impl Sdk {
    pub fn start(name: &str) -> Sdk {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/interop-agents");
        let mut command = Command::new(script);
        command.arg(name).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let mut base = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut base).unwrap();
        // What it writes later is taken from it, so that it does not stop over it.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        assert!(base.starts_with("http://"), "{name} did not start: run scripts/interop-agents");
        Sdk { child, base: base.trim().to_owned() }
    }
}

impl Drop for Sdk {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A notification: the token that came with it, and its body.
type Note = (Option<String>, Value);

/// Where notifications come in.
#[derive(Clone, Default)]
struct Inbox(Arc<Mutex<Vec<Note>>>);

impl Inbox {
    async fn open() -> (Inbox, Push) {
        let inbox = Inbox::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/push", listener.local_addr().unwrap()).parse().unwrap();
        let kept = inbox.clone();
        let take = move |headers: HeaderMap, body: String| async move {
            let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
            let bearer = text("authorization").and_then(|v| v.strip_prefix("Bearer ").map(str::to_owned));
            let token = bearer.or_else(|| text("x-a2a-notification-token"));
            kept.0.lock().unwrap().push((token, serde_json::from_str(&body).unwrap()));
        };
        let router = Router::new().fallback(take);
        tokio::spawn(async move { axum::serve(listener, router).await });
        (inbox, Push { id: "p1".into(), url, token: "tok-1".into() })
    }

    async fn told_of(&self, task: &str) {
        let begun = Instant::now();
        loop {
            let told = |(token, body): &Note| {
                push::task_of(body).as_deref() == Some(task) && token.as_deref() == Some("tok-1")
            };
            if self.0.lock().unwrap().iter().any(told) {
                return;
            }
            assert!(begun.elapsed() < LIMIT, "no notification: {:?}", self.0.lock().unwrap());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// One interface of an agent, and what is said over it.
struct Talk {
    client: AgentClient,
    target: Target,
    /// Whether files keep their names. (0.3 over REST gave them none at first, and the JavaScript SDK still does not.)
    names: bool,
}

fn message(parts: Value) -> Outgoing {
    let message = json!({"messageId": Uuid::new_v4(), "role": "ROLE_USER", "parts": parts,
        "metadata": {"skillId": "echo"}});
    Outgoing { message, push: None }
}

fn words(text: &str) -> Outgoing {
    message(json!([{ "text": text }]))
}

fn text_of(parts: &Value) -> String {
    parts.as_array().unwrap().iter().filter_map(|p| p["text"].as_str()).collect()
}

impl Talk {
    async fn send(&self, out: &Outgoing) -> Reply {
        self.client.send(&self.target, out, LIMIT).await.unwrap_or_else(|e| panic!("{:?}: {e:?}", self.target.protocol))
    }

    /// The end of what was sent, asked for as the worker does.
    async fn end(&self, out: &Outgoing) -> Reply {
        let mut reply = self.send(out).await;
        let begun = Instant::now();
        while let Reply::Working(Working { task, .. }) = &reply {
            assert!(begun.elapsed() < LIMIT, "{:?} is still working", self.target.protocol);
            tokio::time::sleep(Duration::from_millis(20)).await;
            reply = self.client.get(&self.target, task, LIMIT).await.unwrap();
        }
        reply
    }

    async fn completed(&self, out: &Outgoing) -> Delivery {
        match self.end(out).await {
            Reply::Completed(delivery) => delivery,
            other => panic!("{:?}: {other:?}", self.target.protocol),
        }
    }

    async fn parts_come_back_as_they_were(&self) {
        let parts = json!([
            {"text": "hello ü"}, {"data": {"a": "b", "n": [1.5, true, null]}},
            {"raw": "/wD+AA==", "filename": "f.bin", "mediaType": "application/octet-stream"},
            {"url": "https://x.example/f.png", "filename": "f.png", "mediaType": "image/png"}]);
        let made = self.completed(&message(parts.clone())).await;
        let mut parts = parts;
        if !self.names {
            parts.as_array_mut().unwrap().iter_mut().for_each(|p| drop(p.as_object_mut().unwrap().remove("filename")));
        }
        assert_eq!(made.artifacts.len(), 1, "{:?}", self.target.protocol);
        assert_eq!((&made.artifacts[0]["name"], &made.artifacts[0]["parts"]), (&json!("echo"), &parts));
        let said = self.completed(&words("say yes")).await;
        assert_eq!((said.messages.len(), said.artifacts.len()), (1, 0));
        assert_eq!(
            (text_of(&said.messages[0]["parts"]).as_str(), &said.messages[0]["role"]),
            ("said yes", &json!("ROLE_AGENT"))
        );
    }

    async fn follow(&self, updates: &mut Updates) -> (usize, Vec<String>, Reply) {
        let (mut steps, mut progress) = (0, Vec::new());
        loop {
            match updates.next().await.unwrap_or_else(|e| panic!("{:?}: {e:?}", self.target.protocol)) {
                Step::Changed => steps += 1,
                Step::Final(reply) => return (steps, progress, *reply),
                Step::Ended => panic!("{:?}: the stream has no end", self.target.protocol),
            }
            progress.extend(updates.working().progress.clone());
        }
    }

    async fn a_stream_grows(&self) {
        let mut updates = self.client.stream(&self.target, &words("stream 4"), LIMIT).await.unwrap();
        let (steps, progress, end) = self.follow(&mut updates).await;
        let Reply::Completed(delivery) = end else { panic!("{end:?}") };
        assert!(steps >= 5 && progress.contains(&"streaming".to_owned()), "{steps} {progress:?}");
        assert_eq!(delivery.artifacts.len(), 1);
        assert_eq!(delivery.artifacts[0]["parts"], json!([{"text": "piece 0; piece 1; piece 2; piece 3; "}]));
        assert_eq!(text_of(&delivery.messages[0]["parts"]), "told");
        assert!(!updates.working().task.is_empty() && updates.working().context.is_some());
    }

    async fn slow_work_is_followed_pushed_and_cancelled(&self, inbox: &Inbox, push: &Push) {
        let out = Outgoing { push: Some(push.clone()), ..words("slow 0.6") };
        let Reply::Working(working) = self.send(&out).await else { panic!("{:?} is not slow", self.target.protocol) };
        let mut updates = self.client.resubscribe(&self.target, &working.task, LIMIT).await.unwrap();
        let (_, _, end) = self.follow(&mut updates).await;
        let Reply::Completed(delivery) = end else { panic!("{end:?}") };
        assert_eq!(text_of(&delivery.artifacts[0]["parts"]), "at last");
        inbox.told_of(&working.task).await;
        let Reply::Working(working) = self.send(&words("slow 60")).await else { panic!("it is not slow") };
        self.client.cancel(&self.target, &working.task).await.unwrap();
        let Reply::Failed(_, failure) = self.client.get(&self.target, &working.task, LIMIT).await.unwrap() else {
            panic!("{:?}: it went on", self.target.protocol)
        };
        assert_eq!(failure.kind, "Gave the task up");
        // A task that is over has no stream; what it came to is asked for. 0.3 had no error of its own for that.
        let over = match self.client.resubscribe(&self.target, &working.task, LIMIT).await {
            Ok(mut updates) => updates.next().await.map(|_| ()),
            Err(error) => Err(error),
        };
        let error = over.unwrap_err();
        let is_1 = matches!(self.target.protocol, Protocol::V1JsonRpc | Protocol::V1Rest);
        assert!(error.unsupported || !is_1, "{:?}: {error:?}", self.target.protocol);
    }

    async fn a_question_is_answered(&self) {
        let Reply::Asks(Ask { task, context, auth, said, messages, .. }) = self.end(&words("ask")).await else {
            panic!("{:?} asks nothing", self.target.protocol)
        };
        assert_eq!((auth, said.as_deref(), messages.len()), (false, Some("which colour?"), 1));
        let mut follow_up = words("blue");
        follow_up.message["taskId"] = json!(task);
        follow_up.message["contextId"] = json!(context);
        let mut done = self.end(&follow_up).await;
        // Some answer with the question still standing, before the agent has seen what was said.
        let begun = Instant::now();
        while matches!(done, Reply::Asks(_)) && begun.elapsed() < LIMIT {
            tokio::time::sleep(Duration::from_millis(50)).await;
            done = self.client.get(&self.target, &task, LIMIT).await.unwrap();
        }
        let Reply::Completed(delivery) = done else { panic!("{done:?}") };
        assert_eq!(text_of(&delivery.artifacts[0]["parts"]), "heard blue");
    }

    async fn what_goes_wrong_is_told(&self) {
        for (word, message, fault) in [("fail", "it broke", Fault::Agent), ("reject", "not for me", Fault::Requester)] {
            let Reply::Failed(_, failure) = self.end(&words(word)).await else { panic!("{word}") };
            assert_eq!((failure.message.as_str(), failure.fault), (message, fault), "{:?}", self.target.protocol);
        }
        let lost = self.client.get(&self.target, "00000000-0000-0000-0000-000000000000", LIMIT).await.unwrap_err();
        assert!(lost.unknown_task, "{:?}: {lost:?}", self.target.protocol);
    }
}

async fn converse(sdk: &Sdk, listing: &NewAgent, url: &str, protocol: Protocol) {
    converse_with(sdk, listing, url, protocol, true).await;
}

async fn converse_with(sdk: &Sdk, listing: &NewAgent, url: &str, protocol: Protocol, names: bool) {
    let (inbox, push) = Inbox::open().await;
    let secrets = SigningSecrets(vec!["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()]);
    let target = card::target(&format!("{}{url}", sdk.base), &listing.card, None, &secrets).unwrap();
    assert_eq!(target.protocol, protocol, "as the card has it");
    assert!(target.streaming && target.push);
    let talk = Talk { client: client(), target, names };
    talk.parts_come_back_as_they_were().await;
    talk.a_stream_grows().await;
    talk.slow_work_is_followed_pushed_and_cancelled(&inbox, &push).await;
    talk.a_question_is_answered().await;
    talk.what_goes_wrong_is_told().await;
}

fn client() -> AgentClient {
    nexus::serve::install_tls();
    AgentClient::new(Outbound::new(true).unwrap())
}

/// Imports the card as an owner does; answers with the listing.
async fn imported(sdk: &Sdk, best: &str) -> NewAgent {
    let listing = card::fetch(&client(), &sdk.base).await.unwrap().listing;
    assert_eq!((listing.endpoint.as_str(), rules::check(&listing)), (format!("{}{best}", sdk.base).as_str(), vec![]));
    assert_eq!(
        (listing.skills[0].id.as_str(), listing.skills[0].examples.as_slice()),
        ("echo", &["hello".to_owned()][..])
    );
    listing
}

/// The dialect that is found out when nobody has the card.
async fn found_out(sdk: &Sdk, url: &str) -> Protocol {
    let none = SigningSecrets(vec![]);
    let answer = test_call::run(&client(), &format!("{}{url}", sdk.base), &Value::Null, &none, "echo", "hello").await;
    let answer = answer.unwrap();
    assert!(answer.preview.contains("hello") || answer.state.contains("working"), "{answer:?}");
    answer.protocol
}

#[tokio::test]
async fn the_python_sdk_of_version_1() {
    let sdk = Sdk::start("python_1");
    let listing = imported(&sdk, "/").await;
    converse(&sdk, &listing, "/", Protocol::V1JsonRpc).await;
    converse(&sdk, &listing, "/rest", Protocol::V1Rest).await;
    assert_eq!(found_out(&sdk, "/").await, Protocol::V1JsonRpc);
    assert_eq!(found_out(&sdk, "/rest").await, Protocol::V1Rest);
}

#[tokio::test]
async fn the_python_sdk_of_version_0_3() {
    let sdk = Sdk::start("python_0_3");
    let listing = imported(&sdk, "/").await;
    converse(&sdk, &listing, "/", Protocol::V03JsonRpc).await;
    converse(&sdk, &listing, "/rest", Protocol::V03Rest).await;
    assert_eq!(found_out(&sdk, "/").await, Protocol::V03JsonRpc);
    assert_eq!(found_out(&sdk, "/rest").await, Protocol::V03Rest);
}

#[tokio::test]
async fn the_javascript_sdk() {
    let sdk = Sdk::start("js");
    let listing = imported(&sdk, "/rpc").await;
    converse(&sdk, &listing, "/rpc", Protocol::V1JsonRpc).await;
    converse(&sdk, &listing, "/rest", Protocol::V1Rest).await;
    assert_eq!(found_out(&sdk, "/rpc").await, Protocol::V1JsonRpc);
    assert_eq!(found_out(&sdk, "/rest").await, Protocol::V1Rest);
}

#[tokio::test]
async fn the_javascript_sdk_as_an_older_agent() {
    let sdk = Sdk::start("js");
    let listing = imported(&sdk, "/rpc").await;
    converse(&sdk, &listing, "/rpc03", Protocol::V03JsonRpc).await;
    converse_with(&sdk, &listing, "/rest03", Protocol::V03Rest, false).await;
}
