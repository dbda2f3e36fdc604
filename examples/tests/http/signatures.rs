//! Who may call an agent that has a secret.

use std::collections::HashMap;

use crate::wire::{Wire, answer, text};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

fn sign(key: &[u8], id: &str, timestamp: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

fn body() -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": { "message": text("hello") } }).to_string()
}

#[tokio::test]
async fn a_good_signature_passes_and_others_get_401_in_json_rpc() {
    let key = b"a key of thirty-two bytes, about";
    let secrets = HashMap::from([("echo".to_owned(), format!("whsec_{}", STANDARD.encode(key)))]);
    let wire = Wire::serve(|origin| demo_agents::router(origin, secrets)).await;
    let now = chrono::Utc::now().timestamp();
    let body = body();
    let send = async |signature: Option<String>, timestamp: i64| {
        let mut request = wire.post("/echo").header("webhook-id", "msg_1").header("webhook-timestamp", timestamp);
        if let Some(signature) = signature {
            request = request.header("webhook-signature", signature);
        }
        let response = request.body(body.clone()).send().await.unwrap();
        (response.status().as_u16(), answer(response).await)
    };
    let (status, passed) = send(Some(sign(key, "msg_1", now, &body)), now).await;
    assert_eq!((status, &passed["result"]["task"]["status"]["state"]), (200, &json!("TASK_STATE_COMPLETED")));
    let bad = [
        (None, now),
        (Some(sign(b"another key", "msg_1", now, &body)), now),
        (Some(sign(key, "msg_2", now, &body)), now),
        (Some(sign(key, "msg_1", now - 400, &body)), now - 400),
        (Some("v1,nonsense".to_owned()), now),
    ];
    for (signature, timestamp) in bad {
        let (status, refused) = send(signature, timestamp).await;
        assert_eq!((status, &refused["error"]["data"][0]["reason"]), (401, &json!("UNAUTHENTICATED")), "{refused}");
    }
    let open = wire.post("/summariser").body(body.clone()).send().await.unwrap();
    assert_eq!(open.status(), 200, "an agent without a secret answers anybody");
}

#[tokio::test]
async fn an_unreadable_secret_lets_nobody_in() {
    let wire = Wire::serve(|origin| demo_agents::single("echo", origin, Some("oops".to_owned())).unwrap()).await;
    assert_eq!(wire.post("/").body(body()).send().await.unwrap().status(), 401);
}
