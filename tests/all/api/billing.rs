//! Credits over REST: what there is, what moved, buying, giving back, limits.

use domain::api_keys::{NewKey, Scope};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Program, code, fields, only, read};
use crate::provider::{GOOD, paid_up, path_of, sql};
use crate::test_app::TestApp;

/// Sends a POST with an Idempotency-Key; answers with whether it was a replay.
async fn post_once(program: &Program, path: &str, key: &str, body: &Value) -> ((u16, Value), bool) {
    let request = program.request(Method::POST, path).header("idempotency-key", key).json(body);
    let answer = request.send().await.unwrap();
    let replayed = answer.headers().contains_key("idempotent-replayed");
    (read(answer).await, replayed)
}

async fn purchases(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM purchases").fetch_one(pool).await.unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn what_there_is_and_what_moved(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ((_, owner), (_, buyer)) = (app.person("owner").await, app.person("buyer").await);
    let agent = app.agent(&owner, "echo", "10").await;
    let (mine, theirs) = (app.program(&buyer).await, app.program(&owner).await);
    let (status, fresh) = mine.get("/billing/balance").await;
    let expected = json!({"available": "1000.00", "held": "0.00", "total": "1000.00", "earned": "0.00", "spent": "0.00",
                          "purchased": "0.00", "lowBalance": null});
    assert_eq!((status, &fresh["data"]), (200, &expected));
    for n in 0..3 {
        let body = json!({"agentId": agent, "message": format!("{n}")});
        assert_eq!(mine.post("/tasks?wait=30", body).await.1["data"]["state"], "completed");
    }
    let now = mine.get("/billing/balance").await.1["data"].clone();
    assert_eq!((&now["available"], &now["spent"], &now["held"]), (&json!("970.00"), &json!("30.00"), &json!("0.00")));
    assert_eq!(theirs.get("/billing/balance").await.1["data"]["earned"], "28.50");

    let first = mine.get("/billing/transactions?limit=3").await.1;
    let amounts = |page: &Value| -> Vec<String> {
        page["data"].as_array().unwrap().iter().map(|r| r["amount"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(amounts(&first), ["-10.00"; 3]);
    assert_eq!((&first["data"][0]["balanceAfter"], &first["data"][0]["position"]), (&json!("970.00"), &json!(4)));
    let next = first["nextCursor"].as_str().unwrap();
    let second = mine.get(&format!("/billing/transactions?limit=3&cursor={next}")).await.1;
    assert_eq!((amounts(&second), &second["nextCursor"]), (vec!["1000.00".to_owned()], &Value::Null));
    let grants = mine.get("/billing/transactions?type=initial_grant").await.1;
    assert_eq!((amounts(&grants), &grants["data"][0]["type"]), (vec!["1000.00".to_owned()], &json!("initial_grant")));
    assert_eq!(amounts(&theirs.get("/billing/transactions?type=platform_fee").await.1), ["-0.50"; 3]);

    for (period, days) in [("7d", 7), ("30d", 30), ("90d", 90)] {
        let usage = mine.get(&format!("/billing/usage?period={period}")).await.1["data"].clone();
        let each = usage["days"].as_array().unwrap();
        assert_eq!((each.len(), &usage["spent"], &each[days - 1]["spent"]), (days, &json!("30.00"), &json!("30.00")));
        assert_eq!(
            (&usage["period"], &usage["earned"], &each[0]["spent"]),
            (&json!(period), &json!("0.00"), &json!("0.00"))
        );
    }
    assert_eq!(mine.get("/billing/usage").await.1["data"]["period"], "30d");
    for (path, field) in [
        ("/billing/usage?period=8d", "period"),
        ("/billing/usage?days=7", "days"),
        ("/billing/transactions?type=gift", "type"),
        ("/billing/transactions?limit=0", "limit"),
        ("/billing/transactions?cursor=nonsense", "cursor"),
        ("/billing/receipts?limit=101", "limit"),
        ("/billing/receipts?cursor=nonsense", "cursor"),
    ] {
        let refused = mine.get(path).await;
        assert_eq!((code(&refused), fields(&refused)), ((400, "VALIDATION_ERROR"), vec![field]), "{path}");
    }
    let packages = app.nobody().get("/billing/packages").await.1;
    assert_eq!(packages["data"][1], json!({"id": "pro", "name": "Pro", "credits": "5000.00", "amountCents": 4000}));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_checkout_sent_twice_is_one_purchase_and_one_page(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let (browser, buyer) = app.person("buyer").await;
    let program = app.program(&buyer).await;
    let body = json!({"packageId": "starter"});
    let (first, replayed) = post_once(&program, "/billing/checkout", "buy-1", &body).await;
    let said = &first.1["data"];
    assert!(first.0 == 201 && !replayed, "{first:?}");
    assert_eq!(
        (&said["credits"], &said["amountCents"], &said["sandbox"]),
        (&json!("1000.00"), &json!(1000), &json!(true))
    );
    let url = said["url"].as_str().unwrap().to_owned();
    assert!(url.contains("/sandbox/checkout/cs_test_"), "{url}");
    let (second, replayed) = post_once(&program, "/billing/checkout", "buy-1", &body).await;
    assert!(replayed && second == first, "{second:?}");
    assert_eq!(purchases(&pool).await, 1);
    let (other, _) = post_once(&program, "/billing/checkout", "buy-1", &json!({"packageId": "pro"})).await;
    assert_eq!(code(&other), (422, "IDEMPOTENCY_CONFLICT"));
    // The program was stopped between the purchase and its page: sent again, the provider answers with the same session.
    sql(&app, "UPDATE purchases SET stripe_session_id = NULL, checkout_url = NULL").await;
    let (third, replayed) = post_once(&program, "/billing/checkout", "buy-1", &body).await;
    assert!(replayed && third == first, "{third:?}");
    let sessions = "SELECT count(*) FROM sandbox.objects WHERE kind = 'checkout.session'";
    assert_eq!(sqlx::query_scalar::<_, i64>(sessions).fetch_one(&pool).await.unwrap(), 1);

    let id = said["id"].as_str().unwrap();
    let receipt = format!("/billing/receipts/{id}");
    assert_eq!(code(&program.get(&receipt).await), (404, "NOT_FOUND"), "not paid yet");
    assert_eq!(browser.post(&path_of(&url), &[("card", GOOD)]).await.status(), 303);
    paid_up(&app, id.parse().unwrap()).await;
    let (status, paid) = program.get(&receipt).await;
    assert_eq!(
        (status, &paid["data"]["number"], &paid["data"]["packageId"]),
        (200, &json!("NX-000001"), &json!("starter"))
    );
    assert_eq!(paid["data"]["refundable"], json!({"credits": "1000.00", "amountCents": 1000}));
    assert_eq!(program.get("/billing/balance").await.1["data"]["purchased"], "1000.00");
    // Without a name each is another purchase.
    for cents in [500, 2_500] {
        let begun = program.post("/billing/checkout", json!({"amountCents": cents, "saveCard": true})).await;
        assert_eq!(
            (begun.0, &begun.1["data"]["packageId"], &begun.1["data"]["saveCard"]),
            (201, &Value::Null, &json!(true))
        );
    }
    assert_eq!(purchases(&pool).await, 3);
    for (body, field) in [
        (json!({}), "packageId"),
        (json!({"packageId": "gratis"}), "packageId"),
        (json!({"packageId": "pro", "amountCents": 500}), "amountCents"),
        (json!({"amountCents": 499}), "amountCents"),
        (json!({"amountCents": 1_000_001}), "amountCents"),
        (json!({"amountCents": -5}), "amountCents"),
        (json!({"amountCents": "500"}), "amountCents"),
        (json!({"amountCents": 500, "saveCard": "yes"}), "saveCard"),
        (json!({"amount": 500}), "amount"),
    ] {
        let refused = program.post("/billing/checkout", body.clone()).await;
        assert_eq!((code(&refused), fields(&refused)), ((400, "VALIDATION_ERROR"), vec![field]), "{body}");
    }
    assert_eq!(purchases(&pool).await, 3, "nothing was begun");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn racing_checkouts_with_one_key_are_one_purchase(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let (_, buyer) = app.person("buyer").await;
    let program = app.program(&buyer).await;
    let body = json!({"packageId": "pro"});
    let send = || post_once(&program, "/billing/checkout", "race", &body);
    let answers = futures::future::join_all((0..20).map(|_| send())).await;
    let made: Vec<&Value> = answers.iter().filter(|(a, _)| a.0 == 201).map(|(a, _)| &a.1).collect();
    assert!(!made.is_empty() && made.iter().all(|a| *a == made[0]), "{answers:?}");
    assert!(answers.iter().all(|(a, _)| matches!(a.0, 201 | 409)), "{answers:?}");
    assert_eq!(purchases(&pool).await, 1);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_refund_is_made_once_and_only_for_ones_own(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let ((browser, buyer), (_, other)) = (app.person("buyer").await, app.person("other").await);
    let (program, stranger) = (app.program(&buyer).await, app.program(&other).await);
    let mut bought = Vec::new();
    for _ in 0..2 {
        let begun = program.post("/billing/checkout", json!({"packageId": "starter"})).await.1["data"].clone();
        let page = path_of(begun["url"].as_str().unwrap());
        assert_eq!(browser.post(&page, &[("card", GOOD)]).await.status(), 303);
        let id = begun["id"].as_str().unwrap().to_owned();
        paid_up(&app, id.parse().unwrap()).await;
        bought.push(id);
    }
    let list = program.get("/billing/receipts?limit=1").await.1;
    assert_eq!(list["data"][0]["id"], bought[1].as_str());
    let next = list["nextCursor"].as_str().unwrap();
    let rest = program.get(&format!("/billing/receipts?limit=1&cursor={next}")).await.1;
    assert_eq!((&rest["data"][0]["id"], &rest["nextCursor"]), (&json!(bought[0]), &Value::Null));
    assert_eq!(stranger.get("/billing/receipts").await.1["data"], json!([]));

    let receipt = format!("/billing/receipts/{}", bought[0]);
    let refund = format!("{receipt}/refund");
    for (path, method) in [(&receipt, Method::GET), (&refund, Method::POST)] {
        assert_eq!(code(&stranger.call(method.clone(), path, None).await), (404, "NOT_FOUND"), "{path}");
        let none = path.replace(&bought[0], "nonsense");
        assert_eq!(code(&program.call(method, &none, None).await), (404, "NOT_FOUND"), "{none}");
    }
    assert_eq!(fields(&program.post(&refund, json!({"amountCents": 3})).await), ["amountCents"], "all or nothing");
    let (first, replayed) = post_once(&program, &refund, "back-1", &json!({})).await;
    let said = &first.1["data"];
    assert!(first.0 == 201 && !replayed, "{first:?}");
    assert_eq!(
        (&said["state"], &said["credits"], &said["amountCents"]),
        (&json!("made"), &json!("1000.00"), &json!(1000))
    );
    assert_eq!(said["receiptId"], bought[0].as_str());
    let (second, replayed) = post_once(&program, &refund, "back-1", &json!({})).await;
    assert!(replayed && second == first, "{second:?}");
    assert_eq!(program.get("/billing/balance").await.1["data"]["available"], "2000.00");
    assert_eq!(code(&program.post(&refund, json!({})).await), (409, "CONFLICT"), "nothing is left of it");
    let after = program.get(&receipt).await.1["data"].clone();
    assert_eq!((&after["takenCredits"], &after["refundable"]), (&json!("1000.00"), &Value::Null));
    assert!(after["whyNotRefundable"].as_str().unwrap().contains("nothing is left"), "{after}");

    // The provider refuses for good: the credits are back, and a replay says the same.
    let second_refund = format!("/billing/receipts/{}/refund", bought[1]);
    sql(&app, "DELETE FROM sandbox.objects WHERE kind = 'payment_intent'").await;
    for _ in 0..2 {
        let (refused, _) = post_once(&program, &second_refund, "back-2", &json!({})).await;
        assert_eq!(code(&refused), (409, "CONFLICT"));
        assert!(refused.1["error"]["message"].as_str().unwrap().contains("credits are back"), "{refused:?}");
    }
    assert_eq!(program.get("/billing/balance").await.1["data"]["available"], "2000.00");
    let orders: i64 = sqlx::query_scalar("SELECT count(*) FROM payment_reversals WHERE kind = 'requested'")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(orders, 2);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn limits_are_set_all_together_and_hold(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ((_, owner), (_, buyer)) = (app.person("owner").await, app.person("buyer").await);
    let agent = app.agent(&owner, "echo", "10").await;
    let program = app.program(&buyer).await;
    let set = |body: Value| program.call(Method::PUT, "/billing/limits", Some(body));
    let none = program.get("/billing/limits").await.1["data"].clone();
    let expected =
        json!({"daily": null, "monthly": null, "lowBalance": null, "spentToday": "0.00", "spentThisMonth": "0.00"});
    assert_eq!(none, expected);
    let some = set(json!({"daily": "15.00", "monthly": null, "lowBalance": "50"})).await;
    assert_eq!(
        (some.0, &some.1["data"]["daily"], &some.1["data"]["lowBalance"]),
        (200, &json!("15.00"), &json!("50.00"))
    );
    let hire = || program.post("/tasks?wait=30", json!({"agentId": agent, "message": "x"}));
    assert_eq!(hire().await.0, 201);
    assert_eq!(code(&hire().await), (403, "FORBIDDEN"), "above the day's limit");
    let now = program.get("/billing/limits").await.1["data"].clone();
    assert_eq!((&now["spentToday"], &now["monthly"]), (&json!("10.00"), &Value::Null));
    assert_eq!(program.get("/billing/balance").await.1["data"]["lowBalance"], "50.00");
    for (body, field) in [
        (json!({"monthly": null, "lowBalance": null}), "daily"),
        (json!({"daily": null, "lowBalance": null}), "monthly"),
        (json!({"daily": null, "monthly": null}), "lowBalance"),
        (json!({"daily": "-1", "monthly": null, "lowBalance": null}), "daily"),
        (json!({"daily": null, "monthly": "x", "lowBalance": null}), "monthly"),
        (json!({"daily": null, "monthly": null, "lowBalance": "0"}), "lowBalance"),
        (json!({"daily": null, "monthly": null, "lowBalance": null, "weekly": "1"}), "weekly"),
    ] {
        let refused = set(body.clone()).await;
        assert_eq!((code(&refused), fields(&refused)), ((400, "VALIDATION_ERROR"), vec![field]), "{body}");
    }
    // The first of two fields was right: neither was written.
    let half = set(json!({"daily": "99", "monthly": null, "lowBalance": "0"})).await;
    assert_eq!(half.0, 400);
    assert_eq!(program.get("/billing/limits").await.1["data"]["daily"], "15.00");
    let off = set(json!({"daily": null, "monthly": null, "lowBalance": null})).await;
    assert_eq!((&off.1["data"]["daily"], &off.1["data"]["lowBalance"]), (&Value::Null, &Value::Null));
    assert_eq!(hire().await.0, 201);

    let topup = program.get("/billing/topup").await.1["data"].clone();
    assert_eq!((&topup["state"], &topup["threshold"], &topup["card"]), (&json!("off"), &Value::Null, &Value::Null));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_key_for_something_else_sees_no_money(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, buyer) = app.person("buyer").await;
    let reader = app.program_with(&buyer, NewKey::named("r", only(Scope::BillingRead))).await;
    let other = app.program_with(&buyer, NewKey::named("o", only(Scope::TasksWrite))).await;
    for path in ["balance", "transactions", "usage", "receipts", "limits", "topup"] {
        let path = format!("/billing/{path}");
        assert_eq!(reader.get(&path).await.0, 200, "{path}");
        let refused = other.get(&path).await;
        assert_eq!(
            (code(&refused), &refused.1["error"]["details"]["scope"]),
            ((403, "FORBIDDEN"), &json!("billing:read"))
        );
        assert_eq!(code(&app.nobody().get(&path).await), (401, "UNAUTHORIZED"), "{path}");
    }
    let limits = json!({"daily": null, "monthly": null, "lowBalance": null});
    assert_eq!(code(&reader.call(Method::PUT, "/billing/limits", Some(limits)).await), (403, "FORBIDDEN"));
    assert_eq!(code(&reader.post("/billing/checkout", json!({"packageId": "pro"})).await), (403, "FORBIDDEN"));
    app.finish().await;
}
