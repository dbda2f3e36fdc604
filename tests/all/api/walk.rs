//! Every route of the document, as everybody who should not get in, and as its owner.

use std::collections::BTreeMap;

use chrono::Utc;
use domain::Credits;
use domain::api_keys::{self, NewKey, Scope, Scopes};
use reqwest::Method;
use serde_json::Value;
use sqlx::PgPool;

use super::examples::Fixture;
use super::{Program, code, only};

/// What each operation asks of a key. A route that is not here fails the test.
const OPERATIONS: &[(&str, Asks)] = &[
    ("createTask", Asks::Spending(Scope::TasksWrite)),
    ("listTasks", Asks::Own(Scope::TasksRead)),
    ("getTask", Asks::Own(Scope::TasksRead)),
    ("streamTask", Asks::Own(Scope::TasksRead)),
    ("cancelTask", Asks::Own(Scope::TasksWrite)),
    ("replyToTask", Asks::Own(Scope::TasksWrite)),
    ("retryTask", Asks::Spending(Scope::TasksWrite)),
    ("getTaskFile", Asks::Own(Scope::TasksRead)),
    ("acceptTask", Asks::Own(Scope::TasksWrite)),
    ("rejectTask", Asks::Own(Scope::TasksWrite)),
    ("rateTask", Asks::Own(Scope::TasksWrite)),
    ("openDispute", Asks::Own(Scope::TasksWrite)),
    ("getDispute", Asks::Own(Scope::TasksRead)),
    ("addStatement", Asks::Own(Scope::TasksWrite)),
    ("offerRefund", Asks::Own(Scope::TasksWrite)),
    ("acceptOffer", Asks::Own(Scope::TasksWrite)),
    ("giveIn", Asks::Own(Scope::TasksWrite)),
    ("listKeys", Asks::Own(Scope::KeysRead)),
    ("createKey", Asks::Own(Scope::KeysWrite)),
    ("getCurrentKey", Asks::AnyKey),
    ("getKey", Asks::Own(Scope::KeysRead)),
    ("changeKey", Asks::Own(Scope::KeysWrite)),
    ("revokeKey", Asks::Own(Scope::KeysWrite)),
    ("rotateKey", Asks::Own(Scope::KeysWrite)),
    ("listEventTypes", Asks::Nothing),
    ("listWebhooks", Asks::Own(Scope::WebhooksRead)),
    ("createWebhook", Asks::Own(Scope::WebhooksWrite)),
    ("getWebhook", Asks::Own(Scope::WebhooksRead)),
    ("changeWebhook", Asks::Own(Scope::WebhooksWrite)),
    ("testWebhook", Asks::Own(Scope::WebhooksWrite)),
    ("listDeliveries", Asks::Own(Scope::WebhooksRead)),
    ("getDelivery", Asks::Own(Scope::WebhooksRead)),
    ("resendDelivery", Asks::Own(Scope::WebhooksWrite)),
    ("resendFailed", Asks::Own(Scope::WebhooksWrite)),
    ("rotateWebhookSecret", Asks::Own(Scope::WebhooksWrite)),
    ("deleteWebhook", Asks::Own(Scope::WebhooksWrite)),
    ("getAccount", Asks::AnyKey),
    ("changeAccount", Asks::Everything),
    ("discoverAgents", Asks::Nothing),
    ("listFacets", Asks::Nothing),
    ("registerAgent", Asks::Own(Scope::AgentsWrite)),
    ("listAgents", Asks::Own(Scope::AgentsRead)),
    ("getAgent", Asks::Nothing),
    ("changeAgent", Asks::Own(Scope::AgentsWrite)),
    ("rotateAgentSecret", Asks::Own(Scope::AgentsWrite)),
    ("testAgent", Asks::Own(Scope::AgentsWrite)),
    ("checkAgent", Asks::Own(Scope::AgentsWrite)),
    ("refreshAgentCard", Asks::Own(Scope::AgentsWrite)),
    ("getAgentProof", Asks::Own(Scope::AgentsRead)),
    ("checkAgentProof", Asks::Own(Scope::AgentsWrite)),
    ("sendHeartbeat", Asks::Own(Scope::AgentsWrite)),
    ("getAgentStats", Asks::Nothing),
    ("getTrust", Asks::Nothing),
    ("getTrustHistory", Asks::Nothing),
    ("listReviews", Asks::Nothing),
    ("answerReview", Asks::Own(Scope::AgentsWrite)),
    ("retireAgent", Asks::Own(Scope::AgentsWrite)),
    ("getBalance", Asks::Own(Scope::BillingRead)),
    ("listTransactions", Asks::Own(Scope::BillingRead)),
    ("getUsage", Asks::Own(Scope::BillingRead)),
    ("listPackages", Asks::Nothing),
    ("createCheckout", Asks::Own(Scope::BillingWrite)),
    ("listReceipts", Asks::Own(Scope::BillingRead)),
    ("getReceipt", Asks::Own(Scope::BillingRead)),
    ("refundPurchase", Asks::Own(Scope::BillingWrite)),
    ("getLimits", Asks::Own(Scope::BillingRead)),
    ("setLimits", Asks::Own(Scope::BillingWrite)),
    ("getTopup", Asks::Own(Scope::BillingRead)),
    ("getHealth", Asks::Nothing),
];

