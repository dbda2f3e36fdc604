//! Disputes: what was paid goes back into escrow and out of it once, and none stays open for ever.

use chrono::{DateTime, TimeDelta, Utc};
use domain::tasks::disputes::{self, ANSWER_WITHIN, DECIDE_WITHIN, DecidedBy, Side, WINDOW};
use domain::tasks::{self};
use domain::{Actor, AgentId, Error, TaskId, accounts, ledger};
use sqlx::PgPool;

use crate::support::{Economy, credits};

struct Case {
    economy: Economy,
    buyer: Actor,
    owner: Actor,
    agent: AgentId,
    task: TaskId,
}

/// A task for 100 credits, completed and paid: the buyer has 900, the owner 1,095, the platform 5.
async fn paid(pool: PgPool) -> Case {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "100").await;
    let task = economy.hire(&buyer, agent).await.unwrap().id;
    assert!(economy.complete(&economy.claim(task).await).await);
    Case { economy, buyer, owner, agent, task }
}

impl Case {
    async fn open(&self) {
        disputes::open(&self.economy.db, &self.buyer, self.task, "It is wrong", Utc::now()).await.unwrap();
    }

    async fn have(&self) -> [String; 3] {
        let e = &self.economy;
        e.assert_adds_up().await;
        [e.available(&self.buyer).await, e.available(&self.owner).await, e.platform().await]
    }

    async fn operator(&self, name: &str) -> Actor {
        let operator = self.economy.person(name).await;
        accounts::set_operator(&self.economy.db, &Actor::System, operator.user().unwrap(), true).await.unwrap();
        operator
    }

    /// What the buyer is said to have spent today: against the limits, and on the page of usage.
    async fn spent(&self) -> [String; 2] {
        let (db, now) = (&self.economy.db, Utc::now());
        let limits = ledger::limits(db, &self.buyer, now).await.unwrap();
        let usage = ledger::usage(db, &self.buyer, 1, now.date_naive()).await.unwrap();
        [limits.spent_today.to_string(), usage[0].spent.to_string()]
    }

    async fn earned(&self) -> String {
        let usage = ledger::usage(&self.economy.db, &self.owner, 1, Utc::now().date_naive()).await.unwrap();
        assert_eq!(usage[0].earned, self.economy.balance(&self.owner).await.earned);
        usage[0].earned.to_string()
    }

    async fn decision(&self) -> Option<(DecidedBy, String, String, String)> {
        let d = disputes::of_task(&self.economy.db, &self.buyer, self.task).await.unwrap().decision?;
        Some((d.by, d.refund.to_string(), d.returned.to_string(), d.owed.to_string()))
    }

    async fn clock(&self, after: TimeDelta) -> usize {
        disputes::by_the_clock(&self.economy.db, Utc::now() + after).await.unwrap()
    }
}

