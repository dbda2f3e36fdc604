//! What the provider tells: believed when signed, taken once, in any order.

use domain::ledger::payments::refund;
use domain::ledger::{self, payments::purchase::Purchase};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::provider::{
    api, begin, buy, client, event, find, now, paid_session, paid_up, secret, send, sign, starter, tell, until,
};
use crate::test_app::TestApp;

async fn written(app: &TestApp) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM stripe_events").fetch_one(app.db.pool()).await.unwrap()
}

async fn begun(app: &TestApp, me: &domain::Actor) -> Purchase {
    let (bought, _) = begin(app, me, starter(), false).await;
    find(app, bought.id).await
}

#[sqlx::test(migrations = "./migrations")]
async fn what_is_not_signed_by_the_provider_is_refused(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, me) = app.person("buyer").await;
    let bought = begun(&app, &me).await;
    let body = event("evt_1", "checkout.session.completed", now(), paid_session(&bought, "pi_1")).to_string();
    let payload = body.as_bytes();
    let secret = secret(&app).await;
    let good = sign(&secret, now(), payload);
    let refused = [
        (payload.to_vec(), None, "missing"),
        (payload.to_vec(), Some(String::new()), "cannot be read"),
        (payload.to_vec(), Some("nonsense".into()), "cannot be read"),
        (payload.to_vec(), Some(good.replace("v1=", "v0=")), "cannot be read"),
        (payload.to_vec(), Some(sign("whsec_guess", now(), payload)), "wrong"),
        (payload.to_vec(), Some(sign(&secret, now() - 600, payload)), "too old"),
        (payload.to_vec(), Some(sign(&secret, now() + 600, payload)), "too new"),
        (body.replace("1000", "9000").into_bytes(), Some(good.clone()), "wrong"),
        (b"not json".to_vec(), Some(sign(&secret, now(), b"not json")), "could not be read"),
        (b"{\"id\": 1}".to_vec(), Some(sign(&secret, now(), b"{\"id\": 1}")), "could not be read"),
        (b"\xff\xfe".to_vec(), Some(sign(&secret, now(), b"\xff\xfe")), "UTF-8"),
    ];
    for (payload, signature, says) in refused {
        let (status, answer) = send(&app, payload, signature.as_deref()).await;
        let message = answer["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert!(status == 400 && message.contains(says), "{status} {answer}, not “{says}”");
    }
    assert_eq!((written(&app).await, app.available(&me).await), (0, "1000.00".into()));
    // An inch within the tolerance, and beside a signature of another secret.
    let close = sign(&secret, now() - 290, payload).replace(",v1=", ",v1=beef,v1=");
    assert_eq!(send(&app, payload, Some(&close)).await.1["data"]["effect"], "credited");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn while_a_secret_is_replaced_both_are_believed(pool: PgPool) {
    let keys = [
        "--stripe-secret-key",
        "sk_test_x",
        "--stripe-webhook-secret",
        "whsec_old,whsec_new",
        "--stripe-api-base",
        "http://127.0.0.1:9/",
    ];
    let app = TestApp::start_with(pool, &keys).await;
    let payload = event("evt_1", "product.created", now(), json!({ "id": "prod_1" })).to_string();
    for secret in ["whsec_old", "whsec_new"] {
        let signature = sign(secret, now(), payload.as_bytes());
        let answer = send(&app, payload.clone(), Some(&signature)).await;
        assert_eq!(answer, (200, json!({ "data": { "received": true, "effect": "ignored" } })), "{secret}");
    }
    let signature = sign("whsec_", now(), payload.as_bytes());
    assert_eq!(send(&app, payload, Some(&signature)).await.0, 400);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn fifty_identical_events_at_once_credit_once(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, me) = app.person("buyer").await;
    let bought = begun(&app, &me).await;
    let payload = event("evt_1", "checkout.session.completed", now(), paid_session(&bought, "pi_1")).to_string();
    let signature = sign(&secret(&app).await, now(), payload.as_bytes());
    let sent = (0..50).map(|_| send(&app, payload.clone(), Some(&signature)));
    let mut effects: Vec<String> = Vec::new();
    for answer in futures::future::join_all(sent).await {
        assert_eq!(answer.0, 200, "{answer:?}");
        effects.push(answer.1["data"]["effect"].as_str().unwrap().to_owned());
    }
    assert_eq!(effects.iter().filter(|e| *e == "credited").count(), 1, "{effects:?}");
    assert_eq!(effects.iter().filter(|e| *e == "known before").count(), 49, "{effects:?}");
    assert_eq!((written(&app).await, app.available(&me).await), (1, "2000.00".into()));
    // The same session under another event's name.
    let other = event("evt_2", "checkout.session.completed", now(), paid_session(&bought, "pi_1"));
    assert_eq!(tell(&app, &other).await, "known before");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn an_event_has_the_effect_that_its_type_says(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, me) = app.person("buyer").await;
    let bought = begun(&app, &me).await;
    let session = |change: &dyn Fn(&mut Value)| {
        let mut session = paid_session(&bought, "pi_1");
        change(&mut session);
        session
    };
    let completed = |id: &str, session: Value| event(id, "checkout.session.completed", now(), session);
    let free = completed("evt_1", session(&|s| s["payment_status"] = json!("no_payment_required")));
    assert_eq!(tell(&app, &free).await, "ignored");
    // Another sum, another session, nobody's purchase: nothing is credited and nothing recorded.
    assert_eq!(tell(&app, &completed("evt_2", session(&|s| s["amount_total"] = json!(1)))).await, "not as offered");
    assert_eq!(tell(&app, &completed("evt_3", session(&|s| s["id"] = json!("cs_other")))).await, "not as offered");
    assert_eq!(tell(&app, &completed("evt_4", session(&|s| s["currency"] = json!("eur")))).await, "not as offered");
    let nobodys = session(&|s| s["client_reference_id"] = json!(uuid::Uuid::nil()));
    assert_eq!(tell(&app, &completed("evt_5", nobodys)).await, "not ours");
    assert_eq!(tell(&app, &completed("evt_6", session(&|s| s["client_reference_id"] = json!("x")))).await, "not ours");
    assert_eq!(written(&app).await, 0);
    // A card that was declined on the page, and a payment whose session will tell: not these events.
    let intent = json!({ "id": "pi_1", "status": "requires_payment_method", "metadata": { "purchase_id": bought.id },
                         "last_payment_error": { "code": "card_declined", "message": "No." } });
    assert_eq!(tell(&app, &event("evt_7", "payment_intent.payment_failed", now(), intent)).await, "ignored");
    assert_eq!(find(&app, bought.id).await.status.as_str(), "open");

    let unpaid = completed("evt_8", session(&|s| s["payment_status"] = json!("unpaid")));
    assert_eq!(tell(&app, &unpaid).await, "noted");
    assert_eq!(find(&app, bought.id).await.status.as_str(), "processing");
    let failed = event("evt_9", "checkout.session.async_payment_failed", now(), session(&|_| {}));
    assert_eq!(tell(&app, &failed).await, "noted");
    let seen = find(&app, bought.id).await;
    assert_eq!((seen.status.as_str(), seen.failure.as_deref()), ("failed", Some("the bank did not make the payment")));
    // The provider has the money after all: whatever was believed before, it is credited.
    let arrived = event("evt_10", "checkout.session.async_payment_succeeded", now(), session(&|_| {}));
    assert_eq!(tell(&app, &arrived).await, "credited");
    assert_eq!(app.available(&me).await, "2000.00");
    app.finish().await;
}

fn refunded(id: &str, created: i64, cents: i64) -> Value {
    let charge = json!({ "id": "ch_1", "payment_intent": "pi_1", "amount_refunded": cents, "amount": 1000 });
    event(id, "charge.refunded", created, charge)
}

fn disputed(id: &str, kind: &str, created: i64, status: &str) -> Value {
    let dispute = json!({ "id": "dp_1", "payment_intent": "pi_1", "charge": "ch_1", "amount": 1000, "status": status });
    event(id, &format!("charge.dispute.{kind}"), created, dispute)
}

#[sqlx::test(migrations = "./migrations")]
async fn refunds_take_back_what_they_gave_in_any_order(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, me) = app.person("buyer").await;
    let bought = begun(&app, &me).await;
    // Told before the purchase itself.
    assert_eq!(tell(&app, &refunded("evt_r1", now() - 20, 250)).await, "noted");
    let paid = event("evt_p", "checkout.session.completed", now() - 30, paid_session(&bought, "pi_1"));
    assert_eq!(tell(&app, &paid).await, "credited");
    assert_eq!(app.available(&me).await, "1750.00");
    // In all, then an older sum that arrives late.
    assert_eq!(tell(&app, &refunded("evt_r3", now(), 1000)).await, "noted");
    assert_eq!(app.available(&me).await, "1000.00");
    assert_eq!(tell(&app, &refunded("evt_r2", now() - 10, 500)).await, "known before");
    assert_eq!(app.available(&me).await, "1000.00");
    assert_eq!(ledger::balance(&app.db, &me).await.unwrap().purchased.to_string(), "0.00");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_dispute_takes_the_credits_and_a_won_one_gives_them_back(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (buyer, me) = app.person("buyer").await;
    let mut bought = Vec::new();
    for _ in 0..2 {
        bought.push(buy(&app, &buyer, &me, starter(), None).await);
    }
    let control = |intent: String, status: &'static str| {
        let app = &app;
        async move { api(app, "test/disputes", &[("payment_intent", &intent), ("status", status)], None).await }
    };
    let intents: Vec<String> = bought.iter().map(|p| p.payment_intent.clone().unwrap()).collect();
    let becomes = async |available: &str| {
        until(&format!("{available} are available"), || async { app.available(&me).await == available }).await;
    };
    assert_eq!(control(intents[0].clone(), "open").await.0, 200);
    becomes("2000.00").await;
    assert_eq!(control(intents[0].clone(), "won").await.1["status"], "won");
    becomes("3000.00").await;
    assert_eq!(control(intents[1].clone(), "lost").await.1["status"], "lost");
    becomes("2000.00").await;
    assert_eq!(control("pi_0".into(), "open").await.0, 404);
    assert_eq!(control(intents[0].clone(), "perhaps").await.0, 400);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_decision_may_arrive_before_its_dispute(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, me) = app.person("buyer").await;
    let bought = begun(&app, &me).await;
    tell(&app, &event("evt_p", "checkout.session.completed", now() - 90, paid_session(&bought, "pi_1"))).await;
    // An inquiry moves no money.
    assert_eq!(tell(&app, &disputed("evt_d0", "created", now() - 80, "warning_needs_response")).await, "noted");
    assert_eq!(app.available(&me).await, "2000.00");
    assert_eq!(tell(&app, &disputed("evt_d2", "closed", now() - 10, "won")).await, "known before");
    assert_eq!(tell(&app, &disputed("evt_d3", "closed", now() - 5, "lost")).await, "noted");
    assert_eq!(app.available(&me).await, "1000.00");
    assert_eq!(tell(&app, &disputed("evt_d1", "created", now() - 60, "warning_needs_response")).await, "known before");
    assert_eq!(app.available(&me).await, "1000.00");
    assert_eq!(tell(&app, &disputed("evt_d4", "funds_reinstated", now(), "won")).await, "noted");
    assert_eq!(app.available(&me).await, "2000.00");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn spent_credits_are_owed_and_collected(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let agent = app.agent(&owner, "summariser", "1500").await;
    let bought = begun(&app, &me).await;
    tell(&app, &event("evt_p", "checkout.session.completed", now(), paid_session(&bought, "pi_1"))).await;
    let text = [
        ("skill", "summarise"),
        ("price", "1500.00"),
        ("f.text", "Rivers carve valleys. Birds sing."),
        ("f.sentences", "1"),
    ];
    let task = buyer.hire(agent, &text).await;
    app.ended(&me, task).await;
    assert_eq!(app.available(&me).await, "500.00");
    tell(&app, &disputed("evt_d1", "created", now(), "needs_response")).await;
    let seen = find(&app, bought.id).await;
    assert_eq!((seen.taken.to_string(), seen.owed.to_string()), ("500.00".into(), "500.00".into()));
    assert_eq!(app.available(&me).await, "0.00");
    // The next purchase pays the debt first.
    let (next, page) = begin(&app, &me, starter(), false).await;
    assert_eq!(buyer.post(&page, &[("card", "4242 4242 4242 4242")]).await.status(), 303);
    paid_up(&app, next.id).await;
    assert_eq!(app.available(&me).await, "500.00");
    assert_eq!(find(&app, bought.id).await.owed.to_string(), "0.00");
    tell(&app, &disputed("evt_d2", "closed", now(), "won")).await;
    assert_eq!(app.available(&me).await, "1500.00");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_debt_is_collected_before_the_next_hold(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (buyer, me) = app.person("buyer").await;
    let agent = app.agent(&owner, "summariser", "1500").await;
    let bought = begun(&app, &me).await;
    tell(&app, &event("evt_p", "checkout.session.completed", now(), paid_session(&bought, "pi_1"))).await;
    let text = [
        ("skill", "summarise"),
        ("price", "1500.00"),
        ("f.text", "Rivers carve valleys. Birds sing."),
        ("f.sentences", "1"),
    ];
    let task = buyer.hire(agent, &text).await;
    app.ended(&me, task).await;
    tell(&app, &disputed("evt_d1", "created", now(), "needs_response")).await;
    // Credits come in another way: they serve the debt, not the next task.
    let domain::Actor::Session(user) = me else { panic!("a session") };
    ledger::adjust(&app.db, &domain::Actor::System, user, "75.00".parse().unwrap(), "a gift").await.unwrap();
    assert_eq!(app.available(&me).await, "75.00");
    let cheap = app.agent(&owner, "language-detector", "10").await;
    let fields = [("skill", "detect"), ("price", "10.00"), ("f.text", "Rivers carve valleys.")];
    let answer = buyer.post_multipart(&format!("/marketplace/{cheap}/hire"), &fields, None).await;
    assert_eq!(answer.status(), 402);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_buyer_gets_unspent_credits_refunded(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (buyer, me) = app.person("buyer").await;
    let bought = buy(&app, &buyer, &me, starter(), None).await;
    // Ordered, and the program stopped before it asked the provider: the worker does.
    let (order, _) = refund::request(&app.db, &me, bought.id, chrono::Utc::now()).await.unwrap();
    assert_eq!((order.amount_cents, app.available(&me).await), (1000, "1000.00".into()));
    until("the refund is made", || async {
        sqlx::query_scalar::<_, bool>("SELECT ask_at IS NULL FROM payment_reversals WHERE kind = 'requested'")
            .fetch_one(app.db.pool())
            .await
            .unwrap()
    })
    .await;
    // Asked again, the provider makes no second one; its own event takes nothing twice.
    client(&app).refund(&order).await.unwrap();
    until("the provider's event came", || async {
        sqlx::query_scalar::<_, bool>("SELECT EXISTS (SELECT 1 FROM payment_reversals WHERE kind = 'refund')")
            .fetch_one(app.db.pool())
            .await
            .unwrap()
    })
    .await;
    assert_eq!(app.available(&me).await, "1000.00");
    assert!(refund::request(&app.db, &me, bought.id, chrono::Utc::now()).await.is_err());

    // Refused for good (refunded by hand at the provider, whose event is still on its way): the credits come back.
    let other = begun(&app, &me).await;
    let unknown = paid_session(&other, "pi_nobodys");
    tell(&app, &event("evt_p", "checkout.session.completed", now(), unknown)).await;
    assert_eq!(app.available(&me).await, "2000.00");
    refund::request(&app.db, &me, other.id, chrono::Utc::now()).await.unwrap();
    until("the credits are back", || async { app.available(&me).await == "2000.00" }).await;
    app.finish().await;
}
