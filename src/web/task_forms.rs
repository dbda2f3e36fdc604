//! What a person does with a task: cancel it, answer its agent, send it again, fetch its files.

use app::FlashKind;
use axum::Form;
use axum::extract::{Multipart, Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Utc;
use domain::tasks::{self, Part, PartBody};
use domain::{Credits, Error, TaskId};
use serde::Deserialize;

use super::account_forms::{Fields, field};
use super::failure::status_of;
use super::visit::SignedIn;
use super::{hire_form, page};
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

/// Answers what the agent asked.
pub async fn reply(
    State(state): State<AppState>,
    me: SignedIn,
    Path(id): Path<TaskId>,
    multipart: Multipart,
) -> Response {
    let address = format!("/tasks/{id}");
    let (fields, upload) = match hire_form::read(multipart).await {
        Ok(sent) => sent,
        Err(error) => return page::refused(&state, &me.visit, &address, Vec::new(), error).await,
    };
    let text = field(&fields, "message");
    let mut parts: Vec<Part> = (!text.trim().is_empty()).then(|| Part::text(text)).into_iter().collect();
    parts.extend(upload.map(hire_form::Upload::part));
    match tasks::reply(&state.db, &me.visit.actor, id, &parts).await {
        Ok(()) => {
            me.visit.flash(FlashKind::Good, "Sent. The agent goes on.", None).await;
            Redirect::to(&address).into_response()
        }
        Err(error) => page::refused(&state, &me.visit, &address, fields, error).await,
    }
}

/// Orders the same again, at the price that the button said.
pub async fn again(
    State(state): State<AppState>,
    me: SignedIn,
    Path(id): Path<TaskId>,
    Form(fields): Form<Fields>,
) -> Response {
    let price = match field(&fields, "price") {
        text if text.is_empty() => Ok(None),
        text => text.parse::<Credits>().map(Some).map_err(|e| Error::field("price", e.to_string())),
    };
    let done = async { tasks::send_again(&state.db, &me.visit.actor, id, price?, Utc::now()).await };
    match done.await {
        Ok(new) => {
            me.visit.flash(FlashKind::Good, "Sent again. The agent is being called.", None).await;
            Redirect::to(&format!("/tasks/{}", new.id)).into_response()
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
    as_download(found, shown.inline.is_some())
        .unwrap_or_else(|| (StatusCode::NOT_FOUND, "This part is a link, not a file.").into_response())
}

/// A part as a file; `None` for a link. Only images are shown `inline`.
pub fn as_download(found: Part, inline: bool) -> Option<Response> {
    let (bytes, fallback) = match found.body {
        PartBody::Raw(bytes) => (bytes, "file.bin"),
        PartBody::Text(text) => (text.into_bytes(), "text.txt"),
        PartBody::Data(value) => (serde_json::to_vec_pretty(&value).unwrap_or_default(), "data.json"),
        PartBody::Url(_) => return None,
    };
    let media_type = found.media_type.as_deref().unwrap_or("application/octet-stream");
    let image = ["image/png", "image/jpeg", "image/gif", "image/webp"].contains(&media_type);
    let inline = image && inline;
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
    Some(response)
}
