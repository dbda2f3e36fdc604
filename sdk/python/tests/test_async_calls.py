"""The operations, on a live server."""

from __future__ import annotations

import inspect
import json
import re
import tempfile
import time
import unittest
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

from nexus_agents import (
    AgentOfflineError,
    AsyncNexus,
    AuthenticationError,
    InsufficientCreditsError,
    NexusTimeoutError,
    NotFoundError,
    PermissionDeniedError,
    SignatureError,
    StaleError,
    Upload,
    ValidationError,
    etag_of,
    verify_webhook,
)
from nexus_agents._clock import async_sleep
from nexus_agents.types import PartIn

from .live import BASE_URL, BUYER_KEY, OWNER_KEY, Listening, Quiet, TestAgent


class Calls(unittest.IsolatedAsyncioTestCase):
    agent: TestAgent

    @classmethod
    def setUpClass(cls) -> None:
        cls.agent = TestAgent("1.50")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.agent.close()

    async def asyncSetUp(self) -> None:
        self.owner = AsyncNexus(OWNER_KEY, BASE_URL)
        self.buyer = AsyncNexus(BUYER_KEY, BASE_URL)

    async def asyncTearDown(self) -> None:
        await self.owner.aclose()
        await self.buyer.aclose()

    async def test_an_agent_is_found_hired_paid_accepted_and_rated(self) -> None:
        found = await self.buyer.discover.search(q="test agent", tags=["sdk-test"], max_price="1.50").page()
        self.assertGreaterEqual(found.total or 0, 1)
        self.assertIn(self.agent.id, [row.id for row in found.data])

        task = await self.buyer.tasks.run(agent_id=self.agent.id, message="hello there", max_budget_credits="1.50")
        self.assertEqual((task.state, task.result.text), ("completed", "hello there"))
        self.assertEqual(task.cost_credits, Decimal("1.50"))
        self.assertLess(abs((datetime.now(timezone.utc) - task.created_at).total_seconds()), 60)
        # The price less the fee of 5 %, half-up: 0.08.
        ledger = (await self.owner.billing.transactions(limit=100).page()).data
        self.assertEqual(sum(row.amount for row in ledger if row.reference_id == task.id), Decimal("1.42"))

        await self.buyer.tasks.accept(task.id)
        rated = await self.buyer.tasks.rate(task.id, stars=4, text="well")
        self.assertIsNotNone(rated.accepted_at)
        reviews = await self.buyer.trust.reviews(self.agent.id).page()
        self.assertEqual(reviews.data[0].stars, 4)
        self.assertEqual((await self.buyer.trust.get(self.agent.id)).evidence.ratings, 1)

    async def test_files_go_in_as_bytes_or_paths_and_come_out_as_bytes(self) -> None:
        content = bytes(n % 256 for n in range(3000))
        path = Path(tempfile.mkdtemp(prefix="nexus-sdk-")) / "plain.txt"
        path.write_text("plain")
        task = await self.buyer.tasks.run(
            agent_id=self.agent.id,
            message="keep",
            parts=[PartIn(data={"a": 1})],
            files=[Upload(content, "a.bin", "application/x-test"), path],
        )
        self.assertEqual(task.result.data, {"a": 1})
        made = [file async for file in self.buyer.tasks.files(task)]
        self.assertEqual([file.content for file in made], [content, b"plain"])
        self.assertEqual([file.filename for file in made], ["a.bin", "plain.txt"])
        self.assertEqual([file.media_type for file in made], ["application/x-test", "text/plain"])

    async def test_a_question_is_answered_a_task_cancelled_one_that_failed_sent_again(self) -> None:
        asking = await self.buyer.tasks.run(agent_id=self.agent.id, message="ask")
        self.assertEqual(asking.waiting_for, "input")
        answered = await self.buyer.tasks.reply(asking.id, message="blue", wait=30)
        self.assertEqual(answered.result.text, "heard blue")

        slow = await self.buyer.tasks.create(agent_id=self.agent.id, message="slow 10000")
        with self.assertRaises(NexusTimeoutError):
            await self.buyer.tasks.wait(slow.id, within=0.3)
        self.assertEqual((await self.buyer.tasks.cancel(slow.id)).state, "cancelled")

        failed = await self.buyer.tasks.run(agent_id=self.agent.id, message="fail")
        self.assertEqual((failed.state, failed.error), ("failed", "as you wish"))
        again = await self.buyer.tasks.retry(failed.id, max_price_credits=Decimal("1.50"), wait=30)
        self.assertEqual(again.retry_of, failed.id)

    async def test_a_dispute_is_opened_answered_and_given_in_to(self) -> None:
        task = await self.buyer.tasks.run(agent_id=self.agent.id, message="wrong")
        dispute = await self.buyer.disputes.open(task.id, reason="It is not what I asked for, not at all.")
        self.assertEqual(dispute.escrow_credits, Decimal("1.50"))
        await self.owner.disputes.say(task.id, text="It is what you asked for.")
        await self.owner.disputes.offer(task.id, refund_credits="0.50")
        ended = await self.buyer.disputes.accept_offer(task.id, refund_credits="0.50")
        assert ended.decision is not None
        self.assertEqual(ended.decision.refund_credits, Decimal("0.50"))
        self.assertEqual(len((await self.owner.disputes.get(task.id)).statements), 2)

    async def test_a_list_is_read_page_by_page(self) -> None:
        for n in range(5):
            await self.buyer.tasks.create(agent_id=self.agent.id, message=f"row {n}", title=f"row {n}")
        rows = self.buyer.tasks.list(role="requester", limit=2)
        sizes = [len(page.data) async for page in rows.pages()]
        ids = {row.id async for row in rows}
        self.assertGreaterEqual(len(sizes), 3)
        self.assertEqual(set(sizes[:-1]), {2})
        self.assertEqual(len(ids), sum(sizes))

        first = await rows.page()
        rest = await self.buyer.tasks.list(role="requester", cursor=first.next_cursor).page()
        self.assertFalse({row.id for row in first.data} & {row.id for row in rest.data})

    async def test_keys_are_made_limited_changed_only_as_they_were_read_and_revoked(self) -> None:
        created = await self.buyer.keys.create(name="sdk", scopes=["tasks:read"], daily_cap=Decimal("5.00"))
        async with AsyncNexus(created.secret, BASE_URL) as limited:
            self.assertEqual((await limited.keys.current()).caps.day, Decimal("5.00"))
            with self.assertRaises(PermissionDeniedError) as refused:
                await limited.tasks.create(agent_id=self.agent.id, message="x")
            self.assertEqual(refused.exception.details, {"scope": "tasks:write"})

            read = await self.buyer.keys.get(created.id)
            self.assertIsNotNone(etag_of(read))
            changed = await self.buyer.keys.change(created.id, name="other", daily_cap=None, if_match=read)
            self.assertEqual((changed.name, changed.caps.day), ("other", None))
            # What is left out stays.
            same = await self.buyer.keys.change(created.id, requests_per_minute=5)
            self.assertEqual((same.name, same.requests_per_minute), ("other", 5))
            with self.assertRaises(StaleError):
                await self.buyer.keys.change(created.id, name="third", if_match=read)

            rotated = await self.buyer.keys.rotate(created.id, grace_seconds=0)
            self.assertNotEqual(rotated.secret, created.secret)
            await self.buyer.keys.revoke(created.id)
            with self.assertRaises(AuthenticationError):
                await limited.account.get()

    async def test_refusals_are_errors_with_code_status_fields_and_the_requests_id(self) -> None:
        with self.assertRaises(NotFoundError) as missing:
            await self.buyer.tasks.get("0b9f7a1c-5a0e-4a53-9d8e-3b1f4c2d6e7f")
        self.assertEqual((missing.exception.code, missing.exception.status), ("TASK_NOT_FOUND", 404))
        self.assertTrue(missing.exception.request_id)
        with self.assertRaises(ValidationError) as wrong:
            await self.buyer.tasks.create(agent_id=self.agent.id, message="x", timeout_seconds=1)
        self.assertEqual(wrong.exception.fields[0].field, "timeoutSeconds")
        async with AsyncNexus("nxk_no", BASE_URL) as nobody:
            with self.assertRaises(AuthenticationError):
                await nobody.account.get()
        with self.assertRaises(ValueError):
            await self.buyer.tasks.get("..")

        dear = TestAgent("90000.00")
        with self.assertRaises(InsufficientCreditsError) as short:
            await self.buyer.tasks.create(agent_id=dear.id, message="x")
        self.assertEqual(short.exception.needed, "90000.00")
        self.assertLess(Decimal(short.exception.available or "NaN"), 90000)
        await self.owner.agents.change(dear.id, listed=False)
        begun = time.monotonic()
        with self.assertRaises(AgentOfflineError):
            await self.buyer.tasks.create(agent_id=dear.id, message="x")
        self.assertLess(time.monotonic() - begun, 0.5, "an agent that is offline is not asked for again")
        await self.owner.agents.retire(dear.id)
        dear.close()

    async def test_what_is_open_to_everybody_needs_no_key(self) -> None:
        async with AsyncNexus("", f"{BASE_URL}/api/v1/") as visitor:
            self.assertEqual((await visitor.health.get()).status, "ready")
            self.assertIsNone((await visitor.agents.get(self.agent.id)).owner)
            self.assertIn("sdk-test", [tag.tag for tag in (await visitor.discover.facets()).tags])
            self.assertTrue(await visitor.billing.packages())

    async def test_credits_checkout_ledger_usage_limits(self) -> None:
        first = (await self.buyer.billing.packages())[0]
        key = f"checkout-once-{time.time()}"
        checkout = await self.buyer.billing.checkout(package_id=first.id, idempotency_key=key)
        same = await self.buyer.billing.checkout(package_id=first.id, idempotency_key=key)
        self.assertEqual(same.id, checkout.id)
        entries = await self.buyer.billing.transactions(limit=1).page()
        self.assertEqual(entries.data[0].amount.as_tuple().exponent, -2)
        usage = await self.buyer.billing.usage(period="7d")
        self.assertEqual(len(usage.days), 7)
        limits = await self.buyer.billing.set_limits(daily="500.00", monthly=None, low_balance="1.00")
        self.assertEqual(limits.low_balance, Decimal("1.00"))
        await self.buyer.billing.set_limits(daily=None, monthly=None, low_balance=None)

    async def test_run_takes_all_that_create_takes(self) -> None:
        create, run = (set(inspect.signature(method).parameters) for method in (self.buyer.tasks.create, self.buyer.tasks.run))
        self.assertEqual(create - {"wait"}, run - {"within"})

    async def test_every_operation_is_a_method_of_the_client(self) -> None:
        for name in json.loads((Path(__file__).parents[2] / "names.json").read_text()).values():
            group, method = name.split(".")
            method = re.sub("[A-Z]", lambda found: "_" + found.group().lower(), method)
            self.assertTrue(callable(getattr(getattr(self.buyer, group), method)), name)

    async def test_webhooks_are_set_up_tried_and_verify(self) -> None:
        got: list[tuple[dict[str, str], bytes]] = []

        class Receiver(Quiet):
            def do_POST(self) -> None:
                got.append((dict(self.headers.items()), self.body()))
                self.send(200, b"")

        with Listening(Receiver) as server:
            types = [kind.name for kind in await self.buyer.webhooks.event_types()]
            self.assertIn("task.completed", types)
            created = await self.buyer.webhooks.create(url=f"{server.url}/hook", types=["task.completed"])
            task = await self.buyer.tasks.run(agent_id=self.agent.id, message="tell me")
            while not got:
                await async_sleep(0.02)
            headers, body = got[0]
            event = verify_webhook(created.secret, headers, body)
            self.assertEqual((event.type, event.data["taskId"]), ("task.completed", task.id))
            with self.assertRaises(SignatureError):
                verify_webhook(created.secret, headers, body + b" ")
            self.assertEqual(len((await self.buyer.webhooks.deliveries(created.id).page()).data), 1)
            await self.buyer.webhooks.delete(created.id)
