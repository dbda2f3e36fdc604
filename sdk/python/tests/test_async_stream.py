"""Tasks, live."""

from __future__ import annotations

import unittest
from collections.abc import AsyncIterator
from contextlib import aclosing

from nexus_agents import AsyncNexus, AuthenticationError, End, NexusConnectionError, TaskUpdate

from .live import BASE_URL, BUYER_KEY, Listening, Quiet, Seen, TestAgent, proxy


async def everything(stream: AsyncIterator[TaskUpdate]) -> list[TaskUpdate]:
    return [update async for update in stream]


def kinds(updates: list[TaskUpdate]) -> list[str]:
    return [update.type for update in updates]


class Stream(unittest.IsolatedAsyncioTestCase):
    agent: TestAgent

    @classmethod
    def setUpClass(cls) -> None:
        cls.agent = TestAgent("0.00")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.agent.close()

    async def asyncSetUp(self) -> None:
        self.buyer = AsyncNexus(BUYER_KEY, BASE_URL)

    async def asyncTearDown(self) -> None:
        await self.buyer.aclose()

    async def test_a_stream_begins_with_the_task_tells_each_event_and_ends_with_the_task(self) -> None:
        task = await self.buyer.tasks.create(agent_id=self.agent.id, message="slow 3")
        updates = await everything(self.buyer.tasks.stream(task.id))
        self.assertEqual(updates[0].type, "snapshot")
        end = updates[-1]
        assert isinstance(end, End)
        self.assertEqual(end.task.state, "completed")
        self.assertIn("progress", [update.event.kind for update in updates if update.type == "event"])

    async def test_a_stream_that_is_cut_in_the_middle_again_and_again_has_no_gap_and_no_repetition(self) -> None:
        # Each connection is cut somewhere else: within a frame, between two, before the first.
        server, seen = proxy(lambda n: n * 97 % 400 if 1 < n < 12 else None)
        with server:
            async with AsyncNexus(BUYER_KEY, server.url) as through:
                task = await through.tasks.create(agent_id=self.agent.id, message="slow 8")
                updates = await everything(through.tasks.stream(task.id, after=0))
        end = updates[-1]
        assert isinstance(end, End)
        self.assertGreaterEqual(end.task.last_event, 8)
        numbers = [update.id for update in updates if update.type == "event"]
        self.assertEqual(numbers, list(range(1, end.task.last_event + 1)))
        self.assertGreaterEqual(len(seen.requests), 6)

    async def test_a_stream_that_is_cut_before_its_first_word_begins_with_the_task_all_the_same(self) -> None:
        task = await self.buyer.tasks.create(agent_id=self.agent.id, message="slow 2")
        server, _ = proxy(lambda n: 10 if n == 1 else None)
        with server:
            async with AsyncNexus(BUYER_KEY, server.url) as through:
                updates = await everything(through.tasks.stream(task.id))
        self.assertEqual([updates[0].type, updates[-1].type], ["snapshot", "end"])
        self.assertEqual(kinds(updates).count("snapshot"), 1)

    async def test_a_stream_of_a_task_that_has_ended_is_its_snapshot_and_its_end(self) -> None:
        task = await self.buyer.tasks.run(agent_id=self.agent.id, message="hi")
        self.assertEqual(kinds(await everything(self.buyer.tasks.stream(task.id))), ["snapshot", "end"])

    async def test_a_stream_ends_when_its_reader_leaves(self) -> None:
        task = await self.buyer.tasks.create(agent_id=self.agent.id, message="slow 10000")
        async with aclosing(self.buyer.tasks.stream(task.id)) as updates:
            async for update in updates:
                self.assertEqual(update.type, "snapshot")
                break
        self.assertEqual((await self.buyer.tasks.cancel(task.id)).state, "cancelled")

    async def test_a_stream_that_brings_nothing_is_given_up_one_that_is_refused_is_not_asked_for_again(self) -> None:
        seen = Seen()

        class Empty(Quiet):
            def do_GET(self) -> None:
                seen.add(self)
                self.send(200, b": nothing\n\n", {"content-type": "text/event-stream"})

        with Listening(Empty) as server:
            async with AsyncNexus("nxk_x", server.url) as nexus:
                with self.assertRaises(NexusConnectionError):
                    await everything(nexus.tasks.stream("a"))
        self.assertEqual(len(seen.requests), 6)
        async with AsyncNexus("nxk_no", BASE_URL) as nobody:
            with self.assertRaises(AuthenticationError):
                await everything(nobody.tasks.stream("a"))

    async def test_silence_is_taken_for_a_break(self) -> None:
        seen = Seen()
        event = b'event: event\nid: 1\ndata: {"seq":1,"kind":"running","data":{},"at":"2026-01-01T00:00:00Z"}\n\n'

        class Silent(Quiet):
            def do_GET(self) -> None:
                n = seen.add(self)
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("content-length", "10000")
                self.end_headers()
                self.wfile.write(event if n == 1 else event.replace(b"1,", b"2,").replace(b"id: 1", b"id: 2"))
                self.rfile.read(1)

        got = []
        with Listening(Silent) as server:
            async with AsyncNexus("nxk_x", server.url) as nexus:
                async with aclosing(nexus.tasks.stream("a", silence=0.2)) as updates:
                    async for update in updates:
                        got.append(update.id)
                        if len(got) == 2:
                            break
        self.assertEqual(got, [1, 2])
        self.assertEqual(seen.requests[1].headers["last-event-id"], "1")
