//! Codes and refresh tokens become access tokens (RFC 6749, sections 4.1.3 and 6).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::client::Client;
use super::failure::{Failure, Refusal, Why};
use super::{ACCESS_LIFE, CONNECTIONS_MAX, REFRESH_GRACE, resource, store};
use crate::api_keys::store as keys;
use crate::api_keys::{Scopes, Token, token};
use crate::{Actor, Db, Error, KeyId, Tx, UserId};

/// What a client sends to get its first tokens.
#[derive(Clone, Debug, Default)]
pub struct CodeRequest {
    /// The code.
    pub code: String,
    /// What it sent when it asked.
    pub redirect_uri: Option<String>,
    /// PKCE.
    pub verifier: String,
    /// The part of the site that the access token is to be good at; left out, all that was asked for.
    pub resource: Option<String>,
}

/// What a client sends to get new tokens.
#[derive(Clone, Debug, Default)]
pub struct RefreshRequest {
    /// The refresh token.
    pub token: String,
    /// The scopes that it wants, separated by spaces: none beside those it has. It gets those it has.
    pub scope: Option<String>,
    /// As with a code.
    pub resource: Option<String>,
}

/// Tokens, seen this once. Its `Debug` says nothing.
#[derive(Clone)]
pub struct Issued {
    /// What the client sends with each request.
    pub access_token: String,
    /// How long that works, in seconds.
    pub expires_in: i64,
    /// What it gets new ones with.
    pub refresh_token: String,
    /// What it may do.
    pub scopes: Scopes,
    /// The connection.
    pub key: KeyId,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Turns a code into a connection and its first tokens. A code that comes a second time has been stolen, or was: the connection
/// is cut off (OAuth 2.1, section 4.1.3).
///
/// # Errors
/// [`Why::InvalidGrant`], [`Why::InvalidTarget`]; a fault when the database does not answer.
pub async fn redeem(
    db: &Db,
    site: &str,
    client: &Client,
    request: &CodeRequest,
    now: DateTime<Utc>,
) -> Result<Issued, Failure> {
    let no_good = || Refusal::new(Why::InvalidGrant, "the code is unknown, has expired, or is another client's");
    let hash = token::hash_of(&request.code);
    let mut tx = db.begin(&Actor::System).await?;
    let code = store::lock_code(&mut tx, &hash).await?.ok_or_else(no_good)?;
    if code.client != client.id {
        return Err(no_good().into());
    }
    if let Some(key) = code.key {
        return Err(cut_off(tx, code.user, key, "the code was used before: the connection is cut off", now).await);
    }
    if code.expires_at <= now {
        return Err(no_good().into());
    }
    if code.redirect_uri != request.redirect_uri {
        return Err(Failure::refused(Why::InvalidGrant, "redirect_uri is not the one that was asked with"));
    }
    if !is_verifier_of(&request.verifier, &code.challenge) {
        return Err(Failure::refused(Why::InvalidGrant, "code_verifier does not belong to the code_challenge"));
    }
    let audience = narrowed(site, &code.resource, request.resource.as_deref())?;
    if store::count(&mut tx, code.user, now).await? >= CONNECTIONS_MAX {
        return Err(Failure::refused(Why::InvalidGrant, "the account has too many connections"));
    }
    let key = code.choice.key(&client.name);
    // A key has a secret; nobody has seen this one.
    let id = keys::insert(&mut tx, code.user, &key, &Token::of_connection()).await?;
    store::insert_connection(&mut tx, id, client.id, &code.resource).await?;
    store::mark_code_used(&mut tx, &hash, id).await?;
    let granted = Granted { key: id, scopes: key.scopes, ends_at: key.expires_at };
    let issued = issue(&mut tx, granted, &audience, None, now).await?;
    tx.commit().await?;
    Ok(issued)
}

/// Turns a refresh token into new tokens; it is used up. One that comes again has been stolen, or its follower was: the
/// connection is cut off. But within [`REFRESH_GRACE`], while its follower is unused, its client lost the answer: it gets
/// another, and the follower counts as used up.
///
/// # Errors
/// [`Why::InvalidGrant`], [`Why::InvalidScope`], [`Why::InvalidTarget`]; a fault when the database does not answer.
pub async fn refresh(
    db: &Db,
    site: &str,
    client: &Client,
    request: &RefreshRequest,
    now: DateTime<Utc>,
) -> Result<Issued, Failure> {
    let no_good = |what: &str| Failure::refused(Why::InvalidGrant, what);
    let hash = token::hash_of(&request.token);
    let mut tx = db.begin(&Actor::System).await?;
    let found = store::lock_refresh(&mut tx, &hash).await?;
    let found = found.filter(|f| f.client == client.id).ok_or_else(|| no_good("the refresh token is unknown"))?;
    if found.revoked_at.is_some() {
        return Err(no_good("the connection was cut off"));
    }
    if found.ends_at.is_some_and(|at| at <= now) {
        return Err(no_good("the connection has ended"));
    }
    let scopes = Scopes::stored(&found.scopes);
    check_scopes(&scopes, request.scope.as_deref())?;
    let audience = narrowed(site, &found.resource, request.resource.as_deref())?;
    let lost = match found.used_at {
        None => found.superseded_at.is_none(),
        Some(at) => at + REFRESH_GRACE > now && store::supersede_followers(&mut tx, &hash, now).await?,
    };
    if !lost {
        let what = "the refresh token was used before: the connection is cut off";
        return Err(cut_off(tx, found.user, found.key, what, now).await);
    }
    store::mark_refresh_used(&mut tx, &hash, now).await?;
    let granted = Granted { key: found.key, scopes, ends_at: found.ends_at };
    let issued = issue(&mut tx, granted, &audience, Some(&hash), now).await?;
    tx.commit().await?;
    Ok(issued)
}

/// Revokes the connection, for good, and says why.
async fn cut_off(mut tx: Tx, user: UserId, key: KeyId, what: &str, now: DateTime<Utc>) -> Failure {
    let done = async {
        keys::revoke(&mut tx, user, key, now).await?;
        tx.commit().await.map_err(Error::from)
    };
    match done.await {
        Ok(()) => {
            tracing::warn!(%key, "{what}");
            Failure::refused(Why::InvalidGrant, what)
        }
        Err(error) => error.into(),
    }
}

struct Granted {
    key: KeyId,
    scopes: Scopes,
    ends_at: Option<DateTime<Utc>>,
}

async fn issue(
    tx: &mut Tx,
    granted: Granted,
    audience: &str,
    follows: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Issued, Failure> {
    let (access, refresh) = (token::secret("nxa_"), token::secret("nxr_"));
    let expires_at = granted.ends_at.map_or(now + ACCESS_LIFE, |ends| ends.min(now + ACCESS_LIFE));
    store::insert_access(tx, &token::hash_of(&access), granted.key, audience, expires_at).await?;
    store::insert_refresh(tx, &token::hash_of(&refresh), granted.key, follows).await?;
    Ok(Issued {
        access_token: access,
        expires_in: (expires_at - now).num_seconds(),
        refresh_token: refresh,
        scopes: granted.scopes,
        key: granted.key,
    })
}

/// RFC 7636, sections 4.1 and 4.6.
fn is_verifier_of(verifier: &str, challenge: &str) -> bool {
    let fit = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(fit)
        && URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == challenge
}

/// The part that an access token is good at: all that was granted, or less of it.
fn narrowed(site: &str, granted: &str, wanted: Option<&str>) -> Result<String, Refusal> {
    let Some(wanted) = wanted else { return Ok(granted.to_owned()) };
    let path = resource::path_of(site, wanted).filter(|path| resource::covers(granted, path));
    path.ok_or_else(|| Refusal::new(Why::InvalidTarget, "resource is not one that was approved"))
}

fn check_scopes(granted: &Scopes, wanted: Option<&str>) -> Result<(), Refusal> {
    let beside = |word: &&str| {
        let known = crate::api_keys::Scope::parse(word);
        *word != "offline_access" && !known.is_some_and(|scope| granted.allow(scope))
    };
    match wanted.unwrap_or_default().split(' ').filter(|w| !w.is_empty()).find(beside) {
        None => Ok(()),
        Some(word) => {
            let shown: String = word.chars().take(100).collect();
            Err(Refusal::new(Why::InvalidScope, format!("{shown} was not approved")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_verifier_of;

    #[test]
    fn a_verifier_is_told_by_its_challenge() {
        // RFC 7636, appendix B.
        let (verifier, challenge) =
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(is_verifier_of(verifier, challenge));
        assert!(!is_verifier_of(challenge, challenge), "plain");
        assert!(!is_verifier_of(&verifier.replacen('d', "e", 1), challenge));
        assert!(!is_verifier_of("", challenge));
    }
}
