//! Disputes: a requester calls a paid result in question; it ends by one side, by both, by an operator, or by the clock.
//!
//! | rule | where |
//! |---|---|
//! | within [`WINDOW`] of completion, once, by who paid, unless they accepted the result | [`open()`] |
//! | what was paid goes back into escrow, and out of it once | `ledger.escrow_dispute`, `ledger.resolve_dispute` |
//! | either side may propose a refund, and the other accept it | [`offer`], [`accept_offer`] |
//! | either side may give in | [`give_in`] |
//! | an operator who is neither side decides | [`decide()`] |
//! | the clock decides what nobody did | [`defaults`], [`by_the_clock`] |

mod agree;
mod decide;
mod open;
mod store;

use chrono::{DateTime, TimeDelta, Utc};

use super::store as tasks;
use super::view::{Role, TaskDetail};
use crate::{Actor, AgentId, Credits, Db, Error, Missing, Result, TaskId, accounts};

pub use agree::{accept_offer, give_in, offer, say};
pub use decide::{by_the_clock, decide};
pub use open::open;

/// How long after its completion a task can be disputed.
pub const WINDOW: TimeDelta = TimeDelta::days(7);
/// How long the provider has to say something. Who says nothing gives in.
pub const ANSWER_WITHIN: TimeDelta = TimeDelta::days(3);
/// When the clock decides at the latest what nobody did.
pub const DECIDE_WITHIN: TimeDelta = TimeDelta::days(14);
/// Longest statement, in characters.
pub const STATEMENT_MAX: usize = 5_000;

/// On which side somebody speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Who ordered and paid.
    Requester,
    /// Whose agent did it.
    Provider,
    /// Who decides.
    Operator,
}

impl Side {
    /// The database's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Side::Requester => "requester",
            Side::Provider => "provider",
            Side::Operator => "operator",
        }
    }

    fn parse(text: &str) -> Side {
        match text {
            "requester" => Side::Requester,
            "provider" => Side::Provider,
            _ => Side::Operator,
        }
    }
}

/// Who ended a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecidedBy {
    /// The requester took it back.
    Requester,
    /// The provider gave in.
    Provider,
    /// Both agreed on a sum.
    Agreement,
    /// An operator.
    Operator,
    /// The clock.
    Timer,
}

impl DecidedBy {
    /// The database's word.
    pub fn as_str(self) -> &'static str {
        match self {
            DecidedBy::Requester => "requester",
            DecidedBy::Provider => "provider",
            DecidedBy::Agreement => "agreement",
            DecidedBy::Operator => "operator",
            DecidedBy::Timer => "timer",
        }
    }

    fn parse(text: &str) -> DecidedBy {
        match text {
            "requester" => DecidedBy::Requester,
            "provider" => DecidedBy::Provider,
            "agreement" => DecidedBy::Agreement,
            "operator" => DecidedBy::Operator,
            _ => DecidedBy::Timer,
        }
    }
}

/// How a dispute was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// By whom.
    pub by: DecidedBy,
    /// What goes back to the requester in all.
    pub refund: Credits,
    /// How much of it has.
    pub returned: Credits,
    /// What is still owed of it.
    pub owed: Credits,
    /// When.
    pub at: DateTime<Utc>,
}

