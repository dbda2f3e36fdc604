//! What came of it, read from the database and from the agents' notes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::tasks::TaskState;
use domain::{Actor, Db, ledger};
use sqlx::PgPool;

use super::agents::Agents;
use super::kinds::Kind;
use super::orders::FEW_FROM;

/// A task as it ended.
#[derive(Debug, sqlx::FromRow)]
pub struct Ended {
    pub title: String,
    pub status: String,
    pub fault: Option<String>,
    /// For whoever reads a failure of this test.
    #[expect(dead_code, reason = "shown by Debug")]
    pub error: Option<String>,
    pub said: Option<String>,
    pub completed_at: Option<DateTime<Utc>>,
}

impl Ended {
    fn kind(&self) -> (Kind, u32) {
        Kind::of(&self.title).unwrap()
    }
}

pub async fn ended(pool: &PgPool) -> Vec<Ended> {
    sqlx::query_as(
        "SELECT title, status, fault, error_message AS error, output ->> 'text' AS said, completed_at FROM tasks",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// How many tasks have not ended.
pub async fn open(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM tasks WHERE status NOT IN ('completed', 'failed', 'cancelled')")
        .fetch_one(pool)
        .await
        .unwrap()
}

/// Counts of a column's values.
pub async fn counts(pool: &PgPool, sql: &'static str) -> BTreeMap<String, i64> {
    let rows: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(pool).await.unwrap();
    rows.into_iter().collect()
}

/// Each rule as a query that finds what breaks it.
const RULES: [(&str, &str); 12] = [
    ("an ended task is not queued", "SELECT task_id::text FROM task_queue"),
    (
        "a paid task has one hold, settled when it is completed and returned otherwise",
        "SELECT t.title || ' ' || t.status || ' ' || coalesce(x.status, 'no hold') FROM tasks t LEFT JOIN transactions x ON x.task_id = t.id
          WHERE t.price_credits > 0
            AND coalesce(x.status, '') <> CASE WHEN t.status = 'completed' THEN 'settled' ELSE 'refunded' END",
    ),
    (
        "a free task moves no money",
        "SELECT t.title FROM tasks t JOIN transactions x ON x.task_id = t.id WHERE t.price_credits = 0",
    ),
    (
        "the ledger rows of a task sum to nothing",
        "SELECT t.title || ' ' || sum(c.amount) FROM tasks t JOIN credit_transactions c ON c.reference_id = t.id::text
          GROUP BY t.id HAVING sum(c.amount) <> 0",
    ),
    (
        "a task is paid once or returned once",
        "SELECT t.title FROM tasks t JOIN credit_transactions c ON c.reference_id = t.id::text
          GROUP BY t.id
         HAVING count(*) FILTER (WHERE c.type = 'task_debit') <> 1
             OR count(*) FILTER (WHERE c.type IN ('task_credit', 'refund')) <> 1
             OR count(*) FILTER (WHERE c.type = 'task_credit') <> (t.status = 'completed')::int",
    ),
    ("an attempt has an end", "SELECT task_id::text FROM task_attempts WHERE ended_at IS NULL OR outcome IS NULL"),
    (
        "attempts are numbered without gaps",
        "SELECT t.title FROM tasks t JOIN task_attempts n ON n.task_id = t.id
          GROUP BY t.id HAVING count(*) <> max(n.number) OR min(n.number) <> 1",
    ),
    (
        "the last attempt of a completed task completed it, and no other did",
        "SELECT t.title || ' ' || string_agg(n.outcome, ',' ORDER BY n.number) FROM tasks t LEFT JOIN task_attempts n ON n.task_id = t.id
          GROUP BY t.id
         HAVING count(*) FILTER (WHERE n.outcome = 'completed') <> (t.status = 'completed')::int
             OR (t.status = 'completed' AND (array_agg(n.outcome ORDER BY n.number DESC))[1] <> 'completed')",
    ),
    (
        "events are numbered without gaps",
        "SELECT t.title FROM tasks t LEFT JOIN task_events e ON e.task_id = t.id
          GROUP BY t.id HAVING count(e.seq) <> coalesce(max(e.seq), 0) OR min(e.seq) IS DISTINCT FROM 1",
    ),
    (
        "the last event is the end, and the only one",
        "SELECT t.title || ' ' || string_agg(e.kind, ',' ORDER BY e.seq) FROM tasks t JOIN task_events e ON e.task_id = t.id
          GROUP BY t.id
         HAVING count(*) FILTER (WHERE e.kind IN ('completed', 'failed', 'cancelled')) <> 1
             OR (array_agg(e.kind ORDER BY e.seq DESC))[1] <> t.status",
    ),
    (
        "trust counts an end once",
        "SELECT t.title FROM tasks t
           LEFT JOIN trust_events v ON v.task_id = t.id AND v.event_type IN ('task_completed', 'task_failed', 'task_timeout')
          GROUP BY t.id
         HAVING count(v.id) <> (t.status = 'completed' OR (t.status = 'failed' AND t.fault = 'agent'))::int",
    ),
    (
        "nobody's balance is negative",
        "SELECT user_id::text FROM credit_balances WHERE balance < 0 OR held <> 0",
    ),
];

/// Everything that must hold when all tasks have ended, whatever happened before.
pub async fn assert_rules(pool: &PgPool, ordered: usize) {
    assert_eq!(open(pool).await, 0, "a task has not ended");
    let mut broken = Vec::new();
    for (rule, sql) in RULES {
        let found: Vec<String> = sqlx::query_scalar(sql).fetch_all(pool).await.unwrap();
        if !found.is_empty() {
            broken.push(format!("{rule}: {} departures, such as {:?}", found.len(), &found[..found.len().min(5)]));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    let all: i64 = sqlx::query_scalar("SELECT count(*) FROM tasks").fetch_one(pool).await.unwrap();
    assert_eq!(all, ordered as i64, "a task was lost or made up");
    let report = ledger::audit(&Db::from_pool(pool.clone()), &Actor::System).await.unwrap();
    assert!(report.holds(), "{report:#?}");
}

/// Each kind of agent got what it deserves: who did no wrong is not harmed by others, who never delivered is not paid.
pub fn assert_deserved(tasks: &[Ended]) {
    for task in tasks {
        let (kind, n) = task.kind();
        let state = TaskState::parse(&task.status).unwrap();
        assert_ne!(Some(state), kind.never(), "{task:?}");
        if state == TaskState::Completed {
            let said = task.said.as_deref().unwrap_or_default();
            let right = format!("done {}", task.title);
            let other = format!("other {}", task.title);
            assert!(said == right || (kind == Kind::Twice && said == other), "{task:?}");
        }
        if kind == Kind::Garbage && state == TaskState::Failed {
            assert_eq!(task.fault.as_deref(), Some("agent"), "garbage {n} {task:?}");
        }
    }
}

/// What was said to agents: one message, one id, however often it was sent; answers with how many were sent again.
pub fn assert_ids(agents: &Agents) -> usize {
    let sent = agents.calls.sent.lock().unwrap();
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for (text, sent) in sent.iter() {
        assert_eq!(sent.ids.len(), 1, "{text} was sent under several ids: {sent:?}");
        let id = sent.ids.first().unwrap();
        let other = owners.insert(id, text);
        assert_eq!(other, None, "{text} has the id of another message");
    }
    sent.values().filter(|s| s.times > 1).count()
}

/// No agent had more calls under way than it takes. A call about a task that has ended is being hung up, and counts no more.
pub fn assert_limits(agents: &Agents, tasks: &[Ended]) {
    let ends: BTreeMap<&str, DateTime<Utc>> =
        tasks.iter().filter_map(|t| Some((t.title.as_str(), t.completed_at?))).collect();
    for moment in agents.calls.too_many.lock().unwrap().iter() {
        let live: Vec<&String> =
            moment.texts.iter().filter(|t| ends.get(t.as_str()).is_none_or(|end| *end > moment.at)).collect();
        assert!(live.len() <= moment.most, "{} calls at once, at {}: {moment:?}", live.len(), moment.at);
    }
}

/// Who orders little is not kept waiting by who orders much.
pub fn assert_fair(tasks: &[Ended]) {
    let of = |few: bool| {
        let theirs = tasks.iter().filter(move |t| t.kind().0 == Kind::Crowded && (t.kind().1 >= FEW_FROM) == few);
        theirs.filter_map(|t| t.completed_at).max().unwrap()
    };
    assert!(of(true) < of(false), "the few ended at {}, the crowd at {}", of(true), of(false));
}
