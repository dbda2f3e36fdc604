//! Standard Webhooks signatures: who may call an agent that has a secret.
//!
//! The scheme is the one of the Standard Webhooks specification: `webhook-signature` carries one or more
//! `v1,<base64>` separated by spaces (several while a secret is being rotated), each the HMAC-SHA256 of
//! `{webhook-id}.{webhook-timestamp}.{body}` under the bytes behind `whsec_`.

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// How far a caller's clock may be off, in seconds, in either direction. Older messages could be replays.
const TOLERANCE: i64 = 5 * 60;

/// Who is let in.
pub(super) enum Door {
    /// Anybody: no secret was set.
    Open,
    /// Callers that sign with this key.
    Signed(Vec<u8>),
    /// Nobody: a secret was set that cannot be read, and letting everybody in instead would be worse.
    Shut,
}

impl Door {
    /// The door that `secret` makes.
    pub fn behind(secret: Option<&str>) -> Door {
        let Some(secret) = secret else { return Door::Open };
        match secret.strip_prefix("whsec_").map(|encoded| STANDARD.decode(encoded)) {
            Some(Ok(key)) if !key.is_empty() => Door::Signed(key),
            Some(_) | None => Door::Shut,
        }
    }

    /// Lets a request in, or says why not. `now` is in Unix seconds.
    pub fn check(&self, headers: &HeaderMap, body: &[u8], now: i64) -> Result<(), &'static str> {
        match self {
            Door::Open => Ok(()),
            Door::Shut => Err("this agent's signing secret cannot be read, so it answers nobody"),
            Door::Signed(key) => check(key, headers, body, now),
        }
    }
}

fn check(key: &[u8], headers: &HeaderMap, body: &[u8], now: i64) -> Result<(), &'static str> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let id = header("webhook-id").ok_or("the webhook-id header is missing")?;
    let timestamp = header("webhook-timestamp").ok_or("the webhook-timestamp header is missing")?;
    let signatures = header("webhook-signature").ok_or("the webhook-signature header is missing")?;
    let sent: i64 = timestamp.parse().map_err(|_| "the webhook-timestamp header is not a number of seconds")?;
    if now.checked_sub(sent).is_none_or(|age| age.abs() > TOLERANCE) {
        return Err("the webhook-timestamp is more than five minutes off");
    }
    let expected = signature(key, id, timestamp, body).ok_or("this agent's signing secret cannot be used")?;
    let matches = |candidate: &str| {
        let given = candidate.strip_prefix("v1,").and_then(|encoded| STANDARD.decode(encoded).ok());
        given.is_some_and(|given| bool::from(given.ct_eq(&expected)))
    };
    if signatures.split_whitespace().any(matches) { Ok(()) } else { Err("the webhook-signature does not match") }
}

/// `None` cannot happen with HMAC, which takes keys of any length, but its constructor says so only in prose.
fn signature(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(id.as_bytes());
    mac.update(b".");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_614_265_330;
    /// The example of the Standard Webhooks specification and its libraries' own tests.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn headers(signature: &str, timestamp: i64) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek".parse().unwrap());
        headers.insert("webhook-timestamp", timestamp.to_string().parse().unwrap());
        headers.insert("webhook-signature", signature.parse().unwrap());
        headers
    }

    #[test]
    fn the_published_vector_opens_the_door() {
        let door = Door::behind(Some(SECRET));
        assert_eq!(door.check(&headers(SIGNATURE, NOW), BODY, NOW), Ok(()));
        let rotating = format!("v1,AAAA v2,x {SIGNATURE}");
        assert_eq!(door.check(&headers(&rotating, NOW), BODY, NOW + TOLERANCE), Ok(()));
    }

    #[test]
    fn anything_else_does_not() {
        let door = Door::behind(Some(SECRET));
        let refused = |headers: &HeaderMap, body: &[u8], now| door.check(headers, body, now).unwrap_err();
        assert!(refused(&headers(SIGNATURE, NOW), b"{}", NOW).contains("does not match"));
        assert!(refused(&headers("v1,", NOW), BODY, NOW).contains("does not match"));
        assert!(refused(&headers(SIGNATURE, NOW), BODY, NOW + TOLERANCE + 1).contains("five minutes"));
        assert!(refused(&headers(SIGNATURE, NOW), BODY, NOW - TOLERANCE - 1).contains("five minutes"));
        assert!(refused(&headers(SIGNATURE, i64::MIN), BODY, NOW).contains("five minutes"));
        assert!(refused(&HeaderMap::new(), BODY, NOW).contains("missing"));
    }

    #[test]
    fn a_secret_that_cannot_be_read_shuts_the_door() {
        for secret in ["", "whsec_", "whsec_%%%", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert!(Door::behind(Some(secret)).check(&headers(SIGNATURE, NOW), BODY, NOW).is_err(), "{secret}");
        }
        assert_eq!(Door::behind(None).check(&HeaderMap::new(), BODY, NOW), Ok(()));
    }
}
