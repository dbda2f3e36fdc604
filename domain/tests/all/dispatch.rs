//! The dispatcher: fair, within each agent's limits, patient with agents that answer later, and away from those that do not.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::tasks::dispatch::{self, Claim, Question, Trouble, breaker};
use domain::tasks::finish::{self, Failure, Fault, Outcome};
use domain::tasks::{self, ASKING_LIMIT, NewTask, Part, TaskFilter, TaskState, Waiting};
use domain::{Actor, AgentId, Error, TaskId};
use serde_json::json;
use sqlx::PgPool;

use crate::support::{Economy, order};

async fn limit(economy: &Economy, agent: AgentId, most: i32) {
    sqlx::query("UPDATE agents SET max_concurrent = $2 WHERE id = $1")
        .bind(agent.0)
        .bind(most)
        .execute(economy.db.pool())
        .await
        .unwrap();
}

async fn hire_many(economy: &Economy, by: &Actor, agent: AgentId, n: usize) -> Vec<TaskId> {
    let mut made = Vec::new();
    for _ in 0..n {
        made.push(economy.hire(by, agent).await.unwrap().id);
    }
    made
}

async fn claimed(economy: &Economy, n: i64) -> Vec<Claim> {
    dispatch::claim(&economy.db, n).await.unwrap()
}

async fn state_of(economy: &Economy, task: TaskId) -> String {
    sqlx::query_scalar("SELECT state FROM task_queue WHERE task_id = $1")
        .bind(task.0)
        .fetch_one(economy.db.pool())
        .await
        .unwrap()
}

fn in_a(moment: i64) -> DateTime<Utc> {
    Utc::now() + TimeDelta::seconds(moment)
}

