//! Proof that an agent's address is its owner's: a token of ours, published at the address's origin (RFC 6454) in a file
//! or in the agent's card.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use url::Url;

use super::store;
use crate::agents::store as agents_store;
use crate::{Actor, AgentId, Db, Error, Missing, Result};

/// The extension of a card that carries the token, as `params.token`.
pub const OWNER: &str = "urn:nexus:a2a:owner:1";
/// Where the file is, at the root of the origin.
pub const FILE: &str = "/.well-known/nexus-agent.txt";
/// A proof is looked at again after this time.
const AGAIN: TimeDelta = TimeDelta::days(1);
/// The same where there was no definite answer, or the process that looked died.
const SOON: TimeDelta = TimeDelta::hours(1);
/// A check by hand is made at most this often.
const BY_HAND_EVERY: TimeDelta = TimeDelta::seconds(2);

/// What an owner sees of the proof of one of their agents.
#[derive(Clone, Debug)]
pub struct Proof {
    /// What to publish.
    pub token: String,
    /// The file's address; `None` where the endpoint is no URL.
    pub file_url: Option<Url>,
    /// When it was last looked for.
    pub checked_at: Option<DateTime<Utc>>,
    /// Why nothing was proven then.
    pub problem: Option<String>,
}

/// A proof that is to be looked for.
#[derive(Clone, Debug)]
pub struct ProofCheck {
    /// The agent.
    pub agent: AgentId,
    /// Its endpoint.
    pub endpoint: String,
    /// Where its card was fetched.
    pub card_url: Option<String>,
    /// What is looked for.
    pub token: String,
}

impl ProofCheck {
    /// The file's address.
    pub fn file_url(&self) -> Option<Url> {
        file_url(&self.endpoint)
    }

    /// The card's address, if it is at the endpoint's origin: a card elsewhere proves nothing of the endpoint.
    pub fn card_url(&self) -> Option<Url> {
        let (card, endpoint) = (Url::parse(self.card_url.as_deref()?).ok()?, Url::parse(&self.endpoint).ok()?);
        (card.origin() == endpoint.origin()).then_some(card)
    }
}

/// What was seen where the token should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The token.
    Token,
    /// Definitely no token: why, for the owner.
    Nothing(String),
    /// No definite answer, such as an error of the server or of the network: why, for the owner.
    Unknown(String),
}

/// What an answer to the file's address shows: the token must be a line of it.
pub fn in_file(status: u16, body: &[u8], token: &str) -> Seen {
    let found = || body.split(|b| *b == b'\n').any(|line| line.trim_ascii() == token.as_bytes());
    seen("the file", status, found)
}

/// What an answer to the card's address shows.
pub fn in_card(status: u16, body: &[u8], token: &str) -> Seen {
    seen("the card", status, || {
        let card: Option<Value> = serde_json::from_slice(body).ok();
        let all = card.as_ref().and_then(|c| c.get("capabilities")?.get("extensions")?.as_array());
        let own = all.and_then(|all| all.iter().find(|e| e.get("uri").and_then(Value::as_str) == Some(OWNER)));
        own.and_then(|e| e.get("params")?.get("token")?.as_str()) == Some(token)
    })
}

fn seen(what: &str, status: u16, found: impl FnOnce() -> bool) -> Seen {
    match status {
        200..300 if found() => Seen::Token,
        200..300 => Seen::Nothing(format!("{what} does not hold the token")),
        404 | 410 => Seen::Nothing(format!("{what} is not there (HTTP status {status})")),
        _ => Seen::Unknown(format!("{what} answered with HTTP status {status}")),
    }
}

/// Both ways together. Either proves it; it is definitely not proven only where both are.
pub fn conclude(file: Seen, card: Option<Seen>) -> Seen {
    let Some(card) = card else { return file };
    match (file, card) {
        (Seen::Token, _) | (_, Seen::Token) => Seen::Token,
        (Seen::Nothing(a), Seen::Nothing(b)) => Seen::Nothing(format!("{a}; {b}")),
        (Seen::Nothing(a) | Seen::Unknown(a), Seen::Nothing(b) | Seen::Unknown(b)) => {
            Seen::Unknown(format!("{a}; {b}"))
        }
    }
}

/// The proof of one of the actor's agents. The token is made when it is first looked at, and stays.
///
/// # Errors
/// [`Error::NotFound`] when the agent is not theirs or is retired.
pub async fn show(db: &Db, actor: &Actor, id: AgentId) -> Result<Proof> {
    let (check, checked_at, problem) = of_owner(db, actor, id).await?;
    Ok(Proof { file_url: check.file_url(), token: check.token, checked_at, problem })
}

/// One of the actor's agents, whose proof is to be looked for now.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs or is retired; [`Error::RateLimited`] when it was looked for just now.
pub async fn check_now(db: &Db, actor: &Actor, id: AgentId, now: DateTime<Utc>) -> Result<ProofCheck> {
    let (check, checked_at, _) = of_owner(db, actor, id).await?;
    match checked_at.map(|at| at + BY_HAND_EVERY - now).filter(|wait| *wait > TimeDelta::zero()) {
        Some(wait) => Err(Error::RateLimited(wait.to_std().unwrap_or_default())),
        None => Ok(check),
    }
}

/// Claims up to `limit` proofs that are to be looked at again, each for one process.
///
/// # Errors
/// When the database does not answer.
pub async fn due(db: &Db, limit: i64, now: DateTime<Utc>) -> Result<Vec<ProofCheck>> {
    store::claim_proofs(db.pool(), limit, now, now + SOON).await
}

