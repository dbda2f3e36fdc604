//! Requests to agents and to webhook endpoints are signed as the Standard Webhooks specification says (section "Signature
//! scheme"), so that a receiver can refuse callers that are not NEXUS.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::SigningSecrets;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The three headers of a signed request; none where the receiver has no secret.
pub fn headers(secrets: &SigningSecrets, id: &str, timestamp: i64, body: &[u8]) -> Vec<(&'static str, String)> {
    let signatures: Vec<String> = secrets.0.iter().filter_map(|s| sign(s, id, timestamp, body)).collect();
    if signatures.is_empty() {
        return Vec::new();
    }
    vec![
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signatures.join(" ")),
    ]
}

/// `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, keyed with the bytes behind `whsec_`.
fn sign(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_comes_out() {
        // The example of the specification's reference libraries.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let body = br#"{"test": 2432232314}"#;
        let signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body).unwrap();
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn during_a_rotation_both_secrets_sign() {
        let secrets = SigningSecrets(vec!["whsec_AAAA".into(), "whsec_BBBB".into()]);
        let made = headers(&secrets, "m", 1, b"x");
        assert_eq!(made[2].1.split(' ').count(), 2);
        assert!(headers(&SigningSecrets(vec![]), "m", 1, b"x").is_empty());
    }
}
