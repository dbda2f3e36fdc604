//! What can go wrong, in the terms of the economy. Each wire maps it without a wildcard arm, so that a new
//! kind does not compile until every wire answers it.

use std::time::Duration;

use crate::Credits;
use crate::api_keys::{KeyProblem, Scope};

/// The result of an operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One thing wrong with one field of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field as the caller knows it.
    pub field: String,
    /// What is wrong, to be read after the field's name.
    pub message: String,
}

impl FieldError {
    /// A field and what is wrong with it.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        FieldError { field: field.into(), message: message.into() }
    }
}

/// What was looked for and is not there, or not the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// An agent.
    Agent,
    /// A task.
    Task,
    /// An account.
    Account,
    /// A session.
    Session,
    /// A purchase.
    Purchase,
    /// An API key.
    Key,
    /// An endpoint that webhooks are sent to.
    Webhook,
    /// A message on its way to such an endpoint.
    Delivery,
}

/// Why an operation did not happen. Nothing was written when it comes back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody is signed in, or the credentials are wrong.
    #[error("sign in first")]
    Unauthorized,
    /// The e-mail address and password do not belong together. Says nothing of whether the account exists.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// The API key does not work (any more).
    #[error("{}", .0.sentence())]
    Key(KeyProblem),
    /// The API key lacks the scope for this.
    #[error("this API key lacks the scope {0}")]
    MissingScope(Scope),
    /// The agent is not trusted enough for what was asked.
    #[error("{0}")]
    TrustThresholdNotMet(String),
    /// The same request is being worked on.
    #[error("a request with this Idempotency-Key is being worked on: try again in a second")]
    RequestInFlight,
    /// The Idempotency-Key was used for another request.
    #[error("this Idempotency-Key was used for another request: use a new one")]
    IdempotencyConflict,
    /// What the caller saw is not what is there now.
    #[error("this has changed since you read it: read it again")]
    Stale,
    /// The task was cancelled.
    #[error("this task was cancelled")]
    TaskCancelled,
    /// An agent did not answer as its protocol says.
    #[error("{0}")]
    Protocol(String),
    /// The caller is known and may not.
    #[error("{0}")]
    Forbidden(String),
    /// Not there, or not the caller's: a guessed id looks the same as none.
    #[error("{}", match .0 {
        Missing::Agent => "there is no such agent",
        Missing::Task => "there is no such task",
        Missing::Account => "there is no such account",
        Missing::Session => "there is no such session",
        Missing::Purchase => "there is no such purchase",
        Missing::Key => "there is no such API key",
        Missing::Webhook => "there is no such webhook endpoint",
        Missing::Delivery => "there is no such delivery",
    })]
    NotFound(Missing),
    /// The agent takes no work now.
    #[error("{0}")]
    AgentOffline(String),
    /// The state of things does not allow it (a task that ended, a second of what there is one of).
    #[error("{0}")]
    Conflict(String),
    /// Not enough credits for what was asked.
    #[error("this costs {} credits and {} credits are available", .needed.grouped(), .available.grouped())]
    InsufficientCredits {
        /// The sum that must be available.
        needed: Credits,
        /// The sum that is.
        available: Credits,
    },
    /// The account's own spending limit does not allow it.
    #[error("{0}")]
    SpendingLimit(String),
    /// The input is wrong, field by field.
    #[error("{}", .0.iter().map(|e| format!("{}: {}", e.field, e.message)).collect::<Vec<_>>().join("; "))]
    Validation(Vec<FieldError>),
    /// Too many tries; wait that long.
    #[error("too many tries: wait {} seconds", .0.as_secs().max(1))]
    RateLimited(Duration),
    /// A fault of ours. Logged, never shown.
    #[error("something went wrong on our side")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// One wrong field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Error::Validation(vec![FieldError::new(field, message)])
    }

    /// The same with fields under the names that a wire has for them: `(ours, its)`.
    pub fn with_fields_named(self, names: &[(&str, &str)]) -> Self {
        let Error::Validation(mut fields) = self else { return self };
        for field in &mut fields {
            if let Some((_, name)) = names.iter().find(|(ours, _)| *ours == field.field) {
                (*name).clone_into(&mut field.field);
            }
        }
        Error::Validation(fields)
    }

    /// Whether the database was not reached, or hung up: nothing is wrong with what it was asked.
    pub(crate) fn is_of_connection(&self) -> bool {
        let Error::Internal(source) = self else { return false };
        match source.downcast_ref::<sqlx::Error>() {
            Some(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut) => true,
            // Class 57P: the server stops, or is only starting (PostgreSQL, appendix A).
            Some(sqlx::Error::Database(error)) => error.code().is_some_and(|code| code.starts_with("57P")),
            _ => false,
        }
    }

    /// The code of the API's contract (design section 7).
    pub fn code(&self) -> &'static str {
        match self {
            Error::Unauthorized | Error::WrongCredentials | Error::Key(_) => "UNAUTHORIZED",
            Error::Forbidden(_) | Error::SpendingLimit(_) | Error::MissingScope(_) => "FORBIDDEN",
            Error::TrustThresholdNotMet(_) => "TRUST_THRESHOLD_NOT_MET",
            Error::RequestInFlight => "CONFLICT",
            Error::IdempotencyConflict => "IDEMPOTENCY_CONFLICT",
            Error::Stale => "PRECONDITION_FAILED",
            Error::TaskCancelled => "TASK_CANCELLED",
            Error::Protocol(_) => "PROTOCOL_ERROR",
            Error::NotFound(Missing::Agent) => "AGENT_NOT_FOUND",
            Error::NotFound(Missing::Task) => "TASK_NOT_FOUND",
            Error::NotFound(_) => "NOT_FOUND",
            Error::AgentOffline(_) => "AGENT_OFFLINE",
            Error::Conflict(_) => "CONFLICT",
            Error::InsufficientCredits { .. } => "INSUFFICIENT_CREDITS",
            Error::Validation(_) => "VALIDATION_ERROR",
            Error::RateLimited(_) => "RATE_LIMIT_EXCEEDED",
            Error::Internal(_) => "INTERNAL_ERROR",
        }
    }
}