/// Notes what was seen. The token verifies the owner; a definite absence takes that back; anything else changes nothing.
/// Answers with whether the owner is verified; not where the endpoint is another by now.
///
/// # Errors
/// When the database does not answer.
pub async fn record(db: &Db, check: &ProofCheck, seen: &Seen, now: DateTime<Utc>) -> Result<bool> {
    let mut tx = db.begin(&Actor::System).await?;
    let Some(before) = agents_store::lock_verified(&mut tx, check.agent, &check.endpoint).await? else {
        return Ok(false);
    };
    let (verified_at, next, problem) = match seen {
        Seen::Token => (Some(now), Some(now + AGAIN), None),
        Seen::Nothing(why) => (None, None, Some(why)),
        Seen::Unknown(why) => (before, before.map(|_| now + SOON), Some(why)),
    };
    agents_store::set_verified(&mut tx, check.agent, verified_at).await?;
    store::note_proof(&mut tx, check.agent, next, problem.map(String::as_str), now).await?;
    tx.commit().await?;
    Ok(verified_at.is_some())
}

/// The token of a demo agent, with its proof to be looked for at once: the program publishes it at the agent's origin.
///
/// # Errors
/// [`Error::Forbidden`] for anybody but the program itself; [`Error::NotFound`].
pub async fn of_demo_agent(db: &Db, actor: &Actor, id: AgentId, now: DateTime<Utc>) -> Result<String> {
    if *actor != Actor::System {
        return Err(Error::Forbidden("only the program itself seeds the demo".into()));
    }
    let token = store::proof_token(db.pool(), id, &new_token()).await?;
    store::plan_proof(db.pool(), id, now).await?;
    Ok(token)
}

async fn of_owner(db: &Db, actor: &Actor, id: AgentId) -> Result<(ProofCheck, Option<DateTime<Utc>>, Option<String>)> {
    let owner = actor.user()?;
    let (probe, _) = agents_store::probe_of(db.pool(), owner, id).await?.ok_or(Error::NotFound(Missing::Agent))?;
    let token = store::proof_token(db.pool(), id, &new_token()).await?;
    let (checked_at, problem) = store::last_proof(db.pool(), id).await?;
    let check = ProofCheck { agent: id, endpoint: probe.endpoint, card_url: probe.card_url, token };
    Ok((check, checked_at, problem))
}

fn file_url(endpoint: &str) -> Option<Url> {
    let mut url = Url::parse(endpoint).ok().filter(Url::has_host)?;
    url.set_path(FILE);
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}

fn new_token() -> String {
    format!("nexus-agent-{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 24]>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_token_is_a_line_of_the_file() {
        for body in ["t-1", "# ours\r\nother\r\n t-1 \r\n", "\nt-1\n"] {
            assert_eq!(in_file(200, body.as_bytes(), "t-1"), Seen::Token, "{body:?}");
        }
        for body in ["", "t-12", "x t-1", "<html>t-1</html>"] {
            assert!(matches!(in_file(200, body.as_bytes(), "t-1"), Seen::Nothing(_)), "{body:?}");
        }
        for (status, definite) in [(404, true), (410, true), (403, false), (301, false), (500, false), (503, false)] {
            assert_eq!(matches!(in_file(status, b"t-1", "t-1"), Seen::Nothing(_)), definite, "{status}");
        }
    }

    #[test]
    fn the_token_is_in_its_own_extension_of_the_card() {
        let card = |uri: &str, token: &str| {
            json!({"capabilities": {"extensions": [{"uri": "urn:x"}, {"uri": uri, "params": {"token": token}}]}})
                .to_string()
        };
        assert_eq!(in_card(200, card(OWNER, "t-1").as_bytes(), "t-1"), Seen::Token);
        for body in [card(OWNER, "t-2"), card("urn:other", "t-1"), "{}".into(), "t-1".into()] {
            assert!(matches!(in_card(200, body.as_bytes(), "t-1"), Seen::Nothing(_)), "{body}");
        }
    }

    #[test]
    fn only_two_definite_absences_are_one() {
        let (no, maybe) = (|| Seen::Nothing("a".into()), || Seen::Unknown("b".into()));
        assert_eq!(conclude(no(), None), no());
        assert_eq!(conclude(no(), Some(Seen::Token)), Seen::Token);
        assert_eq!(conclude(Seen::Token, Some(maybe())), Seen::Token);
        assert!(matches!(conclude(no(), Some(no())), Seen::Nothing(_)));
        assert!(matches!(conclude(no(), Some(maybe())), Seen::Unknown(_)));
        assert!(matches!(conclude(maybe(), Some(no())), Seen::Unknown(_)));
    }

    #[test]
    fn only_the_endpoints_origin_proves_anything() {
        let check = |endpoint: &str, card: &str| ProofCheck {
            agent: AgentId(uuid::Uuid::nil()),
            endpoint: endpoint.into(),
            card_url: Some(card.into()),
            token: String::new(),
        };
        let own = check("https://a.example:8443/x/rpc?k=1#f", "https://a.example:8443/card.json");
        assert_eq!(own.file_url().unwrap().as_str(), "https://a.example:8443/.well-known/nexus-agent.txt");
        assert_eq!(own.card_url().unwrap().as_str(), "https://a.example:8443/card.json");
        for card in ["https://b.example/card.json", "http://a.example:8443/card.json", "https://a.example/card.json"] {
            assert_eq!(check("https://a.example:8443/rpc", card).card_url(), None, "{card}");
        }
    }
}