/// Something said in a dispute.
#[derive(Clone, Debug)]
pub struct Statement {
    /// By which side.
    pub side: Side,
    /// By whom.
    pub author: String,
    /// What.
    pub text: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A dispute as its sides and operators see it.
#[derive(Clone, Debug)]
pub struct Dispute {
    /// About which task.
    pub task: TaskId,
    /// Its title.
    pub title: String,
    /// Whose work.
    pub agent: AgentId,
    /// What that agent is called.
    pub agent_name: String,
    /// Who disputes.
    pub requester: String,
    /// Whose agent it is.
    pub provider: String,
    /// What was paid.
    pub paid: Credits,
    /// What lies in escrow.
    pub escrow: Credits,
    /// A refund that one side proposes.
    pub offer: Option<(Side, Credits)>,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// Until when the provider is to say something; `None` once they have.
    pub answer_by: Option<DateTime<Utc>>,
    /// When the clock decides at the latest.
    pub decide_by: DateTime<Utc>,
    /// How it was decided; `None` while it is open.
    pub decision: Option<Decision>,
    /// What was said, oldest first.
    pub statements: Vec<Statement>,
}

/// What the clock decides of an open dispute: nothing yet, or this refund. A provider who said nothing gives in; where both have
/// spoken and nobody decided, each bears half, rounded in favour of the requester.
pub fn defaults(
    paid: Credits,
    answered: bool,
    answer_by: DateTime<Utc>,
    decide_by: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<Credits> {
    if !answered && now >= answer_by {
        Some(paid)
    } else if now >= decide_by {
        Some(Credits::from_cents((paid.cents() + 1) / 2))
    } else {
        None
    }
}

/// The dispute of a task, for its sides and for operators.
///
/// # Errors
/// [`Error::NotFound`] when there is none, or the actor has no part in it.
pub async fn of_task(db: &Db, actor: &Actor, task: TaskId) -> Result<Dispute> {
    let user = actor.user()?;
    let operator = accounts::is_operator(db, actor).await?;
    let mut tx = db.begin(&Actor::System).await?;
    store::dispute(&mut tx, task, (!operator).then_some(user)).await?.ok_or(Error::NotFound(Missing::Task))
}

/// Whether there is one, for a task that the actor may see.
///
/// # Errors
/// When the database does not answer.
pub async fn find(db: &Db, actor: &Actor, task: TaskId) -> Result<Option<Dispute>> {
    match of_task(db, actor, task).await {
        Ok(dispute) => Ok(Some(dispute)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Open disputes, those that the clock decides first before the others; at most 200. For operators.
///
/// # Errors
/// [`Error::Forbidden`].
pub async fn open_ones(db: &Db, actor: &Actor) -> Result<Vec<Dispute>> {
    must_operate(db, actor).await?;
    let mut tx = db.begin(&Actor::System).await?;
    store::open_disputes(&mut tx).await
}

/// A dispute with the task that it is about, whole: the operator's evidence. Only while there is a dispute does an operator see
/// into a task.
///
/// # Errors
/// [`Error::Forbidden`] for who is no operator; [`Error::NotFound`].
pub async fn evidence(db: &Db, actor: &Actor, task: TaskId) -> Result<(Dispute, TaskDetail)> {
    must_operate(db, actor).await?;
    let mut tx = db.begin_snapshot(&Actor::System).await?;
    let dispute = store::dispute(&mut tx, task, None).await?.ok_or(Error::NotFound(Missing::Task))?;
    let requester = store::requester(&mut tx, task).await?;
    let seen = tasks::detail(&mut tx, requester, task).await?.ok_or(Error::NotFound(Missing::Task))?;
    Ok((dispute, seen))
}

async fn must_operate(db: &Db, actor: &Actor) -> Result<()> {
    actor.user()?;
    if accounts::is_operator(db, actor).await? {
        Ok(())
    } else {
        Err(Error::Forbidden("only operators decide disputes".into()))
    }
}

/// A dispute that is about to be changed, its row locked after its task's.
struct Locked {
    task: TaskId,
    agent: AgentId,
    side: Option<Side>,
    status: String,
    paid: Credits,
    offer: Option<(Side, Credits)>,
    requester: crate::UserId,
    provider: crate::UserId,
    title: String,
    answered: bool,
    answer_by: DateTime<Utc>,
    decide_by: DateTime<Utc>,
}

impl Locked {
    /// The side that the actor speaks for, of an open dispute.
    fn speaks(&self) -> Result<Side> {
        if self.status != "open" {
            return Err(Error::Conflict("this dispute is decided already".into()));
        }
        self.side.ok_or(Error::NotFound(Missing::Task))
    }
}

/// What a page needs to know of a task's chance of being disputed.
pub fn can_be_opened(
    role: Role,
    completed_at: Option<DateTime<Utc>>,
    accepted: bool,
    paid: Credits,
    now: DateTime<Utc>,
) -> bool {
    role == Role::Requester && !accepted && paid.is_positive() && completed_at.is_some_and(|at| now < at + WINDOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_gives_in_and_the_clock_halves() {
        let day = |n| DateTime::UNIX_EPOCH + TimeDelta::days(n);
        let paid = Credits::from_cents(1_001);
        let at = |answered, n| defaults(paid, answered, day(3), day(14), day(n)).map(|c| c.cents());
        assert_eq!([at(false, 2), at(false, 3), at(false, 20)], [None, Some(1_001), Some(1_001)]);
        assert_eq!([at(true, 3), at(true, 13), at(true, 14)], [None, None, Some(501)]);
    }

    #[test]
    fn a_week_and_only_what_was_paid() {
        let end = DateTime::UNIX_EPOCH;
        let ten = Credits::from_cents(1_000);
        let may =
            |role, accepted, paid, days| can_be_opened(role, Some(end), accepted, paid, end + TimeDelta::days(days));
        assert!(may(Role::Requester, false, ten, 6));
        assert!(!may(Role::Requester, false, ten, 7));
        assert!(!may(Role::Requester, true, ten, 1));
        assert!(!may(Role::Provider, false, ten, 1));
        assert!(!may(Role::Requester, false, Credits::ZERO, 1));
        assert!(!can_be_opened(Role::Requester, None, false, ten, end));
    }
}
