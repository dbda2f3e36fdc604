//! Password hashes: argon2id, off the async threads, and few at a time.

use std::sync::{LazyLock, OnceLock};

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use tokio::sync::Semaphore;

use crate::{Error, Result};

/// A hash takes some 20 MiB and all of a core; a burst of sign-ins must not take the machine.
static HASHING: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2));

/// The PHC string of `password` under a fresh salt.
pub(super) async fn hash(password: String) -> Result<String> {
    blocking(move || {
        Argon2::default()
            .hash_password(password.as_bytes())
            .map(|hash| hash.to_string())
            .map_err(|e| Error::Internal(e.to_string().into()))
    })
    .await?
}

/// Whether `password` is the one behind `stored`. `None` (no such account) costs the same time and is false.
pub(super) async fn verify(password: String, stored: Option<String>) -> Result<bool> {
    blocking(move || {
        static NOBODY: OnceLock<String> = OnceLock::new();
        let known = stored.is_some();
        let text = match stored {
            Some(text) => text,
            None => NOBODY
                .get_or_init(|| {
                    Argon2::default().hash_password(b"nobody's password").map(|h| h.to_string()).unwrap_or_default()
                })
                .clone(),
        };
        let matches = PasswordHash::new(&text)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        known && matches
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let _permit = HASHING.acquire().await.map_err(|e| Error::Internal(e.into()))?;
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::Internal(e.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_is_argon2id_salted_and_verifies_only_its_password() {
        let one = hash("correct horse".into()).await.unwrap();
        let two = hash("correct horse".into()).await.unwrap();
        assert!(one.starts_with("$argon2id$"));
        assert_ne!(one, two);
        assert!(verify("correct horse".into(), Some(one.clone())).await.unwrap());
        assert!(!verify("correct hors".into(), Some(one)).await.unwrap());
        assert!(!verify("nobody's password".into(), None).await.unwrap());
    }
}
