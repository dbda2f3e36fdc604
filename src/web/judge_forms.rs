//! What is said of a task's result: accepted, rated, disputed; and what ends a dispute.

use std::future::Future;

use app::FlashKind;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Utc;
use domain::tasks::{self, disputes};
use domain::{Credits, Error, TaskId};

use super::account_forms::{Fields, field};
use super::page;
use super::visit::SignedIn;
use crate::state::AppState;

type Id = Path<TaskId>;

/// Does it, and goes back to `address` with a word; or shows the page with what was typed.
async fn answer(
    state: &AppState,
    me: &SignedIn,
    address: &str,
    fields: Fields,
    done: impl Future<Output = domain::Result<()>>,
    word: &'static str,
) -> Response {
    match done.await {
        Ok(()) => {
            me.visit.flash(FlashKind::Good, word, None).await;
            Redirect::to(address).into_response()
        }
        Err(error) => page::refused(state, &me.visit, address, fields, error).await,
    }
}

fn refund(fields: &Fields) -> domain::Result<Credits> {
    field(fields, "refund").parse().map_err(|e: domain::CreditsError| Error::field("refund", e.to_string()))
}

/// Accepts the result.
pub async fn accept(State(state): State<AppState>, me: SignedIn, Path(id): Id, Form(fields): Form<Fields>) -> Response {
    let done = tasks::accept(&state.db, &me.visit.actor, id, Utc::now());
    answer(&state, &me, &format!("/tasks/{id}"), fields, done, "Accepted.").await
}

/// Rates it.
pub async fn rate(State(state): State<AppState>, me: SignedIn, Path(id): Id, Form(fields): Form<Fields>) -> Response {
    let text = field(&fields, "text");
    let stars = field(&fields, "stars");
    let done = async {
        let stars = stars.parse().map_err(|_| Error::field("stars", "are missing: pick one to five"))?;
        tasks::rate(&state.db, &me.visit.actor, id, stars, &text, Utc::now()).await
    };
    answer(&state, &me, &format!("/tasks/{id}"), fields, done, "Thank you. Your review is on the agent's page.").await
}

/// Rejects the result and opens a dispute.
pub async fn dispute(
    State(state): State<AppState>,
    me: SignedIn,
    Path(id): Id,
    Form(fields): Form<Fields>,
) -> Response {
    let reason = field(&fields, "statement");
    let done = disputes::open(&state.db, &me.visit.actor, id, &reason, Utc::now());
    let word = "Disputed. What you paid is in escrow until it is decided.";
    answer(&state, &me, &format!("/tasks/{id}"), fields, done, word).await
}

/// Adds a statement.
pub async fn say(State(state): State<AppState>, me: SignedIn, Path(id): Id, Form(fields): Form<Fields>) -> Response {
    let text = field(&fields, "statement");
    let done = disputes::say(&state.db, &me.visit.actor, id, &text, Utc::now());
    answer(&state, &me, &format!("/tasks/{id}"), fields, done, "Your statement is added.").await
}

/// Proposes a refund.
pub async fn offer(State(state): State<AppState>, me: SignedIn, Path(id): Id, Form(fields): Form<Fields>) -> Response {
    let sum = refund(&fields);
    let done = async { disputes::offer(&state.db, &me.visit.actor, id, sum?).await };
    answer(&state, &me, &format!("/tasks/{id}"), fields, done, "Proposed. The other side can accept it.").await
}

/// Accepts the other side's proposal.
pub async fn accept_offer(
    State(state): State<AppState>,
    me: SignedIn,
    Path(id): Id,
    Form(fields): Form<Fields>,
) -> Response {
    let sum = refund(&fields);
    let done = async { disputes::accept_offer(&state.db, &me.visit.actor, id, sum?, Utc::now()).await };
    answer(&state, &me, &format!("/tasks/{id}"), fields, done, "Agreed. The dispute has ended.").await
}

/// Gives in.
pub async fn give_in(
    State(state): State<AppState>,
    me: SignedIn,
    Path(id): Id,
    Form(fields): Form<Fields>,
) -> Response {
    let done = disputes::give_in(&state.db, &me.visit.actor, id, Utc::now());
    answer(&state, &me, &format!("/tasks/{id}"), fields, done, "The dispute has ended.").await
}

/// An operator decides.
pub async fn decide(State(state): State<AppState>, me: SignedIn, Path(id): Id, Form(fields): Form<Fields>) -> Response {
    let (sum, reason) = (refund(&fields), field(&fields, "statement"));
    let done = async { disputes::decide(&state.db, &me.visit.actor, id, sum?, &reason, Utc::now()).await };
    answer(&state, &me, &format!("/admin/disputes/{id}"), fields, done, "Decided.").await
}
