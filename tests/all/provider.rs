//! The payment provider as tests see it: purchases begun, pages paid, events signed and sent.

use std::future::Future;
use std::time::{Duration, Instant};

use domain::ledger::payments::Provider;
use domain::ledger::payments::packages::Package;
use domain::ledger::payments::purchase::{self, Offer, Purchase};
use domain::{Actor, PurchaseId, accounts};
use hmac::{Hmac, KeyInit, Mac};
use nexus::config::Secret;
use nexus::payments::{Payments, SandboxKeys};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::test_app::{Browser, TestApp, location};

pub const GOOD: &str = "4242 4242 4242 4242";
pub const ASKS: &str = "4000 0025 0000 3155";
pub const LATER_DECLINED: &str = "4000 0000 0000 0341";

pub fn starter() -> Offer {
    Offer::Package(Package::find("starter").unwrap())
}

pub fn path_of(url: &str) -> String {
    let url: url::Url = url.parse().unwrap();
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

/// The program's client, against the sandbox of `app`.
pub fn client(app: &TestApp) -> Payments {
    let key = Secret(nexus::sandbox::API_KEY.into());
    let keys = SandboxKeys { api_key: key.clone(), webhook_secret: Secret("whsec_unused".into()) };
    let here: url::Url = format!("http://{}/", app.addr).parse().unwrap();
    Payments::new(&key, &here.join("sandbox/stripe/").unwrap(), Vec::new(), here, Some(keys)).unwrap()
}

/// Begins a purchase as the page does; answers with it and the path of its payment page.
pub async fn begin(app: &TestApp, actor: &Actor, offer: Offer, save_card: bool) -> (Purchase, String) {
    let bought = purchase::begin(&app.db, actor, offer, save_card, Provider::Sandbox).await.unwrap();
    let email = accounts::profile(&app.db, actor).await.unwrap().email;
    let checkout = client(app).open_checkout(&app.db, &bought, &email).await.unwrap();
    purchase::attach_session(&app.db, bought.id, &checkout.session_id, &checkout.url).await.unwrap();
    (bought, path_of(&checkout.url))
}

/// Buys with a card that pays, and waits for the credits.
pub async fn buy(app: &TestApp, browser: &Browser, actor: &Actor, offer: Offer, save: Option<&str>) -> Purchase {
    let (bought, page) = begin(app, actor, offer, save.is_some()).await;
    let paid = browser.post(&page, &[("card", save.unwrap_or(GOOD))]).await;
    assert_eq!(paid.status(), 303);
    if location(&paid).starts_with("/sandbox/bank/") {
        assert_eq!(browser.post(location(&paid), &[("answer", "approve")]).await.status(), 303);
    }
    paid_up(app, bought.id).await
}

pub async fn find(app: &TestApp, id: PurchaseId) -> Purchase {
    purchase::find(&app.db, &Actor::System, id).await.unwrap()
}

pub async fn paid_up(app: &TestApp, id: PurchaseId) -> Purchase {
    status_becomes(app, id, "paid").await
}

pub async fn status_becomes(app: &TestApp, id: PurchaseId, status: &str) -> Purchase {
    until(&format!("purchase becomes {status}"), || async { find(app, id).await.status.as_str() == status }).await;
    find(app, id).await
}

pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(20), "not in 20 s: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub async fn sql(app: &TestApp, text: &'static str) {
    sqlx::raw_sql(text).execute(app.db.pool()).await.unwrap();
}

pub async fn secret(app: &TestApp) -> String {
    sqlx::query_scalar("SELECT secret FROM sandbox.webhook_secret").fetch_one(app.db.pool()).await.unwrap()
}

pub fn event(id: &str, kind: &str, created: i64, object: Value) -> Value {
    json!({ "id": id, "object": "event", "api_version": "2099-01-01.later", "created": created, "livemode": false,
            "pending_webhooks": 1, "request": null, "type": kind, "data": { "object": object } })
}

/// A session that was paid, as its event tells it; with a word that no client knows.
pub fn paid_session(bought: &Purchase, payment_intent: &str) -> Value {
    json!({ "id": bought.session_id, "object": "checkout.session", "status": "complete", "payment_status": "paid",
            "client_reference_id": bought.id, "payment_intent": payment_intent, "amount_total": bought.amount_cents,
            "currency": "usd", "mode": "a_new_mode" })
}

pub fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

pub fn sign(secret: &str, timestamp: i64, payload: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{timestamp}.").as_bytes());
    mac.update(payload);
    let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    format!("t={timestamp},v1={hex}")
}

pub async fn send(app: &TestApp, payload: impl Into<Vec<u8>>, signature: Option<&str>) -> (u16, Value) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.post(format!("http://{}/api/v1/billing/webhook", app.addr)).body(payload.into());
    if let Some(signature) = signature {
        request = request.header("stripe-signature", signature);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Sends a rightly signed event; answers with its effect.
pub async fn tell(app: &TestApp, event: &Value) -> String {
    let payload = event.to_string();
    let signature = sign(&secret(app).await, now(), payload.as_bytes());
    let (status, body) = send(app, payload, Some(&signature)).await;
    assert_eq!(status, 200, "{body}");
    body["data"]["effect"].as_str().unwrap().to_owned()
}

/// A call of the sandbox's API.
pub async fn api(app: &TestApp, path: &str, form: &[(&str, &str)], key: Option<&str>) -> (u16, Value) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let mut request = client
        .post(format!("http://{}/sandbox/stripe/{path}", app.addr))
        .bearer_auth(nexus::sandbox::API_KEY)
        .body(body);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}
