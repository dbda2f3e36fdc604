//! What the worker does by the clock, beside tasks: payments that nothing was heard of, automatic top-ups, mail, probes of
//! agents and proofs of their addresses, messages to webhook endpoints, requests to the platform's agent, and the daily audit. Any number of processes may run these: each thing is put off as it is taken up.

use std::future::Future;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use domain::{Db, ledger};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::with_source;
use crate::mail::Mailer;
use crate::payments::{Payments, reconcile};
use crate::task_events::TaskEvents;
use crate::worker::messages::{self, Messenger};
use crate::worker::probes::{self, Prober};
use crate::worker::pushes;

/// How often payments and top-ups are looked at.
const PAYMENTS: Duration = Duration::from_secs(2);
/// How often disputes are looked at: what the clock decides, and what is owed.
const DISPUTES: Duration = Duration::from_secs(5);
/// How often scores are looked at that only time has changed.
const SCORES: Duration = Duration::from_secs(300);
/// How often requests are looked for that are to be gone on with, when nobody rings.
const REQUESTS: Duration = Duration::from_secs(1);
/// How often mail is looked for.
const MAIL: Duration = Duration::from_secs(5);
/// How often proofs of agents' addresses are looked for that are to be looked at again.
const PROOFS: Duration = Duration::from_secs(5);
/// How often old days of agents' uptime, old webhook messages, kept answers, unused clients and full buckets are removed.
const TIDY: Duration = Duration::from_secs(3600);
/// How often it is asked whether an audit is due.
const AUDIT: Duration = Duration::from_secs(3600);
/// How long after the start that is asked first: a start has other things to do.
const AUDIT_FIRST: Duration = Duration::from_secs(60);
/// How old the last audit may be.
const AUDIT_EVERY: TimeDelta = TimeDelta::hours(24);

/// What the jobs work with.
#[derive(Clone)]
pub struct Jobs {
    /// The economy.
    pub db: Db,
    /// Asks the provider.
    pub payments: Payments,
    /// Sends mail, where a mail server is set.
    pub mailer: Option<Mailer>,
    /// Asks agents.
    pub prober: Prober,
    /// Sends messages to webhook endpoints.
    pub messenger: Messenger,
}

/// Works until `stop`; what is begun then is brought to its end.
pub async fn run(jobs: Jobs, stop: CancellationToken) {
    let mut loops = JoinSet::new();
    let (db, payments) = (jobs.db.clone(), jobs.payments.clone());
    loops.spawn(every(PAYMENTS, Duration::ZERO, stop.clone(), "payments could not be asked about", move || {
        let (db, payments) = (db.clone(), payments.clone());
        async move { reconcile::round(&db, &payments, Utc::now()).await }
    }));
    let (db, payments) = (jobs.db.clone(), jobs.payments.clone());
    loops.spawn(every(PAYMENTS, Duration::ZERO, stop.clone(), "automatic top-ups could not be made", move || {
        let (db, payments) = (db.clone(), payments.clone());
        async move { reconcile::top_up(&db, &payments, Utc::now()).await }
    }));
    let db = jobs.db.clone();
    loops.spawn(every(DISPUTES, Duration::ZERO, stop.clone(), "disputes could not be looked after", move || {
        let db = db.clone();
        async move { disputes(&db).await }
    }));
    let db = jobs.db.clone();
    loops.spawn(every(SCORES, SCORES, stop.clone(), "trust scores could not be brought up to date", move || {
        let db = db.clone();
        async move { domain::tasks::refresh_scores(&db, Utc::now()).await.map(|_| ()) }
    }));
    match jobs.mailer {
        Some(mailer) => {
            let db = jobs.db.clone();
            loops.spawn(every(MAIL, Duration::ZERO, stop.clone(), "mail could not be sent", move || {
                let (db, mailer) = (db.clone(), mailer.clone());
                async move { mailer.round(&db, Utc::now()).await }
            }));
        }
        None => tracing::info!("SMTP_URL is not set: mail to account holders waits in the database"),
    }
    watch_agents(&mut loops, &jobs.db, &jobs.prober, &stop);
    let (outbound, events) = jobs.messenger.ways();
    loops.spawn(requests(jobs.db.clone(), events.clone(), stop.clone()));
    loops.spawn(pushes::run(jobs.db.clone(), outbound, events, stop.clone()));
    loops.spawn(messages::run(jobs.db.clone(), jobs.messenger, stop.clone()));
    let db = jobs.db;
    loops.spawn(every(AUDIT, AUDIT_FIRST, stop, "the audit could not be made", move || {
        let db = db.clone();
        async move { audit(&db).await }
    }));
    while let Some(ended) = loops.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "one of the worker's jobs broke off");
        }
    }
}

