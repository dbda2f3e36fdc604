//! Requests to the platform's own agent: who is picked, who comes next, and what is held meanwhile.

use chrono::Utc;
use domain::api_keys::{self, NewKey, Scopes};
use domain::routes::{self, Nobody, Ordered, Picked, Request, Strategy, Wishes};
use domain::tasks::finish::Fault;
use domain::tasks::told::Told;
use domain::tasks::{self, Part, TaskState};
use domain::{Actor, AgentId, Error, TaskId};
use serde_json::json;
use sqlx::PgPool;

use crate::support::{Economy, credits};

fn asking(wishes: Wishes) -> Request {
    Request {
        wishes: Wishes { skill: Some("work".into()), ..wishes },
        message: json!({"messageId": "mine", "role": "ROLE_USER", "parts": [{"text": "please"}]}),
        parts: vec![Part::text("please")],
        context: None,
        timeout_seconds: None,
    }
}

impl Economy {
    async fn set(&self, agent: AgentId, column_is: &str) {
        let sql = format!("UPDATE agents SET {column_is} WHERE id = '{agent}'");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(self.db.pool()).await.unwrap();
    }

    async fn ask(&self, by: &Actor, wishes: Wishes) -> TaskId {
        match routes::order(&self.db, by, &asking(wishes), None, Utc::now()).await.unwrap() {
            Ordered::Hired(id) => id,
            Ordered::Nobody(why) => panic!("nobody fits: {why:?}"),
        }
    }

    async fn told(&self, by: &Actor, id: TaskId) -> Told {
        routes::told(&self.db, by, id).await.unwrap()
    }

    /// Lets the task that a request has now fail.
    async fn fail_route(&self, by: &Actor, id: TaskId, fault: Fault) {
        let claim = self.claim(self.told(by, id).await.work).await;
        assert!(self.fail(&claim, fault).await);
    }

    async fn advance(&self) -> usize {
        routes::advance(&self.db, Utc::now()).await.unwrap()
    }
}

fn cheapest() -> Wishes {
    Wishes { strategy: Strategy::Cheapest, ..Wishes::default() }
}

