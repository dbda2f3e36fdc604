//! The ends of holds, many at a time: each is captured (wholly or in part) or returned, once.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgConnection;

use super::book::{Book, Leg, Movement, Refused};
use super::{EntryKind, store};
use crate::fault;
use crate::{Actor, AgentId, Credits, Db, Error, Result, TaskId, UserId};

/// What came back of a hold, to its payer and to the key that took it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Returned {
    pub task: TaskId,
    pub payer: UserId,
    /// On which day (UTC) the hold counts.
    pub day: NaiveDate,
    pub amount: Credits,
}

/// How a task's hold is to end.
#[derive(Clone, Debug)]
pub struct HoldEnd {
    /// The task; its row is locked by the caller.
    pub task: TaskId,
    /// Its title, for the earner's ledger.
    pub title: String,
    /// Paid or given back.
    pub end: End,
}

/// Paid or given back.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// The agent's owner is paid. `Some`: what the work cost, if that is less than what is held; never more.
    Capture(Option<Credits>),
    /// All of it goes back, for this reason.
    Return(&'static str),
}

/// A hold that ended now, as the database has it.
#[derive(Clone, Debug)]
pub(super) struct EndedHold {
    pub task: TaskId,
    pub price: Credits,
    /// `None`: returned.
    pub captured: Option<Credits>,
    pub agent: AgentId,
    pub payer: UserId,
    pub payee: UserId,
    pub taken_at: DateTime<Utc>,
}

/// Ends the holds of these tasks, whose rows the caller has locked, in the order given; answers with what was captured of
/// each. Tasks without an open hold (free, one owner on both sides, or ended before) are not in the answer.
///
/// # Errors
/// When the database does not answer; the caller's transaction is to be given up then.
pub async fn end(tx: &mut PgConnection, ends: &[HoldEnd]) -> Result<HashMap<TaskId, Credits>> {
    let ended = mark(tx, ends).await?;
    let captured = ended.iter().map(|h| (h.task, h.captured.unwrap_or_default())).collect();
    if !ended.is_empty() {
        let locked = lock(tx, &ended, |_| UserId::PLATFORM).await?;
        let decided = decide(locked, ends, ended, |_| UserId::PLATFORM)?;
        write(tx, decided).await?;
    }
    Ok(captured)
}

/// First step of [`end`]: the holds themselves. Each is ended by its own row, once, whatever races. (The steps stand
/// alone so that the benchmark can time them.)
///
/// # Errors
/// When the database does not answer.
pub async fn mark(tx: &mut PgConnection, ends: &[HoldEnd]) -> Result<EndedHolds> {
    let rows = ends.iter().map(|e| match e.end {
        End::Capture(cost) => (e.task, true, cost),
        End::Return(_) => (e.task, false, None),
    });
    let ended = store::end_holds(tx, rows).await?;
    fault::point("settle.holds-ended");
    Ok(EndedHolds(ended))
}

/// Holds that [`mark`] ended.
#[derive(Clone, Debug)]
pub struct EndedHolds(Vec<EndedHold>);

