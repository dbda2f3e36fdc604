//! The rules of tasks (design section 6). Each test fails when its rule is broken.

use crate::support::Economy;
use chrono::{TimeDelta, Utc};
use domain::tasks::dispatch::{self, Lease, Question, Trouble};
use domain::tasks::finish::Fault;
use domain::tasks::{self, TaskState};
use domain::{Error, Missing};
use sqlx::PgPool;

#[sqlx::test(migrations = "../migrations")]
async fn the_database_allows_exactly_the_moves_of_the_program(pool: PgPool) {
    for from in TaskState::ALL {
        for to in TaskState::ALL {
            let allowed: bool = sqlx::query_scalar("SELECT economy.task_move_allowed($1, $2)")
                .bind(from.as_str())
                .bind(to.as_str())
                .fetch_one(&pool)
                .await
                .unwrap();
            assert_eq!(allowed, from.may_become(to), "{from:?} -> {to:?}");
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn an_end_is_never_left_not_even_by_the_service(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "10").await;
    let task = economy.hire(&buyer, agent).await.unwrap();
    let claim = economy.claim(task.id).await;
    tasks::cancel(&economy.db, &buyer, task.id).await.unwrap();
    // The answer comes after the end.
    assert!(!economy.complete(&claim).await);
    assert!(!economy.fail(&claim, Fault::Agent).await);
    assert_eq!(dispatch::renew(&economy.db, &[(claim.task, claim.token)]).await.unwrap(), [Lease::Ended]);
    for sql in [
        "UPDATE tasks SET status = 'running', completed_at = NULL",
        "UPDATE tasks SET output = '{\"text\": \"late\"}'",
        "UPDATE tasks SET artifacts = '[{}]'",
        "UPDATE tasks SET price_credits = 1",
    ] {
        assert!(sqlx::query(sql).execute(economy.db.pool()).await.is_err(), "{sql}");
    }
    assert!(matches!(tasks::cancel(&economy.db, &buyer, task.id).await, Err(Error::Conflict(_))));
    assert_eq!((economy.available(&buyer).await, economy.trust(agent).await), ("1000.00".into(), 50.0));
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn one_worker_has_a_task_and_a_dead_ones_is_taken_up_with_the_same_message(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "10").await;
    let task = economy.hire(&buyer, agent).await.unwrap();
    let dead = economy.claim(task.id).await;
    assert!(dispatch::claim(&economy.db, 10).await.unwrap().is_empty(), "it is leased");
    dispatch::note_remote(&economy.db, &dead, "remote-1", None).await.unwrap();

    sqlx::query("UPDATE task_queue SET lease_expires_at = now() - interval '1 second'")
        .execute(economy.db.pool())
        .await
        .unwrap();
    let heir = economy.claim(task.id).await;
    assert_eq!((heir.message_id, heir.remote_task.as_deref(), heir.attempt), (dead.message_id, Some("remote-1"), 2));
    // The one that was given up comes back: nothing of it counts.
    assert_eq!(dispatch::renew(&economy.db, &[(dead.task, dead.token)]).await.unwrap(), [Lease::Lost]);
    assert!(!economy.complete(&dead).await);
    assert!(economy.complete(&heir).await);
    let outcomes: Vec<(i32, String)> = sqlx::query_as("SELECT number, outcome FROM task_attempts ORDER BY number")
        .fetch_all(economy.db.pool())
        .await
        .unwrap();
    assert_eq!(outcomes, [(1, "lost".into()), (2, "completed".into())]);
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn who_has_lost_its_lease_writes_nothing(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "10").await;
    let task = economy.hire(&buyer, agent).await.unwrap().id;
    let dead = economy.claim(task).await;
    sqlx::query("UPDATE task_queue SET lease_expires_at = now() - interval '1 second'")
        .execute(economy.db.pool())
        .await
        .unwrap();
    let heir = economy.claim(task).await;
    let seen = async || {
        let row: String = sqlx::query_scalar(
            "SELECT concat(q, t, g, (SELECT count(*) FROM task_attempts), (SELECT count(*) FROM task_events), (SELECT count(*) FROM mails))
               FROM task_queue q JOIN tasks t ON t.id = q.task_id JOIN agent_gates g ON g.agent_id = q.agent_id",
        )
        .fetch_one(economy.db.pool())
        .await
        .unwrap();
        row
    };
    let (before, db, now) = (seen().await, &economy.db, Utc::now());
    let trouble = Trouble { error: "busy".into(), status: Some(503) };
    let question = Question {
        auth: false,
        remote_task: "theirs".into(),
        context: None,
        messages: vec![],
        artifacts: vec![],
        said: None,
    };
    dispatch::mark_running(db, &dead).await.unwrap();
    dispatch::note_remote(db, &dead, "theirs", None).await.unwrap();
    dispatch::progress(db, &dead, "half way").await.unwrap();
    dispatch::show_artifacts(db, &dead, &[serde_json::json!({})]).await.unwrap();
    dispatch::try_later(db, &dead, &trouble, now, 0.0).await.unwrap();
    dispatch::poll_later(db, &dead, now).await.unwrap();
    dispatch::ask(db, &dead, &question, now).await.unwrap();
    dispatch::give_back(db, &dead).await.unwrap();
    assert_eq!(seen().await, before);
    assert!(economy.complete(&heir).await);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_clock_ends_what_nobody_ends_and_blames_only_who_was_waited_for(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let mut agents = Vec::new();
    for name in ["Late", "Orphaned", "Waiting"] {
        agents.push(economy.agent(&owner, name, "10").await);
    }
    let [late, orphaned, waiting] = agents[..] else { unreachable!() };
    let mut tasks_of = Vec::new();
    // A worker still holds the first when its deadline comes; the second's worker is gone by then; the third was
    // never called.
    for (agent, called, seconds) in [(late, true, 1), (orphaned, true, 30), (waiting, false, 30)] {
        let task = economy.hire(&buyer, agent).await.unwrap().id;
        if called {
            economy.claim(task).await;
        }
        sqlx::query("UPDATE tasks SET timeout_at = now() + $2 * interval '1 second' WHERE id = $1")
            .bind(task.0)
            .bind(f64::from(seconds))
            .execute(economy.db.pool())
            .await
            .unwrap();
        tasks_of.push(task);
    }
    assert_eq!(tasks::sweep(&economy.db, Utc::now()).await.unwrap(), 0);
    let later = Utc::now() + TimeDelta::seconds(31);
    assert_eq!(tasks::sweep(&economy.db, later).await.unwrap(), 3);
    assert_eq!(tasks::sweep(&economy.db, later).await.unwrap(), 0);
    for id in tasks_of {
        let task = tasks::detail(&economy.db, &buyer, id).await.unwrap();
        assert_eq!((task.summary.state, task.hold.as_deref()), (TaskState::Failed, Some("refunded")));
    }
    assert!(economy.trust(late).await < 50.0);
    assert_eq!(economy.trust(orphaned).await, 50.0);
    assert_eq!(economy.trust(waiting).await, 50.0);
    assert_eq!(economy.available(&buyer).await, "1000.00");
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn only_the_agents_faults_touch_its_trust(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "1").await;
    for fault in [Fault::Platform, Fault::Requester] {
        let task = economy.hire(&buyer, agent).await.unwrap();
        let claim = economy.claim(task.id).await;
        assert!(economy.fail(&claim, fault).await);
        assert_eq!(economy.trust(agent).await, 50.0, "{fault:?}");
    }
    let task = economy.hire(&buyer, agent).await.unwrap();
    let claim = economy.claim(task.id).await;
    economy.complete(&claim).await;
    let good = economy.trust(agent).await;
    assert!(good > 50.0);
    let task = economy.hire(&buyer, agent).await.unwrap();
    let claim = economy.claim(task.id).await;
    economy.fail(&claim, Fault::Agent).await;
    assert!(economy.trust(agent).await < good);
}

#[sqlx::test(migrations = "../migrations")]
async fn events_are_numbered_without_gaps_and_tell_the_whole_story(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "10").await;
    let task = economy.hire(&buyer, agent).await.unwrap();
    let claim = economy.claim(task.id).await;
    dispatch::progress(&economy.db, &claim, "half way").await.unwrap();
    economy.complete(&claim).await;
    let seen = tasks::detail(&economy.db, &buyer, task.id).await.unwrap();
    let story: Vec<(i32, &str)> = seen.events.iter().map(|e| (e.seq, e.kind.as_str())).collect();
    assert_eq!(story, [(1, "created"), (2, "assigned"), (3, "running"), (4, "progress"), (5, "completed")]);
    assert_eq!((seen.progress(), seen.artifacts.len(), seen.cost.to_string()), (Some("half way"), 1, "10.00".into()));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_guessed_id_finds_nothing(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner, stranger) =
        (economy.person("buyer").await, economy.person("owner").await, economy.person("stranger").await);
    let agent = economy.agent(&owner, "Worker", "10").await;
    let task = economy.hire(&buyer, agent).await.unwrap();
    assert!(tasks::detail(&economy.db, &owner, task.id).await.is_ok(), "the provider may see it");
    assert!(matches!(tasks::detail(&economy.db, &stranger, task.id).await, Err(Error::NotFound(Missing::Task))));
    assert!(matches!(tasks::cancel(&economy.db, &stranger, task.id).await, Err(Error::NotFound(Missing::Task))));
    assert!(matches!(tasks::cancel(&economy.db, &owner, task.id).await, Err(Error::NotFound(Missing::Task))));
    assert!(matches!(domain::agents::owned(&economy.db, &stranger, agent).await, Err(Error::NotFound(Missing::Agent))));
    assert!(matches!(
        domain::agents::rotate_secret(&economy.db, &stranger, agent).await,
        Err(Error::NotFound(Missing::Agent))
    ));
    assert!(matches!(
        domain::agents::retire(&economy.db, &stranger, agent).await,
        Err(Error::NotFound(Missing::Agent))
    ));
}
