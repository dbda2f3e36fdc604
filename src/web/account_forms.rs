//! The forms of accounts: sign up, sign in, sign out, settings.

use std::net::SocketAddr;

use app::FlashKind;
use axum::Form;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Utc;
use domain::accounts::{self, SignIn, SignUp};
use domain::{Error, UserId};

use super::client_address;
use super::page;
use super::session::{USER, USER_AGENT};
use super::visit::{SignedIn, Visit};
use crate::state::AppState;

/// A form as it was sent: names and values in order.
pub type Fields = Vec<(String, String)>;

/// The value of `name`; empty when it was not sent.
pub fn field(fields: &Fields, name: &str) -> String {
    fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).unwrap_or_default()
}

/// Opens an account and signs in.
pub async fn sign_up(
    State(state): State<AppState>,
    visit: Visit,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let new =
        SignUp { email: field(&fields, "email"), password: field(&fields, "password"), name: field(&fields, "name") };
    match accounts::sign_up(&state.db, new).await {
        Ok(user) => match enter(&visit, user, &headers).await {
            Ok(()) => {
                let text = "Welcome to NEXUS. 1,000.00 credits are on your account: hire an agent to try them.";
                visit.flash(FlashKind::Good, text, None).await;
                Redirect::to(&next(&fields, "/marketplace")).into_response()
            }
            Err(error) => page::refused(&state, &visit, "/sign-up", fields, error).await,
        },
        Err(error) => page::refused(&state, &visit, "/sign-up", fields, error).await,
    }
}

/// Signs in with a new session id.
pub async fn sign_in(
    State(state): State<AppState>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    visit: Visit,
    headers: HeaderMap,
    Form(fields): Form<Fields>,
) -> Response {
    let input = SignIn {
        email: field(&fields, "email"),
        password: field(&fields, "password"),
        address: client_address::of(Some(from.ip()), &headers, &state.trusted_proxies).to_string(),
    };
    let done = match accounts::sign_in(&state.db, input, Utc::now()).await {
        Ok(user) => enter(&visit, user, &headers).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Redirect::to(&next(&fields, "/dashboard")).into_response(),
        Err(error) => {
            let address = app::pages::errors::sign_in_address(&field(&fields, "next"));
            page::refused(&state, &visit, &address, fields, error).await
        }
    }
}

/// Ends this session.
pub async fn sign_out(visit: Visit) -> Response {
    if let Err(error) = visit.session.flush().await {
        tracing::error!(%error, "a session could not be ended");
        return axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    Redirect::to("/").into_response()
}

/// Renames the account.
pub async fn change_name(State(state): State<AppState>, me: SignedIn, Form(fields): Form<Fields>) -> Response {
    let done = accounts::change_name(&state.db, &me.visit.actor, &field(&fields, "name")).await;
    settled(&state, &me.visit, fields, done, "Your name is changed.").await
}

/// Changes the password and ends the other sessions.
pub async fn change_password(State(state): State<AppState>, me: SignedIn, Form(fields): Form<Fields>) -> Response {
    let (old, new) = (field(&fields, "current_password"), field(&fields, "new_password"));
    let done = async {
        accounts::change_password(&state.db, &me.visit.actor, old, new).await?;
        accounts::end_other_sessions(&state.db, &me.visit.actor, &me.visit.session_hash()).await
    };
    let done = done.await.map(|_| ());
    settled(&state, &me.visit, fields, done, "Your password is changed, and your other sessions are ended.").await
}

/// Ends one session.
pub async fn end_session(State(state): State<AppState>, me: SignedIn, Form(fields): Form<Fields>) -> Response {
    let done = match field(&fields, "handle").parse() {
        Ok(handle) => accounts::end_session(&state.db, &me.visit.actor, handle).await,
        Err(_) => Err(Error::NotFound(domain::Missing::Session)),
    };
    settled(&state, &me.visit, fields, done, "The session is ended.").await
}

/// Ends all sessions but this one.
pub async fn end_other_sessions(State(state): State<AppState>, me: SignedIn, Form(fields): Form<Fields>) -> Response {
    let done = accounts::end_other_sessions(&state.db, &me.visit.actor, &me.visit.session_hash()).await.map(|_| ());
    settled(&state, &me.visit, fields, done, "Your other sessions are ended.").await
}

/// Closes the account.
pub async fn close(State(state): State<AppState>, me: SignedIn, Form(fields): Form<Fields>) -> Response {
    match accounts::close(&state.db, &me.visit.actor, field(&fields, "password")).await {
        Ok(()) => {
            // Its sessions are gone; this one starts anew to carry the message.
            if let Err(error) = me.visit.session.flush().await {
                tracing::error!(%error, "a session could not be ended");
            }
            me.visit.flash(FlashKind::Good, "Your account is closed.", None).await;
            Redirect::to("/").into_response()
        }
        Err(error) => page::refused(&state, &me.visit, "/settings", fields, error).await,
    }
}

async fn settled(state: &AppState, visit: &Visit, fields: Fields, done: domain::Result<()>, said: &str) -> Response {
    match done {
        Ok(()) => {
            visit.flash(FlashKind::Good, said, None).await;
            Redirect::to("/settings").into_response()
        }
        Err(error) => page::refused(state, visit, "/settings", fields, error).await,
    }
}

/// Signs `user` in: a new id, so that an id planted before is worthless.
async fn enter(visit: &Visit, user: UserId, headers: &HeaderMap) -> domain::Result<()> {
    let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let agent: String = agent.chars().take(300).collect();
    let write = async {
        visit.session.cycle_id().await?;
        visit.session.insert(USER, user).await?;
        visit.session.insert(USER_AGENT, agent).await
    };
    write.await.map_err(|e| Error::Internal(e.into()))
}

/// Where to go after signing in: a path of this site, never another's.
fn next(fields: &Fields, default: &str) -> String {
    let wanted = field(fields, "next");
    let local = wanted.starts_with('/') && !wanted.starts_with("//") && !wanted.contains(['\\', '\r', '\n', '\t']);
    if local { wanted } else { default.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_one_stays_on_this_site() {
        let go = |to: &str| next(&vec![("next".into(), to.into())], "/dashboard");
        assert_eq!(go("/tasks?state=running"), "/tasks?state=running");
        for bad in ["", "//evil.example", "https://evil.example", "/\\evil.example", "\\/evil", "/\t/evil"] {
            assert_eq!(go(bad), "/dashboard", "{bad}");
        }
    }
}
