//! The account over REST, and whether the program is well.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::Db;
use domain::accounts::{self, Profile};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{Answer, Data, data};
use super::caller::{AnyScope, Caller, FullAccess};
use super::input::Input;
use super::once::{Done, Once};
use crate::state::AppState;
use crate::web::failure::ApiError;

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The account.
    id: Uuid,
    /// Where mail goes; `null` for a key that may not do everything.
    #[schema(required)]
    email: Option<String>,
    /// Shown as publisher of its agents.
    name: String,
    /// When it was opened.
    created_at: DateTime<Utc>,
}

impl Account {
    fn of(profile: Profile, all: bool) -> Account {
        Account {
            id: profile.id.0,
            email: all.then_some(profile.email),
            name: profile.name,
            created_at: profile.created_at,
        }
    }
}

/// Get the account
///
/// Whose key this is.
#[utoipa::path(get, path = "/account", tag = "Account", operation_id = "getAccount", security(("key" = [])),
    responses((status = 200, description = "The account", body = Data<Account>)))]
pub async fn one(State(state): State<AppState>, caller: Caller<AnyScope>) -> Answer<Account> {
    let all = caller.key.scopes == domain::api_keys::Scopes::All;
    Ok(data(Account::of(accounts::profile(&state.db, &caller.actor).await?, all)))
}

/// What changes of an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    /// The name to show; 1 to 100 characters.
    name: Option<String>,
}

/// Change the account
#[utoipa::path(patch, path = "/account", tag = "Account", operation_id = "changeAccount", security(("key" = ["*"])),
    request_body = AccountChange, responses((status = 200, description = "The account", body = Data<Account>)))]
pub async fn change(
    State(state): State<AppState>,
    caller: Caller<FullAccess>,
    once: Once,
    input: Input<AccountChange>,
) -> Result<Done, ApiError> {
    let actor = caller.actor;
    let done = once.run(&state.db, &actor, &input.fingerprint, StatusCode::OK, |db: Db| async move {
        if let Some(name) = input.body.name {
            accounts::change_name(&db, &actor, &name).await?;
        }
        Ok(Account::of(accounts::profile_within(&db, &actor).await?, true))
    });
    Ok(done.await?)
}

/// Whether the program can work.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ready` or `not ready`.
    status: &'static str,
    /// The program's version.
    version: &'static str,
}

/// Check the health
///
/// Whether the database answers and has this program's schema.
#[utoipa::path(get, path = "/health", tag = "Health", operation_id = "getHealth",
    responses((status = 200, description = "It can work", body = Data<Health>),
              (status = 503, description = "It cannot, just now", body = Data<Health>)))]
pub async fn health(State(state): State<AppState>) -> Response {
    let (status, word) = crate::web::health::ready(State(state)).await;
    (status, data(Health { status: word, version: env!("CARGO_PKG_VERSION") })).into_response()
}
