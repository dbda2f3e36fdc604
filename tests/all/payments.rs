//! Buying credits in the sandbox: the same client, page and signed webhook as with Stripe.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use sqlx::PgPool;

use crate::test_app::{TestApp, location};

fn path_of(url: &str) -> String {
    let url: url::Url = url.parse().unwrap();
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

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

    let declined = buyer.post(&checkout, &[("card", "4000 0000 0000 0002")]).await;
    assert_eq!(declined.status(), 402);
    assert_eq!(app.available(&me).await, "1000.00");
    let paid = buyer.post(&checkout, &[("card", "4242 4242 4242 4242")]).await;
    assert_eq!(paid.status(), 303);
    assert!(path_of(location(&paid)).starts_with("/credits/return?purchase="));
    // Twice, from another tab: one payment.
    assert_eq!(buyer.post(&checkout, &[("card", "4242424242424242")]).await.status(), 303);
    for _ in 0..100 {
        if app.available(&me).await != "1000.00" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(app.available(&me).await, "2000.00");
    let delivered: String =
        sqlx::query_scalar("SELECT payload FROM sandbox.webhook_deliveries").fetch_one(app.db.pool()).await.unwrap();
    // The same event again, and the same session under another event's name.
    let secret: String =
        sqlx::query_scalar("SELECT secret FROM sandbox.webhook_secret").fetch_one(app.db.pool()).await.unwrap();
    let mut other: Value = serde_json::from_str(&delivered).unwrap();
    other["id"] = json!("evt_other");
    for payload in [delivered, other.to_string()] {
        let answer = send(&app, &payload, &sign(&secret, chrono::Utc::now().timestamp(), &payload)).await;
        assert_eq!(answer.0, 200);
        assert_eq!(answer.1["data"]["effect"], "credited before");
    }
    assert_eq!(app.available(&me).await, "2000.00");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn what_is_not_signed_by_the_provider_is_refused(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (buyer, me) = app.person("buyer").await;
    let begun = buyer.post("/credits/buy", &[("package", "enterprise")]).await;
    let session = location(&begun).rsplit('/').next().unwrap().to_owned();
    let mut body: Value = sqlx::query_scalar("SELECT body FROM sandbox.checkout_sessions WHERE id = $1")
        .bind(&session)
        .fetch_one(app.db.pool())
        .await
        .unwrap();
    body["status"] = json!("complete");
    let event = |paid: &str, body: &Value| {
        let mut body = body.clone();
        body["payment_status"] = json!(paid);
        json!({"id": format!("evt_{paid}"), "object": "event", "api_version": null, "created": 1, "livemode": false,
               "pending_webhooks": 1, "request": null, "type": "checkout.session.completed", "data": {"object": body}})
        .to_string()
    };
    let payload = event("paid", &body);
    let now = chrono::Utc::now().timestamp();
    let secret: String =
        sqlx::query_scalar("SELECT secret FROM sandbox.webhook_secret").fetch_one(app.db.pool()).await.unwrap();
    for signature in [
        "",
        "nonsense",
        &sign("whsec_guess", now, &payload),
        &sign(&secret, now - 3600, &payload),
        &sign(&secret, now, "other"),
    ] {
        assert_eq!(send(&app, &payload, signature).await.0, 400, "{signature}");
    }
    assert_eq!(send(&app, "not json", &sign(&secret, now, "not json")).await.0, 400);
    // Signed, but not paid: nothing yet.
    let unpaid = event("unpaid", &body);
    assert_eq!(
        send(&app, &unpaid, &sign(&secret, now, &unpaid)).await,
        (200, json!({"data": {"received": true, "effect": "not paid yet"}}))
    );
    // Signed and paid, but another sum than was offered.
    let mut cheap = body.clone();
    cheap["amount_total"] = json!(1);
    let cheap = event("paid", &cheap);
    assert_eq!(send(&app, &cheap, &sign(&secret, now, &cheap)).await.1["data"]["effect"], "not as offered");
    assert_eq!(app.available(&me).await, "1000.00");
    assert_eq!(buyer.post("/credits/buy", &[("package", "gratis")]).await.status(), 400);
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
    let api = buyer
        .request(Method::POST, "/sandbox/stripe/v1/checkout/sessions")
        .bearer_auth("sk_test_sandbox")
        .send()
        .await
        .unwrap();
    assert_eq!(api.status(), 405, "only the page for unknown addresses answers");
    assert_eq!(buyer.get("/sandbox/checkout/cs_test_1").await.status(), 404);
    // The provider cannot be reached: nothing is charged, and the buyer is told.
    let begun = buyer.post("/credits/buy", &[("package", "starter")]).await;
    assert_eq!((begun.status().as_u16(), location(&begun)), (303, "/credits"));
    assert!(buyer.get("/credits").await.text().await.unwrap().contains("nothing was charged"));
    assert_eq!(app.available(&me).await, "1000.00");
    app.finish().await;
}

async fn send(app: &TestApp, payload: &str, signature: &str) -> (u16, Value) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client
        .post(format!("http://{}/api/v1/billing/webhook", app.addr))
        .header("stripe-signature", signature)
        .body(payload.to_owned())
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn sign(secret: &str, timestamp: i64, payload: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{timestamp}.{payload}").as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    format!("t={timestamp},v1={hex}")
}
