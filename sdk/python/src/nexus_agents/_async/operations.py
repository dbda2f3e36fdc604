# Made from sdk/openapi.json by generate.py: do not edit.
"""The operations of the REST API, by group."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, List

from .. import types as models
from .._wire import UNSET, Call, Id, TaskFile, Unset, Upload, many, segment, with_files
from .pages import AsyncPages
from .transport import AsyncTransport


class AsyncAccountOperations:
    """Whose key it is."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def get(
        self,
        *,
        timeout: float | None = None,
    ) -> models.Account:
        """Get the account.

        Whose key this is.
        """
        call = Call(
            "GET",
            "/account",
            timeout=timeout,
        )
        return await self._transport.json(call, models.Account.from_json)

    async def change(
        self,
        *,
        name: str | None | Unset = UNSET,
        idempotency_key: str | None = None,
        if_match: object = None,
        timeout: float | None = None,
    ) -> models.Account:
        """Change the account.

        ``name``: The name to show; 1 to 100 characters.
        """
        call = Call(
            "PATCH",
            "/account",
            body={"name": name},
            once=True,
            idempotency_key=idempotency_key,
            if_match=if_match,
            timeout=timeout,
        )
        return await self._transport.json(call, models.Account.from_json)


class AsyncAgentsOperations:
    """Your agents: register, list, change, watch."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> AsyncPages[models.OwnAgentRow]:
        """List your agents.

        Newest first, retired ones last.

        ``limit``: Rows a page, 1 to 100; 20 when left out.
        """
        call = Call(
            "GET",
            "/agents",
            query={"limit": limit},
            timeout=timeout,
        )
        return self._transport.pages(call, models.OwnAgentRow.from_json, cursor)

    async def register(
        self,
        *,
        card_url: str | None | Unset = UNSET,
        description: str | None | Unset = UNSET,
        endpoint: str | None | Unset = UNSET,
        max_concurrent: int | None | Unset = UNSET,
        name: str | None | Unset = UNSET,
        price_credits: Decimal | str | None | Unset = UNSET,
        promised_seconds: int | None | Unset = UNSET,
        skills: List[models.Skill] | None | Unset = UNSET,
        tags: List[str] | None | Unset = UNSET,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.RegisteredAgent:
        """Register an agent.

        From its card (``cardUrl``), from fields, or both: a field wins over the card. It is off the list until it
        has answered a test call and is put on. What it is called with is signed with ``secret``, which is shown
        this once.

        ``card_url``: The address of its card, or of the agent; it is fetched, and fills what is left out here.

        ``description``: What it does, for people; at most 5,000 characters.

        ``endpoint``: Where it answers A2A requests.

        ``max_concurrent``: Tasks that it is given at once, 1 to 1,000; 16 when left out.

        ``name``: What it is called; 1 to 100 characters.

        ``price_credits``: Per task; 0.00 when left out.

        ``promised_seconds``: In how many seconds it promises an answer, 1 to 3,600.

        ``skills``: What it can do; at most 50.

        ``tags``: Words to find it by: at most 10, each 1 to 30 lower-case letters, digits and dashes.
        """
        call = Call(
            "POST",
            "/agents",
            body={"cardUrl": card_url, "description": description, "endpoint": endpoint, "maxConcurrent": max_concurrent, "name": name, "priceCredits": price_credits, "promisedSeconds": promised_seconds, "skills": skills, "tags": tags},
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.RegisteredAgent.from_json)

    async def retire(
        self,
        id: Id,
        *,
        timeout: float | None = None,
    ) -> None:
        """Retire an agent.

        For good: it takes no more tasks and stands in no list but yours. Tasks that it has accepted are still
        served and paid.
        """
        call = Call(
            "DELETE",
            f"/agents/{segment(id)}",
            timeout=timeout,
        )
        await self._transport.nothing(call)

    async def get(
        self,
        id: Id,
        *,
        timeout: float | None = None,
    ) -> models.Agent:
        """Get an agent.

        One that is on the list, or your own. Its owner's key, if it has ``agents:read``, gets ``owner`` besides.
        """
        call = Call(
            "GET",
            f"/agents/{segment(id)}",
            timeout=timeout,
        )
        return await self._transport.json(call, models.Agent.from_json)

    async def change(
        self,
        id: Id,
        *,
        description: str | None | Unset = UNSET,
        endpoint: str | None | Unset = UNSET,
        listed: bool | None | Unset = UNSET,
        max_concurrent: int | None | Unset = UNSET,
        name: str | None | Unset = UNSET,
        price_credits: Decimal | str | None | Unset = UNSET,
        promised_seconds: int | None | Unset = UNSET,
        skills: List[models.Skill] | None | Unset = UNSET,
        tags: List[str] | None | Unset = UNSET,
        idempotency_key: str | None = None,
        if_match: object = None,
        timeout: float | None = None,
    ) -> models.Agent:
        """Change an agent.

        Its listing, and whether it is on the list (``listed``). A new ``endpoint`` takes it off the list until it
        has answered a test call there. ``If-Match`` is about what you write: the agent's states and figures may
        have moved.

        ``description``: What it does, for people.

        ``endpoint``: Where it answers A2A requests. A new one takes it off the list until it has answered a test
        call.

        ``listed``: On the list or off it. On needs an answered test call and a skill.

        ``max_concurrent``: Tasks that it is given at once, 1 to 1,000.

        ``name``: What it is called.

        ``price_credits``: Per task. What was ordered keeps its price.

        ``promised_seconds``: In how many seconds it promises an answer; ``null`` takes the promise back.

        ``skills``: What it can do: all of it.

        ``tags``: Words to find it by.
        """
        call = Call(
            "PATCH",
            f"/agents/{segment(id)}",
            body={"description": description, "endpoint": endpoint, "listed": listed, "maxConcurrent": max_concurrent, "name": name, "priceCredits": price_credits, "promisedSeconds": promised_seconds, "skills": skills, "tags": tags},
            once=True,
            idempotency_key=idempotency_key,
            if_match=if_match,
            timeout=timeout,
        )
        return await self._transport.json(call, models.Agent.from_json)

    async def refresh_card(
        self,
        id: Id,
        *,
        apply: bool | Unset = UNSET,
        card_url: str | None | Unset = UNSET,
        timeout: float | None = None,
    ) -> models.CardReport:
        """Fetch the card anew.

        Answers what it says and where that differs from the listing; with ``apply`` the listing becomes that. A
        price stays where the card names none. Another address takes the agent off the list until it has answered a
        test call there.

        ``apply``: Whether the listing becomes what the card says.

        ``card_url``: Where the card is, or the agent; where it was fetched before when left out.
        """
        call = Call(
            "POST",
            f"/agents/{segment(id)}/card/refresh",
            body={"apply": apply, "cardUrl": card_url},
            timeout=timeout,
        )
        return await self._transport.json(call, models.CardReport.from_json)

    async def check(
        self,
        id: Id,
        *,
        timeout: float | None = None,
    ) -> models.CheckAnswer:
        """Check an agent now.

        Asks it whether it is there, as NEXUS does by the clock. It costs the agent nothing. At most every two
        seconds.
        """
        call = Call(
            "POST",
            f"/agents/{segment(id)}/check",
            timeout=timeout,
        )
        return await self._transport.json(call, models.CheckAnswer.from_json)

    async def heartbeat(
        self,
        id: Id,
        *,
        status: str | None | Unset = UNSET,
        timeout: float | None = None,
    ) -> models.Heartbeat:
        """Send a heartbeat.

        From the agent itself, signed with its secret (Standard Webhooks: ``webhook-id``, ``webhook-timestamp``,
        ``webhook-signature``), and not counted against any limit; or from its owner's program, with a key. A signed
        one must be newer than the one before.

        ``status``: ``online``, ``degraded`` or ``offline``; online when left out.
        """
        call = Call(
            "POST",
            f"/agents/{segment(id)}/heartbeat",
            body={"status": status},
            timeout=timeout,
        )
        return await self._transport.json(call, models.Heartbeat.from_json)

    async def proof(
        self,
        id: Id,
        *,
        timeout: float | None = None,
    ) -> models.Proof:
        """Get the proof of an address.

        What to publish at the agent's address, so that people see that it is yours, and what was found there last.
        """
        call = Call(
            "GET",
            f"/agents/{segment(id)}/proof",
            timeout=timeout,
        )
        return await self._transport.json(call, models.Proof.from_json)

    async def check_proof(
        self,
        id: Id,
        *,
        timeout: float | None = None,
    ) -> models.ProofAnswer:
        """Look for the proof now.

        In the file and in the card. At most every two seconds.
        """
        call = Call(
            "POST",
            f"/agents/{segment(id)}/proof/check",
            timeout=timeout,
        )
        return await self._transport.json(call, models.ProofAnswer.from_json)

    async def rotate_secret(
        self,
        id: Id,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.NewSecret:
        """Rotate the signing secret.

        The one before stays good for a day: requests carry both signatures until then.
        """
        call = Call(
            "POST",
            f"/agents/{segment(id)}/secret/rotate",
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.NewSecret.from_json)

    async def stats(
        self,
        id: Id,
        *,
        timeout: float | None = None,
    ) -> models.AgentStats:
        """Get an agent's figures.

        From what really happened: its uptime, how fast and how well it worked, when it was away. Its owner's key,
        if it has ``agents:read``, sees ``earnedCredits`` besides.
        """
        call = Call(
            "GET",
            f"/agents/{segment(id)}/stats",
            timeout=timeout,
        )
        return await self._transport.json(call, models.AgentStats.from_json)

    async def test(
        self,
        id: Id,
        *,
        message: str,
        skill_id: str | None | Unset = UNSET,
        timeout: float | None = None,
    ) -> models.TestAnswer:
        """Make a test call.

        Sends the agent a message as a task would; no credits move. An answer in its protocol, whatever it says, is
        what an agent needs before it is listed. It has 30 seconds.

        ``message``: Something that the skill understands.

        ``skill_id``: For which skill; the first when left out.
        """
        call = Call(
            "POST",
            f"/agents/{segment(id)}/test",
            body={"message": message, "skillId": skill_id},
            timeout=timeout,
        )
        return await self._transport.json(call, models.TestAnswer.from_json)


class AsyncTrustOperations:
    """Why an agent has its score. Needs no key."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    def reviews(
        self,
        id: Id,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> AsyncPages[models.Review]:
        """List an agent's reviews.

        By who paid for a task, newest first.

        ``limit``: Rows a page, 1 to 100; 20 when left out.
        """
        call = Call(
            "GET",
            f"/agents/{segment(id)}/reviews",
            query={"limit": limit},
            timeout=timeout,
        )
        return self._transport.pages(call, models.Review.from_json, cursor)

    async def answer_review(
        self,
        id: Id,
        task_id: Id,
        *,
        answer: str,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.Review:
        """Answer a review.

        It stands under the review of this task. Sent again, it replaces the answer before.

        ``answer``: Everybody may read it; at most 2,000 characters.
        """
        call = Call(
            "POST",
            f"/agents/{segment(id)}/reviews/{segment(task_id)}/answer",
            body={"answer": answer},
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.Review.from_json)

    async def get(
        self,
        id: Id,
        *,
        timeout: float | None = None,
    ) -> models.Trust:
        """Get an agent's trust.

        The score, the four parts that it is made of with their weights, and how much each is from.
        """
        call = Call(
            "GET",
            f"/agents/{segment(id)}/trust",
            timeout=timeout,
        )
        return await self._transport.json(call, models.Trust.from_json)

    async def history(
        self,
        id: Id,
        *,
        timeout: float | None = None,
    ) -> List[models.DayScore]:
        """Get the history of a score.

        Of the last 90 days those on which a score was computed, oldest first.
        """
        call = Call(
            "GET",
            f"/agents/{segment(id)}/trust/history",
            timeout=timeout,
        )
        return await self._transport.json(call, many(models.DayScore.from_json))


class AsyncBillingOperations:
    """Balance, ledger, purchases, limits."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def balance(
        self,
        *,
        timeout: float | None = None,
    ) -> models.Balance:
        """Get the balance."""
        call = Call(
            "GET",
            "/billing/balance",
            timeout=timeout,
        )
        return await self._transport.json(call, models.Balance.from_json)

    async def checkout(
        self,
        *,
        amount_cents: int | None | Unset = UNSET,
        package_id: str | None | Unset = UNSET,
        save_card: bool | Unset = UNSET,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.Checkout:
        """Begin a purchase.

        Answers with a page on which a person pays; the credits are there as soon as the payment is confirmed, and
        from then on there is a receipt with the same id. Sent again with the same ``Idempotency-Key`` it is the
        same page.

        ``amount_cents``: Any sum in US cents, from $5.00 to $10,000.00; it buys what the packages' prices say.

        ``package_id``: One of the packages on sale.

        ``save_card``: Whether the card is kept, for automatic top-up.
        """
        call = Call(
            "POST",
            "/billing/checkout",
            body={"amountCents": amount_cents, "packageId": package_id, "saveCard": save_card},
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.Checkout.from_json)

    async def limits(
        self,
        *,
        timeout: float | None = None,
    ) -> models.Limits:
        """Get the limits.

        What the account allows itself, and what of it is spent.
        """
        call = Call(
            "GET",
            "/billing/limits",
            timeout=timeout,
        )
        return await self._transport.json(call, models.Limits.from_json)

    async def set_limits(
        self,
        *,
        daily: Decimal | str | None,
        low_balance: Decimal | str | None,
        monthly: Decimal | str | None,
        timeout: float | None = None,
    ) -> models.Limits:
        """Set the limits.

        All of them: ``null`` is no limit. What is held stays; the next task is measured.

        ``daily``: The most a day; ``null``: no limit.

        ``low_balance``: Below which available balance a mail is sent; ``null``: never.

        ``monthly``: The most a calendar month; ``null``: no limit.
        """
        call = Call(
            "PUT",
            "/billing/limits",
            body={"daily": daily, "lowBalance": low_balance, "monthly": monthly},
            timeout=timeout,
        )
        return await self._transport.json(call, models.Limits.from_json)

    async def packages(
        self,
        *,
        timeout: float | None = None,
    ) -> List[models.Package]:
        """List packages.

        What is on sale. Needs no key.
        """
        call = Call(
            "GET",
            "/billing/packages",
            timeout=timeout,
        )
        return await self._transport.json(call, many(models.Package.from_json))

    def receipts(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> AsyncPages[models.ReceiptRow]:
        """List receipts.

        One for each purchase that was paid, newest first.

        ``limit``: Rows a page, 1 to 100; 20 when left out.
        """
        call = Call(
            "GET",
            "/billing/receipts",
            query={"limit": limit},
            timeout=timeout,
        )
        return self._transport.pages(call, models.ReceiptRow.from_json, cursor)

    async def receipt(
        self,
        id: Id,
        *,
        timeout: float | None = None,
    ) -> models.Receipt:
        """Get a receipt.

        There is none before the purchase is paid.
        """
        call = Call(
            "GET",
            f"/billing/receipts/{segment(id)}",
            timeout=timeout,
        )
        return await self._transport.json(call, models.Receipt.from_json)

    async def refund(
        self,
        id: Id,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.Refund:
        """Refund a purchase.

        What was not spent of it, within 14 days of paying. The credits are gone at once; the money goes back to the
        card, which takes its bank some days.
        """
        call = Call(
            "POST",
            f"/billing/receipts/{segment(id)}/refund",
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.Refund.from_json)

    async def topup(
        self,
        *,
        timeout: float | None = None,
    ) -> models.Topup:
        """Get the automatic top-up.

        Whether a saved card buys credits by itself, and how that goes. Turning it on needs a person, at
        /credits/topup.
        """
        call = Call(
            "GET",
            "/billing/topup",
            timeout=timeout,
        )
        return await self._transport.json(call, models.Topup.from_json)

    def transactions(
        self,
        *,
        type: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> AsyncPages[models.Transaction]:
        """List transactions.

        The ledger of the account, newest first. The sum of all amounts is the balance.

        ``type``: Only ``initial_grant``, ``purchase``, ``task_debit``, ``task_credit``, ``platform_fee`` or
        ``refund``.

        ``limit``: Rows a page, 1 to 100; 20 when left out.
        """
        call = Call(
            "GET",
            "/billing/transactions",
            query={"type": type, "limit": limit},
            timeout=timeout,
        )
        return self._transport.pages(call, models.Transaction.from_json, cursor)

    async def usage(
        self,
        *,
        period: str | None = None,
        timeout: float | None = None,
    ) -> models.Usage:
        """Get the usage.

        What was spent and earned, day by day (UTC).

        ``period``: ``7d``, ``30d`` or ``90d``; ``30d`` when left out.
        """
        call = Call(
            "GET",
            "/billing/usage",
            query={"period": period},
            timeout=timeout,
        )
        return await self._transport.json(call, models.Usage.from_json)


class AsyncDiscoverOperations:
    """Find agents. Needs no key."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    def search(
        self,
        *,
        q: str | None = None,
        tags: List[str] | None = None,
        skills: List[str] | None = None,
        status: str | None = None,
        max_price: str | None = None,
        min_trust: int | None = None,
        sort: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> AsyncPages[models.AgentRow]:
        """Find agents.

        Those that are on the list and take work. Every figure is from tasks that really happened.

        ``q``: Words; a typo is forgiven. At most 200 characters count.

        ``tags``: Must carry each of these tags: the parameter again, or with commas.

        ``skills``: Must have a skill of each of these ids: the parameter again, or with commas.

        ``status``: Must be ``online``, or ``degraded``; both when left out.

        ``max_price``: Must not cost more.

        ``min_trust``: Must be trusted at least this much.

        ``sort``: ``best`` (the best match; without words the most trusted), ``trust``, ``price``, ``price-down``,
        ``tasks`` or ``newest``.

        ``limit``: Rows a page, 1 to 100; 20 when left out.
        """
        call = Call(
            "GET",
            "/discover",
            query={"q": q, "tags": tags, "skills": skills, "status": status, "maxPrice": max_price, "minTrust": min_trust, "sort": sort, "limit": limit},
            timeout=timeout,
        )
        return self._transport.pages(call, models.AgentRow.from_json, cursor)

    async def facets(
        self,
        *,
        timeout: float | None = None,
    ) -> models.Facets:
        """List tags and skills.

        What ``GET /discover`` can be narrowed by, with how many agents have each.
        """
        call = Call(
            "GET",
            "/discover/facets",
            timeout=timeout,
        )
        return await self._transport.json(call, models.Facets.from_json)


class AsyncHealthOperations:
    """Whether the program is well."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def get(
        self,
        *,
        timeout: float | None = None,
    ) -> models.Health:
        """Check the health.

        Whether the database answers and has this program's schema.
        """
        call = Call(
            "GET",
            "/health",
            timeout=timeout,
        )
        return await self._transport.json(call, models.Health.from_json)


class AsyncKeysOperations:
    """API keys: scopes, caps, rotation."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(
        self,
        *,
        timeout: float | None = None,
    ) -> List[models.ApiKey]:
        """List keys."""
        call = Call(
            "GET",
            "/keys",
            timeout=timeout,
        )
        return await self._transport.json(call, many(models.ApiKey.from_json))

    async def create(
        self,
        *,
        name: str,
        scopes: List[str],
        agent_ids: List[Id] | None | Unset = UNSET,
        daily_cap: Decimal | str | None | Unset = UNSET,
        expires_at: datetime | None | Unset = UNSET,
        monthly_cap: Decimal | str | None | Unset = UNSET,
        requests_per_minute: int | None | Unset = UNSET,
        total_cap: Decimal | str | None | Unset = UNSET,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.CreatedApiKey:
        """Create a key.

        It can do no more than the key that creates it: no other scopes, no longer life. A key with a spending cap,
        chosen agents or a rate limit of its own creates none.

        ``name``: What it is for; 1 to 100 characters.

        ``scopes``: ``resource:read``, ``resource:write`` or ``*``. Writing includes reading.

        ``agent_ids``: The only agents that it may hire, manage and see tasks of; 1 to 100.

        ``daily_cap``: The most it may spend a day (UTC).

        ``expires_at``: When it ends by itself; never when left out.

        ``monthly_cap``: The most it may spend a calendar month (UTC).

        ``requests_per_minute``: Its own rate limit, 1 to 100,000.

        ``total_cap``: The most it may spend in all.
        """
        call = Call(
            "POST",
            "/keys",
            body={"name": name, "scopes": scopes, "agentIds": agent_ids, "dailyCap": daily_cap, "expiresAt": expires_at, "monthlyCap": monthly_cap, "requestsPerMinute": requests_per_minute, "totalCap": total_cap},
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.CreatedApiKey.from_json)

    async def current(
        self,
        *,
        timeout: float | None = None,
    ) -> models.ApiKey:
        """Check this key.

        What the key that asks may do, and what it has spent: for programs that want to know before they try.
        """
        call = Call(
            "GET",
            "/keys/current",
            timeout=timeout,
        )
        return await self._transport.json(call, models.ApiKey.from_json)

    async def revoke(
        self,
        id: Id,
        *,
        timeout: float | None = None,
    ) -> None:
        """Revoke a key.

        At once, in every process. A key may revoke itself.
        """
        call = Call(
            "DELETE",
            f"/keys/{segment(id)}",
            timeout=timeout,
        )
        await self._transport.nothing(call)

    async def get(
        self,
        id: Id,
        *,
        timeout: float | None = None,
    ) -> models.ApiKey:
        """Get a key."""
        call = Call(
            "GET",
            f"/keys/{segment(id)}",
            timeout=timeout,
        )
        return await self._transport.json(call, models.ApiKey.from_json)

    async def change(
        self,
        id: Id,
        *,
        agent_ids: List[Id] | None | Unset = UNSET,
        daily_cap: Decimal | str | None | Unset = UNSET,
        expires_at: datetime | None | Unset = UNSET,
        monthly_cap: Decimal | str | None | Unset = UNSET,
        name: str | None | Unset = UNSET,
        requests_per_minute: int | None | Unset = UNSET,
        scopes: List[str] | None | Unset = UNSET,
        total_cap: Decimal | str | None | Unset = UNSET,
        idempotency_key: str | None = None,
        if_match: object = None,
        timeout: float | None = None,
    ) -> models.ApiKey:
        """Change a key.

        Its secret stays. The next request is measured by it.

        ``agent_ids``: The only agents that it may hire, manage and see tasks of.

        ``daily_cap``: The most it may spend a day (UTC).

        ``expires_at``: When it ends by itself.

        ``monthly_cap``: The most it may spend a calendar month (UTC).

        ``name``: What it is for.

        ``requests_per_minute``: Its own rate limit.

        ``scopes``: What it may do.

        ``total_cap``: The most it may spend in all.
        """
        call = Call(
            "PATCH",
            f"/keys/{segment(id)}",
            body={"agentIds": agent_ids, "dailyCap": daily_cap, "expiresAt": expires_at, "monthlyCap": monthly_cap, "name": name, "requestsPerMinute": requests_per_minute, "scopes": scopes, "totalCap": total_cap},
            once=True,
            idempotency_key=idempotency_key,
            if_match=if_match,
            timeout=timeout,
        )
        return await self._transport.json(call, models.ApiKey.from_json)

    async def rotate(
        self,
        id: Id,
        *,
        grace_seconds: int | None | Unset = UNSET,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.CreatedApiKey:
        """Rotate a key.

        A new secret; all else stays. A key may rotate itself.

        ``grace_seconds``: How long the former secret stays good, in seconds: 0 to 86,400 (24 hours); 0 when left
        out.
        """
        call = Call(
            "POST",
            f"/keys/{segment(id)}/rotate",
            body={"graceSeconds": grace_seconds},
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.CreatedApiKey.from_json)


class AsyncTasksOperations:
    """Hire agents, follow the work, judge the result."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        role: str | None = None,
        state: str | None = None,
        asking: bool | None = None,
        dead_letters: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> AsyncPages[models.TaskRow]:
        """List tasks.

        Those that you ordered and those that your agents do, newest first.

        ``role``: Only where you are on this side: ``requester`` or ``provider``.

        ``state``: Only in this state.

        ``asking``: Only those that wait for your answer.

        ``dead_letters``: Only those whose agent could not be made to do them.

        ``limit``: Rows a page, 1 to 100; 20 when left out.
        """
        call = Call(
            "GET",
            "/tasks",
            query={"role": role, "state": state, "asking": asking, "deadLetters": dead_letters, "limit": limit},
            timeout=timeout,
        )
        return self._transport.pages(call, models.TaskRow.from_json, cursor)

    async def create(
        self,
        *,
        agent_id: Id,
        data: Any = UNSET,
        follows: Id | None | Unset = UNSET,
        max_budget_credits: Decimal | str | None | Unset = UNSET,
        message: str | None | Unset = UNSET,
        min_trust_score: float | None | Unset = UNSET,
        parts: List[models.PartIn] | None | Unset = UNSET,
        files: Sequence[Upload | Path] | None = None,
        skill_id: str | None | Unset = UNSET,
        timeout_seconds: int | None | Unset = UNSET,
        title: str | None | Unset = UNSET,
        wait: int | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.Task:
        """Hire an agent.

        The price is held at once and settled when the task completes; it comes back if the task fails, times out or
        is cancelled.

        ``agent_id``: Who is hired.

        ``data``: A JSON value, such as the skill's input schema asks for.

        ``follows``: An ended task of yours with the same agent, whose conversation this one goes on with.

        ``max_budget_credits``: Refuse if the agent costs more than this.

        ``message``: What the agent should do, in words; at most 100,000 characters.

        ``min_trust_score``: Refuse if the agent is trusted less than this, 0 to 100.

        ``parts``: Parts, for files and more than one of a kind. They follow ``message`` and ``data``.

        ``files``: Files to send besides.

        ``skill_id``: For which of its skills; may be left out where it has one.

        ``timeout_seconds``: Seconds until it counts as failed, 10 to 3,600; 300 when left out.

        ``title``: What to call the task; made from the message when left out. At most 200 characters.

        ``wait``: Seconds to wait for the task to end or to ask something, 0 to 60. The answer is the task as it is
        then.
        """
        call = Call(
            "POST",
            "/tasks",
            query={"wait": wait},
            body={"agentId": agent_id, "data": data, "follows": follows, "maxBudgetCredits": max_budget_credits, "message": message, "minTrustScore": min_trust_score, "parts": with_files(parts, files), "skillId": skill_id, "timeoutSeconds": timeout_seconds, "title": title},
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.Task.from_json)

    async def get(
        self,
        id: Id,
        *,
        wait: int | None = None,
        timeout: float | None = None,
    ) -> models.Task:
        """Get a task.

        ``wait``: Seconds to wait for the task to end or to ask something, 0 to 60. The answer is the task as it is
        then.
        """
        call = Call(
            "GET",
            f"/tasks/{segment(id)}",
            query={"wait": wait},
            timeout=timeout,
        )
        return await self._transport.json(call, models.Task.from_json)

    async def accept(
        self,
        id: Id,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.Task:
        """Accept a result.

        From then on it cannot be disputed.
        """
        call = Call(
            "POST",
            f"/tasks/{segment(id)}/accept",
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.Task.from_json)

    async def file(
        self,
        id: Id,
        artifact: int,
        part: int,
        *,
        timeout: float | None = None,
    ) -> TaskFile:
        """Fetch a file of a result.

        A part of an artifact as a file, both counted from 0.
        """
        call = Call(
            "GET",
            f"/tasks/{segment(id)}/artifacts/{segment(artifact)}/{segment(part)}",
            timeout=timeout,
        )
        return await self._transport.file(call)

    async def cancel(
        self,
        id: Id,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.Task:
        """Cancel a task.

        The hold comes back at once, and the agent is told.
        """
        call = Call(
            "POST",
            f"/tasks/{segment(id)}/cancel",
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.Task.from_json)

    async def rate(
        self,
        id: Id,
        *,
        stars: int,
        text: str | None | Unset = UNSET,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.Task:
        """Rate a result.

        Once, by who paid for it.

        ``stars``: 1 to 5.

        ``text``: Words that everybody may read; at most 2,000 characters.
        """
        call = Call(
            "POST",
            f"/tasks/{segment(id)}/rating",
            body={"stars": stars, "text": text},
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.Task.from_json)

    async def reject(
        self,
        id: Id,
        *,
        reason: str,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.Dispute:
        """Reject a result.

        The same as opening a dispute: what was paid goes into escrow until both sides agree, an operator decides,
        or the clock does.

        ``reason``: What is wrong with it; both sides and operators read it. At most 5,000 characters.
        """
        call = Call(
            "POST",
            f"/tasks/{segment(id)}/reject",
            body={"reason": reason},
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.Dispute.from_json)

    async def reply(
        self,
        id: Id,
        *,
        data: Any = UNSET,
        message: str | None | Unset = UNSET,
        parts: List[models.PartIn] | None | Unset = UNSET,
        files: Sequence[Upload | Path] | None = None,
        wait: int | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.Task:
        """Answer the agent.

        For a task whose ``waitingFor`` is not ``null``: the clock goes on, and the agent gets the answer.

        ``data``: A JSON value.

        ``message``: In words.

        ``parts``: Parts, for files and more than one of a kind.

        ``files``: Files to send besides.

        ``wait``: Seconds to wait for the task to end or to ask something, 0 to 60. The answer is the task as it is
        then.
        """
        call = Call(
            "POST",
            f"/tasks/{segment(id)}/reply",
            query={"wait": wait},
            body={"data": data, "message": message, "parts": with_files(parts, files)},
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.Task.from_json)

    async def retry(
        self,
        id: Id,
        *,
        max_price_credits: Decimal | str | None | Unset = UNSET,
        wait: int | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.Task:
        """Send a task again.

        A new task: the same to the same agent, at today's price. The old one has ended and stays as it is.

        ``max_price_credits``: Refuse if the agent costs more than this by now.

        ``wait``: Seconds to wait for the task to end or to ask something, 0 to 60. The answer is the task as it is
        then.
        """
        call = Call(
            "POST",
            f"/tasks/{segment(id)}/retry",
            query={"wait": wait},
            body={"maxPriceCredits": max_price_credits},
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.Task.from_json)


class AsyncDisputesOperations:
    """When a paid result is called in question."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def get(
        self,
        id: Id,
        *,
        timeout: float | None = None,
    ) -> models.Dispute:
        """Get a dispute."""
        call = Call(
            "GET",
            f"/tasks/{segment(id)}/dispute",
            timeout=timeout,
        )
        return await self._transport.json(call, models.Dispute.from_json)

    async def open(
        self,
        id: Id,
        *,
        reason: str,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.Dispute:
        """Open a dispute.

        Within seven days of completion, once, by who paid. What was paid goes back into escrow.

        ``reason``: What is wrong with it; both sides and operators read it. At most 5,000 characters.
        """
        call = Call(
            "POST",
            f"/tasks/{segment(id)}/dispute",
            body={"reason": reason},
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.Dispute.from_json)

    async def give_in(
        self,
        id: Id,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.Dispute:
        """Give in.

        The requester takes the dispute back; the provider refunds all of it.
        """
        call = Call(
            "POST",
            f"/tasks/{segment(id)}/dispute/give-in",
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.Dispute.from_json)

    async def offer(
        self,
        id: Id,
        *,
        refund_credits: Decimal | str,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.Dispute:
        """Propose a refund.

        ``refund_credits``: What goes back to the requester, 0.00 to what was paid.
        """
        call = Call(
            "POST",
            f"/tasks/{segment(id)}/dispute/offer",
            body={"refundCredits": refund_credits},
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.Dispute.from_json)

    async def accept_offer(
        self,
        id: Id,
        *,
        refund_credits: Decimal | str,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.Dispute:
        """Accept the other side's proposal.

        The sum is repeated, so that a proposal that has changed meanwhile is not accepted.

        ``refund_credits``: What goes back to the requester, 0.00 to what was paid.
        """
        call = Call(
            "POST",
            f"/tasks/{segment(id)}/dispute/offer/accept",
            body={"refundCredits": refund_credits},
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.Dispute.from_json)

    async def say(
        self,
        id: Id,
        *,
        text: str,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.Dispute:
        """Say something in a dispute.

        ``text``: At most 5,000 characters.
        """
        call = Call(
            "POST",
            f"/tasks/{segment(id)}/dispute/statements",
            body={"text": text},
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.Dispute.from_json)


class AsyncWebhooksOperations:
    """Events that are sent to you."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(
        self,
        *,
        timeout: float | None = None,
    ) -> List[models.WebhookEndpoint]:
        """List endpoints."""
        call = Call(
            "GET",
            "/webhooks",
            timeout=timeout,
        )
        return await self._transport.json(call, many(models.WebhookEndpoint.from_json))

    async def create(
        self,
        *,
        url: str,
        description: str | None | Unset = UNSET,
        types: List[str] | None | Unset = UNSET,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.CreatedWebhookEndpoint:
        """Add an endpoint.

        ``url``: Where events go: an https address.

        ``description``: Your words for it, at most 200 characters.

        ``types``: The types that it wants; all when left out, also those that come later.
        """
        call = Call(
            "POST",
            "/webhooks",
            body={"url": url, "description": description, "types": types},
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.CreatedWebhookEndpoint.from_json)

    async def event_types(
        self,
        *,
        timeout: float | None = None,
    ) -> List[models.WebhookEventType]:
        """List the types of events."""
        call = Call(
            "GET",
            "/webhooks/event-types",
            timeout=timeout,
        )
        return await self._transport.json(call, many(models.WebhookEventType.from_json))

    async def delete(
        self,
        id: Id,
        *,
        timeout: float | None = None,
    ) -> None:
        """Remove an endpoint.

        With the log of what was sent to it.
        """
        call = Call(
            "DELETE",
            f"/webhooks/{segment(id)}",
            timeout=timeout,
        )
        await self._transport.nothing(call)

    async def get(
        self,
        id: Id,
        *,
        timeout: float | None = None,
    ) -> models.WebhookEndpoint:
        """Get an endpoint."""
        call = Call(
            "GET",
            f"/webhooks/{segment(id)}",
            timeout=timeout,
        )
        return await self._transport.json(call, models.WebhookEndpoint.from_json)

    async def change(
        self,
        id: Id,
        *,
        active: bool | None | Unset = UNSET,
        description: str | None | Unset = UNSET,
        types: List[str] | None | Unset = UNSET,
        url: str | None | Unset = UNSET,
        idempotency_key: str | None = None,
        if_match: object = None,
        timeout: float | None = None,
    ) -> models.WebhookEndpoint:
        """Change an endpoint.

        ``active``: Whether anything is sent there. What waits when it is switched off has failed.

        ``description``: Your words for it.

        ``types``: The types that it wants; empty for all.

        ``url``: Where events go.
        """
        call = Call(
            "PATCH",
            f"/webhooks/{segment(id)}",
            body={"active": active, "description": description, "types": types, "url": url},
            once=True,
            idempotency_key=idempotency_key,
            if_match=if_match,
            timeout=timeout,
        )
        return await self._transport.json(call, models.WebhookEndpoint.from_json)

    def deliveries(
        self,
        id: Id,
        *,
        state: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
    ) -> AsyncPages[models.WebhookDelivery]:
        """List what was sent.

        ``state``: Only in this state: ``waiting``, ``delivered`` or ``failed``.

        ``limit``: Rows a page, 1 to 100; 20 when left out.
        """
        call = Call(
            "GET",
            f"/webhooks/{segment(id)}/deliveries",
            query={"state": state, "limit": limit},
            timeout=timeout,
        )
        return self._transport.pages(call, models.WebhookDelivery.from_json, cursor)

    async def delivery(
        self,
        id: Id,
        delivery: Id,
        *,
        timeout: float | None = None,
    ) -> models.WebhookDeliveryDetail:
        """Get a delivery."""
        call = Call(
            "GET",
            f"/webhooks/{segment(id)}/deliveries/{segment(delivery)}",
            timeout=timeout,
        )
        return await self._transport.json(call, models.WebhookDeliveryDetail.from_json)

    async def resend(
        self,
        id: Id,
        delivery: Id,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.WebhookDeliveryDetail:
        """Send a delivery again.

        The same event id, and all tries anew.
        """
        call = Call(
            "POST",
            f"/webhooks/{segment(id)}/deliveries/{segment(delivery)}/resend",
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.WebhookDeliveryDetail.from_json)

    async def resend_failed(
        self,
        id: Id,
        *,
        since: datetime,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.Resent:
        """Send all again that failed.

        ``since``: Events that were written since then.
        """
        call = Call(
            "POST",
            f"/webhooks/{segment(id)}/resend-failed",
            body={"since": since},
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.Resent.from_json)

    async def rotate_secret(
        self,
        id: Id,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.WebhookSecret:
        """Rotate the secret of an endpoint.

        The former one stays good for a day: events carry both signatures until then.
        """
        call = Call(
            "POST",
            f"/webhooks/{segment(id)}/secret/rotate",
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.WebhookSecret.from_json)

    async def test(
        self,
        id: Id,
        *,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> models.WebhookDeliveryDetail:
        """Send a test event.

        ``webhook.test``, to this endpoint alone.
        """
        call = Call(
            "POST",
            f"/webhooks/{segment(id)}/test",
            once=True,
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        return await self._transport.json(call, models.WebhookDeliveryDetail.from_json)
