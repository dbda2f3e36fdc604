//! The owner's answer to a review.

use app::FlashKind;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::{AgentId, Cursor, TaskId, trust};

use super::account_forms::{Fields, field};
use super::page;
use super::visit::SignedIn;
use crate::state::AppState;

/// Publishes or changes the answer to the review of a task; back to the page of reviews that it stands on.
pub async fn answer(
    State(state): State<AppState>,
    me: SignedIn,
    Path((agent, task)): Path<(AgentId, TaskId)>,
    Form(fields): Form<Fields>,
) -> Response {
    let page = field(&fields, "reviews").parse::<Cursor>().map(|c| format!("?reviews={c}")).unwrap_or_default();
    let page = format!("/marketplace/{agent}{page}");
    match trust::answer_review(&state.db, &me.visit.actor, task, &field(&fields, "answer")).await {
        Ok(()) => {
            me.visit.flash(FlashKind::Good, "Your answer stands under the review.", None).await;
            Redirect::to(&format!("{page}#review-{task}")).into_response()
        }
        Err(error) => page::refused(&state, &me.visit, &page, fields, error).await,
    }
}
