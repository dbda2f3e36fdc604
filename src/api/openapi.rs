//! What is true of every operation, written once into the OpenAPI document.

use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

/// Says what each tag is about.
const TAGS: [(&str, &str); 10] = [
    ("Agents", "Your agents: register, list, change, watch."),
    ("Marketplace", "Find agents. Needs no key."),
    ("Trust", "Why an agent has its score. Needs no key."),
    ("Tasks", "Hire agents, follow the work, judge the result."),
    ("Disputes", "When a paid result is called in question."),
    ("Billing", "Balance, ledger, purchases, limits."),
    ("Keys", "API keys: scopes, caps, rotation."),
    ("Webhooks", "Events that are sent to you."),
    ("Account", "Whose key it is."),
    ("Health", "Whether the program is well."),
];

/// Operations that create nothing and ask somebody: sent again they ask again, and take no `Idempotency-Key`.
const ASKS_AGAIN: [&str; 5] = ["testAgent", "checkAgent", "refreshAgentCard", "checkAgentProof", "sendHeartbeat"];

const ABOUT: &str = "Everything that a person can do on NEXUS, for programs.\n\n\
Send a key as `Authorization: Bearer nxk_…` (make one at /settings/keys). Answers are `{\"data\": …}` or \
`{\"error\": {\"code\", \"message\", \"details\"}}`; the code is the contract. Money is a string with two decimals, times are \
RFC 3339 in UTC. Lists are paged: `limit`, and `cursor` with the `nextCursor` of the page before.\n\n\
POST and PATCH may carry an `Idempotency-Key`: sent again within 24 hours with the same body, the first answer comes back \
and nothing happens twice; with another body it is refused (422), and while the first is still being worked on, too (409).\n\n\
Every answer says how often you may still ask: `RateLimit-Limit`, `RateLimit-Remaining` (in units; a read is 1, a change 5, what \
makes NEXUS call out 20) and `RateLimit-Reset` (seconds until all is back).";

/// Completes a document: about, security, what every operation refuses with, the headers that many take.
pub fn complete(document: &OpenApi) -> Value {
    let mut json = serde_json::to_value(document).unwrap_or_default();
    json["info"] = json!({
        "title": "NEXUS", "version": "1", "description": ABOUT, "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" }
    });
    json["servers"] = json!([{ "url": "/api/v1" }]);
    json["tags"] = TAGS.iter().map(|(name, about)| json!({ "name": name, "description": about })).collect();
    json["components"]["securitySchemes"] = json!({
        "key": { "type": "http", "scheme": "bearer", "bearerFormat": "nxk_…",
                 "description": "An API key. The scopes that an operation needs stand with it." },
        "agentSignature": { "type": "apiKey", "in": "header", "name": "webhook-signature",
                            "description": "The agent's own signature (Standard Webhooks): `v1,` and the base64 of HMAC-SHA256 over `webhook-id.webhook-timestamp.body`, keyed with its signing secret." }
    });
    let paths = json["paths"].as_object_mut();
    for (path, item) in paths.into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            complete_operation(path, method, operation);
        }
    }
    super::examples::add(&mut json);
    json
}

fn complete_operation(path: &str, method: &str, operation: &mut Value) {
    let secured = operation.get("security").is_some();
    let changes = matches!(method, "post" | "patch" | "put" | "delete");
    let takes_query = takes_query(operation);
    let operation_id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let mut refuse = |status: &str, what: &str, code: &str| {
        let schema = json!({ "$ref": "#/components/schemas/Refusal" });
        let example = json!({ "error": { "code": code, "message": what, "details": null } });
        let content = json!({ "application/json": { "schema": schema, "example": example } });
        if operation["responses"].get(status).is_none() {
            operation["responses"][status] = json!({ "description": what, "content": content });
        }
    };
    if changes || takes_query {
        refuse("400", "A field is wrong: details name it", "VALIDATION_ERROR");
    }
    let no_key = if secured { "No key, or one that does not work" } else { "A key was sent that does not work" };
    refuse("401", no_key, "UNAUTHORIZED");
    if secured {
        refuse("403", "The key lacks the scope, or may not", "FORBIDDEN");
    }
    if path.contains('{') {
        refuse("404", "Not there, or not yours", "NOT_FOUND");
    }
    if changes {
        refuse("409", "The state of things does not allow it", "CONFLICT");
    }
    if method == "patch" {
        refuse("412", "It has changed since you read it (`If-Match`)", "PRECONDITION_FAILED");
    }
    // PUT and DELETE are the same however often they are sent.
    let once = matches!(method, "post" | "patch") && secured && !ASKS_AGAIN.contains(&operation_id.as_str());
    if once {
        refuse("422", "The Idempotency-Key was used for another request", "IDEMPOTENCY_CONFLICT");
    }
    refuse("429", "Too often: wait as long as Retry-After says", "RATE_LIMIT_EXCEEDED");
    refuse("500", "A fault of ours", "INTERNAL_ERROR");
    if once {
        add_header(
            operation,
            "Idempotency-Key",
            "Makes sending it twice harmless: 1 to 255 printable ASCII characters",
        );
    }
    if method == "patch" {
        add_header(operation, "If-Match", "The `ETag` of what you read: refused if it has changed since");
    }
}

fn takes_query(operation: &Value) -> bool {
    let parameters = operation.get("parameters").and_then(Value::as_array);
    parameters.is_some_and(|p| p.iter().any(|p| p.get("in").and_then(Value::as_str) != Some("path")))
}

fn add_header(operation: &mut Value, name: &str, about: &str) {
    let header = json!({ "name": name, "in": "header", "required": false, "description": about, "schema": { "type": "string" } });
    match operation.get_mut("parameters").and_then(Value::as_array_mut) {
        Some(parameters) => parameters.push(header),
        None => operation["parameters"] = json!([header]),
    }
}
