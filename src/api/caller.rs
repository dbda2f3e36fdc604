//! Who calls: an argument of type [`Caller`] in a handler *is* the check of its scope.

use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use domain::api_keys::{self, KeyProblem, Scope, Scopes, Token, VerifiedKey};
use domain::{Actor, AgentId, Error};

use super::limits::{Allowed, Subject};
use crate::state::AppState;
use crate::web::client_address;
use crate::web::failure::{ApiError, log_if_ours};

/// Who sent the request, as [`authenticate`], or another wire that asks an operation of this API, found out.
#[derive(Clone)]
pub(crate) struct Identity(pub(crate) Option<Arc<VerifiedKey>>);

/// What a handler asks of a key.
pub trait Needs: Send + Sync + 'static {
    /// Whether this key has it.
    ///
    /// # Errors
    /// [`Error::MissingScope`], [`Error::Forbidden`].
    fn check(key: &VerifiedKey) -> domain::Result<()>;
}

macro_rules! scopes {
    ($($name:ident),*) => {$(
        /// A key with this scope.
        pub struct $name;

        impl Needs for $name {
            fn check(key: &VerifiedKey) -> domain::Result<()> {
                if key.allows(Scope::$name) { Ok(()) } else { Err(Error::MissingScope(Scope::$name)) }
            }
        }
    )*};
}

scopes!(
    AgentsRead,
    AgentsWrite,
    TasksRead,
    TasksWrite,
    WorkflowsRead,
    WorkflowsWrite,
    BillingRead,
    BillingWrite,
    KeysRead,
    KeysWrite,
    WebhooksRead,
    WebhooksWrite
);

/// Any key.
pub struct AnyScope;

impl Needs for AnyScope {
    fn check(_: &VerifiedKey) -> domain::Result<()> {
        Ok(())
    }
}

/// A key that may do everything.
pub struct FullAccess;

impl Needs for FullAccess {
    fn check(key: &VerifiedKey) -> domain::Result<()> {
        match key.scopes {
            Scopes::All if !key.is_limited_to_agents() => Ok(()),
            Scopes::All | Scopes::Some(_) => Err(Error::Forbidden("this needs a key with the scope *".into())),
        }
    }
}

/// A program whose key has what `S` asks.
pub struct Caller<S> {
    /// Who acts.
    pub actor: Actor,
    /// Its key.
    pub key: Arc<VerifiedKey>,
    scope: PhantomData<fn() -> S>,
}

impl<S> Caller<S> {
    /// Refuses an agent that the key is not for. It looks like one that is not there.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn check_agent(&self, agent: AgentId) -> domain::Result<()> {
        if self.key.allows_agent(agent) { Ok(()) } else { Err(Error::NotFound(domain::Missing::Agent)) }
    }
}

impl<S: Needs> FromRequestParts<AppState> for Caller<S> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let Some(Identity(Some(key))) = parts.extensions.get::<Identity>() else {
            return Err(ApiError(Error::Unauthorized));
        };
        S::check(key)?;
        Ok(Caller { actor: key.actor(), key: Arc::clone(key), scope: PhantomData })
    }
}

/// Anybody: a program with a key, or a visitor.
pub struct Visitor {
    /// Who acts.
    pub actor: Actor,
    key: Option<Arc<VerifiedKey>>,
}

impl Visitor {
    /// Who looks at an agent: the owner's program, if that is what its key is for; else anybody.
    pub fn looking_at(&self, agent: AgentId) -> Actor {
        match &self.key {
            Some(key) if key.allows(Scope::AgentsRead) && key.allows_agent(agent) => key.actor(),
            Some(_) | None => Actor::Anonymous,
        }
    }
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let key = parts.extensions.get::<Identity>().and_then(|identity| identity.0.clone());
        Ok(Visitor { actor: key.as_ref().map_or(Actor::Anonymous, |key| key.actor()), key })
    }
}

/// The layer of every route under `/api/v1`: finds out who asks, and whether they ask too often.
pub async fn authenticate(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip());
    let address = client_address::of(from, request.headers(), &state.trusted_proxies);
    let cost = cost(request.method(), request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str));
    match admit(&state, request.headers(), address, cost, HERE).await {
        Ok((key, allowed)) => {
            request.extensions_mut().insert(Identity(key));
            let mut response = next.run(request).await;
            allowed.write(response.headers_mut());
            response
        }
        Err(refused) => refused.into_response(),
    }
}

