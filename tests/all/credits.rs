//! The pages and forms of credits over HTTP.

use chrono::Utc;
use domain::ledger::payments::customer::{self, SavedCard};
use domain::ledger::payments::events::{self, News, PaymentEvent};
use domain::ledger::payments::packages::Package;
use domain::ledger::payments::purchase::{self, Offer, Purchase};
use domain::ledger::payments::{Provider, topup};
use domain::{Actor, Credits, UserId, ledger};
use sqlx::PgPool;

use crate::test_app::{Browser, TestApp, location};

/// A purchase of the starter package that is not paid.
async fn begun(app: &TestApp, by: &Actor) -> Purchase {
    let offer = Offer::Package(Package::find("starter").unwrap());
    purchase::begin(&app.db, by, offer, false, Provider::Sandbox).await.unwrap()
}

async fn told(app: &TestApp, news: News) {
    events::apply(&app.db, &PaymentEvent { event: None, as_of: Utc::now(), news }).await.unwrap();
}

/// A purchase of the starter package that is paid.
async fn bought(app: &TestApp, by: &Actor) -> Purchase {
    let p = begun(app, by).await;
    let news = News::Paid {
        purchase: p.id,
        session: None,
        payment_intent: Some(format!("pi_{}", p.id)),
        amount_cents: 1_000,
        currency: "usd".into(),
    };
    told(app, news).await;
    purchase::find(&app.db, by, p.id).await.unwrap()
}

fn user(of: &Actor) -> UserId {
    of.user().unwrap()
}

