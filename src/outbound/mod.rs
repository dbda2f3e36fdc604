//! The one way out: every request to an address that somebody else chose goes through this client. The address is
//! resolved and judged before it is connected to, and the judged address is the one connected to; no redirects, no
//! proxies, limits on time and size.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

mod address;
mod answer;
mod rules;
pub mod signing;

pub use address::is_public;
pub use answer::{Answer, Head, OpenAnswer, after};
use rules::{JudgingResolver, NotPublic};
pub use rules::{Lookup, Rules};

/// The largest answer that is read, in bytes.
pub const ANSWER_LIMIT: usize = 8 * 1024 * 1024;
/// The largest names and values of all headers of an answer, in bytes. (hyper itself stops reading at 400 kB.)
const HEADERS_LIMIT: usize = 64 * 1024;
/// Most headers of an answer.
const HEADERS_MAX: usize = 100;

/// A client that goes only where it may.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: Client,
    rules: Rules,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The address may not be called.
    #[error("{0}")]
    Refused(String),
    /// Nobody answered at the address.
    #[error("no connection could be made")]
    Connect,
    /// It took too long.
    #[error("there was no answer in time")]
    Timeout,
    /// The answer has more bytes than this.
    #[error("the answer is larger than {} MB", .0.div_ceil(1024 * 1024))]
    TooLarge(usize),
    /// The answer is HTTP that is not read.
    #[error("the answer is not read: {0}")]
    Unreadable(String),
    /// The connection broke, or what came is not HTTP.
    #[error("the connection broke")]
    Broken,
}

impl Outbound {
    /// A client; `allow_private` lets it reach loopback and private addresses (the demo's agents).
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(allow_private: bool) -> Result<Outbound, reqwest::Error> {
        Outbound::with_rules(Rules::new(allow_private))
    }

    /// A client under other rules.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn with_rules(rules: Rules) -> Result<Outbound, reqwest::Error> {
        let client = Client::builder()
            .dns_resolver(Arc::new(JudgingResolver(rules.clone())))
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(5))
            .pool_idle_timeout(Duration::from_secs(30))
            .http1_max_headers(HEADERS_MAX)
            .user_agent(concat!("NEXUS/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Outbound { client, rules })
    }

    /// A GET.
    pub fn get(&self, url: Url) -> RequestBuilder {
        self.client.get(url)
    }

    /// A POST.
    pub fn post(&self, url: Url) -> RequestBuilder {
        self.client.post(url)
    }

    /// Sends a request and reads the whole answer, of up to [`ANSWER_LIMIT`], within `limit` from now: a peer that
    /// sends a byte now and then gains no time.
    ///
    /// # Errors
    /// [`OutboundError`]; an answer of any status is no error.
    pub async fn send(&self, request: RequestBuilder, limit: Duration) -> Result<Answer, OutboundError> {
        self.send_for(request, ANSWER_LIMIT, limit).await
    }

    /// [`Outbound::send`] for an answer of up to `largest` bytes.
    ///
    /// # Errors
    /// [`OutboundError`]; an answer of any status is no error.
    pub async fn send_for(
        &self,
        request: RequestBuilder,
        largest: usize,
        limit: Duration,
    ) -> Result<Answer, OutboundError> {
        let deadline = after(Instant::now(), limit);
        self.open_by(request, deadline).await?.whole(largest, deadline).await
    }

    /// Sends a request and waits up to `limit` for the head of the answer; the body is read as it comes.
    ///
    /// # Errors
    /// [`OutboundError`]; an answer of any status is no error.
    pub async fn open(&self, request: RequestBuilder, limit: Duration) -> Result<OpenAnswer, OutboundError> {
        self.open_by(request, after(Instant::now(), limit)).await
    }

    async fn open_by(&self, request: RequestBuilder, deadline: Instant) -> Result<OpenAnswer, OutboundError> {
        let request = request.build().map_err(|_| OutboundError::Refused("the address cannot be used".into()))?;
        self.judge_literal(request.url())?;
        let answered = timeout_at(deadline, self.client.execute(request)).await;
        OpenAnswer::of(answered.map_err(|_| OutboundError::Timeout)?.map_err(classify)?)
    }

    /// An address written as a number is not resolved, so the resolver never sees it.
    fn judge_literal(&self, url: &Url) -> Result<(), OutboundError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(OutboundError::Refused("only http and https addresses are called".into()));
        }
        let ip: IpAddr = match url.host() {
            Some(Host::Ipv4(ip)) => ip.into(),
            Some(Host::Ipv6(ip)) => ip.into(),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err(OutboundError::Refused("the address names no host".into())),
        };
        if (self.rules.may_connect)(ip) { Ok(()) } else { Err(OutboundError::Refused(NotPublic.to_string())) }
    }
}

fn classify(error: reqwest::Error) -> OutboundError {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(cause) = source {
        if let Some(refusal) = cause.downcast_ref::<NotPublic>() {
            return OutboundError::Refused(refusal.to_string());
        }
        source = cause.source();
    }
    if error.is_timeout() {
        OutboundError::Timeout
    } else if error.is_connect() {
        OutboundError::Connect
    } else {
        OutboundError::Broken
    }
}
