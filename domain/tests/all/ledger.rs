//! What the ledger does beyond whole holds: captured in part, limited, taken back, corrected, exported.

use crate::support::{Economy, credits};
use chrono::{DateTime, TimeDelta, Utc};
use domain::ledger::export::{self, Format};
use domain::ledger::payments::Provider;
use domain::ledger::payments::events::{self, Effect, EventId, News, PaymentEvent};
use domain::ledger::payments::purchase::{self, Offer, Purchase, PurchaseStatus};
use domain::ledger::payments::{refund, topup};
use domain::ledger::{self};
use domain::tasks::finish::{self, Delivery, Outcome};
use domain::tasks::{self};
use domain::{Actor, Credits, Error};
use sqlx::PgPool;

fn delivery(cost: &str) -> Delivery {
    Delivery { cost: Some(credits(cost)), ..Delivery::default() }
}

#[sqlx::test(migrations = "../migrations")]
async fn an_agent_that_cost_less_is_paid_less_and_never_more(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "10").await;
    // (what it says, what is captured, the buyer's and the owner's balance afterwards)
    let cases = [
        ("4.20", "4.20", "995.80", "1003.99"),
        ("11.00", "10.00", "985.80", "1013.49"),
        ("0.00", "0.00", "985.80", "1013.49"),
        ("-5.00", "0.00", "985.80", "1013.49"),
        ("0.05", "0.05", "985.75", "1013.54"),
    ];
    for (says, captured, buyer_has, owner_has) in cases {
        let task = economy.hire(&buyer, agent).await.unwrap();
        let claim = economy.claim(task.id).await;
        assert!(finish::complete(&economy.db, &claim, &delivery(says), Utc::now()).await.unwrap());
        let seen = tasks::detail(&economy.db, &buyer, task.id).await.unwrap();
        assert_eq!((seen.cost.to_string().as_str(), seen.hold.as_deref()), (captured, Some("settled")), "{says}");
        assert_eq!(economy.available(&buyer).await, buyer_has, "{says}");
        assert_eq!(economy.available(&owner).await, owner_has, "{says}");
        economy.assert_adds_up().await;
    }
    let more =
        sqlx::query("ALTER TABLE transactions DISABLE TRIGGER guard_transaction").execute(economy.db.pool()).await;
    more.unwrap();
    let more =
        sqlx::query("UPDATE transactions SET captured_credits = amount_credits + 1").execute(economy.db.pool()).await;
    assert!(
        more.unwrap_err().to_string().contains("transactions_capture_within_hold"),
        "the database itself refuses more"
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn many_ends_in_one_batch_are_what_they_are_one_by_one(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let cheap = economy.agent(&owner, "Cheap", "0.33").await;
    let own = economy.agent(&buyer, "Own", "5").await;
    let mut ends = Vec::new();
    for n in 0..300 {
        let task = economy.hire(&buyer, if n % 10 == 0 { own } else { cheap }).await.unwrap();
        let claim = economy.claim(task.id).await;
        let outcome = match n % 3 {
            0 => Outcome::Completed(Delivery::default()),
            1 => Outcome::Completed(delivery("0.10")),
            _ => Outcome::Failed(
                Delivery::default(),
                finish::Failure { message: "no".into(), kind: "Reported a failure", fault: finish::Fault::Agent },
            ),
        };
        ends.push((claim, outcome));
    }
    // One that is in the batch twice ends once.
    ends.push(ends[0].clone());
    let done = finish::end_many(&economy.db, &ends, Utc::now()).await.unwrap();
    assert_eq!(done.iter().filter(|d| **d).count(), 300);
    assert!(!done[300]);
    assert!(
        finish::end_many(&economy.db, &ends, Utc::now()).await.unwrap().iter().all(|d| !d),
        "again changes nothing"
    );
    economy.assert_adds_up().await;
    let captured: Vec<Credits> = ends[..300]
        .iter()
        .enumerate()
        .filter(|(n, _)| n % 10 != 0)
        .map(|(n, _)| match n % 3 {
            0 => credits("0.33"),
            1 => credits("0.10"),
            _ => Credits::ZERO,
        })
        .collect();
    let paid: Credits = captured.iter().copied().sum();
    let fees: Credits = captured.iter().map(|c| c.fee()).sum();
    let balance = economy.balance(&buyer).await;
    assert_eq!((balance.available, balance.spent), (credits("1000") - paid, paid));
    assert_eq!(economy.balance(&owner).await.earned, paid - fees);
    assert_eq!(economy.platform().await, fees.to_string());
}

#[sqlx::test(migrations = "../migrations")]
async fn limits_hold_for_the_day_and_the_month_and_what_comes_back_counts_no_more(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "10").await;
    let set = |daily: Option<&str>, monthly: Option<&str>| {
        ledger::set_limits(&economy.db, &buyer, daily.map(credits), monthly.map(credits))
    };
    let (daily, monthly) = (Some("25"), Some("1000"));
    set(daily, monthly).await.unwrap();
    let first = economy.hire(&buyer, agent).await.unwrap();
    economy.hire(&buyer, agent).await.unwrap();
    let Err(Error::SpendingLimit(why)) = economy.hire(&buyer, agent).await else { panic!("the third exceeds the day") };
    assert!(why.contains("25.00 credits a day") && why.contains("20.00 are spent"), "{why}");
    tasks::cancel(&economy.db, &buyer, first.id).await.unwrap();
    economy.hire(&buyer, agent).await.expect("what came back counts no more");
    set(None, Some("25")).await.unwrap();
    assert!(matches!(economy.hire(&buyer, agent).await, Err(Error::SpendingLimit(_))));
    let seen = ledger::limits(&economy.db, &buyer, Utc::now()).await.unwrap();
    assert_eq!(
        (seen.daily, seen.spent_today.to_string(), seen.spent_this_month.to_string()),
        (None, "20.00".into(), "20.00".into())
    );
    assert!(matches!(set(Some("-1"), None).await, Err(Error::Validation(f)) if f[0].field == "daily"));
    set(None, None).await.unwrap();
    economy.hire(&buyer, agent).await.expect("no limit");
    economy.assert_adds_up().await;
}

