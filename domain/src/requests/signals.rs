//! Words between processes: what one of them was told about a request that another one is working on.

use super::store;
use crate::{Db, Result};

/// The channel of NOTIFY on which they go; the payload is the subject.
pub const SIGNALS: &str = "request_signals";

/// Tells every process of this database about `subject`, at most 200 bytes that both sides know how to make. Who does not
/// listen is not told later.
///
/// # Errors
/// When the database does not answer.
pub async fn signal(db: &Db, subject: &str) -> Result<()> {
    store::signal(db.pool(), SIGNALS, subject).await
}
