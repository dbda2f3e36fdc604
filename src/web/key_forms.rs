//! The forms of API keys: make, change, rotate, revoke.

use app::FlashKind;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use domain::api_keys::rules::EXPIRY_PRESETS;
use domain::api_keys::{self, ApiKey, KeyChange, NewKey, Scopes};
use domain::{AgentId, Credits, Error, KeyId};

use super::account_forms::{Fields, field};
use super::page;
use super::visit::SignedIn;
use crate::state::AppState;

/// The page that lists them.
const PAGE: &str = "/settings/keys";

/// Makes a key, and shows it once.
pub async fn create(State(state): State<AppState>, me: SignedIn, Form(fields): Form<Fields>) -> Response {
    let now = Utc::now();
    let done = async {
        let new = typed(&fields, None, now)?;
        api_keys::create(&state.db, &me.visit.actor, new, now).await.map_err(|e| at_its_field(e, &fields))
    };
    match done.await {
        Ok(made) => {
            let text = "The key is made. Copy it now: only a hash of it is kept.";
            shown_once(&me, &made, text).await
        }
        Err(error) => page::refused(&state, &me.visit, PAGE, fields, error).await,
    }
}

/// Changes all that the form shows of a key.
pub async fn change(
    State(state): State<AppState>,
    me: SignedIn,
    Path(id): Path<KeyId>,
    Form(fields): Form<Fields>,
) -> Response {
    let now = Utc::now();
    let done = async {
        let key = api_keys::find(&state.db, &me.visit.actor, id, now).await?;
        let wanted = typed(&fields, Some(&key), now)?;
        // What has passed may stay as it is.
        let expires_at = (wanted.expires_at != key.expires_at).then_some(wanted.expires_at);
        let change = KeyChange {
            name: Some(wanted.name),
            scopes: Some(wanted.scopes),
            expires_at,
            agents: Some(wanted.agents),
            daily_cap: Some(wanted.daily_cap),
            monthly_cap: Some(wanted.monthly_cap),
            total_cap: Some(wanted.total_cap),
            requests_per_minute: Some(wanted.requests_per_minute),
        };
        let changed = api_keys::change(&state.db, &me.visit.actor, id, change, now).await;
        changed.map(|_| ()).map_err(|e| at_its_field(e, &fields))
    };
    match done.await {
        Ok(()) => said(&me, id, "Saved. It counts from the key’s next request on.").await,
        Err(error) => page::refused(&state, &me.visit, &address(id), fields, error).await,
    }
}

/// Gives a key a new secret, and shows it once.
pub async fn rotate(
    State(state): State<AppState>,
    me: SignedIn,
    Path(id): Path<KeyId>,
    Form(fields): Form<Fields>,
) -> Response {
    let seconds = field(&fields, "graceSeconds").parse::<i64>().ok().and_then(TimeDelta::try_seconds);
    let done = async {
        let grace = seconds.ok_or_else(|| Error::field("graceSeconds", "is not one of those offered"))?;
        api_keys::rotate(&state.db, &me.visit.actor, id, grace, Utc::now()).await
    };
    match done.await {
        Ok(made) => {
            let text = match made.key.former_good_until {
                Some(until) => format!(
                    "A new secret. The former one works until {}. Copy the new one now: only a hash of it is kept.",
                    until.format("%H:%M UTC")
                ),
                None => {
                    "A new secret. The former one works no more. Copy this one now: only a hash of it is kept.".into()
                }
            };
            shown_once(&me, &made, &text).await
        }
        Err(error) => page::refused(&state, &me.visit, &address(id), fields, error).await,
    }
}

/// Revokes a key, if the box was ticked.
pub async fn revoke(
    State(state): State<AppState>,
    me: SignedIn,
    Path(id): Path<KeyId>,
    Form(fields): Form<Fields>,
) -> Response {
    let done = if field(&fields, "confirm").is_empty() {
        Err(Error::field("confirm", "must be ticked: a revoked key does not come back"))
    } else {
        api_keys::revoke(&state.db, &me.visit.actor, id, Utc::now()).await
    };
    match done {
        Ok(()) => said(&me, id, "The key is revoked. Programs that use it are refused from now on.").await,
        Err(error) => page::refused(&state, &me.visit, &address(id), fields, error).await,
    }
}

fn address(id: KeyId) -> String {
    format!("{PAGE}/{id}")
}

async fn said(me: &SignedIn, id: KeyId, text: &str) -> Response {
    me.visit.flash(FlashKind::Good, text, None).await;
    Redirect::to(&address(id)).into_response()
}

async fn shown_once(me: &SignedIn, made: &api_keys::CreatedKey, text: &str) -> Response {
    me.visit.flash(FlashKind::Secret, text, Some(made.token.reveal().to_owned())).await;
    Redirect::to(&address(made.key.id)).into_response()
}

/// The key that the form describes; `was` is the one that it changes.
fn typed(fields: &Fields, was: Option<&ApiKey>, now: DateTime<Utc>) -> domain::Result<NewKey> {
    let mut wrong = Vec::new();
    let mut keep = |error: Error| {
        if let Error::Validation(errors) = error {
            wrong.extend(errors);
        }
    };
    let scopes = match field(fields, "access").as_str() {
        "all" => Ok(Scopes::All),
        _ => Scopes::parse(&all(fields, "scopes")),
    };
    let scopes = scopes.map_err(&mut keep).unwrap_or(Scopes::All);
    let expires_at = expiry(fields, was, now).map_err(&mut keep).unwrap_or_default();
    let agents = agents(fields).map_err(&mut keep).unwrap_or_default();
    let mut cap = |name: &str| number::<Credits>(fields, name).map_err(&mut keep).unwrap_or_default();
    let (daily_cap, monthly_cap, total_cap) = (cap("dailyCap"), cap("monthlyCap"), cap("totalCap"));
    let requests_per_minute = number::<i32>(fields, "requestsPerMinute")
        .map_err(|_| keep(Error::field("requestsPerMinute", "is not a whole number")))
        .unwrap_or_default();
    if !wrong.is_empty() {
        return Err(Error::Validation(wrong));
    }
    let name = field(fields, "name");
    Ok(NewKey { name, scopes, expires_at, agents, daily_cap, monthly_cap, total_cap, requests_per_minute })
}

