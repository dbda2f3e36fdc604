//! The audit: re-adds everything from the rows and says what does not fit.

use super::store;
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
}

impl AuditReport {
    /// Whether every rule holds.
    pub fn holds(&self) -> bool {
        self.findings.iter().all(|f| f.departures.is_empty())
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
    let mut tx = db.begin(actor).await?;
    store::begin_snapshot(&mut tx).await?;
    let findings = vec![
        store::audit_chains(&mut tx).await?,
        store::audit_totals(&mut tx).await?,
        store::audit_conservation(&mut tx).await?,
        store::audit_escrow(&mut tx).await?,
        store::audit_settled(&mut tx).await?,
        store::audit_refunded(&mut tx).await?,
        store::audit_ended_tasks(&mut tx).await?,
        store::audit_purchases(&mut tx).await?,
    ];
    Ok(AuditReport { findings })
}
