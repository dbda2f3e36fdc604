//! Requests that happen once: `Idempotency-Key`.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use domain::requests::{self, Claim, IdempotencyKey};
use domain::{Actor, Db, Error};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answer::{Data, data};
use crate::state::AppState;
use crate::web::failure::ApiError;

/// The header that names a request.
pub const HEADER: &str = "idempotency-key";

/// What the request is named, if it is.
pub struct Once(Option<IdempotencyKey>);

impl FromRequestParts<AppState> for Once {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let mut sent = parts.headers.get_all(HEADER).iter();
        let (first, second) = (sent.next(), sent.next());
        if second.is_some() {
            return Err(ApiError(Error::field("Idempotency-Key", "was sent twice")));
        }
        let key = first.map(|v| IdempotencyKey::parse(v.to_str().unwrap_or_default())).transpose()?;
        Ok(Once(key))
    }
}

/// What came of a request.
pub struct Done {
    /// The answer's status.
    pub status: StatusCode,
    /// `{"data": …}`.
    pub body: Vec<u8>,
    /// Whether it was done before, and this is what was answered then.
    pub replayed: bool,
}

impl Done {
    /// What stands in the answer as `data`, or those of its fields that `T` has.
    ///
    /// # Errors
    /// [`Error::Internal`] where it is not there.
    pub fn read<T: DeserializeOwned>(&self) -> domain::Result<T> {
        let body: Data<T> = serde_json::from_slice(&self.body).map_err(|e| Error::Internal(e.into()))?;
        Ok(body.data)
    }

    /// The answer with other `data`: what became of it after the transaction.
    pub fn with<T: Serialize>(&self, now: T) -> Response {
        let mut response = (self.status, data(now)).into_response();
        if self.replayed {
            mark_replayed(&mut response);
        }
        response
    }
}

impl Once {
    /// What was answered before, for work that must not begin inside of a transaction and then is of no use.
    ///
    /// # Errors
    /// [`Error::RequestInFlight`]; [`Error::IdempotencyConflict`].
    pub async fn before(&self, db: &Db, actor: &Actor, fingerprint: &[u8; 32]) -> domain::Result<Option<Done>> {
        let Some(key) = &self.0 else { return Ok(None) };
        let (within, joint) = db.joint().await?;
        let claim = requests::claim(&within, actor, key, fingerprint, Utc::now()).await?;
        // Ended at once, so that the claim is free again when `run` makes it.
        joint.commit().await?;
        Ok(match claim {
            Claim::Answered { status, body } => Some(replay(status, body)),
            Claim::Fresh => None,
        })
    }

    /// Does `work` in one transaction with the record that it was done, or answers what it answered before. `work` must do all
    /// that it does through the [`Db`] that it is given; where it fails, nothing has happened and nothing is recorded.
    ///
    /// # Errors
    /// What `work` answers; [`Error::RequestInFlight`]; [`Error::IdempotencyConflict`].
    pub async fn run<T, F>(
        &self,
        db: &Db,
        actor: &Actor,
        fingerprint: &[u8; 32],
        status: StatusCode,
        work: impl FnOnce(Db) -> F,
    ) -> domain::Result<Done>
    where
        T: Serialize,
        F: Future<Output = domain::Result<T>>,
    {
        let (within, joint) = db.joint().await?;
        if let Some(key) = &self.0
            && let Claim::Answered { status, body } =
                requests::claim(&within, actor, key, fingerprint, Utc::now()).await?
        {
            return Ok(replay(status, body));
        }
        let done = work(within.clone()).await?;
        let body = serde_json::to_vec(&Data { data: done }).map_err(|e| Error::Internal(e.into()))?;
        if let Some(key) = &self.0 {
            requests::keep(&within, actor, key, fingerprint, status.as_u16(), &body).await?;
        }
        joint.commit().await?;
        Ok(Done { status, body, replayed: false })
    }
}

fn replay(status: u16, body: Vec<u8>) -> Done {
    Done { status: StatusCode::from_u16(status).unwrap_or(StatusCode::OK), body, replayed: true }
}

/// Says that an answer is the one from before.
fn mark_replayed(response: &mut Response) {
    response.headers_mut().insert(HeaderName::from_static("idempotent-replayed"), HeaderValue::from_static("true"));
}

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        let mut response = (self.status, kind, self.body).into_response();
        if self.replayed {
            mark_replayed(&mut response);
        }
        response
    }
}
