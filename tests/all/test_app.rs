//! A running server on a database of its own, with visitors and signed-in people as types.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use clap::Parser as _;
use domain::agents::{self, NewAgent, Skill};
use domain::{Actor, AgentId, Credits, Db, TaskId, ledger};
use nexus::config::Config;
use nexus::database::Database;
use reqwest::{Client, Method, RequestBuilder, Response};
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub struct TestApp {
    pub addr: SocketAddr,
    pub db: Db,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<Result<(), String>>,
    _data: tempfile::TempDir,
}

/// A browser: keeps its cookie, sends the site's origin with forms, follows nothing.
#[derive(Clone)]
pub struct Browser {
    origin: String,
    client: Client,
    cookie: String,
}

#[derive(clap::Parser)]
struct Settings {
    #[command(flatten)]
    config: Config,
}

impl TestApp {
    pub async fn start(pool: PgPool) -> TestApp {
        TestApp::start_with(pool, &[]).await
    }

    pub async fn start_with(pool: PgPool, settings: &[&str]) -> TestApp {
        nexus::serve::install_tls();
        let data = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let dir = data.path().to_str().unwrap().to_owned();
        let mut words = vec!["nexus", "--data-dir", &dir, "--allow-private-endpoints", "true"];
        words.extend(settings);
        let config = Settings::parse_from(words).config;
        let db = Db::from_pool(pool.clone());
        let database = Database::of(db.clone(), (*pool.connect_options()).clone());
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(async move {
            nexus::serve::run(&config, &database, listener, false, async {
                let _ = stopped.await;
            })
            .await
        });
        TestApp { addr, db, stop: Some(stop), server, _data: data }
    }

    pub fn browser(&self) -> Browser {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Browser { origin: format!("http://{}", self.addr), client, cookie: String::new() }
    }

    /// A person with an account, signed in.
    pub async fn person(&self, name: &str) -> (Browser, Actor) {
        let mut browser = self.browser();
        let email = format!("{name}@example.org");
        let form = [("email", email.as_str()), ("name", name), ("password", "long enough")];
        let answer = browser.post("/sign-up", &form).await;
        assert_eq!(answer.status(), 303, "sign-up of {name}");
        browser.keep_cookie(&answer);
        let user = domain::accounts::find_by_email(&self.db, &Actor::System, &email).await.unwrap();
        (browser, Actor::Session(user))
    }

    /// One of the demo's agents or `echo`, running on its own port and listed for `owner`.
    pub async fn agent(&self, owner: &Actor, slug: &str, price: &str) -> AgentId {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/", listener.local_addr().unwrap());
        let skills = match demo_agents::card(slug, endpoint.trim_end_matches('/')) {
            Some(card) => nexus::a2a::card::skills_of(&card),
            None => vec![Skill { id: "echo".into(), name: "Echo".into(), ..Skill::default() }],
        };
        let new = NewAgent {
            name: slug.into(),
            endpoint: endpoint.clone(),
            skills,
            price: price.parse::<Credits>().unwrap(),
            ..NewAgent::default()
        };
        let registered = agents::register(&self.db, owner, new).await.unwrap();
        let router = demo_agents::single(slug, endpoint.trim_end_matches('/'), Some(registered.secret)).unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        agents::mark_tested(&self.db, owner, registered.id, &endpoint, None).await.unwrap();
        agents::set_status(&self.db, owner, registered.id, true).await.unwrap();
        registered.id
    }

    /// Waits until the task has ended; answers with how.
    pub async fn ended(&self, actor: &Actor, task: TaskId) -> domain::tasks::TaskDetail {
        let begun = Instant::now();
        loop {
            let seen = domain::tasks::detail(&self.db, actor, task).await.unwrap();
            if seen.summary.state.is_terminal() {
                return seen;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "task {task} does not end: {seen:#?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn available(&self, of: &Actor) -> String {
        ledger::balance(&self.db, of).await.unwrap().available.to_string()
    }

    /// The end of every test: the ledger adds up, nothing is left in the queue that has ended, the server stops.
    pub async fn finish(mut self) {
        let report = ledger::audit(&self.db, &Actor::System).await.unwrap();
        assert!(report.holds(), "{report:#?}");
        let orphans: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM task_queue q JOIN tasks t ON t.id = q.task_id WHERE t.status IN ('completed', 'failed', 'cancelled')",
        )
        .fetch_one(self.db.pool())
        .await
        .unwrap();
        assert_eq!(orphans, 0, "ended tasks are still queued");
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        tokio::time::timeout(Duration::from_secs(20), &mut self.server).await.unwrap().unwrap().unwrap();
    }
}

impl Browser {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.origin)).header("origin", &self.origin);
        if self.cookie.is_empty() { request } else { request.header("cookie", &self.cookie) }
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.request(Method::POST, path).header("content-type", "application/x-www-form-urlencoded");
        request.body(body).send().await.unwrap()
    }

    pub async fn post_multipart(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        file: Option<(&str, &str, &[u8])>,
    ) -> Response {
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend(format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
        }
        if let Some((name, kind, bytes)) = file {
            let head = format!(
                "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {kind}\r\n\r\n"
            );
            body.extend(head.bytes());
            body.extend(bytes);
            body.extend(b"\r\n");
        }
        body.extend(b"--X--\r\n");
        let request = self.request(Method::POST, path).header("content-type", "multipart/form-data; boundary=X");
        request.body(body).send().await.unwrap()
    }

    pub fn keep_cookie(&mut self, answer: &Response) {
        for value in answer.headers().get_all("set-cookie") {
            let text = value.to_str().unwrap();
            self.cookie = text.split(';').next().unwrap().to_owned();
        }
    }

    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Hires an agent through the form; answers with the task.
    pub async fn hire(&self, agent: AgentId, fields: &[(&str, &str)]) -> TaskId {
        let answer = self.post_multipart(&format!("/marketplace/{agent}/hire"), fields, None).await;
        let status = answer.status();
        let Some(to) = answer.headers().get("location").and_then(|l| l.to_str().ok()).map(str::to_owned) else {
            panic!("not hired: {status} {}", answer.text().await.unwrap());
        };
        to.strip_prefix("/tasks/").unwrap().parse().unwrap()
    }
}

/// Where an answer leads.
pub fn location(answer: &Response) -> &str {
    answer.headers().get("location").map(|l| l.to_str().unwrap()).unwrap_or_default()
}
