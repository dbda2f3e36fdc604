//! The saved card, and what it buys by itself.

use chrono::Utc;
use domain::ledger::payments::Provider;
use domain::ledger::payments::customer;
use domain::ledger::payments::purchase::Purchase;
use domain::ledger::payments::topup::{self, AutoTopup, TopupSettings, TopupState};
use domain::{Actor, PurchaseId};
use sqlx::PgPool;

use crate::provider::{ASKS, GOOD, LATER_DECLINED, buy, client, find, paid_up, path_of, sql, starter, until};
use crate::test_app::{Browser, TestApp, location};

async fn saved(app: &TestApp, me: &Actor) -> Option<customer::SavedCard> {
    customer::saved_card(&app.db, me, Provider::Sandbox).await.unwrap()
}

/// Buys once with a card that is kept, and turns the top-up on: below 2,500 it buys for $20, at most for $45 a month.
async fn with_topup(app: &TestApp, buyer: &Browser, me: &Actor, card: &str) -> Purchase {
    let bought = buy(app, buyer, me, starter(), Some(card)).await;
    until("the card is kept", || async { saved(app, me).await.is_some() }).await;
    let settings =
        TopupSettings { threshold: "1500.00".parse().unwrap(), amount_cents: 1_000, monthly_cap_cents: 2_500 };
    topup::set(&app.db, me, &settings, Provider::Sandbox).await.unwrap();
    bought
}

/// Spends 600 by hiring: 2,000 become 1,400.
async fn spend(app: &TestApp, buyer: &Browser, me: &Actor) {
    let (_, owner) = app.person("owner").await;
    let agent = app.agent(&owner, "summariser", "600").await;
    let text = [
        ("skill", "summarise"),
        ("price", "600.00"),
        ("f.text", "Rivers carve valleys. Birds sing."),
        ("f.sentences", "1"),
    ];
    let task = buyer.hire(agent, &text).await;
    app.ended(me, task).await;
}

async fn state(app: &TestApp, me: &Actor) -> AutoTopup {
    topup::get(&app.db, me).await.unwrap().unwrap()
}

async fn automatic(app: &TestApp) -> Vec<(PurchaseId, String)> {
    sqlx::query_as::<_, (uuid::Uuid, String)>("SELECT id, status FROM purchases WHERE kind = 'auto' ORDER BY id")
        .fetch_all(app.db.pool())
        .await
        .unwrap()
        .into_iter()
        .map(|(id, status)| (PurchaseId(id), status))
        .collect()
}

