//! The real program, killed between every two statements of a settlement and of a purchase: what was begun is wholly done
//! or wholly not, and after a restart it ends right.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use domain::ledger::payments::Provider;
use domain::ledger::payments::packages::Package;
use domain::ledger::payments::purchase::{self, Offer};
use domain::{Actor, Db, TaskId, fault, ledger, tasks};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;
use sqlx::PgPool;
use tokio::net::TcpListener;

use crate::test_app::TestApp;

const SECRET: &str = "whsec_of_the_tests";

/// The program as a process of its own, on the test's database.
struct Program {
    child: Child,
    addr: String,
}

impl Program {
    async fn start(pool: &PgPool, fault_point: Option<&str>) -> Program {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let addr = format!("127.0.0.1:{port}");
        let options = pool.connect_options();
        let socket =
            options.get_socket().map(|s| s.display().to_string()).unwrap_or_else(|| options.get_host().to_owned());
        let url = format!(
            "postgres://{}@localhost/{}?host={socket}",
            options.get_username(),
            options.get_database().unwrap()
        );
        let mut command = Command::new(env!("CARGO_BIN_EXE_nexus"));
        command.args([
            "serve",
            "--addr",
            &addr,
            "--database-url",
            &url,
            "--allow-private-endpoints",
            "true",
            "--log",
            "error",
        ]);
        command.args([
            "--stripe-secret-key",
            "sk_test_none",
            "--stripe-webhook-secret",
            SECRET,
            "--stripe-api-base",
            "http://127.0.0.1:9/",
        ]);
        if let Some(point) = fault_point {
            command.args(["--fault-point", point]);
        }
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while tokio::net::TcpStream::connect(&addr).await.is_err() {
            if child.try_wait().unwrap().is_some() {
                // It came by the fault while it started: that is a crash too.
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "the program is not up");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Program { child, addr }
    }

    async fn crashed(&mut self) {
        let begun = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(30), "the program did not come by its fault");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn post_event(&self, body: &str) -> Option<u16> {
        let at = chrono::Utc::now().timestamp();
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(format!("{at}.{body}").as_bytes());
        let signature: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client
            .post(format!("http://{}/api/v1/billing/webhook", self.addr))
            .header("stripe-signature", format!("t={at},v1={signature}"))
            .body(body.to_owned());
        request.send().await.ok().map(|answer| answer.status().as_u16())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn assert_adds_up(db: &Db, point: &str) {
    let report = ledger::audit(db, &Actor::System).await.unwrap();
    assert!(report.holds(), "after a crash at {point}: {report:#?}");
}

fn points(of: &str) -> Vec<&'static str> {
    fault::POINTS.into_iter().filter(|p| p.starts_with(of)).collect()
}

#[sqlx::test(migrations = "./migrations")]
async fn a_settlement_that_is_cut_off_anywhere_is_whole_or_nothing_and_ends_right(pool: PgPool) {
    // People and an agent that answers; the tasks are ended by the program under test alone.
    let app = TestApp::start_with(pool.clone(), &["--roles", "web"]).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "10").await;
    let mut ended = 0;
    for point in points("settle.") {
        let task: TaskId = buyer.hire(agent, &[("skill", "echo"), ("price", "10.00"), ("message", "hello")]).await;
        let mut program = Program::start(&pool, Some(point)).await;
        program.crashed().await;
        assert_adds_up(&app.db, point).await;
        let committed = tasks::detail(&app.db, &me, task).await.unwrap();
        assert_eq!(committed.summary.state.is_terminal(), point == "settle.committed", "{point}");
        assert_eq!(committed.hold.as_deref() == Some("settled"), point == "settle.committed", "{point}");
        // Nobody should have to wait for the dead worker's lease here.
        sqlx::query("UPDATE task_queue SET lease_expires_at = now()").execute(&pool).await.unwrap();
        let again = Program::start(&pool, None).await;
        let done = app.ended(&me, task).await;
        assert_eq!(
            (done.summary.state, done.hold.as_deref()),
            (tasks::TaskState::Completed, Some("settled")),
            "{point}"
        );
        ended += 1;
        assert_eq!(app.available(&me).await, format!("{}.00", 1000 - 10 * ended), "{point}");
        drop(again);
        assert_adds_up(&app.db, point).await;
    }
    assert_eq!(ended, 9);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_purchase_that_is_cut_off_anywhere_is_whole_or_nothing_and_ends_right(pool: PgPool) {
    let app = TestApp::start_with(pool.clone(), &["--roles", "web"]).await;
    let (_, me) = app.person("buyer").await;
    let mut bought = 0;
    for point in points("purchase.") {
        let offer = Offer::Package(Package::find("starter").unwrap());
        let purchase = purchase::begin(&app.db, &me, offer, false, Provider::Stripe).await.unwrap();
        let event = json!({
            "id": format!("evt_{}", purchase.id), "object": "event", "api_version": null, "created": chrono::Utc::now().timestamp(),
            "livemode": false, "pending_webhooks": 1, "request": null, "type": "checkout.session.completed",
            "data": {"object": {
                "id": format!("cs_{}", purchase.id), "object": "checkout.session", "client_reference_id": purchase.id,
                "payment_status": "paid", "status": "complete", "amount_total": 1000, "currency": "usd", "mode": "payment",
                "payment_intent": format!("pi_{}", purchase.id), "metadata": {"purchase_id": purchase.id}, "created": 1, "expires_at": 2,
                "livemode": false, "payment_method_types": ["card"], "automatic_tax": {"enabled": false}, "custom_fields": [],
                "custom_text": {}, "shipping_options": [],
            }},
        })
        .to_string();
        let mut program = Program::start(&pool, Some(point)).await;
        assert_eq!(program.post_event(&event).await, None, "no answer comes from a dead program: {point}");
        program.crashed().await;
        assert_adds_up(&app.db, point).await;
        let credited = app.available(&me).await == format!("{}.00", 1000 + 1000 * (bought + 1));
        assert_eq!(credited, point == "purchase.committed", "{point}");
        // The provider got no answer, so it tells it again.
        let again = Program::start(&pool, None).await;
        assert_eq!(again.post_event(&event).await, Some(200), "{point}");
        bought += 1;
        assert_eq!(app.available(&me).await, format!("{}.00", 1000 + 1000 * bought), "{point}");
        drop(again);
        assert_adds_up(&app.db, point).await;
    }
    assert_eq!(bought, 5);
    app.finish().await;
}
