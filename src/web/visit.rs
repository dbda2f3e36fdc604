//! Who is here: an argument of this type in a handler *is* the check.

use app::{Flash, FlashKind};
use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use domain::{Actor, UserId};
use tower_sessions::Session;

use super::session::{FLASH, USER, hash};
use crate::state::AppState;

/// A visitor or a signed-in person.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Who acts.
    pub actor: Actor,
    /// Their session; not yet stored for a visitor.
    pub session: Session,
}

/// A signed-in person; others are sent to sign in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The visit.
    pub visit: Visit,
    /// Who.
    pub user: UserId,
}

impl Visit {
    /// What the session is called in the database.
    pub fn session_hash(&self) -> [u8; 32] {
        self.session.id().map(|id| hash(&id)).unwrap_or_default()
    }

    /// Leaves a message for the next page.
    pub async fn flash(&self, kind: FlashKind, text: impl Into<String>, detail: Option<String>) {
        let flash = Flash { kind, text: text.into(), detail };
        if let Err(error) = self.session.insert(FLASH, flash).await {
            tracing::error!(%error, "a message could not be left in the session");
        }
    }

    /// Takes the message that was left.
    pub async fn take_flash(&self) -> Option<Flash> {
        self.session.remove(FLASH).await.ok().flatten()
    }
}

impl FromRequestParts<AppState> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let session = Session::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        let user = session.get::<UserId>(USER).await.map_err(|error| {
            tracing::error!(%error, "a session could not be read");
            axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
        })?;
        Ok(Visit { actor: user.map_or(Actor::Anonymous, Actor::Session), session })
    }
}

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let visit = Visit::from_request_parts(parts, state).await?;
        match visit.actor {
            Actor::Session(user) => Ok(SignedIn { visit, user }),
            Actor::Anonymous | Actor::Key { .. } | Actor::System => {
                let OriginalUri(uri) =
                    OriginalUri::from_request_parts(parts, state).await.unwrap_or_else(|e| match e {});
                // A form cannot be sent again after signing in; its page can be shown again.
                let back = if parts.method == axum::http::Method::GET { uri.path() } else { "/dashboard" };
                Err(Redirect::to(&app::pages::errors::sign_in_address(back)).into_response())
            }
        }
    }
}
