//! A key's secret.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Letters before `_` of the two kinds: keys, and access tokens of [`super::connections`].
const KINDS: [&str; 2] = ["nxk_", "nxa_"];

/// A fresh secret: `prefix` and 32 random bytes.
pub(super) fn secret(prefix: &str) -> String {
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
}

/// What the database keeps: SHA-256 in hexadecimal. A secret is 256 random bits, so a slow hash would add nothing.
pub(super) fn hash_of(secret: &str) -> String {
    Sha256::digest(secret.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}

/// What a program sends: `nxk_` (a key) or `nxa_` (a connection's access token) and 32 random bytes. Its `Debug` says nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// How long one is, in characters.
    const LENGTH: usize = 4 + 43;

    /// A fresh one.
    pub(super) fn fresh() -> Token {
        Token(secret("nxk_"))
    }

    /// The secret of a key that has none: nobody sees it.
    pub(super) fn of_connection() -> Token {
        Token(secret("nxa_"))
    }

    /// Whether it points to a connection.
    pub(super) fn is_access_token(&self) -> bool {
        self.0.starts_with("nxa_")
    }

    /// Reads what a program sent; `None` for what cannot be a key.
    pub fn parse(text: &str) -> Option<Token> {
        let rest = KINDS.iter().find_map(|kind| text.strip_prefix(kind))?;
        let shaped =
            text.len() == Self::LENGTH && rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        shaped.then(|| Token(text.to_owned()))
    }

    /// The secret itself, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What its owner recognises it by; a connection's is no one's to recognise.
    pub(super) fn prefix(&self) -> &str {
        if self.is_access_token() { "nxa_" } else { &self.0[..12] }
    }

    /// What the database keeps.
    pub(super) fn hash(&self) -> String {
        hash_of(&self.0)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_its_form_and_says_nothing_in_logs() {
        let token = Token::fresh();
        assert_eq!(Token::parse(token.reveal()), Some(token.clone()));
        assert_eq!((token.prefix().len(), token.hash().len()), (12, 64));
        assert!(!format!("{token:?}").contains("nxk_"));
        assert_ne!(Token::fresh(), token);
        for bad in ["", "nxk_", "sk_live_x", &token.reveal()[..46], &format!("{}x", token.reveal())] {
            assert_eq!(Token::parse(bad), None, "{bad}");
        }
        assert_eq!(Token::parse(&token.reveal().replacen("nxk_", "nxk ", 1)), None);
        let access = Token::of_connection();
        assert_eq!(Token::parse(access.reveal()), Some(access.clone()));
        assert!(access.is_access_token() && !token.is_access_token());
        assert_eq!(access.prefix(), "nxa_");
    }
}