impl EndedHolds {
    fn iter(&self) -> std::slice::Iter<'_, EndedHold> {
        self.0.iter()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Balances that [`lock`] locked, and the time at which it had them.
#[derive(Clone, Debug)]
pub struct Locked {
    book: Book,
    now: DateTime<Utc>,
}

/// Second step: the balances of everybody concerned, in id order. `fee_account` says who gets a task's fee: the platform,
/// but for the benchmark that shows what one account for all fees costs.
///
/// # Errors
/// When the database does not answer.
pub async fn lock(tx: &mut PgConnection, ended: &EndedHolds, fee_account: impl Fn(TaskId) -> UserId) -> Result<Locked> {
    let users: BTreeSet<UserId> = ended.iter().flat_map(|h| [h.payer, h.payee, fee_account(h.task)]).collect();
    let (accounts, now) = store::lock_accounts(tx, &users).await?;
    fault::point("settle.balances-locked");
    Ok(Locked { book: Book::new(accounts), now })
}

/// What is to be written.
#[derive(Clone, Debug)]
pub struct Decided {
    book: Book,
    returned: Vec<Returned>,
}

/// Third step: the rows that follow, in memory, in the order of `ends`.
///
/// # Errors
/// [`Error::Internal`] when a balance is not what holds rest on.
pub fn decide(
    locked: Locked,
    ends: &[HoldEnd],
    ended: EndedHolds,
    fee_account: impl Fn(TaskId) -> UserId,
) -> Result<Decided> {
    let Locked { mut book, now } = locked;
    let mut holds: HashMap<TaskId, EndedHold> = ended.0.into_iter().map(|h| (h.task, h)).collect();
    let mut returned: Vec<Returned> = Vec::new();
    for end in ends {
        let Some(hold) = holds.remove(&end.task) else { continue };
        let paid = hold.captured.unwrap_or_default();
        let fees_to = fee_account(hold.task);
        book.post(movement(&hold, end, fees_to), now).map_err(|refused| {
            // Nothing in the end of a hold takes more than it gives first.
            let (Refused::Insufficient(user) | Refused::Unknown(user)) = refused;
            Error::Internal(format!("the hold of task {} cannot end: account {user} {refused:?}", hold.task).into())
        })?;
        book.release(hold.payer, hold.price, paid);
        book.add_earned(hold.payee, paid - paid.fee());
        book.add_earned(fees_to, paid.fee());
        let back = hold.price - paid;
        if back.is_positive() {
            let day = hold.taken_at.date_naive();
            returned.push(Returned { task: hold.task, payer: hold.payer, day, amount: back });
        }
    }
    // An account's rows together: they fall on the same pages of the indexes that begin with the account.
    book.rows.sort_by_key(|row| (row.user, row.position));
    Ok(Decided { book, returned })
}

/// Last step: a statement a table, whatever the number.
///
/// # Errors
/// When the database does not answer.
pub async fn write(tx: &mut PgConnection, decided: Decided) -> Result<()> {
    store::write_accounts(tx, &decided.book).await?;
    fault::point("settle.balances-written");
    store::write_rows(tx, &decided.book.rows).await?;
    fault::point("settle.rows-written");
    store::return_spending(tx, &decided.returned).await
}

/// The rows of one end. Captured: the price to the agent's owner, less the fee, which goes to the platform; what is left
/// of the hold goes back. Rows of 0.00 are not written.
fn movement(hold: &EndedHold, end: &HoldEnd, fee_account: UserId) -> Movement {
    let paid = hold.captured.unwrap_or_default();
    let fee = paid.fee();
    let mut legs = Vec::with_capacity(4);
    let mut leg = |user, kind, amount, description: String| legs.push(Leg { user, kind, amount, description });
    if paid.is_positive() {
        leg(hold.payee, EntryKind::TaskCredit, paid, format!("Earned: {}", end.title));
    }
    if fee.is_positive() {
        leg(hold.payee, EntryKind::PlatformFee, -fee, "Platform fee (5 %)".into());
        leg(fee_account, EntryKind::PlatformFee, fee, "Platform fee (5 %)".into());
    }
    let back = hold.price - paid;
    if back.is_positive() {
        let why = match end.end {
            End::Capture(_) => "Returned: the work cost less than was held",
            End::Return(why) => why,
        };
        leg(hold.payer, EntryKind::Refund, back, why.into());
    }
    // As PostgreSQL writes a jsonb: shorter keys first, a space after each colon and comma.
    let metadata = format!(r#"{{"taskId": "{}", "agentId": "{}"}}"#, hold.task, hold.agent);
    Movement { reference: hold.task.to_string(), metadata, legs }
}

/// A hold that is open, as its payer sees it.
#[derive(Clone, Debug)]
pub struct Hold {
    /// For which task.
    pub task: TaskId,
    /// Its title.
    pub title: String,
    /// Who works on it.
    pub agent: String,
    /// How much.
    pub amount: Credits,
    /// Since when.
    pub since: DateTime<Utc>,
    /// When it ends at the latest.
    pub until: Option<DateTime<Utc>>,
}

/// The actor's open holds, oldest first, at most 100.
///
/// # Errors
/// [`Error::Unauthorized`].
pub async fn open_holds(db: &Db, actor: &Actor) -> Result<Vec<Hold>> {
    let user = actor.user()?;
    let mut tx = db.begin(actor).await?;
    store::open_holds(&mut tx, user).await
}
