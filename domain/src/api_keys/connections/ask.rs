//! What a client asks of a person (RFC 6749, section 4.1.1).

use std::collections::BTreeSet;

use super::client::Client;
use super::failure::{Refusal, Why};
use super::{redirect, resource, store};
use crate::api_keys::Scope;
use crate::{ClientId, Db, Error};

/// A request that a person can be asked to approve.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Who asks.
    pub client: Client,
    /// Where it is answered.
    pub redirect_uri: String,
    /// Whether it said so itself; then it has to say the same to get its tokens.
    pub(super) redirect_sent: bool,
    /// What it gets back with the answer.
    state: Option<String>,
    /// What it wants to be allowed; not empty.
    pub scopes: BTreeSet<Scope>,
    /// The part of the site it wants to use, as a path.
    pub resource: String,
    pub(super) challenge: String,
    issuer: String,
}

/// Why a request cannot be put before a person.
#[derive(Debug)]
pub enum Problem {
    /// It is not known where to answer: only the person can be told. To be shown, never to be sent anywhere.
    Shown(String),
    /// The client is to be told, at this address.
    Sent(String),
    /// A fault of ours.
    Fault(Error),
}

/// What clients can be given: all but the making of keys, which would outlive being cut off.
pub fn offered() -> impl Iterator<Item = Scope> {
    Scope::ALL.into_iter().filter(|s| !matches!(s, Scope::KeysWrite))
}

/// What a client that names no scopes is taken to want: to find, to hire, to see what it costs.
const USUAL: [Scope; 4] = [Scope::AgentsRead, Scope::TasksWrite, Scope::WorkflowsWrite, Scope::BillingRead];

/// Reads an authorization request to the site with this address: the query as it came.
///
/// # Errors
/// [`Problem`].
pub async fn ask(db: &Db, site: &str, query: &str) -> Result<Asked, Problem> {
    let read = Parameters(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect());
    let shown = |text: &str| Problem::Shown(text.to_owned());
    let id = read.once("client_id").map_err(Problem::Shown)?;
    let id = id.and_then(|id| id.parse::<ClientId>().ok());
    let id = id.ok_or_else(|| shown("It does not say which program it is."))?;
    let client = store::client(db.pool(), id).await.map_err(Problem::Fault)?;
    let client = client
        .ok_or_else(|| shown("The program is not registered here, or not any more. Connect it anew from there."))?;
    let sent = read.once("redirect_uri").map_err(Problem::Shown)?;
    let redirect_uri = match (sent, client.redirect_uris.as_slice()) {
        (Some(sent), known) if known.iter().any(|k| redirect::matches(k, sent)) => sent.to_owned(),
        (Some(_), _) => return Err(shown("It wants its answer at an address that it did not register.")),
        (None, [only]) => only.clone(),
        (None, _) => return Err(shown("It does not say where it wants its answer.")),
    };
    let state = read.once("state").ok().flatten().map(str::to_owned);
    let back = Back { redirect_uri: &redirect_uri, state: state.as_deref(), issuer: site };
    let checked = (|| {
        read.no_repetition()?;
        read.response()?;
        Ok((read.challenge()?, read.scopes()?, read.resource(site)?))
    })();
    let (challenge, scopes, resource) = checked.map_err(|refusal| Problem::Sent(back.refused(&refusal)))?;
    let issuer = site.to_owned();
    Ok(Asked { client, redirect_sent: sent.is_some(), redirect_uri, state, scopes, resource, challenge, issuer })
}

impl Asked {
    /// Where the browser goes with a code.
    pub fn answered(&self, code: &str) -> String {
        self.back().with(&[("code", code)])
    }

    /// Where the browser goes when the person says no.
    pub fn denied(&self) -> String {
        self.back().refused(&Refusal::new(Why::AccessDenied, "the person did not approve"))
    }

    /// Where the answer goes, for people.
    pub fn place(&self) -> String {
        redirect::place(&self.redirect_uri)
    }

    /// Whether it goes to a program on the person's own computer.
    pub fn is_local(&self) -> bool {
        redirect::check(&self.redirect_uri).is_ok_and(|url| redirect::is_loopback(&url))
    }

