//! Connections: codes and tokens work once and for a while, what comes back twice ends them, and they are keys.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use domain::api_keys::connections::{
    self, AuthMethod, Choice, Client, CodeRequest, Failure, Issued, NewClient, Problem, RefreshRequest, Why,
};
use domain::api_keys::{self, KeyChange, KeyProblem, NewKey, Scope, Scopes, Token, VerifiedKey};
use domain::{Actor, Error};
use sha2::{Digest, Sha256};
use sqlx::PgPool;

use crate::support::{Economy, credits};

const SITE: &str = "https://nexus.example";
const CALLBACK: &str = "https://client.example/cb";
const VERIFIER: &str = "a-verifier-of-the-client-that-is-long-enough-1";

/// A client and the person who connects it.
struct Oauth {
    economy: Economy,
    me: Actor,
    client: Client,
    now: DateTime<Utc>,
}

fn query(client: &Client, more: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    format!(
        "response_type=code&client_id={}&redirect_uri={CALLBACK}&code_challenge={challenge}&code_challenge_method=S256&state=s{more}",
        client.id
    )
}

fn why<T: std::fmt::Debug>(result: Result<T, Failure>) -> Why {
    match result {
        Err(Failure::Refused(refusal)) => refusal.why,
        other => panic!("it is not refused: {other:?}"),
    }
}

impl Oauth {
    async fn new(pool: PgPool) -> Oauth {
        let economy = Economy::new(pool);
        let me = economy.person("ada").await;
        // The database keeps microseconds.
        let now = Utc::now().trunc_subsecs(0);
        let new =
            NewClient { name: Some("Helper".into()), redirect_uris: vec![CALLBACK.into()], auth: AuthMethod::None };
        let client = connections::register(&economy.db, new, now).await.unwrap().client;
        Oauth { economy, me, client, now }
    }

    fn choice(&self) -> Choice {
        Choice {
            scopes: BTreeSet::from([Scope::TasksWrite]),
            daily_cap: None,
            monthly_cap: Some(credits("15")),
            total_cap: None,
            ends_at: Some(self.now + TimeDelta::days(30)),
        }
    }

    async fn code(&self, more: &str) -> String {
        let db = &self.economy.db;
        let asked = connections::ask(db, SITE, &query(&self.client, more)).await.unwrap();
        connections::approve(db, &self.me, &asked, &self.choice(), self.now).await.unwrap()
    }

    fn request(&self, code: &str) -> CodeRequest {
        CodeRequest {
            code: code.into(),
            redirect_uri: Some(CALLBACK.into()),
            verifier: VERIFIER.into(),
            resource: None,
        }
    }

    async fn redeem(&self, request: &CodeRequest, at: DateTime<Utc>) -> Result<Issued, Failure> {
        connections::redeem(&self.economy.db, SITE, &self.client, request, at).await
    }

    async fn connected(&self) -> Issued {
        let code = self.code("").await;
        self.redeem(&self.request(&code), self.now).await.unwrap()
    }

    async fn refresh(&self, token: &str, at: DateTime<Utc>) -> Result<Issued, Failure> {
        let request = RefreshRequest { token: token.into(), ..RefreshRequest::default() };
        connections::refresh(&self.economy.db, SITE, &self.client, &request, at).await
    }

