//! Requests that happen once. The answer is written in the transaction of what the request did, so that there is never one
//! without the other; a request that failed did nothing, and may be sent again.

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::store;
use crate::{Actor, Db, Error, Result, UserId};

/// How long an answer is kept.
pub const KEPT: TimeDelta = TimeDelta::hours(24);

/// What a program names a request by, so that sending it twice does it once. Its `Debug` says nothing: it opens the answer.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Reads a header.
    ///
    /// # Errors
    /// [`Error::Validation`] for what is empty, longer than 255 characters or not printable ASCII.
    pub fn parse(text: &str) -> Result<IdempotencyKey> {
        if (1..=255).contains(&text.len()) && text.bytes().all(|b| (0x21..=0x7e).contains(&b)) {
            Ok(IdempotencyKey(text.to_owned()))
        } else {
            Err(Error::field("Idempotency-Key", "must be 1 to 255 printable ASCII characters without spaces"))
        }
    }

    fn digest(&self, purpose: &str) -> [u8; 32] {
        Sha256::new().chain_update(purpose).chain_update([0]).chain_update(&self.0).finalize().into()
    }

    /// What the row is found by.
    fn hash(&self) -> [u8; 32] {
        self.digest("nexus idempotency row")
    }

    /// Who has the row alone cannot read it.
    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&Key::from(self.digest("nexus idempotency answer")))
    }

    fn seal(&self, user: UserId, answer: &[u8]) -> Result<Vec<u8>> {
        let nonce = rand::random::<[u8; 12]>();
        let payload = chacha20poly1305::aead::Payload { msg: answer, aad: user.0.as_bytes() };
        let sealed = self.cipher().encrypt(&Nonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| Error::Internal("an answer could not be sealed".into()))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn open(&self, user: UserId, sealed: &[u8]) -> Result<Vec<u8>> {
        let broken = || Error::Internal("a kept answer could not be opened".into());
        let (nonce, sealed) = sealed.split_first_chunk::<12>().ok_or_else(broken)?;
        let payload = chacha20poly1305::aead::Payload { msg: sealed, aad: user.0.as_bytes() };
        self.cipher().decrypt(&Nonce::from(*nonce), payload).map_err(|_| broken())
    }
}

impl std::fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdempotencyKey(redacted)")
    }
}

/// What is known of a request.
#[derive(Debug)]
pub enum Claim {
    /// Nothing: do it, and [`keep`] the answer, in this transaction.
    Fresh,
    /// It was done, and answered so.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: Vec<u8>,
    },
}

/// Claims a request in the (joint) transaction of `db`; until that ends nobody else gets it.
///
/// # Errors
/// [`Error::RequestInFlight`] while another transaction has it; [`Error::IdempotencyConflict`] when the key was used for
/// another request; [`Error::Unauthorized`].
pub async fn claim(
    db: &Db,
    actor: &Actor,
    key: &IdempotencyKey,
    fingerprint: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Claim> {
    let user = actor.user()?;
    let mut tx = db.begin(&Actor::System).await?;
    let hash = key.hash();
    if !store::try_lock(&mut tx, user, &hash).await? {
        return Err(Error::RequestInFlight);
    }
    let Some(kept) = store::kept(&mut tx, user, &hash, now - KEPT).await? else { return Ok(Claim::Fresh) };
    if kept.fingerprint != fingerprint {
        return Err(Error::IdempotencyConflict);
    }
    let status = u16::try_from(kept.status).unwrap_or(500);
    Ok(Claim::Answered { status, body: key.open(user, &kept.sealed)? })
}

/// Keeps the answer to a claimed request, in the same transaction.
///
/// # Errors
/// When the database does not answer.
pub async fn keep(
    db: &Db,
    actor: &Actor,
    key: &IdempotencyKey,
    fingerprint: &[u8; 32],
    status: u16,
    body: &[u8],
) -> Result<()> {
    let user = actor.user()?;
    let sealed = key.seal(user, body)?;
    let mut tx = db.begin(&Actor::System).await?;
    let status = i16::try_from(status).unwrap_or(500);
    store::keep(&mut tx, user, &key.hash(), fingerprint, status, &sealed).await?;
    tx.commit().await?;
    Ok(())
}

/// Forgets answers older than [`KEPT`]; answers with how many.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_old(db: &Db, now: DateTime<Utc>) -> Result<u64> {
    store::forget_kept(db.pool(), now - KEPT).await
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_answer_is_read_with_its_key_and_its_account_alone() {
        let (key, other) = (IdempotencyKey::parse("a").unwrap(), IdempotencyKey::parse("b").unwrap());
        let (mine, theirs) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let sealed = key.seal(mine, b"nxk_secret").unwrap();
        assert!(!sealed.windows(6).any(|w| w == b"secret"));
        assert_eq!(key.open(mine, &sealed).unwrap(), b"nxk_secret");
        assert!(other.open(mine, &sealed).is_err());
        assert!(key.open(theirs, &sealed).is_err());
        assert_ne!(key.seal(mine, b"x").unwrap(), key.seal(mine, b"x").unwrap());
        assert!(!format!("{key:?}").contains('a') || format!("{key:?}") == "IdempotencyKey(redacted)");
    }

    #[test]
    fn what_cannot_be_a_key_is_refused() {
        for bad in ["", " ", "a b", "ä", "x\n", &"x".repeat(256)] {
            assert!(matches!(IdempotencyKey::parse(bad), Err(Error::Validation(_))), "{bad:?}");
        }
        assert!(IdempotencyKey::parse(&"x".repeat(255)).is_ok());
    }
}
