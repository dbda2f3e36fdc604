//! Secrets that requests of ours are signed with, so that receivers can refuse callers that are not NEXUS.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The secrets that requests to one receiver are signed with now: one, or two during a rotation.
#[derive(Clone)]
pub struct SigningSecrets(pub Vec<String>);

impl std::fmt::Debug for SigningSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningSecrets({} redacted)", self.0.len())
    }
}

/// A fresh secret in the form of the Standard Webhooks specification: `whsec_` and 32 random bytes in base64.
pub(crate) fn new_secret() -> String {
    format!("whsec_{}", STANDARD.encode(rand::random::<[u8; 32]>()))
}