/// Probes, proofs, and what is forgotten of both.
fn watch_agents(loops: &mut JoinSet<()>, db: &Db, prober: &Prober, stop: &CancellationToken) {
    loops.spawn(probes::run(db.clone(), prober.clone(), stop.clone()));
    let (proofs_db, prober) = (db.clone(), prober.clone());
    loops.spawn(every(PROOFS, Duration::ZERO, stop.clone(), "proofs could not be looked for", move || {
        let (db, prober) = (proofs_db.clone(), prober.clone());
        async move { probes::proofs(&db, &prober).await }
    }));
    let db = db.clone();
    loops.spawn(every(TIDY, Duration::ZERO, stop.clone(), "what is old could not be removed", move || {
        let db = db.clone();
        async move { tidy(&db).await }
    }));
}

async fn every<F, R>(period: Duration, first: Duration, stop: CancellationToken, failure: &'static str, mut job: F)
where
    F: FnMut() -> R + Send,
    R: Future<Output = domain::Result<()>> + Send,
{
    let mut wait = first;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        if let Err(error) = job().await {
            tracing::error!(error = %with_source(&error), "{failure}");
        }
        wait = period;
    }
}

/// Goes on with requests to the platform's agent: at once where a task of one has ended, and now and then in case that was not
/// heard.
async fn requests(db: Db, events: TaskEvents, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match domain::routes::advance(&db, Utc::now()).await {
            // There may be more.
            Ok(1..) => continue,
            Ok(0) => {}
            Err(error) => tracing::error!(error = %with_source(&error), "requests could not be gone on with"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = events.route_due() => {}
            () = tokio::time::sleep(REQUESTS) => {}
        }
    }
}

async fn tidy(db: &Db) -> domain::Result<()> {
    domain::agents::watch::forget_old_uptime(db, Utc::now()).await?;
    domain::api_keys::connections::forget_old(db, Utc::now()).await?;
    domain::requests::forget_old(db, Utc::now()).await?;
    domain::requests::forget_full_buckets(db).await?;
    domain::webhooks::forget_old(db, Utc::now()).await.map(|_| ())
}

async fn disputes(db: &Db) -> domain::Result<()> {
    let decided = domain::tasks::disputes::by_the_clock(db, Utc::now()).await?;
    if decided > 0 {
        tracing::info!(decided, "disputes were decided by the clock");
    }
    ledger::collect_disputes(db).await.map(|_| ())
}

async fn audit(db: &Db) -> domain::Result<()> {
    let Some((report, kept)) = ledger::audit_and_anchor(db, AUDIT_EVERY, Utc::now()).await? else { return Ok(()) };
    if report.holds() {
        tracing::info!(
            rows = kept.rows,
            took_ms = kept.took_ms,
            "the ledger was audited and anchored: every rule holds"
        );
        return Ok(());
    }
    for finding in report.findings.iter().filter(|f| !f.departures.is_empty()) {
        for departure in &finding.departures {
            tracing::error!(check = %finding.check, departure = %departure, "the ledger departs from its rules");
        }
    }
    Ok(())
}