/// The layer of heartbeats: one with a key is a request like any other; one that an agent has signed is not counted.
pub async fn authenticate_keyed(state: State<AppState>, request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::AUTHORIZATION) {
        authenticate(state, request, next).await
    } else {
        next.run(request).await
    }
}

/// Why somebody was not let in, and what is left of their limit.
pub struct Refused(pub ApiError, pub Option<Allowed>);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        if let Some(allowed) = self.1 {
            allowed.write(response.headers_mut());
        }
        response
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused(ApiError(error), None)
    }
}

/// Who was let in, and what is left of their limit.
type Admitted = (Option<Arc<VerifiedKey>>, Allowed);

/// Finds out who asks, from where, and takes the request's cost off their limit. `here`: where access tokens must be good.
///
/// # Errors
/// A key that is none, or a limit that is reached.
pub async fn admit(
    state: &AppState,
    headers: &HeaderMap,
    address: IpAddr,
    cost: u32,
    here: &str,
) -> Result<Admitted, Refused> {
    let anonymous = Subject::Address(address);
    let Some(sent) = headers.get(header::AUTHORIZATION) else {
        let allowed = state.limits.take(&[(anonymous, state.limits.anonymous)], cost).await?;
        return refuse_if_spent(allowed).map(|allowed| (None, allowed));
    };
    let key = match bearer(sent) {
        Some(token) => api_keys::verify(&state.db, &token, Utc::now()).await?,
        None => Err(KeyProblem::Unknown),
    };
    let key = key.and_then(|key| if key.is_for(here) { Ok(key) } else { Err(KeyProblem::Elsewhere) });
    let key = match key {
        Ok(key) => Arc::new(key),
        Err(problem) => {
            // Who guesses pays as an address.
            let allowed = state.limits.take(&[(anonymous, state.limits.anonymous)], GUESS).await?;
            let allowed = refuse_if_spent(allowed)?;
            return Err(Refused(ApiError(Error::Key(problem)), Some(allowed)));
        }
    };
    let allowed = charge(state, &key, cost).await?;
    if key.use_is_news {
        let (db, id) = (state.db.clone(), key.id);
        tokio::spawn(async move {
            if let Err(error) = api_keys::note_use(&db, id, Utc::now()).await {
                log_if_ours(&error);
            }
        });
    }
    Ok((Some(key), allowed))
}

/// Takes what a request of this key costs.
pub(crate) async fn charge(state: &AppState, key: &VerifiedKey, cost: u32) -> Result<Allowed, Refused> {
    let account = (Subject::Account(key.user), state.limits.account);
    let allowed = match key.requests_per_minute {
        Some(own) => state.limits.take(&[(Subject::Key(key.id), f64::from(own)), account], cost).await?,
        None => state.limits.take(&[account], cost).await?,
    };
    refuse_if_spent(allowed)
}

fn refuse_if_spent(allowed: Allowed) -> Result<Allowed, Refused> {
    match allowed.wait {
        None => Ok(allowed),
        Some(wait) => Err(Refused(ApiError(Error::RateLimited(wait)), Some(allowed))),
    }
}

fn bearer(sent: &HeaderValue) -> Option<Token> {
    let (scheme, token) = sent.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Token::parse(token.trim()))?
}

/// Where access tokens for this API must be good.
const HERE: &str = "/api/v1";
/// What a wrong key costs its address.
const GUESS: u32 = 5;

/// What a request costs, in units of a plain read. What makes us call out costs most.
pub fn cost(method: &Method, path: &str) -> u32 {
    let calls_out = ["/agents", "/test", "/card/refresh", "/check", "/checkout", "/refund"];
    if *method == Method::GET || *method == Method::HEAD {
        if path.ends_with("/discover") || path.ends_with("/stream") { 2 } else { 1 }
    } else if *method == Method::POST && calls_out.iter().any(|end| path.ends_with(end)) {
        20
    } else if path.ends_with("/heartbeat") {
        1
    } else {
        5
    }
}

/// `401` says how to sign in (RFC 9110, section 11.6.1; RFC 6750, section 3).
pub fn challenge(response: &mut Response) {
    if response.status() == StatusCode::UNAUTHORIZED {
        let value = HeaderValue::from_static("Bearer realm=\"NEXUS\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
}
