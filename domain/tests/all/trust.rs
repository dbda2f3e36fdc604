//! Trust on a real database: what events do to sums, and who may read and write what.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::trust::formula::speed_of;
use domain::trust::voice::{Observed, Pair};
use domain::trust::{self, Ended, Evidence, Evidenced, NewRating};
use domain::{Actor, AgentId, Error, Missing, TaskId, UserId};
use sqlx::PgPool;

use crate::support::Economy;

pub fn second(n: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_900_000_000 + n, 0).unwrap()
}

impl Economy {
    /// Tasks of a payer's, for trust to speak of. No money moves.
    pub async fn drafts(&self, payer: &Actor, n: i32) -> Vec<TaskId> {
        sqlx::query_scalar(
            "INSERT INTO tasks (title, requester_agent_id) SELECT 'x', a.id FROM agents a, generate_series(1, $2)
              WHERE a.owner_user_id = $1 AND a.kind = 'personal' RETURNING id",
        )
        .bind(payer.user().unwrap().0)
        .bind(n)
        .fetch_all(self.db.pool())
        .await
        .unwrap()
    }

    pub async fn buys(&self, who: &Actor) {
        let sql = "UPDATE credit_balances SET total_purchased = 500 WHERE user_id = $1";
        sqlx::query(sql).bind(who.user().unwrap().0).execute(self.db.pool()).await.unwrap();
    }

    async fn record(&self, ended: &[Evidenced], now: DateTime<Utc>) -> Vec<(AgentId, Evidence)> {
        let mut tx = self.db.pool().begin().await.unwrap();
        let sums = trust::record(&mut tx, ended, now).await.unwrap();
        tx.commit().await.unwrap();
        sums
    }

    pub async fn rate(&self, rating: &NewRating<'_>, now: DateTime<Utc>) -> domain::Result<Vec<(AgentId, Evidence)>> {
        let mut tx = self.db.pool().begin().await.unwrap();
        let sums = trust::rate(&mut tx, rating, now).await?;
        tx.commit().await.unwrap();
        Ok(sums)
    }

    /// Kinds and shown scores of what was noted, in the order of kinds.
    async fn noted(&self) -> Vec<(String, f64)> {
        sqlx::query_as("SELECT event_type, score::float8 FROM trust_events ORDER BY event_type, score")
            .fetch_all(self.db.pool())
            .await
            .unwrap()
    }
}

fn ended(agent: AgentId, task: TaskId, payer: &Actor, ended: Ended) -> Evidenced {
    Evidenced { agent, task, payer: payer.user().unwrap(), paid: true, ended }
}

