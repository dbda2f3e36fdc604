//! Evidence of the program before payers had voices, brought up to date by the migration.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use domain::trust::formula::{rating_of, speed_of};
use domain::trust::voice::{Observed, Pair};
use domain::trust::{Evidence, NewRating};
use domain::{MIGRATOR, TaskId};
use sqlx::PgPool;

use crate::support::Economy;
use crate::trust::second;

#[sqlx::test(migrations = false)]
async fn evidence_from_before_is_heard_again(pool: PgPool) {
    let run = async |wanted: fn(i64) -> bool| {
        for migration in MIGRATOR.iter().filter(|m| wanted(m.version)) {
            sqlx::raw_sql(migration.sql.clone()).execute(&pool).await.unwrap();
        }
    };
    run(|version| version < 18).await;
    let economy = Economy::new(pool.clone());
    let (owner, rich, poor) =
        (economy.person("owner").await, economy.person("rich").await, economy.person("poor").await);
    economy.buys(&rich).await;
    let agent = economy.agent(&owner, "Worker", "10").await;
    let (mut expected, mut pairs) = (Evidence::default(), BTreeMap::new());
    let story = [
        (0, &rich, true, Some(1_i64)),
        (900_000, &rich, true, None),
        (900_001, &poor, false, Some(20)),
        (3_000_000, &rich, true, Some(10)),
        (3_000_000, &poor, true, Some(2)),
    ];
    for (at, payer, paid, seconds) in story {
        let sql = "INSERT INTO tasks (title, requester_agent_id, assigned_agent_id, status, price_credits, started_at, completed_at)
                   SELECT 'x', id, $2, CASE WHEN $5 THEN 'completed' ELSE 'failed' END, $3, $4 - make_interval(secs => $6), $4
                     FROM agents WHERE owner_user_id = $1 AND kind = 'personal' RETURNING id";
        let task: TaskId = sqlx::query_scalar(sql)
            .bind(payer.user().unwrap().0)
            .bind(agent.0)
            .bind(rust_decimal::Decimal::from(if paid { 10 } else { 0 }))
            .bind(second(at))
            .bind(seconds.is_some())
            .bind(seconds.unwrap_or(3) as f64)
            .fetch_one(&pool)
            .await
            .unwrap();
        sqlx::query(
            "INSERT INTO trust_events (agent_id, event_type, score, task_id, created_at) VALUES ($1, $2, 1, $3, $4)",
        )
        .bind(agent.0)
        .bind(if seconds.is_some() { "task_completed" } else { "task_failed" })
        .bind(task.0)
        .bind(second(at))
        .execute(&pool)
        .await
        .unwrap();
        let done = if seconds.is_some() { 1.0 } else { 0.0 };
        let observed = Observed { paid, done, speed: seconds.map(|s| speed_of(TimeDelta::seconds(s))) };
        let pair = pairs.entry(payer.user().unwrap()).or_insert_with(Pair::default);
        expected.hear_tasks(pair, *payer == rich, &[observed], second(at));
    }
    sqlx::query("INSERT INTO agent_stats (agent_id, completed, failed) VALUES ($1, 4, 1)")
        .bind(agent.0)
        .execute(&pool)
        .await
        .unwrap();
    run(|version| version >= 18).await;

    // A rating by one that only has its grant touches nothing of what was there before.
    let task = economy.drafts(&poor, 1).await[0];
    let rating = NewRating { agent, task, payer: poor.user().unwrap(), stars: 4, text: "" };
    let is = economy.rate(&rating, second(3_000_000)).await.unwrap()[0].1;
    let pair = pairs.get_mut(&poor.user().unwrap()).unwrap();
    expected.hear_rating(pair, false, rating_of(4), second(3_000_000));
    assert_eq!((is.completed, is.failed), (4, 1));
    for (is, should) in [(is.proven, expected.proven), (is.unproven, expected.unproven)] {
        for (is, should) in [(is.done, should.done), (is.speed, should.speed), (is.rating, should.rating)] {
            assert!(
                (is.sum - should.sum).abs() < 1e-9 && (is.weight - should.weight).abs() < 1e-9,
                "{is:?}, {should:?}"
            );
        }
    }
}
