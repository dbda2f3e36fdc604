//! Cards: what they say, where they are, and that they are ours.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Caller, read};
use crate::test_app::TestApp;

fn decoded(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}

#[sqlx::test(migrations = "./migrations")]
async fn a_card_is_public_true_and_signed(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let (_, owner) = app.person("owner").await;
    let agent = app.agent(&owner, "summariser", "12.50").await;
    let nobody = Caller::new(&app, agent, "");
    let answer = nobody.get("/.well-known/agent-card.json").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["cache-control"], "public, max-age=60");
    assert!(answer.headers()["vary"].to_str().unwrap().contains("A2A-Version"));
    let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
    let card: Value = answer.json().await.unwrap();
    for field in [
        "name",
        "description",
        "version",
        "capabilities",
        "skills",
        "supportedInterfaces",
        "defaultInputModes",
        "defaultOutputModes",
    ] {
        assert!(card.get(field).is_some_and(|v| *v != json!("")), "{field} is required");
    }
    let url = format!("http://{}/a2a/{agent}", app.addr);
    let interfaces = card["supportedInterfaces"].as_array().unwrap();
    assert_eq!(interfaces[0], json!({"url": url, "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}));
    assert!(interfaces.iter().all(|i| i["url"] == url));
    let price = &card["capabilities"]["extensions"][0];
    assert_eq!((&price["uri"], &price["params"]["pricePerTask"]), (&json!("urn:nexus:a2a:pricing:1"), &json!("12.50")));
    assert!(card["skills"].as_array().unwrap().iter().all(|s| s["tags"].as_array().is_some_and(|t| !t.is_empty())));

    let (_, keys) = read(
        reqwest::Client::builder()
            .no_proxy()
            .build()
            .unwrap()
            .get(format!("http://{}/.well-known/jwks.json", app.addr)),
    )
    .await;
    let key = &keys["keys"][0];
    let signature = &card["signatures"][0];
    let header: Value = serde_json::from_slice(&decoded(&signature["protected"])).unwrap();
    assert_eq!((&header["alg"], &header["kid"], &header["typ"]), (&json!("ES256"), &key["kid"], &json!("JOSE")));
    let point = [vec![4], decoded(&key["x"]), decoded(&key["y"])].concat();
    let verifies = |card: &Value| {
        let mut bare = card.clone();
        bare.as_object_mut().unwrap().remove("signatures");
        // Sorted, nothing between, nothing empty: this card has nothing that canonical JSON writes otherwise.
        let payload = URL_SAFE_NO_PAD.encode(bare.to_string());
        let signed = format!("{}.{payload}", signature["protected"].as_str().unwrap());
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point);
        public.verify(signed.as_bytes(), &decoded(&signature["signature"])).is_ok()
    };
    assert!(verifies(&card));
    let mut cheaper = card.clone();
    cheaper["capabilities"]["extensions"][0]["params"]["pricePerTask"] = json!("0.01");
    assert!(!verifies(&cheaper), "a changed card is not ours");

    let same = nobody.get("/.well-known/agent-card.json").header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(same.status(), 304);
    sqlx::query("UPDATE agents SET price_per_task = 13").execute(&pool).await.unwrap();
    let changed = nobody.get("/.well-known/agent-card.json").header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(changed.status(), 200);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn older_clients_find_a_card_of_their_own(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let agent = app.agent(&owner, "echo", "1").await;
    let nobody = Caller::new(&app, agent, "");
    let old = nobody.get("/.well-known/agent-card.json").header("A2A-Version", "0.3");
    let mut cards = vec![read(old).await.1];
    for path in ["/.well-known/agent.json", "/v0.3/.well-known/agent-card.json", "/v0.3/.well-known/agent.json"] {
        cards.push(read(nobody.get(path)).await.1);
    }
    for card in cards {
        assert_eq!(
            (&card["protocolVersion"], &card["preferredTransport"]),
            (&json!("0.3.0"), &json!("JSONRPC")),
            "{card}"
        );
        assert_eq!(card["url"], format!("http://{}/a2a/{agent}", app.addr));
        assert!(card.get("supportedInterfaces").is_none() && card.get("signatures").is_none(), "nothing of 1.0 in it");
        assert_eq!(card["securitySchemes"]["key"]["type"], "http");
    }
    // Whoever is in is told more.
    let (_, buyer) = app.person("buyer").await;
    let client = Caller::new(&app, agent, &app.program(&buyer).await.secret);
    let card = client.rpc("GetExtendedAgentCard", json!({})).await.unwrap();
    let extensions = card["capabilities"]["extensions"].as_array().unwrap();
    let standing = extensions.iter().find(|e| e["uri"] == "urn:nexus:a2a:standing:1").unwrap();
    assert_eq!(standing["params"], json!({"trust": "50.00", "completed": "0", "failed": "0", "status": "online"}));
    assert_eq!(read(client.get("/extendedAgentCard").header("A2A-Version", "1.0")).await.1["name"], "echo");
    assert_eq!(read(nobody.get("/extendedAgentCard").header("A2A-Version", "1.0")).await.0, 401);
    // What is not listed has no address.
    domain::agents::set_status(&app.db, &owner, agent, false).await.unwrap();
    assert_eq!(read(nobody.get("/.well-known/agent-card.json")).await.0, 404);
    app.finish().await;
}
