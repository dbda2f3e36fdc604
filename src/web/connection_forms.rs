//! What a person does about clients: look at what one asks, say yes or no, cut one off.

use app::{FlashKind, Form as Typed};
use axum::Form;
use axum::extract::{OriginalUri, Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{TimeDelta, Utc};
use domain::api_keys::connections::{self, Asked, Choice, LIFE_PRESETS, Problem};
use domain::api_keys::{Scope, Scopes};
use domain::{Actor, Credits, Error, KeyId};
use url::{Host, Url};

use super::account_forms::{Fields, field};
use super::key_forms::{all, number};
use super::page;
use super::visit::{SignedIn, Visit};
use crate::state::AppState;

/// The page that lists connections.
const PAGE: &str = "/settings/connections";

/// The authorization endpoint: puts what a client asks before a person, who signs in first.
pub async fn authorize(State(state): State<AppState>, visit: Visit, OriginalUri(uri): OriginalUri) -> Response {
    match asked(&state, &visit, &uri).await {
        Ok(asked) => page::towards(&state, &visit, &uri.to_string(), Typed::default(), form_source(&asked)).await,
        Err(response) => response,
    }
}

/// The answer of the person.
pub async fn decide(
    State(state): State<AppState>,
    visit: Visit,
    OriginalUri(uri): OriginalUri,
    Form(fields): Form<Fields>,
) -> Response {
    let asked = match asked(&state, &visit, &uri).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    // Whatever is not a yes is a no.
    if field(&fields, "answer") != "approve" {
        return Redirect::to(&asked.denied()).into_response();
    }
    let now = Utc::now();
    let done = async {
        let choice = choice(&fields, now)?;
        connections::approve(&state.db, &visit.actor, &asked, &choice, now).await
    };
    match done.await {
        Ok(code) => Redirect::to(&asked.answered(&code)).into_response(),
        Err(error) => page::refused_towards(&state, &visit, &uri.to_string(), fields, error, form_source(&asked)).await,
    }
}

/// Cuts a client off.
pub async fn cut_off(State(state): State<AppState>, me: SignedIn, Path(id): Path<KeyId>) -> Response {
    match connections::cut_off(&state.db, &me.visit.actor, id, Utc::now()).await {
        Ok(()) => {
            me.visit.flash(FlashKind::Good, "It is cut off. What it sends is refused from now on.", None).await;
            Redirect::to(PAGE).into_response()
        }
        Err(error) => page::refused(&state, &me.visit, PAGE, Vec::new(), error).await,
    }
}

/// What is asked, of a person who is signed in; else the response.
async fn asked(state: &AppState, visit: &Visit, uri: &Uri) -> Result<Asked, Response> {
    match connections::ask(&state.db, &state.site.public_url, uri.query().unwrap_or_default()).await {
        Err(Problem::Sent(to)) => Err(Redirect::to(&to).into_response()),
        // The page says what is wrong, with the right status.
        Err(Problem::Shown(_) | Problem::Fault(_)) => {
            Err(page::filled(state, visit, &uri.to_string(), Typed::default()).await)
        }
        Ok(asked) if matches!(visit.actor, Actor::Session(_)) => Ok(asked),
        Ok(_) => Err(Redirect::to(&app::pages::errors::sign_in_address(&uri.to_string())).into_response()),
    }
}

fn choice(fields: &Fields, now: chrono::DateTime<Utc>) -> domain::Result<Choice> {
    let mut wrong = Vec::new();
    let mut keep = |error: Error| {
        if let Error::Validation(errors) = error {
            wrong.extend(errors);
        }
    };
    let mut cap = |name: &str| number::<Credits>(fields, name).map_err(&mut keep).unwrap_or_default();
    let (daily_cap, monthly_cap, total_cap) = (cap("dailyCap"), cap("monthlyCap"), cap("totalCap"));
    let words = all(fields, "scopes");
    let scopes = words.iter().filter_map(|word| Scope::parse(word)).collect();
    if let Err(error) = Scopes::parse(&words) {
        keep(error);
    }
    let ends_at = match field(fields, "life").as_str() {
        "never" => None,
        days => match days.parse::<i64>() {
            Ok(days) if LIFE_PRESETS.contains(&days) => Some(now + TimeDelta::days(days)),
            Ok(_) | Err(_) => {
                keep(Error::field("life", "is not one of those offered"));
                None
            }
        },
    };
    if wrong.is_empty() {
        Ok(Choice { scopes, daily_cap, monthly_cap, total_cap, ends_at })
    } else {
        Err(Error::Validation(wrong))
    }
}

/// Where the form's redirect leads, as a source of a Content-Security-Policy: Chromium holds redirects of a form to its
/// `form-action`. An IPv6 address cannot be written as a host there.
fn form_source(asked: &Asked) -> Option<String> {
    source_of(&Url::parse(&asked.redirect_uri).ok()?)
}

fn source_of(url: &Url) -> Option<String> {
    match (url.scheme(), url.host()) {
        ("http" | "https", Some(Host::Domain(_) | Host::Ipv4(_))) => Some(url.origin().ascii_serialization()),
        (scheme, _) => Some(format!("{scheme}:")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_may_lead_to_the_client_and_nowhere_else() {
        let source = |uri: &str| source_of(&Url::parse(uri).unwrap()).unwrap();
        assert_eq!(source("https://client.example/cb;x?y"), "https://client.example");
        assert_eq!(source("http://127.0.0.1:4000/cb"), "http://127.0.0.1:4000");
        assert_eq!(source("http://[::1]:4000/cb"), "http:");
        assert_eq!(source("com.example.app:/cb"), "com.example.app:");
    }

    #[test]
    fn what_was_chosen_is_read_and_each_wrong_field_named() {
        let now = chrono::DateTime::UNIX_EPOCH;
        let of = |pairs: &[(&str, &str)]| {
            choice(&pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(), now)
        };
        let good =
            of(&[("scopes", "tasks:write"), ("monthlyCap", "100.00"), ("dailyCap", ""), ("life", "30")]).unwrap();
        assert_eq!(good.scopes.into_iter().collect::<Vec<_>>(), [Scope::TasksWrite]);
        assert_eq!((good.daily_cap, good.monthly_cap.map(|c| c.to_string())), (None, Some("100.00".into())));
        assert_eq!(good.ends_at, Some(now + TimeDelta::days(30)));
        assert_eq!(of(&[("scopes", "tasks:read"), ("life", "never")]).unwrap().ends_at, None);
        let Err(Error::Validation(wrong)) = of(&[("dailyCap", "much"), ("life", "31")]) else { panic!("it is wrong") };
        assert_eq!(wrong.iter().map(|e| e.field.as_str()).collect::<Vec<_>>(), ["dailyCap", "scopes", "life"]);
    }
}