fn question(auth: bool) -> Question {
    let said = json!({"messageId": "q", "role": "ROLE_AGENT", "parts": [{"text": "Which year?"}]});
    Question {
        auth,
        remote_task: "r1".into(),
        context: Some("c1".into()),
        messages: vec![said],
        artifacts: vec![],
        said: None,
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn who_queues_many_does_not_starve_who_queues_few(pool: PgPool) {
    let economy = Economy::new(pool);
    let (crowd, one, owner) =
        (economy.person("crowd").await, economy.person("one").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "0").await;
    hire_many(&economy, &crowd, agent, 60).await;
    let few = hire_many(&economy, &one, agent, 3).await;
    let first: Vec<TaskId> = claimed(&economy, 8).await.into_iter().map(|c| c.task).collect();
    assert!(few.iter().all(|t| first.contains(t)), "three of one are among the first eight of sixty-three");
    // Whoever comes later stands behind nobody's crowd either.
    let late = economy.hire(&one, agent).await.unwrap().id;
    assert!(claimed(&economy, 2).await.iter().any(|c| c.task == late));
}

#[sqlx::test(migrations = "../migrations")]
async fn who_comes_late_takes_turns_from_then_on(pool: PgPool) {
    let economy = Economy::new(pool);
    let (crowd, late, owner) =
        (economy.person("crowd").await, economy.person("late").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "0").await;
    hire_many(&economy, &crowd, agent, 40).await;
    assert_eq!(claimed(&economy, 20).await.len(), 20);
    let theirs = hire_many(&economy, &late, agent, 20).await;
    let next = claimed(&economy, 10).await;
    let of_late = next.iter().filter(|c| theirs.contains(&c.task)).count();
    assert!((4..=6).contains(&of_late), "{of_late} of ten: the turns that were served before are not made up for");
}

#[sqlx::test(migrations = "../migrations")]
async fn an_agents_limit_holds_however_many_workers_claim(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "0").await;
    limit(&economy, agent, 3).await;
    hire_many(&economy, &buyer, agent, 12).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        let claims = futures::future::join_all((0..6).map(|_| dispatch::claim(&economy.db, 5))).await;
        held.extend(claims.into_iter().flat_map(Result::unwrap));
        assert!(held.len() <= 3, "{} at once", held.len());
    }
    assert_eq!(held.len(), 3);
    assert!(economy.complete(&held[0]).await);
    assert_eq!(claimed(&economy, 10).await.len(), 1, "a place is free, and no more than one");
    // One that is left with its agent keeps its place.
    dispatch::poll_later(&economy.db, &held[1], in_a(60)).await.unwrap();
    assert!(claimed(&economy, 10).await.is_empty());
    // Calls are counted under the agent's lock: who does not get it claims nothing of this agent's.
    assert!(economy.complete(&held[2]).await);
    let mut other = economy.db.pool().begin().await.unwrap();
    sqlx::query("SELECT 1 FROM agent_gates FOR NO KEY UPDATE").execute(&mut *other).await.unwrap();
    assert!(claimed(&economy, 10).await.is_empty());
    other.rollback().await.unwrap();
    assert_eq!(claimed(&economy, 10).await.len(), 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_full_agent_keeps_nobody_elses_tasks_waiting(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let full = economy.agent(&owner, "Full", "0").await;
    let free = economy.agent(&owner, "Free", "0").await;
    limit(&economy, full, 1).await;
    // More than a claim looks at, all of one requester, so that all come before the last.
    hire_many(&economy, &buyer, full, 230).await;
    let last = economy.hire(&buyer, free).await.unwrap().id;
    let first = claimed(&economy, 10).await;
    assert_eq!(first.len(), 1);
    let next = claimed(&economy, 10).await;
    assert_eq!(next.iter().map(|c| c.task).collect::<Vec<_>>(), [last]);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_agent_that_keeps_failing_is_left_alone_and_then_tried_with_one_call(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Broken", "1").await;
    hire_many(&economy, &buyer, agent, 10).await;
    let trouble = Trouble { error: "no connection".into(), status: Some(503) };
    for claim in claimed(&economy, 5).await {
        dispatch::try_later(&economy.db, &claim, &trouble, in_a(-1), 0.0).await.unwrap();
    }
    assert!(claimed(&economy, 10).await.is_empty(), "{} failures in a row", breaker::THRESHOLD);
    let pass = "UPDATE agent_gates SET open_until = now() - interval '1 second' WHERE open_until IS NOT NULL";
    sqlx::query(pass).execute(economy.db.pool()).await.unwrap();
    let trial = claimed(&economy, 10).await;
    assert_eq!(trial.len(), 1, "one call to try");
    dispatch::try_later(&economy.db, &trial[0], &trouble, in_a(-1), 0.0).await.unwrap();
    let left: f64 = sqlx::query_scalar("SELECT extract(epoch FROM open_until - now())::float8 FROM agent_gates")
        .fetch_one(economy.db.pool())
        .await
        .unwrap();
    assert!((8.0..=10.0).contains(&left), "twice as long as before: {left}");
    sqlx::query(pass).execute(economy.db.pool()).await.unwrap();
    let trial = claimed(&economy, 10).await;
    assert_eq!(trial.len(), 1);
    assert!(economy.complete(&trial[0]).await);
    assert_eq!(claimed(&economy, 20).await.len(), 9, "an answer opens the gate");
    let attempts = tasks::detail(&economy.db, &buyer, trial[0].task).await.unwrap().attempts;
    let seen: Vec<_> = attempts.iter().map(|a| (a.outcome.as_deref(), a.http_status)).collect();
    assert_eq!(seen.last(), Some(&(Some("completed"), None)));
    assert!(seen[..seen.len() - 1].iter().all(|a| *a == (Some("retried"), Some(503))));
}

#[sqlx::test(migrations = "../migrations")]
async fn an_agent_that_answers_later_is_asked_again_in_the_same_attempt_and_may_ring(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Slow", "10").await;
    let task = economy.hire(&buyer, agent).await.unwrap().id;
    let claim = economy.claim(task).await;
    dispatch::note_remote(&economy.db, &claim, "r1", Some("c1")).await.unwrap();
    dispatch::poll_later(&economy.db, &claim, in_a(3_600)).await.unwrap();
    assert!(claimed(&economy, 10).await.is_empty());
    assert!(!dispatch::ring(&economy.db, task, "guessed").await.unwrap());
    assert!(!dispatch::ring(&economy.db, TaskId(uuid::Uuid::new_v4()), &claim.push_token).await.unwrap());
    assert!(claimed(&economy, 10).await.is_empty(), "a wrong token rings no bell");
    assert!(dispatch::ring(&economy.db, task, &claim.push_token).await.unwrap());
    assert!(dispatch::ring(&economy.db, task, &claim.push_token).await.unwrap(), "twice is once");
    assert!(!dispatch::ring(&economy.db, task, "guessed").await.unwrap(), "nor once it has rung");
    let again = economy.claim(task).await;
    assert_eq!((again.attempt, again.sent, again.remote_task.as_deref()), (1, true, Some("r1")));
    // It rings while a worker has it: the worker that leaves it is not to wait.
    assert!(dispatch::ring(&economy.db, task, &claim.push_token).await.unwrap());
    dispatch::poll_later(&economy.db, &again, in_a(3_600)).await.unwrap();
    let last = economy.claim(task).await;
    assert!(economy.complete(&last).await);
    assert!(!dispatch::ring(&economy.db, task, &claim.push_token).await.unwrap(), "it has ended");
    let seen = tasks::detail(&economy.db, &buyer, task).await.unwrap();
    assert_eq!((seen.attempts.len(), seen.summary.state), (1, TaskState::Completed));
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_question_stops_the_clock_until_its_requester_answers(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner, stranger) =
        (economy.person("buyer").await, economy.person("owner").await, economy.person("stranger").await);
    let agent = economy.agent(&owner, "Curious", "10").await;
    limit(&economy, agent, 1).await;
    let task = economy.hire(&buyer, agent).await.unwrap().id;
    let claim = economy.claim(task).await;
    let answer = [Part::text("1999")];
    assert!(matches!(tasks::reply(&economy.db, &buyer, task, &answer).await, Err(Error::Conflict(_))), "not asked yet");
    let asked_at = Utc::now() - TimeDelta::seconds(100);
    dispatch::ask(&economy.db, &claim, &question(false), asked_at).await.unwrap();
    let seen = tasks::detail(&economy.db, &buyer, task).await.unwrap();
    assert_eq!((seen.summary.waiting, seen.summary.state), (Some(Waiting::Input), TaskState::Running));
    let before = seen.timeout_at.unwrap();
    assert_eq!(tasks::sweep(&economy.db, in_a(4_000)).await.unwrap(), 0, "the deadline stands still");
    assert!(!economy.complete(&claim).await, "the worker that asked has it no more");
    assert_eq!(state_of(&economy, task).await, "asking");
    let other = economy.hire(&buyer, agent).await.unwrap().id;
    assert!(economy.complete(&economy.claim(other).await).await, "who is asked takes no place");
    let asking = TaskFilter { asking: true, ..TaskFilter::default() };
    assert_eq!(tasks::list(&economy.db, &buyer, &asking, 9).await.unwrap().items.len(), 1);
    for who in [&stranger, &owner] {
        assert!(matches!(tasks::reply(&economy.db, who, task, &answer).await, Err(Error::NotFound(_))));
    }
    assert!(matches!(tasks::reply(&economy.db, &buyer, task, &[Part::text(" ")]).await, Err(Error::Validation(_))));
    tasks::reply(&economy.db, &buyer, task, &answer).await.unwrap();
    assert!(matches!(tasks::reply(&economy.db, &buyer, task, &answer).await, Err(Error::Conflict(_))), "once");
    let seen = tasks::detail(&economy.db, &buyer, task).await.unwrap();
    let longer = seen.timeout_at.unwrap() - before;
    assert!((100..110).contains(&longer.num_seconds()), "the time of waiting is given back: {longer}");
    let texts: Vec<String> = seen.messages.iter().map(tasks::Message::text).collect();
    assert_eq!(texts, ["please", "Which year?", "1999"]);
    let again = economy.claim(task).await;
    assert_eq!((again.message_no, again.sent, again.attempt), (2, false, 2));
    assert_eq!((again.remote_task.as_deref(), again.context.as_deref()), (Some("r1"), Some("c1")));
    assert!(again.message["messageId"].is_string(), "the id that its sender gave it");
    assert!(economy.complete(&again).await);
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_question_that_nobody_answers_ends_and_blames_no_agent(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Curious", "10").await;
    let task = economy.hire(&buyer, agent).await.unwrap().id;
    dispatch::ask(&economy.db, &economy.claim(task).await, &question(true), Utc::now()).await.unwrap();
    assert_eq!(tasks::sweep(&economy.db, Utc::now() + ASKING_LIMIT - TimeDelta::minutes(1)).await.unwrap(), 0);
    assert_eq!(tasks::sweep(&economy.db, Utc::now() + ASKING_LIMIT).await.unwrap(), 1);
    let seen = tasks::detail(&economy.db, &buyer, task).await.unwrap();
    assert_eq!(
        (seen.summary.state, seen.summary.waiting, seen.hold.as_deref()),
        (TaskState::Failed, None, Some("refunded"))
    );
    assert_eq!((economy.trust(agent).await, economy.available(&buyer).await), (50.0, "1000.00".into()));
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_dead_letter_is_seen_and_can_be_sent_again(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner, stranger) =
        (economy.person("buyer").await, economy.person("owner").await, economy.person("stranger").await);
    let agent = economy.agent(&owner, "Gone", "10").await;
    let new = NewTask { timeout_seconds: Some(900), ..order(agent) };
    let task = tasks::create(&economy.db, &buyer, new, Utc::now()).await.unwrap().id;
    let claim = economy.claim(task).await;
    assert!(matches!(tasks::send_again(&economy.db, &buyer, task, None, Utc::now()).await, Err(Error::Conflict(_))));
    let failure = Failure { message: "no answer".into(), kind: "Could not be reached", fault: Fault::Agent };
    let end = [(claim, Outcome::Undelivered(failure, Some(502)))];
    assert_eq!(finish::end_many(&economy.db, &end, Utc::now()).await.unwrap(), [true]);
    let dead = TaskFilter { dead_letters: true, ..TaskFilter::default() };
    for who in [&buyer, &owner] {
        assert_eq!(tasks::list(&economy.db, who, &dead, 9).await.unwrap().items[0].id, task);
    }
    let seen = tasks::detail(&economy.db, &buyer, task).await.unwrap();
    assert_eq!((seen.attempts[0].http_status, seen.hold.as_deref()), (Some(502), Some("refunded")));
    for who in [&owner, &stranger] {
        let refused = tasks::send_again(&economy.db, who, task, None, Utc::now()).await;
        assert!(matches!(refused, Err(Error::NotFound(_))), "only who ordered it pays for it");
    }
    sqlx::query("UPDATE agents SET price_per_task = 12").execute(economy.db.pool()).await.unwrap();
    let shown = Some("10".parse().unwrap());
    let refused = tasks::send_again(&economy.db, &buyer, task, shown, Utc::now()).await;
    assert!(matches!(refused, Err(Error::Validation(_))), "a dearer one is not ordered unseen");
    let again = tasks::send_again(&economy.db, &buyer, task, None, Utc::now()).await.unwrap();
    let second = tasks::detail(&economy.db, &buyer, again.id).await.unwrap();
    assert_eq!(
        (second.retry_of, second.messages[0].text(), second.summary.title),
        (Some(task), "please".into(), seen.summary.title)
    );
    let allowed = second.timeout_at.unwrap() - second.summary.created_at;
    assert!((890..=900).contains(&allowed.num_seconds()), "{allowed}");
    assert!(economy.complete(&economy.claim(again.id).await).await);
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_conversation_goes_on_only_with_whom_it_was_begun(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner, stranger) =
        (economy.person("buyer").await, economy.person("owner").await, economy.person("stranger").await);
    let agent = economy.agent(&owner, "Talker", "1").await;
    let other = economy.agent(&owner, "Other", "1").await;
    let first = economy.hire(&buyer, agent).await.unwrap().id;
    let on = |agent| NewTask { follows: Some(first), ..order(agent) };
    let create = async |by, new| tasks::create(&economy.db, by, new, Utc::now()).await;
    assert!(matches!(create(&buyer, on(agent)).await, Err(Error::Validation(_))), "it has not ended");
    let claim = economy.claim(first).await;
    dispatch::note_remote(&economy.db, &claim, "r1", Some("c1")).await.unwrap();
    economy.complete(&claim).await;
    assert!(matches!(create(&buyer, on(other)).await, Err(Error::Validation(_))), "another agent");
    assert!(matches!(create(&stranger, on(agent)).await, Err(Error::Validation(_))), "another's conversation");
    let second = create(&buyer, on(agent)).await.unwrap().id;
    let claim = economy.claim(second).await;
    assert_eq!((claim.context.as_deref(), claim.reference.as_deref()), (Some("c1"), Some("r1")));
    assert_eq!((claim.remote_task, claim.sent), (None, false));
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn partial_results_are_shown_and_replaced_by_the_end(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Streamer", "1").await;
    let task = economy.hire(&buyer, agent).await.unwrap().id;
    let claim = economy.claim(task).await;
    let part = json!({"artifactId": "a", "name": "Draft", "parts": [{"text": "On"}]});
    dispatch::show_artifacts(&economy.db, &claim, &[part]).await.unwrap();
    let seen = tasks::detail(&economy.db, &buyer, task).await.unwrap();
    assert_eq!((seen.artifacts[0].name.as_str(), seen.last_seq), ("Draft", 4));
    assert!(economy.complete(&claim).await);
    let seen = tasks::detail(&economy.db, &buyer, task).await.unwrap();
    assert_eq!((seen.artifacts.len(), seen.artifacts[0].name.as_str()), (1, "Result"));
    // What the worker that was too late has to show changes nothing.
    dispatch::show_artifacts(&economy.db, &claim, &[]).await.unwrap();
    assert_eq!(tasks::detail(&economy.db, &buyer, task).await.unwrap().artifacts.len(), 1);
    assert!(Duration::from_secs(3) < dispatch::LEASE);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_reply_that_comes_while_tasks_are_claimed_is_sent_whole(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Asker", "0").await;
    let task = economy.hire(&buyer, agent).await.unwrap().id;
    let mut claim = economy.claim(task).await;
    for round in 0..300 {
        sqlx::query("UPDATE task_queue SET questions = 0").execute(economy.db.pool()).await.unwrap();
        dispatch::ask(&economy.db, &claim, &question(false), Utc::now()).await.unwrap();
        let said = format!("reply {round}");
        let parts = [Part::text(said.clone())];
        let claiming = async {
            loop {
                if let Some(claim) = claimed(&economy, 10).await.into_iter().next() {
                    return claim;
                }
            }
        };
        let (replied, claimed) = tokio::join!(tasks::reply(&economy.db, &buyer, task, &parts), claiming);
        replied.unwrap();
        claim = claimed;
        assert_eq!(claim.message["parts"][0]["text"], json!(said));
    }
}
