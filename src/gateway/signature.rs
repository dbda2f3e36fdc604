//! Cards are signed, so that who keeps one can tell that it is ours (A2A 1.0, section 8.4): JWS (RFC 7515) with ES256 over the
//! card's canonical JSON (RFC 8785).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Db, Error};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use url::Url;

/// The keys of this installation. Cheap to clone; read from the database once.
#[derive(Clone, Default)]
pub struct Signer(Arc<OnceCell<Vec<Key>>>);

struct Key {
    id: String,
    pair: EcdsaKeyPair,
}

impl Signer {
    async fn keys(&self, db: &Db) -> domain::Result<&[Key]> {
        let keys = self.0.get_or_try_init(|| async {
            let random = SystemRandom::new();
            let broken =
                |e: ring::error::KeyRejected| Error::Internal(format!("a key for cards cannot be read: {e}").into());
            let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
                .map_err(|e| Error::Internal(format!("a key for cards cannot be made: {e}").into()))?;
            let id = uuid::Uuid::new_v4().to_string();
            let kept = domain::agents::card_keys(db, || (id, made.as_ref().to_vec())).await?;
            let read = |(id, pkcs8): (String, Vec<u8>)| {
                let pair =
                    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &random).map_err(broken)?;
                Ok(Key { id, pair })
            };
            kept.into_iter().map(read).collect::<domain::Result<Vec<Key>>>()
        });
        Ok(keys.await?)
    }

    /// The public keys, as a JWK set (RFC 7517).
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn jwks(&self, db: &Db) -> domain::Result<Value> {
        let keys = self.keys(db).await?.iter().map(|key| {
            // An uncompressed point: 4, then x and y.
            let point = key.pair.public_key().as_ref();
            let (x, y) = (&point[1..33], &point[33..65]);
            json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": key.id,
                    "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) })
        });
        Ok(json!({ "keys": keys.collect::<Vec<_>>() }))
    }

    /// A card without anything empty in it, and with our signature. `jwks`: where the keys are. (Members are sorted, and numbers
    /// and names such that serde_json writes what RFC 8785 asks.)
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sign(&self, db: &Db, card: &Value, jwks: &Url) -> domain::Result<Value> {
        let mut card = clean(card).unwrap_or_else(|| json!({}));
        let keys = self.keys(db).await?;
        let key = keys.first().ok_or_else(|| Error::Internal("there is no key for cards".into()))?;
        let header = json!({ "alg": "ES256", "typ": "JOSE", "kid": key.id, "jku": jwks.as_str() });
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        let payload = URL_SAFE_NO_PAD.encode(card.to_string());
        let signed = key.pair.sign(&SystemRandom::new(), format!("{header}.{payload}").as_bytes());
        let signed = signed.map_err(|e| Error::Internal(format!("a card cannot be signed: {e}").into()))?;
        card["signatures"] = json!([{ "protected": header, "signature": URL_SAFE_NO_PAD.encode(signed.as_ref()) }]);
        Ok(card)
    }
}

/// A card without anything that is empty, which protocol buffers leave out, and which readers may or may not.
fn clean(value: &Value) -> Option<Value> {
    match value {
        Value::Object(fields) => {
            // Sorted whatever order the map keeps.
            let sorted: std::collections::BTreeMap<&String, Value> =
                fields.iter().filter_map(|(name, v)| Some((name, clean(v)?))).collect();
            let sorted: serde_json::Map<String, Value> = sorted.into_iter().map(|(n, v)| (n.clone(), v)).collect();
            (!sorted.is_empty()).then_some(Value::Object(sorted))
        }
        Value::Array(items) => {
            let items: Vec<Value> = items.iter().filter_map(clean).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::String(text) if text.is_empty() => None,
        Value::Null => None,
        other => Some(other.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_empty_is_signed() {
        let card = json!({"b": [1, "", {}], "a": {"z": "ü\n", "y": null}, "c": {"d": []}, "e": ""});
        assert_eq!(clean(&card).unwrap().to_string(), r#"{"a":{"z":"ü\n"},"b":[1]}"#);
    }
}