async fn mails(app: &TestApp) -> Vec<String> {
    sqlx::query_scalar("SELECT subject FROM mails ORDER BY created_at").fetch_all(app.db.pool()).await.unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn a_kept_card_tops_up_within_its_cap(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (buyer, me) = app.person("buyer").await;
    with_topup(&app, &buyer, &me, GOOD).await;
    let card = saved(&app, &me).await.unwrap();
    assert_eq!((card.brand.as_str(), card.last4.as_str(), card.expires.as_str()), ("visa", "4242", "04/2030"));
    spend(&app, &buyer, &me).await;
    until("the balance is topped up", || async { app.available(&me).await == "2400.00" }).await;
    let bought = automatic(&app).await;
    assert_eq!(bought.len(), 1);
    paid_up(&app, bought[0].0).await;
    assert_eq!(state(&app, &me).await.state, TopupState::Active);
    // Twice more below the threshold: once within the cap, then the cap is reached.
    for _ in 0..2 {
        sql(&app, "UPDATE auto_topups SET threshold = 9999, next_try_at = now()").await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    until("the cap is reached", || async { mails(&app).await == ["Automatic top-up: monthly cap reached"] }).await;
    assert_eq!(automatic(&app).await.len(), 2);
    assert_eq!(app.available(&me).await, "3400.00");
    // Forgotten: nothing can be charged any more, there or here.
    let Actor::Session(user) = me else { panic!("a session") };
    client(&app).forget_card(&app.db, user).await.unwrap();
    client(&app).forget_card(&app.db, user).await.unwrap();
    assert_eq!(saved(&app, &me).await, None);
    sql(&app, "UPDATE purchases SET next_check_at = now() WHERE next_check_at IS NOT NULL").await;
    tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
    assert_eq!(saved(&app, &me).await, None, "a forgotten card stays forgotten");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_card_is_kept_though_the_program_stopped_meanwhile(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (buyer, me) = app.person("buyer").await;
    buy(&app, &buyer, &me, starter(), Some(GOOD)).await;
    until("the card is kept", || async { saved(&app, &me).await.is_some() }).await;
    // As if it had not got that far.
    sql(&app, "UPDATE payment_customers SET payment_method = NULL").await;
    sql(&app, "UPDATE purchases SET next_check_at = now()").await;
    until("the card is kept again", || async { saved(&app, &me).await.is_some() }).await;
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn declines_are_told_put_off_and_end_in_a_pause(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (buyer, me) = app.person("buyer").await;
    with_topup(&app, &buyer, &me, LATER_DECLINED).await;
    spend(&app, &buyer, &me).await;
    for failures in 1..=3 {
        until(&format!("{failures} declines"), || async { state(&app, &me).await.failures == failures }).await;
        let seen = state(&app, &me).await;
        let wait = seen.next_try_at - Utc::now();
        let expected = if failures == 1 { 59..=60 } else { 23 * 60..=24 * 60 };
        assert!(expected.contains(&wait.num_minutes()), "after {failures}: {wait}");
        assert_eq!(seen.last_error.as_deref(), Some("your card was declined"));
        assert_eq!(seen.state, if failures < 3 { TopupState::Active } else { TopupState::Paused });
        sql(&app, "UPDATE auto_topups SET next_try_at = now()").await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
    let tried = automatic(&app).await;
    assert_eq!(tried.iter().map(|(_, status)| status.as_str()).collect::<Vec<_>>(), ["failed"; 3]);
    assert_eq!(mails(&app).await, ["Automatic top-up was declined", "Automatic top-up is paused"]);
    assert_eq!(app.available(&me).await, "1400.00");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_bank_that_asks_gets_its_answer_from_the_owner(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (buyer, me) = app.person("buyer").await;
    with_topup(&app, &buyer, &me, ASKS).await;
    spend(&app, &buyer, &me).await;
    until("the owner is needed", || async { state(&app, &me).await.state == TopupState::NeedsAction }).await;
    assert_eq!(mails(&app).await, ["Automatic top-up: please confirm the payment"]);
    let waiting = find(&app, state(&app, &me).await.waiting.unwrap()).await;
    // The provider's own event of the decline, and being asked about it, change nothing.
    sql(&app, "UPDATE purchases SET next_check_at = now() WHERE status = 'open'").await;
    tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
    assert_eq!(find(&app, waiting.id).await.status.as_str(), "open");
    assert_eq!((state(&app, &me).await.failures, mails(&app).await.len()), (0, 1));

    let bank = client(&app).confirmation_page(&waiting).await.unwrap();
    assert_eq!(path_of(&client(&app).confirmation_page(&waiting).await.unwrap()), path_of(&bank), "asked twice");
    let approved = buyer.post(&path_of(&bank), &[("answer", "approve")]).await;
    assert_eq!(path_of(location(&approved)), format!("/credits/return?purchase={}", waiting.id));
    paid_up(&app, waiting.id).await;
    assert_eq!((app.available(&me).await, state(&app, &me).await.state), ("2400.00".into(), TopupState::Active));
    // Nothing is left to confirm: it leads where the bank would.
    let paid = find(&app, waiting.id).await;
    let back = client(&app).confirmation_page(&paid).await.unwrap();
    assert_eq!(path_of(&back), format!("/credits/return?purchase={}", waiting.id));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn an_owner_who_refuses_has_declined(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (buyer, me) = app.person("buyer").await;
    with_topup(&app, &buyer, &me, ASKS).await;
    spend(&app, &buyer, &me).await;
    until("the owner is needed", || async { state(&app, &me).await.waiting.is_some() }).await;
    let waiting = find(&app, state(&app, &me).await.waiting.unwrap()).await;
    let bank = client(&app).confirmation_page(&waiting).await.unwrap();
    buyer.post(&path_of(&bank), &[("answer", "refuse")]).await;
    until("it counts as a decline", || async { state(&app, &me).await.failures == 1 }).await;
    assert_eq!(find(&app, waiting.id).await.status.as_str(), "failed");
    assert_eq!(app.available(&me).await, "1400.00");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_payment_that_nobody_confirms_is_given_up(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (buyer, me) = app.person("buyer").await;
    with_topup(&app, &buyer, &me, ASKS).await;
    spend(&app, &buyer, &me).await;
    until("the owner is needed", || async { state(&app, &me).await.waiting.is_some() }).await;
    let waiting = state(&app, &me).await.waiting.unwrap();
    sql(
        &app,
        "UPDATE purchases SET created_at = now() - interval '49 hours', next_check_at = now() WHERE status = 'open'",
    )
    .await;
    until("it is given up", || async { find(&app, waiting).await.status.as_str() == "failed" }).await;
    assert_eq!((state(&app, &me).await.failures, state(&app, &me).await.state), (1, TopupState::Active));
    let given_up = find(&app, waiting).await;
    assert!(client(&app).confirmation_page(&given_up).await.is_err());
    app.finish().await;
}