async fn page(browser: &Browser, path: &str) -> String {
    let answer = browser.get(path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn the_ledger_is_a_file_of_all_rows_without_formulas(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ada, me) = app.person("ada").await;
    // More than are read at a time.
    sqlx::query("SELECT ledger.adjust($1, -0.01, '=1+1, \"x\"') FROM generate_series(1, 1100)")
        .bind(user(&me).0)
        .execute(app.db.pool())
        .await
        .unwrap();
    let answer = ada.get("/credits/ledger.csv").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8");
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"nexus-ledger.csv\"");
    let text = answer.text().await.unwrap();
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!((lines.len(), lines[0]), (1_102, "time,type,amount,balance after,reference,description"));
    assert!(lines[1].contains("Z,refund,-0.01,989.00,adjustment:"), "{}", lines[1]);
    assert!(lines[1].ends_with(",\"'=1+1, \"\"x\"\"\""), "{}", lines[1]);
    assert!(lines[1_101].contains(",initial_grant,1000.00,1000.00,,"), "{}", lines[1_101]);
    let grant = ada.get("/credits/ledger.csv?type=initial_grant").await.text().await.unwrap();
    assert_eq!(grant.lines().count(), 2);
    let shown = page(&ada, "/credits?type=refund").await;
    assert!(shown.contains("/credits/ledger.csv?type=refund"), "the link keeps the filter");
    assert_eq!(location(&app.browser().get("/credits/ledger.csv").await), "/sign-in?next=/credits/ledger.csv");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn receipts_are_their_buyers_alone_and_say_what_was_paid(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ada, me) = app.person("ada").await;
    let (stranger, _) = app.person("stranger").await;
    let long = "x".repeat(201);
    let refused = ada.post("/credits/billing-details", &[("section", "billing"), ("name", &long)]).await;
    assert_eq!(refused.status(), 400);
    let refused = refused.text().await.unwrap();
    assert!(refused.contains("more than 200 characters") && refused.contains(&long), "what was typed stays");
    let details = [("section", "billing"), ("name", "Ada & Co"), ("address", "1 Mill Lane\r\nBath"), ("tax_id", "GB1")];
    assert_eq!(location(&ada.post("/credits/billing-details", &details).await), "/credits/receipts");

    let paid = bought(&app, &me).await;
    let address = format!("/credits/receipts/{}", paid.id);
    let receipt = page(&ada, &address).await;
    for part in ["NX-000001", "$10.00 USD", "Ada &amp; Co", "1 Mill Lane\nBath", "GB1", "SANDBOX", "Starter package"] {
        assert!(receipt.contains(part), "{part}: {receipt}");
    }
    assert!(receipt.contains("Refund $10.00") && receipt.contains(paid.payment_intent.as_deref().unwrap()));
    assert!(page(&ada, "/credits/receipts").await.contains(&address));
    assert!(!page(&stranger, "/credits/receipts").await.contains("NX-"));
    for path in [address.clone(), format!("/credits/return?purchase={}", paid.id)] {
        assert_eq!(stranger.get(&path).await.status(), 404, "{path}");
    }
    assert_eq!(stranger.post(&format!("{address}/refund"), &[]).await.status(), 404);
    assert_eq!(app.available(&me).await, "2000.00");
    assert_eq!(location(&app.browser().get(&address).await), format!("/sign-in?next={address}"));

    let open = begun(&app, &me).await;
    assert_eq!(ada.get(&format!("/credits/receipts/{}", open.id)).await.status(), 404, "nothing was paid");
    assert_eq!(ada.get("/credits/receipts/nonsense").await.status(), 404);

    // Spent: there is nothing to give back, and the page says so.
    ledger::adjust(&app.db, &Actor::System, user(&me), "-2000".parse().unwrap(), "spent").await.unwrap();
    assert!(page(&ada, &address).await.contains("No refund: its credits are spent"));
    let refused = ada.post(&format!("{address}/refund"), &[]).await;
    assert_eq!(refused.status(), 409);
    assert!(refused.text().await.unwrap().contains("Its credits are spent"));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn any_amount_is_bought_and_a_wrong_one_is_told(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ada, me) = app.person("ada").await;
    let wrong = [
        ("4.99", "must be from $5.00"),
        ("10000.01", "must be from $5.00"),
        ("abc", "Amount in US dollars"),
        ("7.555", "Amount in US dollars"),
        ("-20", "must be from $5.00"),
        ("", "is missing"),
    ];
    for (amount, why) in wrong {
        let answer =
            ada.post("/credits/buy", &[("section", "amount"), ("amount", amount), ("save_card", "true")]).await;
        assert_eq!(answer.status(), 400, "{amount}");
        let shown = answer.text().await.unwrap();
        let error = shown.split("id=\"amount-error\"").nth(1).unwrap_or_default();
        assert!(error.split("</p>").next().unwrap_or_default().contains(why), "{amount}: {error:.200}");
        assert!(shown.contains(&format!("value=\"{amount}\"")), "{amount} stays");
    }
    let none: i64 = sqlx::query_scalar("SELECT count(*) FROM purchases").fetch_one(app.db.pool()).await.unwrap();
    assert_eq!(none, 0);
    let begun = ada.post("/credits/buy", &[("amount", "$25"), ("save_card", "false"), ("save_card", "true")]).await;
    assert_eq!(begun.status(), 303);
    assert!(location(&begun).contains("/sandbox/checkout/"), "{}", location(&begun));
    let row: (String, Credits, i64, bool) = {
        let (package, credits, cents, save): (String, String, i64, bool) =
            sqlx::query_as("SELECT package, credits::text, amount_cents, save_card FROM purchases WHERE user_id = $1")
                .bind(user(&me).0)
                .fetch_one(app.db.pool())
                .await
                .unwrap();
        (package, credits.parse().unwrap(), cents, save)
    };
    assert_eq!(row, ("amount".into(), "3000".parse().unwrap(), 2_500, true));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_limit_is_set_and_stops_the_next_task(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (ada, me) = app.person("ada").await;
    let agent = app.agent(&owner, "echo", "10").await;
    for (daily, monthly) in [("-1", ""), ("abc", "5"), ("", "1.234"), ("2000000000", "")] {
        let form = [("section", "limits"), ("daily", daily), ("monthly", monthly)];
        let answer = ada.post("/credits/limits", &form).await;
        assert_eq!(answer.status(), 400, "{daily} {monthly}");
        let shown = answer.text().await.unwrap();
        assert!(shown.contains("class=\"field-error\"") && shown.contains(&format!("value=\"{daily}\"")), "{daily}");
    }
    let set = ada.post("/credits/limits", &[("daily", "15.50"), ("monthly", "")]).await;
    assert_eq!((set.status().as_u16(), location(&set)), (303, "/credits/topup"));
    let order = [("skill", "echo"), ("price", "10.00"), ("f.text", "hello")];
    let task = ada.hire(agent, &order).await;
    app.ended(&me, task).await;
    let hire = format!("/marketplace/{agent}/hire");
    assert!(page(&ada, &format!("{hire}?skill=echo")).await.contains("Your own limit leaves 5.50 credits today"));
    let refused = ada.post_multipart(&hire, &order, None).await;
    assert_eq!(refused.status(), 403);
    let shown = refused.text().await.unwrap();
    assert!(shown.contains("Your limit is 15.50 credits a day"), "{shown}");
    assert!(shown.contains("/credits/topup#limits"), "a way on: {shown}");
    assert!(shown.contains("hello"), "what was typed stays: {shown}");
    assert_eq!(app.available(&me).await, "990.00");
    let limits = page(&ada, "/credits/topup").await;
    assert!(limits.contains("10.00") && limits.contains("15.50"), "{limits}");
    // Taken away again.
    assert_eq!(ada.post("/credits/limits", &[("daily", ""), ("monthly", "")]).await.status(), 303);
    let task = ada.hire(agent, &order).await;
    app.ended(&me, task).await;
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn automatic_top_up_wants_a_card_and_sensible_figures(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ada, me) = app.person("ada").await;
    let good = [("section", "topup"), ("threshold", "100"), ("amount", "40"), ("monthly_cap", "80")];
    let refused = ada.post("/credits/topup", &good).await;
    assert_eq!(refused.status(), 409);
    assert!(refused.text().await.unwrap().contains("Save a card first"));
    assert_eq!(ada.post("/credits/topup/confirm", &[]).await.status(), 409, "nothing waits");

    let card = SavedCard {
        payment_method: "pm_1".into(),
        brand: "visa".into(),
        last4: "4242".into(),
        expires: "04/2030".into(),
    };
    customer::keep_customer(&app.db, user(&me), Provider::Sandbox, "cus_1").await.unwrap();
    customer::keep_card(&app.db, user(&me), Provider::Sandbox, Some(&card)).await.unwrap();
    assert!(page(&ada, "/credits/topup").await.contains("Visa ···· 4242"));
    let bad = [("section", "topup"), ("threshold", "x"), ("amount", "4.99"), ("monthly_cap", "1e9")];
    let refused = ada.post("/credits/topup", &bad).await;
    assert_eq!(refused.status(), 400);
    assert!(refused.text().await.unwrap().contains("value=\"1e9\""), "what was typed stays");
    let low = [("section", "topup"), ("threshold", "1"), ("amount", "40"), ("monthly_cap", "39.99")];
    assert!(ada.post("/credits/topup", &low).await.text().await.unwrap().contains("must be at least one purchase"));
    assert_eq!(location(&ada.post("/credits/topup", &good).await), "/credits/topup");
    let on = page(&ada, "/credits/topup").await;
    assert!(on.contains("Below 100.00 credits, $40.00 are charged, at most $80.00 a month."), "{on}");
    sqlx::query("UPDATE auto_topups SET state = 'paused', failures = 3, last_error = 'your card was declined'")
        .execute(app.db.pool())
        .await
        .unwrap();
    assert!(page(&ada, "/credits/topup").await.contains("Paused after 3 declines"));
    assert!(page(&ada, "/dashboard").await.contains("Your card was declined."));
    assert_eq!(ada.post("/credits/topup/off", &[]).await.status(), 303);
    assert_eq!(topup::get(&app.db, &me).await.unwrap().unwrap().state, topup::TopupState::Off);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn the_way_back_tells_what_became_of_the_purchase(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ada, me) = app.person("ada").await;
    let open = begun(&app, &me).await;
    let back = format!("/credits/return?purchase={}", open.id);
    let waits = page(&ada, &back).await;
    let again = format!("2;url=/credits/return?purchase={}&amp;try=1", open.id);
    assert!(waits.contains("http-equiv=\"refresh\"") && waits.contains(&again), "{waits}");
    let enough = page(&ada, &format!("{back}&try=30")).await;
    assert!(!enough.contains("http-equiv=\"refresh\"") && enough.contains("has stopped looking"), "{enough}");
    let left = page(&ada, &format!("{back}&cancelled=1")).await;
    assert!(left.contains("nothing was charged") && left.contains("Try again") && !left.contains("refresh"));
    told(&app, News::Processing { purchase: open.id, payment_intent: None }).await;
    assert!(page(&ada, &format!("{back}&cancelled=1")).await.contains("on its way"), "what is so counts");
    told(&app, News::Failed { purchase: open.id, reason: "the bank said no".into() }).await;
    assert!(page(&ada, &back).await.contains("The bank said no. Nothing was charged."));
    let late = begun(&app, &me).await;
    told(&app, News::Expired { purchase: late.id }).await;
    assert!(page(&ada, &format!("/credits/return?purchase={}", late.id)).await.contains("ran out of time"));
    let paid = bought(&app, &me).await;
    let thanks = page(&ada, &format!("/credits/return?purchase={}", paid.id)).await;
    assert!(thanks.contains("Thank you") && thanks.contains("1,000.00 credits are on your account"), "{thanks}");
    assert_eq!(ada.get("/credits/return?purchase=nonsense").await.status(), 404);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn what_is_owed_is_said(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ada, me) = app.person("ada").await;
    let paid = bought(&app, &me).await;
    ledger::adjust(&app.db, &Actor::System, user(&me), "-1400".parse().unwrap(), "spent").await.unwrap();
    let news = News::Dispute {
        dispute: "dp_1".into(),
        payment_intent: paid.payment_intent.unwrap(),
        amount_cents: 1_000,
        stands: true,
    };
    told(&app, news).await;
    for path in ["/credits", "/credits/receipts", "/dashboard"] {
        assert!(page(&ada, path).await.contains("400.00 credits"), "{path}");
    }
    let receipt = page(&ada, &format!("/credits/receipts/{}", paid.id)).await;
    assert!(receipt.contains("still owed") && receipt.contains("400.00") && !receipt.contains("Ask for a refund"));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn usage_is_shown_for_the_periods_there_are(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (owner, seller) = app.person("owner").await;
    let (ada, me) = app.person("ada").await;
    assert!(page(&ada, "/credits/usage").await.contains("Nothing moved"));
    let agent = app.agent(&seller, "echo", "10").await;
    let task = ada.hire(agent, &[("skill", "echo"), ("price", "10.00"), ("message", "hello")]).await;
    app.ended(&me, task).await;
    for (query, days) in
        [("", 30), ("?days=7", 7), ("?days=90", 90), ("?days=abc", 30), ("?days=-7", 30), ("?days=99", 30)]
    {
        let shown = page(&ada, &format!("/credits/usage{query}")).await;
        assert!(shown.contains(&format!("Spent in {days} days")), "{query}");
        // Each day, those without movement too.
        assert_eq!(shown.matches("<title>").count(), days + 1, "{query}: a title for each day, and the page's");
    }
    assert!(page(&owner, "/credits/usage?days=7").await.contains("9.50"));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn with_real_keys_the_way_to_stripes_page_is_open_and_nothing_is_play_money(pool: PgPool) {
    let keys = [
        "--stripe-secret-key",
        "sk_test_x",
        "--stripe-webhook-secret",
        "whsec_x",
        "--stripe-api-base",
        "http://127.0.0.1:9/",
    ];
    let app = TestApp::start_with(pool, &keys).await;
    let (ada, _) = app.person("ada").await;
    let answer = ada.get("/credits").await;
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("form-action 'self' https://checkout.stripe.com https://hooks.stripe.com;"), "{policy}");
    assert!(!answer.text().await.unwrap().contains("play money"));
    app.finish().await;
}