    fn back(&self) -> Back<'_> {
        Back { redirect_uri: &self.redirect_uri, state: self.state.as_deref(), issuer: &self.issuer }
    }
}

/// Where an answer goes, and what goes with each.
struct Back<'a> {
    redirect_uri: &'a str,
    state: Option<&'a str>,
    issuer: &'a str,
}

impl Back<'_> {
    /// `iss` tells a client of several servers which one answers (RFC 9207).
    fn with(&self, answer: &[(&str, &str)]) -> String {
        let mut all = answer.to_vec();
        all.extend(self.state.map(|state| ("state", state)));
        all.push(("iss", self.issuer));
        redirect::with_parameters(self.redirect_uri, &all)
    }

    fn refused(&self, refusal: &Refusal) -> String {
        self.with(&[("error", refusal.why.as_str()), ("error_description", &refusal.description)])
    }
}

struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    /// A parameter that may be there once. One without a value counts as left out (RFC 6749, section 3.1).
    fn once<'a>(&'a self, name: &'a str) -> Result<Option<&'a str>, String> {
        let mut all = self.all(name);
        match (all.next(), all.next()) {
            (first, None) => Ok(first),
            (_, Some(_)) => Err(format!("It says {name} more than once.")),
        }
    }

    fn no_repetition(&self) -> Result<(), Refusal> {
        let names = ["response_type", "response_mode", "state", "scope", "code_challenge", "code_challenge_method"];
        match names.into_iter().find(|name| self.once(name).is_err()) {
            Some(name) => Err(Refusal::new(Why::InvalidRequest, format!("{name} stands there more than once"))),
            None => Ok(()),
        }
    }

    fn value<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    fn response(&self) -> Result<(), Refusal> {
        match self.value("response_type") {
            Some("code") => {}
            Some(_) => return Err(Refusal::new(Why::UnsupportedResponseType, "response_type must be code")),
            None => return Err(Refusal::new(Why::InvalidRequest, "response_type is missing: it must be code")),
        }
        match self.value("response_mode") {
            None | Some("query") => Ok(()),
            Some(_) => Err(Refusal::new(Why::InvalidRequest, "response_mode must be query")),
        }
    }

    /// PKCE is required, and `plain` is not taken (OAuth 2.1).
    fn challenge(&self) -> Result<String, Refusal> {
        let wrong = |what: &str| Refusal::new(Why::InvalidRequest, what);
        let challenge =
            self.value("code_challenge").ok_or_else(|| wrong("code_challenge is missing: PKCE is required"))?;
        if self.value("code_challenge_method") != Some("S256") {
            return Err(wrong("code_challenge_method must be S256"));
        }
        let shaped =
            challenge.len() == 43 && challenge.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if shaped { Ok(challenge.to_owned()) } else { Err(wrong("code_challenge is not 43 characters of base64url")) }
    }

    /// `offline_access` is what clients ask a refresh token with; every client gets one here.
    fn scopes(&self) -> Result<BTreeSet<Scope>, Refusal> {
        let words =
            self.value("scope").unwrap_or_default().split(' ').filter(|w| !w.is_empty() && *w != "offline_access");
        let mut scopes = BTreeSet::new();
        for word in words {
            let known = offered().find(|s| s.as_str() == word);
            scopes.insert(known.ok_or_else(|| {
                let shown: String = word.chars().take(100).collect();
                Refusal::new(Why::InvalidScope, format!("{shown} is not a scope that clients are given"))
            })?);
        }
        Ok(if scopes.is_empty() { USUAL.into() } else { scopes })
    }

    fn resource(&self, site: &str) -> Result<String, Refusal> {
        let wrong = |what: &str| Refusal::new(Why::InvalidTarget, what);
        let mut all = self.all("resource");
        match (all.next(), all.next()) {
            (None, _) => Ok("/".to_owned()),
            (Some(one), None) => resource::path_of(site, one).ok_or_else(|| wrong("resource is not one of this site")),
            (Some(_), Some(_)) => Err(wrong("a token is for one resource")),
        }
    }
}
