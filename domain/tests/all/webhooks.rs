//! Webhooks out: messages are written with what they tell of, reach whom they should, and are tried until they arrive.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::tasks::dispatch::{self, Question};
use domain::tasks::finish::Fault;
use domain::tasks::{self, disputes};
use domain::webhooks::rules::Schemes;
use domain::webhooks::{
    self, Answer, Claim, DeliveryFilter, DeliveryState, EVENT_TYPES, Endpoint, EndpointChange, NewEndpoint, OffReason,
    Recorded, Tried,
};
use domain::{Actor, Db, Error, Missing, WebhookId, accounts};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::Economy;

async fn endpoint(db: &Db, of: &Actor, types: &[&str]) -> Endpoint {
    let new = NewEndpoint {
        url: "https://receiver.example.org/hook".into(),
        types: types.iter().map(|t| (*t).to_owned()).collect(),
        ..NewEndpoint::default()
    };
    webhooks::create(db, of, new, Schemes::HttpsOnly).await.unwrap().0
}

/// The messages to an account in the order of their writing: type and data.
async fn told(db: &Db, to: &Actor) -> Vec<(String, Value)> {
    sqlx::query_as(
        "SELECT m.type, m.data FROM webhook_messages m
           JOIN (SELECT message_id, min(number) AS n FROM webhook_deliveries GROUP BY message_id) d ON d.message_id = m.id
          WHERE m.user_id = $1 ORDER BY d.n",
    )
    .bind(to.user().unwrap().0)
    .fetch_all(db.pool())
    .await
    .unwrap()
}

async fn types_told(db: &Db, to: &Actor) -> Vec<String> {
    told(db, to).await.into_iter().map(|(kind, _)| kind).collect()
}

fn status(code: u16) -> Tried {
    let answer = Answer::Status { code, retry_after: None, text: "said".into() };
    Tried { at: Utc::now(), took: Duration::from_millis(12), answer }
}

async fn one_claim(db: &Db, now: DateTime<Utc>) -> Claim {
    let mut claims = webhooks::claim(db, 10, now).await.unwrap();
    assert_eq!(claims.len(), 1);
    claims.pop().unwrap()
}

async fn set(db: &Db, actor: &Actor, id: WebhookId, active: bool) -> Endpoint {
    let change = EndpointChange { active: Some(active), ..EndpointChange::default() };
    webhooks::change(db, actor, id, change, Schemes::HttpsOnly).await.unwrap()
}

async fn states(db: &Db, actor: &Actor, id: WebhookId) -> Vec<DeliveryState> {
    let page = webhooks::deliveries(db, actor, id, &DeliveryFilter::default(), 100).await.unwrap();
    page.items.into_iter().map(|d| d.state).collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_message_is_written_with_its_event_and_undone_with_it(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "10").await;
    endpoint(&economy.db, &buyer, &[]).await;
    let task = economy.hire(&buyer, agent).await.unwrap().id;
    assert_eq!(types_told(&economy.db, &buyer).await, ["task.created"]);
    let append = "SELECT economy.append_task_event($1, 'running', '{}')";
    let mut tx = pool.begin().await.unwrap();
    sqlx::query(append).bind(task.0).execute(&mut *tx).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(types_told(&economy.db, &buyer).await, ["task.created"]);
    let mut tx = pool.begin().await.unwrap();
    sqlx::query(append).bind(task.0).execute(&mut *tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(types_told(&economy.db, &buyer).await, ["task.created", "task.running"]);
    // What is refused is not told.
    let dear = economy.agent(&owner, "Dear", "5000").await;
    assert!(economy.hire(&buyer, dear).await.is_err());
    assert_eq!(types_told(&economy.db, &buyer).await.len(), 2);
}

#[sqlx::test(migrations = "../migrations")]
async fn both_owners_are_told_and_who_owns_both_sides_once(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "10").await;
    for actor in [&buyer, &owner] {
        endpoint(&economy.db, actor, &["task.created", "task.completed"]).await;
    }
    let task = economy.hire(&buyer, agent).await.unwrap().id;
    economy.complete(&economy.claim(task).await).await;
    for (actor, role) in [(&buyer, "requester"), (&owner, "provider")] {
        let mut messages = told(&economy.db, actor).await;
        assert_eq!(messages.len(), 2, "{role}");
        let (kind, mut data) = messages.pop().unwrap();
        assert_eq!(kind, "task.completed");
        for time in ["createdAt", "completedAt"] {
            let text = data[time].take();
            assert!(text.as_str().unwrap().parse::<DateTime<Utc>>().is_ok() && text.as_str().unwrap().ends_with('Z'));
        }
        let requester_agent = data["requesterAgentId"].take();
        assert!(requester_agent.is_string());
        assert_eq!(
            data,
            json!({
                "taskId": task.0, "sequence": 4, "role": role, "status": "completed", "agentId": agent.0,
                "agentName": "Worker", "requesterAgentId": null, "skillId": "work", "price": "10.00", "cost": "10.00",
                "createdAt": null, "completedAt": null,
            })
        );
    }
    economy.hire(&owner, agent).await.unwrap();
    let own: Vec<_> =
        told(&economy.db, &owner).await.into_iter().skip(2).map(|(k, d)| (k, d["role"].clone())).collect();
    assert_eq!(own, [("task.created".to_owned(), json!("requester"))]);
}

