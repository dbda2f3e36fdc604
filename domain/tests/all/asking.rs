//! Long conversations: what an agent may ask, how often, and who is told.

use chrono::{TimeDelta, Utc};
use domain::tasks::dispatch::{self, Claim, Question, Trouble, cancels};
use domain::tasks::retry::{MAX_CLAIMS, MAX_QUESTIONS};
use domain::tasks::{self, Message, Part, TaskState};
use domain::{Actor, AgentId, TaskId};
use serde_json::json;
use sqlx::PgPool;

use crate::support::Economy;

struct Case {
    economy: Economy,
    buyer: Actor,
    agent: AgentId,
    task: TaskId,
}

impl Case {
    async fn new(pool: PgPool) -> Case {
        let economy = Economy::new(pool);
        let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
        let agent = economy.agent(&owner, "Curious", "10").await;
        let task = economy.hire(&buyer, agent).await.unwrap().id;
        Case { economy, buyer, agent, task }
    }

    async fn ask(&self, claim: &Claim, said: &str, auth: bool) {
        let message = json!({"messageId": said, "role": "ROLE_AGENT", "parts": [{"text": said}]});
        let remote_task = "r1".into();
        let question =
            Question { auth, remote_task, context: None, messages: vec![message], artifacts: vec![], said: None };
        dispatch::ask(&self.economy.db, claim, &question, Utc::now()).await.unwrap();
    }

    async fn reply(&self) -> Claim {
        tasks::reply(&self.economy.db, &self.buyer, self.task, &[Part::text("1999")]).await.unwrap();
        self.claim().await
    }

    async fn claim(&self) -> Claim {
        dispatch::claim(&self.economy.db, 1).await.unwrap().remove(0)
    }

    async fn claim_again(&self) -> Claim {
        self.lose().await;
        self.claim().await
    }

    async fn lose(&self) {
        let sql = "UPDATE task_queue SET lease_expires_at = now() - interval '1 second'";
        sqlx::query(sql).execute(self.economy.db.pool()).await.unwrap();
    }

    async fn mails(&self) -> Vec<(String, String, String)> {
        sqlx::query_as("SELECT u.email, m.subject, m.body FROM mails m JOIN auth.users u ON u.id = m.user_id ORDER BY m.created_at")
            .fetch_all(self.economy.db.pool())
            .await
            .unwrap()
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn an_agent_may_ask_a_hundred_times_and_no_more(pool: PgPool) {
    let case = Case::new(pool).await;
    let db = &case.economy.db;
    let mut claim = case.claim().await;
    for n in 0..MAX_QUESTIONS {
        assert_eq!((claim.attempt, claim.since_reply, claim.questions), (n + 1, 1, n), "a reply begins anew");
        case.ask(&claim, &format!("question {n}"), false).await;
        claim = case.reply().await;
    }
    assert_eq!((MAX_QUESTIONS, claim.attempt), (100, 101));
    case.ask(&claim, "one too many", false).await;
    let ended = tasks::detail(db, &case.buyer, case.task).await.unwrap();
    assert_eq!(
        (ended.summary.state, ended.summary.waiting, ended.summary.dead_letter),
        (TaskState::Failed, None, false)
    );
    assert!(ended.error.unwrap().contains("more than 100 questions"), "the requester is told why");
    assert_eq!(ended.messages.last().map(Message::text).as_deref(), Some("one too many"));
    assert_eq!((ended.hold.as_deref(), case.economy.trust(case.agent).await), (Some("refunded"), 50.0));
    assert_eq!(case.mails().await.len(), 100, "nobody is asked to answer the last");
    // The agent waits for an answer that never comes: it is told.
    let told = cancels::due(db, 10, Utc::now() + TimeDelta::seconds(1)).await.unwrap();
    assert_eq!(told.iter().map(|c| c.remote_task.as_str()).collect::<Vec<_>>(), ["r1"]);
    case.economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn attempts_that_nobody_answered_still_count(pool: PgPool) {
    let case = Case::new(pool).await;
    for n in 1..=MAX_CLAIMS + 1 {
        let claim = case.claim().await;
        assert_eq!((claim.attempt, claim.since_reply), (n, n));
        case.lose().await;
    }
    let claim = case.claim().await;
    case.ask(&claim, "Which year?", false).await;
    assert_eq!(case.reply().await.since_reply, 1);
    // So do failures, which are fewer.
    let trouble = Trouble { error: "busy".into(), status: Some(503) };
    dispatch::try_later(&case.economy.db, &case.claim_again().await, &trouble, Utc::now(), 0.0).await.unwrap();
    let claim = case.claim().await;
    assert_eq!(claim.failures, 1);
    case.ask(&claim, "And which month?", false).await;
    assert_eq!(case.reply().await.failures, 0);
    case.lose().await;
    assert_eq!(case.claim().await.since_reply, 2);
}

#[sqlx::test(migrations = "../migrations")]
async fn each_question_is_told_once_to_who_ordered(pool: PgPool) {
    let case = Case::new(pool).await;
    let claim = case.claim().await;
    case.ask(&claim, "Which year?", false).await;
    // The worker does not know that it was written and asks again: it holds the task no more.
    case.ask(&claim, "Which year?", false).await;
    let mails = case.mails().await;
    assert_eq!(mails.len(), 1);
    let (to, subject, body) = &mails[0];
    assert_eq!((to.as_str(), subject.as_str()), ("buyer@example.org", "An agent asks you something"));
    assert!(body.contains("“please”") && body.contains(&format!("/tasks/{}", case.task)), "{body}");
    assert!(!body.contains("Which year?"), "the agent's words are read where it is plain whose they are");
    let claim = case.reply().await;
    case.ask(&claim, "The password?", true).await;
    let mails = case.mails().await;
    assert_eq!((mails.len(), mails[1].1.as_str()), (2, "An agent asks you for access"));
}