/// What an operation asks of who calls it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Asks {
    /// Nothing: open to all.
    Nothing,
    /// Any key.
    AnyKey,
    /// A key with the scope `*`.
    Everything,
    /// A key with this scope, of the account that it is about.
    Own(Scope),
    /// The same, and it takes credits.
    Spending(Scope),
}

impl Asks {
    fn scope(self) -> Option<Scope> {
        match self {
            Asks::Own(scope) | Asks::Spending(scope) => Some(scope),
            Asks::Nothing | Asks::AnyKey | Asks::Everything => None,
        }
    }

    fn words(self) -> Option<Vec<&'static str>> {
        match self {
            Asks::Nothing => None,
            Asks::AnyKey => Some(vec![]),
            Asks::Everything => Some(vec!["*"]),
            Asks::Own(scope) | Asks::Spending(scope) => Some(vec![scope.as_str()]),
        }
    }
}

/// Method, path and scopes of each operation, as the document has them.
fn documented() -> BTreeMap<String, (Method, String, Option<Vec<String>>)> {
    let document = nexus::api::document();
    let mut out = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no id"));
            let method: Method = method.to_uppercase().parse().unwrap();
            let scopes = operation
                .get("security")
                .and_then(|s| s[0]["key"].as_array())
                .map(|scopes| scopes.iter().map(|s| s.as_str().unwrap().to_owned()).collect::<Vec<_>>());
            let before = out.insert(id.to_owned(), (method, path.clone(), scopes));
            assert!(before.is_none(), "{id} stands twice");
        }
    }
    out
}

#[test]
fn every_operation_is_known_here_and_says_what_it_asks() {
    let documented = documented();
    for id in documented.keys() {
        assert!(OPERATIONS.iter().any(|(known, _)| known == id), "{id} is not in this table");
    }
    for (id, asks) in OPERATIONS {
        let (_, _, scopes) = documented.get(*id).unwrap_or_else(|| panic!("{id} is not in the document"));
        let expected = asks.words();
        assert_eq!(scopes.as_ref().map(|s| s.iter().map(String::as_str).collect()), expected, "{id}");
    }
}

