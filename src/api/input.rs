//! What programs send, read so that an error names the field.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri, header};
use domain::{AgentId, Error, KeyId, Missing, PurchaseId, TaskId, WebhookId};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use crate::state::AppState;
use crate::web::failure::ApiError;

/// Most rows of a page.
pub const LIMIT_MAX: usize = 100;

/// A JSON body, and what the request is recognised by when it is sent again.
pub struct Input<T> {
    /// What was sent.
    pub body: T,
    /// SHA-256 of method, path and body.
    pub fingerprint: [u8; 32],
}

/// A body without fields: nothing at all, or `{}`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

impl<T: DeserializeOwned> FromRequest<AppState> for Input<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        let json = parts.headers.get(header::CONTENT_TYPE).is_none_or(|kind| {
            kind.to_str().is_ok_and(|k| {
                let k = k.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
                k == "application/json" || k.ends_with("+json")
            })
        });
        let target = parts.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
        let mut hash = Sha256::new().chain_update(parts.method.as_str()).chain_update([0]).chain_update(&target);
        let bytes =
            Bytes::from_request(Request::from_parts(parts, body), state).await.map_err(|e: BytesRejection| {
                let what =
                    if e.status() == StatusCode::PAYLOAD_TOO_LARGE { "is larger than 4 MB" } else { "broke off" };
                ApiError(Error::field("body", what))
            })?;
        hash.update([0]);
        hash.update(&bytes);
        let sent: &[u8] = if bytes.trim_ascii().is_empty() { b"{}" } else { &bytes };
        if !json && sent != b"{}" {
            return Err(ApiError(Error::field("Content-Type", "must be application/json")));
        }
        // serde would take a list for an object, field by field in its own order.
        if sent.trim_ascii_start().starts_with(b"[") {
            return Err(ApiError(Error::field("body", "must be an object, not a list")));
        }
        let mut reader = serde_json::Deserializer::from_slice(sent);
        let body = serde_path_to_error::deserialize(&mut reader).map_err(|e| {
            let path = e.path().to_string();
            let inner = e.inner();
            let what = inner.to_string();
            // The place in the text helps nobody who sent an object; the field does.
            let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(what, _)| what).to_owned();
            match inner.classify() {
                serde_json::error::Category::Data => ApiError(named(&path, &what)),
                serde_json::error::Category::Syntax
                | serde_json::error::Category::Eof
                | serde_json::error::Category::Io => ApiError(Error::field("body", format!("is not JSON: {inner}"))),
            }
        })?;
        if let Err(e) = reader.end() {
            return Err(ApiError(Error::field("body", format!("is not one JSON value: {e}"))));
        }
        Ok(Input { body, fingerprint: hash.finalize().into() })
    }
}

/// serde says "missing field `x`" of the object; people look for x.
fn named(path: &str, what: &str) -> Error {
    let quoted = what.split('`').nth(1).unwrap_or_default();
    let within = |name: &str| if path == "." { name.to_owned() } else { format!("{path}.{name}") };
    if what.starts_with("missing field") {
        Error::field(within(quoted), "is missing")
    } else if what.starts_with("unknown field") {
        let field = if path.rsplit('.').next() == Some(quoted) { path.to_owned() } else { within(quoted) };
        let known = what.split_once(", ").map_or("no fields", |(_, known)| known);
        Error::field(field, format!("is not a field here: {known}"))
    } else {
        Error::field(if path == "." { "body" } else { path }, what)
    }
}

/// An id in the path. One that cannot be one is not found.
pub struct Id<T>(pub T);

/// What is missing when an id leads nowhere.
pub trait Identifies: std::str::FromStr {
    /// That.
    const MISSING: Missing;
}

impl Identifies for AgentId {
    const MISSING: Missing = Missing::Agent;
}

impl Identifies for TaskId {
    const MISSING: Missing = Missing::Task;
}

impl Identifies for KeyId {
    const MISSING: Missing = Missing::Key;
}

impl Identifies for WebhookId {
    const MISSING: Missing = Missing::Webhook;
}

impl Identifies for PurchaseId {
    const MISSING: Missing = Missing::Purchase;
}

impl<T: Identifies + Send> FromRequestParts<AppState> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let missing = || ApiError(Error::NotFound(T::MISSING));
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| missing())?;
        text.parse().map(Id).map_err(|_| missing())
    }
}

/// The query, with an error that names the parameter.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<AppState> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        params(&parts.uri).map(Params)
    }
}

/// Reads a query.
///
/// # Errors
/// [`Error::Validation`] of the parameter.
pub fn params<T: DeserializeOwned>(uri: &Uri) -> Result<T, ApiError> {
    Query::<T>::try_from_uri(uri).map(|Query(params)| params).map_err(|e| {
        let text = e.body_text();
        let text = text.split_once(": ").map_or(text.as_str(), |(_, rest)| rest);
        match text.split_once(": ") {
            Some((field, what)) => ApiError(Error::field(field, what)),
            None => ApiError(named(".", text)),
        }
    })
}

/// Which page of a list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// Rows a page, 1 to 100; 20 when left out.
    #[param(minimum = 1, maximum = 100, example = 20)]
    pub limit: Option<usize>,
    /// The `nextCursor` of the page before.
    pub cursor: Option<String>,
}

/// How many rows were asked for.
///
/// # Errors
/// [`Error::Validation`] of `limit`.
pub fn limit(limit: Option<usize>) -> domain::Result<usize> {
    match limit.unwrap_or(20) {
        n if (1..=LIMIT_MAX).contains(&n) => Ok(n),
        _ => Err(Error::field("limit", format!("must be 1 to {LIMIT_MAX}"))),
    }
}

/// The cursor that was sent.
///
/// # Errors
/// [`Error::Validation`] of `cursor`.
pub fn cursor(cursor: Option<&str>) -> domain::Result<Option<domain::Cursor>> {
    cursor.filter(|c| !c.is_empty()).map(str::parse).transpose()
}

/// A field that may be left out (stays as it is), `null` (is taken away), or a value.
pub fn double<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(d: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(d).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_serde_says_becomes_the_field() {
        let of = |path, what| match named(path, what) {
            Error::Validation(fields) => format!("{} {}", fields[0].field, fields[0].message),
            other => panic!("{other}"),
        };
        assert_eq!(of(".", "missing field `agentId`"), "agentId is missing");
        assert_eq!(of("parts[0]", "missing field `x`"), "parts[0].x is missing");
        assert_eq!(
            of("agnet", "unknown field `agnet`, expected `agentId`"),
            "agnet is not a field here: expected `agentId`"
        );
        assert_eq!(of("price", "invalid type: map"), "price invalid type: map");
    }
}
