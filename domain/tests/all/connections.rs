//! What is given up half way leaves nothing behind on the connection that it used.

use std::future::Future;
use std::pin::pin;

use domain::{Db, ledger};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::support::Economy;

/// Polls `what` and goes away after so many turns of the runtime; `true` when it came to its end before.
async fn given_up(what: impl Future, turns: usize) -> bool {
    let mut what = pin!(what);
    for _ in 0..turns {
        if futures::poll!(&mut what).is_ready() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

#[sqlx::test(migrations = "../migrations")]
async fn a_transaction_that_is_given_up_anywhere_is_over(pool: PgPool) {
    let me = Economy::new(pool.clone()).person("me").await;
    // One connection, so that whoever comes next gets the one that was left.
    let options = PgPoolOptions::new().max_connections(1);
    let one = options.connect_with((*pool.connect_options()).clone()).await.unwrap();
    let db = Db::from_pool(one.clone());
    let (mut left, mut done) = (0, 0);
    for turns in (1..=15).cycle().take(6_000) {
        match given_up(ledger::balance(&db, &me), turns).await {
            true => done += 1,
            false => left += 1,
        }
        // In a transaction that somebody left open, time stands still.
        let now = || sqlx::query_scalar::<_, chrono::DateTime<chrono::Utc>>("SELECT now()").fetch_one(&one);
        let first = now().await.unwrap();
        assert_ne!(first, now().await.unwrap(), "a transaction was left open after {turns} turns");
        if left >= 60 && done > 0 {
            break;
        }
    }
    assert!(left >= 60 && done > 0, "given up {left} times, done {done} times");
    assert_eq!(ledger::balance(&db, &me).await.unwrap().available.to_string(), "1000.00");
}