#[test]
fn every_operation_has_a_summary_a_refusal_and_an_example() {
    let document = nexus::api::document();
    let mut missing = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let mut miss = |what: &str| missing.push(format!("{method} {path}: {what}"));
            if operation["summary"].as_str().is_none_or(str::is_empty) {
                miss("no summary");
            }
            let responses = operation["responses"].as_object().unwrap();
            if !responses.keys().any(|s| s.starts_with('4')) {
                miss("no refusal");
            }
            for (status, response) in responses {
                let Some(json) = response.pointer("/content/application~1json") else { continue };
                if status.starts_with('2') && json.get("example").is_none() {
                    miss("no example of the answer");
                }
            }
            let body = operation.pointer("/requestBody/content/application~1json");
            if body.is_some_and(|b| b.get("example").is_none()) {
                miss("no example of the body");
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[sqlx::test(migrations = "./migrations")]
async fn every_route_lets_in_only_who_may(pool: PgPool) {
    let fixture = Fixture::start(pool).await;
    let (app, owner) = (&fixture.app, &fixture.buyer);
    let documented = documented();
    let now = Utc::now();
    let (_, stranger) = app.person("stranger").await;
    let stranger = app.program(&stranger).await;
    let expired = app.program(owner).await;
    sqlx::query("UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = $1")
        .bind(expired.key.0)
        .execute(app.db.pool())
        .await
        .unwrap();
    let revoked = app.program(owner).await;
    api_keys::revoke(&app.db, owner, revoked.key, now).await.unwrap();
    let capped = NewKey { total_cap: Some(Credits::ZERO), ..NewKey::named("capped", Scopes::All) };
    let capped = app.program_with(owner, capped).await;
    let garbage = Program { secret: "nxk_nonsense".into(), ..app.nobody() };

    for (id, asks) in OPERATIONS {
        let (method, template, _) = &documented[*id];
        let (path, body) = fixture.request_of(id, template).await;
        let as_who = |who: &Program| {
            let (who, method, path, body) = (who.clone(), method.clone(), path.clone(), body.clone());
            async move { who.call(method, &path, body).await }
        };
        for (name, who) in [("an expired", &expired), ("a revoked", &revoked), ("a garbled", &garbage)] {
            assert_eq!(code(&as_who(who).await), (401, "UNAUTHORIZED"), "{id} with {name} key");
        }
        let nobody = as_who(&app.nobody()).await;
        if *asks == Asks::Nothing {
            assert!(!matches!(nobody.0, 401 | 403), "{id} is open to all: {nobody:?}");
            continue;
        }
        assert_eq!(code(&nobody), (401, "UNAUTHORIZED"), "{id} without a key");
        // A key with every scope but the one that is asked for.
        let scopes = match asks.scope() {
            Some(scope) => Some(Scope::ALL.into_iter().filter(|s| !only(*s).allow(scope)).collect()),
            None if *asks == Asks::Everything => Some(Scope::ALL.into_iter().collect()),
            None => None,
        };
        if let Some(scopes) = scopes {
            let without = app.program_with(owner, NewKey::named("without", Scopes::Some(scopes))).await;
            let answer = as_who(&without).await;
            assert_eq!(code(&answer), (403, "FORBIDDEN"), "{id} without its scope: {answer:?}");
            api_keys::revoke(&app.db, owner, without.key, now).await.unwrap();
        }
        // Somebody else's, with every scope.
        if template.contains('{') && asks.scope().is_some() {
            let answer = as_who(&stranger).await;
            assert_eq!(answer.0, 404, "{id} of somebody else: {answer:?}");
        }
        if matches!(asks, Asks::Spending(_)) {
            let answer = as_who(&capped).await;
            assert_eq!(code(&answer), (403, "FORBIDDEN"), "{id} with a capped key: {answer:?}");
        }
        // The scope alone is enough to get past the door.
        let key = match asks.scope() {
            Some(scope) => NewKey::named("just enough", only(scope)),
            None => NewKey::named("just enough", Scopes::All),
        };
        let enough = app.program_with(owner, key).await;
        let answer = if *id == "streamTask" { (200, Value::Null) } else { as_who(&enough).await };
        // A key that makes or changes keys is held to its own scopes besides: that is another refusal.
        let for_scope = answer.1["error"]["details"]["scope"].is_string();
        // The examples have removed it already.
        let removed = *id == "deleteWebhook" && answer.0 == 404;
        assert!(
            (removed || !matches!(answer.0, 401 | 404)) && !for_scope && answer.0 < 500,
            "{id} as its owner: {answer:?}"
        );
        api_keys::revoke(&app.db, owner, enough.key, now).await.unwrap();
    }
    fixture.finish().await;
}
