//! Where a client may go, and how names become addresses.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// Looks names up. The program asks the machine's resolver; tests answer themselves.
pub trait Lookup: std::fmt::Debug + Send + Sync {
    /// The addresses of `name`, in the order to try them.
    fn lookup(&self, name: &str) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>>;
}

/// The machine's resolver.
#[derive(Debug)]
struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: &str) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        let name = name.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|a| a.ip()).collect()) })
    }
}

/// Where a client may go.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Whether an address may be connected to.
    pub may_connect: fn(IpAddr) -> bool,
    /// How names become addresses.
    pub lookup: Arc<dyn Lookup>,
}

impl Rules {
    /// The public internet; with `allow_private` every network.
    pub fn new(allow_private: bool) -> Rules {
        let may_connect: fn(IpAddr) -> bool = if allow_private { |_| true } else { is_public };
        Rules { may_connect, lookup: Arc::new(SystemLookup) }
    }
}

/// The sentence for an address inside somebody's network.
#[derive(Debug, thiserror::Error)]
#[error("the address is private: only the public internet is called")]
pub(super) struct NotPublic;

/// Resolves a name and keeps only addresses that may be called, so that what was judged is what is connected to.
#[derive(Debug)]
pub(super) struct JudgingResolver(pub(super) Rules);

impl Resolve for JudgingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let may_connect = self.0.may_connect;
        let found = self.0.lookup.lookup(name.as_str());
        Box::pin(async move {
            let found = found.await?;
            // One bad address among good ones is how rebinding looks: all or none.
            if found.iter().any(|ip| !may_connect(*ip)) {
                return Err(Box::new(NotPublic) as Box<dyn std::error::Error + Send + Sync>);
            }
            Ok(Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}
