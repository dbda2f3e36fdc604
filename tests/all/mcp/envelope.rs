//! What 2026-07-28 asks of a request, and what this server asks of everybody.

use domain::api_keys::Scope;
use nexus::mcp::{MODERN, VERSION_META};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{answered, code};
use crate::api::only;
use crate::test_app::TestApp;

const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

#[sqlx::test(migrations = "./migrations")]
async fn a_modern_request_is_discovered_and_answered(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, ada) = app.person("ada").await;
    let mcp = app.mcp(&ada).await;
    let found = mcp.result("server/discover", json!({})).await;
    assert_eq!(found["supportedVersions"], json!([MODERN, "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]));
    assert_eq!(found["capabilities"]["resources"], json!({"listChanged": true, "subscribe": true}));
    for capability in ["tools", "prompts", "completions"] {
        assert!(found["capabilities"][capability].is_object(), "{capability}");
    }
    assert_eq!(found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "nexus");
    assert!(found["instructions"].as_str().unwrap().contains("discover_agents"));
    for method in ["server/discover", "tools/list", "prompts/list", "resources/templates/list"] {
        let result = mcp.result(method, json!({})).await;
        assert_eq!((&result["cacheScope"], &result["ttlMs"]), (&json!("public"), &json!(300_000)), "{method}");
    }
    let mine = mcp.result("resources/list", json!({})).await;
    assert_eq!((&mine["cacheScope"], &mine["ttlMs"]), (&json!("private"), &json!(0)));
    // A session of the old revisions means nothing, and none is given out.
    let (request, body) = mcp.modern(1, "tools/list", json!({}));
    let answer =
        request.header("mcp-session-id", "whatever").header("last-event-id", "7").json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(!answer.headers().contains_key("mcp-session-id"));
    assert!(answer.headers().contains_key("ratelimit-remaining"));
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn what_a_modern_request_must_say_is_asked_for(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, ada) = app.person("ada").await;
    let mcp = app.mcp(&ada).await;
    let meta = json!({VERSION_META: MODERN, CAPABILITIES: {}});
    let send = async |headers: &[(&'static str, &str)], method: &str, params: Value| {
        let body = json!({"jsonrpc": "2.0", "id": "q7", "method": method, "params": params});
        let request = headers.iter().fold(mcp.request(), |r, (name, value)| r.header(*name, *value));
        let answer = answered(request.json(&body).send().await.unwrap()).await;
        assert_eq!(answer.1["id"], "q7", "the error carries the request's id: {}", answer.1);
        code(&answer)
    };
    let version = ("mcp-protocol-version", MODERN);
    let list = ("mcp-method", "tools/list");
    // `_meta` and what must be in it.
    for params in [
        json!({}),
        json!({"_meta": {}}),
        json!({"_meta": {CAPABILITIES: {}}}),
        json!({"_meta": {VERSION_META: MODERN}}),
        json!({"_meta": {VERSION_META: 7, CAPABILITIES: {}}}),
        json!({"_meta": {VERSION_META: MODERN, CAPABILITIES: []}}),
    ] {
        assert_eq!(send(&[version, list], "tools/list", params.clone()).await, (400, -32602), "{params}");
    }
    assert_eq!(send(&[], "server/discover", json!({})).await, (400, -32602), "there is no old one");
    // Headers that are missing, or say something else.
    let good = json!({"_meta": meta});
    assert_eq!(send(&[version, list], "tools/list", good.clone()).await, (200, 0));
    for headers in [
        &[list][..],
        &[version],
        &[("mcp-protocol-version", "2025-11-25"), list],
        &[version, ("mcp-method", "tools/call")],
        &[version, ("mcp-method", "TOOLS/LIST")],
        &[version, list, ("mcp-method", "tools/list")],
    ] {
        assert_eq!(send(headers, "tools/list", good.clone()).await, (400, -32020), "{headers:?}");
    }
    let call = json!({"name": "get_balance", "arguments": {}, "_meta": meta});
    let method = ("mcp-method", "tools/call");
    let encoded = "=?base64?Z2V0X2JhbGFuY2U=?=";
    for (name, expected) in [
        (None, (400, -32020)),
        (Some("get_agent"), (400, -32020)),
        (Some("=?base64?!!?="), (400, -32020)),
        (Some("=?base64?Z2V0X2JhbGFuY2U?="), (400, -32020)),
        (Some("get_balance"), (200, 0)),
        (Some(encoded), (200, 0)),
    ] {
        let mut headers = vec![version, method];
        headers.extend(name.map(|n| ("mcp-name", n)));
        assert_eq!(send(&headers, "tools/call", call.clone()).await, expected, "{name:?}");
    }
    // Revisions that are not spoken, and methods that are gone.
    let unknown = json!({"_meta": {VERSION_META: "v999.0.0", CAPABILITIES: {}}});
    assert_eq!(send(&[("mcp-protocol-version", "v999.0.0"), list], "tools/list", unknown).await, (400, -32022));
    for gone in
        ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "tasks/list", "x"]
    {
        assert_eq!(send(&[version, ("mcp-method", gone)], gone, good.clone()).await, (404, -32601), "{gone}");
    }
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn an_unknown_revision_is_told_which_are_spoken(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, ada) = app.person("ada").await;
    let mcp = app.mcp(&ada).await;
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}});
    let answer = mcp.request().header("mcp-protocol-version", "1900-01-01").json(&body).send().await.unwrap();
    let answer = answered(answer).await;
    assert_eq!(code(&answer), (400, -32022));
    assert_eq!(answer.1["error"]["data"]["requested"], "1900-01-01");
    assert_eq!(answer.1["error"]["data"]["supported"][0], MODERN);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn only_this_sites_pages_and_hosts_are_served(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, ada) = app.person("ada").await;
    let mcp = app.mcp(&ada).await;
    let (own, port) = (app.base(), app.addr.port());
    let status = async |headers: &[(&'static str, &str)]| {
        let (request, body) = mcp.modern(1, "tools/list", json!({}));
        let request = headers.iter().fold(request, |r, (name, value)| r.header(*name, *value));
        request.json(&body).send().await.unwrap().status().as_u16()
    };
    assert_eq!(status(&[]).await, 200);
    assert_eq!(status(&[("origin", &own)]).await, 200);
    let localhost = format!("localhost:{port}");
    assert_eq!(status(&[("host", &localhost), ("origin", &format!("http://{localhost}"))]).await, 200);
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1", &format!("{own}.evil.example"), ""] {
        assert_eq!(status(&[("origin", origin)]).await, 403, "{origin}");
    }
    for host in ["evil.example", &format!("evil.example:{port}"), "127.0.0.1.evil.example"] {
        assert_eq!(status(&[("host", host)]).await, 421, "{host}");
        assert_eq!(status(&[("host", host), ("origin", &format!("http://{host}"))]).await, 421, "{host}");
    }
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn nothing_but_post_and_with_or_without_a_slash(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, ada) = app.person("ada").await;
    let program = app.mcp(&ada).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for method in [Method::GET, Method::DELETE, Method::PUT, Method::PATCH, Method::OPTIONS] {
        for secret in [&program.secret, ""] {
            let request = client.request(method.clone(), format!("{}/mcp", app.base())).bearer_auth(secret);
            let answer = request.header("accept", "text/event-stream").send().await.unwrap();
            assert_eq!(answer.status(), 405, "{method}");
            assert_eq!(answer.headers()["allow"], "POST");
        }
    }
    let mut slashed = program.clone();
    slashed.url.push('/');
    assert_eq!(slashed.ask("tools/list", json!({})).await.0, 200);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_key_is_needed_for_everything_and_says_where_to_get_one(pool: PgPool) {
    let app = TestApp::start_with(pool, &["--rate-limit-anonymous", "12"]).await;
    let (_, ada) = app.person("ada").await;
    let mut mcp = app.mcp(&ada).await;
    let whole = mcp.secret.clone();
    for (secret, wrong) in [("", false), ("nxk_wrong", true)] {
        mcp.secret = secret.into();
        let (request, body) = mcp.modern(1, "server/discover", json!({}));
        let answer = request.json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 401);
        let challenge = answer.headers()["www-authenticate"].to_str().unwrap().to_owned();
        let metadata = format!("resource_metadata=\"{}/.well-known/oauth-protected-resource/mcp\"", app.base());
        assert!(challenge.starts_with("Bearer ") && challenge.contains(&metadata), "{challenge}");
        assert_eq!(challenge.contains("error=\"invalid_token\""), wrong, "{challenge}");
        assert_eq!(code(&answered(answer).await), (401, 401), "a JSON-RPC error");
    }
    // Who guesses is stopped, in JSON-RPC too; who has a key is not.
    let mut limited = None;
    for _ in 0..4 {
        let (request, body) = mcp.modern(1, "server/discover", json!({}));
        let answer = request.json(&body).send().await.unwrap();
        if answer.status() == 429 {
            assert!(answer.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
            limited = Some(code(&answered(answer).await));
        }
    }
    assert_eq!(limited, Some((429, 429)));
    mcp.secret = whole;
    assert_eq!(mcp.ask("server/discover", json!({})).await.0, 200);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_call_costs_what_the_same_request_of_the_api_costs(pool: PgPool) {
    let app = TestApp::start_with(pool, &["--rate-limit", "24"]).await;
    let (_, ada) = app.person("ada").await;
    let mcp = app.mcp(&ada).await;
    // A cancel costs 5 of 24 a minute.
    let mut spent = Vec::new();
    for _ in 0..6 {
        let cancel = json!({"name": "cancel_task", "arguments": {"taskId": uuid::Uuid::new_v4()}});
        spent.push(code(&mcp.ask("tools/call", cancel).await));
    }
    assert_eq!(spent[..4], [(200, 0); 4]);
    assert_eq!(spent[5], (429, 429), "{spent:?}");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_missing_scope_is_a_challenge(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, ada) = app.person("ada").await;
    let mcp = app.mcp_with(&ada, only(Scope::AgentsRead)).await;
    let id = uuid::Uuid::nil();
    for (tool, arguments, scope) in [
        ("delegate_task", json!({"agentId": id}), "tasks:write"),
        ("reply_to_task", json!({"taskId": id}), "tasks:write"),
        ("cancel_task", json!({"taskId": id}), "tasks:write"),
        ("rate_agent", json!({"taskId": id, "stars": 5}), "tasks:write"),
        ("check_task_status", json!({"taskId": id}), "tasks:read"),
        ("list_tasks", json!({}), "tasks:read"),
        ("get_balance", json!({}), "billing:read"),
    ] {
        for old in [false, true] {
            let params = json!({"name": tool, "arguments": arguments});
            let (request, body) =
                if old { mcp.old(1, "tools/call", params) } else { mcp.modern(1, "tools/call", params) };
            let answer = request.json(&body).send().await.unwrap();
            let challenge = answer.headers()["www-authenticate"].to_str().unwrap().to_owned();
            assert!(challenge.contains("error=\"insufficient_scope\""), "{tool}: {challenge}");
            assert!(challenge.contains(&format!("scope=\"{scope}\"")), "{tool}: {challenge}");
            assert!(challenge.contains("/.well-known/oauth-protected-resource/mcp"), "{tool}: {challenge}");
            assert_eq!(code(&answered(answer).await), (403, 403), "{tool}");
        }
    }
    let task = json!({"uri": format!("nexus://tasks/{id}")});
    assert_eq!(code(&mcp.ask("resources/read", task).await), (403, 403));
    // What needs none is there for every key.
    let nothing = app.mcp_with(&ada, only(Scope::WebhooksRead)).await;
    assert_eq!(nothing.good("discover_agents", json!({})).await["total"], 0);
    assert_eq!(nothing.ask("tools/list", json!({})).await.0, 200);
    app.finish().await;
}
