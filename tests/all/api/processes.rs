//! Three processes on one database are one site: limits, keys, revocation and streams.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use domain::accounts::{self, SignUp};
use domain::api_keys::{NewKey, Scopes};
use domain::{Actor, Db};
use reqwest::Method;
use serde_json::json;
use sqlx::{ConnectOptions, PgPool};
use tokio::net::TcpListener;

use super::Program;
use super::stream::events;

/// A process, killed when the test ends however it ends.
struct Site {
    base: String,
    child: Child,
}

impl Drop for Site {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn start(database_url: &str, data: &std::path::Path, n: usize) -> Site {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nexus"));
    command
        .args(["serve", &format!("--database-url={database_url}"), &format!("--addr=127.0.0.1:{port}")])
        .arg(format!("--data-dir={}", data.join(n.to_string()).display()))
        .args(["--allow-private-endpoints=true", "--log=warn", "--rate-limit=600"])
        .stdout(Stdio::null());
    let site = Site { base: format!("http://127.0.0.1:{port}"), child: command.spawn().unwrap() };
    let begun = Instant::now();
    while reqwest::get(format!("{}/readyz", site.base)).await.map_or(true, |a| a.status() != 200) {
        assert!(begun.elapsed() < Duration::from_secs(30), "process {n} does not come up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    site
}

#[sqlx::test(migrations = "./migrations")]
async fn three_processes_are_one_site(pool: PgPool) {
    nexus::serve::install_tls();
    let data = tempfile::tempdir().unwrap();
    let url = pool.connect_options().to_url_lossy().to_string();
    let db = Db::from_pool(pool.clone());
    let person = async |name: &str| {
        let input = SignUp { email: format!("{name}@example.org"), password: "long enough".into(), name: name.into() };
        Actor::Session(accounts::sign_up(&db, input).await.unwrap())
    };
    let (owner, buyer, busy) = (person("owner").await, person("buyer").await, person("busy").await);
    let mut sites = Vec::new();
    for n in 0..3 {
        sites.push(start(&url, data.path(), n).await);
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap());
    let new = domain::agents::NewAgent {
        name: "Echo".into(),
        endpoint: endpoint.clone(),
        skills: vec![domain::agents::Skill { id: "echo".into(), name: "Echo".into(), ..Default::default() }],
        price: "1".parse().unwrap(),
        ..Default::default()
    };
    let registered = domain::agents::register(&db, &owner, new).await.unwrap();
    let router = demo_agents::single("echo", endpoint.trim_end_matches('/'), Some(registered.secret)).unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    domain::agents::mark_tested(&db, &owner, registered.id, &endpoint, None).await.unwrap();
    domain::agents::set_status(&db, &owner, registered.id, true).await.unwrap();

    let all = |name: &str| NewKey::named(name, Scopes::All);
    let first = Program::with(sites[0].base.clone(), &db, &buyer, all("k")).await;
    let at = |n: usize| first.at(sites[n].base.clone());

    // Ordered at one with an Idempotency-Key and repeated at the others, streamed at each: one task, the same events.
    let body = json!({"agentId": registered.id, "skillId": "echo", "message": "to all"});
    let mut ids = Vec::new();
    for n in 0..3 {
        let request = at(n).request(Method::POST, "/tasks").header("Idempotency-Key", "one").json(&body);
        let answer = super::read(request.send().await.unwrap()).await;
        assert_eq!(answer.0, 201, "{answer:?}");
        ids.push(answer.1["data"]["id"].as_str().unwrap().to_owned());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    for n in 0..3 {
        let sent = events(&at(n), &format!("/tasks/{}/stream?after=0", ids[0]), None, |_| false).await;
        assert_eq!(sent.last().unwrap().data["state"], "completed", "process {n}");
    }
    let waited = at(1).post("/tasks?wait=30", body.clone()).await;
    assert_eq!(waited.1["data"]["state"], "completed");

    // A limit is one limit: what three processes let through together is what one would, and what drips in meanwhile.
    let begun = Instant::now();
    let program = Program::with(sites[0].base.clone(), &db, &busy, all("busy")).await;
    let calls = (0..900).map(|n| {
        let program = program.at(sites[n % 3].base.clone());
        async move { program.get("/account").await.0 }
    });
    use futures::StreamExt;
    let statuses: Vec<u16> = futures::stream::iter(calls).buffer_unordered(24).collect().await;
    let passed = statuses.iter().filter(|s| **s == 200).count() as f64;
    let most = 600.0 + begun.elapsed().as_secs_f64() * 10.0 + 1.0;
    assert!(statuses.iter().all(|s| matches!(s, 200 | 429)));
    assert!(passed <= most && passed >= 590.0, "{passed} of at most {most}");

    // Revoked at one is revoked at the others with the next request.
    for n in 0..3 {
        assert_eq!(at(n).get("/account").await.0, 200);
    }
    assert_eq!(at(2).call(Method::DELETE, &format!("/keys/{}", first.key), None).await.0, 204);
    for n in 0..3 {
        assert_eq!(at(n).get("/account").await.0, 401, "process {n}");
    }
    assert!(domain::ledger::audit(&db, &Actor::System).await.unwrap().holds());
}
