//! The rules of money (design section 5). Each test fails when its rule is broken.

use crate::support::{Economy, credits, order};
use domain::ledger::packages::Package;
use domain::ledger::purchase::{self, Credited, PaidSession};
use domain::ledger::{self, EntryFilter, EntryKind};
use domain::tasks::finish::Fault;
use domain::tasks::{self, NewTask};
use domain::{Actor, Credits, Error, PurchaseId};
use sqlx::PgPool;

#[sqlx::test(migrations = "../migrations")]
async fn rule_3_an_account_is_granted_1000_once(pool: PgPool) {
    let economy = Economy::new(pool);
    let ada = economy.person("ada").await;
    assert_eq!(economy.available(&ada).await, "1000.00");
    let again = sqlx::query("SELECT ledger.post($1, 'initial_grant', 1000, NULL, 'again')")
        .bind(ada.user().unwrap().0)
        .execute(economy.db.pool())
        .await;
    assert!(again.unwrap_err().to_string().contains("credit_transactions_one_grant"));
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn rule_5_a_task_for_10_costs_10_earns_9_50_and_the_platform_0_50(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "10").await;

    let task = economy.hire(&buyer, agent).await.unwrap();
    assert_eq!(task.held.to_string(), "10.00");
    let held = economy.balance(&buyer).await;
    assert_eq!((held.available.to_string(), held.held.to_string()), ("990.00".into(), "10.00".into()));
    economy.assert_adds_up().await;

    let claim = economy.claim(task.id).await;
    assert!(economy.complete(&claim).await);
    let after = economy.balance(&buyer).await;
    assert_eq!(
        (after.available.to_string(), after.held, after.spent.to_string()),
        ("990.00".into(), Credits::ZERO, "10.00".into())
    );
    assert_eq!(economy.available(&owner).await, "1009.50");
    assert_eq!(economy.platform().await, "0.50");

    let rows = ledger::entries(&economy.db, &owner, &EntryFilter::default(), 10).await.unwrap().items;
    let seen: Vec<(EntryKind, String, String)> =
        rows.iter().map(|e| (e.kind, e.amount.to_string(), e.balance_after.to_string())).collect();
    assert_eq!(
        seen,
        [
            (EntryKind::PlatformFee, "-0.50".into(), "1009.50".into()),
            (EntryKind::TaskCredit, "10.00".into(), "1010.00".into()),
            (EntryKind::InitialGrant, "1000.00".into(), "1000.00".into()),
        ]
    );
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn rule_4_too_little_credit_leaves_nothing_behind(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Dear", "600").await;
    economy.hire(&buyer, agent).await.unwrap();
    let refused = economy.hire(&buyer, agent).await;
    let Err(Error::InsufficientCredits { needed, available }) = refused else { panic!("{refused:?}") };
    assert_eq!((needed.to_string(), available.to_string()), ("600.00".into(), "400.00".into()));
    let tasks: i64 = sqlx::query_scalar("SELECT count(*) FROM tasks").fetch_one(economy.db.pool()).await.unwrap();
    assert_eq!(tasks, 1, "the refused task is not written");
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn rule_4_the_budget_and_the_shown_price_are_ceilings(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "10").await;
    let now = chrono::Utc::now();
    let budget = NewTask { max_budget: Some(credits("9.99")), ..order(agent) };
    assert!(
        matches!(tasks::create(&economy.db, &buyer, budget, now).await, Err(Error::Validation(f)) if f[0].field == "maxBudgetCredits")
    );
    let shown = NewTask { shown_price: Some(credits("8")), ..order(agent) };
    assert!(
        matches!(tasks::create(&economy.db, &buyer, shown, now).await, Err(Error::Validation(f)) if f[0].field == "price")
    );
    assert_eq!(economy.available(&buyer).await, "1000.00");
}

#[sqlx::test(migrations = "../migrations")]
async fn rule_4_parallel_hires_never_spend_a_credit_twice(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "100").await;
    let tries = futures_join(24, |_| economy.hire(&buyer, agent)).await;
    let (taken, refused): (Vec<_>, Vec<_>) = tries.into_iter().partition(Result::is_ok);
    assert_eq!((taken.len(), refused.len()), (10, 14));
    assert!(refused.iter().all(|r| matches!(r, Err(Error::InsufficientCredits { .. }))));
    assert_eq!(economy.available(&buyer).await, "0.00");
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn rule_5_exactly_one_end_whatever_races(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "10").await;
    for _ in 0..12 {
        let task = economy.hire(&buyer, agent).await.unwrap();
        let claim = economy.claim(task.id).await;
        let (completed, failed, cancelled) = tokio::join!(
            economy.complete(&claim),
            economy.fail(&claim, Fault::Agent),
            tasks::cancel(&economy.db, &buyer, task.id)
        );
        let ends = usize::from(completed) + usize::from(failed) + usize::from(cancelled.is_ok());
        assert_eq!(ends, 1, "completed {completed}, failed {failed}, cancelled {cancelled:?}");
        economy.assert_adds_up().await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn rule_5_a_failure_returns_the_whole_hold(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "33.33").await;
    let task = economy.hire(&buyer, agent).await.unwrap();
    let claim = economy.claim(task.id).await;
    assert!(economy.fail(&claim, Fault::Agent).await);
    assert_eq!(
        (economy.available(&buyer).await, economy.available(&owner).await),
        ("1000.00".into(), "1000.00".into())
    );
    assert_eq!(economy.platform().await, "0.00");
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn rule_6_between_agents_of_one_owner_neither_money_nor_trust_moves(pool: PgPool) {
    let economy = Economy::new(pool);
    let owner = economy.person("owner").await;
    let agent = economy.agent(&owner, "Own", "10").await;
    let task = economy.hire(&owner, agent).await.unwrap();
    assert_eq!(task.held, Credits::ZERO);
    let claim = economy.claim(task.id).await;
    assert!(economy.complete(&claim).await);
    assert_eq!((economy.available(&owner).await, economy.trust(agent).await), ("1000.00".into(), 50.0));
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn rule_7_a_purchase_is_credited_once_and_only_as_offered(pool: PgPool) {
    let economy = Economy::new(pool);
    let buyer = economy.person("buyer").await;
    let package = Package::find("starter").unwrap();
    let begun = purchase::begin(&economy.db, &buyer, package).await.unwrap();
    let paid = |event: &str, cents: i64, id: PurchaseId| PaidSession {
        event_id: event.into(),
        event_type: "checkout.session.completed".into(),
        purchase: id,
        session_id: "cs_1".into(),
        amount_cents: cents,
        currency: "usd".into(),
    };
    let db = &economy.db;
    let credit = |p: PaidSession| async move { purchase::credit(db, &p).await.unwrap() };
    assert_eq!(credit(paid("evt_0", 1, begun.id)).await, Credited::Mismatch);
    assert_eq!(credit(paid("evt_x", 1000, PurchaseId(uuid::Uuid::new_v4()))).await, Credited::Unknown);
    let all = futures_join(8, |n| credit(paid(&format!("evt_{}", n % 2 + 1), 1000, begun.id))).await;
    assert_eq!(all.iter().filter(|c| **c == Credited::Now).count(), 1);
    let balance = economy.balance(&buyer).await;
    assert_eq!((balance.available.to_string(), balance.purchased.to_string()), ("2000.00".into(), "1000.00".into()));
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn rule_1_money_rows_are_only_ever_added_whoever_asks(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "10").await;
    let task = economy.hire(&buyer, agent).await.unwrap();
    let claim = economy.claim(task.id).await;
    economy.complete(&claim).await;
    for sql in [
        "UPDATE credit_transactions SET amount = amount + 1",
        "DELETE FROM credit_transactions",
        "TRUNCATE credit_transactions CASCADE",
        "DELETE FROM credit_balances",
        "DELETE FROM transactions",
        "UPDATE transactions SET status = 'refunded'",
        "UPDATE transactions SET amount_credits = 1",
        // Cascades stop here too: neither an account nor an agent can take its money's history along.
        "DELETE FROM auth.users",
        "DELETE FROM agents",
        "DELETE FROM tasks",
    ] {
        let refused = sqlx::query(sql).execute(economy.db.pool()).await;
        assert!(refused.is_err(), "the service itself could: {sql}");
    }
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn rule_9_the_audit_notices_what_does_not_add_up(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "10").await;
    let task = economy.hire(&buyer, agent).await.unwrap();
    let claim = economy.claim(task.id).await;
    economy.complete(&claim).await;
    economy.assert_adds_up().await;
    for (forge, check) in [
        ("UPDATE credit_balances SET balance = balance + 1 WHERE user_id = ledger.platform()", 1),
        (
            "ALTER TABLE credit_transactions DISABLE TRIGGER append_only; UPDATE credit_transactions SET balance_after = 5 WHERE type = 'task_debit'",
            0,
        ),
        ("ALTER TABLE transactions DISABLE TRIGGER guard_transaction; UPDATE transactions SET status = 'pending'", 3),
    ] {
        let mut tx = economy.db.pool().begin().await.unwrap();
        sqlx::raw_sql(forge).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
        let report = ledger::audit(&economy.db, &Actor::System).await.unwrap();
        assert!(!report.findings[check].departures.is_empty(), "{forge} went unnoticed: {report:#?}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn the_fee_of_the_database_is_the_fee_of_the_program(pool: PgPool) {
    for cents in (0..2_000).chain([9_999, 100_001, 99_999_999]) {
        let price = Credits::from_cents(cents);
        let fee: rust_decimal::Decimal =
            sqlx::query_scalar("SELECT ledger.fee($1)").bind(price.decimal()).fetch_one(&pool).await.unwrap();
        assert_eq!(fee, price.fee().decimal(), "fee of {price}");
    }
}

/// Runs `n` futures at once.
async fn futures_join<F, T>(n: usize, make: impl Fn(usize) -> F) -> Vec<T>
where
    F: Future<Output = T>,
{
    let mut waiting: Vec<_> = (0..n).map(|i| Box::pin(make(i))).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|cx| {
        waiting.retain_mut(|f| match f.as_mut().poll(cx) {
            std::task::Poll::Ready(value) => {
                done.push(value);
                false
            }
            std::task::Poll::Pending => true,
        });
        if waiting.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done
}