#[sqlx::test(migrations = "../migrations")]
async fn every_type_that_is_listed_is_sent_and_no_other(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let db = &economy.db;
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "10").await;
    for actor in [&buyer, &owner] {
        endpoint(db, actor, &[]).await;
    }
    let done = economy.hire(&buyer, agent).await.unwrap().id;
    let claim = economy.claim(done).await;
    economy.complete(&claim).await;
    tasks::rate(db, &buyer, done, 2, "", Utc::now()).await.unwrap();
    disputes::open(db, &buyer, done, "It is wrong", Utc::now()).await.unwrap();
    disputes::give_in(db, &owner, done, Utc::now()).await.unwrap();
    let failed = economy.hire(&buyer, agent).await.unwrap().id;
    let claim = economy.claim(failed).await;
    economy.fail(&claim, Fault::Agent).await;
    let asking = economy.hire(&buyer, agent).await.unwrap().id;
    let question = Question {
        auth: false,
        remote_task: "r".into(),
        context: None,
        messages: Vec::new(),
        artifacts: Vec::new(),
        said: None,
    };
    let claim = economy.claim(asking).await;
    dispatch::ask(db, &claim, &question, Utc::now()).await.unwrap();
    tasks::cancel(db, &buyer, asking).await.unwrap();
    domain::agents::set_status(db, &owner, agent, false).await.unwrap();
    let purchase = "INSERT INTO purchases (user_id, package, credits, amount_cents) VALUES ($1, 'starter', 1000, 1050)";
    sqlx::query(purchase).bind(buyer.user().unwrap().0).execute(&pool).await.unwrap();
    for sql in [
        "UPDATE purchases SET status = 'paid', paid_at = now(), receipt_number = 7",
        "UPDATE purchases SET taken_credits = 250, owed_credits = 50",
        "UPDATE purchases SET taken_credits = 0",
    ] {
        sqlx::query(sql).execute(&pool).await.unwrap();
    }
    domain::ledger::set_low_balance(db, &buyer, Some("5000".parse().unwrap())).await.unwrap();
    let listed: BTreeSet<&str> = EVENT_TYPES.iter().map(|t| t.name).collect();
    let mut messages = told(db, &buyer).await;
    messages.extend(told(db, &owner).await);
    let sent: BTreeSet<&str> = messages.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(sent, listed);
    let said = |kind: &str| &messages.iter().find(|(k, _)| k == kind).unwrap().1;
    assert_eq!(said("task.rated")["stars"], 2);
    let decided = said("task.dispute_resolved");
    assert_eq!((&decided["decidedBy"], &decided["refund"]), (&json!("provider"), &json!("10.00")));
    assert_eq!((&said("task.failed")["error"], &said("task.failed")["fault"]), (&json!("it broke"), &json!("agent")));
    assert_eq!(said("task.asking")["waitingFor"], "input");
    assert_eq!(said("task.created").get("stars"), None);
    let status = said("agent.status_changed");
    assert_eq!((&status["status"], &status["previousStatus"]), (&json!("offline"), &json!("online")));
    let mut bought = said("credits.purchased").clone();
    bought["purchaseId"].take();
    assert_eq!(
        bought,
        json!({ "purchaseId": null, "kind": "checkout", "credits": "1000.00", "amount": "10.50", "currency": "usd", "receiptNumber": 7 })
    );
    assert_eq!(messages.iter().filter(|(k, _)| k == "credits.refunded").count(), 1, "given back is not refunded");
    assert_eq!(said("credits.refunded")["credits"], "250.00");
    let text = json!(messages.iter().map(|(_, data)| data).collect::<Vec<_>>()).to_string();
    assert!(!text.contains("please") && !text.contains("artifact"), "content is not sent: {text}");
}

