//! The one way out: every request to an address that somebody else chose goes through this client. The address is
//! resolved and judged before it is connected to, and the judged address is the one connected to; no redirects, no
//! proxies, limits on time and size.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode};
use url::{Host, Url};

/// The largest answer that is read.
pub const ANSWER_LIMIT: usize = 8 * 1024 * 1024;

/// A client that goes only where it may.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: Client,
    allow_private: bool,
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
    /// The answer is larger than [`ANSWER_LIMIT`].
    #[error("the answer is larger than 8 MB")]
    TooLarge,
    /// The connection broke, or what came is not HTTP.
    #[error("the connection broke")]
    Broken,
}

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// What the `Retry-After` header says, in seconds.
    pub retry_after: Option<u64>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Outbound {
    /// A client; `allow_private` lets it reach loopback and private addresses (the demo's agents).
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(allow_private: bool) -> Result<Outbound, reqwest::Error> {
        let client = Client::builder()
            .dns_resolver(std::sync::Arc::new(JudgingResolver { allow_private }))
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(Duration::from_secs(5))
            .pool_idle_timeout(Duration::from_secs(30))
            .user_agent(concat!("NEXUS/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Outbound { client, allow_private })
    }

    /// A GET.
    pub fn get(&self, url: Url) -> RequestBuilder {
        self.client.get(url)
    }

    /// A POST.
    pub fn post(&self, url: Url) -> RequestBuilder {
        self.client.post(url)
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// [`OutboundError`]; an answer of any status is no error.
    pub async fn send(&self, request: RequestBuilder, limit: Duration) -> Result<Answer, OutboundError> {
        let request =
            request.timeout(limit).build().map_err(|_| OutboundError::Refused("the address cannot be used".into()))?;
        self.judge_literal(request.url())?;
        let mut response = self.client.execute(request).await.map_err(classify)?;
        let retry_after =
            response.headers().get("retry-after").and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(classify)? {
            if body.len() + chunk.len() > ANSWER_LIMIT {
                return Err(OutboundError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: response.status(), retry_after, body })
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
        if self.allow_private || is_public(ip) { Ok(()) } else { Err(OutboundError::Refused(not_public().to_string())) }
    }
}

fn not_public() -> NotPublic {
    NotPublic
}

/// The sentence for an address inside somebody's network.
#[derive(Debug, thiserror::Error)]
#[error("the address is private: agents must be reachable on the public internet")]
struct NotPublic;

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

/// Resolves a name and keeps only addresses that may be called, so that what was judged is what is connected to.
#[derive(Debug)]
struct JudgingResolver {
    allow_private: bool,
}

impl Resolve for JudgingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One bad address among good ones is how rebinding looks: all or none.
            if !allow_private && found.iter().any(|a| !is_public(a.ip())) {
                return Err(Box::new(NotPublic) as Box<dyn std::error::Error + Send + Sync>);
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether `ip` is on the public internet: not loopback, private, link-local, carrier-grade NAT, multicast,
/// documentation, benchmarking or reserved (IANA special-purpose address registries), nor an IPv4 address of that
/// kind in an IPv6 coat.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_multicast()
                || ip.is_broadcast()
                || ip.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 192 && b == 88 && c == 99)
                || (a == 198 && (b == 18 || b == 19)))
        }
        IpAddr::V6(ip) => {
            if let Some(v4) = ip.to_ipv4_mapped() {
                return is_public(v4.into());
            }
            let s = ip.segments();
            // Only global unicast, 2000::/3, less Teredo and ORCHID (2001::/23), documentation, 6to4 and NAT64 local use.
            (s[0] & 0xe000) == 0x2000
                && !(s[0] == 0x2001 && s[1] < 0x0200)
                && !(s[0] == 0x2001 && s[1] == 0x0db8)
                && s[0] != 0x2002
                && !(s[0] == 0x3fff && s[1] < 0x1000)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_public() {
        for bad in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.2.1",
            "198.18.0.1",
            "240.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "2001:db8::1",
            "2002:7f00:1::",
            "64:ff9b::7f00:1",
            "2001::1",
        ] {
            assert!(!is_public(bad.parse().unwrap()), "{bad}");
        }
        for good in ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "100.128.0.1", "172.32.0.1"] {
            assert!(is_public(good.parse().unwrap()), "{good}");
        }
    }

    #[tokio::test]
    async fn a_private_address_is_refused_by_number_and_by_name() {
        crate::serve::install_tls();
        let outbound = Outbound::new(false).unwrap();
        for url in [
            "http://127.0.0.1:9/",
            "http://[::1]:9/",
            "http://localhost:9/",
            "http://2130706433:9/",
            "http://0x7f.1:9/",
        ] {
            let request = outbound.get(url.parse().unwrap());
            let answer = outbound.send(request, Duration::from_secs(2)).await;
            assert!(matches!(answer, Err(OutboundError::Refused(_))), "{url}: {answer:?}");
        }
    }
}
