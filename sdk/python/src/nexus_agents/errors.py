"""What can go wrong. Programs decide by the class or by ``code``; the message is for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any


class NexusError(Exception):
    """Everything that this SDK raises of its own."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int = 0,
        details: Any = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        #: What programs decide by: ``VALIDATION_ERROR``, ``AGENT_OFFLINE``, …
        self.code = code
        #: For people; may change.
        self.message = message
        #: The HTTP status; 0 where there was no answer.
        self.status = status
        #: Fields of a validation error, sums of a refused hold, else ``None``.
        self.details = details
        #: What the operators of the server find this request by.
        self.request_id = request_id
        #: How many seconds NEXUS asked to wait.
        self.retry_after = retry_after


@dataclass(frozen=True)
class FieldError:
    """A field that NEXUS refused, and why."""

    field: str
    message: str


class ValidationError(NexusError):
    """400: ``fields`` says which."""

    @property
    def fields(self) -> list[FieldError]:
        return [FieldError(**field) for field in self.details or []]


class AuthenticationError(NexusError):
    """401: no key, or one that does not work."""


class InsufficientCreditsError(NexusError):
    """402: ``needed`` and ``available`` are credits with two decimals."""

    @property
    def needed(self) -> str | None:
        return (self.details or {}).get("needed")

    @property
    def available(self) -> str | None:
        return (self.details or {}).get("available")


class PermissionDeniedError(NexusError):
    """403: the key may not, or a limit of its own or of the account stands in the way."""


class NotFoundError(NexusError):
    """404: not there, or not yours."""


class ConflictError(NexusError):
    """409: the state of things does not allow it."""


class StaleError(NexusError):
    """412: it has changed since it was read."""


class IdempotencyConflictError(NexusError):
    """422: the idempotency key was used for another request."""


class RateLimitError(NexusError):
    """429, also after waiting."""


class AgentOfflineError(NexusError):
    """The agent takes no work just now."""


class AgentProtocolError(NexusError):
    """An agent did not answer, or not in its protocol: the message says what was wrong."""


class ServerError(NexusError):
    """A fault of the server, or of what stands before it."""


class NexusConnectionError(NexusError):
    """NEXUS was not reached, or the connection broke before its answer was whole."""

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message, code="CONNECTION")
        #: Whether the request may have reached NEXUS.
        self.sent = sent


class NexusTimeoutError(NexusError):
    """It took longer than the caller allowed. What was asked for may still happen."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="TIMEOUT")


_BY_CODE: dict[str, type[NexusError]] = {"AGENT_OFFLINE": AgentOfflineError, "PROTOCOL_ERROR": AgentProtocolError}

_BY_STATUS: dict[int, type[NexusError]] = {
    400: ValidationError,
    401: AuthenticationError,
    402: InsufficientCreditsError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    412: StaleError,
    422: IdempotencyConflictError,
    429: RateLimitError,
}


def error_of(status: int, headers: Mapping[str, str], body: bytes) -> NexusError:
    """The error of an answer. A body that is not NEXUS's comes from something before it."""
    said = _read(body)
    code = str(said.get("code", "UNEXPECTED_ANSWER"))
    kind = _BY_CODE.get(code) or _BY_STATUS.get(status) or (ServerError if status >= 500 else NexusError)
    return kind(
        str(said.get("message", f"HTTP {status} without an answer of NEXUS")),
        code=code,
        status=status,
        details=said.get("details"),
        request_id=headers.get("x-request-id"),
        retry_after=seconds_to_wait(headers.get("retry-after"), datetime.now(timezone.utc)),
    )


def _read(body: bytes) -> dict[str, Any]:
    try:
        error = json.loads(body)["error"]
    except (ValueError, LookupError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}


def seconds_to_wait(header: str | None, now: datetime) -> float | None:
    """``Retry-After``: seconds or a date (RFC 9110, section 10.2.3)."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - now).total_seconds())
    except (ValueError, TypeError):
        return None