#[sqlx::test(migrations = "../migrations")]
async fn an_endpoint_gets_the_types_it_asked_for_while_it_is_on(pool: PgPool) {
    let economy = Economy::new(pool);
    let db = &economy.db;
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "0").await;
    let all = endpoint(db, &buyer, &[]).await.id;
    let some = endpoint(db, &buyer, &["task.cancelled", "task.cancelled"]).await;
    assert_eq!(some.types, ["task.cancelled"]);
    let off = endpoint(db, &buyer, &[]).await.id;
    set(db, &buyer, off, false).await;
    let task = economy.hire(&buyer, agent).await.unwrap().id;
    tasks::cancel(db, &buyer, task).await.unwrap();
    let count = async |id| states(db, &buyer, id).await.len();
    assert_eq!((count(all).await, count(some.id).await, count(off).await), (2, 1, 0));
    // One message, however many endpoints it goes to.
    assert_eq!(types_told(db, &buyer).await, ["task.created", "task.cancelled"]);
    let unknown = EndpointChange { types: Some(vec!["task.exploded".into()]), ..EndpointChange::default() };
    let refused = webhooks::change(db, &buyer, all, unknown, Schemes::HttpsOnly).await;
    assert!(matches!(refused, Err(Error::Validation(wrong)) if wrong[0].field == "types"));
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_reaches_anothers_endpoint(pool: PgPool) {
    let economy = Economy::new(pool);
    let db = &economy.db;
    let (owner, stranger) = (economy.person("owner").await, economy.person("stranger").await);
    let id = endpoint(db, &owner, &[]).await.id;
    let delivery = webhooks::send_test(db, &owner, id).await.unwrap();
    let webhook = |e: Option<Error>| matches!(e, Some(Error::NotFound(Missing::Webhook)));
    let filter = DeliveryFilter::default();
    let nothing = EndpointChange::default();
    assert!(webhooks::list(db, &stranger).await.unwrap().is_empty());
    assert!(webhook(webhooks::get(db, &stranger, id).await.err()));
    assert!(webhook(webhooks::change(db, &stranger, id, nothing, Schemes::HttpsOnly).await.err()));
    assert!(webhook(webhooks::delete(db, &stranger, id).await.err()));
    assert!(webhook(webhooks::rotate_secret(db, &stranger, id).await.err()));
    assert!(webhook(webhooks::send_test(db, &stranger, id).await.err()));
    assert!(webhook(webhooks::deliveries(db, &stranger, id, &filter, 10).await.err()));
    assert!(webhook(webhooks::resend_failed(db, &stranger, id, DateTime::UNIX_EPOCH).await.err()));
    let missing = |e: Option<Error>| matches!(e, Some(Error::NotFound(Missing::Delivery)));
    assert!(missing(webhooks::delivery(db, &stranger, delivery).await.err()));
    assert!(missing(webhooks::resend(db, &stranger, delivery).await.err()));
    assert_eq!(states(db, &owner, id).await, [DeliveryState::Waiting]);
    assert!(matches!(webhooks::list(db, &Actor::Anonymous).await, Err(Error::Unauthorized)));
    webhooks::delete(db, &owner, id).await.unwrap();
    assert!(webhook(webhooks::get(db, &owner, id).await.err()));
}

