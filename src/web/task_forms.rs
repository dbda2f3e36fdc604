//! What a person does with a task: cancel it, fetch its files.

use app::FlashKind;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use domain::TaskId;
use domain::tasks::{self, PartBody};
use serde::Deserialize;

use super::account_forms::Fields;
use super::failure::status_of;
use super::page;
use super::visit::SignedIn;
use crate::state::AppState;

/// Calls a task off.
pub async fn cancel(
    State(state): State<AppState>,
    me: SignedIn,
    Path(id): Path<TaskId>,
    Form(fields): Form<Fields>,
) -> Response {
    match tasks::cancel(&state.db, &me.visit.actor, id).await {
        Ok(()) => {
            me.visit.flash(FlashKind::Good, "Cancelled. What was held is back on your balance.", None).await;
            Redirect::to(&format!("/tasks/{id}")).into_response()
        }
        Err(error) => page::refused(&state, &me.visit, &format!("/tasks/{id}"), fields, error).await,
    }
}

/// How to show a file.
#[derive(Deserialize)]
pub struct Shown {
    inline: Option<String>,
}

/// A part of an artifact as a file. An agent made it, so a browser must never run it: only images that cannot carry
/// script are shown in place, everything else is a download.
pub async fn download(
    State(state): State<AppState>,
    me: SignedIn,
    Path((id, artifact, part)): Path<(TaskId, usize, usize)>,
    Query(shown): Query<Shown>,
) -> Response {
    let found = match tasks::file(&state.db, &me.visit.actor, id, artifact, part).await {
        Ok(part) => part,
        Err(error) => return (status_of(&error), app::sentence(&error.to_string())).into_response(),
    };
    let (bytes, fallback) = match found.body {
        PartBody::Raw(bytes) => (bytes, "file.bin"),
        PartBody::Text(text) => (text.into_bytes(), "text.txt"),
        PartBody::Data(value) => (serde_json::to_vec_pretty(&value).unwrap_or_default(), "data.json"),
        PartBody::Url(_) => return (StatusCode::NOT_FOUND, "This part is a link, not a file.").into_response(),
    };
    let media_type = found.media_type.as_deref().unwrap_or("application/octet-stream");
    let image = ["image/png", "image/jpeg", "image/gif", "image/webp"].contains(&media_type);
    let inline = image && shown.inline.is_some();
    let name: String = found.filename.unwrap_or_else(|| fallback.into());
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
    let disposition = format!("{}; filename=\"{name}\"", if inline { "inline" } else { "attachment" });
    let media_type = if inline { media_type } else { "application/octet-stream" };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_str(media_type)),
        (header::CONTENT_DISPOSITION, HeaderValue::from_str(&disposition)),
        (header::CONTENT_SECURITY_POLICY, Ok(HeaderValue::from_static("default-src 'none'; sandbox"))),
        (header::CACHE_CONTROL, Ok(HeaderValue::from_static("private, max-age=3600"))),
    ];
    let mut response = bytes.into_response();
    for (name, value) in headers {
        if let Ok(value) = value {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
