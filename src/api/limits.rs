//! How often one may ask, in this process: tokens leased from the buckets that all processes share, spent without asking.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use domain::requests;
use domain::{Db, KeyId, UserId};
use tokio_util::sync::CancellationToken;

use crate::web::failure::log_if_ours;

/// A lease that was not used for so long is given back.
const IDLE: Duration = Duration::from_secs(2);
/// The part of a bucket that a lease asks for.
const SHARE: f64 = 20.0;

/// Whose bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// All keys of an account together.
    Account(UserId),
    /// A key with a limit of its own.
    Key(KeyId),
    /// A visitor.
    Address(IpAddr),
}

impl Subject {
    fn name(self) -> String {
        match self {
            Subject::Account(user) => format!("account:{user}"),
            Subject::Key(key) => format!("key:{key}"),
            // A visitor with IPv6 has a whole /64 to themselves.
            Subject::Address(IpAddr::V6(ip)) if ip.to_ipv4_mapped().is_none() => {
                let [a, b, c, d, ..] = ip.segments();
                format!("address:{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
            Subject::Address(ip) => format!("address:{}", ip.to_canonical()),
        }
    }

    fn policy(self) -> &'static str {
        match self {
            Subject::Account(_) => "account",
            Subject::Key(_) => "key",
            Subject::Address(_) => "address",
        }
    }
}

/// Where a caller stands with the narrowest of its limits.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    /// How long to wait, when it was too often.
    pub wait: Option<Duration>,
    policy: &'static str,
    capacity: f64,
    remaining: f64,
}

impl Allowed {
    /// Writes the `RateLimit-*` headers (IETF draft "RateLimit header fields for HTTP"): what is left, and when all is back.
    pub fn write(&self, headers: &mut HeaderMap) {
        let full_in = (self.capacity - self.remaining).max(0.0) * 60.0 / self.capacity;
        for (name, value) in [
            ("ratelimit-limit", format!("{}", self.capacity as u64)),
            ("ratelimit-remaining", format!("{}", self.remaining.max(0.0) as u64)),
            ("ratelimit-reset", format!("{}", full_in.ceil() as u64)),
            ("ratelimit-policy", format!("\"{}\";q={};w=60", self.policy, self.capacity as u64)),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

struct Held {
    tokens: f64,
    /// What the shared bucket had left at the last lease.
    shared: f64,
    used: Instant,
}

/// The limits of this process. Cheap to clone.
#[derive(Clone)]
pub struct Limits {
    /// Units a minute for an account.
    pub account: f64,
    /// Units a minute for a visitor's address.
    pub anonymous: f64,
    db: Db,
    held: Arc<Mutex<HashMap<Subject, Held>>>,
}

impl Limits {
    /// Limits in units a minute.
    pub fn new(db: Db, account: u32, anonymous: u32) -> Limits {
        Limits { account: f64::from(account), anonymous: f64::from(anonymous), db, held: Arc::default() }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<Subject, Held>> {
        // Nothing is left half done under the lock.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Spends `cost` of each bucket; the first that has not enough refuses, and takes nothing.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn take(&self, of: &[(Subject, f64)], cost: u32) -> domain::Result<Allowed> {
        let mut narrowest: Option<Allowed> = None;
        for (n, (subject, capacity)) in of.iter().enumerate() {
            let allowed = self.take_one(*subject, *capacity, f64::from(cost)).await?;
            if allowed.wait.is_some() {
                // What the ones before gave is not spent.
                for (before, _) in &of[..n] {
                    self.put_back(*before, f64::from(cost));
                }
                return Ok(allowed);
            }
            if narrowest.is_none_or(|a| allowed.remaining / allowed.capacity < a.remaining / a.capacity) {
                narrowest = Some(allowed);
            }
        }
        narrowest.ok_or_else(|| domain::Error::Internal("a request without a limit".into()))
    }

    fn put_back(&self, subject: Subject, tokens: f64) {
        if let Some(held) = self.held().get_mut(&subject) {
            held.tokens += tokens;
        }
    }

    async fn take_one(&self, subject: Subject, capacity: f64, cost: f64) -> domain::Result<Allowed> {
        // What costs more than a bucket holds would never be let through.
        let cost = cost.min(capacity);
        let allowed = |wait, remaining| Allowed { wait, policy: subject.policy(), capacity, remaining };
        if let Some(left) = self.spend(subject, cost) {
            return Ok(allowed(None, left));
        }
        let lease = requests::lease(&self.db, &subject.name(), capacity, cost, (capacity / SHARE).max(cost)).await?;
        if lease.granted == 0.0 {
            let missing = (cost - lease.remaining).max(0.0);
            let wait = Duration::from_secs_f64((missing * 60.0 / capacity).max(0.001));
            return Ok(allowed(Some(wait), lease.remaining));
        }
        let mut held = self.held();
        let entry = held.entry(subject).or_insert(Held { tokens: 0.0, shared: 0.0, used: Instant::now() });
        entry.tokens += lease.granted - cost;
        entry.shared = lease.remaining;
        entry.used = Instant::now();
        Ok(allowed(None, entry.tokens + entry.shared))
    }

    /// Spends what is held; answers with what is left in all.
    fn spend(&self, subject: Subject, cost: f64) -> Option<f64> {
        let mut held = self.held();
        let entry = held.get_mut(&subject)?;
        if entry.tokens < cost {
            return None;
        }
        entry.tokens -= cost;
        entry.used = Instant::now();
        Some(entry.tokens + entry.shared)
    }

    /// Gives idle leases back until the program stops, and then all of them.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let stopping = tokio::select! {
                () = stop.cancelled() => true,
                () = tokio::time::sleep(Duration::from_secs(1)) => false,
            };
            let unspent: Vec<(String, f64)> = {
                let mut held = self.held();
                let idle: Vec<Subject> =
                    held.iter().filter(|(_, h)| stopping || h.used.elapsed() > IDLE).map(|(s, _)| *s).collect();
                idle.into_iter().filter_map(|s| held.remove(&s).map(|h| (s.name(), h.tokens))).collect()
            };
            if let Err(error) = requests::give_back(&self.db, &unspent).await {
                log_if_ours(&error);
            }
            if stopping {
                return;
            }
        }
    }
}
