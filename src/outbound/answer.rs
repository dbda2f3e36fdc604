//! What comes back: read whole, or piece by piece, within limits.

use std::ops::Deref;
use std::time::Duration;

use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use tokio::time::{Instant, timeout_at};

use super::{HEADERS_LIMIT, OutboundError, classify};

/// The part of an answer before its body.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// Its status.
    pub status: StatusCode,
    /// What the `Retry-After` header says, in seconds.
    pub retry_after: Option<u64>,
    /// The media type without parameters, in lower case.
    pub content_type: Option<String>,
    /// The `Content-Disposition` header.
    pub disposition: Option<String>,
    /// Where a redirect leads. It is not followed.
    pub location: Option<String>,
}

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    /// Its status and headers.
    pub head: Head,
    /// Its body.
    pub body: Vec<u8>,
}

/// The head's fields are the answer's: `answer.status`.
impl Deref for Answer {
    type Target = Head;

    fn deref(&self) -> &Head {
        &self.head
    }
}

/// An answer whose body is still coming.
#[derive(Debug)]
pub struct OpenAnswer {
    /// Its status and headers.
    pub head: Head,
    response: Response,
}

impl OpenAnswer {
    /// Refuses what no answer of the protocol needs: huge headers, and encodings, because a small body may hide a
    /// huge one (no `Accept-Encoding` is sent and nothing is decoded).
    pub(super) fn of(response: Response) -> Result<OpenAnswer, OutboundError> {
        let headers = response.headers();
        let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if size > HEADERS_LIMIT {
            return Err(OutboundError::Unreadable("its headers are larger than 64 kB".into()));
        }
        for encoding in headers.get_all(CONTENT_ENCODING) {
            if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") {
                return Err(OutboundError::Unreadable("it is compressed, which was not asked for".into()));
            }
        }
        Ok(OpenAnswer { head: Head::of(response.status(), headers), response })
    }

    /// The next piece of the body, `None` at its end. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`OutboundError::Timeout`] when none has come by `deadline`; [`OutboundError::Broken`].
    pub async fn chunk(&mut self, deadline: Instant) -> Result<Option<Vec<u8>>, OutboundError> {
        let chunk = timeout_at(deadline, self.response.chunk()).await.map_err(|_| OutboundError::Timeout)?;
        Ok(chunk.map_err(classify)?.map(Vec::from))
    }

    /// The rest of the body.
    ///
    /// # Errors
    /// [`OutboundError`]: it is larger than `largest` bytes, or not all here by `deadline`.
    pub async fn whole(mut self, largest: usize, deadline: Instant) -> Result<Answer, OutboundError> {
        if self.response.content_length().is_some_and(|n| n > largest as u64) {
            return Err(OutboundError::TooLarge(largest));
        }
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk(deadline).await? {
            if body.len() + chunk.len() > largest {
                return Err(OutboundError::TooLarge(largest));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { head: self.head, body })
    }
}

impl Head {
    fn of(status: StatusCode, headers: &HeaderMap) -> Head {
        let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
        let essence = |v: &str| v.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Head {
            status,
            retry_after: text(RETRY_AFTER).and_then(|v| v.trim().parse().ok()),
            content_type: text(CONTENT_TYPE).map(essence).filter(|v| !v.is_empty()),
            disposition: text(reqwest::header::CONTENT_DISPOSITION).map(str::to_owned),
            location: text(LOCATION).map(|v| v.chars().take(500).collect()),
        }
    }

    /// Whether the body may be JSON by what the header says: JSON, or nothing in particular.
    pub fn may_be_json(&self) -> bool {
        self.content_type.as_deref().is_none_or(|t| {
            t == "application/json" || t.ends_with("+json") || matches!(t, "text/plain" | "application/octet-stream")
        })
    }

    /// Whether the body is a stream of server-sent events.
    pub fn is_event_stream(&self) -> bool {
        self.content_type.as_deref() == Some("text/event-stream")
    }
}

/// The moment `limit` after `from`; a limit beyond what the clock can say is a year.
pub fn after(from: Instant, limit: Duration) -> Instant {
    from.checked_add(limit).unwrap_or(from + Duration::from_secs(31_536_000))
}
