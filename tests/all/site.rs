//! Accounts and doors over HTTP: cookies, origins, redirects, headers.

use reqwest::Method;
use sqlx::PgPool;

use crate::test_app::{TestApp, location};

#[sqlx::test(migrations = "./migrations")]
async fn signing_in_gives_a_new_cookie_and_out_ends_it(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (first, _) = app.person("ada").await;
    let mut second = app.browser();
    let answer =
        second.post("/sign-in", &[("email", "ada@example.org"), ("password", "long enough"), ("next", "/tasks")]).await;
    assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/tasks"));
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"), "{cookie}");
    second.keep_cookie(&answer);
    assert_ne!(first.cookie(), second.cookie());
    assert_eq!(second.get("/settings").await.status(), 200);
    assert_eq!(second.post("/sign-out", &[]).await.status(), 303);
    let after = second.get("/settings").await;
    assert_eq!((after.status().as_u16() / 100, location(&after)), (3, "/sign-in?next=/settings"));
    assert_eq!(first.get("/settings").await.status(), 200, "the other session goes on");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn wrong_credentials_are_401_and_what_was_typed_survives_but_the_password(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.person("ada").await;
    for email in ["ada@example.org", "nobody@example.org"] {
        let answer = app.browser().post("/sign-in", &[("email", email), ("password", "a wrong password")]).await;
        assert_eq!(answer.status(), 401);
        let page = answer.text().await.unwrap();
        assert!(page.contains(email) && page.contains("or the password is wrong"), "{page}");
        assert!(!page.contains("a wrong password"));
    }
    let answer = app.browser().post("/sign-up", &[("email", "x"), ("password", "short"), ("name", "Typed name")]).await;
    assert_eq!(answer.status(), 400);
    let page = answer.text().await.unwrap();
    assert!(
        page.contains("is not an e-mail address")
            && page.contains("at least 10 characters")
            && page.contains("Typed name")
    );
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn other_sites_cannot_send_our_forms(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ada, _) = app.person("ada").await;
    let form = "name=Changed";
    let send = |name: &'static str, value: &'static str| {
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let url = format!("http://{}/settings/name", app.addr);
        let cookie = ada.cookie().to_owned();
        async move {
            let mut request =
                client.post(url).header("cookie", cookie).header("content-type", "application/x-www-form-urlencoded");
            if !name.is_empty() {
                request = request.header(name, value);
            }
            request.body(form).send().await.unwrap().status().as_u16()
        }
    };
    assert_eq!(send("", "").await, 403, "nobody knows where it came from");
    assert_eq!(send("origin", "https://evil.example").await, 403);
    assert_eq!(send("origin", "null").await, 403);
    assert_eq!(send("sec-fetch-site", "cross-site").await, 403);
    assert_eq!(send("sec-fetch-site", "same-site").await, 403);
    assert_eq!(send("sec-fetch-site", "same-origin").await, 303);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn sessions_are_listed_and_ended(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (here, me) = app.person("ada").await;
    let mut there = app.browser();
    let answer = there.post("/sign-in", &[("email", "ada@example.org"), ("password", "long enough")]).await;
    there.keep_cookie(&answer);
    let all = domain::accounts::sessions(&app.db, &me, &[0; 32], chrono::Utc::now()).await.unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(here.post("/settings/sessions/end-others", &[]).await.status(), 303);
    assert_eq!(there.get("/settings").await.status().as_u16() / 100, 3);
    assert_eq!(here.get("/settings").await.status(), 200);
    assert_eq!(here.post("/settings/sessions/end", &[("handle", "nonsense")]).await.status(), 404);
    // A new password ends the others too.
    let changed = here
        .post("/settings/password", &[("current_password", "long enough"), ("new_password", "even longer now")])
        .await;
    assert_eq!(changed.status(), 303);
    let closed = here.post("/settings/close", &[("password", "even longer now")]).await;
    assert_eq!((closed.status().as_u16(), location(&closed)), (303, "/"));
    assert_eq!(here.get("/settings").await.status().as_u16() / 100, 3);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn every_answer_carries_its_headers_and_health_is_told(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let page = app.browser().get("/").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("script-src 'self' 'nonce-") && !policy.contains("unsafe-inline"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("'nonce-'"));
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    assert!(page.headers().contains_key("x-request-id"));
    assert!(!page.headers().contains_key("set-cookie"), "a visitor is not marked");
    for path in ["/healthz", "/readyz", "/api/v1/health"] {
        assert_eq!(app.browser().get(path).await.status(), 200, "{path}");
    }
    assert_eq!(app.browser().get("/no/such/page").await.status(), 404);
    assert_eq!(app.browser().request(Method::POST, "/no/such/page").send().await.unwrap().status(), 405);
    app.finish().await;
}
