//! Programs that can be connected: registering one, and knowing it again.

use chrono::{DateTime, Utc};
use subtle::ConstantTimeEq;

use super::failure::{Failure, Why};
use super::{redirect, store};
use crate::api_keys::token;
use crate::{ClientId, Db};

/// Most redirect URIs of a client.
const REDIRECTS_MAX: usize = 10;
/// Longest name that is kept, in characters.
const NAME_MAX: usize = 100;

/// How a client says who it is at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// By its id: it can keep no secret.
    None,
    /// With a secret, by HTTP Basic.
    Basic,
    /// With a secret, in the body.
    Post,
}

impl AuthMethod {
    /// The word on the wire (RFC 7591, section 2).
    pub fn as_str(self) -> &'static str {
        match self {
            AuthMethod::None => "none",
            AuthMethod::Basic => "client_secret_basic",
            AuthMethod::Post => "client_secret_post",
        }
    }

    /// All of them.
    pub const ALL: [AuthMethod; 3] = [AuthMethod::None, AuthMethod::Basic, AuthMethod::Post];
}

/// A client as it registers itself.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// What it calls itself.
    pub name: Option<String>,
    /// Where it may be answered.
    pub redirect_uris: Vec<String>,
    /// How it will say who it is.
    pub auth: AuthMethod,
}

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// What it calls itself: nobody has checked it.
    pub name: String,
    /// Where it may be answered.
    pub redirect_uris: Vec<String>,
    pub(super) secret_hash: Option<String>,
}

/// A new client, and the one sight of its secret.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The client.
    pub client: Client,
    /// Its secret, where it has one.
    pub secret: Option<String>,
    /// When it was registered.
    pub at: DateTime<Utc>,
}

/// Registers a client (RFC 7591). Its name is shortened and rid of what cannot be seen; without one it is called after the
/// place it is answered at.
///
/// # Errors
/// [`Why::InvalidRedirectUri`]; a fault when the database does not answer.
pub async fn register(db: &Db, new: NewClient, now: DateTime<Utc>) -> Result<Registered, Failure> {
    if !(1..=REDIRECTS_MAX).contains(&new.redirect_uris.len()) {
        return Err(Failure::refused(Why::InvalidRedirectUri, "redirect_uris must be 1 to 10 URIs"));
    }
    for uri in &new.redirect_uris {
        redirect::check(uri).map_err(|what| {
            let shown: String = uri.chars().take(200).collect();
            Failure::refused(Why::InvalidRedirectUri, format!("{shown} {what}"))
        })?;
    }
    let name = visible(new.name.as_deref().unwrap_or_default());
    let place = redirect::place(&new.redirect_uris[0]);
    let name = if name.is_empty() { place.chars().take(NAME_MAX).collect() } else { name };
    let secret = (new.auth != AuthMethod::None).then(|| token::secret("nxs_"));
    let secret_hash = secret.as_deref().map(token::hash_of);
    let id = store::insert_client(db.pool(), &name, &new.redirect_uris, secret_hash.as_deref(), now).await?;
    let client = Client { id, name, redirect_uris: new.redirect_uris, secret_hash };
    Ok(Registered { client, secret, at: now })
}

/// A name without control characters and the signs that hide or turn round what stands beside them.
fn visible(name: &str) -> String {
    let hides = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let kept: String =
        name.chars().map(|c| if c == '\n' || c == '\t' { ' ' } else { c }).filter(|c| !hides(*c)).collect();
    kept.trim().chars().take(NAME_MAX).collect::<String>().trim_end().to_owned()
}

/// The client that sends this id, and this secret where it has one.
///
/// # Errors
/// [`Why::InvalidClient`]; a fault when the database does not answer.
pub async fn authenticate(db: &Db, id: &str, secret: Option<&str>) -> Result<Client, Failure> {
    let unknown = || Failure::refused(Why::InvalidClient, "this client is not registered here");
    let id = id.parse::<ClientId>().map_err(|_| unknown())?;
    let client = store::client(db.pool(), id).await?.ok_or_else(unknown)?;
    let known = match (&client.secret_hash, secret.filter(|s| !s.is_empty())) {
        (None, None) => true,
        (Some(hash), Some(secret)) => bool::from(token::hash_of(secret).as_bytes().ct_eq(hash.as_bytes())),
        (None, Some(_)) | (Some(_), None) => false,
    };
    if known { Ok(client) } else { Err(Failure::refused(Why::InvalidClient, "the client secret is wrong or missing")) }
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn a_name_is_what_it_looks_like() {
        assert_eq!(visible("  Claude\u{202e}\u{200b} Code\n"), "Claude Code");
        assert_eq!(visible(&"x".repeat(300)).len(), 100);
        assert_eq!(visible("\u{feff}\u{7}"), "");
    }
}