/// Every value of `name`.
pub(super) fn all<'a>(fields: &'a Fields, name: &str) -> Vec<&'a str> {
    fields.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect()
}

/// What was typed into a field that may be left empty.
pub(super) fn number<T>(fields: &Fields, name: &str) -> domain::Result<Option<T>>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let text = field(fields, name);
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|e: T::Err| Error::field(name, e.to_string()))
}

fn expiry(fields: &Fields, was: Option<&ApiKey>, now: DateTime<Utc>) -> domain::Result<Option<DateTime<Utc>>> {
    match field(fields, "expiresAt").as_str() {
        "never" => Ok(None),
        "keep" if was.is_some() => Ok(was.and_then(|k| k.expires_at)),
        "date" => {
            let day = field(fields, "expiresOn").trim().parse::<NaiveDate>();
            let day = day.map_err(|_| Error::field("expiresOn", "is not a date such as 2030-12-31"))?;
            let last = NaiveTime::from_hms_opt(23, 59, 59).unwrap_or_default();
            Ok(Some(day.and_time(last).and_utc()))
        }
        days => match days.parse::<i64>() {
            Ok(days) if EXPIRY_PRESETS.contains(&days) => Ok(Some(now + TimeDelta::days(days))),
            Ok(_) | Err(_) => Err(Error::field("expiresAt", "is not one of those offered")),
        },
    }
}

fn agents(fields: &Fields) -> domain::Result<Option<Vec<AgentId>>> {
    if field(fields, "agents") != "chosen" {
        return Ok(None);
    }
    let others = field(fields, "otherAgents");
    let words = all(fields, "agentIds").into_iter().chain(others.split([' ', ',', '\r', '\n', '\t']));
    let mut ids: Vec<AgentId> = Vec::new();
    for word in words.map(str::trim).filter(|w| !w.is_empty()) {
        let id = word.parse().map_err(|_| Error::field("agentIds", format!("“{word}” is not an agent’s id")))?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    if ids.is_empty() {
        return Err(Error::field("agentIds", "tick at least one, or choose any agent"));
    }
    Ok(Some(ids))
}

/// What is wrong with a date stands at the date.
fn at_its_field(error: Error, fields: &Fields) -> Error {
    let dated = field(fields, "expiresAt") == "date";
    if dated { error.with_fields_named(&[("expiresAt", "expiresOn")]) } else { error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> domain::Result<NewKey> {
        let base = [("name", "k"), ("access", "all"), ("expiresAt", "never"), ("agents", "any")];
        let given = |name: &str| pairs.iter().any(|(n, _)| *n == name);
        let rest = base.into_iter().filter(|(n, _)| !given(n));
        let fields: Fields = pairs.iter().copied().chain(rest).map(|(n, v)| (n.into(), v.into())).collect();
        typed(&fields, None, DateTime::UNIX_EPOCH)
    }

    fn wrong(pairs: &[(&str, &str)]) -> Vec<String> {
        match of(pairs) {
            Err(Error::Validation(errors)) => errors.into_iter().map(|e| e.field).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_chosen_is_what_the_key_may_do() {
        let some = of(&[("access", "some"), ("scopes", "tasks:write"), ("scopes", "agents:read")]).unwrap();
        assert_eq!(some.scopes.words(), ["agents:read", "tasks:write"]);
        assert_eq!(of(&[("scopes", "agents:read")]).unwrap().scopes, Scopes::All);
        // A form without the choice gives nothing away.
        assert_eq!(wrong(&[("access", "")]), ["scopes"]);
        let id = "00000000-0000-4000-8000-00000000000a";
        let twice =
            [("agents", "chosen"), ("agentIds", id), ("otherAgents", "\r\n00000000-0000-4000-8000-00000000000A ")];
        assert_eq!(of(&twice).unwrap().agents.map(|a| a.len()), Some(1));
        assert_eq!(of(&[("agentIds", id)]).unwrap().agents, None);
    }

    #[test]
    fn a_key_ends_when_the_form_says() {
        let ends = |pairs: &[(&str, &str)]| of(pairs).unwrap().expires_at.map(|at| at.to_rfc3339());
        assert_eq!(ends(&[("expiresAt", "30")]).unwrap(), "1970-01-31T00:00:00+00:00");
        assert_eq!(ends(&[("expiresAt", "date"), ("expiresOn", "2030-12-31")]).unwrap(), "2030-12-31T23:59:59+00:00");
        assert_eq!(ends(&[]), None);
    }

    #[test]
    fn each_wrong_field_is_named() {
        let all = wrong(&[
            ("access", "some"),
            ("expiresAt", "date"),
            ("expiresOn", "soon"),
            ("dailyCap", "x"),
            ("totalCap", "1.005"),
            ("requestsPerMinute", "1.5"),
            ("agents", "chosen"),
        ]);
        assert_eq!(all, ["scopes", "expiresOn", "agentIds", "dailyCap", "totalCap", "requestsPerMinute"]);
        for bad in ["", "8", "keep", "-30"] {
            assert_eq!(wrong(&[("expiresAt", bad)]), ["expiresAt"], "{bad}");
        }
        assert_eq!(wrong(&[("agents", "chosen"), ("otherAgents", "somebody")]), ["agentIds"]);
    }
}
