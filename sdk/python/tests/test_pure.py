"""What needs no server: signatures, events, waits, how values are written."""

from __future__ import annotations

import unittest
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

from nexus_agents import (
    UNSET,
    NexusConnectionError,
    NexusError,
    SignatureError,
    sign,
    verify_signature,
    verify_webhook,
)
from nexus_agents._events import EventParser, ServerSentEvent
from nexus_agents._retry import backoff, wait_before_retry
from nexus_agents._wire import camel, encode, segment
from nexus_agents.errors import seconds_to_wait
from nexus_agents.types import PartIn, Skill

# The example of the specification's reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
NOW = 1_614_265_330
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": SIGNATURE,
}


class Signatures(unittest.TestCase):
    def test_the_example_of_the_specification_is_accepted(self) -> None:
        verify_signature(SECRET, HEADERS, BODY, now=NOW)
        verify_signature(SECRET, {name.upper(): value for name, value in HEADERS.items()}, BODY.decode(), now=NOW + 300)
        self.assertEqual(verify_webhook(SECRET, HEADERS, BODY, now=NOW).id, HEADERS["webhook-id"])
        self.assertEqual(sign(SECRET, HEADERS["webhook-id"], NOW, BODY), HEADERS)

    def test_one_of_several_secrets_one_of_several_signatures(self) -> None:
        rotating = {**HEADERS, "webhook-signature": f"v1,AAAA v2,x {SIGNATURE}"}
        verify_signature(["whsec_AAAA", SECRET], rotating, BODY, now=NOW)

    def test_nothing_near_it_is_accepted(self) -> None:
        def refused(changes: dict[str, str], body: bytes = BODY, now: int = NOW, secret: str = SECRET) -> None:
            with self.assertRaises(SignatureError):
                verify_signature(secret, {**HEADERS, **changes}, body, now=now)

        refused({}, b"{}")
        refused({}, now=NOW + 301)
        refused({}, now=NOW - 301)
        refused({}, secret="whsec_AAAA")
        refused({"webhook-id": "other"})
        for timestamp in ("1614265331", "now", "", "٣", "-1"):
            refused({"webhook-timestamp": timestamp})
        for signature in ("", "v1,", "v1", SIGNATURE.replace("v1", "v2"), SIGNATURE[3:], "v1,%%%"):
            refused({"webhook-signature": signature})
        for secret in ("", "whsec_", "whsec_%%%", SECRET[6:]):
            with self.assertRaises(ValueError):
                verify_signature(secret, HEADERS, BODY, now=NOW)
        with self.assertRaises(SignatureError):
            verify_signature([], HEADERS, BODY, now=NOW)


class Events(unittest.TestCase):
    def test_events_are_read_as_the_standard_says_wherever_the_bytes_are_cut(self) -> None:
        text = ": comment\r\nevent: a\rid: 1\ndata: ä\ndata:  y\n\n\n\nid: 2\r\ndata\r\n\r\nretry: 5\ndata: z\n\ndata: never"
        sent = text.encode()
        wanted = [ServerSentEvent("a", "1", "ä\n y"), ServerSentEvent("message", "2", ""), ServerSentEvent("message", "2", "z")]
        for cut in range(len(sent) + 1):
            parser = EventParser()
            self.assertEqual([*parser.push(sent[:cut]), *parser.push(sent[cut:])], wanted, cut)


class Waits(unittest.TestCase):
    def test_how_long_to_wait(self) -> None:
        def refused(status: int, retry_after: float | None = None, code: str = "X") -> NexusError:
            return NexusError("", code=code, status=status, retry_after=retry_after)

        self.assertEqual(wait_before_retry(refused(429, 2), 1, False, 0), 2.1)
        self.assertEqual(wait_before_retry(refused(429), 2, False, 0), 1.0)
        self.assertEqual(wait_before_retry(refused(502), 1, True, 1), 0.25)
        self.assertIsNone(wait_before_retry(refused(502), 1, False, 1))
        self.assertIsNone(wait_before_retry(refused(500), 1, True, 0))
        self.assertIsNone(wait_before_retry(refused(503, code="AGENT_OFFLINE"), 1, True, 0))
        self.assertIsNone(wait_before_retry(NexusConnectionError("", sent=True), 1, False, 0))
        self.assertEqual(wait_before_retry(NexusConnectionError("", sent=False), 1, False, 0), 0.5)
        self.assertEqual(backoff(20, 0), 8)
        at = datetime.fromtimestamp(4, timezone.utc)
        self.assertEqual(seconds_to_wait("Thu, 01 Jan 1970 00:00:10 GMT", at), 6)
        self.assertIsNone(seconds_to_wait("soon", at))


class Writing(unittest.TestCase):
    def test_values_are_written_as_the_api_has_them(self) -> None:
        at = datetime(2026, 1, 2, tzinfo=timezone.utc)
        body: dict[str, Any] = {"a": UNSET, "b": None, "c": Decimal("1E+2"), "d": at, "e": [UUID(int=0)], "f": 1.5}
        wanted = {"b": None, "c": "100", "d": "2026-01-02T00:00:00+00:00", "e": [str(UUID(int=0))], "f": 1.5}
        self.assertEqual(encode(body), wanted)
        self.assertEqual(encode(PartIn(raw="AA==", media_type="x/y")), {"raw": "AA==", "mediaType": "x/y"})
        self.assertEqual(encode([Skill(id="a", name="A")]), [{"id": "a", "name": "A"}])
        self.assertEqual(camel("p50_ms"), "p50Ms")
        with self.assertRaises(ValueError):
            encode(datetime(2026, 1, 2))

    def test_an_id_stays_within_its_place_in_the_path(self) -> None:
        self.assertEqual(segment("a/../b?c"), "a%2F..%2Fb%3Fc")
        for bad in ("", ".", ".."):
            with self.assertRaises(ValueError):
                segment(bad)
