//! What a client is told when it gets nothing.

use crate::Error;

/// The error codes of RFC 6749 (4.1.2.1, 5.2), RFC 7591 (3.2.2) and RFC 8707 (2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// A parameter is missing, repeated or malformed.
    InvalidRequest,
    /// The client is unknown, or its secret is wrong.
    InvalidClient,
    /// The code or refresh token is no good (any more), or another client's.
    InvalidGrant,
    /// The grant type is not one of ours.
    UnsupportedGrantType,
    /// The response type is not `code`.
    UnsupportedResponseType,
    /// A scope that does not exist, or that is not given to clients.
    InvalidScope,
    /// The resource is not a part of this site.
    InvalidTarget,
    /// The person said no.
    AccessDenied,
    /// A redirect URI that cannot be registered.
    InvalidRedirectUri,
    /// Something else that cannot be registered.
    InvalidClientMetadata,
}

impl Why {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Why::InvalidRequest => "invalid_request",
            Why::InvalidClient => "invalid_client",
            Why::InvalidGrant => "invalid_grant",
            Why::UnsupportedGrantType => "unsupported_grant_type",
            Why::UnsupportedResponseType => "unsupported_response_type",
            Why::InvalidScope => "invalid_scope",
            Why::InvalidTarget => "invalid_target",
            Why::AccessDenied => "access_denied",
            Why::InvalidRedirectUri => "invalid_redirect_uri",
            Why::InvalidClientMetadata => "invalid_client_metadata",
        }
    }
}

/// A refusal as clients get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code.
    pub why: Why,
    /// For the client's developer; printable ASCII without `"` and `\`, as RFC 6749, section 5.2 wants.
    pub description: String,
}

impl Refusal {
    /// A refusal; characters that its description may not have are replaced.
    pub fn new(why: Why, description: impl AsRef<str>) -> Refusal {
        let fit = |c: char| if matches!(c, ' '..='~') && !matches!(c, '"' | '\\') { c } else { '?' };
        Refusal { why, description: description.as_ref().chars().map(fit).collect() }
    }
}

/// Why a client got nothing.
#[derive(Debug)]
pub enum Failure {
    /// It is the client's to mend.
    Refused(Refusal),
    /// A fault of ours.
    Fault(Error),
}

impl Failure {
    /// A refusal.
    pub(super) fn refused(why: Why, description: impl AsRef<str>) -> Failure {
        Failure::Refused(Refusal::new(why, description))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        Failure::Refused(refusal)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Fault(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Failure {
        Failure::Fault(error.into())
    }
}
