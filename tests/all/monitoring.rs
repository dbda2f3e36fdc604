//! Metrics for Prometheus, on an address of their own.

use sqlx::PgPool;
use tokio::net::TcpListener;

use crate::provider::{buy, starter};
use crate::test_app::TestApp;

#[sqlx::test(migrations = "./migrations")]
async fn the_numbers_are_served_where_they_were_asked_for(pool: PgPool) {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let app = TestApp::start_with(pool, &["--metrics-addr", &free]).await;
    let (buyer, me) = app.person("buyer").await;
    buy(&app, &buyer, &me, starter(), None).await;
    domain::ledger::audit_and_anchor(&app.db, chrono::TimeDelta::hours(24), chrono::Utc::now()).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let text = http.get(format!("http://{free}/metrics")).send().await.unwrap().text().await.unwrap();
    for line in [
        "nexus_ledger_audit_holds 1",
        "nexus_ledger_audit_rows ",
        "nexus_ledger_audit_seconds ",
        "nexus_ledger_audit_age_seconds ",
        "nexus_webhook_events_total{effect=\"credited\"}",
        "nexus_checkouts_total{outcome=\"opened\"}",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert_eq!(buyer.get("/metrics").await.status(), 404, "not on the public address");
    app.finish().await;
}