fn texts(told: &Told) -> Vec<String> {
    told.history.iter().map(|m| m["parts"][0]["text"].as_str().unwrap().to_owned()).collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn each_strategy_picks_its_own_of_those_who_fit(pool: PgPool) {
    let economy = Economy::new(pool);
    let (owner, buyer) = (economy.person("owner").await, economy.person("buyer").await);
    // Name, price, trust, median in seconds.
    let table = [
        ("Trusted", "9", "95", Some(9)),
        ("Cheap", "1", "40", Some(5)),
        ("Fast", "6", "60", Some(1)),
        ("Good", "2", "85", None),
        ("Away", "0", "100", None),
        ("Unskilled", "0", "100", None),
    ];
    let mut ids = Vec::new();
    for (name, price, trust, seconds) in table {
        let id = economy.agent(&owner, name, price).await;
        if let Some(seconds) = seconds {
            let task = economy.hire(&buyer, id).await.unwrap().id;
            assert!(economy.complete(&economy.claim(task).await).await);
            let sql =
                format!("UPDATE tasks SET started_at = completed_at - interval '{seconds} s' WHERE id = '{task}'");
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(economy.db.pool()).await.unwrap();
        }
        economy.set(id, &format!("trust_score = {trust}")).await;
        ids.push(id);
    }
    economy.set(ids[4], "status = 'degraded'").await;
    economy.set(ids[5], "skills = '[{\"id\": \"other\", \"name\": \"Other\"}]'").await;
    let own = economy.agent(&buyer, "Own", "0").await;
    let names = async |by: &Actor, wishes: Wishes| match routes::pick(
        &economy.db,
        by,
        &asking(wishes).wishes,
        &[Part::text("x")],
        &[],
    )
    .await
    .unwrap()
    {
        Picked::Found(found) => found.into_iter().map(|c| c.name).collect::<Vec<_>>(),
        Picked::Nobody(why) => panic!("{why:?}"),
    };
    for (strategy, order) in [
        (Strategy::Best, ["Good", "Trusted", "Fast", "Cheap"]),
        (Strategy::Cheapest, ["Cheap", "Good", "Fast", "Trusted"]),
        (Strategy::Fastest, ["Fast", "Cheap", "Trusted", "Good"]),
        (Strategy::MostTrusted, ["Trusted", "Good", "Fast", "Cheap"]),
    ] {
        assert_eq!(names(&buyer, Wishes { strategy, ..Wishes::default() }).await, order, "{strategy:?}");
    }
    assert_eq!(names(&buyer, Wishes { max_credits: Some(credits("2")), ..cheapest() }).await, ["Cheap", "Good"]);
    assert_eq!(names(&buyer, Wishes { min_trust: Some(85.0), ..cheapest() }).await, ["Good", "Trusted"]);
    // Somebody else may hire the buyer's own; nobody hires themselves.
    assert_eq!(names(&owner, cheapest()).await, ["Own"]);
    // A key that is for some agents hires no others.
    let limited = NewKey { agents: Some(vec![ids[0], own]), ..NewKey::named("limited", Scopes::All) };
    let made = api_keys::create(&economy.db, &buyer, limited, Utc::now()).await.unwrap();
    let key = api_keys::verify(&economy.db, &made.token, Utc::now()).await.unwrap().unwrap().actor();
    assert_eq!(names(&key, cheapest()).await, ["Trusted"]);
    // Why nobody fits is said wish by wish, and nothing is held.
    let wishes = Wishes {
        tags: vec!["testing".into()],
        max_credits: Some(credits("2")),
        min_trust: Some(90.0),
        ..Wishes::default()
    };
    let before = economy.available(&buyer).await;
    let none = routes::order(&economy.db, &buyer, &asking(wishes), None, Utc::now()).await.unwrap();
    let without = vec![("skill", 1), ("tags", 0), ("maxCredits", 1), ("minTrust", 2)];
    assert!(matches!(none, Ordered::Nobody(why) if why == Nobody { online: 5, without }));
    assert_eq!(economy.available(&buyer).await, before);
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn what_fails_goes_to_the_next_once(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let (owner, buyer) = (economy.person("owner").await, economy.person("buyer").await);
    for (name, price) in [("First", "1"), ("Second", "2"), ("Third", "4"), ("Fourth", "8")] {
        economy.agent(&owner, name, price).await;
    }
    let id = economy.ask(&buyer, cheapest()).await;
    let begun = economy.told(&buyer, id).await;
    assert_eq!((begun.state, begun.turn, begun.id), (TaskState::Assigned, 1, id));
    assert_eq!(economy.available(&buyer).await, "999.00");
    assert_eq!(economy.advance().await, 0, "its task runs");
    economy.fail_route(&buyer, id, Fault::Agent).await;
    let between = economy.told(&buyer, id).await;
    assert_eq!((between.state, between.error), (TaskState::Running, None), "the request has not failed");
    assert_eq!(economy.available(&buyer).await, "1000.00");
    // Any number of processes see it; one goes on.
    let all = futures::future::join_all((0..8).map(|_| economy.advance())).await;
    assert_eq!(all.iter().sum::<usize>(), 1, "{all:?}");
    assert_eq!(economy.available(&buyer).await, "998.00");
    let hires: i64 = sqlx::query_scalar("SELECT count(*) FROM route_hires").fetch_one(&pool).await.unwrap();
    let open: i64 =
        sqlx::query_scalar("SELECT count(*) FROM tasks WHERE status = 'assigned'").fetch_one(&pool).await.unwrap();
    assert_eq!((hires, open), (2, 1));
    // Ours counts like theirs.
    economy.fail_route(&buyer, id, Fault::Platform).await;
    assert_eq!(economy.advance().await, 1);
    let third = economy.told(&buyer, id).await;
    assert!(economy.complete(&economy.claim(third.work).await).await);
    let done = economy.told(&buyer, id).await;
    assert_eq!((done.id, &done.context, done.state, done.turn), (id, &begun.context, TaskState::Completed, 3));
    assert_eq!(economy.available(&buyer).await, "996.00");
    let hired = &done.metadata.as_ref().unwrap()["urn:nexus:hired"];
    assert_eq!(
        (&hired["agent"], &hired["price"], &hired["taskId"]),
        (&json!("Third"), &json!("4.00"), &json!(third.work))
    );
    let said = texts(&done);
    assert_eq!(said.len(), 4, "{said:#?}");
    assert_eq!(said[0], "please");
    assert!(said[1].starts_with("I hired First, the cheapest of 4 that fit: 1.00 credits"), "{said:#?}");
    assert!(said[2].starts_with("First failed: it broke. I hired Second, the cheapest of 3"), "{said:#?}");
    assert!(said[3].starts_with("Second failed: it broke. I hired Third"), "{said:#?}");
    assert_eq!(done.history[0]["messageId"], "mine");
    // What is done stays done, also when nobody was there to note it.
    assert_eq!((economy.advance().await, economy.advance().await), (1, 0));
    assert_eq!(economy.told(&buyer, id).await.state, TaskState::Completed);
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn it_ends_where_nobody_is_left_or_enough_were_tried(pool: PgPool) {
    let economy = Economy::new(pool);
    let (owner, buyer) = (economy.person("owner").await, economy.person("buyer").await);
    let first = economy.agent(&owner, "First", "1").await;
    let second = economy.agent(&owner, "Second", "2").await;
    let one = economy.ask(&buyer, Wishes { max_agents: 1, ..cheapest() }).await;
    economy.fail_route(&buyer, one, Fault::Agent).await;
    assert_eq!(economy.advance().await, 1);
    let told = economy.told(&buyer, one).await;
    let why = "The agent that was hired failed. First failed last: it broke";
    assert_eq!((told.state, told.error.as_deref()), (TaskState::Failed, Some(why)));
    // Dearer than allowed now, and away: nobody is left.
    let two = economy.ask(&buyer, Wishes { max_credits: Some(credits("2")), ..cheapest() }).await;
    economy.set(second, "price_per_task = 2.01").await;
    economy.fail_route(&buyer, two, Fault::Agent).await;
    assert_eq!(economy.advance().await, 1);
    let told = economy.told(&buyer, two).await;
    assert_eq!((told.state, told.turn), (TaskState::Failed, 1));
    assert!(told.error.unwrap().contains("nobody else who fits can be had"));
    assert_eq!(economy.available(&buyer).await, "1000.00");
    // A question that nobody answers is the requester's doing.
    let three = economy.ask(&buyer, cheapest()).await;
    economy.fail_route(&buyer, three, Fault::Requester).await;
    let as_unanswered = "UPDATE task_events SET data = data || '{\"timeout\": true}' WHERE kind = 'failed'";
    sqlx::query(as_unanswered).execute(economy.db.pool()).await.unwrap();
    assert_eq!(economy.advance().await, 1);
    assert_eq!(economy.told(&buyer, three).await.turn, 1);
    // An input that one agent rejects may suit another.
    let four = economy.ask(&buyer, cheapest()).await;
    economy.fail_route(&buyer, four, Fault::Requester).await;
    assert_eq!(economy.advance().await, 1);
    assert_eq!((economy.told(&buyer, four).await.turn, economy.told(&buyer, four).await.agent), (2, Some(second)));
    assert_ne!(first, second);
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn who_cannot_be_paid_is_passed_over_and_a_bad_key_orders_no_more(pool: PgPool) {
    let economy = Economy::new(pool);
    let (owner, buyer) = (economy.person("owner").await, economy.person("buyer").await);
    for (name, price, trust) in [("Dear", "2000", 99), ("Good", "300", 90), ("Fair", "200", 80), ("Free", "0", 70)] {
        let id = economy.agent(&owner, name, price).await;
        economy.set(id, &format!("trust_score = {trust}")).await;
    }
    let wishes = Wishes { strategy: Strategy::MostTrusted, ..Wishes::default() };
    // Through a key that may hold 350 in all.
    let new = NewKey { total_cap: Some(credits("350")), ..NewKey::named("capped", Scopes::All) };
    let made = api_keys::create(&economy.db, &buyer, new, Utc::now()).await.unwrap();
    let key = api_keys::verify(&economy.db, &made.token, Utc::now()).await.unwrap().unwrap().actor();
    let id = economy.ask(&key, wishes.clone()).await;
    let told = economy.told(&key, id).await;
    let said = texts(&told);
    assert!(said[1].starts_with("I passed over Dear: ") && said[2].starts_with("I hired Good"), "{said:#?}");
    // The key's cap is held to by what comes next: another 200 is more than 350 while 300 are held by a second request.
    economy.fail_route(&buyer, id, Fault::Agent).await;
    let other = economy.ask(&key, wishes.clone()).await;
    assert_eq!(economy.advance().await, 1);
    let told = economy.told(&buyer, id).await;
    let said = texts(&told);
    assert!(said[3].starts_with("I passed over Fair: this key may spend 350.00 credits in all"), "{said:#?}");
    assert_eq!((told.turn, told.price), (2, credits("0")));
    // Where all are too dear, the cheapest's price is what is said.
    let dear = Wishes { min_trust: Some(75.0), ..wishes.clone() };
    let poor = economy.person("poor").await;
    sqlx::query("UPDATE agents SET price_per_task = 1500 WHERE name IN ('Good', 'Fair')")
        .execute(economy.db.pool())
        .await
        .unwrap();
    let error = routes::order(&economy.db, &poor, &asking(dear), None, Utc::now()).await.unwrap_err();
    assert!(matches!(error, Error::InsufficientCredits { needed, .. } if needed == credits("1500")), "{error:?}");
    // A key that was revoked meanwhile hires nobody, not even for nothing.
    api_keys::revoke(&economy.db, &buyer, made.key.id, Utc::now()).await.unwrap();
    economy.fail_route(&buyer, other, Fault::Agent).await;
    assert_eq!(economy.advance().await, 1);
    let told = economy.told(&buyer, other).await;
    assert_eq!((told.state, told.turn), (TaskState::Failed, 1));
    assert!(told.error.unwrap().contains("not good any more"));
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_cancel_ends_the_request_and_its_task(pool: PgPool) {
    let economy = Economy::new(pool);
    let (owner, buyer) = (economy.person("owner").await, economy.person("buyer").await);
    for (name, price) in [("First", "1"), ("Second", "2")] {
        economy.agent(&owner, name, price).await;
    }
    let (running, between) = (economy.ask(&buyer, cheapest()).await, economy.ask(&buyer, cheapest()).await);
    economy.fail_route(&buyer, between, Fault::Agent).await;
    let not_theirs = routes::cancel(&economy.db, &owner, running, Utc::now()).await;
    assert!(matches!(not_theirs, Err(Error::NotFound(_))));
    for id in [running, between] {
        routes::cancel(&economy.db, &buyer, id, Utc::now()).await.unwrap();
        assert_eq!(economy.told(&buyer, id).await.state, TaskState::Cancelled);
        let again = routes::cancel(&economy.db, &buyer, id, Utc::now()).await;
        assert!(matches!(again, Err(Error::Conflict(_))));
    }
    assert_eq!(economy.advance().await, 0, "nobody else is asked");
    // Its task called off by itself is the end of the request, too.
    let id = economy.ask(&buyer, cheapest()).await;
    tasks::cancel(&economy.db, &buyer, economy.told(&buyer, id).await.work).await.unwrap();
    assert_eq!(economy.advance().await, 1);
    assert_eq!(economy.told(&buyer, id).await.state, TaskState::Cancelled);
    assert_eq!(economy.available(&buyer).await, "1000.00");
    // A cancel against ends at the same time: one of them it is, and the money agrees.
    for _ in 0..10 {
        let id = economy.ask(&buyer, cheapest()).await;
        let claim = economy.claim(economy.told(&buyer, id).await.work).await;
        let (cancelled, _, _) = tokio::join!(
            routes::cancel(&economy.db, &buyer, id, Utc::now()),
            economy.fail(&claim, Fault::Agent),
            economy.advance()
        );
        let told = economy.told(&buyer, id).await;
        assert!(cancelled.is_ok(), "it had not ended");
        assert_eq!(told.state, TaskState::Cancelled);
    }
    assert_eq!(economy.advance().await, 0);
    assert_eq!(economy.available(&buyer).await, "1000.00");
    economy.assert_adds_up().await;
}
