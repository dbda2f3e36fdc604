//! Accounts, from sign-up to closing.

use crate::support::{Economy, credits};
use chrono::{TimeDelta, Utc};
use domain::accounts::{self, SignIn, SignUp};
use domain::agents::{self, SearchQuery, Sort};
use domain::ledger::payments::Provider;
use domain::ledger::payments::customer::{self, SavedCard};
use domain::ledger::payments::purchase::BillingDetails;
use domain::ledger::payments::topup::{self, TopupSettings};
use domain::{Actor, Error};
use sqlx::PgPool;

fn sign_in(email: &str, password: &str) -> SignIn {
    SignIn { email: email.into(), password: password.into(), address: "192.0.2.1".into() }
}

#[sqlx::test(migrations = "../migrations")]
async fn sign_up_is_all_or_nothing_and_an_address_has_one_account(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let ada = economy.person("ada").await;
    let agents: Vec<(String, String)> =
        sqlx::query_as("SELECT kind, status FROM agents").fetch_all(&pool).await.unwrap();
    assert_eq!(agents, [("personal".into(), "offline".into())]);
    let again = SignUp { email: " ADA@example.org".into(), password: "long enough".into(), name: "Other".into() };
    let refused = accounts::sign_up(&economy.db, again).await;
    assert!(matches!(refused, Err(Error::Validation(f)) if f[0].field == "email"));
    let users: i64 =
        sqlx::query_scalar("SELECT count(*) FROM auth.users WHERE kind = 'person'").fetch_one(&pool).await.unwrap();
    assert_eq!(users, 1);
    assert_eq!(accounts::profile(&economy.db, &ada).await.unwrap().name, "ada");
    let wrong = SignUp { email: "nobody".into(), password: "short".into(), name: "x".repeat(101) };
    let Err(Error::Validation(fields)) = accounts::sign_up(&economy.db, wrong).await else { panic!() };
    assert_eq!(fields.iter().map(|f| f.field.as_str()).collect::<Vec<_>>(), ["email", "password", "name"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn sign_in_answers_alike_and_gets_slower(pool: PgPool) {
    let economy = Economy::new(pool);
    let ada = economy.person("ada").await;
    let now = Utc::now();
    let db = &economy.db;
    assert_eq!(
        accounts::sign_in(db, sign_in("Ada@example.org", "long enough"), now).await.unwrap(),
        ada.user().unwrap()
    );
    for email in ["ada@example.org", "nobody@example.org"] {
        for _ in 0..5 {
            assert!(matches!(
                accounts::sign_in(db, sign_in(email, "wrong password"), now).await,
                Err(Error::WrongCredentials)
            ));
        }
        // Even the right password has to wait now.
        assert!(matches!(accounts::sign_in(db, sign_in(email, "long enough"), now).await, Err(Error::RateLimited(_))));
    }
    let later = now + TimeDelta::seconds(3);
    assert!(accounts::sign_in(db, sign_in("ada@example.org", "long enough"), later).await.is_ok());
}

#[sqlx::test(migrations = "../migrations")]
async fn a_password_is_changed_only_with_the_old_one(pool: PgPool) {
    let economy = Economy::new(pool);
    let ada = economy.person("ada").await;
    let change = |old: &str, new: &str| accounts::change_password(&economy.db, &ada, old.into(), new.into());
    assert!(
        matches!(change("not it at all", "another long one").await, Err(Error::Validation(f)) if f[0].field == "current_password")
    );
    assert!(matches!(change("long enough", "short").await, Err(Error::Validation(f)) if f[0].field == "new_password"));
    change("long enough", "another long one").await.unwrap();
    assert!(accounts::sign_in(&economy.db, sign_in("ada@example.org", "another long one"), Utc::now()).await.is_ok());
}

#[sqlx::test(migrations = "../migrations")]
async fn a_closed_account_is_forgotten_and_its_ledger_stays_true(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "10").await;
    let other = economy.agent(&buyer, "Sideline", "1").await;
    let open = economy.hire(&buyer, agent).await.unwrap();
    let served = economy.hire(&owner, other).await.unwrap();
    let details = BillingDetails { name: "Buyer Ltd".into(), ..BillingDetails::default() };
    customer::set_billing_details(&economy.db, &buyer, &details).await.unwrap();
    let user = buyer.user().unwrap();
    customer::keep_customer(&economy.db, user, Provider::Sandbox, "cus_1").await.unwrap();
    let card = SavedCard {
        payment_method: "pm_1".into(),
        brand: "visa".into(),
        last4: "4242".into(),
        expires: "04/2030".into(),
    };
    customer::keep_card(&economy.db, user, Provider::Sandbox, Some(&card)).await.unwrap();
    let topup = TopupSettings { threshold: credits("5000"), amount_cents: 500, monthly_cap_cents: 500 };
    topup::set(&economy.db, &buyer, &topup, Provider::Sandbox).await.unwrap();
    assert!(accounts::close(&economy.db, &buyer, "not it at all".into()).await.is_err());
    accounts::close(&economy.db, &buyer, "long enough".into()).await.unwrap();

    assert!(matches!(
        accounts::sign_in(&economy.db, sign_in("buyer@example.org", "long enough"), Utc::now()).await,
        Err(Error::WrongCredentials)
    ));
    let status: String =
        sqlx::query_scalar("SELECT status FROM tasks WHERE id = $1").bind(open.id.0).fetch_one(&pool).await.unwrap();
    assert_eq!(status, "cancelled");
    assert!(
        topup::due(&economy.db, Provider::Sandbox, Utc::now()).await.unwrap().is_empty(),
        "nothing buys for it any more"
    );
    assert_eq!(customer::billing_details(&economy.db, &buyer).await.unwrap(), BillingDetails::default());
    assert_eq!(customer::saved_card(&economy.db, &buyer, Provider::Sandbox).await.unwrap(), None);
    // What its agent had accepted is still served, and paid.
    let claim = economy.claim(served.id).await;
    assert!(economy.complete(&claim).await);
    let left: Vec<(String, String)> =
        sqlx::query_as("SELECT email, display_name FROM auth.users WHERE closed_at IS NOT NULL")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert_eq!(left.len(), 1);
    assert!(left[0].0.ends_with("@nexus.invalid") && left[0].1 == "Closed account");
    assert!(economy.hire(&owner, other).await.is_err(), "its agents are retired");
    // The address is free again.
    economy.person("buyer").await;
    economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn search_forgives_typos_filters_and_pages(pool: PgPool) {
    let economy = Economy::new(pool);
    let owner = economy.person("owner").await;
    for (name, price) in [("Summariser", "10"), ("Translator", "5"), ("Profiler", "20"), ("Forecaster", "0")] {
        economy.agent(&owner, name, price).await;
    }
    let gone = economy.agent(&owner, "Gone", "1").await;
    agents::set_status(&economy.db, &owner, gone, false).await.unwrap();
    let db = &economy.db;
    let names = |q: SearchQuery| async move {
        let found = agents::search::search(db, &Actor::Anonymous, &q, 10).await.unwrap();
        found.page.items.into_iter().map(|a| a.name).collect::<Vec<_>>()
    };
    let text = |t: &str| SearchQuery { text: t.into(), ..SearchQuery::default() };
    for typed in ["summariser", "sumariser", "summarizer", "summ", "SUMMARISER"] {
        assert_eq!(names(text(typed)).await.first().map(String::as_str), Some("Summariser"), "{typed}");
    }
    assert_eq!(names(text("xyzzyq")).await, Vec::<String>::new());
    assert_eq!(
        names(SearchQuery { max_price: Some(credits("5")), sort: Sort::Price, ..SearchQuery::default() }).await,
        ["Forecaster", "Translator"]
    );
    assert_eq!(
        names(SearchQuery { tags: vec!["nothing".into()], ..SearchQuery::default() }).await,
        Vec::<String>::new()
    );
    assert_eq!(names(SearchQuery { skills: vec!["work".into()], ..SearchQuery::default() }).await.len(), 4);
    let both = SearchQuery { skills: vec!["work".into(), "rest".into()], ..SearchQuery::default() };
    assert_eq!(names(both).await.len(), 0, "each skill is wanted");
    assert_eq!(names(SearchQuery { min_trust: Some(51), ..SearchQuery::default() }).await.len(), 0);
    for sort in Sort::ALL {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let query = SearchQuery { sort, after, ..SearchQuery::default() };
            let found = agents::search::search(&economy.db, &Actor::Anonymous, &query, 1).await.unwrap();
            assert_eq!(found.total, 4, "{sort:?}");
            seen.extend(found.page.items.into_iter().map(|a| a.name));
            after = found.page.next;
            if after.is_none() {
                break;
            }
        }
        seen.sort();
        assert_eq!(seen, ["Forecaster", "Profiler", "Summariser", "Translator"], "{sort:?}");
    }
}
