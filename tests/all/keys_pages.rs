//! The pages of API keys: made, shown once, changed, rotated, revoked, and nobody else's.

use domain::api_keys::{self, NewKey, Scopes};
use reqwest::Method;
use sqlx::PgPool;

use crate::test_app::{Browser, TestApp, location};

/// A form that makes a key which may hire; `more` comes first, so that it wins.
fn form<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let base = [("section", "new"), ("name", "Nightly"), ("access", "some"), ("expiresAt", "30"), ("agents", "any")];
    let given = |name: &str| more.iter().any(|(n, _)| *n == name);
    more.iter().copied().chain(base.into_iter().filter(|(n, _)| !given(n))).collect()
}

/// Sends a form that should succeed; answers with the page that it leads to.
async fn sent(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> (String, String) {
    let answer = browser.post(path, fields).await;
    let (status, to) = (answer.status(), location(&answer).to_owned());
    assert_eq!(status, 303, "{}", answer.text().await.unwrap());
    let page = browser.get(&to).await.text().await.unwrap();
    (to, page)
}

/// The secret that a page shows.
fn secret(page: &str) -> Option<String> {
    let mut found = page.match_indices("nxk_").map(|(at, _)| page[at..].chars().take(47).collect::<String>());
    found.find(|token| api_keys::Token::parse(token).is_some())
}

async fn status(app: &TestApp, token: &str, path: &str) -> u16 {
    app.browser().request(Method::GET, path).bearer_auth(token).send().await.unwrap().status().as_u16()
}

#[sqlx::test(migrations = "./migrations")]
async fn a_key_is_made_shown_once_and_does_what_was_ticked(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ada, me) = app.person("ada").await;
    let empty = ada.get("/settings/keys").await.text().await.unwrap();
    assert!(empty.contains("No key yet") && empty.contains("curl -H") && empty.contains("nxk_…"), "{empty}");

    let (to, page) = sent(&ada, "/settings/keys", &form(&[("scopes", "tasks:read"), ("scopes", "billing:read")])).await;
    let token = secret(&page).expect("the key is shown");
    assert!(page.contains(&format!("Authorization: Bearer {token}")), "with a command to try it");
    assert_eq!(secret(&ada.get(&to).await.text().await.unwrap()), None, "it is shown once");
    let list = ada.get("/settings/keys").await.text().await.unwrap();
    assert!(list.contains("Nightly") && list.contains(&token[..12]) && secret(&list).is_none(), "{list}");
    assert!(list.contains("tasks:read") && list.contains("billing:read") && !list.contains("No key yet"));

    assert_eq!(status(&app, &token, "/api/v1/account").await, 200);
    assert_eq!(status(&app, &token, "/api/v1/tasks").await, 200);
    assert_eq!(status(&app, &token, "/api/v1/keys").await, 403, "it was not ticked");
    let kept = api_keys::list(&app.db, &me, chrono::Utc::now()).await.unwrap();
    assert_eq!(kept[0].scopes.words(), ["tasks:read", "billing:read"]);
    let days = (kept[0].expires_at.unwrap() - kept[0].created_at).num_hours() as f64 / 24.0;
    assert!((29.9..30.1).contains(&days), "{days}");
    assert!(!list.contains("Expires soon"));
    sent(&ada, "/settings/keys", &form(&[("name", "Short"), ("scopes", "tasks:read"), ("expiresAt", "7")])).await;
    assert!(ada.get("/settings/keys").await.text().await.unwrap().contains("Expires soon"));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn what_was_typed_survives_and_what_is_wrong_stands_at_its_field(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ada, me) = app.person("ada").await;
    let typed = form(&[
        ("name", "Night & day"),
        ("scopes", "tasks:write"),
        ("dailyCap", "a lot"),
        ("expiresAt", "date"),
        ("expiresOn", "2001-01-01"),
        ("agents", "chosen"),
        ("otherAgents", "somebody"),
    ]);
    let answer = ada.post("/settings/keys", &typed).await;
    assert_eq!(answer.status(), 400);
    let page = answer.text().await.unwrap();
    assert!(
        page.contains(r#"value="Night &amp; day""#)
            && page.contains(r#"value="a lot""#)
            && page.contains(">\nsomebody<"),
        "{page}"
    );
    let ticked = page.split("<input").find(|i| i.contains(r#"value="tasks:write""#)).unwrap();
    assert!(ticked.contains("checked"), "{ticked}");
    let unticked = page.split("<input").find(|i| i.contains(r#"value="tasks:read""#)).unwrap();
    assert!(!unticked.split('>').next().unwrap().contains("checked"), "{unticked}");
    assert!(page.contains(r#"id="dailyCap-error""#) && page.contains("A day must be a number such as 10"), "{page}");
    assert!(page.contains("Agents: “somebody” is not an agent’s id."));
    // The rules of keys themselves, at the fields of the form.
    let past = ada
        .post("/settings/keys", &form(&[("scopes", "tasks:read"), ("expiresAt", "date"), ("expiresOn", "2001-01-01")]))
        .await;
    assert!(past.text().await.unwrap().contains("Last day lies in the past."));
    let nothing = ada.post("/settings/keys", &form(&[])).await;
    assert_eq!(nothing.status(), 400);
    assert!(nothing.text().await.unwrap().contains("What it may do is empty"));
    assert!(api_keys::list(&app.db, &me, chrono::Utc::now()).await.unwrap().is_empty(), "nothing was made");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn caps_hold_and_show_what_is_spent_of_them(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (ada, me) = app.person("ada").await;
    let agent = app.agent(&owner, "echo", "10").await;
    let other = app.agent(&owner, "echo", "0").await;
    let chosen = agent.to_string();
    let limits = [
        ("scopes", "tasks:write"),
        ("dailyCap", "15"),
        ("totalCap", "40"),
        ("agents", "chosen"),
        ("otherAgents", &chosen),
    ];
    let (to, page) = sent(&ada, "/settings/keys", &form(&limits)).await;
    let token = secret(&page).unwrap();
    let order = |agent: domain::AgentId| {
        let request = app.browser().request(Method::POST, "/api/v1/tasks").bearer_auth(&token);
        let body = serde_json::json!({ "agentId": agent, "skillId": "echo", "message": "hello" });
        async move { request.json(&body).send().await.unwrap().status().as_u16() }
    };
    assert_eq!(order(agent).await, 201);
    assert_eq!(order(agent).await, 403, "the second would exceed the day's cap");
    assert_ne!(order(other).await, 201, "an agent that was not chosen");
    let list = ada.get("/settings/keys").await.text().await.unwrap();
    assert!(
        list.contains("10.00 of 15.00 credits")
            && list.contains("10.00 of 40.00 credits")
            && list.contains("67 % of the cap"),
        "{list}"
    );
    // The agent is one that was hired before now, so it is offered by name, and ticked.
    let page = ada.get(&to).await.text().await.unwrap();
    let ticked = page.split("<input").find(|i| i.contains(&format!(r#"value="{agent}""#))).unwrap();
    assert!(ticked.contains("checked"), "{ticked}");
    // What the form changes counts at once; the secret stays.
    let wider =
        [("section", "change"), ("scopes", "tasks:write"), ("expiresAt", "keep"), ("agents", "any"), ("dailyCap", "")];
    let before = api_keys::list(&app.db, &me, chrono::Utc::now()).await.unwrap();
    sent(&ada, &to, &form(&wider)).await;
    let after = api_keys::list(&app.db, &me, chrono::Utc::now()).await.unwrap();
    assert_eq!((after[0].daily_cap, after[0].total_cap, after[0].agents.clone()), (None, None, None));
    assert_eq!(after[0].expires_at, before[0].expires_at);
    assert_eq!(order(agent).await, 201);
    assert_eq!(order(other).await, 201);
    while domain::tasks::counts(&app.db, &me).await.unwrap().open > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_new_secret_and_the_end_of_a_key(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ada, _) = app.person("ada").await;
    let (to, page) = sent(&ada, "/settings/keys", &form(&[("access", "all")])).await;
    let first = secret(&page).unwrap();
    let (_, page) = sent(&ada, &format!("{to}/rotate"), &[("section", "rotate"), ("graceSeconds", "3600")]).await;
    let second = secret(&page).unwrap();
    assert!(page.contains("The former one works until"), "{page}");
    for token in [&first, &second] {
        assert_eq!(status(&app, token, "/api/v1/account").await, 200, "both work for an hour");
    }
    let (_, page) = sent(&ada, &format!("{to}/rotate"), &[("section", "rotate"), ("graceSeconds", "0")]).await;
    let third = secret(&page).unwrap();
    for (token, is) in [(&first, 401), (&second, 401), (&third, 200)] {
        assert_eq!(status(&app, token, "/api/v1/account").await, is);
    }
    for bad in ["", "x", "86401", "9223372036854775807"] {
        assert_eq!(
            ada.post(&format!("{to}/rotate"), &[("section", "rotate"), ("graceSeconds", bad)]).await.status(),
            400,
            "{bad}"
        );
    }
    let unsure = ada.post(&format!("{to}/revoke"), &[("section", "revoke")]).await;
    assert_eq!(unsure.status(), 400);
    assert!(unsure.text().await.unwrap().contains("The box must be ticked"));
    assert_eq!(status(&app, &third, "/api/v1/account").await, 200);
    let (_, page) = sent(&ada, &format!("{to}/revoke"), &[("section", "revoke"), ("confirm", "yes")]).await;
    assert_eq!(status(&app, &third, "/api/v1/account").await, 401, "revoked means now");
    assert!(page.contains("Revoked") && !page.contains("/rotate") && !page.contains("/revoke"), "{page}");
    let list = ada.get("/settings/keys").await.text().await.unwrap();
    assert!(list.contains("Revoked in the last 30 days (1)"), "{list}");
    // From another tab, late.
    assert_eq!(ada.post(&to, &form(&[("section", "change"), ("access", "all")])).await.status(), 409);
    assert_eq!(ada.post(&format!("{to}/rotate"), &[("graceSeconds", "0")]).await.status(), 409);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_key_is_nobody_elses(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, me) = app.person("ada").await;
    let (eve, _) = app.person("eve").await;
    let made = api_keys::create(&app.db, &me, NewKey::named("hers", Scopes::All), chrono::Utc::now()).await.unwrap();
    let page = format!("/settings/keys/{}", made.key.id);
    assert_eq!(eve.get(&page).await.status(), 404);
    assert!(!eve.get("/settings/keys").await.text().await.unwrap().contains("hers"));
    assert_eq!(eve.post(&page, &form(&[("access", "all")])).await.status(), 404);
    assert_eq!(eve.post(&format!("{page}/rotate"), &[("graceSeconds", "0")]).await.status(), 404);
    assert_eq!(eve.post(&format!("{page}/revoke"), &[("confirm", "yes")]).await.status(), 404);
    assert_eq!(status(&app, made.token.reveal(), "/api/v1/account").await, 200);
    assert_eq!(eve.get("/settings/keys/nonsense").await.status(), 404);
    for path in ["/settings/keys", page.as_str()] {
        assert_eq!(location(&app.browser().get(path).await), format!("/sign-in?next={path}"));
    }
    let mine = api_keys::find(&app.db, &me, made.key.id, chrono::Utc::now()).await.unwrap();
    assert_eq!((mine.name.as_str(), mine.rotated_at), ("hers", None));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_low_balance_is_asked_to_be_told(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ada, me) = app.person("ada").await;
    let set = |below: &'static str| {
        let ada = ada.clone();
        async move { ada.post("/credits/low-balance", &[("section", "low"), ("lowBalance", below)]).await }
    };
    let stored = || async { domain::ledger::low_balance(&app.db, &me).await.unwrap().map(|c| c.to_string()) };
    assert_eq!(location(&set("250").await), "/credits/topup");
    assert_eq!(stored().await.as_deref(), Some("250.00"));
    let page = ada.get("/credits/topup").await.text().await.unwrap();
    assert!(page.contains(r#"value="250.00""#), "{page}");
    for bad in ["0", "-1", "much"] {
        let refused = set(bad).await;
        assert_eq!(refused.status(), 400, "{bad}");
        let page = refused.text().await.unwrap();
        assert!(page.contains(r#"id="lowBalance-error""#) && page.contains(&format!(r#"value="{bad}""#)), "{page}");
    }
    assert_eq!(stored().await.as_deref(), Some("250.00"));
    set("").await;
    assert_eq!(stored().await, None);
    app.finish().await;
}
