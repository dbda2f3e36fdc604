//! Pages for what is not there or went wrong.

use domain::{Error, Missing};
use http::StatusCode;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use crate::context::PageRequest;

/// No page at this address.
#[component]
pub fn NotFound() -> impl IntoView {
    set_status(StatusCode::NOT_FOUND);
    view! { <h1>"Nothing here"</h1> }
}

/// What a page shows instead of data that could not be loaded, with the right status.
pub fn respond(error: &Error, request: &PageRequest) -> impl IntoView + use<> {
    match error {
        Error::Unauthorized | Error::WrongCredentials => {
            leptos_axum::redirect(&sign_in_address(&request.uri));
            view! { <h1>"Sign in first"</h1> }.into_any()
        }
        Error::NotFound(Missing::Agent | Missing::Task | Missing::Account | Missing::Session | Missing::Purchase) => {
            view! { <NotFound /> }.into_any()
        }
        _ => {
            set_status(StatusCode::INTERNAL_SERVER_ERROR);
            view! { <h1>"Something went wrong"</h1> }.into_any()
        }
    }
}

/// Where to sign in, and to come back from there.
pub fn sign_in_address(back_to: &str) -> String {
    let next: String = back_to
        .bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => char::from(b).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    format!("/sign-in?next={next}")
}

fn set_status(status: StatusCode) {
    if let Some(options) = use_context::<ResponseOptions>() {
        options.set_status(status);
    }
}
