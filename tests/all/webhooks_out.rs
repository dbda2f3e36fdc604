//! Messages to receivers that are really there: signed as documented, tried again, and nobody is held up by a bad one.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use domain::accounts::{self, SignUp};
use domain::webhooks::rules::Schemes;
use domain::webhooks::{self, DeliveryDetail, DeliveryFilter, DeliveryState, EVENT_TYPES, NewEndpoint};
use domain::{Actor, Db, DeliveryId, WebhookId};
use nexus::outbound::Outbound;
use nexus::task_events::TaskEvents;
use nexus::worker::messages::{self, Messenger};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::provider::until;
use crate::test_app::{TestApp, location};

/// A request as it came.
#[derive(Clone, Debug)]
struct Seen {
    path: String,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Seen {
    fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A receiver: notes what comes, and answers what it was told to, else 204. Under `/hang` it never answers.
#[derive(Clone, Default)]
struct Receiver {
    base: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    answers: Arc<Mutex<VecDeque<(u16, &'static str)>>>,
    hanging: Arc<Mutex<(usize, usize)>>,
}

impl Receiver {
    async fn open() -> Receiver {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Receiver { base: format!("http://{}", listener.local_addr().unwrap()), ..Receiver::default() };
        let router = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn at(&self, path: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|s| s.path == path).collect()
    }

    fn will_answer(&self, answers: &[(u16, &'static str)]) {
        self.answers.lock().unwrap().extend(answers);
    }
}

/// Counts the requests that hang now, and the most that did at once.
struct Hanging(Arc<Mutex<(usize, usize)>>);

impl Hanging {
    fn enter(counts: &Arc<Mutex<(usize, usize)>>) -> Hanging {
        let mut now = counts.lock().unwrap();
        now.0 += 1;
        now.1 = now.1.max(now.0);
        Hanging(counts.clone())
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        self.0.lock().unwrap().0 -= 1;
    }
}

async fn take(State(receiver): State<Receiver>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let headers = headers.iter().map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect();
    let body = String::from_utf8(body.to_vec()).unwrap();
    receiver.seen.lock().unwrap().push(Seen { path: uri.path().into(), headers, body });
    if uri.path() == "/hang" {
        let _hanging = Hanging::enter(&receiver.hanging);
        std::future::pending::<()>().await;
    }
    let answer = receiver.answers.lock().unwrap().pop_front().unwrap_or((204, ""));
    let status = StatusCode::from_u16(answer.0).unwrap();
    (status, [(header::LOCATION, receiver.url("/elsewhere"))], answer.1).into_response()
}

/// An account with a worker for its messages, without the rest of the program.
struct Post {
    db: Db,
    me: Actor,
    pool: PgPool,
    stop: CancellationToken,
}

impl Post {
    async fn new(pool: PgPool) -> Post {
        nexus::serve::install_tls();
        let db = Db::from_pool(pool.clone());
        let new = SignUp { email: "me@example.org".into(), password: "long enough".into(), name: "me".into() };
        let me = Actor::Session(accounts::sign_up(&db, new).await.unwrap());
        Post { db, me, pool, stop: CancellationToken::new() }
    }

    fn work(&self, allow_private: bool) {
        let events = TaskEvents::default();
        tokio::spawn(events.clone().listen((*self.pool.connect_options()).clone()));
        let messenger = Messenger::new(Outbound::new(allow_private).unwrap(), events);
        tokio::spawn(messages::run(self.db.clone(), messenger, self.stop.clone()));
    }

    async fn endpoint(&self, url: String) -> WebhookId {
        let new = NewEndpoint { url, ..NewEndpoint::default() };
        webhooks::create(&self.db, &self.me, new, Schemes::HttpToo).await.unwrap().0.id
    }

    async fn test(&self, id: WebhookId) -> DeliveryId {
        webhooks::send_test(&self.db, &self.me, id).await.unwrap()
    }

    async fn look(&self, id: DeliveryId) -> DeliveryDetail {
        webhooks::delivery(&self.db, &self.me, id).await.unwrap()
    }

    async fn tried(&self, id: DeliveryId, times: usize) -> DeliveryDetail {
        until(&format!("{times} tries"), || async { self.look(id).await.attempts.len() >= times }).await;
        self.look(id).await
    }

    async fn sql(&self, text: &'static str) {
        sqlx::query(text).execute(&self.pool).await.unwrap();
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The code of `docs/webhooks.md` in a language.
fn recipe(language: &str) -> String {
    let page = include_str!("../../docs/webhooks.md");
    let code = page.split(&format!("```{language}\n")).nth(1).expect("the page has code in it");
    code.split("```").next().unwrap().to_owned()
}

/// What a program says of a message: each documented recipe, and the reference library.
fn verified(secret: &str, message: &Seen) -> [bool; 3] {
    let input = json!({ "secret": secret, "headers": message.headers, "body": message.body }).to_string();
    let run = |program: &str, file: &str, dir: &std::path::Path| {
        let mut child = Command::new(program)
            .arg(file)
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{program}: {e}"));
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let out = child.wait_with_output().unwrap();
        match String::from_utf8(out.stdout).unwrap().trim().to_lowercase().as_str() {
            "true" => true,
            "false" => false,
            other => panic!("{program} {file} said {other:?}"),
        }
    };
    let dir = tempfile::tempdir().unwrap();
    let python =
        "import json, sys\ni = json.load(sys.stdin)\nprint(verify(i['secret'], i['headers'], i['body'].encode()))\n";
    std::fs::write(dir.path().join("receive.py"), recipe("python") + python).unwrap();
    let node = "import { readFileSync } from 'node:fs';\nconst i = JSON.parse(readFileSync(0, 'utf8'));\n\
                console.log(verify(i.secret, i.headers, Buffer.from(i.body)));\n";
    std::fs::write(dir.path().join("receive.mjs"), recipe("javascript") + node).unwrap();
    let reference = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/js");
    [
        run("python3", "receive.py", dir.path()),
        run("node", "receive.mjs", dir.path()),
        run("node", "verify.mjs", &reference),
    ]
}

/// The secret that a page shows.
fn secret_on(page: &str) -> String {
    let at = page.find("whsec_").expect("the page shows a secret");
    page[at..].chars().take(50).collect()
}

#[sqlx::test(migrations = "./migrations")]
async fn a_task_is_told_to_its_owners_receiver_with_a_signature_that_can_be_checked(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let receiver = Receiver::open().await;
    let (browser, buyer) = app.person("buyer").await;
    let (_, owner) = app.person("owner").await;
    let agent = app.agent(&owner, "echo", "1").await;
    let form = [("url", receiver.url("/hook")), ("which", "some".into()), ("types", "task.completed".into())];
    let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let added = browser.post("/settings/webhooks", &form).await;
    assert_eq!(added.status(), 303);
    let page = location(&added).to_owned();
    let shown = browser.get(&page).await.text().await.unwrap();
    let secret = secret_on(&shown);
    assert!(!browser.get(&page).await.text().await.unwrap().contains("whsec_"), "it is shown once");

    let task = browser.hire(agent, &[("skill", "echo"), ("price", "1.00"), ("message", "hush hush")]).await;
    app.ended(&buyer, task).await;
    until("the message", || async { !receiver.seen().is_empty() }).await;
    let message = receiver.seen().remove(0);
    let body = message.json();
    assert_eq!((&body["type"], &body["data"]["taskId"]), (&json!("task.completed"), &json!(task.0)));
    assert!(!message.body.contains("hush"), "nothing that was said is in it");
    assert!(message.headers["user-agent"].starts_with("NEXUS/"));
    assert_eq!(message.headers["content-type"], "application/json");
    assert_eq!(verified(&secret, &message), [true; 3]);
    let other = format!("whsec_{}", "A".repeat(44));
    assert_eq!(verified(&other, &message), [false; 3], "another secret");
    let mut forged = message.clone();
    forged.body = forged.body.replace("\"1.00\"", "\"9.00\"");
    assert_eq!(verified(&secret, &forged), [false; 3], "another body");
    let mut stale = message.clone();
    stale.headers.insert("webhook-timestamp".into(), "1700000000".into());
    assert_eq!(verified(&secret, &stale), [false; 3], "another time");

    // While the secret changes over, both are good.
    assert_eq!(browser.post(&format!("{page}/secret"), &[]).await.status(), 303);
    let fresh = secret_on(&browser.get(&page).await.text().await.unwrap());
    assert_ne!(fresh, secret);
    let tested = browser.post(&format!("{page}/test"), &[]).await;
    assert!(location(&tested).contains("/deliveries/"));
    let shown = browser.get(location(&tested)).await.text().await.unwrap();
    assert!(shown.contains("Delivered in ") && shown.contains("webhook.test"), "{shown}");
    let message = receiver.seen().pop().unwrap();
    assert_eq!(message.headers["webhook-signature"].split(' ').count(), 2);
    assert_eq!((verified(&secret, &message), verified(&fresh, &message)), ([true; 3], [true; 3]));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn the_pages_change_switch_send_again_and_delete(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let receiver = Receiver::open().await;
    let (browser, me) = app.person("owner").await;
    let (stranger, _) = app.person("stranger").await;
    let text = async |path: &str| browser.get(path).await.text().await.unwrap();
    assert!(text("/settings/webhooks").await.contains("No endpoint yet"));
    for (form, says) in [
        (vec![("url", "ftp://x"), ("which", "all")], "must begin with https://"),
        (vec![("url", "https://x.example/"), ("which", "some")], "need a type at least"),
    ] {
        let refused = browser.post("/settings/webhooks", &form).await;
        assert_eq!(refused.status(), 400);
        let page = refused.text().await.unwrap();
        assert!(page.contains(says) && page.contains(form[0].1), "what was typed stays: {page}");
    }
    let hook = receiver.url("/hook");
    let added = browser.post("/settings/webhooks", &[("url", &hook), ("which", "all"), ("description", "Mine")]).await;
    let page = location(&added).to_owned();
    let id: WebhookId = page.rsplit('/').next().unwrap().parse().unwrap();
    assert!(text("/settings/webhooks").await.contains(&hook));
    receiver.will_answer(&[(500, "Out of <b>paper</b>")]);
    let tested = browser.post(&format!("{page}/test"), &[]).await;
    let delivery = location(&tested).to_owned();
    let shown = text(&delivery).await;
    assert!(shown.contains("Not delivered: HTTP 500") && shown.contains("Out of &lt;b&gt;paper"), "{shown}");
    assert!(text(&format!("{page}?state=waiting")).await.contains(&delivery));
    assert!(!text(&format!("{page}?state=failed")).await.contains(&delivery));
    let resent = browser.post(&format!("{delivery}/resend"), &[]).await;
    assert!(text(location(&resent)).await.contains("Delivered in "));
    let switch = format!("{page}/active");
    assert_eq!(browser.post(&switch, &[("active", "false")]).await.status(), 303);
    assert!(text(&page).await.contains("Nothing is sent here"));
    assert_eq!(browser.post(&format!("{page}/test"), &[]).await.status(), 409);
    assert_eq!(browser.post(&switch, &[("active", "true")]).await.status(), 303);
    sqlx::query("UPDATE webhook_deliveries SET state = 'failed'").execute(&pool).await.unwrap();
    assert_eq!(browser.post(&format!("{page}/resend"), &[("hours", "1")]).await.status(), 303);
    assert!(text(&page).await.contains("One message is sent again."));
    until("it is sent", || async { receiver.seen().len() == 3 }).await;
    let chosen =
        [("section", "edit"), ("url", &hook), ("which", "some"), ("types", "task.failed"), ("types", "task.asking")];
    assert_eq!(browser.post(&page, &chosen).await.status(), 303);
    assert_eq!(webhooks::get(&app.db, &me, id).await.unwrap().types, ["task.asking", "task.failed"]);
    for path in [&page, &delivery] {
        assert_eq!(stranger.get(path).await.status(), 404, "{path}");
    }
    for action in ["active", "secret", "test", "resend"] {
        let answer = stranger.post(&format!("{page}/{action}"), &[("hours", "1")]).await;
        assert_eq!(answer.status(), 404, "{action}");
    }
    assert_eq!(stranger.post(&format!("{delivery}/resend"), &[]).await.status(), 404);
    assert_eq!(browser.post(&format!("{page}/delete"), &[("section", "delete")]).await.status(), 400);
    assert_eq!(stranger.post(&format!("{page}/delete"), &[("confirm", "yes")]).await.status(), 404);
    assert_eq!(browser.post(&format!("{page}/delete"), &[("confirm", "yes")]).await.status(), 303);
    assert_eq!(browser.get(&page).await.status(), 404);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn what_fails_is_tried_again_and_a_redirect_leads_nowhere(pool: PgPool) {
    let post = Post::new(pool).await;
    let receiver = Receiver::open().await;
    receiver.will_answer(&[(500, "no"), (302, "over there"), (200, "yes")]);
    let id = post.endpoint(receiver.url("/hook")).await;
    post.work(true);
    let delivery = post.test(id).await;
    let first = post.tried(delivery, 1).await;
    let wait = first.summary.next_at.unwrap() - first.attempts[0].at;
    assert!((4_900..6_500).contains(&wait.num_milliseconds()), "{wait}");
    // The second comes by itself; for the third nobody waits five minutes.
    post.tried(delivery, 2).await;
    post.sql("UPDATE webhook_deliveries SET next_at = now()").await;
    let seen = post.tried(delivery, 3).await;
    let tries: Vec<_> = seen.attempts.iter().map(|a| (a.status, a.answer.as_deref())).collect();
    assert_eq!(tries, [(Some(500), Some("no")), (Some(302), Some("over there")), (Some(200), Some("yes"))]);
    assert_eq!(seen.summary.state, DeliveryState::Delivered);
    let requests = receiver.seen();
    assert!(requests.iter().all(|r| r.path == "/hook" && r.id() == requests[0].id() && r.body == requests[0].body));
    assert_eq!((requests.len(), requests[0].body.as_str()), (3, seen.body.as_str()));
}

#[sqlx::test(migrations = "./migrations")]
async fn a_receiver_that_hangs_delays_no_other(pool: PgPool) {
    let post = Post::new(pool).await;
    let receiver = Receiver::open().await;
    let (hanging, good) = (post.endpoint(receiver.url("/hang")).await, post.endpoint(receiver.url("/good")).await);
    let mut first = None;
    for _ in 0..30 {
        first.get_or_insert(post.test(hanging).await);
    }
    post.work(true);
    until("the hanging ones are on their way", || async { !receiver.at("/hang").is_empty() }).await;
    let begun = Instant::now();
    for _ in 0..20 {
        post.test(good).await;
    }
    until("the good ones arrive", || async { receiver.at("/good").len() == 20 }).await;
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    let seen = post.tried(first.unwrap(), 1).await;
    assert_eq!((seen.attempts[0].status, seen.attempts[0].error.is_some()), (None, true));
    assert!((14_500..18_000).contains(&seen.attempts[0].duration_ms), "{} ms", seen.attempts[0].duration_ms);
    assert_eq!(receiver.hanging.lock().unwrap().1, 8, "so many at once, and no more");
}

#[sqlx::test(migrations = "./migrations")]
async fn several_workers_send_each_message_once_and_take_up_what_a_dead_one_left(pool: PgPool) {
    let post = Post::new(pool).await;
    let receiver = Receiver::open().await;
    let id = post.endpoint(receiver.url("/hook")).await;
    let left = post.test(id).await;
    // As if its worker had been killed: leased, and the lease ends in two seconds.
    post.sql("UPDATE webhook_deliveries SET lease_token = gen_random_uuid(), next_at = now() + interval '2 seconds'")
        .await;
    for _ in 0..3 {
        post.work(true);
    }
    for _ in 0..100 {
        post.test(id).await;
    }
    until("all are delivered", || async {
        let open = DeliveryFilter { state: Some(DeliveryState::Waiting), after: None };
        webhooks::deliveries(&post.db, &post.me, id, &open, 1).await.unwrap().items.is_empty()
    })
    .await;
    let mut ids: Vec<String> = receiver.seen().iter().map(|s| s.id().to_owned()).collect();
    assert_eq!(ids.len(), 101);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 101, "each once");
    let seen = post.look(left).await;
    assert_eq!((seen.summary.state, seen.attempts.len()), (DeliveryState::Delivered, 1));
    assert!(
        seen.attempts[0].at - seen.summary.created_at >= chrono::TimeDelta::seconds(2),
        "not under another's lease"
    );
}

#[sqlx::test(migrations = "./migrations")]
async fn a_private_address_is_not_called(pool: PgPool) {
    let post = Post::new(pool).await;
    let receiver = Receiver::open().await;
    let id = post.endpoint(receiver.url("/hook")).await;
    post.work(false);
    let delivery = post.test(id).await;
    let seen = post.tried(delivery, 1).await;
    assert!(seen.attempts[0].error.as_deref().unwrap().contains("private"), "{:?}", seen.attempts);
    assert!(receiver.seen().is_empty());
}

#[test]
fn the_types_are_documented() {
    let page = include_str!("../../docs/webhooks.md");
    let table = page.split("## Types").nth(1).unwrap().split("The test button").next().unwrap();
    let rows: Vec<&str> = table.lines().filter(|l| l.starts_with("| `")).collect();
    let listed: Vec<String> = EVENT_TYPES.iter().map(|t| format!("| `{}` | {} |", t.name, t.means)).collect();
    assert_eq!(rows, listed);
}
