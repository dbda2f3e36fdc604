//! Pure rules of keys.

use chrono::{DateTime, TimeDelta, Utc};

use super::{ApiKey, KeyChange, NewKey};
use crate::{Credits, FieldError};

/// Most keys of an account that are not revoked.
pub const KEYS_MAX: i64 = 100;
/// Most agents that a key can be limited to.
pub const AGENTS_MAX: usize = 100;
/// Most requests a minute that a key's own limit can allow.
pub const RATE_MAX: i32 = 100_000;
/// How long the former secret of a rotated key may stay good.
pub const GRACE_MAX: TimeDelta = TimeDelta::hours(24);
/// The lives that a form offers, in days.
pub const EXPIRY_PRESETS: [i64; 4] = [7, 30, 90, 365];

/// Everything wrong with a new key; empty when it can be made.
pub(super) fn check_new(new: &NewKey, now: DateTime<Utc>) -> Vec<FieldError> {
    check(&new.name, new.expires_at, new.agents.as_deref().map(<[_]>::len), &caps(new), new.requests_per_minute, now)
}

/// Everything wrong with what a key would become.
pub(super) fn check_change(change: &KeyChange, now: DateTime<Utc>) -> Vec<FieldError> {
    let caps = [
        ("dailyCap", change.daily_cap.flatten()),
        ("monthlyCap", change.monthly_cap.flatten()),
        ("totalCap", change.total_cap.flatten()),
    ];
    let agents = change.agents.as_ref().and_then(|a| a.as_ref()).map(Vec::len);
    let name = change.name.as_deref().unwrap_or("unchanged");
    check(name, change.expires_at.flatten(), agents, &caps, change.requests_per_minute.flatten(), now)
}

fn caps(new: &NewKey) -> [(&'static str, Option<Credits>); 3] {
    [("dailyCap", new.daily_cap), ("monthlyCap", new.monthly_cap), ("totalCap", new.total_cap)]
}

fn check(
    name: &str,
    expires_at: Option<DateTime<Utc>>,
    agents: Option<usize>,
    caps: &[(&'static str, Option<Credits>); 3],
    requests_per_minute: Option<i32>,
    now: DateTime<Utc>,
) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    let length = name.trim().chars().count();
    if length == 0 {
        wrong.push(FieldError::new("name", "is missing: say what the key is for"));
    } else if length > 100 || name.chars().any(char::is_control) {
        wrong.push(FieldError::new("name", "must be 1 to 100 characters that can be shown"));
    }
    if expires_at.is_some_and(|at| at <= now) {
        wrong.push(FieldError::new("expiresAt", "lies in the past"));
    }
    if let Some(n) = agents
        && !(1..=AGENTS_MAX).contains(&n)
    {
        wrong.push(FieldError::new("agentIds", format!("must be 1 to {AGENTS_MAX} agents, or left out")));
    }
    let most = Credits::from_cents(100_000_000_000);
    for (field, cap) in caps {
        if cap.is_some_and(|c| c.is_negative() || c > most) {
            wrong.push(FieldError::new(*field, "must be from 0 to 1,000,000,000"));
        }
    }
    if requests_per_minute.is_some_and(|n| !(1..=RATE_MAX).contains(&n)) {
        wrong.push(FieldError::new("requestsPerMinute", format!("must be 1 to {RATE_MAX}")));
    }
    wrong
}

/// Why `maker` may not make or change a key into one like this; `None` if it may. Else a key with less could be turned into
/// one with more.
pub(super) fn exceeds(maker: &ApiKey, new: &NewKey) -> Option<String> {
    if maker.is_narrow() {
        return Some("a key with a spending cap or chosen agents cannot make or change keys".into());
    }
    if !maker.scopes.contain(&new.scopes) {
        return Some("a key cannot give a scope that it does not have".into());
    }
    match (maker.expires_at, new.expires_at) {
        (Some(mine), theirs) if theirs.is_none_or(|t| t > mine) => {
            Some("a key cannot make or change a key to outlive it".into())
        }
        _ => None,
    }
}
