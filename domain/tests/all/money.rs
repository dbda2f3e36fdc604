//! The rules of money (design section 5). Each test fails when its rule is broken.

use crate::support::{Economy, credits, order};
use domain::ledger::payments::Provider;
use domain::ledger::payments::events::{self, Effect, EventId, News, PaymentEvent};
use domain::ledger::payments::packages::Package;
use domain::ledger::payments::purchase::{self, Offer};
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
    let begun = purchase::begin(&economy.db, &buyer, Offer::Package(package), false, Provider::Sandbox).await.unwrap();
    let paid = |event: &str, cents: i64, id: PurchaseId| PaymentEvent {
        event: Some(EventId { id: event.into(), kind: "checkout.session.completed".into() }),
        as_of: chrono::Utc::now(),
        news: News::Paid {
            purchase: id,
            session: Some("cs_1".into()),
            payment_intent: Some("pi_1".into()),
            amount_cents: cents,
            currency: "usd".into(),
        },
    };
    let db = &economy.db;
    let credit = |p: PaymentEvent| async move { events::apply(db, &p).await.unwrap() };
    assert_eq!(credit(paid("evt_0", 1, begun.id)).await, Effect::Mismatch);
    assert_eq!(credit(paid("evt_x", 1000, PurchaseId(uuid::Uuid::new_v4()))).await, Effect::Unknown);
    let all = futures_join(50, |n| credit(paid(&format!("evt_{}", n % 2 + 1), 1000, begun.id))).await;
    assert_eq!(all.iter().filter(|c| **c == Effect::Credited).count(), 1);
    let events: i64 = sqlx::query_scalar("SELECT count(*) FROM stripe_events").fetch_one(db.pool()).await.unwrap();
    assert_eq!(events, 1, "an event without an effect is not recorded");
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
    let off = "ALTER TABLE credit_transactions DISABLE TRIGGER append_only;";
    let forgeries = [
        // (what is done by hand, which check must say so)
        ("UPDATE credit_balances SET balance = balance + 1 WHERE user_id = ledger.platform()", 1),
        ("UPDATE credit_transactions SET balance_after = 5 WHERE type = 'task_debit'", 0),
        ("UPDATE credit_transactions SET description = 'something else' WHERE type = 'task_credit'", 0),
        ("UPDATE credit_transactions SET created_at = created_at - interval '1 day' WHERE type = 'initial_grant'", 0),
        ("UPDATE credit_transactions SET metadata = '{}' WHERE type = 'task_credit'", 0),
        ("DELETE FROM credit_transactions WHERE type = 'initial_grant'", 0),
        ("DELETE FROM credit_transactions WHERE position = 3", 1),
        ("UPDATE credit_balances SET total_spent = total_spent + 1, total_earned = total_earned + 1", 3),
        ("UPDATE credit_balances SET balance = balance + 1, total_earned = total_earned + 1", 4),
        (
            "ALTER TABLE transactions DISABLE TRIGGER guard_transaction; UPDATE transactions SET status = 'pending', captured_credits = NULL",
            5,
        ),
        ("ALTER TABLE transactions DISABLE TRIGGER guard_transaction; UPDATE transactions SET captured_credits = 1", 5),
        ("ALTER TABLE tasks DISABLE TRIGGER guard_task; UPDATE tasks SET actual_cost_credits = 1", 6),
        (
            "INSERT INTO purchases (user_id, package, credits, amount_cents, status, receipt_number) SELECT id, 'x', 1, 1, 'paid', 9 FROM auth.users LIMIT 1",
            7,
        ),
        ("UPDATE spending_days SET spent = spent + 1", 8),
    ];
    for (forge, check) in forgeries {
        let mut tx = economy.db.pool().begin().await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("{off} {forge}"))).execute(&mut *tx).await.unwrap();
        let found = ledger::audit_in(&mut tx).await.unwrap();
        assert!(!found.findings[check].departures.is_empty(), "{forge} went unnoticed: {found:#?}");
        tx.rollback().await.unwrap();
    }
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn rewriting_a_whole_chain_contradicts_the_anchor_of_an_earlier_audit(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "10").await;
    let every = chrono::TimeDelta::hours(24);
    let now = chrono::Utc::now();
    let (first, _) = ledger::audit_and_anchor(&economy.db, every, now).await.unwrap().expect("none was made yet");
    assert!(first.holds());
    assert!(ledger::audit_and_anchor(&economy.db, every, now).await.unwrap().is_none(), "once a day");
    economy.hire(&buyer, agent).await.unwrap();
    let second = ledger::audit(&economy.db, &Actor::System).await.unwrap();
    assert!(second.holds() && first.anchor != second.anchor);
    // Somebody who may write everything, and who makes each hash right again.
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "ALTER TABLE credit_transactions DISABLE TRIGGER append_only;
         UPDATE credit_transactions SET description = 'Never mind' WHERE user_id = '{0}' AND position = 1;
         UPDATE credit_transactions SET hash = ledger.entry_hash('', user_id, position, type, amount, balance_after, reference_id,
           description, metadata, created_at) WHERE user_id = '{0}' AND position = 1;
         UPDATE credit_transactions c SET hash = ledger.entry_hash(p.hash, c.user_id, c.position, c.type, c.amount, c.balance_after,
           c.reference_id, c.description, c.metadata, c.created_at)
           FROM credit_transactions p WHERE p.user_id = c.user_id AND p.position = 1 AND c.position = 2 AND c.user_id = '{0}';
         UPDATE credit_balances b SET chain = c.hash FROM credit_transactions c
          WHERE b.user_id = c.user_id AND c.position = 2 AND b.user_id = '{0}'",
        buyer.user().unwrap()
    )))
    .execute(economy.db.pool())
    .await
    .unwrap();
    let report = ledger::audit(&economy.db, &Actor::System).await.unwrap();
    assert!(report.findings[0].departures.is_empty(), "the chain itself looks right: {report:#?}");
    assert!(!report.findings[2].departures.is_empty(), "{report:#?}");
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
