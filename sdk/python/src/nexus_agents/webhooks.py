"""Signatures of the Standard Webhooks specification: on what NEXUS sends, and on what agents send NEXUS."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol


class IncomingHeaders(Protocol):
    """Headers, however the server's framework has them."""

    def items(self) -> Iterable[tuple[str, str]]: ...


class SignatureError(Exception):
    """Whoever sent this is not NEXUS, or it is a replay."""


@dataclass(frozen=True)
class WebhookEvent:
    """What NEXUS tells."""

    #: The same on every try: whoever keeps it takes no event twice.
    id: str
    type: str
    timestamp: str
    data: dict[str, Any]


def verify_signature(
    secrets: str | Iterable[str],
    headers: IncomingHeaders,
    body: bytes | str,
    *,
    tolerance: float = 300,
    now: float | None = None,
) -> None:
    """Checks that NEXUS signed this ("Verifying webhooks"), or raises :class:`SignatureError`.

    ``secrets`` are one or more of ``whsec_…``; one match is enough, so that a secret can be replaced. ``body`` is what came,
    byte for byte. ``tolerance`` is how far the sender's clock may be off, in seconds, either way.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    given = []
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        if not lower.get(name):
            raise SignatureError(f"the header {name} is missing")
        given.append(lower[name])
    message_id, timestamp, signatures = given
    if not re.fullmatch(r"[0-9]{1,15}", timestamp):
        raise SignatureError("webhook-timestamp is not a number of seconds")
    if abs(int(time.time() if now is None else now) - int(timestamp)) > tolerance:
        raise SignatureError("webhook-timestamp is too far off")
    wanted = [_mac(s, message_id, timestamp, body) for s in ([secrets] if isinstance(secrets, str) else secrets)]
    sent = [_decoded(one[3:]) for one in signatures.split(" ") if one.startswith("v1,")]
    if True not in [hmac.compare_digest(one, other) for one in wanted for other in sent]:
        raise SignatureError("webhook-signature does not match")


def verify_webhook(
    secrets: str | Iterable[str],
    headers: IncomingHeaders,
    body: bytes | str,
    *,
    tolerance: float = 300,
    now: float | None = None,
) -> WebhookEvent:
    """Checks that NEXUS sent this webhook, and reads it. See :func:`verify_signature`."""
    verify_signature(secrets, headers, body, tolerance=tolerance, now=now)
    said = json.loads(body)
    message_id = next(value for name, value in headers.items() if name.lower() == "webhook-id")
    return WebhookEvent(message_id, said.get("type", ""), said.get("timestamp", ""), said.get("data", {}))


def sign(secret: str, message_id: str, seconds: int, body: bytes | str) -> dict[str, str]:
    """The headers of a request that is signed with ``secret``. ``seconds`` are those since 1970."""
    signature = base64.b64encode(_mac(secret, message_id, str(seconds), body)).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(seconds), "webhook-signature": f"v1,{signature}"}


def _mac(secret: str, message_id: str, timestamp: str, body: bytes | str) -> bytes:
    key = _decoded(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else b""
    if not key:
        # An empty key would let everybody in who knows that it is empty.
        raise ValueError("a signing secret is whsec_ and base64")
    raw = body.encode() if isinstance(body, str) else body
    return hmac.new(key, f"{message_id}.{timestamp}.".encode() + raw, hashlib.sha256).digest()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
