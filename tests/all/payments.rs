//! Buying credits in the sandbox: the same client, page and signed webhook as with Stripe.

use domain::ledger::payments::purchase::Offer;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::provider::{
    ASKS, GOOD, api, begin, buy, client, find, paid_up, path_of, sql, starter, status_becomes, until,
};
use crate::test_app::{TestApp, location};

#[sqlx::test(migrations = "./migrations")]
async fn a_package_is_bought_and_credited_once(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (buyer, me) = app.person("buyer").await;
    let begun = buyer.post("/credits/buy", &[("package", "starter")]).await;
    assert_eq!(begun.status(), 303);
    let checkout = path_of(location(&begun));
    assert!(checkout.starts_with("/sandbox/checkout/cs_test_"), "{checkout}");
    let page = buyer.get(&checkout).await.text().await.unwrap();
    assert!(page.contains("$10.00") && page.contains("No money moves"), "{page}");
    assert!(!page.contains("is kept for later"), "nothing was said of keeping the card");

    for (card, says) in [
        ("4000 0000 0000 0002", "was declined"),
        ("4000 0000 0000 9995", "insufficient funds"),
        ("4000 0000 0000 0069", "has expired"),
        ("1234", "not a test card"),
    ] {
        let declined = buyer.post(&checkout, &[("card", card)]).await;
        assert_eq!(declined.status(), 402, "{card}");
        assert!(declined.text().await.unwrap().contains(says), "{card}");
    }
    assert_eq!(app.available(&me).await, "1000.00");
    let paid = buyer.post(&checkout, &[("card", GOOD)]).await;
    assert_eq!(paid.status(), 303);
    let back = path_of(location(&paid));
    assert!(back.starts_with("/credits/return?purchase="), "{back}");
    // Twice, from another tab: one payment.
    assert_eq!(buyer.post(&checkout, &[("card", "4242424242424242")]).await.status(), 303);
    let id = back.rsplit('=').next().unwrap().parse().unwrap();
    let bought = paid_up(&app, id).await;
    assert_eq!((bought.receipt().as_deref(), bought.payment_intent.is_some()), (Some("NX-000001"), true));
    assert_eq!(app.available(&me).await, "2000.00");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn any_amount_is_bought_and_the_account_at_the_provider_is_one(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (buyer, me) = app.person("buyer").await;
    buy(&app, &buyer, &me, Offer::Amount(2_500), None).await;
    buy(&app, &buyer, &me, Offer::Amount(500), None).await;
    assert_eq!(app.available(&me).await, "4500.00");
    let customers: i64 = sqlx::query_scalar("SELECT count(*) FROM sandbox.objects WHERE kind = 'customer'")
        .fetch_one(app.db.pool())
        .await
        .unwrap();
    assert_eq!(customers, 1);
    // Asked twice for one purchase: one session.
    let (bought, _) = begin(&app, &me, starter(), false).await;
    let again = client(&app).open_checkout(&app.db, &bought, "buyer@example.org").await.unwrap();
    assert_eq!(Some(again.session_id), find(&app, bought.id).await.session_id);
    // Somebody deleted the account there: people can pay nevertheless.
    sql(&app, "DELETE FROM sandbox.objects WHERE kind = 'customer'").await;
    buy(&app, &buyer, &me, starter(), None).await;
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn the_bank_asks_and_its_word_counts(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (buyer, me) = app.person("buyer").await;
    let (bought, page) = begin(&app, &me, starter(), false).await;
    let asked = buyer.post(&page, &[("card", ASKS)]).await;
    let bank = location(&asked).to_owned();
    assert!(bank.starts_with("/sandbox/bank/pi_sandbox_"), "{bank}");
    let shown = buyer.get(&bank).await.text().await.unwrap();
    assert!(shown.contains("Approve") && shown.contains("Refuse") && shown.contains("No money moves"), "{shown}");
    let refused = buyer.post(&bank, &[("answer", "refuse")]).await;
    assert_eq!(location(&refused), format!("{page}?bank=refused"));
    assert!(buyer.get(location(&refused)).await.text().await.unwrap().contains("did not confirm"));
    assert_eq!(buyer.get(&bank).await.status(), 404, "nothing waits there any more");
    assert_eq!(find(&app, bought.id).await.status.as_str(), "open");
    // Another try, approved.
    let asked = buyer.post(&page, &[("card", ASKS)]).await;
    let approved = buyer.post(location(&asked), &[("answer", "approve")]).await;
    assert_eq!(path_of(location(&approved)), format!("/credits/return?purchase={}", bought.id));
    paid_up(&app, bought.id).await;
    assert_eq!(app.available(&me).await, "2000.00");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_slow_payment_is_processing_until_it_arrives(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (buyer, me) = app.person("buyer").await;
    let (bought, page) = begin(&app, &me, starter(), false).await;
    assert_eq!(buyer.post(&page, &[("card", "4000 0000 0000 1000")]).await.status(), 303);
    status_becomes(&app, bought.id, "processing").await;
    assert_eq!(app.available(&me).await, "1000.00");
    paid_up(&app, bought.id).await;
    assert_eq!(app.available(&me).await, "2000.00");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_webhook_may_come_twice_late_or_never(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (buyer, me) = app.person("buyer").await;
    let (twice, page) = begin(&app, &me, starter(), false).await;
    buyer.post(&page, &[("card", GOOD), ("webhook", "twice")]).await;
    let (late, page) = begin(&app, &me, starter(), false).await;
    buyer.post(&page, &[("card", GOOD), ("webhook", "late")]).await;
    let (never, page) = begin(&app, &me, starter(), false).await;
    buyer.post(&page, &[("card", GOOD), ("webhook", "never")]).await;
    paid_up(&app, twice.id).await;
    until("both deliveries are taken", || async {
        sqlx::query_scalar::<_, bool>(
            "SELECT count(*) = 2 AND sum(attempts) = 4 FROM sandbox.webhook_deliveries WHERE delivered_at IS NOT NULL",
        )
        .fetch_one(app.db.pool())
        .await
        .unwrap()
    })
    .await;
    assert_eq!(app.available(&me).await, "2000.00");
    // The late one's time is here; of the other one the provider has to be asked.
    sql(&app, "UPDATE sandbox.webhook_deliveries SET next_at = now()").await;
    paid_up(&app, late.id).await;
    assert_eq!(find(&app, never.id).await.status.as_str(), "open");
    sql(&app, "UPDATE purchases SET next_check_at = now() WHERE status = 'open'").await;
    paid_up(&app, never.id).await;
    assert_eq!(app.available(&me).await, "4000.00");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_session_runs_out_of_time(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (buyer, me) = app.person("buyer").await;
    let (bought, page) = begin(&app, &me, starter(), false).await;
    let session = page.rsplit('/').next().unwrap();
    assert_eq!(api(&app, &format!("v1/checkout/sessions/{session}/expire"), &[], None).await.0, 200);
    status_becomes(&app, bought.id, "expired").await;
    let gone = buyer.get(&page).await;
    assert_eq!(path_of(location(&gone)), format!("/credits/return?purchase={}&cancelled=1", bought.id));
    // By the clock, and nobody told: the provider is asked.
    let (bought, _) = begin(&app, &me, starter(), false).await;
    sql(&app, "UPDATE sandbox.objects SET due_at = now(), hidden = hidden || '{\"fate\": \"never\"}' WHERE kind = 'checkout.session'").await;
    sql(&app, "UPDATE purchases SET next_check_at = now() + interval '1 second' WHERE status = 'open'").await;
    status_becomes(&app, bought.id, "expired").await;
    // The program was stopped before it heard of a session.
    let lost = domain::ledger::payments::purchase::begin(
        &app.db,
        &me,
        starter(),
        false,
        domain::ledger::payments::Provider::Sandbox,
    )
    .await
    .unwrap();
    sql(
        &app,
        "UPDATE purchases SET created_at = now() - interval '25 hours', next_check_at = now() WHERE status = 'open'",
    )
    .await;
    status_becomes(&app, lost.id, "expired").await;
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn the_sandbox_answers_as_stripe_does(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (buyer, me) = app.person("buyer").await;
    // One key, one answer; with other parameters an error.
    let (status, first) = api(&app, "v1/customers", &[("email", "a@example.org")], Some("k1")).await;
    assert_eq!((status, first["object"].as_str()), (200, Some("customer")));
    assert_eq!(api(&app, "v1/customers", &[("email", "a@example.org")], Some("k1")).await, (200, first));
    let (status, error) = api(&app, "v1/customers", &[("email", "b@example.org")], Some("k1")).await;
    assert_eq!((status, error["error"]["type"].as_str()), (400, Some("idempotency_error")));
    // What is wrong is named, and not kept under the key.
    let (status, error) = api(&app, "v1/checkout/sessions", &[("mode", "payment")], Some("k2")).await;
    assert_eq!((status, error["error"]["param"].as_str()), (400, Some("line_items[0][price_data][unit_amount]")));
    assert_eq!(api(&app, "v1/checkout/sessions", &[("mode", "x")], Some("k2")).await.1["error"]["param"], "mode");
    assert_eq!(api(&app, "v1/balance", &[], None).await.0, 404);
    assert_eq!(
        api(&app, "v1/refunds", &[("payment_intent", "pi_0")], None).await.1["error"]["code"],
        "resource_missing"
    );
    let bought = buy(&app, &buyer, &me, starter(), None).await;
    let intent = bought.payment_intent.unwrap();
    let big = [("payment_intent", intent.as_str()), ("amount", "1001")];
    assert_eq!(api(&app, "v1/refunds", &big, None).await.1["error"]["code"], "amount_too_large");
    // Events are listed, newest first.
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let list = |query: &str| {
        let request = http.get(format!("http://{}/sandbox/stripe/v1/events{query}", app.addr));
        async move { request.bearer_auth(nexus::sandbox::API_KEY).send().await.unwrap().json::<Value>().await.unwrap() }
    };
    let all = list("").await;
    let kinds: Vec<&str> = all["data"].as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["checkout.session.completed", "payment_intent.succeeded"]);
    assert_eq!(list("?type=payment_intent.succeeded&limit=1").await["data"][0]["data"]["object"]["id"], json!(intent));
    let anybody = http.get(format!("http://{}/sandbox/stripe/v1/events", app.addr)).send().await.unwrap();
    assert_eq!(anybody.status(), 401);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn with_real_keys_the_sandbox_does_not_exist(pool: PgPool) {
    let keys = [
        "--stripe-secret-key",
        "sk_test_x",
        "--stripe-webhook-secret",
        "whsec_x",
        "--stripe-api-base",
        "http://127.0.0.1:9/",
    ];
    let app = TestApp::start_with(pool, &keys).await;
    let (buyer, me) = app.person("buyer").await;
    for path in ["/sandbox/stripe/v1/checkout/sessions", "/sandbox/stripe/test/disputes"] {
        let api = buyer.request(Method::POST, path).bearer_auth("sk_test_sandbox").send().await.unwrap();
        assert_eq!(api.status(), 405, "only the page for unknown addresses answers");
    }
    assert_eq!(buyer.get("/sandbox/checkout/cs_test_1").await.status(), 404);
    assert_eq!(buyer.get("/sandbox/bank/pi_1").await.status(), 404);
    // The provider cannot be reached: nothing is charged, and the buyer is told.
    let begun = buyer.post("/credits/buy", &[("package", "starter")]).await;
    assert_eq!((begun.status().as_u16(), location(&begun)), (303, "/credits"));
    assert!(buyer.get("/credits").await.text().await.unwrap().contains("nothing was charged"));
    assert_eq!(app.available(&me).await, "1000.00");
    app.finish().await;
}
