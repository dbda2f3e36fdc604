//! Keys: what they may do, what they may spend, and when they end.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use domain::api_keys::{self, CreatedKey, KeyChange, KeyProblem, NewKey, Scope, Scopes, Token};
use domain::ledger::{End, HoldEnd};
use domain::tasks::disputes;
use domain::tasks::finish::{self, Delivery};
use domain::webhooks::rules::Schemes;
use domain::webhooks::{self, NewEndpoint};
use domain::{Actor, AgentId, Error, requests};
use sqlx::PgPool;

use crate::support::{Economy, credits};

fn only(scope: Scope) -> Scopes {
    Scopes::Some(BTreeSet::from([scope]))
}

impl Economy {
    async fn key(&self, of: &Actor, new: NewKey) -> CreatedKey {
        api_keys::create(&self.db, of, new, Utc::now()).await.unwrap()
    }

    /// Who a key acts as.
    async fn as_key(&self, created: &CreatedKey) -> Actor {
        api_keys::verify(&self.db, &created.token, Utc::now()).await.unwrap().unwrap().actor()
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_key_is_found_by_its_secret_until_it_ends(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let person = economy.person("ada").await;
    let now = Utc::now();
    let new = NewKey { expires_at: Some(now + TimeDelta::days(1)), ..NewKey::named(" Build ", only(Scope::TasksRead)) };
    let made = economy.key(&person, new).await;
    assert_eq!((made.key.name.as_str(), made.key.prefix.len()), ("Build", 12));
    assert!(made.token.reveal().starts_with(&made.key.prefix));
    let kept: String = sqlx::query_scalar("SELECT key_hash FROM api_keys").fetch_one(&pool).await.unwrap();
    assert!(!made.token.reveal().contains(&kept) && kept.len() == 64);

    let seen = |at| {
        let (db, token) = (economy.db.clone(), made.token.clone());
        async move { api_keys::verify(&db, &token, at).await.unwrap() }
    };
    let works = seen(now).await.unwrap();
    assert_eq!(Some(works.user), person.user().ok());
    assert!(works.allows(Scope::TasksRead) && !works.allows(Scope::TasksWrite) && works.use_is_news);
    assert_eq!(seen(now + TimeDelta::days(1)).await.unwrap_err(), KeyProblem::Expired);
    let stranger = Token::parse(&format!("nxk_{}", "A".repeat(43))).unwrap();
    assert_eq!(api_keys::verify(&economy.db, &stranger, now).await.unwrap().unwrap_err(), KeyProblem::Unknown);

    api_keys::note_use(&economy.db, made.key.id, now).await.unwrap();
    assert!(!seen(now + TimeDelta::seconds(30)).await.unwrap().use_is_news);
    assert!(seen(now + TimeDelta::seconds(61)).await.unwrap().use_is_news);

    let other = economy.person("eve").await;
    assert!(matches!(api_keys::revoke(&economy.db, &other, made.key.id, now).await, Err(Error::NotFound(_))));
    assert!(seen(now).await.is_ok());
    api_keys::revoke(&economy.db, &person, made.key.id, now).await.unwrap();
    assert_eq!(seen(now).await.unwrap_err(), KeyProblem::Revoked);
    let listed = api_keys::list(&economy.db, &person, now).await.unwrap();
    assert!(listed.len() == 1 && listed[0].revoked_at.is_some());
    assert!(api_keys::list(&economy.db, &other, now).await.unwrap().is_empty());
    assert!(api_keys::list(&economy.db, &person, now + TimeDelta::days(31)).await.unwrap().is_empty());
}

#[sqlx::test(migrations = "../migrations")]
async fn a_rotated_key_has_two_secrets_for_the_grace_and_then_one(pool: PgPool) {
    let economy = Economy::new(pool);
    let person = economy.person("ada").await;
    let now = Utc::now();
    let made = economy.key(&person, NewKey::named("k", Scopes::All)).await;
    let hour = TimeDelta::hours(1);
    let next = api_keys::rotate(&economy.db, &person, made.key.id, hour, now).await.unwrap();
    assert_eq!(next.key.id, made.key.id);
    let id = |token: &Token, at| {
        let (db, token) = (economy.db.clone(), token.clone());
        async move { api_keys::verify(&db, &token, at).await.unwrap().map(|k| k.id) }
    };
    assert_eq!(id(&next.token, now).await, Ok(made.key.id));
    assert_eq!(id(&made.token, now + TimeDelta::minutes(59)).await, Ok(made.key.id));
    assert_eq!(id(&made.token, now + hour).await, Err(KeyProblem::Unknown));
    // A second rotation ends the first secret at once, and no grace at all ends the second.
    let third = api_keys::rotate(&economy.db, &person, made.key.id, TimeDelta::zero(), now).await.unwrap();
    assert_eq!(id(&made.token, now).await, Err(KeyProblem::Unknown));
    assert_eq!(id(&next.token, now).await, Err(KeyProblem::Unknown));
    let too_long = TimeDelta::hours(24) + TimeDelta::seconds(1);
    assert!(matches!(
        api_keys::rotate(&economy.db, &person, made.key.id, too_long, now).await,
        Err(Error::Validation(_))
    ));
    // Revoking ends the former secret too.
    let fourth = api_keys::rotate(&economy.db, &person, made.key.id, hour, now).await.unwrap();
    api_keys::revoke(&economy.db, &person, made.key.id, now).await.unwrap();
    assert!(id(&third.token, now).await.is_err() && id(&fourth.token, now).await.is_err());
}

#[sqlx::test(migrations = "../migrations")]
async fn a_key_makes_no_key_that_can_do_more(pool: PgPool) {
    let economy = Economy::new(pool);
    let person = economy.person("ada").await;
    let now = Utc::now();
    let words = Scopes::parse(&["keys:write", "tasks:read"]).unwrap();
    let maker = economy.key(&person, NewKey::named("maker", words)).await;
    let maker_actor = economy.as_key(&maker).await;
    let make = |actor: Actor, new: NewKey| {
        let db = economy.db.clone();
        async move { api_keys::create(&db, &actor, new, now).await }
    };
    assert!(make(maker_actor, NewKey::named("less", only(Scope::TasksRead))).await.is_ok());
    for more in [Scopes::All, only(Scope::TasksWrite), only(Scope::BillingRead)] {
        let refused = make(maker_actor, NewKey::named("more", more)).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    }
    // Nor changes itself or another into one that can, nor takes the secret of one that can.
    let rich = economy.key(&person, NewKey::named("rich", Scopes::All)).await;
    let wider = KeyChange { scopes: Some(Scopes::All), ..KeyChange::default() };
    for id in [maker.key.id, rich.key.id] {
        let refused = api_keys::change(&economy.db, &maker_actor, id, wider.clone(), now).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    }
    let stolen = api_keys::rotate(&economy.db, &maker_actor, rich.key.id, TimeDelta::zero(), now).await;
    assert!(matches!(stolen, Err(Error::Forbidden(_))));
    // A capped key makes none at all: the new one would not be capped.
    let capped = NewKey { total_cap: Some(credits("5")), ..NewKey::named("capped", Scopes::All) };
    let capped = economy.as_key(&economy.key(&person, capped).await).await;
    assert!(matches!(make(capped, NewKey::named("free", Scopes::All)).await, Err(Error::Forbidden(_))));
    // And none outlives its maker.
    let short = NewKey { expires_at: Some(now + TimeDelta::days(1)), ..NewKey::named("short", Scopes::All) };
    let short = economy.as_key(&economy.key(&person, short).await).await;
    assert!(matches!(make(short, NewKey::named("long", Scopes::All)).await, Err(Error::Forbidden(_))));
    let within = NewKey { expires_at: Some(now + TimeDelta::hours(1)), ..NewKey::named("within", Scopes::All) };
    assert!(make(short, within).await.is_ok());
}

#[sqlx::test(migrations = "../migrations")]
async fn a_cap_holds_to_the_credit_whatever_races(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "3.00").await;
    let capped = NewKey { daily_cap: Some(credits("20")), ..NewKey::named("capped", only(Scope::TasksWrite)) };
    let made = economy.key(&buyer, capped).await;
    let actor = economy.as_key(&made).await;
    let tries = futures::future::join_all((0..50).map(|_| economy.hire(&actor, agent))).await;
    let hired: Vec<_> = tries.iter().filter_map(|t| t.as_ref().ok()).collect();
    // Six of 3.00 fit into 20.00; the seventh does not.
    assert_eq!(hired.len(), 6);
    assert!(tries.iter().filter_map(|t| t.as_ref().err()).all(|e| matches!(e, Error::SpendingLimit(_))), "{tries:?}");
    assert_eq!(economy.available(&buyer).await, "982.00");
    let spent = |key: &CreatedKey| {
        let (db, id) = (economy.db.clone(), key.key.id);
        async move { api_keys::find(&db, &buyer, id, Utc::now()).await.unwrap().spent_today.to_string() }
    };
    assert_eq!(spent(&made).await, "18.00");
    // What comes back may be spent again: by cancel, and by failure.
    domain::tasks::cancel(&economy.db, &actor, hired[0].id).await.unwrap();
    assert_eq!(spent(&made).await, "15.00");
    let claims = domain::tasks::dispatch::claim(&economy.db, 2).await.unwrap();
    economy.fail(&claims[0], domain::tasks::finish::Fault::Agent).await;
    assert_eq!(spent(&made).await, "12.00");
    economy.complete(&claims[1]).await;
    assert_eq!(spent(&made).await, "12.00", "what is settled is spent");
    assert!(economy.hire(&actor, agent).await.is_ok());
    assert!(economy.hire(&actor, agent).await.is_ok());
    assert!(matches!(economy.hire(&actor, agent).await, Err(Error::SpendingLimit(_))));
    // The account itself is not capped, and pays nothing from the key's cap.
    economy.hire(&buyer, agent).await.unwrap();
    assert_eq!(spent(&made).await, "18.00");
    // Caps of a month and in all.
    for change in [
        KeyChange { daily_cap: Some(None), monthly_cap: Some(Some(credits("20"))), ..KeyChange::default() },
        KeyChange { monthly_cap: Some(None), total_cap: Some(Some(credits("20"))), ..KeyChange::default() },
    ] {
        api_keys::change(&economy.db, &buyer, made.key.id, change, Utc::now()).await.unwrap();
        assert!(matches!(economy.hire(&actor, agent).await, Err(Error::SpendingLimit(_))));
    }
    let free = KeyChange { total_cap: Some(None), ..KeyChange::default() };
    api_keys::change(&economy.db, &buyer, made.key.id, free, Utc::now()).await.unwrap();
    assert!(economy.hire(&actor, agent).await.is_ok());
    // A key that was revoked since its request came in takes no hold.
    api_keys::revoke(&economy.db, &buyer, made.key.id, Utc::now()).await.unwrap();
    assert!(matches!(economy.hire(&actor, agent).await, Err(Error::Key(KeyProblem::Revoked))));
    economy.audit_holds().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn what_comes_back_of_a_hold_comes_back_to_its_key(pool: PgPool) {
    let economy = Economy::new(pool);
    let (db, now) = (&economy.db, Utc::now());
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "10.00").await;
    let made = economy.key(&buyer, NewKey::named("pays", only(Scope::TasksWrite))).await;
    let actor = economy.as_key(&made).await;
    let spent = async || api_keys::find(db, &buyer, made.key.id, Utc::now()).await.unwrap().spent_today.to_string();
    let task = economy.hire(&actor, agent).await.unwrap().id;
    let cheap = Delivery { cost: Some(credits("4.20")), ..Delivery::default() };
    assert!(finish::complete(db, &economy.claim(task).await, &cheap, now).await.unwrap());
    assert_eq!(spent().await, "4.20", "what the work cost less");
    disputes::open(db, &actor, task, "It is not what I asked for", now).await.unwrap();
    assert_eq!(spent().await, "4.20", "nothing has come back yet");
    disputes::give_in(db, &owner, task, now).await.unwrap();
    assert_eq!(spent().await, "0.00", "what a dispute returns");
    economy.assert_adds_up().await;
    sqlx::query("UPDATE api_key_days SET spent = spent + 1").execute(db.pool()).await.unwrap();
    assert!(!domain::ledger::audit(db, &Actor::System).await.unwrap().holds(), "the audit compares keys too");
}

/// A deadlock once: the end of one hold had the key's sums and waited for the balance, which another hold of the key had.
#[sqlx::test(migrations = "../migrations")]
async fn the_end_of_a_hold_takes_the_keys_sums_after_the_balance(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "10.00").await;
    let actor = economy.as_key(&economy.key(&buyer, NewKey::named("pays", only(Scope::TasksWrite))).await).await;
    let task = economy.hire(&actor, agent).await.unwrap().id;
    let mut ending = economy.db.pool().begin().await.unwrap();
    let end = HoldEnd { task, title: String::new(), end: End::Return("Returned: task failed") };
    domain::ledger::holds::mark(&mut ending, &[end]).await.unwrap();
    let hired = tokio::time::timeout(Duration::from_secs(10), economy.hire(&actor, agent)).await;
    assert!(hired.expect("it need not wait: the balance is free").is_ok());
}

