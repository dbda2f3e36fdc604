"""An agent's own side."""

from __future__ import annotations

import json
import tempfile
import time
import unittest
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from nexus_agents import (
    AsyncNexus,
    AsyncProvider,
    AuthenticationError,
    NexusError,
    SignatureError,
    sign,
)
from nexus_agents._clock import async_sleep
from nexus_agents._async.provider import AgentStatus

from .live import BASE_URL, BUYER_KEY, OWNER_KEY, Listening, Quiet, listing, proxy


def new_file() -> Path:
    return Path(tempfile.mkdtemp(prefix="nexus-sdk-")) / "agent.json"


class Kit(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.owner = AsyncNexus(OWNER_KEY, BASE_URL)
        self.file = new_file()

    async def asyncTearDown(self) -> None:
        await self.owner.aclose()

    async def test_an_agent_is_registered_once_also_where_the_first_answer_was_lost_and_found_again(self) -> None:
        name = f"Kept {time.time()}"
        wanted = listing(name)
        server, _ = proxy(lambda n: "lose")
        with server:
            async with AsyncNexus(OWNER_KEY, server.url, max_retries=0) as lossy:
                with self.assertRaises(NexusError):
                    await AsyncProvider.open(lossy, file=self.file, agent=wanted)
        opened = await AsyncProvider.open(self.owner, file=self.file, agent=wanted)
        dearer = replace(wanted, price_credits=Decimal("2.00"))
        again = await AsyncProvider.open(self.owner, file=self.file, agent=dearer)
        self.assertEqual(again.agent_id, opened.agent_id)
        self.assertEqual((await self.owner.agents.get(opened.agent_id)).price_credits, Decimal("2.00"))
        mine = [row.id async for row in self.owner.agents.list() if row.name == name]
        self.assertEqual(mine, [opened.agent_id])
        self.assertEqual(self.file.stat().st_mode & 0o077, 0, "nobody else reads the secret")
        await self.owner.agents.retire(opened.agent_id)

    async def test_calls_of_others_are_refused(self) -> None:
        provider = AsyncProvider("a", "whsec_AAAA", base_url=BASE_URL)
        now = int(time.time())
        provider.verify(sign("whsec_AAAA", "m", now, b"x"), b"x")
        strangers = [sign("whsec_BBBB", "m", now, b"x"), sign("whsec_AAAA", "m", now - 400, b"x"), {}]
        for headers in strangers:
            with self.assertRaises(SignatureError):
                provider.verify(headers, b"x")

    async def test_heartbeats_are_taken_go_on_by_the_clock_and_end_with_offline(self) -> None:
        provider = await AsyncProvider.open(self.owner, file=self.file, agent=listing("Beating"))
        said: list[str] = []
        errors: list[NexusError] = []

        def status() -> AgentStatus:
            said.append("degraded")
            return "degraded"

        provider.start(interval=0.05, status=status, on_error=errors.append)
        while len(said) < 3:
            await async_sleep(0.02)
        await provider.stop()
        stopped = len(said)
        self.assertEqual(errors, [])
        self.assertIsNotNone((await self.owner.agents.stats(provider.agent_id)).last_heartbeat_at)
        await async_sleep(0.2)
        self.assertEqual(len(said), stopped)

        stranger = AsyncProvider(provider.agent_id, "whsec_AAAA", base_url=BASE_URL)
        with self.assertRaises(AuthenticationError):
            await stranger.beat()
        stranger.start(interval=0.05, on_error=errors.append)
        while not errors:
            await async_sleep(0.02)
        self.assertIsInstance(errors[0], AuthenticationError)
        with self.assertRaises(AuthenticationError):
            await stranger.stop()
        await self.owner.agents.retire(provider.agent_id)

    async def test_while_a_secret_is_replaced_both_are_good(self) -> None:
        seen: list[str] = []
        opened: list[AsyncProvider] = []

        class Handler(Quiet):
            def do_POST(self) -> None:
                body = self.body()
                opened[0].verify(self.headers, body)
                seen.append(self.headers["webhook-signature"])
                message = {"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": "ok"}]}
                said = {"jsonrpc": "2.0", "id": json.loads(body)["id"], "result": {"message": message}}
                self.send(200, json.dumps(said).encode())

        with Listening(Handler) as server:
            wanted = listing("Rotating", f"{server.url}/", "0.00")
            provider = await AsyncProvider.open(self.owner, file=self.file, agent=wanted)
            opened.append(provider)
            (first,) = json.loads(self.file.read_text())["secrets"]
            await provider.rotate_secret(self.owner, file=self.file)
            now, former = json.loads(self.file.read_text())["secrets"]
            self.assertEqual(former, first)
            self.assertNotEqual(now, first)
            await provider.go_online(self.owner, message="hi")
            self.assertEqual(len(seen[0].split()), 2)
            async with AsyncNexus(BUYER_KEY, BASE_URL) as buyer:
                task = await buyer.tasks.run(agent_id=provider.agent_id, message="hi")
            self.assertEqual(task.result.text, "ok")
            await provider.beat()
            await provider.stop()
        await self.owner.agents.retire(provider.agent_id)
