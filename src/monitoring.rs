//! `GET /metrics` for Prometheus, on an address of its own that is not meant for the public.

use std::sync::OnceLock;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::Utc;
use domain::Db;
use metrics::{describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// The process's numbers: one recorder, however many servers a process runs (tests).
static NUMBERS: OnceLock<PrometheusHandle> = OnceLock::new();

fn numbers() -> &'static PrometheusHandle {
    NUMBERS.get_or_init(|| {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::error!("something else takes this process's metrics");
        }
        describe_gauge!(
            "nexus_ledger_audit_holds",
            "1 when the last audit found every rule of the ledger kept, else 0"
        );
        describe_gauge!("nexus_ledger_audit_seconds", "How long the last audit took");
        describe_gauge!("nexus_ledger_audit_rows", "Ledger rows that the last audit looked at");
        describe_gauge!("nexus_ledger_audit_age_seconds", "How long ago the last audit was made");
        describe_counter!("nexus_webhook_events_total", "Events of the payment provider, by effect");
        describe_counter!("nexus_checkouts_total", "Payment pages asked for, by outcome");
        describe_counter!("nexus_topups_total", "Saved cards charged for automatic top-ups, by outcome");
        handle
    })
}

/// Serves the metrics until `stop`, where `NEXUS_METRICS_ADDR` is set.
///
/// # Errors
/// One sentence that names the setting, when the address cannot be listened on.
pub async fn start(config: &Config, db: &Db, stop: CancellationToken) -> Result<(), String> {
    let Some(addr) = config.metrics_addr else { return Ok(()) };
    let listener = TcpListener::bind(addr)
        .await
        .map_err(|e| format!("cannot listen on {addr} for metrics (NEXUS_METRICS_ADDR): {e}"))?;
    numbers();
    let app = Router::new().route("/metrics", get(show)).with_state(db.clone());
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned()).await {
            tracing::error!(%error, "the metrics are not served any more");
        }
    });
    Ok(())
}

async fn show(State(db): State<Db>) -> Response {
    // Whichever process made the audit, all of them show it.
    match domain::ledger::last_audit(&db).await {
        Ok(Some(audit)) => {
            gauge!("nexus_ledger_audit_holds").set(if audit.holds { 1.0 } else { 0.0 });
            gauge!("nexus_ledger_audit_seconds").set(audit.took_ms as f64 / 1000.0);
            gauge!("nexus_ledger_audit_rows").set(audit.rows as f64);
            gauge!("nexus_ledger_audit_age_seconds")
                .set((Utc::now() - audit.made_at).num_milliseconds() as f64 / 1000.0);
        }
        Ok(None) => {}
        Err(error) => {
            crate::web::failure::log_if_ours(&error);
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    }
    let numbers = numbers();
    numbers.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], numbers.render()).into_response()
}
