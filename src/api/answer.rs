//! The forms of answers: `{"data": …}`, lists with `nextCursor`, errors, entity tags.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{Credits, Cursor, Error};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::web::failure::ApiError;

/// What a handler answers with.
pub type Answer<T> = Result<Json<Data<T>>, ApiError>;

/// One thing.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct Data<T> {
    /// The thing.
    pub data: T,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct List<T> {
    /// The rows of this page, in the list's order.
    pub data: Vec<T>,
    /// What `cursor` of the next request must be; `null` on the last page.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// Answers with one thing.
pub fn data<T>(data: T) -> Json<Data<T>> {
    Json(Data { data })
}

/// Answers with a page.
pub fn list<T, R>(page: domain::Page<R>, row: impl FnMut(R) -> T) -> Json<List<T>> {
    let next_cursor = page.next.as_ref().map(Cursor::to_string);
    Json(List { data: page.items.into_iter().map(row).collect(), next_cursor })
}

/// A refusal.
#[derive(Serialize, ToSchema)]
pub struct Refusal {
    /// What went wrong.
    pub error: RefusalDetail,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
pub struct RefusalDetail {
    /// The contract: programs decide by it.
    #[schema(example = "VALIDATION_ERROR")]
    pub code: String,
    /// For people; may change.
    pub message: String,
    /// Fields of a validation error (`[{"field", "message"}]`), sums of a refused hold (`{"needed", "available"}`), else `null`.
    #[schema(required)]
    pub details: Option<Value>,
}

/// Credits as they are sent: a string with two decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Money(pub Credits);

impl From<Credits> for Money {
    fn from(credits: Credits) -> Money {
        Money(credits)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        // A number would have been through binary fractions in somebody's program.
        let Value::String(text) = Value::deserialize(deserializer)? else {
            return Err(D::Error::custom("must be a string such as \"12.50\""));
        };
        text.parse().map(Money).map_err(|e: domain::CreditsError| D::Error::custom(e.to_string()))
    }
}

impl PartialSchema for Money {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(r"^-?[0-9]+\.[0-9]{2}$"))
            .description(Some("Credits with two decimals"))
            .examples(["12.50"]);
        RefOr::T(Schema::Object(object.build()))
    }
}

impl ToSchema for Money {}

/// The entity tag of what a body says (RFC 9110, section 8.8.3).
pub fn tag<T: Serialize>(body: &T) -> String {
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    let hash: String = Sha256::digest(&bytes).iter().take(8).map(|b| format!("{b:02x}")).collect();
    format!("\"{hash}\"")
}

/// Answers with one thing and its entity tag; with 304 to who has it already.
pub fn tagged<T: Serialize>(body: T, headers: &HeaderMap) -> Response {
    let etag = tag(&body);
    tagged_as(body, &etag, headers)
}

/// The same with an entity tag that was made otherwise.
pub fn tagged_as<T: Serialize>(body: T, etag: &str, headers: &HeaderMap) -> Response {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let mut response = if known.is_some_and(|k| k.split(',').any(|t| t.trim().trim_start_matches("W/") == etag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        data(body).into_response()
    };
    if let Ok(value) = HeaderValue::from_str(etag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    // What a key sees is nobody else's to keep.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

/// Refuses a change of what is not any more as the caller saw it (`If-Match`). `now` is looked at under a lock.
///
/// # Errors
/// [`Error::Stale`].
pub fn check_match<T: Serialize>(headers: &HeaderMap, now: &T) -> domain::Result<()> {
    check_match_as(headers, |wanted| wanted == tag(now))
}

/// The same with entity tags that were made otherwise: `is_now` says of one whether it still stands.
///
/// # Errors
/// [`Error::Stale`].
pub fn check_match_as(headers: &HeaderMap, is_now: impl Fn(&str) -> bool) -> domain::Result<()> {
    let Some(wanted) = headers.get(header::IF_MATCH) else { return Ok(()) };
    let wanted = wanted.to_str().unwrap_or_default();
    let matches = wanted.trim() == "*" || wanted.split(',').any(|t| is_now(t.trim()));
    if matches { Ok(()) } else { Err(Error::Stale) }
}
