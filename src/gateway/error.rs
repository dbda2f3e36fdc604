//! What goes wrong at the gateway, in the words of each binding (A2A 1.0, sections 3.3.2, 5.4, 9.5 and 11.6).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::api_keys::Scope;
use domain::{Error, FieldError, Missing};
use serde_json::{Map, Value, json};
use url::Url;

use super::version::Version;
use crate::web::failure::{log_if_ours, status_of};

/// Whose error codes these are.
const DOMAIN: &str = "a2a-protocol.org";
/// Whose those are that A2A has not.
const OUR_DOMAIN: &str = "nexus";

/// Which error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The body is not JSON.
    Parse,
    /// It is no request.
    InvalidRequest,
    /// There is no such operation.
    MethodNotFound,
    /// A parameter is wrong.
    InvalidParams,
    /// Ours.
    Internal,
    /// `TaskNotFoundError`.
    TaskNotFound,
    /// `TaskNotCancelableError`.
    TaskNotCancelable,
    /// `UnsupportedOperationError`.
    Unsupported,
    /// `ContentTypeNotSupportedError`.
    ContentType,
    /// `VersionNotSupportedError`.
    Version,
    /// One that A2A has no word for, with its HTTP status and its code in the API.
    Ours(StatusCode, &'static str),
}

impl Kind {
    /// JSON-RPC code, HTTP status, gRPC status, reason.
    fn words(self) -> (i64, StatusCode, &'static str, &'static str) {
        let bad = StatusCode::BAD_REQUEST;
        match self {
            Kind::Parse => (-32700, bad, "INVALID_ARGUMENT", "PARSE_ERROR"),
            Kind::InvalidRequest => (-32600, bad, "INVALID_ARGUMENT", "INVALID_REQUEST"),
            Kind::MethodNotFound => (-32601, StatusCode::NOT_FOUND, "NOT_FOUND", "METHOD_NOT_FOUND"),
            Kind::InvalidParams => (-32602, bad, "INVALID_ARGUMENT", "INVALID_PARAMS"),
            Kind::Internal => (-32603, StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "INTERNAL_ERROR"),
            Kind::TaskNotFound => (-32001, StatusCode::NOT_FOUND, "NOT_FOUND", "TASK_NOT_FOUND"),
            Kind::TaskNotCancelable => (-32002, bad, "FAILED_PRECONDITION", "TASK_NOT_CANCELABLE"),
            Kind::Unsupported => (-32004, bad, "FAILED_PRECONDITION", "UNSUPPORTED_OPERATION"),
            Kind::ContentType => (-32005, bad, "INVALID_ARGUMENT", "CONTENT_TYPE_NOT_SUPPORTED"),
            Kind::Version => (-32009, bad, "FAILED_PRECONDITION", "VERSION_NOT_SUPPORTED"),
            Kind::Ours(status, code) => (-32000, status, grpc(status), code),
        }
    }
}

fn grpc(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 => "UNAUTHENTICATED",
        402 | 409 | 412 => "FAILED_PRECONDITION",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        500 | 502 => "INTERNAL",
        503 => "UNAVAILABLE",
        _ => "INVALID_ARGUMENT",
    }
}

/// An error.
#[derive(Clone, Debug)]
pub struct GatewayError {
    kind: Kind,
    message: String,
    metadata: Map<String, Value>,
    fields: Vec<FieldError>,
    /// The scope that the key lacks.
    scope: Option<Scope>,
    retry_after: Option<u64>,
}

/// The result of an operation.
pub type Result<T> = std::result::Result<T, GatewayError>;

impl GatewayError {
    /// An error with a sentence.
    pub fn new(kind: Kind, message: impl Into<String>) -> GatewayError {
        GatewayError {
            kind,
            message: message.into(),
            metadata: Map::new(),
            fields: Vec::new(),
            scope: None,
            retry_after: None,
        }
    }