#[sqlx::test(migrations = "../migrations")]
async fn twenty_endpoints_and_no_more_even_at_once(pool: PgPool) {
    let economy = Economy::new(pool);
    let owner = economy.person("owner").await;
    let made = futures::future::join_all((0..25).map(|n| {
        let (db, owner) = (economy.db.clone(), owner);
        async move {
            let new = NewEndpoint { url: format!("https://r{n}.example.org/"), ..NewEndpoint::default() };
            webhooks::create(&db, &owner, new, Schemes::HttpsOnly).await
        }
    }))
    .await;
    assert_eq!(made.iter().filter(|m| m.is_ok()).count(), webhooks::rules::ENDPOINTS_MAX);
    assert!(made.iter().filter_map(|m| m.as_ref().err()).all(|e| matches!(e, Error::Conflict(_))));
    assert_eq!(webhooks::list(&economy.db, &owner).await.unwrap().len(), 20);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_message_is_tried_eight_times_and_then_has_failed(pool: PgPool) {
    let economy = Economy::new(pool);
    let (db, owner) = (&economy.db, economy.person("owner").await);
    let id = endpoint(db, &owner, &[]).await.id;
    let delivery = webhooks::send_test(db, &owner, id).await.unwrap();
    let mut now = Utc::now();
    let mut waits = Vec::new();
    let mut messages = BTreeSet::new();
    loop {
        let claim = one_claim(db, now).await;
        messages.insert((claim.message.id, claim.message.body()));
        match webhooks::record(db, &claim, &status(500), 0.0, now).await.unwrap() {
            Recorded::Later(at) => {
                waits.push((at - now).num_seconds());
                assert!(webhooks::claim(db, 10, at - TimeDelta::seconds(1)).await.unwrap().is_empty(), "not before");
                now = at;
            }
            other => {
                assert_eq!(other, Recorded::Failed);
                break;
            }
        }
    }
    assert_eq!(waits, [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000]);
    assert_eq!(messages.len(), 1, "every try sends the same");
    let seen = webhooks::delivery(db, &owner, delivery).await.unwrap();
    assert_eq!((seen.summary.state, seen.summary.attempts, seen.summary.next_at), (DeliveryState::Failed, 8, None));
    assert_eq!((seen.attempts[7].status, seen.attempts[7].answer.as_deref()), (Some(500), Some("said")));
    assert!(webhooks::claim(db, 10, now + TimeDelta::days(3)).await.unwrap().is_empty());

    // Sent again it has all its tries anew, under the same message id.
    webhooks::resend(db, &owner, delivery).await.unwrap();
    let now = Utc::now();
    let claim = one_claim(db, now).await;
    assert_eq!(messages.first().map(|m| m.0), Some(claim.message.id));
    assert!(matches!(webhooks::resend(db, &owner, delivery).await, Err(Error::Conflict(_))), "it is being sent");
    let again = webhooks::record(db, &claim, &status(302), 0.0, now).await.unwrap();
    assert_eq!(again, Recorded::Later(now + TimeDelta::seconds(5)));
    // One that waits is tried now.
    webhooks::resend(db, &owner, delivery).await.unwrap();
    let claim = one_claim(db, Utc::now()).await;
    assert_eq!(webhooks::record(db, &claim, &status(204), 0.0, now).await.unwrap(), Recorded::Delivered);
    let seen = webhooks::delivery(db, &owner, delivery).await.unwrap();
    assert_eq!((seen.summary.state, seen.summary.attempts), (DeliveryState::Delivered, 10));
    assert_eq!(webhooks::get(db, &owner, id).await.unwrap().failing_since, None);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_failed_since_then_is_sent_again_and_nothing_else(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let (db, owner) = (&economy.db, economy.person("owner").await);
    let (id, other) = (endpoint(db, &owner, &[]).await.id, endpoint(db, &owner, &[]).await.id);
    for _ in 0..3 {
        webhooks::send_test(db, &owner, id).await.unwrap();
    }
    webhooks::send_test(db, &owner, other).await.unwrap();
    let sql = "UPDATE webhook_deliveries SET state = 'failed', next_at = NULL, ended_at = now(),
                      created_at = created_at - CASE WHEN number = 1 THEN interval '2 days' ELSE interval '0' END
                WHERE number <> 3";
    sqlx::query(sql).execute(&pool).await.unwrap();
    let since = Utc::now() - TimeDelta::days(1);
    assert_eq!(webhooks::resend_failed(db, &owner, id, since).await.unwrap(), 1);
    assert_eq!(
        states(db, &owner, id).await,
        [DeliveryState::Waiting, DeliveryState::Waiting, DeliveryState::Failed],
        "the newest is first"
    );
    assert_eq!(states(db, &owner, other).await, [DeliveryState::Failed]);
    let failed = DeliveryFilter { state: Some(DeliveryState::Failed), after: None };
    assert_eq!(webhooks::deliveries(db, &owner, id, &failed, 10).await.unwrap().items.len(), 1);
    // By pages, each once.
    let first = webhooks::deliveries(db, &owner, id, &DeliveryFilter::default(), 2).await.unwrap();
    let rest = DeliveryFilter { after: first.next.clone(), ..DeliveryFilter::default() };
    let rest = webhooks::deliveries(db, &owner, id, &rest, 2).await.unwrap();
    let ids: BTreeSet<_> = first.items.iter().chain(&rest.items).map(|d| d.id.0).collect();
    assert_eq!((first.items.len(), ids.len(), rest.next.is_none()), (2, 3, true));
}

#[sqlx::test(migrations = "../migrations")]
async fn five_days_of_failure_switch_an_endpoint_off_and_its_owner_is_told(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let (db, owner) = (&economy.db, economy.person("owner").await);
    let id = endpoint(db, &owner, &[]).await.id;
    let fail = async |now| {
        webhooks::send_test(db, &owner, id).await.unwrap();
        let claims = webhooks::claim(db, 10, now).await.unwrap();
        webhooks::record(db, &claims[0], &status(500), 0.0, now).await.unwrap()
    };
    let start = Utc::now() + TimeDelta::minutes(1);
    assert!(matches!(fail(start).await, Recorded::Later(_)));
    assert_eq!(
        webhooks::get(db, &owner, id).await.unwrap().failing_since.map(|t| t.timestamp()),
        Some(start.timestamp())
    );
    assert!(matches!(fail(start + TimeDelta::days(5) - TimeDelta::hours(1)).await, Recorded::Later(_)));
    // What arrives begins the days anew.
    let now = start + TimeDelta::days(5) - TimeDelta::minutes(30);
    let claims = webhooks::claim(db, 1, now).await.unwrap();
    webhooks::record(db, &claims[0], &status(200), 0.0, now).await.unwrap();
    let start = now + TimeDelta::hours(1);
    assert!(matches!(fail(start).await, Recorded::Later(_)));
    let mails =
        "SELECT count(*) FROM mails WHERE subject LIKE '%switched off%' AND body LIKE '%/settings/webhooks/' || $1";
    let mails = async || sqlx::query_scalar::<_, i64>(mails).bind(id.to_string()).fetch_one(&pool).await.unwrap();
    assert_eq!(mails().await, 0);
    webhooks::send_test(db, &owner, id).await.unwrap();
    let end = start + TimeDelta::days(5);
    let claims = webhooks::claim(db, 10, end).await.unwrap();
    assert!(claims.len() > 1);
    assert_eq!(webhooks::record(db, &claims[0], &status(500), 0.0, end).await.unwrap(), Recorded::SwitchedOff);
    assert_eq!(webhooks::get(db, &owner, id).await.unwrap().off.map(|o| o.reason), Some(OffReason::Failing));
    // What was on its way fails without a second mail, and nothing waits.
    assert_eq!(webhooks::record(db, &claims[1], &status(500), 0.0, end).await.unwrap(), Recorded::Nothing);
    assert_eq!(mails().await, 1);
    assert!(!states(db, &owner, id).await.contains(&DeliveryState::Waiting));
    assert!(matches!(webhooks::send_test(db, &owner, id).await, Err(Error::Conflict(_))));
    // Switched on again it is as new.
    let on = set(db, &owner, id, true).await;
    assert!(on.off.is_none() && on.failing_since.is_none());
    assert!(webhooks::resend_failed(db, &owner, id, DateTime::UNIX_EPOCH).await.unwrap() >= 2);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_receiver_that_is_gone_is_left_alone(pool: PgPool) {
    let economy = Economy::new(pool);
    let (db, owner) = (&economy.db, economy.person("owner").await);
    let id = endpoint(db, &owner, &[]).await.id;
    webhooks::send_test(db, &owner, id).await.unwrap();
    let claim = one_claim(db, Utc::now()).await;
    assert_eq!(webhooks::record(db, &claim, &status(410), 0.0, Utc::now()).await.unwrap(), Recorded::SwitchedOff);
    assert_eq!(webhooks::get(db, &owner, id).await.unwrap().off.map(|o| o.reason), Some(OffReason::Gone));
    assert_eq!(states(db, &owner, id).await, [DeliveryState::Failed]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_changed_secret_leaves_a_day_for_the_old_one(pool: PgPool) {
    let economy = Economy::new(pool);
    let (db, owner) = (&economy.db, economy.person("owner").await);
    let new = NewEndpoint { url: "https://receiver.example.org/".into(), ..NewEndpoint::default() };
    let (endpoint, old) = webhooks::create(db, &owner, new, Schemes::HttpsOnly).await.unwrap();
    assert!(old.0.starts_with("whsec_") && old.0.len() == 50 && !format!("{old:?}").contains(&old.0));
    webhooks::send_test(db, &owner, endpoint.id).await.unwrap();
    let secrets = async |now| {
        let claim = one_claim(db, now).await;
        // It is due again when the lease is over.
        (claim.secrets.0.clone(), now + webhooks::LEASE)
    };
    let (before, next) = secrets(Utc::now()).await;
    assert_eq!(before, std::slice::from_ref(&old.0));
    let fresh = webhooks::rotate_secret(db, &owner, endpoint.id).await.unwrap();
    let (during, next) = secrets(next).await;
    assert_eq!(during, [fresh.0.clone(), old.0], "the new one first");
    let (after, _) = secrets(next + TimeDelta::days(1)).await;
    assert_eq!(after, [fresh.0]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_dead_workers_deliveries_are_taken_up_and_what_it_says_late_counts_only_if_it_arrived(pool: PgPool) {
    let economy = Economy::new(pool);
    let (db, owner) = (&economy.db, economy.person("owner").await);
    let id = endpoint(db, &owner, &[]).await.id;
    webhooks::send_test(db, &owner, id).await.unwrap();
    let now = Utc::now();
    let dead = one_claim(db, now).await;
    assert!(webhooks::claim(db, 10, now + webhooks::LEASE - TimeDelta::seconds(1)).await.unwrap().is_empty());
    let later = now + webhooks::LEASE;
    let alive = one_claim(db, later).await;
    assert_eq!(alive.message.id, dead.message.id);
    assert_eq!(webhooks::record(db, &dead, &status(500), 0.0, later).await.unwrap(), Recorded::Nothing);
    assert_eq!(states(db, &owner, id).await, [DeliveryState::Waiting]);
    assert_eq!(webhooks::record(db, &dead, &status(200), 0.0, later).await.unwrap(), Recorded::Delivered);
    assert_eq!(webhooks::record(db, &alive, &status(500), 0.0, later).await.unwrap(), Recorded::Nothing);
    assert_eq!(states(db, &owner, id).await, [DeliveryState::Delivered], "it has arrived, whoever brought it");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_long_queue_holds_up_nobody_elses(pool: PgPool) {
    let economy = Economy::new(pool);
    let db = &economy.db;
    let (busy, calm) = (economy.person("busy").await, economy.person("calm").await);
    let (long, short) = (endpoint(db, &busy, &[]).await.id, endpoint(db, &calm, &[]).await.id);
    for _ in 0..40 {
        webhooks::send_test(db, &busy, long).await.unwrap();
    }
    for _ in 0..3 {
        webhooks::send_test(db, &calm, short).await.unwrap();
    }
    let now = Utc::now();
    let of = |claims: &[Claim], id| claims.iter().filter(|c| c.endpoint == id).count();
    // Taking turns: of four places each gets two.
    let first = webhooks::claim(db, 4, now).await.unwrap();
    assert_eq!((of(&first, long), of(&first, short)), (2, 2));
    // Only so many at once go to one endpoint, whoever claims.
    let second = webhooks::claim(db, 100, now).await.unwrap();
    assert_eq!((of(&second, long), of(&second, short)), (6, 1));
    assert!(webhooks::claim(db, 100, now).await.unwrap().is_empty());
    webhooks::record(db, &first[0], &status(200), 0.0, now).await.unwrap();
    let third = webhooks::claim(db, 100, now).await.unwrap();
    assert_eq!(third.len(), usize::from(first[0].endpoint == long));
    // Who has nothing on its way comes before who has much, though it came later.
    webhooks::send_test(db, &calm, short).await.unwrap();
    for claim in second.iter().filter(|c| c.endpoint == long).take(3) {
        webhooks::record(db, claim, &status(200), 0.0, now).await.unwrap();
    }
    let fourth = webhooks::claim(db, 1, Utc::now()).await.unwrap();
    assert_eq!(of(&fourth, short), 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_endpoint_that_is_being_deleted_does_not_hold_up_a_task(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "10").await;
    let id = endpoint(&economy.db, &buyer, &[]).await.id;
    let mut deleting = pool.begin().await.unwrap();
    sqlx::query("DELETE FROM webhook_endpoints WHERE id = $1").bind(id.0).execute(&mut *deleting).await.unwrap();
    let hired = tokio::time::timeout(Duration::from_secs(5), economy.hire(&buyer, agent)).await;
    assert!(hired.expect("the task does not wait for it").is_ok());
    deleting.commit().await.unwrap();
    assert!(told(&economy.db, &buyer).await.is_empty());
}

#[sqlx::test(migrations = "../migrations")]
async fn old_messages_and_closed_accounts_are_forgotten(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let (db, owner) = (&economy.db, economy.person("owner").await);
    let id = endpoint(db, &owner, &[]).await.id;
    webhooks::send_test(db, &owner, id).await.unwrap();
    let claim = one_claim(db, Utc::now()).await;
    webhooks::record(db, &claim, &status(500), 0.0, Utc::now()).await.unwrap();
    assert_eq!(webhooks::forget_old(db, Utc::now() + TimeDelta::days(29)).await.unwrap(), 0);
    webhooks::send_test(db, &owner, id).await.unwrap();
    assert_eq!(webhooks::forget_old(db, Utc::now() + TimeDelta::days(31)).await.unwrap(), 2);
    assert!(states(db, &owner, id).await.is_empty());
    webhooks::send_test(db, &owner, id).await.unwrap();
    accounts::close(db, &owner, "long enough".into()).await.unwrap();
    for table in ["webhook_endpoints", "webhook_secrets", "webhook_messages", "webhook_deliveries", "webhook_attempts"]
    {
        let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        let left: i64 = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
        assert_eq!(left, 0, "{table}");
    }
}