#[sqlx::test(migrations = "../migrations")]
async fn fifty_keys_under_one_limit_of_the_account(pool: PgPool) {
    let economy = Economy::new(pool);
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "3.00").await;
    domain::ledger::set_limits(&economy.db, &buyer, Some(credits("20")), None).await.unwrap();
    let mut actors = Vec::new();
    for n in 0..50 {
        let key = economy.key(&buyer, NewKey::named(format!("key {n}"), only(Scope::TasksWrite))).await;
        actors.push(economy.as_key(&key).await);
    }
    let tries = futures::future::join_all(actors.iter().map(|actor| economy.hire(actor, agent))).await;
    assert_eq!(tries.iter().filter(|t| t.is_ok()).count(), 6);
    assert_eq!(economy.available(&buyer).await, "982.00");
    economy.audit_holds().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_key_for_chosen_agents_hires_and_sees_no_others(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let chosen = economy.agent(&owner, "Chosen", "3").await;
    let other = economy.agent(&owner, "Other", "0").await;
    let theirs = economy.hire(&buyer, other).await.unwrap();
    let new = |agents: Vec<AgentId>| NewKey { agents: Some(agents), ..NewKey::named("k", Scopes::All) };
    let actor = economy.as_key(&economy.key(&buyer, new(vec![chosen])).await).await;
    let mine = economy.hire(&actor, chosen).await.unwrap();
    assert!(matches!(economy.hire(&actor, other).await, Err(Error::Forbidden(_))), "a free agent too");
    let seen = domain::tasks::list(&economy.db, &actor, &domain::tasks::TaskFilter::default(), 10).await.unwrap();
    assert_eq!(seen.items.iter().map(|t| t.id).collect::<Vec<_>>(), [mine.id]);
    assert!(matches!(domain::tasks::detail(&economy.db, &actor, theirs.id).await, Err(Error::NotFound(_))));
    assert!(domain::tasks::detail(&economy.db, &actor, mine.id).await.is_ok());
    // An owner's key for one of their agents changes no other, and registers none.
    let keeper = economy.as_key(&economy.key(&owner, new(vec![chosen])).await).await;
    let listing = domain::agents::NewAgent {
        name: "New".into(),
        endpoint: "https://new.example.org/".into(),
        ..domain::agents::NewAgent::default()
    };
    assert!(domain::agents::update(&economy.db, &keeper, chosen, listing.clone()).await.is_ok());
    assert!(domain::agents::update(&economy.db, &keeper, other, listing.clone()).await.is_err());
    assert!(domain::agents::register(&economy.db, &keeper, listing).await.is_err());
    let nobody = api_keys::create(&economy.db, &owner, new(vec![AgentId(uuid::Uuid::nil())]), Utc::now()).await;
    assert!(matches!(nobody, Err(Error::Validation(_))));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_low_balance_is_told_once_a_crossing(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let (buyer, owner) = (economy.person("buyer").await, economy.person("owner").await);
    let agent = economy.agent(&owner, "Worker", "300").await;
    let told = || async {
        let about = "SELECT count(*) FROM mails WHERE about LIKE 'low-balance-%'";
        sqlx::query_scalar::<_, i64>(about).fetch_one(&pool).await.unwrap()
    };
    let endpoint = NewEndpoint {
        url: "https://hooks.example.org/".into(),
        description: String::new(),
        types: vec!["credits.low".into()],
    };
    webhooks::create(&economy.db, &buyer, endpoint, Schemes::HttpsOnly).await.unwrap();
    domain::ledger::set_low_balance(&economy.db, &buyer, Some(credits("500"))).await.unwrap();
    let first = economy.hire(&buyer, agent).await.unwrap();
    assert_eq!(told().await, 0, "700 are left");
    let second = economy.hire(&buyer, agent).await.unwrap();
    assert_eq!(told().await, 1, "400 are left");
    let third = economy.hire(&buyer, agent).await.unwrap();
    assert_eq!(told().await, 1, "still below");
    domain::tasks::cancel(&economy.db, &buyer, third.id).await.unwrap();
    assert_eq!(told().await, 1, "400 again, which was told");
    domain::tasks::cancel(&economy.db, &buyer, second.id).await.unwrap();
    assert_eq!(told().await, 1);
    // Above since; a batch of the worker's can cross it as well as a request can.
    let claim = economy.claim(first.id).await;
    economy.complete(&claim).await;
    economy.hire(&buyer, agent).await.unwrap();
    assert_eq!(told().await, 2, "crossed anew");
    let sent = "SELECT count(*) FROM webhook_messages WHERE type = 'credits.low'";
    assert_eq!(sqlx::query_scalar::<_, i64>(sent).fetch_one(&pool).await.unwrap(), 2, "to programs too");
    domain::ledger::set_low_balance(&economy.db, &buyer, None).await.unwrap();
    assert_eq!(domain::ledger::low_balance(&economy.db, &buyer).await.unwrap(), None);
    assert!(matches!(
        domain::ledger::set_low_balance(&economy.db, &buyer, Some(credits("0"))).await,
        Err(Error::Validation(_))
    ));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_bucket_gives_what_it_holds_and_no_more(pool: PgPool) {
    let economy = Economy::new(pool);
    let db = &economy.db;
    // Many processes lease at once; what is granted in all is what the bucket holds (and what dripped in meanwhile).
    let leases = futures::future::join_all((0..64).map(|_| requests::lease(db, "account:x", 60.0, 1.0, 3.0))).await;
    let granted: f64 = leases.into_iter().map(|l| l.unwrap().granted).sum();
    assert!((59.0..63.0).contains(&granted), "{granted}");
    let none = requests::lease(db, "account:x", 60.0, 5.0, 5.0).await.unwrap();
    assert_eq!(none.granted, 0.0);
    requests::give_back(db, &[("account:x".into(), 10.0)]).await.unwrap();
    assert!(requests::lease(db, "account:x", 60.0, 5.0, 5.0).await.unwrap().granted >= 5.0);
    assert!(requests::lease(db, "account:y", 60.0, 5.0, 5.0).await.unwrap().granted >= 5.0, "a bucket of its own");
}
