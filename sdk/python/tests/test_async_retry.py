"""What is sent again, and what is not."""

from __future__ import annotations

import socket
import time
import unittest
from typing import Any

from nexus_agents import (
    AgentProtocolError,
    AsyncNexus,
    ConflictError,
    NexusConnectionError,
    NexusError,
    NexusTimeoutError,
    RateLimitError,
    Upload,
)

from .live import BASE_URL, BUYER_KEY, Listening, Quiet, Said, TestAgent, proxy, stub

ACCOUNT = {"data": {"id": "a", "name": "A", "email": None, "createdAt": "2026-01-01T00:00:00Z"}}
LIMITED = {"error": {"code": "RATE_LIMIT_EXCEEDED", "message": "slowly", "details": None}}


def refusal(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": code, "details": None}}


class Retry(unittest.IsolatedAsyncioTestCase):
    agent: TestAgent

    @classmethod
    def setUpClass(cls) -> None:
        cls.agent = TestAgent("1.00")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.agent.close()

    async def test_too_often_it_waits_as_long_as_it_is_told_and_asks_again(self) -> None:
        server, seen = stub(Said(429, LIMITED, {"retry-after": "1"}), Said(200, ACCOUNT))
        with server:
            async with AsyncNexus("nxk_x", server.url) as nexus:
                begun = time.monotonic()
                self.assertEqual((await nexus.account.get()).name, "A")
                self.assertGreaterEqual(time.monotonic() - begun, 1)
        self.assertEqual(len(seen.requests), 2)

    async def test_a_wait_that_is_too_long_is_the_callers_to_decide(self) -> None:
        server, seen = stub(Said(429, LIMITED, {"retry-after": "3600"}))
        with server:
            async with AsyncNexus("nxk_x", server.url) as nexus:
                with self.assertRaises(RateLimitError) as refused:
                    await nexus.account.get()
        self.assertEqual(refused.exception.retry_after, 3600)
        self.assertEqual(len(seen.requests), 1)

    async def test_it_gives_up_after_three_repetitions_all_with_one_idempotency_key(self) -> None:
        server, seen = stub(Said(503, b""))
        with server:
            async with AsyncNexus("nxk_x", server.url) as nexus:
                with self.assertRaises(NexusError) as refused:
                    await nexus.tasks.create(agent_id="a", message="x")
        self.assertEqual(refused.exception.status, 503)
        self.assertEqual(len(seen.requests), 4)
        keys = {request.headers["idempotency-key"] for request in seen.requests}
        self.assertEqual(len(keys), 1)
        self.assertRegex(keys.pop(), "^[0-9a-f-]{36}$")

    async def test_another_call_has_another_key_and_the_caller_may_choose_it(self) -> None:
        server, seen = stub(Said(200, {"data": {"secret": "whsec_AAAA"}}))
        with server:
            async with AsyncNexus("nxk_x", server.url) as nexus:
                await nexus.agents.rotate_secret("a")
                await nexus.agents.rotate_secret("a")
                await nexus.agents.rotate_secret("a", idempotency_key="mine")
        keys = [request.headers["idempotency-key"] for request in seen.requests]
        self.assertEqual(len(set(keys)), 3)
        self.assertEqual(keys[2], "mine")

    async def test_a_conflict_is_asked_again_only_while_the_first_request_is_at_work(self) -> None:
        server, seen = stub(Said(409, refusal("CONFLICT"), {"retry-after": "0"}), Said(409, refusal("CONFLICT")))
        with server:
            async with AsyncNexus("nxk_x", server.url) as nexus:
                with self.assertRaises(ConflictError):
                    await nexus.tasks.cancel("a")
        self.assertEqual(len(seen.requests), 2)

    async def test_what_an_agent_failed_at_is_not_asked_again(self) -> None:
        server, seen = stub(Said(502, refusal("PROTOCOL_ERROR")))
        with server:
            async with AsyncNexus("nxk_x", server.url) as nexus:
                with self.assertRaises(AgentProtocolError):
                    await nexus.agents.test("a", message="x")
        self.assertEqual(len(seen.requests), 1)

    async def test_a_redirect_is_not_followed_and_what_is_not_nexus_is_said_to_be_so(self) -> None:
        elsewhere, asked = stub(Said(200, ACCOUNT))
        server, _ = stub(Said(302, b"", {"location": elsewhere.url}), Said(200, {"hello": "world"}))
        with server, elsewhere:
            async with AsyncNexus("nxk_x", server.url) as nexus:
                for _ in range(2):
                    with self.assertRaises(NexusError) as refused:
                        await nexus.account.get()
                    self.assertEqual(refused.exception.code, "UNEXPECTED_ANSWER")
        self.assertEqual(asked.requests, [])

    async def test_an_answer_of_another_form_is_an_error_of_ours(self) -> None:
        server, _ = stub(Said(200, {"data": {"id": "a"}}))
        with server:
            async with AsyncNexus("nxk_x", server.url) as nexus:
                with self.assertRaises(NexusError) as refused:
                    await nexus.account.get()
        self.assertEqual(refused.exception.code, "UNEXPECTED_ANSWER")

    async def test_silence_is_not_waited_for_longer_than_allowed(self) -> None:
        class Silent(Quiet):
            def do_GET(self) -> None:
                time.sleep(1)

        with Listening(Silent) as server:
            async with AsyncNexus("nxk_x", server.url, max_retries=0) as nexus:
                with self.assertRaises(NexusTimeoutError):
                    await nexus.account.get(timeout=0.05)

    async def test_nobody_there_it_is_tried_again_and_then_said(self) -> None:
        # Bound and not listening, so that nobody else gets the port.
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            async with AsyncNexus("nxk_x", f"http://127.0.0.1:{taken.getsockname()[1]}", max_retries=1) as nexus:
                with self.assertRaises(NexusConnectionError) as broken:
                    await nexus.account.get()
        self.assertFalse(broken.exception.sent)

    async def test_a_task_whose_answer_was_lost_on_the_way_is_made_once(self) -> None:
        server, seen = proxy(lambda n: "lose" if n <= 2 else None)
        title = f"lost {time.time()}"
        with server:
            async with AsyncNexus(BUYER_KEY, server.url) as nexus:
                task = await nexus.tasks.create(agent_id=self.agent.id, message="once", title=title)
        self.assertEqual(len(seen.requests), 3)
        async with AsyncNexus(BUYER_KEY, BASE_URL) as buyer:
            made = [row.id async for row in buyer.tasks.list(role="requester") if row.title == title]
        self.assertEqual(made, [task.id])

    async def test_an_answer_that_breaks_off_half_way_is_asked_for_again(self) -> None:
        async with AsyncNexus(BUYER_KEY, BASE_URL) as buyer:
            files = [Upload(b"0123456789" * 50)]
            task = await buyer.tasks.run(agent_id=self.agent.id, message="keep", files=files)
        server, seen = proxy(lambda n: 100 if n in (1, 3) else None)
        with server:
            async with AsyncNexus(BUYER_KEY, server.url) as nexus:
                self.assertEqual((await nexus.tasks.get(task.id)).id, task.id)
                self.assertEqual(len((await nexus.tasks.file(task.id, 0, 1)).content), 500)
        self.assertEqual(len(seen.requests), 4)