    /// A parameter that is wrong.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> GatewayError {
        GatewayError::fields(vec![FieldError::new(field, message)])
    }

    /// Parameters that are wrong.
    pub fn fields(fields: Vec<FieldError>) -> GatewayError {
        let said: Vec<String> = fields.iter().map(|f| format!("{} {}", f.field, f.message)).collect();
        GatewayError { fields, ..GatewayError::new(Kind::InvalidParams, said.join("; ")) }
    }

    /// No such task.
    pub fn no_task() -> GatewayError {
        GatewayError::new(Kind::TaskNotFound, "there is no such task")
    }

    /// What the economy refuses. `shop`: where credits are sold.
    pub fn of(error: Error, shop: &Url) -> GatewayError {
        log_if_ours(&error);
        let ours = |error: &Error| Kind::Ours(status_of(error), error.code());
        let message = error.to_string();
        match error {
            Error::Validation(fields) => GatewayError::fields(fields),
            Error::NotFound(Missing::Task) => GatewayError::no_task(),
            Error::Conflict(_) => GatewayError::new(Kind::Unsupported, message),
            Error::Internal(_) => GatewayError::new(Kind::Internal, "something went wrong on our side"),
            Error::InsufficientCredits { needed, available } => {
                let kind = ours(&error);
                GatewayError::new(kind, format!("{message}: buy more at {shop}"))
                    .with("needed", needed.to_string())
                    .with("available", available.to_string())
                    .with("buyAt", shop.to_string())
            }
            Error::MissingScope(scope) => {
                let error = GatewayError::new(ours(&error), message).with("scope", scope.as_str());
                GatewayError { scope: Some(scope), ..error }
            }
            Error::RateLimited(wait) => {
                let seconds = (wait.as_secs_f64().ceil() as u64).max(1);
                GatewayError { retry_after: Some(seconds), ..GatewayError::new(ours(&error), message) }
            }
            other => GatewayError::new(ours(&other), message),
        }
    }

    fn with(mut self, key: &str, value: impl Into<String>) -> GatewayError {
        self.metadata.insert(key.to_owned(), Value::String(value.into()));
        self
    }

    fn details(&self) -> Value {
        let (_, _, _, reason) = self.kind.words();
        let domain = if matches!(self.kind, Kind::Ours(..)) { OUR_DOMAIN } else { DOMAIN };
        let mut info =
            json!({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": domain });
        if !self.metadata.is_empty() {
            info["metadata"] = Value::Object(self.metadata.clone());
        }
        let mut details = vec![info];
        if !self.fields.is_empty() {
            let violations: Vec<Value> =
                self.fields.iter().map(|f| json!({ "field": f.field, "description": f.message })).collect();
            details
                .push(json!({ "@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations }));
        }
        Value::Array(details)
    }

    /// The `error` of JSON-RPC.
    pub fn rpc(&self) -> Value {
        json!({ "code": self.kind.words().0, "message": self.message, "data": self.details() })
    }

    /// The `error` of HTTP+JSON.
    pub fn rest(&self) -> Value {
        let (_, status, grpc, _) = self.kind.words();
        json!({ "code": status.as_u16(), "status": grpc, "message": self.message, "details": self.details() })
    }

    /// The answer to a JSON-RPC request. What stands at the door (no key, no credit) also has its HTTP status; errors of the
    /// protocol are answers like others.
    pub fn rpc_response(&self, id: &Value) -> Response {
        let status = if let Kind::Ours(status, _) = self.kind { status } else { StatusCode::OK };
        let body = json!({ "jsonrpc": "2.0", "id": id, "error": self.rpc() });
        self.finish((status, axum::Json(body)).into_response())
    }

    /// The answer to an HTTP+JSON request.
    pub fn rest_response(&self, version: Version, media: &'static str) -> Response {
        let status = match (version, self.kind) {
            // What these were in 0.3, and in 1.0 before 1.0.1.
            (Version::V03, Kind::TaskNotCancelable) => StatusCode::CONFLICT,
            (Version::V03, Kind::ContentType) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            (Version::V03 | Version::V1, kind) => kind.words().1,
        };
        let mut error = self.rest();
        error["code"] = json!(status.as_u16());
        let mut response = (status, axum::Json(json!({ "error": error }))).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        self.finish(response)
    }

    fn finish(&self, mut response: Response) -> Response {
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(scope) = self.scope {
            response.extensions_mut().insert(scope);
        }
        response
    }
}