async fn bought(economy: &Economy, buyer: &Actor, cents: i64) -> Purchase {
    let begun = purchase::begin(&economy.db, buyer, Offer::Amount(cents), false, Provider::Sandbox).await.unwrap();
    assert_eq!(tell(economy, paid(&begun)).await, Effect::Credited);
    purchase::find(&economy.db, buyer, begun.id).await.unwrap()
}

fn paid(p: &Purchase) -> News {
    News::Paid {
        purchase: p.id,
        session: Some(format!("cs_{}", p.id)),
        payment_intent: Some(format!("pi_{}", p.id)),
        amount_cents: p.amount_cents,
        currency: "usd".into(),
    }
}

async fn tell(economy: &Economy, news: News) -> Effect {
    tell_at(economy, news, Utc::now()).await
}

async fn tell_at(economy: &Economy, news: News, as_of: DateTime<Utc>) -> Effect {
    let event = Some(EventId { id: format!("evt_{}", uuid::Uuid::new_v4()), kind: "test".into() });
    events::apply(&economy.db, &PaymentEvent { event, as_of, news }).await.unwrap()
}

/// Every order of `n` things.
fn orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![vec![]];
    }
    orders(n - 1)
        .into_iter()
        .flat_map(|order| {
            (0..n).map(move |at| {
                let mut longer = order.clone();
                longer.insert(at, n - 1);
                longer
            })
        })
        .collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn events_in_any_order_come_to_the_same_end(pool: PgPool) {
    let economy = Economy::new(pool);
    let buyer = economy.person("buyer").await;
    let begun = Utc::now();
    for order in orders(5) {
        let before = economy.balance(&buyer).await.available;
        let p = purchase::begin(&economy.db, &buyer, Offer::Amount(1_000), false, Provider::Sandbox).await.unwrap();
        let (intent, charge, dispute) = (format!("pi_{}", p.id), format!("ch_{}", p.id), format!("dp_{}", p.id));
        let refunded =
            |amount_cents| News::Refunded { charge: charge.clone(), payment_intent: intent.clone(), amount_cents };
        let disputed = |stands| News::Dispute {
            dispute: dispute.clone(),
            payment_intent: intent.clone(),
            amount_cents: 300,
            stands,
        };
        // What the provider tells, in the order in which it happened.
        let told = [paid(&p), refunded(200), disputed(true), refunded(450), disputed(false)];
        for n in &order {
            let at = begun + TimeDelta::seconds(*n as i64);
            tell_at(&economy, told[*n].clone(), at).await;
        }
        let after = purchase::find(&economy.db, &buyer, p.id).await.unwrap();
        assert_eq!((after.status, after.taken.to_string()), (PurchaseStatus::Paid, "450.00".into()), "{order:?}");
        assert_eq!((economy.balance(&buyer).await.available - before).to_string(), "550.00", "{order:?}");
    }
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_spent_is_owed_and_collected_first(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let dear = economy.agent(&owner, "Dear", "1500").await;
    let p = bought(&economy, &buyer, 1_000).await;
    let task = economy.hire(&buyer, dear).await.unwrap();
    let intent = p.payment_intent.clone().unwrap();
    let disputed =
        |stands| News::Dispute { dispute: "dp".into(), payment_intent: intent.clone(), amount_cents: 1_000, stands };
    tell(&economy, disputed(true)).await;
    let owes = purchase::find(&economy.db, &buyer, p.id).await.unwrap();
    assert_eq!((owes.taken.to_string(), owes.owed.to_string()), ("500.00".into(), "500.00".into()));
    assert_eq!(economy.available(&buyer).await, "0.00");
    // What comes back is not spent again before the debt is paid.
    tasks::cancel(&economy.db, &buyer, task.id).await.unwrap();
    assert_eq!(economy.available(&buyer).await, "1500.00");
    let Err(Error::InsufficientCredits { available, .. }) = economy.hire(&buyer, dear).await else { panic!("it owes") };
    assert_eq!(available.to_string(), "1000.00");
    economy.assert_adds_up().await;
    // A new purchase pays the debt at once.
    let second = bought(&economy, &buyer, 1_000).await;
    let owes = purchase::find(&economy.db, &buyer, p.id).await.unwrap();
    assert_eq!((owes.taken.to_string(), owes.owed, second.taken), ("1000.00".into(), Credits::ZERO, Credits::ZERO));
    assert_eq!(economy.available(&buyer).await, "2000.00");
    // The dispute is won: all of it comes back.
    tell(&economy, disputed(false)).await;
    assert_eq!(economy.available(&buyer).await, "3000.00");
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_refund_takes_the_credits_before_the_provider_is_asked(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, stranger) = (economy.person("buyer").await, economy.person("stranger").await);
    let p = bought(&economy, &buyer, 4_000).await;
    let now = Utc::now();
    assert!(matches!(refund::request(&economy.db, &stranger, p.id, now).await, Err(Error::NotFound(_))));
    let late = refund::request(&economy.db, &buyer, p.id, now + refund::PERIOD + TimeDelta::hours(1)).await;
    assert!(matches!(late, Err(Error::Conflict(why)) if why.contains("14 days")));
    let (order, credits) = refund::request(&economy.db, &buyer, p.id, now).await.unwrap();
    assert_eq!((order.amount_cents, economy.available(&buyer).await), (4_000, "1000.00".into()));
    assert_eq!(credits.to_string(), "5000.00");
    let state = async |of: uuid::Uuid| refund::find(&economy.db, &buyer, of).await.unwrap().1;
    assert_eq!(state(order.id).await, refund::OrderState::Ordered);
    assert!(matches!(refund::find(&economy.db, &stranger, order.id).await, Err(Error::NotFound(_))));
    assert!(matches!(refund::request(&economy.db, &buyer, p.id, now).await, Err(Error::Conflict(_))), "once");
    economy.assert_adds_up().await;
    // The provider refuses: they come back. Asked again and taken, its event changes nothing more.
    refund::failed(&economy.db, order.id, &order.payment_intent).await.unwrap();
    assert_eq!(economy.available(&buyer).await, "6000.00");
    assert_eq!(state(order.id).await, refund::OrderState::Refused);
    let (again, _) = refund::request(&economy.db, &buyer, p.id, now).await.unwrap();
    assert_eq!(refund::due(&economy.db, now + TimeDelta::seconds(1)).await.unwrap().len(), 1);
    refund::accepted(&economy.db, again.id).await.unwrap();
    assert_eq!(state(again.id).await, refund::OrderState::Taken);
    assert!(refund::due(&economy.db, now + TimeDelta::days(1)).await.unwrap().is_empty());
    let news = News::Refunded { charge: "ch".into(), payment_intent: again.payment_intent, amount_cents: 4_000 };
    tell(&economy, news).await;
    assert_eq!(economy.available(&buyer).await, "1000.00");
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn receipts_are_numbered_without_gaps(pool: PgPool) {
    let economy = Economy::new(pool);
    let (ada, ben) = (economy.person("ada").await, economy.person("ben").await);
    for n in 0..6 {
        bought(&economy, if n % 2 == 0 { &ada } else { &ben }, 500 + n).await;
    }
    let mut numbers = Vec::new();
    for person in [&ada, &ben] {
        let page = purchase::receipts(&economy.db, person, None, 10).await.unwrap();
        numbers.extend(page.items.iter().filter_map(|p| p.receipt_number));
        assert_eq!(page.items.len(), 3);
    }
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_correction_is_between_the_platform_and_another(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "100").await;
    let task = economy.hire(&buyer, agent).await.unwrap();
    let claim = economy.claim(task.id).await;
    economy.complete(&claim).await;
    let adjust =
        |amount: &str| ledger::adjust(&economy.db, &Actor::System, buyer.user().unwrap(), credits(amount), "goodwill");
    assert!(matches!(adjust("5.01").await, Err(Error::InsufficientCredits { .. })), "the platform has 5.00");
    adjust("5.00").await.unwrap();
    assert_eq!((economy.available(&buyer).await, economy.platform().await), ("905.00".into(), "0.00".into()));
    adjust("-1.00").await.unwrap();
    assert_eq!(economy.platform().await, "1.00");
    assert!(ledger::adjust(&economy.db, &buyer, buyer.user().unwrap(), credits("1"), "x").await.is_err());
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_topup_is_due_below_the_threshold_once_and_pauses_after_three_declines(pool: PgPool) {
    use domain::ledger::payments::customer::{self, SavedCard};
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "200").await;
    let settings = topup::TopupSettings { threshold: credits("900"), amount_cents: 1_000, monthly_cap_cents: 2_000 };
    assert!(
        matches!(topup::set(&economy.db, &buyer, &settings, Provider::Sandbox).await, Err(Error::Conflict(_))),
        "no card"
    );
    let user = buyer.user().unwrap();
    customer::keep_customer(&economy.db, user, Provider::Sandbox, "cus_1").await.unwrap();
    let card = SavedCard {
        payment_method: "pm_1".into(),
        brand: "visa".into(),
        last4: "4242".into(),
        expires: "04/2030".into(),
    };
    customer::keep_card(&economy.db, user, Provider::Sandbox, Some(&card)).await.unwrap();
    topup::set(&economy.db, &buyer, &settings, Provider::Sandbox).await.unwrap();
    let mut now = Utc::now() + TimeDelta::seconds(1);
    let due = |now| topup::due(&economy.db, Provider::Sandbox, now);
    assert!(due(now).await.unwrap().is_empty(), "1,000 is not below 900");
    economy.hire(&buyer, agent).await.unwrap();
    assert!(topup::due(&economy.db, Provider::Stripe, now).await.unwrap().is_empty(), "the other provider has no card");
    let first = due(now).await.unwrap().remove(0);
    assert!(due(now).await.unwrap().is_empty(), "it is being charged");
    // A process that died over it: the same purchase, so the same idempotency key.
    now += TimeDelta::minutes(11);
    assert_eq!(due(now).await.unwrap()[0].purchase.id, first.purchase.id);
    let mut waits = Vec::new();
    let mut current = first;
    for failure in 1..=3 {
        events::refused(&economy.db, &current.purchase, "Your card was declined.", now).await.unwrap();
        let seen = topup::get(&economy.db, &buyer).await.unwrap().unwrap();
        assert_eq!(seen.failures, failure);
        waits.push(seen.next_try_at - now);
        now = seen.next_try_at;
        match due(now).await.unwrap().pop() {
            Some(next) => current = next,
            None => assert_eq!((failure, seen.state), (3, topup::TopupState::Paused)),
        }
    }
    assert!(waits[0] < waits[1], "{waits:?}");
    let mails: Vec<String> =
        sqlx::query_scalar("SELECT subject FROM mails ORDER BY created_at").fetch_all(economy.db.pool()).await.unwrap();
    assert_eq!(mails, ["Automatic top-up was declined", "Automatic top-up is paused"]);
    // Its owner takes it up again; the cap of two a month holds.
    topup::set(&economy.db, &buyer, &settings, Provider::Sandbox).await.unwrap();
    sqlx::query("UPDATE auto_topups SET threshold = 1000000").execute(economy.db.pool()).await.unwrap();
    for _ in 0..2 {
        now += TimeDelta::minutes(1);
        let next = due(now).await.unwrap().remove(0);
        purchase::attach_payment(&economy.db, next.purchase.id, &format!("pi_{}", next.purchase.id)).await.unwrap();
        let News::Paid { purchase, payment_intent, amount_cents, currency, .. } = paid(&next.purchase) else {
            unreachable!()
        };
        let news = News::Paid { purchase, session: None, payment_intent, amount_cents, currency };
        assert_eq!(tell(&economy, news).await, Effect::Credited);
    }
    assert!(due(now + TimeDelta::minutes(1)).await.unwrap().is_empty());
    let seen = topup::get(&economy.db, &buyer).await.unwrap().unwrap();
    assert_eq!((seen.last_error.as_deref(), seen.failures), (Some("the monthly cap is reached"), 0));
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn the_books_balance_in_hledger_where_it_is_installed(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "33.33").await;
    for n in 0..4 {
        let task = economy.hire(&buyer, agent).await.unwrap();
        let claim = economy.claim(task.id).await;
        match n {
            0 => assert!(economy.complete(&claim).await),
            1 => assert!(economy.fail(&claim, finish::Fault::Agent).await),
            2 => assert!(finish::complete(&economy.db, &claim, &delivery("1.11"), Utc::now()).await.unwrap()),
            _ => {}
        }
    }
    let p = bought(&economy, &buyer, 1_000).await;
    let news = News::Refunded { charge: "ch".into(), payment_intent: p.payment_intent.unwrap(), amount_cents: 300 };
    tell(&economy, news).await;
    ledger::adjust(&economy.db, &Actor::System, owner.user().unwrap(), credits("0.50"), "a \"quoted\" ; reason | here")
        .await
        .unwrap();
    let mut books = String::new();
    let rows = export::export(&economy.db, &Actor::System, Format::Hledger, |text| {
        books.push_str(text);
        Ok(())
    })
    .await
    .unwrap();
    let all: i64 =
        sqlx::query_scalar("SELECT count(*) FROM credit_transactions").fetch_one(economy.db.pool()).await.unwrap();
    assert_eq!(rows, all as u64);
    assert!(books.contains("escrow  0.00 CREDITS = 33.33 CREDITS"), "{books}");
    let file = std::env::temp_dir().join(format!("nexus-books-{}.journal", std::process::id()));
    std::fs::write(&file, &books).unwrap();
    let Ok(checked) = std::process::Command::new("hledger").args(["check", "-s", "-f"]).arg(&file).output() else {
        eprintln!("hledger is not installed: the books were written, not checked");
        return;
    };
    assert!(checked.status.success(), "{}\n{books}", String::from_utf8_lossy(&checked.stderr));
    // And it notices what is wrong.
    std::fs::write(&file, books.replacen("33.33 CREDITS", "33.34 CREDITS", 1)).unwrap();
    let checked = std::process::Command::new("hledger").args(["check", "-s", "-f"]).arg(&file).output().unwrap();
    assert!(!checked.status.success());
    std::fs::remove_file(&file).unwrap();
}
