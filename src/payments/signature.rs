//! Who sent an event: Stripe's signature over the raw body (Stripe documentation, "Verify webhook signatures manually").

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::config::Secret;

/// How far the sender's clock, and the event's way, may be off.
pub const TOLERANCE: TimeDelta = TimeDelta::seconds(300);

/// Why an event is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disbelief {
    /// The header has no time, or no signature of the one scheme that is live.
    #[error("the Stripe-Signature header cannot be read")]
    Unreadable,
    /// No signature is right for any of our secrets.
    #[error("the signature is wrong")]
    Wrong,
    /// It was signed too long ago, or in the future: it may be a replay.
    #[error("the signature is too old or too new")]
    Stale,
}

/// Checks `header` (`t=…,v1=…`; several `v1` while Stripe rolls a secret) against the body and each of our secrets.
///
/// # Errors
/// [`Disbelief`].
pub fn verify(header: &str, payload: &[u8], secrets: &[Secret], now: DateTime<Utc>) -> Result<(), Disbelief> {
    let mut signed_at = None;
    let mut given = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", text)) => signed_at = Some(text),
            Some(("v1", hex)) => given.push(hex.as_bytes()),
            // Other schemes are not live, and believing them would be a way around this one.
            _ => {}
        }
    }
    let time = signed_at.filter(|_| !given.is_empty()).ok_or(Disbelief::Unreadable)?;
    let seconds: i64 = time.parse().map_err(|_| Disbelief::Unreadable)?;
    let right = secrets.iter().map(|secret| signature(&secret.0, time, payload)).fold(false, |right, ours| {
        given.iter().fold(right, |right, theirs| right | bool::from(ours.as_bytes().ct_eq(theirs)))
    });
    if !right {
        return Err(Disbelief::Wrong);
    }
    let at = DateTime::from_timestamp(seconds, 0).ok_or(Disbelief::Unreadable)?;
    if (now - at).abs() > TOLERANCE { Err(Disbelief::Stale) } else { Ok(()) }
}

/// HMAC-SHA256 of `time.payload`, in hexadecimal.
pub fn signature(secret: &str, time: &str, payload: &[u8]) -> String {
    let mut made = String::new();
    // HMAC takes keys of any length, so there is no error to handle; an empty signature is never right.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        mac.update(time.as_bytes());
        mac.update(b".");
        mac.update(payload);
        made = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_signed_now_with_a_secret_of_ours_is_believed() {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let secrets = [Secret("whsec_old".into()), Secret("whsec_new".into())];
        let check = |header: &str, payload: &[u8]| verify(header, payload, &secrets, now);
        let signed = |secret: &str, t: &str| format!("t={t},v1={},v0=00", signature(secret, t, b"{}"));
        let good = signed("whsec_new", "1700000000");
        assert_eq!(check(&good, b"{}"), Ok(()));
        assert_eq!(check(&signed("whsec_old", "1699999700"), b"{}"), Ok(()));
        assert_eq!(check(&format!("v1=beef,{good}"), b"{}"), Ok(()), "one of several is right");
        assert_eq!(check(&good, b"{ }"), Err(Disbelief::Wrong));
        assert_eq!(check(&signed("whsec_x", "1700000000"), b"{}"), Err(Disbelief::Wrong));
        assert_eq!(check(&good.replace("t=1700000000", "t=1700000001"), b"{}"), Err(Disbelief::Wrong));
        for stale in ["1699999699", "1700000301"] {
            assert_eq!(check(&signed("whsec_new", stale), b"{}"), Err(Disbelief::Stale));
        }
        for unreadable in ["", "t=1", "v1=ab", "nonsense", "t=x,v1=ab"] {
            assert_eq!(check(unreadable, b"{}"), Err(Disbelief::Unreadable), "{unreadable}");
        }
        assert_eq!(check(&good.replace("v1=", "v0="), b"{}"), Err(Disbelief::Unreadable), "no other scheme counts");
        assert_eq!(verify(&good, b"{}", &[], now), Err(Disbelief::Wrong));
    }
}