/// What the SQL functions put into DETAIL.
#[derive(serde::Deserialize)]
struct Detail {
    field: Option<String>,
    what: Option<String>,
    needed: Option<Credits>,
    available: Option<Credits>,
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let sqlx::Error::Database(database) = &error else {
            return Error::Internal(error.into());
        };
        let message = database.message().to_owned();
        let detail: Detail = database
            .try_downcast_ref::<sqlx::postgres::PgDatabaseError>()
            .and_then(|e| serde_json::from_str(e.detail()?).ok())
            .unwrap_or(Detail { field: None, what: None, needed: None, available: None });
        // The states that our SQL functions raise; all others are faults of ours.
        match database.code().as_deref() {
            Some("NX400") => Error::field(detail.field.unwrap_or_else(|| "request".into()), message),
            Some("NX401") => Error::Key(KeyProblem::Revoked),
            Some("NX403") => Error::Forbidden(message),
            Some("NX402") => Error::InsufficientCredits {
                needed: detail.needed.unwrap_or_default(),
                available: detail.available.unwrap_or_default(),
            },
            Some("NX404") if detail.what.as_deref() == Some("task") => Error::NotFound(Missing::Task),
            Some("NX404") if detail.what.as_deref() == Some("agent") => Error::NotFound(Missing::Agent),
            Some("NX404") if detail.what.as_deref() == Some("webhook") => Error::NotFound(Missing::Webhook),
            Some("NX404") if detail.what.as_deref() == Some("delivery") => Error::NotFound(Missing::Delivery),
            Some("NX409") => Error::Conflict(message),
            Some("NX451") => Error::SpendingLimit(message),
            Some("NX503") => Error::AgentOffline(message),
            // The constraint's name says which field it was.
            Some("23503") if database.constraint() == Some("tasks_follows_fkey") => {
                Error::field("follows", "is not a task of yours with this agent that has ended")
            }
            // A NUL, which neither text nor jsonb can hold: nobody types it, but programs send it.
            Some("22021" | "22P05") => Error::field("text", "holds a character that cannot be stored"),
            _ => Error::Internal(error.into()),
        }
    }
}
