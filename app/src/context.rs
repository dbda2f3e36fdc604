//! What the server hands to a page, and how a page turns what it loads into HTML and a status.

use std::future::Future;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::accounts::Profile;
use domain::ledger::Balance;
use domain::{Actor, Db, Error, FieldError};
use leptos::prelude::*;

use crate::pages::errors;

/// One request for a page.
#[derive(Clone)]
pub struct PageRequest {
    /// The database.
    pub db: Db,
    /// Who asks.
    pub actor: Actor,
    /// Who asks, for the header; `None` for visitors.
    pub viewer: Option<Viewer>,
    /// When.
    pub now: DateTime<Utc>,
    /// SHA-256 of the session cookie; what `domain::accounts::sessions` calls the current one.
    pub session: [u8; 32],
    /// What was typed into a form that was refused; empty on a fresh page.
    pub form: Form,
    /// What the request before this one has to say.
    pub flash: Option<Flash>,
    /// The site's settings.
    pub site: Site,
    /// The path and query of this request.
    pub uri: String,
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Their account.
    pub profile: Profile,
    /// What they have.
    pub balance: Balance,
}

/// What pages need to know of the configuration.
#[derive(Clone, Debug)]
pub struct Site {
    /// Where people reach the site, without a trailing slash.
    pub public_url: String,
    /// Whether payments are play money.
    pub sandbox: bool,
    /// The demo's account, while the demo runs.
    pub demo: Option<DemoAccount>,
    /// Changes with each build, for the addresses of the site's files.
    pub version: String,
    /// What the REST API offers.
    pub api: Arc<ApiOffer>,
}

/// What the REST API offers, as its reference shows it.
#[derive(Debug)]
pub struct ApiOffer {
    /// Whether the site was built with the viewer of the OpenAPI document.
    pub viewer: bool,
    /// Every operation, in the document's order.
    pub operations: Vec<ApiOperation>,
}

/// One operation of the REST API.
#[derive(Debug, PartialEq, Eq)]
pub struct ApiOperation {
    /// What it is about.
    pub tag: String,
    /// `GET`, `POST`, …
    pub method: String,
    /// Its path, with `{placeholders}`.
    pub path: String,
    /// What it does.
    pub summary: String,
    /// What a caller needs for it: scopes of a key, `any key`, `no key`; ways are joined by “or”.
    pub needs: String,
}

/// The demo's account.
#[derive(Clone, Debug)]
pub struct DemoAccount {
    /// Its address.
    pub email: String,
    /// Its password.
    pub password: String,
}

/// What was typed, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// Fields and their values as sent; passwords and files are left out.
    pub values: Vec<(String, String)>,
    /// What is wrong, field by field.
    pub errors: Vec<FieldError>,
    /// What is wrong with no one field.
    pub message: Option<String>,
}

impl Form {
    /// Whether a form was sent at all (then its values win over what is stored).
    pub fn is_sent(&self) -> bool {
        !self.values.is_empty() || !self.errors.is_empty() || self.message.is_some()
    }

    /// This, if it was sent from the form of that `section` of the page (its hidden field); else an empty one.
    pub fn of_section(&self, section: &str) -> Form {
        if self.value("section") == Some(section) { self.clone() } else { Form::default() }
    }

    /// This, if it was sent from none of the page's sections (a button, another page); else an empty one.
    pub fn of_no_section(&self) -> Form {
        if self.value("section").is_none() { self.clone() } else { Form::default() }
    }

    /// Whether one of the boxes `field` was ticked with `value`; before anything was sent, whether it is `stored`.
    pub fn ticked(&self, field: &str, value: &str, stored: bool) -> bool {
        if self.is_sent() { self.values.iter().any(|(name, v)| name == field && v == value) } else { stored }
    }

    /// What was typed into `field`.
    pub fn value(&self, field: &str) -> Option<&str> {
        self.values.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str())
    }

    /// What was typed into `field`, else `stored`.
    pub fn value_or(&self, field: &str, stored: &str) -> String {
        self.value(field).unwrap_or(stored).to_owned()
    }

    /// What is wrong with `field`.
    pub fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|e| e.field == field).map(|e| e.message.as_str())
    }
}

/// A message of the kind that is shown once.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Flash {
    /// How it went.
    pub kind: FlashKind,
    /// One sentence.
    pub text: String,
    /// A secret that is shown this once, or the answer of a test call.
    pub detail: Option<String>,
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum FlashKind {
    /// Done.
    Good,
    /// Not done.
    Bad,
    /// Done, and `detail` is a secret to copy now.
    Secret,
}

/// The request that the page is for.
pub fn page_request() -> PageRequest {
    expect_context::<PageRequest>()
}

/// A part of a page that needs data: waits for it (the whole page does, so no script is needed), and turns an
/// error into the right status, a redirect to sign-in, or a sentence.
pub fn load<V, Fut>(future: Fut) -> impl IntoView
where
    V: IntoView + 'static,
    Fut: Future<Output = Result<V, Error>> + Send + 'static,
{
    let request = page_request();
    let suspended = Suspend::new(async move {
        match future.await {
            Ok(view) => view.into_any(),
            Err(error) => errors::respond(&error, &request).into_any(),
        }
    });
    view! { <Suspense fallback=|| ()>{suspended}</Suspense> }
}

/// `is not set` as a sentence.
pub fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}
