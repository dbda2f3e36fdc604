//! An ended task as evidence.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use super::voice::{Mark, Observed, Pair};
use super::{Evidence, formula, store};
use crate::{AgentId, Result, TaskId, UserId, ledger};

/// How a task ended, as far as its agent is to blame or to thank for it. Cancels by the requester and faults of
/// the platform are no evidence and have no variant here.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// Done.
    Completed {
        /// In this time.
        took: TimeDelta,
        /// The time in which the agent promises to be done, if it does. Later is a breach.
        promised: Option<TimeDelta>,
    },
    /// The agent failed it, for this reason.
    Failed(String),
    /// The agent did not answer in time.
    TimedOut,
}

/// An ended task as evidence about its agent.
#[derive(Clone, Debug)]
pub struct Evidenced {
    /// Who did it.
    pub agent: AgentId,
    /// What.
    pub task: TaskId,
    /// Who paid for it, or would have: the requester's owner, who is not the agent's.
    pub payer: UserId,
    /// Whether its price was above zero.
    pub paid: bool,
    /// How it ended.
    pub ended: Ended,
}

/// Notes tasks that ended at `now` and answers with their agents' sums, each agent once, in id order. Inside the
/// transaction that ends the tasks; the caller computes the scores ([`formula::score`]), writes them to the agents and
/// has them remembered ([`super::remember_scores`]). The number of statements does not depend on the number of tasks.
///
/// # Errors
/// When a task was noted before: a task ends once.
pub async fn record(
    tx: &mut PgConnection,
    ended: &[Evidenced],
    now: DateTime<Utc>,
) -> Result<Vec<(AgentId, Evidence)>> {
    if ended.is_empty() {
        return Ok(Vec::new());
    }
    let mut counts: BTreeMap<AgentId, (i64, i64)> = BTreeMap::new();
    let mut groups: BTreeMap<(AgentId, UserId), Vec<&Evidenced>> = BTreeMap::new();
    for e in ended {
        let count = counts.entry(e.agent).or_default();
        match e.ended {
            Ended::Completed { .. } => count.0 += 1,
            Ended::Failed(_) | Ended::TimedOut => count.1 += 1,
        }
        groups.entry((e.agent, e.payer)).or_default().push(e);
    }
    let mut agents = store::lock_agents(tx, &counts).await?;
    let keys: Vec<(AgentId, UserId)> = groups.keys().copied().collect();
    let mut pairs = store::pairs(tx, &keys).await?;
    let payers: Vec<UserId> = keys.iter().map(|(_, payer)| *payer).collect::<BTreeSet<_>>().into_iter().collect();
    let proven = ledger::have_bought(tx, &payers).await?;

    let mut events = Vec::with_capacity(ended.len());
    for ((agent, payer), tasks) in &groups {
        let evidence = agents.entry(*agent).or_default();
        let pair = pairs.entry((*agent, *payer)).or_insert_with(|| Pair { as_of: now, ..Pair::default() });
        let observed: Vec<Observed> = tasks.iter().map(|e| observed(e)).collect();
        let marks = evidence.hear_tasks(pair, proven.contains(payer), &observed, now);
        for (task, mark) in tasks.iter().zip(marks) {
            note(&mut events, task, mark);
        }
    }
    store::insert_events(tx, &events, now).await?;
    store::write_evidence(tx, &agents).await?;
    store::write_pairs(tx, &pairs).await?;
    Ok(agents.into_iter().collect())
}

fn observed(e: &Evidenced) -> Observed {
    match e.ended {
        Ended::Completed { took, promised } if breached(took, promised) => {
            Observed { paid: e.paid, done: 0.5, speed: Some(0.0) }
        }
        Ended::Completed { took, .. } => Observed { paid: e.paid, done: 1.0, speed: Some(formula::speed_of(took)) },
        Ended::Failed(_) | Ended::TimedOut => Observed { paid: e.paid, done: 0.0, speed: None },
    }
}

fn breached(took: TimeDelta, promised: Option<TimeDelta>) -> bool {
    promised.is_some_and(|promised| took > promised)
}

/// The public event of an ended task, and one more if a promise was broken.
fn note(events: &mut Vec<store::NewEvent>, e: &Evidenced, mark: Mark) {
    let (kind, change, reason) = match &e.ended {
        Ended::Completed { took, .. } => {
            let change = match took.num_milliseconds() {
                ..=5_000 => 3,
                5_001..=60_000 => 2,
                _ => 1,
            };
            ("task_completed", change, format!("Completed in {}", duration(*took)))
        }
        Ended::Failed(why) => ("task_failed", -3, why.chars().take(200).collect()),
        Ended::TimedOut => ("task_timeout", -4, "Did not answer in time".to_owned()),
    };
    let event = store::NewEvent::of(e.agent, e.task, kind, f64::from(change), reason);
    events.push(store::NewEvent { mark: Some(mark), ..event });
    if let Ended::Completed { took, promised: Some(promised) } = e.ended
        && took > promised
    {
        let reason = format!("Completed in {}, promised within {}", duration(took), duration(promised));
        events.push(store::NewEvent::of(e.agent, e.task, "sla_breach", -2.0, reason));
    }
}

fn duration(d: TimeDelta) -> String {
    let ms = d.num_milliseconds();
    if ms < 1_000 { format!("{ms} ms") } else { format!("{:.1} s", ms as f64 / 1000.0) }
}