    async fn seen(&self, access: &str, at: DateTime<Utc>) -> Result<VerifiedKey, KeyProblem> {
        api_keys::verify(&self.economy.db, &Token::parse(access).unwrap(), at).await.unwrap()
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_code_becomes_a_key_that_nobody_has_the_secret_of(pool: PgPool) {
    let oauth = Oauth::new(pool.clone()).await;
    let issued = oauth.connected().await;
    assert_eq!(issued.expires_in, 3_600);
    assert_eq!(issued.scopes.words(), ["tasks:write"]);
    let key = oauth.seen(&issued.access_token, oauth.now).await.unwrap();
    assert_eq!(key.actor().user().unwrap(), oauth.me.user().unwrap());
    assert!(
        key.allows(Scope::TasksRead) && !key.allows(Scope::BillingRead) && key.is_for("/api/v1") && key.is_for("/mcp")
    );
    assert!(!format!("{issued:?}").contains("nxa_"));
    // Nothing of it stands in the database as it was sent.
    for (table, column) in
        [("oauth_codes", "code_hash"), ("oauth_access_tokens", "token_hash"), ("oauth_refresh_tokens", "token_hash")]
    {
        let sql = sqlx::AssertSqlSafe(format!("SELECT bool_and({column} ~ '^[0-9a-f]{{64}}$') FROM {table}"));
        assert!(sqlx::query_scalar::<_, bool>(sql).fetch_one(&pool).await.unwrap(), "{table}");
    }
    // It is listed as a connection, and not as a key that could be changed or given a secret.
    let (db, me, now) = (&oauth.economy.db, &oauth.me, oauth.now);
    let listed = connections::list(db, me, now).await.unwrap();
    assert_eq!((listed[0].key.name.as_str(), listed[0].place.as_str()), ("Helper", "client.example"));
    assert!(api_keys::list(db, me, now).await.unwrap().is_empty());
    let is_none = |error: Error| matches!(error, Error::NotFound(_));
    assert!(is_none(api_keys::find(db, me, key.id, now).await.unwrap_err()));
    assert!(is_none(api_keys::rotate(db, me, key.id, TimeDelta::zero(), now).await.unwrap_err()));
    assert!(is_none(api_keys::change(db, me, key.id, KeyChange::default(), now).await.unwrap_err()));
    assert!(api_keys::current(db, &key.actor(), now).await.unwrap().is_connection);
    // Who holds it connects nobody else.
    let asked = connections::ask(db, SITE, &query(&oauth.client, "")).await.unwrap();
    let by_key = connections::approve(db, &key.actor(), &asked, &oauth.choice(), now).await;
    assert!(matches!(by_key, Err(Error::Unauthorized)));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_cap_holds_for_all_tokens_of_a_connection_together(pool: PgPool) {
    let oauth = Oauth::new(pool).await;
    let owner = oauth.economy.person("owner").await;
    let agent = oauth.economy.agent(&owner, "Worker", "10").await;
    let first = oauth.connected().await;
    let actor = oauth.seen(&first.access_token, oauth.now).await.unwrap().actor();
    oauth.economy.hire(&actor, agent).await.unwrap();
    let second = oauth.refresh(&first.refresh_token, oauth.now).await.unwrap();
    let actor = oauth.seen(&second.access_token, oauth.now).await.unwrap().actor();
    let refused = oauth.economy.hire(&actor, agent).await.unwrap_err();
    assert!(refused.to_string().contains("15.00 credits a month"), "{refused}");
    let listed = connections::list(&oauth.economy.db, &oauth.me, oauth.now).await.unwrap();
    assert_eq!(listed[0].key.spent_this_month, credits("10"));
    oauth.economy.assert_adds_up().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_code_used_twice_cuts_the_connection_off(pool: PgPool) {
    let oauth = Oauth::new(pool).await;
    let code = oauth.code("").await;
    let issued = oauth.redeem(&oauth.request(&code), oauth.now).await.unwrap();
    assert!(oauth.seen(&issued.access_token, oauth.now).await.is_ok());
    // Long after its end, too.
    let later = oauth.now + TimeDelta::minutes(30);
    assert_eq!(why(oauth.redeem(&oauth.request(&code), later).await), Why::InvalidGrant);
    assert_eq!(oauth.seen(&issued.access_token, oauth.now).await.unwrap_err(), KeyProblem::Revoked);
    assert_eq!(why(oauth.refresh(&issued.refresh_token, oauth.now).await), Why::InvalidGrant);
    let listed = connections::list(&oauth.economy.db, &oauth.me, oauth.now).await.unwrap();
    assert!(listed.len() == 1 && listed[0].key.revoked_at.is_some());
}

#[sqlx::test(migrations = "../migrations")]
async fn two_processes_with_one_code_make_one_connection(pool: PgPool) {
    let oauth = Oauth::new(pool).await;
    let code = oauth.code("").await;
    let request = oauth.request(&code);
    let (a, b) = tokio::join!(oauth.redeem(&request, oauth.now), oauth.redeem(&request, oauth.now));
    assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1);
    let listed = connections::list(&oauth.economy.db, &oauth.me, oauth.now).await.unwrap();
    assert!(listed.len() == 1 && listed[0].key.revoked_at.is_some(), "and it is cut off");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_code_is_good_for_its_client_with_its_verifier_in_its_minute(pool: PgPool) {
    let oauth = Oauth::new(pool).await;
    let db = &oauth.economy.db;
    let code = oauth.code("").await;
    let good = oauth.request(&code);
    let refused = [
        CodeRequest { verifier: format!("{VERIFIER}x"), ..good.clone() },
        CodeRequest { verifier: String::new(), ..good.clone() },
        CodeRequest { redirect_uri: None, ..good.clone() },
        CodeRequest { redirect_uri: Some("https://client.example/cb/".into()), ..good.clone() },
        CodeRequest { code: "nxo_nothing".into(), ..good.clone() },
    ];
    for request in &refused {
        assert_eq!(why(oauth.redeem(request, oauth.now).await), Why::InvalidGrant, "{request:?}");
    }
    let elsewhere = CodeRequest { resource: Some("https://evil.example/mcp".into()), ..good.clone() };
    assert_eq!(why(oauth.redeem(&elsewhere, oauth.now).await), Why::InvalidTarget);
    let new = NewClient { name: None, redirect_uris: vec![CALLBACK.into()], auth: AuthMethod::None };
    let other = connections::register(db, new, oauth.now).await.unwrap().client;
    assert_eq!(why(connections::redeem(db, SITE, &other, &good, oauth.now).await), Why::InvalidGrant);
    let minute = oauth.now + connections::CODE_LIFE;
    assert_eq!(why(oauth.redeem(&good, minute).await), Why::InvalidGrant);
    assert!(oauth.redeem(&good, minute - TimeDelta::seconds(1)).await.is_ok(), "none of that used it up");
    // An account that was closed meanwhile gets no connection.
    let code = oauth.code("").await;
    domain::accounts::close(db, &oauth.me, "long enough".into()).await.unwrap();
    assert_eq!(why(oauth.redeem(&oauth.request(&code), oauth.now).await), Why::InvalidGrant);
}

#[sqlx::test(migrations = "../migrations")]
async fn tokens_end_and_so_does_the_connection(pool: PgPool) {
    let oauth = Oauth::new(pool).await;
    let issued = oauth.connected().await;
    let hour = oauth.now + connections::ACCESS_LIFE;
    assert!(oauth.seen(&issued.access_token, hour - TimeDelta::seconds(1)).await.is_ok());
    assert_eq!(oauth.seen(&issued.access_token, hour).await.unwrap_err(), KeyProblem::Expired);
    // The last one does not outlive the connection.
    let end = oauth.now + TimeDelta::days(30);
    let last = oauth.refresh(&issued.refresh_token, end - TimeDelta::minutes(10)).await.unwrap();
    assert_eq!(last.expires_in, 600);
    assert!(oauth.seen(&last.access_token, end - TimeDelta::seconds(1)).await.is_ok());
    assert_eq!(oauth.seen(&last.access_token, end).await.unwrap_err(), KeyProblem::Expired);
    assert_eq!(why(oauth.refresh(&last.refresh_token, end).await), Why::InvalidGrant);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_old_refresh_token_cuts_the_connection_off(pool: PgPool) {
    let oauth = Oauth::new(pool).await;
    let first = oauth.connected().await;
    let second = oauth.refresh(&first.refresh_token, oauth.now).await.unwrap();
    assert_ne!((&first.refresh_token, &first.access_token), (&second.refresh_token, &second.access_token));
    assert!(oauth.seen(&first.access_token, oauth.now).await.is_ok(), "it works until its hour is over");
    let late = oauth.now + connections::REFRESH_GRACE;
    assert_eq!(why(oauth.refresh(&first.refresh_token, late).await), Why::InvalidGrant);
    for token in [&first.access_token, &second.access_token] {
        assert_eq!(oauth.seen(token, late).await.unwrap_err(), KeyProblem::Revoked);
    }
    assert_eq!(why(oauth.refresh(&second.refresh_token, late).await), Why::InvalidGrant);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_client_that_lost_the_answer_asks_again(pool: PgPool) {
    let oauth = Oauth::new(pool).await;
    let first = oauth.connected().await;
    let at = |seconds| oauth.now + TimeDelta::seconds(seconds);
    let lost = oauth.refresh(&first.refresh_token, at(0)).await.unwrap();
    let lost_too = oauth.refresh(&first.refresh_token, at(10)).await.unwrap();
    let got = oauth.refresh(&first.refresh_token, at(20)).await.unwrap();
    let next = oauth.refresh(&got.refresh_token, at(21)).await.unwrap();
    assert!(oauth.seen(&next.access_token, at(21)).await.is_ok());
    // Somebody else got what was lost: both have tokens, so nobody keeps any.
    assert_eq!(why(oauth.refresh(&lost_too.refresh_token, at(22)).await), Why::InvalidGrant);
    assert_eq!(oauth.seen(&next.access_token, at(22)).await.unwrap_err(), KeyProblem::Revoked);
    assert_eq!(why(oauth.refresh(&lost.refresh_token, at(22)).await), Why::InvalidGrant);

    // Once the follower was used the answer was not lost, however soon.
    let first = oauth.connected().await;
    let second = oauth.refresh(&first.refresh_token, at(0)).await.unwrap();
    let third = oauth.refresh(&second.refresh_token, at(1)).await.unwrap();
    assert_eq!(why(oauth.refresh(&first.refresh_token, at(2)).await), Why::InvalidGrant);
    assert_eq!(oauth.seen(&third.access_token, at(2)).await.unwrap_err(), KeyProblem::Revoked);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_connection_is_cut_off_by_its_owner_and_by_its_client(pool: PgPool) {
    let oauth = Oauth::new(pool).await;
    let db = &oauth.economy.db;
    let eve = oauth.economy.person("eve").await;
    let issued = oauth.connected().await;
    assert!(matches!(connections::cut_off(db, &eve, issued.key, oauth.now).await, Err(Error::NotFound(_))));
    let key = api_keys::create(db, &oauth.me, NewKey::named("k", Scopes::All), oauth.now).await.unwrap();
    assert!(matches!(connections::cut_off(db, &oauth.me, key.key.id, oauth.now).await, Err(Error::NotFound(_))));
    assert!(oauth.seen(&issued.access_token, oauth.now).await.is_ok());
    connections::cut_off(db, &oauth.me, issued.key, oauth.now).await.unwrap();
    assert_eq!(oauth.seen(&issued.access_token, oauth.now).await.unwrap_err(), KeyProblem::Revoked);
    assert_eq!(why(oauth.refresh(&issued.refresh_token, oauth.now).await), Why::InvalidGrant);

    // The client: an access token alone, then all of it. Another client's tokens are not its to revoke.
    let new = NewClient { name: None, redirect_uris: vec![CALLBACK.into()], auth: AuthMethod::None };
    let other = connections::register(db, new, oauth.now).await.unwrap().client;
    let issued = oauth.connected().await;
    for token in [&issued.access_token, &issued.refresh_token] {
        assert_eq!(why(connections::revoke_token(db, &other, token, oauth.now).await), Why::InvalidGrant);
    }
    connections::revoke_token(db, &oauth.client, "nxa_unknown", oauth.now).await.unwrap();
    connections::revoke_token(db, &oauth.client, &issued.access_token, oauth.now).await.unwrap();
    assert_eq!(oauth.seen(&issued.access_token, oauth.now).await.unwrap_err(), KeyProblem::Unknown);
    let next = oauth.refresh(&issued.refresh_token, oauth.now).await.unwrap();
    connections::revoke_token(db, &oauth.client, &next.refresh_token, oauth.now).await.unwrap();
    assert_eq!(oauth.seen(&next.access_token, oauth.now).await.unwrap_err(), KeyProblem::Revoked);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_token_is_for_the_part_of_the_site_that_was_approved(pool: PgPool) {
    let oauth = Oauth::new(pool).await;
    let code = oauth.code("&resource=https://nexus.example/a2a").await;
    let agent = "/a2a/00000000-0000-4000-8000-00000000000a";
    let narrow = CodeRequest { resource: Some(format!("{SITE}{agent}")), ..oauth.request(&code) };
    let issued = oauth.redeem(&narrow, oauth.now).await.unwrap();
    let key = oauth.seen(&issued.access_token, oauth.now).await.unwrap();
    assert_eq!(key.audience.as_deref(), Some(agent));
    assert!(key.is_for(agent) && !key.is_for("/a2a") && !key.is_for("/mcp") && !key.is_for("/api/v1"));
    let wide = oauth.refresh(&issued.refresh_token, oauth.now).await.unwrap();
    let key = oauth.seen(&wide.access_token, oauth.now).await.unwrap();
    assert!(key.is_for(agent) && key.is_for("/a2a") && !key.is_for("/mcp"));
    for (resource, scope, refused) in
        [(Some("/mcp"), None, Why::InvalidTarget), (None, Some("billing:read"), Why::InvalidScope)]
    {
        let request = RefreshRequest {
            token: wide.refresh_token.clone(),
            resource: resource.map(|path| format!("{SITE}{path}")),
            scope: scope.map(str::to_owned),
        };
        let done = connections::refresh(&oauth.economy.db, SITE, &oauth.client, &request, oauth.now).await;
        assert_eq!(why(done), refused);
    }
    let fewer =
        RefreshRequest { token: wide.refresh_token, resource: None, scope: Some("tasks:read offline_access".into()) };
    assert!(connections::refresh(&oauth.economy.db, SITE, &oauth.client, &fewer, oauth.now).await.is_ok());
}

#[sqlx::test(migrations = "../migrations")]
async fn a_person_gives_what_was_asked_or_less(pool: PgPool) {
    let oauth = Oauth::new(pool).await;
    let db = &oauth.economy.db;
    let asked = connections::ask(db, SITE, &query(&oauth.client, "&scope=tasks:write+billing:read")).await.unwrap();
    let wrong = |choice: Choice| {
        let (asked, db, me, now) = (asked.clone(), db.clone(), oauth.me, oauth.now);
        async move {
            match connections::approve(&db, &me, &asked, &choice, now).await {
                Err(Error::Validation(errors)) => errors.into_iter().map(|e| e.field).collect::<Vec<_>>().join(" "),
                other => panic!("{other:?}"),
            }
        }
    };
    let more = BTreeSet::from([Scope::TasksWrite, Scope::WebhooksWrite]);
    assert_eq!(wrong(Choice { scopes: more, ..oauth.choice() }).await, "scopes");
    assert_eq!(wrong(Choice { scopes: BTreeSet::new(), ..oauth.choice() }).await, "scopes");
    assert_eq!(wrong(Choice { monthly_cap: Some(credits("-1")), ..oauth.choice() }).await, "monthlyCap");
    assert_eq!(wrong(Choice { ends_at: Some(oauth.now), ..oauth.choice() }).await, "expiresAt");
    let keys = connections::ask(db, SITE, &query(&oauth.client, "&scope=keys:write")).await;
    assert!(matches!(keys, Err(Problem::Sent(to)) if to.contains("error=invalid_scope")));
}

#[sqlx::test(migrations = "../migrations")]
async fn what_nobody_connected_is_forgotten(pool: PgPool) {
    let oauth = Oauth::new(pool.clone()).await;
    let db = &oauth.economy.db;
    let issued = oauth.connected().await;
    let second = oauth.refresh(&issued.refresh_token, oauth.now).await.unwrap();
    let new = NewClient { name: None, redirect_uris: vec![CALLBACK.into()], auth: AuthMethod::Basic };
    let made = connections::register(db, new, oauth.now).await.unwrap();
    assert_eq!(made.client.name, "client.example");
    let id = made.client.id.to_string();
    assert!(connections::authenticate(db, &id, made.secret.as_deref()).await.is_ok());
    for secret in [None, Some("nxs_wrong"), Some("")] {
        assert_eq!(why(connections::authenticate(db, &id, secret).await), Why::InvalidClient);
    }
    let known = oauth.client.id.to_string();
    assert_eq!(why(connections::authenticate(db, &known, Some("x")).await), Why::InvalidClient, "it has no secret");
    let rows = || async {
        let sql = "SELECT ARRAY[(SELECT count(*) FROM oauth_clients), (SELECT count(*) FROM oauth_codes),
                                (SELECT count(*) FROM oauth_access_tokens), (SELECT count(*) FROM oauth_refresh_tokens)]";
        sqlx::query_scalar::<_, Vec<i64>>(sql).fetch_one(&pool).await.unwrap()
    };
    connections::forget_old(db, oauth.now + TimeDelta::hours(23)).await.unwrap();
    assert_eq!(rows().await, [2, 1, 2, 2]);
    connections::forget_old(db, oauth.now + TimeDelta::hours(26)).await.unwrap();
    assert_eq!(rows().await, [1, 0, 0, 2]);
    connections::forget_old(db, oauth.now + TimeDelta::days(31)).await.unwrap();
    assert_eq!(rows().await, [1, 0, 0, 1]);
    assert!(oauth.refresh(&second.refresh_token, oauth.now + TimeDelta::days(2)).await.is_ok());
    assert_eq!(why(connections::authenticate(db, &id, made.secret.as_deref()).await), Why::InvalidClient);
}

#[sqlx::test(migrations = "../migrations")]
async fn connections_are_counted_apart_from_keys(pool: PgPool) {
    let oauth = Oauth::new(pool.clone()).await;
    let code = oauth.code("").await;
    sqlx::query(
        "WITH made AS (INSERT INTO api_keys (user_id, name, key_hash, prefix)
                       SELECT $1, 'k', 'h' || n, 'nxa_' FROM generate_series(1, 100) n RETURNING id)
         INSERT INTO oauth_connections (key_id, client_id, resource) SELECT id, $2, '/' FROM made",
    )
    .bind(oauth.me.user().unwrap().0)
    .bind(oauth.client.id.0)
    .execute(&pool)
    .await
    .unwrap();
    assert_eq!(why(oauth.redeem(&oauth.request(&code), oauth.now).await), Why::InvalidGrant);
    let asked = connections::ask(&oauth.economy.db, SITE, &query(&oauth.client, "")).await.unwrap();
    let full = connections::approve(&oauth.economy.db, &oauth.me, &asked, &oauth.choice(), oauth.now).await;
    assert!(matches!(full, Err(Error::Conflict(_))));
    let key = api_keys::create(&oauth.economy.db, &oauth.me, NewKey::named("k", Scopes::All), oauth.now).await;
    assert!(key.is_ok());
    sqlx::query("UPDATE api_keys SET expires_at = now() WHERE key_hash = 'h1'").execute(&pool).await.unwrap();
    let later = Utc::now() + TimeDelta::seconds(1);
    let code = connections::approve(&oauth.economy.db, &oauth.me, &asked, &oauth.choice(), later).await;
    assert!(code.is_ok(), "one that has ended does not count");
}
