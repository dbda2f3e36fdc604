//! Agents hear of ends that are not their own, also where no worker holds the conversation.

use chrono::{DateTime, TimeDelta, Utc};
use domain::tasks::dispatch::{self, LEASE, Question, Trouble, cancels};
use domain::tasks::finish::{self, Failure, Fault, Outcome};
use domain::tasks::{self, TaskState};
use domain::{Actor, AgentId, TaskId, accounts};
use serde_json::json;
use sqlx::PgPool;

use crate::support::Economy;

struct Case {
    economy: Economy,
    buyer: Actor,
    agent: AgentId,
}

impl Case {
    async fn new(pool: PgPool) -> Case {
        let economy = Economy::new(pool);
        let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
        let agent = economy.agent(&owner, "Worker", "10").await;
        Case { economy, buyer, agent }
    }

    /// A task that the agent has taken as `remote` and a worker holds.
    async fn taken(&self, remote: &str) -> dispatch::Claim {
        let task = self.economy.hire(&self.buyer, self.agent).await.unwrap().id;
        let claim = self.economy.claim(task).await;
        dispatch::note_remote(&self.economy.db, &claim, remote, None).await.unwrap();
        claim
    }

    async fn cancel(&self, task: TaskId) {
        tasks::cancel(&self.economy.db, &self.buyer, task).await.unwrap();
    }

    /// Which of the agent's tasks it is to be told of at this moment.
    async fn due(&self, at: DateTime<Utc>) -> Vec<String> {
        let mut due = cancels::due(&self.economy.db, 100, at).await.unwrap();
        due.sort_by_key(|c| c.remote_task.clone());
        due.into_iter().map(|c| c.remote_task).collect()
    }
}

fn question(remote: &str) -> Question {
    let said = json!({"messageId": "q", "role": "ROLE_AGENT", "parts": [{"text": "Which year?"}]});
    Question {
        auth: false,
        remote_task: remote.into(),
        context: None,
        messages: vec![said],
        artifacts: vec![],
        said: None,
    }
}

fn soon() -> DateTime<Utc> {
    Utc::now() + TimeDelta::seconds(1)
}

#[sqlx::test(migrations = "../migrations")]
async fn whoever_is_not_in_a_call_is_told_in_writing(pool: PgPool) {
    let case = Case::new(pool).await;
    let db = &case.economy.db;
    let later = Utc::now() + TimeDelta::hours(1);
    let polled = case.taken("polled").await;
    dispatch::poll_later(db, &polled, later).await.unwrap();
    let asking = case.taken("asking").await;
    dispatch::ask(db, &asking, &question("asking"), Utc::now()).await.unwrap();
    let resting = case.taken("resting").await;
    let trouble = Trouble { error: "busy".into(), status: Some(503) };
    dispatch::try_later(db, &resting, &trouble, later, 0.0).await.unwrap();
    let unheard = case.economy.hire(&case.buyer, case.agent).await.unwrap().id;
    assert_eq!(case.due(soon()).await, Vec::<String>::new(), "nothing has ended");
    for task in [polled.task, asking.task, resting.task, unheard] {
        case.cancel(task).await;
    }
    assert_eq!(case.due(soon()).await, ["asking", "polled", "resting"], "one was never called");
    case.economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_deadline_and_a_closed_account_are_told_too(pool: PgPool) {
    let case = Case::new(pool).await;
    let db = &case.economy.db;
    let late = case.taken("late").await;
    dispatch::poll_later(db, &late, Utc::now() + TimeDelta::hours(1)).await.unwrap();
    assert_eq!(tasks::sweep(db, Utc::now() + TimeDelta::hours(1)).await.unwrap(), 1);
    assert_eq!(case.due(soon()).await, ["late"]);
    let left = case.taken("left").await;
    dispatch::poll_later(db, &left, Utc::now() + TimeDelta::hours(1)).await.unwrap();
    accounts::close(db, &case.buyer, "long enough".into()).await.unwrap();
    assert_eq!(case.due(soon()).await, ["left"]);
    case.economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn who_holds_the_conversation_tells_and_only_a_dead_one_is_made_up_for(pool: PgPool) {
    let case = Case::new(pool).await;
    let (told, dead) = (case.taken("told").await, case.taken("dead").await);
    case.cancel(told.task).await;
    case.cancel(dead.task).await;
    assert_eq!(case.due(soon()).await, Vec::<String>::new(), "its worker hears of it and tells");
    cancels::done(&case.economy.db, told.task).await.unwrap();
    assert_eq!(case.due(Utc::now() + LEASE + TimeDelta::seconds(11)).await, ["dead"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_end_of_the_agents_own_is_not_told_and_one_that_is_given_up_is(pool: PgPool) {
    let case = Case::new(pool).await;
    let db = &case.economy.db;
    let (done, failed, lost) = (case.taken("done").await, case.taken("failed").await, case.taken("lost").await);
    assert!(case.economy.complete(&done).await);
    assert!(case.economy.fail(&failed, Fault::Agent).await);
    let failure = Failure { message: "no answer".into(), kind: "Could not be reached", fault: Fault::Agent };
    let ends = [(lost.clone(), Outcome::Undelivered(failure, None))];
    assert_eq!(finish::end_many(db, &ends, Utc::now()).await.unwrap(), [true]);
    assert_eq!(case.due(soon()).await, ["lost"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn it_is_tried_three_times_by_one_at_a_time_and_changes_nothing(pool: PgPool) {
    let case = Case::new(pool).await;
    let db = &case.economy.db;
    let claim = case.taken("r1").await;
    dispatch::poll_later(db, &claim, Utc::now() + TimeDelta::hours(1)).await.unwrap();
    case.cancel(claim.task).await;
    let before = tasks::detail(db, &case.buyer, claim.task).await.unwrap();
    let at = soon();
    let all = futures::future::join_all((0..6).map(|_| cancels::due(db, 10, at))).await;
    let taken: Vec<_> = all.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(taken.iter().map(|c| (c.tries, c.is_last())).collect::<Vec<_>>(), [(1, false)]);
    assert_eq!(taken[0].endpoint, claim.endpoint);
    // Each wait is longer than a try may take.
    for (wait, tries, last) in [(15, 2, false), (45, 3, true)] {
        let when = at + TimeDelta::seconds(wait);
        assert!(cancels::due(db, 10, when - TimeDelta::seconds(1)).await.unwrap().is_empty());
        let again = cancels::due(db, 10, when).await.unwrap();
        assert_eq!(again.iter().map(|c| (c.tries, c.is_last())).collect::<Vec<_>>(), [(tries, last)]);
    }
    cancels::done(db, claim.task).await.unwrap();
    assert!(cancels::due(db, 10, at + TimeDelta::days(1)).await.unwrap().is_empty());
    let after = tasks::detail(db, &case.buyer, claim.task).await.unwrap();
    assert_eq!((after.summary.state, after.last_seq), (TaskState::Cancelled, before.last_seq));
    assert_eq!(
        (case.economy.trust(case.agent).await, case.economy.available(&case.buyer).await),
        (50.0, "1000.00".into())
    );
}
