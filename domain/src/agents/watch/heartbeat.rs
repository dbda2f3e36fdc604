//! Heartbeats: an agent says by itself that it is there. Its signing secret says that it is the agent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::liveness::LATE_AFTER;
use super::{observe, store};
use crate::agents::{AgentStatus, signing_secrets, store as agents_store};
use crate::{Actor, AgentId, Db, Error, Missing, Result};

/// How far the sender's clock may be off (Standard Webhooks, "Verifying webhooks": a tolerance of minutes).
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// The headers of Standard Webhooks.
#[derive(Clone, Copy, Debug)]
pub struct BeatHeaders<'a> {
    /// `webhook-id`.
    pub id: &'a str,
    /// `webhook-timestamp`, seconds since 1970.
    pub timestamp: &'a str,
    /// `webhook-signature`: signatures with spaces between them.
    pub signature: &'a str,
}

/// A heartbeat whose sender is known.
#[derive(Clone, Copy, Debug)]
pub struct Beat {
    agent: AgentId,
    /// When it was signed; `None` for one that the owner's program sent.
    stamp: Option<DateTime<Utc>>,
}

/// What a heartbeat did.
#[derive(Clone, Copy, Debug)]
pub struct Beaten {
    /// The agent's status now.
    pub status: AgentStatus,
    /// When the next one is late.
    pub next_before: DateTime<Utc>,
}

/// Whether `agent` itself signed this: one of its secrets (two during a rotation) over `id.timestamp.body`, at most five
/// minutes ago or ahead.
///
/// # Errors
/// [`Error::Unauthorized`] for everything else, an unknown agent included.
pub async fn authenticate_beat(
    db: &Db,
    agent: AgentId,
    headers: BeatHeaders<'_>,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<Beat> {
    let stamp =
        headers.timestamp.parse().ok().and_then(|s| DateTime::from_timestamp(s, 0)).ok_or(Error::Unauthorized)?;
    if (now - stamp).abs() > CLOCK_TOLERANCE {
        return Err(Error::Unauthorized);
    }
    let secrets = signing_secrets(db, agent).await?;
    if secrets.0.iter().any(|secret| is_signed(secret, headers, body)) {
        Ok(Beat { agent, stamp: Some(stamp) })
    } else {
        Err(Error::Unauthorized)
    }
}

/// A heartbeat that the owner's own program sends for one of their agents. It was sent over TLS by somebody known, so that there
/// is no replay to refuse.
///
/// # Errors
/// [`Error::NotFound`] when the agent is not theirs or is retired.
pub async fn beat_of_owner(db: &Db, actor: &Actor, agent: AgentId) -> Result<Beat> {
    let owner = actor.user()?;
    let found = agents_store::probe_of(db.pool(), owner, agent).await?;
    found.map(|_| Beat { agent, stamp: None }).ok_or(Error::NotFound(Missing::Agent))
}

/// Takes a heartbeat that says `said`. It brings a failing agent's next probe forward: a beat alone does not show that the
/// address can be reached.
///
/// # Errors
/// [`Error::Conflict`] when it is not newer than the last one, as a replay is; [`Error::NotFound`] for a retired agent.
pub async fn beat(db: &Db, beat: Beat, said: AgentStatus, now: DateTime<Utc>) -> Result<Beaten> {
    let mut tx = db.begin(&Actor::System).await?;
    let mut facts = store::lock(&mut tx, beat.agent, now).await?.ok_or(Error::NotFound(Missing::Agent))?;
    if beat.stamp.is_some_and(|stamp| facts.beat_stamp.is_some_and(|last| stamp <= last)) {
        return Err(Error::Conflict("a heartbeat with this or a later webhook-timestamp was taken already".into()));
    }
    facts.beat_at = Some(now);
    facts.said = Some(said);
    agents_store::set_heartbeat(&mut tx, beat.agent, now).await?;
    store::note_beat(&mut tx, beat.agent, said, beat.stamp, now).await?;
    let status = observe::observe(&mut tx, &facts, now).await?;
    tx.commit().await?;
    Ok(Beaten { status, next_before: now + LATE_AFTER })
}

/// Standard Webhooks, "Signature scheme": `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, keyed with the
/// bytes behind `whsec_`. Compared in constant time; one match among several is enough.
fn is_signed(secret: &str, headers: BeatHeaders<'_>, body: &[u8]) -> bool {
    let Some(key) = secret.strip_prefix("whsec_").and_then(|s| STANDARD.decode(s).ok()) else { return false };
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(&key) else { return false };
    let mac = mac.chain_update(headers.id).chain_update(".").chain_update(headers.timestamp).chain_update(".");
    let mac = mac.chain_update(body);
    let given = headers.signature.split(' ').filter_map(|s| STANDARD.decode(s.strip_prefix("v1,")?).ok());
    given.into_iter().any(|signature| mac.clone().verify_slice(&signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_accepted_and_nothing_near_it() {
        // The example of the specification's reference libraries.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let body = br#"{"test": 2432232314}"#;
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let headers = BeatHeaders { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: "1614265330", signature };
        assert!(is_signed(secret, headers, body));
        let two = format!("v1,AAAA v2,x {signature}");
        assert!(is_signed(secret, BeatHeaders { signature: &two, ..headers }, body));
        assert!(!is_signed("whsec_AAAA", headers, body));
        assert!(!is_signed("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", headers, body));
        assert!(!is_signed(secret, headers, b"{}"));
        assert!(!is_signed(secret, BeatHeaders { id: "other", ..headers }, body));
        assert!(!is_signed(secret, BeatHeaders { timestamp: "1614265331", ..headers }, body));
        for bad in [
            "",
            "v1,",
            "v1",
            "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ] {
            assert!(!is_signed(secret, BeatHeaders { signature: bad, ..headers }, body), "{bad}");
        }
    }
}
