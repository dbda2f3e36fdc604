"""When a request is sent again, and after how long."""

from __future__ import annotations

from .errors import NexusConnectionError, NexusError, NexusTimeoutError

# The longest wait that is obeyed, in seconds: whoever is asked to wait longer decides for themselves.
_LONGEST_WAIT = 60.0
_FIRST_WAIT = 0.5
_MOST_BACKOFF = 8.0

# Answers about an agent, not about NEXUS: asking again brings the same.
_FINAL = {"AGENT_OFFLINE", "PROTOCOL_ERROR"}


def backoff(n: int, random: float) -> float:
    """Seconds before the ``n``th repetition, from 1: doubled each time, less up to half of it at random."""
    return float(min(_FIRST_WAIT * 2.0 ** (n - 1), _MOST_BACKOFF) * (1 - random / 2))


def wait_before_retry(error: NexusError, n: int, harmless: bool, random: float) -> float | None:
    """Seconds to wait before sending a request again; ``None`` where that is of no use or could do harm.

    ``harmless``: sent twice, it happens once.
    """
    if error.code in _FINAL:
        return None
    # With Retry-After a 409 says that the first is still at work; without, that things are as they are.
    in_flight = error.status == 409 and error.retry_after is not None
    not_sent = isinstance(error, NexusConnectionError) and not error.sent
    nothing_happened = error.status == 429 or in_flight or not_sent
    unknown = isinstance(error, (NexusConnectionError, NexusTimeoutError)) or error.status in (502, 503, 504)
    if not nothing_happened and not (unknown and harmless):
        return None
    asked = error.retry_after or 0.0
    if asked > _LONGEST_WAIT:
        return None
    return asked + backoff(n, random) * (0.2 if asked > 0 else 1.0)
