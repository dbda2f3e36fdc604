//! A client is connected over HTTP: it finds its way, registers, is approved by a person, gets tokens, uses them, loses them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::PgPool;

use crate::test_app::{Browser, TestApp, location};

const VERIFIER: &str = "a-verifier-of-the-client-that-is-long-enough-1";
const CALLBACK: &str = "https://client.example/cb?kept=1";

/// What a person sends who approves.
const YES: [(&str, &str); 5] = [
    ("answer", "approve"),
    ("scopes", "tasks:write"),
    ("scopes", "billing:read"),
    ("monthlyCap", "100.00"),
    ("life", "30"),
];

impl TestApp {
    fn site(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// As a program asks: without cookie and origin.
    async fn sent_to(&self, path: &str, form: &[(&str, &str)]) -> Response {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = client.post(format!("{}{path}", self.site()));
        request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap()
    }

    async fn register(&self, metadata: &Value) -> Response {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.post(format!("{}/oauth/register", self.site())).json(metadata).send().await.unwrap()
    }

    /// A public client; answers with its id.
    async fn client(&self) -> String {
        let metadata =
            json!({ "client_name": "Helper <b>", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none" });
        let made: Value = self.register(&metadata).await.json().await.unwrap();
        made["client_id"].as_str().unwrap().to_owned()
    }

    /// Exchanges; answers with status and body.
    async fn token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        let answer = self.sent_to("/oauth/token", form).await;
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn first_tokens(&self, client: &str, code: &str) -> (u16, Value) {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.token(&form).await
    }

    async fn account(&self, token: &str) -> u16 {
        let request = self.browser().request(Method::GET, "/api/v1/account").bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    }
}

/// The address that a client sends a person to; `more` wins over what is usual, and an empty value leaves out.
fn ask(client: &str, more: &[(&str, &str)]) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let usual = [
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", CALLBACK),
        ("scope", "tasks:write billing:read"),
        ("state", "xyz&1"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let rest = usual.into_iter().filter(|(name, _)| more.iter().all(|(n, _)| n != name));
    let all = rest.chain(more.iter().copied()).filter(|(_, value)| !value.is_empty());
    let query: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
    format!("/oauth/authorize?{query}")
}

/// The parameters of an answer to the client.
fn answered(response: &Response) -> Vec<(String, String)> {
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let to = location(response);
    assert!(to.starts_with("https://client.example/cb?kept=1&"), "{to}");
    url::Url::parse(to).unwrap().query_pairs().into_owned().collect()
}

fn value<'a>(answer: &'a [(String, String)], name: &str) -> &'a str {
    answer.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str())
}

/// Approves; answers with the code.
async fn approve(person: &Browser, at: &str) -> String {
    let answer = answered(&person.post(at, &YES).await);
    value(&answer, "code").to_owned()
}

#[sqlx::test(migrations = "./migrations")]
async fn a_person_connects_a_client_and_cuts_it_off(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let site = app.site();
    // It finds its way from the door.
    let resource: Value = app.browser().get("/.well-known/oauth-protected-resource").await.json().await.unwrap();
    assert_eq!((&resource["resource"], &resource["authorization_servers"][0]), (&json!(site), &json!(site)));
    let server: Value = app.browser().get("/.well-known/oauth-authorization-server").await.json().await.unwrap();
    assert_eq!(server["issuer"], json!(site));
    assert_eq!(server["authorization_endpoint"], json!(format!("{site}/oauth/authorize")));
    let client = app.client().await;
    let at = ask(&client, &[]);

    // A visitor signs in first, and comes back to the same question.
    let stranger = app.browser().get(&at).await;
    let to = location(&stranger).to_owned();
    assert_eq!(stranger.status(), 303);
    let next = url::Url::parse(&format!("{site}{to}")).unwrap();
    assert_eq!((next.path(), next.query_pairs().next().unwrap().1.as_ref()), ("/sign-in", at.as_str()));
    let (ada, _) = app.person("ada").await;
    let back = app
        .browser()
        .post("/sign-in", &[("email", "ada@example.org"), ("password", "long enough"), ("next", &at)])
        .await;
    assert_eq!(location(&back), at);

    let page = ada.get(&at).await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("form-action 'self' https://client.example;"), "{policy}");
    assert!(!policy.contains("upgrade-insecure-requests"));
    let page = page.text().await.unwrap();
    assert!(
        page.contains("Connect Helper &lt;b&gt;?")
            && page.contains("client.example")
            && page.contains("ada@example.org")
    );
    let ticked = |word: &str| {
        page.split("<input")
            .find(|i| i.contains(&format!(r#"value="{word}""#)))
            .map(|i| i.split('>').next().unwrap().contains("checked"))
    };
    assert_eq!((ticked("tasks:write"), ticked("billing:read"), ticked("agents:read")), (Some(true), Some(true), None));
    assert!(page.contains(r#"value="100.00""#), "{page}");

    let answer = answered(&ada.post(&at, &YES).await);
    assert_eq!((value(&answer, "state"), value(&answer, "iss")), ("xyz&1", site.as_str()));
    let (status, tokens) = app.first_tokens(&client, value(&answer, "code")).await;
    assert_eq!((status, &tokens["token_type"], &tokens["expires_in"]), (200, &json!("Bearer"), &json!(3600)));
    assert_eq!(tokens["scope"], "tasks:write billing:read");
    let access = tokens["access_token"].as_str().unwrap();
    assert!(access.starts_with("nxa_") && access.len() == 47);

    // It is a key of the person: with what was approved, and no more.
    assert_eq!(app.account(access).await, 200);
    let get = |path: &'static str| app.browser().request(Method::GET, path).bearer_auth(access).send();
    assert_eq!(get("/api/v1/tasks").await.unwrap().status(), 200);
    assert_eq!(get("/api/v1/webhooks").await.unwrap().status(), 403, "it was not asked for");
    let current: Value = get("/api/v1/keys/current").await.unwrap().json().await.unwrap();
    assert_eq!(
        (&current["data"]["name"], &current["data"]["caps"]["month"], &current["data"]["prefix"]),
        (&json!("Helper <b>"), &json!("100.00"), &json!("nxa_"))
    );

    // Its owner sees it among connections, and not among keys.
    let list = ada.get("/settings/connections").await.text().await.unwrap();
    assert!(
        list.contains("Helper &lt;b&gt;") && list.contains("0.00 of 100.00 credits") && list.contains("client.example")
    );
    assert!(!ada.get("/settings/keys").await.text().await.unwrap().contains("Helper"));
    let id = current["data"]["id"].as_str().unwrap();
    assert_eq!(ada.get(&format!("/settings/keys/{id}")).await.status(), 404);
    let (eve, _) = app.person("eve").await;
    let cut_off = format!("/settings/connections/{id}/cut-off");
    assert_eq!(eve.post(&cut_off, &[]).await.status(), 404);
    assert_eq!(app.account(access).await, 200);
    assert_eq!(location(&ada.post(&cut_off, &[]).await), "/settings/connections");
    assert_eq!(app.account(access).await, 401, "cut off means now");
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let (status, refused) =
        app.token(&[("grant_type", "refresh_token"), ("client_id", &client), ("refresh_token", refresh)]).await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_grant")));
    let list = ada.get("/settings/connections").await.text().await.unwrap();
    assert!(list.contains("Nothing is connected") && list.contains("Cut off in the last 30 days (1)"), "{list}");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn who_asks_wrongly_is_told_where_it_is_safe(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ada, _) = app.person("ada").await;
    let client = app.client().await;
    // Nothing is sent to an address that is not the client's: a page says so, to visitors too.
    for (more, said) in [
        (vec![("client_id", "")], "which program"),
        (vec![("client_id", "nobody")], "which program"),
        (vec![("client_id", "00000000-0000-4000-8000-00000000000a")], "not registered"),
        (vec![("client_id", client.as_str()), ("client_id", client.as_str())], "client_id more than once"),
        (vec![("redirect_uri", "https://client.example/cb")], "did not register"),
        (vec![("redirect_uri", "https://evil.example/cb")], "did not register"),
        (vec![("redirect_uri", CALLBACK), ("redirect_uri", CALLBACK)], "redirect_uri more than once"),
    ] {
        for browser in [&ada, &app.browser()] {
            let page = browser.get(&ask(&client, &more)).await;
            assert_eq!((page.status(), location(&page)), (StatusCode::BAD_REQUEST, ""), "{more:?}");
            let text = page.text().await.unwrap();
            assert!(text.contains("cannot be connected") && text.contains(said), "{more:?}: {text}");
        }
        assert_eq!(ada.post(&ask(&client, &more), &YES).await.status(), 400);
    }
    // Everything else is the client's to know.
    let resource = format!("{}/mcp", app.site());
    for (more, error) in [
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("response_type", "")], "invalid_request"),
        (vec![("response_mode", "fragment")], "invalid_request"),
        (vec![("code_challenge", "")], "invalid_request"),
        (vec![("code_challenge", "short")], "invalid_request"),
        (vec![("code_challenge_method", "plain")], "invalid_request"),
        (vec![("code_challenge_method", "")], "invalid_request"),
        (vec![("scope", "tasks:admin")], "invalid_scope"),
        (vec![("scope", "keys:write")], "invalid_scope"),
        (vec![("scope", "*")], "invalid_scope"),
        (vec![("scope", "tasks:read"), ("scope", "tasks:read")], "invalid_request"),
        (vec![("resource", "https://evil.example/mcp")], "invalid_target"),
        (vec![("resource", resource.as_str()), ("resource", resource.as_str())], "invalid_target"),
    ] {
        for method in [Method::GET, Method::POST] {
            let at = ask(&client, &more);
            let response = if method == Method::GET { ada.get(&at).await } else { ada.post(&at, &YES).await };
            let answer = answered(&response);
            let seen =
                (value(&answer, "error"), value(&answer, "state"), value(&answer, "iss"), value(&answer, "code"));
            assert_eq!(seen, (error, "xyz&1", app.site().as_str(), ""), "{more:?}");
        }
    }
    // The person says no.
    let answer = answered(&ada.post(&ask(&client, &[]), &[("answer", "refuse")]).await);
    assert_eq!((value(&answer, "error"), value(&answer, "state")), ("access_denied", "xyz&1"));
    // Or nothing that can be given: the page stays, with what was typed.
    let answer = ada.post(&ask(&client, &[]), &[("answer", "approve"), ("monthlyCap", "a lot"), ("life", "30")]).await;
    assert_eq!(answer.status(), 400);
    let policy = answer.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("https://client.example;"), "{policy}");
    let page = answer.text().await.unwrap();
    assert!(page.contains(r#"value="a lot""#) && page.contains("What it may do is empty"), "{page}");
    let beyond = [("answer", "approve"), ("scopes", "webhooks:write"), ("life", "30")];
    assert_eq!(ada.post(&ask(&client, &[]), &beyond).await.status(), 400);
    // Another site cannot approve in a person's name, and a visitor approves nothing.
    let forged = ada.request(Method::POST, &ask(&client, &[])).header("sec-fetch-site", "cross-site");
    assert_eq!(forged.send().await.unwrap().status(), 403);
    let visitor = app.browser().post(&ask(&client, &[]), &YES).await;
    assert!(location(&visitor).starts_with("/sign-in?next=/oauth/authorize"), "{}", location(&visitor));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn tokens_are_given_as_the_specification_says(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ada, _) = app.person("ada").await;
    let client = app.client().await;
    let code = approve(&ada, &ask(&client, &[])).await;
    let good = [
        ("grant_type", "authorization_code"),
        ("client_id", client.as_str()),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let with = |name: &'static str, value: &'static str| {
        good.iter().map(|(n, v)| if *n == name { (*n, value) } else { (*n, *v) }).collect::<Vec<_>>()
    };
    let without = |name: &str| good.iter().filter(|(n, _)| *n != name).copied().collect::<Vec<_>>();
    let mut twice = good.to_vec();
    twice.push(("code", "nxo_other"));
    for (form, status, error) in [
        (without("grant_type"), 400, "invalid_request"),
        (with("grant_type", "password"), 400, "unsupported_grant_type"),
        (without("code"), 400, "invalid_request"),
        (without("code_verifier"), 400, "invalid_request"),
        (with("code_verifier", "another-verifier-of-the-client-that-is-long-enough"), 400, "invalid_grant"),
        (without("redirect_uri"), 400, "invalid_grant"),
        (with("redirect_uri", "https://client.example/cb"), 400, "invalid_grant"),
        (with("code", "nxo_nothing"), 400, "invalid_grant"),
        (without("client_id"), 401, "invalid_client"),
        (with("client_id", "nobody"), 401, "invalid_client"),
        (twice, 400, "invalid_request"),
    ] {
        let (seen, body) = app.token(&form).await;
        assert_eq!((seen, &body["error"]), (status, &json!(error)), "{form:?}");
        assert!(body["error_description"].is_string());
    }
    let request =
        app.browser().request(Method::POST, "/oauth/token").json(&json!({ "grant_type": "authorization_code" }));
    let body: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(body["error"], "invalid_request", "JSON is not a form");

    let (status, first) = app.token(&good).await;
    assert_eq!(status, 200, "{first}");
    let refresh = |tokens: &Value| tokens["refresh_token"].as_str().unwrap().to_owned();
    let token = refresh(&first);
    let (status, second) =
        app.token(&[("grant_type", "refresh_token"), ("client_id", &client), ("refresh_token", &token)]).await;
    assert_eq!(status, 200, "{second}");
    assert_ne!(token, refresh(&second));
    for tokens in [&first, &second] {
        assert_eq!(app.account(tokens["access_token"].as_str().unwrap()).await, 200);
    }
    let (status, again) = app.token(&good).await;
    assert_eq!((status, &again["error"]), (400, &json!("invalid_grant")), "a code works once");
    assert_eq!(app.account(second["access_token"].as_str().unwrap()).await, 401, "and twice cuts all of it off");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_client_with_a_secret_says_who_it_is_in_two_ways(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ada, _) = app.person("ada").await;
    // Left out, the method is Basic (RFC 7591).
    let made: Value = app.register(&json!({ "redirect_uris": [CALLBACK] })).await.json().await.unwrap();
    assert_eq!(made["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!((&made["client_name"], &made["client_secret_expires_at"]), (&json!("client.example"), &json!(0)));
    let (id, secret) = (made["client_id"].as_str().unwrap(), made["client_secret"].as_str().unwrap());
    let code = approve(&ada, &ask(id, &[])).await;
    let form = |more: &[(&'static str, &str)]| {
        let mut all = url::form_urlencoded::Serializer::new(String::new());
        all.extend_pairs([("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)]);
        all.extend_pairs([("code_verifier", VERIFIER)]).extend_pairs(more).finish()
    };
    let send = |basic: Option<String>, body: String| {
        let request = app.browser().request(Method::POST, "/oauth/token");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        let request = match basic {
            Some(pair) => request.header("authorization", format!("Basic {}", STANDARD.encode(pair))),
            None => request,
        };
        async move { request.send().await.unwrap() }
    };
    let wrong = send(Some(format!("{id}:wrong")), form(&[])).await;
    assert_eq!(wrong.status(), 401);
    assert!(wrong.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic "));
    assert_eq!(send(None, form(&[("client_id", id)])).await.status(), 401, "its secret is missing");
    let both = send(Some(format!("{id}:{secret}")), form(&[("client_secret", secret)])).await;
    assert_eq!(both.json::<Value>().await.unwrap()["error"], "invalid_request");
    let tokens: Value = send(Some(format!("{id}:{secret}")), form(&[])).await.json().await.unwrap();
    let refresh = tokens["refresh_token"].as_str().unwrap();

    // It gives them back; whoever is not the client cannot.
    let mine = [("client_id", id), ("client_secret", secret), ("token", refresh)];
    let other = app.client().await;
    let theirs = app.sent_to("/oauth/revoke", &[("client_id", other.as_str()), ("token", refresh)]).await;
    assert_eq!(theirs.json::<Value>().await.unwrap()["error"], "invalid_grant");
    assert_eq!(app.account(tokens["access_token"].as_str().unwrap()).await, 200);
    let unknown = [("client_id", id), ("client_secret", secret), ("token", "nothing")];
    assert_eq!(app.sent_to("/oauth/revoke", &unknown).await.status(), 200);
    assert_eq!(app.sent_to("/oauth/revoke", &mine[..2]).await.status(), 400);
    assert_eq!(app.sent_to("/oauth/revoke", &mine).await.status(), 200);
    assert_eq!(app.account(tokens["access_token"].as_str().unwrap()).await, 401);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_token_opens_the_door_that_it_is_for(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ada, _) = app.person("ada").await;
    let client = app.client().await;
    for (part, opens) in [("/mcp", 401), ("/a2a", 401), ("/api/v1", 200), ("/", 200), ("", 200)] {
        let resource = if part.is_empty() { String::new() } else { format!("{}{part}", app.site()) };
        let code = approve(&ada, &ask(&client, &[("resource", &resource)])).await;
        let (_, tokens) = app.first_tokens(&client, &code).await;
        let request = app.browser().request(Method::GET, "/api/v1/account");
        let answer = request.bearer_auth(tokens["access_token"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(answer.status(), opens, "{part}");
        if opens == 401 {
            let body: Value = answer.json().await.unwrap();
            assert!(body["error"]["message"].as_str().unwrap().contains("another address"), "{body}");
        }
    }
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_program_on_the_persons_computer_takes_any_port(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ada, _) = app.person("ada").await;
    let metadata = json!({ "client_name": "Local", "redirect_uris": ["http://127.0.0.1/cb"], "token_endpoint_auth_method": "none" });
    let made: Value = app.register(&metadata).await.json().await.unwrap();
    let client = made["client_id"].as_str().unwrap();
    let at = ask(client, &[("redirect_uri", "http://127.0.0.1:49152/cb")]);
    let page = ada.get(&at).await;
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("http://127.0.0.1:49152;"));
    assert!(page.text().await.unwrap().contains("A program on this computer (127.0.0.1:49152)"));
    assert!(location(&ada.post(&at, &YES).await).starts_with("http://127.0.0.1:49152/cb?code=nxo_"));
    let other = ada.get(&ask(client, &[("redirect_uri", "http://127.0.0.1:49152/other")])).await;
    assert_eq!(other.status(), 400);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn who_cannot_be_registered_is_told_why(pool: PgPool) {
    let app = TestApp::start_with(pool, &["--rate-limit-anonymous", "400"]).await;
    for (metadata, error) in [
        (json!({}), "invalid_redirect_uri"),
        (json!({ "redirect_uris": [] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["http://client.example/cb"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": ["javascript:alert(1)"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": [CALLBACK, "https://client.example/#x"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": vec![CALLBACK; 11] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": "https://client.example" }), "invalid_client_metadata"),
        (
            json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "private_key_jwt" }),
            "invalid_client_metadata",
        ),
        (json!({ "redirect_uris": [CALLBACK], "grant_types": ["client_credentials"] }), "invalid_client_metadata"),
        (json!({ "redirect_uris": [CALLBACK], "response_types": ["token"] }), "invalid_client_metadata"),
    ] {
        let answer = app.register(&metadata).await;
        assert_eq!(answer.status(), 400, "{metadata}");
        assert_eq!(answer.json::<Value>().await.unwrap()["error"], error, "{metadata}");
    }
    let large = json!({ "redirect_uris": [CALLBACK], "client_name": "x".repeat(70_000) });
    assert_eq!(app.register(&large).await.status(), 413);
    // What is asked for beside what we have is left out, and named as it is kept.
    let metadata = json!({
        "redirect_uris": [CALLBACK], "client_name": "A\u{202e}b", "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"], "logo_uri": "https://client.example/x",
    });
    let answer = app.register(&metadata).await;
    assert_eq!(
        (answer.status(), &answer.headers()["access-control-allow-origin"]),
        (StatusCode::CREATED, &"*".parse().unwrap())
    );
    let made: Value = answer.json().await.unwrap();
    assert_eq!(made["grant_types"], json!(["authorization_code", "refresh_token"]));
    assert_eq!((&made["client_name"], made.get("client_secret"), made.get("logo_uri")), (&json!("Ab"), None, None));
    // Nobody fills the table.
    let mut refused = 0;
    for _ in 0..20 {
        let answer = app.register(&json!({ "redirect_uris": [CALLBACK] })).await;
        if answer.status() == 429 {
            assert!(answer.headers().contains_key("retry-after"));
            refused += 1;
        }
    }
    assert!(refused > 5, "{refused} of 20 were refused");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn metadata_stand_where_clients_look(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let agent = "/a2a/00000000-0000-4000-8000-00000000000a";
    for path in ["", "/mcp", "/a2a", agent, "/api/v1"] {
        let answer = app.browser().get(&format!("/.well-known/oauth-protected-resource{path}")).await;
        assert_eq!(
            (answer.status(), &answer.headers()["access-control-allow-origin"]),
            (StatusCode::OK, &"*".parse().unwrap())
        );
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["resource"], json!(format!("{}{path}", app.site())));
        assert_eq!(body["bearer_methods_supported"], json!(["header"]));
        let scopes: Vec<&str> = body["scopes_supported"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(scopes.contains(&"tasks:write") && !scopes.contains(&"keys:write"), "{scopes:?}");
        assert_eq!(scopes.contains(&"webhooks:write"), matches!(path, "" | "/api/v1"), "{path}");
    }
    for path in [
        "/.well-known/oauth-protected-resource/credits",
        "/.well-known/oauth-protected-resource/a2a/nobody",
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/mcp",
    ] {
        let answer = app.browser().get(path).await;
        assert_eq!(
            (answer.status(), &answer.headers()["content-type"]),
            (StatusCode::NOT_FOUND, &"application/json".parse().unwrap()),
            "{path}"
        );
    }
    let server: Value = app.browser().get("/.well-known/oauth-authorization-server").await.json().await.unwrap();
    assert_eq!(server["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(server["authorization_response_iss_parameter_supported"], json!(true));
    for endpoint in ["token_endpoint", "registration_endpoint", "revocation_endpoint"] {
        let path = server[endpoint].as_str().unwrap().strip_prefix(&app.site()).unwrap();
        let ask = app.browser().request(Method::OPTIONS, path).header("access-control-request-method", "POST");
        let answer = ask.header("access-control-request-headers", "content-type").send().await.unwrap();
        assert_eq!(answer.status(), 204, "{path}");
        assert_eq!(answer.headers()["access-control-allow-headers"], "content-type");
        assert!(answer.headers()["access-control-allow-methods"].to_str().unwrap().contains("POST"));
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        assert_eq!(app.browser().get(path).await.status(), 405, "{path}");
    }
    // The page of consent is for browsers of people alone.
    let page = app.browser().get("/oauth/authorize").await;
    assert!(!page.headers().contains_key("access-control-allow-origin"));
    app.finish().await;
}
