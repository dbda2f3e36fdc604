//! The audit: re-adds everything from the rows and says what does not fit.

mod store;

use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use crate::{Actor, Db, Error, Result};

/// One check and what it found.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Finding {
    /// What was checked.
    pub check: &'static str,
    /// How many rows it looked at.
    pub checked: i64,
    /// What departs from the rule, with ids; empty when it holds. At most 20.
    pub departures: Vec<String>,
}

/// All checks.
#[derive(Clone, Debug, serde::Serialize)]
pub struct AuditReport {
    /// In the order they were made.
    pub findings: Vec<Finding>,
    /// SHA-256 over the ends of all accounts' chains, in hexadecimal. Written down elsewhere, it proves later that
    /// nothing before it was changed.
    pub anchor: String,
}

impl AuditReport {
    /// Whether every rule holds.
    pub fn holds(&self) -> bool {
        self.findings.iter().all(|f| f.departures.is_empty())
    }

    /// How many departures were found.
    pub fn departures(&self) -> usize {
        self.findings.iter().map(|f| f.departures.len()).sum()
    }

    /// Ledger rows that were looked at.
    pub fn rows(&self) -> i64 {
        self.findings.first().map_or(0, |f| f.checked)
    }
}

/// Checks the whole economy in one snapshot (repeatable read), so that running tasks do not look like departures.
///
/// # Errors
/// [`Error::Forbidden`] for anybody but the program itself.
pub async fn audit(db: &Db, actor: &Actor) -> Result<AuditReport> {
    if *actor != Actor::System {
        return Err(Error::Forbidden("only the program itself may audit".into()));
    }
    let mut rows = db.begin(actor).await?;
    let snapshot = store::begin_snapshot(&mut rows).await?;
    // The same moment seen by a second connection, so that two cores share the work.
    let mut sums = db.begin(actor).await?;
    store::join_snapshot(&mut sums, &snapshot).await?;
    let (chains, sums) = tokio::try_join!(check_chains(&mut rows), check_sums(&mut sums))?;
    let anchor = store::anchor(&mut rows).await?;
    Ok(AuditReport { findings: chains.into_iter().chain(sums).collect(), anchor })
}

/// The same checks inside a transaction of the caller's, with the service's rights.
///
/// # Errors
/// When the database does not answer.
pub async fn audit_in(tx: &mut PgConnection) -> Result<AuditReport> {
    let mut findings = check_chains(tx).await?;
    findings.extend(check_sums(tx).await?);
    let anchor = store::anchor(tx).await?;
    Ok(AuditReport { findings, anchor })
}

/// Every row against the one before it.
async fn check_chains(tx: &mut PgConnection) -> Result<Vec<Finding>> {
    store::give_memory(tx).await?;
    Ok(vec![store::chains(tx).await?, store::ends(tx).await?, store::anchors(tx).await?])
}

/// Accounts, holds, tasks and purchases against what the rows add up to.
async fn check_sums(tx: &mut PgConnection) -> Result<Vec<Finding>> {
    store::give_memory(tx).await?;
    Ok(vec![
        store::totals(tx).await?,
        store::conservation(tx).await?,
        store::holds(tx).await?,
        store::ended_tasks(tx).await?,
        store::purchases(tx).await?,
        store::spending(tx).await?,
        store::spending_of_keys(tx).await?,
        store::disputes(tx).await?,
    ])
}

/// An audit that was made and kept.
#[derive(Clone, Debug)]
pub struct KeptAudit {
    /// When.
    pub made_at: DateTime<Utc>,
    /// Whether every rule held.
    pub holds: bool,
    /// Ledger rows that were looked at.
    pub rows: i64,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
}

/// Makes the audit if none was made for `every`, keeps what it found, and anchors the ends of the chains. `None`: one is
/// recent enough, or another process is at it.
///
/// # Errors
/// When the database does not answer.
pub async fn audit_and_anchor(
    db: &Db,
    every: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Option<(AuditReport, KeptAudit)>> {
    // The lock is held by a transaction of its own, so that one process audits while the others go on.
    let mut guard = db.begin(&Actor::System).await?;
    if !store::take_turn(&mut guard).await? || store::made_since(&mut guard, now - every).await? {
        return Ok(None);
    }
    let begun = Instant::now();
    let report = audit(db, &Actor::System).await?;
    let took_ms = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
    let made_at = store::keep(&mut guard, &report, took_ms).await?;
    guard.commit().await?;
    let kept = KeptAudit { made_at, holds: report.holds(), rows: report.rows(), took_ms };
    Ok(Some((report, kept)))
}

/// The audit that was kept last.
///
/// # Errors
/// When the database does not answer.
pub async fn last_audit(db: &Db) -> Result<Option<KeptAudit>> {
    store::last(db.pool()).await
}