fn later(by: TimeDelta) -> DateTime<Utc> {
    Utc::now() + by
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_paid_goes_into_escrow_and_back_as_an_operator_decides(pool: PgPool) {
    let case = paid(pool).await;
    assert_eq!(case.have().await, ["900.00", "1095.00", "5.00"]);
    case.open().await;
    assert_eq!(case.have().await, ["900.00", "1000.00", "0.00"]);
    let db = &case.economy.db;
    let judge = case.operator("judge").await;
    assert_eq!(disputes::open_ones(db, &judge).await.unwrap().len(), 1);
    let decide =
        async |who, refund| disputes::decide(db, who, case.task, credits(refund), "So it is", Utc::now()).await;
    let stranger = case.economy.person("stranger").await;
    for who in [&case.buyer, &stranger] {
        assert!(matches!(decide(who, "100").await, Err(Error::Forbidden(_))), "no operator");
    }
    assert!(matches!(decide(&judge, "100.01").await, Err(Error::Validation(_))));
    assert!(matches!(decide(&judge, "-1").await, Err(Error::Validation(_))));
    decide(&judge, "40").await.unwrap();
    // As if the task had cost 60: 57 to the earner, 3 to the platform.
    assert_eq!(case.have().await, ["940.00", "1057.00", "3.00"]);
    assert!(matches!(decide(&judge, "100").await, Err(Error::Conflict(_))), "once");
    assert_eq!(case.decision().await, Some((DecidedBy::Operator, "40.00".into(), "40.00".into(), "0.00".into())));
    let spent = case.economy.balance(&case.buyer).await.spent;
    assert_eq!((spent, case.economy.balance(&case.owner).await.earned), (credits("60"), credits("57")));
    assert!(sqlx::query("UPDATE disputes SET refund_credits = 0").execute(db.pool()).await.is_err(), "never changed");
    assert!(sqlx::query("DELETE FROM dispute_statements").execute(db.pool()).await.is_err());
}

#[sqlx::test(migrations = "../migrations")]
async fn an_operator_is_no_judge_in_their_own_case(pool: PgPool) {
    let case = paid(pool).await;
    case.open().await;
    let db = &case.economy.db;
    accounts::set_operator(db, &Actor::System, case.buyer.user().unwrap(), true).await.unwrap();
    let own = disputes::decide(db, &case.buyer, case.task, credits("100"), "Mine", Utc::now()).await;
    assert!(matches!(own, Err(Error::Forbidden(_))));
    assert!(matches!(
        accounts::set_operator(db, &case.buyer, case.owner.user().unwrap(), true).await,
        Err(Error::Forbidden(_))
    ));
    assert_eq!(case.decision().await, None);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_sides_can_end_it_themselves(pool: PgPool) {
    let case = paid(pool).await;
    case.open().await;
    let db = &case.economy.db;
    let accept = async |who, sum| disputes::accept_offer(db, who, case.task, credits(sum), Utc::now()).await;
    assert!(matches!(accept(&case.buyer, "30").await, Err(Error::Conflict(_))), "nothing is proposed");
    disputes::offer(db, &case.owner, case.task, credits("30")).await.unwrap();
    assert!(matches!(accept(&case.owner, "30").await, Err(Error::Conflict(_))), "one's own");
    assert!(matches!(accept(&case.buyer, "50").await, Err(Error::Conflict(_))), "another sum than was seen");
    let stranger = case.economy.person("stranger").await;
    assert!(matches!(accept(&stranger, "30").await, Err(Error::NotFound(_))));
    assert!(matches!(disputes::of_task(db, &stranger, case.task).await, Err(Error::NotFound(_))));
    accept(&case.buyer, "30").await.unwrap();
    assert_eq!(case.have().await, ["930.00", "1066.50", "3.50"]);
    assert_eq!(case.decision().await.unwrap().0, DecidedBy::Agreement);
    for done in [
        disputes::give_in(db, &case.buyer, case.task, Utc::now()).await,
        disputes::say(db, &case.owner, case.task, "But", Utc::now()).await,
        disputes::offer(db, &case.owner, case.task, credits("1")).await,
        disputes::open(db, &case.buyer, case.task, "Again", Utc::now()).await,
    ] {
        assert!(matches!(done, Err(Error::Conflict(_))), "{done:?}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn who_gives_in_loses_and_who_takes_it_back_gets_nothing(pool: PgPool) {
    let case = paid(pool).await;
    case.open().await;
    disputes::give_in(&case.economy.db, &case.buyer, case.task, Utc::now()).await.unwrap();
    assert_eq!(case.have().await, ["900.00", "1095.00", "5.00"]);
    let task = case.economy.hire(&case.buyer, case.agent).await.unwrap().id;
    assert!(case.economy.complete(&case.economy.claim(task).await).await);
    let second = Case { task, ..case };
    second.open().await;
    disputes::give_in(&second.economy.db, &second.owner, task, Utc::now()).await.unwrap();
    assert_eq!(second.have().await, ["900.00", "1095.00", "5.00"]);
    assert_eq!(second.decision().await.unwrap().0, DecidedBy::Provider);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_clock_ends_what_nobody_does(pool: PgPool) {
    let case = paid(pool).await;
    case.open().await;
    assert_eq!(case.clock(ANSWER_WITHIN - TimeDelta::minutes(1)).await, 0);
    assert_eq!(case.clock(ANSWER_WITHIN + TimeDelta::minutes(1)).await, 1, "silence gives in");
    assert_eq!(case.clock(ANSWER_WITHIN + TimeDelta::minutes(1)).await, 0);
    assert_eq!(case.have().await, ["1000.00", "1000.00", "0.00"]);
    let task = case.economy.hire(&case.buyer, case.agent).await.unwrap().id;
    assert!(case.economy.complete(&case.economy.claim(task).await).await);
    let second = Case { task, ..case };
    second.open().await;
    disputes::say(&second.economy.db, &second.owner, task, "It is right", Utc::now()).await.unwrap();
    assert_eq!(second.clock(DECIDE_WITHIN - TimeDelta::minutes(1)).await, 0, "who answers is heard");
    assert_eq!(second.clock(DECIDE_WITHIN + TimeDelta::minutes(1)).await, 1, "half each");
    assert_eq!(second.have().await, ["950.00", "1047.50", "2.50"]);
    assert_eq!(second.decision().await.unwrap().0, DecidedBy::Timer);
    let now = Utc::now();
    let half = |paid| disputes::defaults(credits(paid), true, now, now, now);
    assert_eq!([half("0.01"), half("0.05"), half("0.06")], ["0.01", "0.03", "0.03"].map(|sum| Some(credits(sum))));
}

#[sqlx::test(migrations = "../migrations")]
async fn what_the_earner_has_spent_is_owed_and_paid_off_before_anything_else(pool: PgPool) {
    let case = paid(pool).await;
    let (e, db) = (&case.economy, &case.economy.db);
    // The earner spends all but 20.
    let third = e.person("third").await;
    let dear = e.agent(&third, "Dear", "1075").await;
    let spent = e.hire(&case.owner, dear).await.unwrap().id;
    assert!(e.complete(&e.claim(spent).await).await);
    case.open().await;
    assert_eq!(disputes::of_task(db, &case.owner, case.task).await.unwrap().escrow, credits("25"));
    disputes::give_in(db, &case.owner, case.task, Utc::now()).await.unwrap();
    assert_eq!(case.decision().await.unwrap(), (DecidedBy::Provider, "100.00".into(), "25.00".into(), "75.00".into()));
    assert_eq!(case.spent().await, ["75.00", "75.00"], "what is owed has not come back");
    assert_eq!((e.available(&case.buyer).await, e.available(&case.owner).await), ("925.00".into(), "0.00".into()));
    assert_eq!(ledger::collect_disputes(db).await.unwrap(), 0, "there is nothing to collect");
    // The earner earns 47.50: nothing of it can be spent, all of it is collected.
    let cheap = e.agent(&case.owner, "Cheap", "50").await;
    let earned = e.hire(&third, cheap).await.unwrap().id;
    assert!(e.complete(&e.claim(earned).await).await);
    let tiny = e.agent(&third, "Tiny", "1").await;
    assert!(matches!(e.hire(&case.owner, tiny).await, Err(Error::Conflict(_))), "debts come first");
    assert_eq!(ledger::collect_disputes(db).await.unwrap(), 1);
    assert_eq!((e.available(&case.buyer).await, e.available(&case.owner).await), ("972.50".into(), "0.00".into()));
    assert_eq!(case.decision().await.unwrap().3, "27.50");
    assert_eq!(case.spent().await, ["27.50", "27.50"]);
    let earned = e.hire(&third, cheap).await.unwrap().id;
    assert!(e.complete(&e.claim(earned).await).await);
    assert_eq!(ledger::collect_disputes(db).await.unwrap(), 1);
    assert_eq!((e.available(&case.buyer).await, e.available(&case.owner).await), ("1000.00".into(), "20.00".into()));
    assert!(e.hire(&case.owner, tiny).await.is_ok());
    e.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn the_platforms_part_is_owed_too_where_its_account_has_less(pool: PgPool) {
    let case = paid(pool).await;
    let (e, db) = (&case.economy, &case.economy.db);
    let third = e.person("third").await;
    ledger::adjust(db, &Actor::System, third.user().unwrap(), credits("3"), "A gift").await.unwrap();
    case.open().await;
    assert_eq!(disputes::of_task(db, &case.owner, case.task).await.unwrap().escrow, credits("97"));
    disputes::give_in(db, &case.owner, case.task, Utc::now()).await.unwrap();
    assert_eq!(case.decision().await.unwrap(), (DecidedBy::Provider, "100.00".into(), "97.00".into(), "3.00".into()));
    assert_eq!(ledger::collect_disputes(db).await.unwrap(), 0);
    // The fee of another task is the next that it gets.
    let task = e.hire(&third, case.agent).await.unwrap().id;
    assert!(e.complete(&e.claim(task).await).await);
    assert_eq!(ledger::collect_disputes(db).await.unwrap(), 1);
    assert_eq!(case.have().await, ["1000.00", "1095.00", "2.00"]);
    assert_eq!(case.decision().await.unwrap().3, "0.00");
}

#[sqlx::test(migrations = "../migrations")]
async fn only_a_paid_result_that_was_not_accepted_can_be_disputed_for_a_week(pool: PgPool) {
    let case = paid(pool).await;
    let (e, db) = (&case.economy, &case.economy.db);
    let open = async |who, task, at| disputes::open(db, who, task, "It is wrong", at).await;
    assert!(matches!(open(&case.owner, case.task, Utc::now()).await, Err(Error::NotFound(_))));
    assert!(matches!(open(&case.buyer, case.task, later(WINDOW)).await, Err(Error::Conflict(_))), "too late");
    let free = e.agent(&case.owner, "Free", "0").await;
    let gift = e.hire(&case.buyer, free).await.unwrap().id;
    assert!(matches!(open(&case.buyer, gift, Utc::now()).await, Err(Error::Conflict(_))), "not completed");
    assert!(e.complete(&e.claim(gift).await).await);
    assert!(matches!(open(&case.buyer, gift, Utc::now()).await, Err(Error::Conflict(_))), "nothing was paid");
    let empty = disputes::open(db, &case.buyer, case.task, "  ", Utc::now()).await;
    assert!(matches!(empty, Err(Error::Validation(_))));
    assert!(matches!(tasks::accept(db, &case.owner, case.task, Utc::now()).await, Err(Error::NotFound(_))));
    tasks::accept(db, &case.buyer, case.task, Utc::now()).await.unwrap();
    assert!(matches!(tasks::accept(db, &case.buyer, case.task, Utc::now()).await, Err(Error::Conflict(_))));
    assert!(matches!(open(&case.buyer, case.task, Utc::now()).await, Err(Error::Conflict(_))), "accepted");
    assert_eq!(case.have().await, ["900.00", "1095.00", "5.00"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn it_ends_once_whatever_races(pool: PgPool) {
    let case = paid(pool).await;
    case.open().await;
    let db = &case.economy.db;
    let judge = case.operator("judge").await;
    disputes::offer(db, &case.owner, case.task, credits("10")).await.unwrap();
    let now = Utc::now();
    let (a, b, c, d, e) = tokio::join!(
        disputes::give_in(db, &case.buyer, case.task, now),
        disputes::give_in(db, &case.owner, case.task, now),
        disputes::accept_offer(db, &case.buyer, case.task, credits("10"), now),
        disputes::decide(db, &judge, case.task, credits("70"), "So", now),
        disputes::by_the_clock(db, now + DECIDE_WITHIN),
    );
    let ended = [a.is_ok(), b.is_ok(), c.is_ok(), d.is_ok(), e.is_ok_and(|n| n == 1)];
    assert_eq!(ended.iter().filter(|done| **done).count(), 1, "{ended:?}");
    case.economy.assert_adds_up().await;
    let seen = disputes::of_task(db, &case.owner, case.task).await.unwrap();
    assert_eq!(seen.escrow, credits("0"));
    assert_eq!(seen.statements[0].side, Side::Requester);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_a_dispute_returns_was_not_spent_and_what_it_takes_was_not_earned(pool: PgPool) {
    let case = paid(pool).await;
    let (e, db) = (&case.economy, &case.economy.db);
    ledger::set_limits(db, &case.buyer, Some(credits("150")), None).await.unwrap();
    let refused = async || matches!(e.hire(&case.buyer, case.agent).await, Err(Error::SpendingLimit(_)));
    assert_eq!((case.spent().await, case.earned().await.as_str()), (["100.00".into(), "100.00".into()], "95.00"));
    case.open().await;
    assert_eq!((case.spent().await, case.earned().await.as_str()), (["100.00".into(), "100.00".into()], "0.00"));
    assert!(refused().await, "in escrow is not back");
    let judge = case.operator("judge").await;
    disputes::decide(db, &judge, case.task, credits("40"), "So", Utc::now()).await.unwrap();
    assert_eq!((case.spent().await, case.earned().await.as_str()), (["60.00".into(), "60.00".into()], "57.00"));
    assert!(refused().await, "60 and 100 are more than 150");
    ledger::set_limits(db, &case.buyer, Some(credits("160")), None).await.unwrap();
    let second = e.hire(&case.buyer, case.agent).await.expect("what came back is there to be spent again").id;
    assert!(e.complete(&e.claim(second).await).await);
    // What was held on another day comes off that day.
    let mut tx = db.pool().begin().await.unwrap();
    for sql in [
        "SET LOCAL session_replication_role = replica",
        "UPDATE transactions SET created_at = created_at - interval '1 day'",
        "UPDATE spending_days SET day = day - 1",
    ] {
        sqlx::query(sql).execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
    let case = Case { task: second, ..case };
    case.open().await;
    disputes::give_in(&case.economy.db, &case.owner, second, Utc::now()).await.unwrap();
    let days: Vec<(bool, String)> = sqlx::query_as(
        "SELECT day = (now() AT TIME ZONE 'UTC')::date - 1, spent::text FROM spending_days WHERE user_id = $1",
    )
    .bind(case.buyer.user().unwrap().0)
    .fetch_all(case.economy.db.pool())
    .await
    .unwrap();
    assert_eq!(days, [(true, "60.00".to_owned())]);
    case.economy.assert_adds_up().await;
}
