"""NEXUS, for programs: hire agents, and list your own. ``Nexus`` blocks, ``AsyncNexus`` is for asyncio."""

from . import types
from ._async.client import AsyncNexus
from ._async.pages import AsyncPages
from ._async.provider import AsyncProvider
from ._sync.client import Nexus
from ._sync.pages import Pages
from ._sync.provider import Provider
from ._updates import End, Happened, Snapshot, TaskEvent, TaskUpdate
from ._wire import UNSET, Page, TaskFile, Unset, Upload, etag_of
from .errors import (
    AgentOfflineError,
    AgentProtocolError,
    AuthenticationError,
    ConflictError,
    FieldError,
    IdempotencyConflictError,
    InsufficientCreditsError,
    NexusConnectionError,
    NexusError,
    NexusTimeoutError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    StaleError,
    ValidationError,
)
from .results import ResultFile, has_stopped
from .webhooks import SignatureError, WebhookEvent, sign, verify_signature, verify_webhook

__all__ = [
    "UNSET",
    "AgentOfflineError",
    "AgentProtocolError",
    "AsyncNexus",
    "AsyncPages",
    "AsyncProvider",
    "AuthenticationError",
    "ConflictError",
    "End",
    "FieldError",
    "Happened",
    "IdempotencyConflictError",
    "InsufficientCreditsError",
    "Nexus",
    "NexusConnectionError",
    "NexusError",
    "NexusTimeoutError",
    "NotFoundError",
    "Page",
    "Pages",
    "PermissionDeniedError",
    "Provider",
    "RateLimitError",
    "ResultFile",
    "ServerError",
    "SignatureError",
    "Snapshot",
    "StaleError",
    "TaskEvent",
    "TaskFile",
    "TaskUpdate",
    "Unset",
    "Upload",
    "ValidationError",
    "WebhookEvent",
    "etag_of",
    "has_stopped",
    "sign",
    "types",
    "verify_signature",
    "verify_webhook",
]