fn completed(seconds: i64) -> Ended {
    Ended::Completed { took: TimeDelta::seconds(seconds), promised: None }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_completed_task_is_noted_scored_and_remembered(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "10").await;
    let task = economy.drafts(&buyer, 1).await[0];
    let now = second(0);
    let mut tx = economy.db.pool().begin().await.unwrap();
    let sums = trust::record(&mut tx, &[ended(agent, task, &buyer, completed(1))], now).await.unwrap();
    let score = trust::score(&sums[0].1, now, now);
    trust::remember_scores(&mut tx, &BTreeMap::from([(agent, score)]), now).await.unwrap();
    tx.commit().await.unwrap();
    assert!(score > 50.0);
    assert_eq!(economy.noted().await, [("task_completed".to_owned(), 3.0)]);
    let profile = trust::profile(&economy.db, &Actor::Anonymous, agent, now, now).await.unwrap();
    // A quarter of a voice: the buyer has only its grant.
    assert_eq!((profile.payers, profile.evidence.completed, profile.evidence.failed), (0.25, 1, 0));
    assert_eq!(profile.history, [(now.date_naive(), score)]);
    assert_eq!(profile.recent.len(), 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_batch_gives_what_the_same_tasks_give_one_by_one_in_memory(pool: PgPool) {
    let economy = Economy::new(pool);
    let owner = economy.person("owner").await;
    let mut agents = vec![economy.agent(&owner, "One", "10").await, economy.agent(&owner, "Two", "10").await];
    agents.sort();
    let payers = [economy.person("a").await, economy.person("b").await, economy.person("c").await];
    economy.buys(&payers[0]).await;
    let mut expected: BTreeMap<AgentId, Evidence> = BTreeMap::new();
    let mut pairs: BTreeMap<(AgentId, UserId), Pair> = BTreeMap::new();
    for round in 0..3_i64 {
        let now = second(round * 5_000_000);
        let mut batch = Vec::new();
        for (p, payer) in payers.iter().enumerate() {
            for (i, task) in economy.drafts(payer, 300).await.into_iter().enumerate() {
                let how = match (i + p) % 4 {
                    0 => Ended::Failed("Reported a failure".into()),
                    1 => Ended::TimedOut,
                    _ => completed(i as i64 % 40),
                };
                batch.push(ended(agents[i % 2], task, payer, how));
            }
        }
        for payer in &payers {
            for agent in &agents {
                let user = payer.user().unwrap();
                let observed: Vec<Observed> = batch
                    .iter()
                    .filter(|e| e.agent == *agent && e.payer == user)
                    .map(|e| match &e.ended {
                        Ended::Completed { took, .. } => {
                            Observed { paid: true, done: 1.0, speed: Some(speed_of(*took)) }
                        }
                        Ended::Failed(_) | Ended::TimedOut => Observed { paid: true, done: 0.0, speed: None },
                    })
                    .collect();
                let evidence = expected.entry(*agent).or_default();
                evidence.completed += observed.iter().filter(|o| o.done > 0.0).count() as i64;
                evidence.failed += observed.iter().filter(|o| o.done == 0.0).count() as i64;
                let pair = pairs.entry((*agent, user)).or_default();
                evidence.hear_tasks(pair, *payer == payers[0], &observed, now);
            }
        }
        let sums = economy.record(&batch, now).await;
        assert_eq!(sums.iter().map(|s| s.0).collect::<Vec<_>>(), agents, "each agent once, in id order");
        for (agent, is) in sums {
            let should = expected[&agent];
            assert_eq!((is.completed, is.failed, is.as_of), (should.completed, should.failed, now));
            for (is, should) in [(is.proven, should.proven), (is.unproven, should.unproven)] {
                for (is, should) in [(is.done, should.done), (is.speed, should.speed)] {
                    assert!((is.sum - should.sum).abs() < 1e-9 && (is.weight - should.weight).abs() < 1e-9);
                }
            }
        }
    }
    // A task ends once: the second time nothing of the batch stands.
    let task = economy.drafts(&payers[0], 1).await[0];
    let once = ended(agents[0], task, &payers[0], completed(1));
    economy.record(std::slice::from_ref(&once), second(0)).await;
    let mut tx = economy.db.pool().begin().await.unwrap();
    assert!(trust::record(&mut tx, &[once], second(1)).await.is_err());
}

#[sqlx::test(migrations = "../migrations")]
async fn batches_over_the_same_agents_neither_wait_in_a_circle_nor_lose_anything(pool: PgPool) {
    let economy = Economy::new(pool);
    let (owner, payer) = (economy.person("owner").await, economy.person("payer").await);
    let (one, two) = (economy.agent(&owner, "One", "10").await, economy.agent(&owner, "Two", "10").await);
    let tasks = economy.drafts(&payer, 80).await;
    let mut running = tokio::task::JoinSet::new();
    for (i, pair) in tasks.chunks(2).enumerate() {
        let (first, second_one) = if i % 2 == 0 { (one, two) } else { (two, one) };
        let batch = [ended(first, pair[0], &payer, completed(1)), ended(second_one, pair[1], &payer, completed(1))];
        let db = economy.db.clone();
        running.spawn(async move {
            let mut tx = db.pool().begin().await.unwrap();
            trust::record(&mut tx, &batch, second(i as i64)).await.unwrap();
            tx.commit().await.unwrap();
        });
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
    let counts: Vec<i64> =
        sqlx::query_scalar("SELECT completed FROM agent_stats").fetch_all(economy.db.pool()).await.unwrap();
    assert_eq!(counts, [40, 40]);
    // 40 tasks of one payer that bought nothing: a quarter of one voice each, less a minute's decay.
    let weights: Vec<f64> = sqlx::query_scalar("SELECT done_weight FROM agent_evidence WHERE NOT proven")
        .fetch_all(economy.db.pool())
        .await
        .unwrap();
    assert!(weights.iter().all(|w| (w - 0.25).abs() < 1e-4), "{weights:?}");
}

#[sqlx::test(migrations = "../migrations")]
async fn shown_scores_are_as_documented_and_a_broken_promise_is_half_a_failure(pool: PgPool) {
    let economy = Economy::new(pool);
    let (owner, payer) = (economy.person("owner").await, economy.person("payer").await);
    economy.buys(&payer).await;
    let agent = economy.agent(&owner, "Worker", "10").await;
    let tasks = economy.drafts(&payer, 6).await;
    let promised = Some(TimeDelta::seconds(10));
    let all = [
        completed(5),
        completed(60),
        completed(61),
        Ended::Failed("Reported a failure".into()),
        Ended::TimedOut,
        Ended::Completed { took: TimeDelta::seconds(10), promised },
    ];
    let batch: Vec<_> = tasks.iter().zip(all).map(|(t, how)| ended(agent, *t, &payer, how)).collect();
    economy.record(&batch, second(0)).await;
    let expected = [
        ("task_completed", 1.0),
        ("task_completed", 2.0),
        ("task_completed", 2.0),
        ("task_completed", 3.0),
        ("task_failed", -3.0),
        ("task_timeout", -4.0),
    ];
    assert_eq!(economy.noted().await, expected.map(|(kind, score)| (kind.to_owned(), score)));

    let late = economy.agent(&owner, "Late", "10").await;
    let task = economy.drafts(&payer, 1).await[0];
    let breach = Ended::Completed { took: TimeDelta::seconds(11), promised };
    let sums = economy.record(&[ended(late, task, &payer, breach)], second(1)).await;
    let voices = sums[0].1.proven;
    assert_eq!((voices.done.sum, voices.done.weight), (0.5, 1.0));
    assert_eq!((voices.speed.sum, voices.speed.weight), (0.0, 1.0));
    assert_eq!((sums[0].1.completed, sums[0].1.failed), (1, 0));
    assert!(economy.noted().await.contains(&("sla_breach".to_owned(), -2.0)));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_task_is_rated_once_and_the_owner_answers(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let (owner, payer, stranger) =
        (economy.person("owner").await, economy.person("payer").await, economy.person("stranger").await);
    economy.buys(&payer).await;
    let agent = economy.agent(&owner, "Worker", "10").await;
    let tasks = economy.drafts(&payer, 3).await;
    let rating = |task, stars, text| NewRating { agent, task, payer: payer.user().unwrap(), stars, text };
    let long = "x".repeat(2_001);
    for wrong in [rating(tasks[0], 0, ""), rating(tasks[0], 6, ""), rating(tasks[0], 3, &long)] {
        assert!(matches!(economy.rate(&wrong, second(0)).await, Err(Error::Validation(_))));
    }
    let sums = economy.rate(&rating(tasks[0], 5, " Good work. "), second(0)).await.unwrap();
    assert_eq!((sums[0].1.proven.rating.sum, sums[0].1.proven.rating.weight), (1.0, 1.0));
    assert!(matches!(economy.rate(&rating(tasks[0], 1, ""), second(1)).await, Err(Error::Conflict(_))));
    let sums = economy.rate(&rating(tasks[1], 1, ""), second(0)).await.unwrap();
    assert_eq!((sums[0].1.proven.rating.sum, sums[0].1.proven.rating.weight), (0.75, 1.0), "one voice");
    economy.rate(&rating(tasks[2], 4, "Third"), second(2)).await.unwrap();
    let events = [("rating_received", -4.0), ("rating_received", 2.0), ("rating_received", 4.0)];
    assert_eq!(economy.noted().await, events.map(|(kind, score)| (kind.to_owned(), score)));

    let profile = trust::profile(&economy.db, &Actor::Anonymous, agent, second(0), second(2)).await.unwrap();
    assert_eq!((profile.reviews.stars, profile.reviews.count()), ([1, 0, 0, 1, 1], 3));
    assert_eq!(profile.reviews.mean(), Some(10.0 / 3.0));
    let page = trust::reviews(&economy.db, &Actor::Anonymous, agent, None, 2).await.unwrap();
    assert_eq!(page.items.iter().map(|r| r.stars).collect::<Vec<_>>().first(), Some(&4), "newest first");
    let rest = trust::reviews(&economy.db, &stranger, agent, page.next, 2).await.unwrap();
    assert_eq!((page.items.len(), rest.items.len(), rest.next), (2, 1, None));
    let first = trust::review_of(&economy.db, &stranger, tasks[0]).await.unwrap().unwrap();
    assert_eq!((first.author.as_str(), first.text.as_str(), first.answer), ("payer", "Good work.", None));

    let answer = |who: Actor, text: &'static str| {
        let db = economy.db.clone();
        let task = tasks[0];
        async move { trust::answer_review(&db, &who, task, text).await }
    };
    assert!(matches!(answer(Actor::Anonymous, "Thanks").await, Err(Error::Unauthorized)));
    for other in [&stranger, &payer] {
        assert!(matches!(answer(*other, "Thanks").await, Err(Error::NotFound(Missing::Task))));
    }
    assert!(matches!(answer(owner, "  ").await, Err(Error::Validation(_))));
    // The second wall: without any WHERE a stranger changes nothing, and the owner only its answers.
    for (who, sql, rows) in [
        (stranger, "UPDATE reviews SET answer = 'Mine', answered_at = now()", Some(0)),
        (owner, "UPDATE reviews SET answer = 'Ours', answered_at = now()", Some(3)),
        (owner, "UPDATE reviews SET stars = 5", None),
        (owner, "DELETE FROM reviews", None),
    ] {
        let mut tx = pool.begin().await.unwrap();
        sqlx::query("SELECT set_config('role', 'authenticated', true), set_config('app.user_id', $1, true)")
            .bind(who.user().unwrap().to_string())
            .execute(&mut *tx)
            .await
            .unwrap();
        let changed = sqlx::query(sql).execute(&mut *tx).await.ok().map(|done| done.rows_affected());
        assert_eq!(changed, rows, "{sql}");
    }
    answer(owner, "Thanks").await.unwrap();
    answer(owner, "Thank you").await.unwrap();
    let answered = trust::review_of(&economy.db, &Actor::Anonymous, tasks[0]).await.unwrap().unwrap();
    assert_eq!(answered.answer.as_deref(), Some("Thank you"));
    assert!(answered.answered_at.is_some());
}

#[sqlx::test(migrations = "../migrations")]
async fn what_a_dispute_returns_was_not_done(pool: PgPool) {
    let economy = Economy::new(pool);
    let (owner, payer) = (economy.person("owner").await, economy.person("payer").await);
    economy.buys(&payer).await;
    let agent = economy.agent(&owner, "Worker", "10").await;
    let tasks = economy.drafts(&payer, 2).await;
    economy.record(&[ended(agent, tasks[0], &payer, completed(1))], second(0)).await;
    economy.record(&[ended(agent, tasks[1], &payer, completed(1))], second(60)).await;
    let mut tx = economy.db.pool().begin().await.unwrap();
    trust::dispute_opened(&mut tx, agent, tasks[0], second(90)).await.unwrap();
    let sums = trust::dispute_resolved(&mut tx, agent, tasks[0], 0.5, second(120)).await.unwrap();
    let voices = sums[0].1.proven;
    // The second task left three quarters of the first; half of that is gone.
    assert!((voices.done.sum - (1.0 - 0.75 / 2.0)).abs() < 1e-4, "{voices:?}");
    assert!((voices.speed.sum - (1.0 - 0.75 / 2.0)).abs() < 1e-4, "{voices:?}");
    assert!((voices.done.weight - 1.0).abs() < 1e-4 && (voices.speed.weight - 1.0).abs() < 1e-4, "{voices:?}");
    tx.commit().await.unwrap();
    for again in [true, false] {
        let mut tx = economy.db.pool().begin().await.unwrap();
        let result = if again {
            trust::dispute_resolved(&mut tx, agent, tasks[0], 1.0, second(130)).await.map(drop)
        } else {
            trust::dispute_opened(&mut tx, agent, tasks[0], second(130)).await
        };
        assert!(matches!(result, Err(Error::Conflict(_))));
    }
    let mut tx = economy.db.pool().begin().await.unwrap();
    let sums = trust::dispute_resolved(&mut tx, agent, tasks[1], 0.0, second(120)).await.unwrap();
    assert_eq!(sums[0].1.proven, voices, "nothing came back");
    tx.commit().await.unwrap();
    let shown: Vec<_> = economy.noted().await.into_iter().filter(|(kind, _)| kind.starts_with("dispute")).collect();
    let expected = [("dispute_opened", -1.0), ("dispute_resolved", -3.0), ("dispute_resolved", 1.0)];
    assert_eq!(shown, expected.map(|(kind, score)| (kind.to_owned(), score)));
}

#[sqlx::test(migrations = "../migrations")]
async fn scores_that_only_time_changes_are_found_and_locked(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let (owner, payer) = (economy.person("owner").await, economy.person("payer").await);
    economy.buys(&payer).await;
    let agent = economy.agent(&owner, "Worker", "10").await;
    let task = economy.drafts(&payer, 1).await[0];
    let sums = economy.record(&[ended(agent, task, &payer, completed(1))], second(0)).await;
    let then = trust::score(&sums[0].1, second(0), second(0));
    let later = second(0) + TimeDelta::days(60);

    let mut tx = pool.begin().await.unwrap();
    let found = trust::stale(&mut tx, second(1), 10).await.unwrap();
    assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), [agent]);
    let mut other = pool.begin().await.unwrap();
    assert!(trust::stale(&mut other, second(1), 10).await.unwrap().is_empty(), "somebody has it");
    let now = trust::score(&found[0].1, later, later);
    assert!(50.0 < now && now < then, "{now}, {then} before");
    trust::remember_scores(&mut tx, &BTreeMap::from([(agent, now)]), later).await.unwrap();
    tx.commit().await.unwrap();

    assert!(trust::stale(&mut other, later, 10).await.unwrap().is_empty(), "it is fresh");
    let profile = trust::profile(&economy.db, &Actor::Anonymous, agent, second(0), later).await.unwrap();
    assert_eq!(profile.history, [(later.date_naive(), now)]);
    // The last of a day stands, and days long past are not shown.
    trust::remember_scores(&mut other, &BTreeMap::from([(agent, 60.0)]), later).await.unwrap();
    trust::remember_scores(&mut other, &BTreeMap::from([(agent, 40.0)]), later - TimeDelta::days(90)).await.unwrap();
    other.commit().await.unwrap();
    let profile = trust::profile(&economy.db, &Actor::Anonymous, agent, second(0), later).await.unwrap();
    assert_eq!(profile.history, [(later.date_naive(), 60.0)]);
}

#[sqlx::test(migrations = "../migrations")]
async fn who_hired_whom_and_how_often_is_not_public(pool: PgPool) {
    for role in ["anon", "authenticated"] {
        for (table, column, privilege, may) in [
            ("payer_voices", "payer_user_id", "SELECT", false),
            ("reviews", "author_user_id", "SELECT", false),
            ("reviews", "text", "SELECT", true),
            ("reviews", "text", "UPDATE", false),
            ("reviews", "stars", "UPDATE", false),
            ("reviews", "stars", "INSERT", false),
            ("reviews", "answer", "UPDATE", role == "authenticated"),
            ("trust_events", "weight", "SELECT", false),
            ("trust_events", "done_fade", "SELECT", false),
            ("trust_events", "reason", "SELECT", true),
            ("agent_evidence", "done_sum", "SELECT", true),
            ("agent_evidence", "done_sum", "UPDATE", false),
            ("agent_stats", "stars", "UPDATE", false),
            ("trust_history", "score", "SELECT", true),
            ("trust_history", "score", "INSERT", false),
        ] {
            let is: bool = sqlx::query_scalar("SELECT has_column_privilege($1, $2, $3, $4)")
                .bind(role)
                .bind(table)
                .bind(column)
                .bind(privilege)
                .fetch_one(&pool)
                .await
                .unwrap();
            assert_eq!(is, may, "{role}: {privilege} {table}.{column}");
        }
    }
}
