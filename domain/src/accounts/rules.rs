//! Pure rules of accounts.

use std::time::Duration;

use crate::FieldError;

/// The shortest password; there are no other rules (design section 7).
pub const PASSWORD_MIN: usize = 10;
/// Longer ones would let a caller buy hashing time by the megabyte.
pub const PASSWORD_MAX: usize = 1_000;

/// Lower-case, trimmed form of an address: one mailbox, one account.
pub fn normal_email(text: &str) -> String {
    text.trim().to_lowercase()
}

/// Whether `email` (already normal) can be an address. Only the receiving server knows more than this.
pub fn check_email(email: &str) -> Option<FieldError> {
    let wrong = |what| Some(FieldError::new("email", what));
    if email.len() > 254 {
        return wrong("is longer than 254 characters");
    }
    match email.split_once('@') {
        Some((local, domain))
            if !local.is_empty()
                && domain.len() >= 3
                && domain.contains('.')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
                && !domain.contains('@')
                && !email.chars().any(|c| c.is_whitespace() || c.is_control()) =>
        {
            None
        }
        _ => wrong("is not an e-mail address"),
    }
}

/// Whether `password` may protect an account.
pub fn check_password(field: &str, password: &str) -> Option<FieldError> {
    if password.chars().count() < PASSWORD_MIN {
        Some(FieldError::new(field, format!("needs at least {PASSWORD_MIN} characters")))
    } else if password.len() > PASSWORD_MAX {
        Some(FieldError::new(field, format!("is longer than {PASSWORD_MAX} bytes")))
    } else {
        None
    }
}

/// Whether `name` (already trimmed) can be shown as a person's name.
pub fn check_display_name(name: &str) -> Option<FieldError> {
    if name.is_empty() {
        Some(FieldError::new("name", "is missing"))
    } else if name.chars().count() > 100 {
        Some(FieldError::new("name", "is longer than 100 characters"))
    } else if name.chars().any(char::is_control) {
        Some(FieldError::new("name", "has characters that cannot be shown"))
    } else {
        None
    }
}

/// How long after the last failure the next try is refused: nothing for the first `free` failures, then 2, 4, 8 …
/// seconds, at most 15 minutes. An owner who mistypes is never locked out; a guesser gets a few tries an hour.
pub fn sign_in_delay(failures: i32, free: i32) -> Duration {
    if failures < free {
        return Duration::ZERO;
    }
    let doublings = u32::try_from(failures - free + 1).unwrap_or(1).min(10);
    Duration::from_secs(2_u64.pow(doublings).min(900))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in ["a@b.co", "first.last+tag@sub.example.org"] {
            assert_eq!(check_email(good), None, "{good}");
        }
        for bad in ["", "a", "a@b", "@b.co", "a@b@c.co", "a b@c.co", "a@.co", "a@co.", "a@b.co\n"] {
            assert!(check_email(bad).is_some(), "{bad}");
        }
        assert_eq!(normal_email("  A@B.Co "), "a@b.co");
    }

    #[test]
    fn passwords_have_a_length_and_no_other_rule() {
        assert!(check_password("password", "123456789").is_some());
        assert_eq!(check_password("password", "aaaaaaaaaa"), None);
        assert!(check_password("password", &"a".repeat(1_001)).is_some());
    }

    #[test]
    fn guessing_gets_slower_up_to_a_quarter_of_an_hour() {
        let seconds: Vec<u64> = (0..16).map(|n| sign_in_delay(n, 5).as_secs()).collect();
        assert_eq!(seconds, [0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    }
}
