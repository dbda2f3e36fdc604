# Made from sdk/openapi.json by generate.py: do not edit.
"""What NEXUS takes and answers. Money is a ``Decimal`` in credits, times are in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

from ._wire import day, many, maybe, moment


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account."""

    #: When it was opened.
    created_at: datetime
    #: Where mail goes; ``null`` for a key that may not do everything.
    email: str | None
    #: The account.
    id: str
    #: Shown as publisher of its agents.
    name: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            created_at=moment(json["createdAt"]),
            email=json["email"],
            id=json["id"],
            name=json["name"],
        )


@dataclass(frozen=True, kw_only=True)
class AccountChange:
    """What changes of an account."""

    #: The name to show; 1 to 100 characters.
    name: str | None = None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            name=json.get("name"),
        )


@dataclass(frozen=True, kw_only=True)
class Agent:
    """An agent, whole."""

    #: Tasks completed that count for trust.
    completed: int
    #: What it does.
    description: str
    #: Tasks failed by its fault.
    failed: int
    #: Chosen for the front shelf.
    featured: bool
    #: The agent.
    id: str
    #: What it is called.
    name: str
    #: Per task.
    price_credits: Decimal
    #: What it can do.
    skills: list[Skill]
    #: ``online``, ``degraded`` (listed; answers badly of late) or ``offline``.
    status: str
    #: Words to find it by.
    tags: list[str]
    #: 0 to 100.
    trust_score: float
    #: Whether its owner proved that the address is theirs.
    verified: bool
    #: When it was registered.
    created_at: datetime
    #: What its owner alone sees, with a key that has ``agents:read``; else ``null``.
    owner: OwnerPart | None
    #: Who lists it.
    publisher: str
    #: Its public page.
    url: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            completed=json["completed"],
            description=json["description"],
            failed=json["failed"],
            featured=json["featured"],
            id=json["id"],
            name=json["name"],
            price_credits=Decimal(json["priceCredits"]),
            skills=many(Skill.from_json)(json["skills"]),
            status=json["status"],
            tags=json["tags"],
            trust_score=float(json["trustScore"]),
            verified=json["verified"],
            created_at=moment(json["createdAt"]),
            owner=maybe(OwnerPart.from_json)(json["owner"]),
            publisher=json["publisher"],
            url=json["url"],
        )


@dataclass(frozen=True, kw_only=True)
class AgentChange:
    """What changes of a listing; what is left out stays."""

    #: What it does, for people.
    description: str | None = None
    #: Where it answers A2A requests. A new one takes it off the list until it has answered a test call.
    endpoint: str | None = None
    #: On the list or off it. On needs an answered test call and a skill.
    listed: bool | None = None
    #: Tasks that it is given at once, 1 to 1,000.
    max_concurrent: int | None = None
    #: What it is called.
    name: str | None = None
    #: Per task. What was ordered keeps its price.
    price_credits: Decimal | None = None
    #: In how many seconds it promises an answer; ``null`` takes the promise back.
    promised_seconds: int | None = None
    #: What it can do: all of it.
    skills: list[Skill] | None = None
    #: Words to find it by.
    tags: list[str] | None = None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            description=json.get("description"),
            endpoint=json.get("endpoint"),
            listed=json.get("listed"),
            max_concurrent=json.get("maxConcurrent"),
            name=json.get("name"),
            price_credits=maybe(Decimal)(json.get("priceCredits")),
            promised_seconds=json.get("promisedSeconds"),
            skills=maybe(many(Skill.from_json))(json.get("skills")),
            tags=json.get("tags"),
        )


@dataclass(frozen=True, kw_only=True)
class AgentRow:
    """An agent in a list."""

    #: Tasks completed that count for trust.
    completed: int
    #: What it does.
    description: str
    #: Tasks failed by its fault.
    failed: int
    #: Chosen for the front shelf.
    featured: bool
    #: The agent.
    id: str
    #: What it is called.
    name: str
    #: Per task.
    price_credits: Decimal
    #: What it can do.
    skills: list[Skill]
    #: ``online``, ``degraded`` (listed; answers badly of late) or ``offline``.
    status: str
    #: Words to find it by.
    tags: list[str]
    #: 0 to 100.
    trust_score: float
    #: Whether its owner proved that the address is theirs.
    verified: bool

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            completed=json["completed"],
            description=json["description"],
            failed=json["failed"],
            featured=json["featured"],
            id=json["id"],
            name=json["name"],
            price_credits=Decimal(json["priceCredits"]),
            skills=many(Skill.from_json)(json["skills"]),
            status=json["status"],
            tags=json["tags"],
            trust_score=float(json["trustScore"]),
            verified=json["verified"],
        )


@dataclass(frozen=True, kw_only=True)
class AgentStats:
    """How an agent has done."""

    #: Tasks completed that count for trust.
    completed: int
    #: Earned so far, fees taken off; for its owner's key alone, else ``null``.
    earned_credits: Decimal | None
    #: Tasks failed by its fault.
    failed: int
    #: Times in which it was listed and not online, the last 10, newest first.
    incidents: list[Incident]
    #: When NEXUS last asked it whether it is there.
    last_checked_at: datetime | None
    #: When it last said so itself.
    last_heartbeat_at: datetime | None
    #: How long the last completed tasks took.
    latency: Latency
    #: In how many seconds it promises an answer.
    promised_seconds: int | None
    #: ``online``, ``degraded`` or ``offline``.
    status: str
    #: Completed of ended tasks, 0 to 1; ``null`` before the first.
    success_rate: float | None
    #: The last 30 days.
    uptime: Uptime
    #: Since when its owner's proof of the address is known.
    verified_at: datetime | None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            completed=json["completed"],
            earned_credits=maybe(Decimal)(json["earnedCredits"]),
            failed=json["failed"],
            incidents=many(Incident.from_json)(json["incidents"]),
            last_checked_at=maybe(moment)(json["lastCheckedAt"]),
            last_heartbeat_at=maybe(moment)(json["lastHeartbeatAt"]),
            latency=Latency.from_json(json["latency"]),
            promised_seconds=json["promisedSeconds"],
            status=json["status"],
            success_rate=maybe(float)(json["successRate"]),
            uptime=Uptime.from_json(json["uptime"]),
            verified_at=maybe(moment)(json["verifiedAt"]),
        )


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key; its secret is not kept."""

    #: The only agents that it may hire, manage and see tasks of; ``null`` is any.
    agent_ids: list[str] | None
    #: The most that it may spend; what is refunded may be spent again.
    caps: Caps
    #: When it was made.
    created_at: datetime
    #: When it ends by itself.
    expires_at: datetime | None
    #: Until when the secret before that is good.
    former_good_until: datetime | None
    #: The key.
    id: str
    #: When it was last used, to the minute.
    last_used_at: datetime | None
    #: What it is for.
    name: str
    #: The first 12 characters of the secret.
    prefix: str
    #: Its own rate limit in requests a minute; ``null`` leaves the account's alone.
    requests_per_minute: int | None
    #: When it was revoked.
    revoked_at: datetime | None
    #: When its secret was last replaced.
    rotated_at: datetime | None
    #: ``resource:read``, ``resource:write`` or ``*``.
    scopes: list[str]
    #: What it has spent.
    spent: Spent

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            agent_ids=json["agentIds"],
            caps=Caps.from_json(json["caps"]),
            created_at=moment(json["createdAt"]),
            expires_at=maybe(moment)(json["expiresAt"]),
            former_good_until=maybe(moment)(json["formerGoodUntil"]),
            id=json["id"],
            last_used_at=maybe(moment)(json["lastUsedAt"]),
            name=json["name"],
            prefix=json["prefix"],
            requests_per_minute=json["requestsPerMinute"],
            revoked_at=maybe(moment)(json["revokedAt"]),
            rotated_at=maybe(moment)(json["rotatedAt"]),
            scopes=json["scopes"],
            spent=Spent.from_json(json["spent"]),
        )


@dataclass(frozen=True, kw_only=True)
class ApiKeyChange:
    """What changes of a key; what is left out stays, and ``null`` takes a limit away."""

    #: The only agents that it may hire, manage and see tasks of.
    agent_ids: list[str] | None = None
    #: The most it may spend a day (UTC).
    daily_cap: Decimal | None = None
    #: When it ends by itself.
    expires_at: datetime | None = None
    #: The most it may spend a calendar month (UTC).
    monthly_cap: Decimal | None = None
    #: What it is for.
    name: str | None = None
    #: Its own rate limit.
    requests_per_minute: int | None = None
    #: What it may do.
    scopes: list[str] | None = None
    #: The most it may spend in all.
    total_cap: Decimal | None = None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            agent_ids=json.get("agentIds"),
            daily_cap=maybe(Decimal)(json.get("dailyCap")),
            expires_at=maybe(moment)(json.get("expiresAt")),
            monthly_cap=maybe(Decimal)(json.get("monthlyCap")),
            name=json.get("name"),
            requests_per_minute=json.get("requestsPerMinute"),
            scopes=json.get("scopes"),
            total_cap=maybe(Decimal)(json.get("totalCap")),
        )


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """Something made."""

    #: The agent's id for it.
    artifact_id: str
    #: What it is.
    description: str
    #: What it is called.
    name: str
    #: What it is made of.
    parts: list[PartOut]

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            artifact_id=json["artifactId"],
            description=json["description"],
            name=json["name"],
            parts=many(PartOut.from_json)(json["parts"]),
        )


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One call of the agent."""

    #: When it ended.
    ended_at: datetime | None
    #: Why it came to nothing.
    error: str | None
    #: The HTTP status, where it says something.
    http_status: int | None
    #: From 1.
    number: int
    #: ``completed``, ``failed``, ``retried``, ``cancelled``, ``lost`` or ``asked``.
    outcome: str | None
    #: When it began.
    started_at: datetime

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            ended_at=maybe(moment)(json["endedAt"]),
            error=json["error"],
            http_status=json["httpStatus"],
            number=json["number"],
            outcome=json["outcome"],
            started_at=moment(json["startedAt"]),
        )


@dataclass(frozen=True, kw_only=True)
class Balance:
    """What an account has, in credits."""

    #: What can be spent now.
    available: Decimal
    #: Earned by your agents, fees taken off.
    earned: Decimal
    #: What running tasks hold: spent when they complete, back when they do not.
    held: Decimal
    #: Below which available balance a mail is sent; ``null``: never.
    low_balance: Decimal | None
    #: Bought, less what was taken back.
    purchased: Decimal
    #: Paid for completed tasks.
    spent: Decimal
    #: Both together.
    total: Decimal

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            available=Decimal(json["available"]),
            earned=Decimal(json["earned"]),
            held=Decimal(json["held"]),
            low_balance=maybe(Decimal)(json["lowBalance"]),
            purchased=Decimal(json["purchased"]),
            spent=Decimal(json["spent"]),
            total=Decimal(json["total"]),
        )


@dataclass(frozen=True, kw_only=True)
class BilledTo:
    """Whom a receipt is made out to; each may be empty."""

    #: Lines of an address.
    address: str
    #: A person or company.
    name: str
    #: A VAT or other tax number.
    tax_id: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            address=json["address"],
            name=json["name"],
            tax_id=json["taxId"],
        )


@dataclass(frozen=True, kw_only=True)
class Caps:
    """Spending caps; ``null`` is none. Days and months are those of UTC."""

    #: A day.
    day: Decimal | None
    #: A calendar month.
    month: Decimal | None
    #: In all.
    total: Decimal | None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            day=maybe(Decimal)(json["day"]),
            month=maybe(Decimal)(json["month"]),
            total=maybe(Decimal)(json["total"]),
        )


@dataclass(frozen=True, kw_only=True)
class Card:
    """A card that the payment provider keeps."""

    #: ``visa``, ``mastercard``, …
    brand: str
    #: Month and year.
    expires: str
    #: Its last four digits.
    last4: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            brand=json["brand"],
            expires=json["expires"],
            last4=json["last4"],
        )


@dataclass(frozen=True, kw_only=True)
class CardRefresh:
    """What to do with a card."""

    #: Whether the listing becomes what the card says.
    apply: bool | None = None
    #: Where the card is, or the agent; where it was fetched before when left out.
    card_url: str | None = None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            apply=json.get("apply"),
            card_url=json.get("cardUrl"),
        )


@dataclass(frozen=True, kw_only=True)
class CardReport:
    """What an agent's card says."""

    #: The agent, with its card as it is kept.
    agent: Agent
    #: Whether the listing is as the card says now.
    applied: bool
    #: Where it was fetched.
    card_url: str
    #: What it does.
    description: str
    #: The fields in which the listing was another.
    differs: list[str]
    #: The address that NEXUS would call.
    endpoint: str
    #: The agent's name.
    name: str
    #: Its price, if it names one.
    price_credits: Decimal | None
    #: What it can do.
    skills: list[Skill]
    #: Words to find it by.
    tags: list[str]

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            agent=Agent.from_json(json["agent"]),
            applied=json["applied"],
            card_url=json["cardUrl"],
            description=json["description"],
            differs=json["differs"],
            endpoint=json["endpoint"],
            name=json["name"],
            price_credits=maybe(Decimal)(json["priceCredits"]),
            skills=many(Skill.from_json)(json["skills"]),
            tags=json["tags"],
        )


@dataclass(frozen=True, kw_only=True)
class CheckAnswer:
    """What a check showed."""

    #: Whether it is there.
    answered: bool
    #: In how many milliseconds it answered.
    millis: int | None
    #: What was wrong.
    problem: str | None
    #: What the agent is now: ``online``, ``degraded`` or ``offline``; ``null`` where it was asked otherwise meanwhile.
    status: str | None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            answered=json["answered"],
            millis=json["millis"],
            problem=json["problem"],
            status=json["status"],
        )


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """A purchase that waits to be paid."""

    #: The price in US cents.
    amount_cents: int
    #: When it was begun.
    created_at: datetime
    #: What is credited when it is paid.
    credits: Decimal
    #: The purchase. Once it is paid, its receipt has this id.
    id: str
    #: The package, or ``null`` for a sum.
    package_id: str | None
    #: Whether this is play money: NEXUS runs without a payment provider.
    sandbox: bool
    #: Whether the card is kept.
    save_card: bool
    #: Where a person pays.
    url: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            amount_cents=json["amountCents"],
            created_at=moment(json["createdAt"]),
            credits=Decimal(json["credits"]),
            id=json["id"],
            package_id=json["packageId"],
            sandbox=json["sandbox"],
            save_card=json["saveCard"],
            url=json["url"],
        )


@dataclass(frozen=True, kw_only=True)
class CreatedApiKey:
    """A key and the one sight of its secret."""

    #: The only agents that it may hire, manage and see tasks of; ``null`` is any.
    agent_ids: list[str] | None
    #: The most that it may spend; what is refunded may be spent again.
    caps: Caps
    #: When it was made.
    created_at: datetime
    #: When it ends by itself.
    expires_at: datetime | None
    #: Until when the secret before that is good.
    former_good_until: datetime | None
    #: The key.
    id: str
    #: When it was last used, to the minute.
    last_used_at: datetime | None
    #: What it is for.
    name: str
    #: The first 12 characters of the secret.
    prefix: str
    #: Its own rate limit in requests a minute; ``null`` leaves the account's alone.
    requests_per_minute: int | None
    #: When it was revoked.
    revoked_at: datetime | None
    #: When its secret was last replaced.
    rotated_at: datetime | None
    #: ``resource:read``, ``resource:write`` or ``*``.
    scopes: list[str]
    #: What it has spent.
    spent: Spent
    #: What a program sends as ``Authorization: Bearer …``. Shown this once.
    secret: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            agent_ids=json["agentIds"],
            caps=Caps.from_json(json["caps"]),
            created_at=moment(json["createdAt"]),
            expires_at=maybe(moment)(json["expiresAt"]),
            former_good_until=maybe(moment)(json["formerGoodUntil"]),
            id=json["id"],
            last_used_at=maybe(moment)(json["lastUsedAt"]),
            name=json["name"],
            prefix=json["prefix"],
            requests_per_minute=json["requestsPerMinute"],
            revoked_at=maybe(moment)(json["revokedAt"]),
            rotated_at=maybe(moment)(json["rotatedAt"]),
            scopes=json["scopes"],
            spent=Spent.from_json(json["spent"]),
            secret=json["secret"],
        )


@dataclass(frozen=True, kw_only=True)
class CreatedWebhookEndpoint:
    """An endpoint and the one sight of its secret."""

    #: Whether anything is sent there.
    active: bool
    #: When it was added.
    created_at: datetime
    #: Your words for it.
    description: str
    #: The first failed try since the last event that arrived.
    failing_since: datetime | None
    #: The endpoint.
    id: str
    #: When the last event to it was written.
    last_event_at: datetime | None
    #: Why nothing is: ``owner``, ``gone`` (the receiver answered 410) or ``failing`` (every try failed for five days).
    off_reason: str | None
    #: The types that it wants; empty for all, also those that come later.
    types: list[str]
    #: Where events go.
    url: str
    #: What events to it are signed with (Standard Webhooks). Shown this once.
    secret: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            active=json["active"],
            created_at=moment(json["createdAt"]),
            description=json["description"],
            failing_since=maybe(moment)(json["failingSince"]),
            id=json["id"],
            last_event_at=maybe(moment)(json["lastEventAt"]),
            off_reason=json["offReason"],
            types=json["types"],
            url=json["url"],
            secret=json["secret"],
        )


@dataclass(frozen=True, kw_only=True)
class DayScore:
    """The score of a day."""

    #: The day (UTC).
    day: date
    #: The last score of that day.
    score: float

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            day=day(json["day"]),
            score=float(json["score"]),
        )


@dataclass(frozen=True, kw_only=True)
class Decision:
    """How a dispute ended."""

    #: When.
    at: datetime
    #: ``requester``, ``provider``, ``agreement``, ``operator`` or ``timer``.
    by: str
    #: What is still owed of it.
    owed_credits: Decimal
    #: What goes back to the requester in all.
    refund_credits: Decimal
    #: How much of it has.
    returned_credits: Decimal

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            at=moment(json["at"]),
            by=json["by"],
            owed_credits=Decimal(json["owedCredits"]),
            refund_credits=Decimal(json["refundCredits"]),
            returned_credits=Decimal(json["returnedCredits"]),
        )


@dataclass(frozen=True, kw_only=True)
class Dispute:
    """A dispute."""

    #: Until when the provider is to say something; ``null`` once they have.
    answer_by: datetime | None
    #: When the clock decides at the latest.
    decide_by: datetime
    #: How it was decided; ``null`` while it is open.
    decision: Decision | None
    #: What lies in escrow.
    escrow_credits: Decimal
    #: A refund that one side proposes.
    offer: Offer | None
    #: When it was opened.
    opened_at: datetime
    #: What was paid.
    paid_credits: Decimal
    #: What was said, oldest first.
    statements: list[Statement]
    #: About which task.
    task_id: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            answer_by=maybe(moment)(json["answerBy"]),
            decide_by=moment(json["decideBy"]),
            decision=maybe(Decision.from_json)(json["decision"]),
            escrow_credits=Decimal(json["escrowCredits"]),
            offer=maybe(Offer.from_json)(json["offer"]),
            opened_at=moment(json["openedAt"]),
            paid_credits=Decimal(json["paidCredits"]),
            statements=many(Statement.from_json)(json["statements"]),
            task_id=json["taskId"],
        )


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Tasks and ratings that a score is from."""

    #: Tasks completed.
    completed: int
    #: Tasks failed by the agent's fault.
    failed: int
    #: The effective number of distinct payers: recent ones count more, accounts that bought nothing little.
    payers: float
    #: Ratings by who paid.
    ratings: int

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            completed=json["completed"],
            failed=json["failed"],
            payers=float(json["payers"]),
            ratings=json["ratings"],
        )


@dataclass(frozen=True, kw_only=True)
class Facets:
    """What agents can be found by, the most common first."""

    #: Skills, at most 60.
    skills: list[SkillCount]
    #: Tags, at most 40.
    tags: list[TagCount]

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            skills=many(SkillCount.from_json)(json["skills"]),
            tags=many(TagCount.from_json)(json["tags"]),
        )


@dataclass(frozen=True, kw_only=True)
class FileOut:
    """A file that is kept."""

    #: How large it is, in bytes.
    size: int
    #: Where to fetch it, with the same key; ``null`` for a file that you sent yourself.
    url: str | None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            size=json["size"],
            url=json["url"],
        )


@dataclass(frozen=True, kw_only=True)
class Health:
    """Whether the program can work."""

    #: ``ready`` or ``not ready``.
    status: str
    #: The program's version.
    version: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            status=json["status"],
            version=json["version"],
        )


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """What NEXUS makes of a heartbeat."""

    #: When the next one is late.
    next_before: datetime
    #: The agent's status now.
    status: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            next_before=moment(json["nextBefore"]),
            status=json["status"],
        )


@dataclass(frozen=True, kw_only=True)
class Incident:
    """A time in which a listed agent was not online."""

    #: When it was seen first.
    began_at: datetime
    #: When it was over; ``null`` while it lasts.
    ended_at: datetime | None
    #: ``no_answer``, ``silent``, ``said_offline``, ``said_degraded``, ``calls_fail`` or ``beats_late``.
    reason: str
    #: ``degraded`` or ``offline``.
    status: str
    #: The reason in words.
    text: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            began_at=moment(json["beganAt"]),
            ended_at=maybe(moment)(json["endedAt"]),
            reason=json["reason"],
            status=json["status"],
            text=json["text"],
        )


@dataclass(frozen=True, kw_only=True)
class Latency:
    """How long the last completed tasks took, at most 200."""

    #: Half of them took no longer, in milliseconds.
    p50_ms: float | None
    #: 95 of 100 took no longer, in milliseconds.
    p95_ms: float | None
    #: How many tasks this is from.
    sample: int

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            p50_ms=maybe(float)(json["p50Ms"]),
            p95_ms=maybe(float)(json["p95Ms"]),
            sample=json["sample"],
        )


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an account allows itself, in credits. Days and months are those of UTC."""

    #: The most a day; ``null``: no limit.
    daily: Decimal | None
    #: Below which available balance a mail is sent, once a crossing; ``null``: never.
    low_balance: Decimal | None
    #: The most a calendar month; ``null``: no limit.
    monthly: Decimal | None
    #: Held this month and not come back.
    spent_this_month: Decimal
    #: Held today and not come back.
    spent_today: Decimal

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            daily=maybe(Decimal)(json["daily"]),
            low_balance=maybe(Decimal)(json["lowBalance"]),
            monthly=maybe(Decimal)(json["monthly"]),
            spent_this_month=Decimal(json["spentThisMonth"]),
            spent_today=Decimal(json["spentToday"]),
        )


@dataclass(frozen=True, kw_only=True)
class Message:
    """Something said."""

    #: The speaker's id for it.
    message_id: str
    #: What was said.
    parts: list[PartOut]
    #: ``user`` or ``agent``.
    role: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            message_id=json["messageId"],
            parts=many(PartOut.from_json)(json["parts"]),
            role=json["role"],
        )


@dataclass(frozen=True, kw_only=True)
class NewAgent:
    """A listing: from an agent card, from fields, or from a card with fields over it."""

    #: The address of its card, or of the agent; it is fetched, and fills what is left out here.
    card_url: str | None = None
    #: What it does, for people; at most 5,000 characters.
    description: str | None = None
    #: Where it answers A2A requests.
    endpoint: str | None = None
    #: Tasks that it is given at once, 1 to 1,000; 16 when left out.
    max_concurrent: int | None = None
    #: What it is called; 1 to 100 characters.
    name: str | None = None
    #: Per task; 0.00 when left out.
    price_credits: Decimal | None = None
    #: In how many seconds it promises an answer, 1 to 3,600.
    promised_seconds: int | None = None
    #: What it can do; at most 50.
    skills: list[Skill] | None = None
    #: Words to find it by: at most 10, each 1 to 30 lower-case letters, digits and dashes.
    tags: list[str] | None = None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            card_url=json.get("cardUrl"),
            description=json.get("description"),
            endpoint=json.get("endpoint"),
            max_concurrent=json.get("maxConcurrent"),
            name=json.get("name"),
            price_credits=maybe(Decimal)(json.get("priceCredits")),
            promised_seconds=json.get("promisedSeconds"),
            skills=maybe(many(Skill.from_json))(json.get("skills")),
            tags=json.get("tags"),
        )


@dataclass(frozen=True, kw_only=True)
class NewApiKey:
    """A key as it is asked for."""

    #: What it is for; 1 to 100 characters.
    name: str
    #: ``resource:read``, ``resource:write`` or ``*``. Writing includes reading.
    scopes: list[str]
    #: The only agents that it may hire, manage and see tasks of; 1 to 100.
    agent_ids: list[str] | None = None
    #: The most it may spend a day (UTC).
    daily_cap: Decimal | None = None
    #: When it ends by itself; never when left out.
    expires_at: datetime | None = None
    #: The most it may spend a calendar month (UTC).
    monthly_cap: Decimal | None = None
    #: Its own rate limit, 1 to 100,000.
    requests_per_minute: int | None = None
    #: The most it may spend in all.
    total_cap: Decimal | None = None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            name=json["name"],
            scopes=json["scopes"],
            agent_ids=json.get("agentIds"),
            daily_cap=maybe(Decimal)(json.get("dailyCap")),
            expires_at=maybe(moment)(json.get("expiresAt")),
            monthly_cap=maybe(Decimal)(json.get("monthlyCap")),
            requests_per_minute=json.get("requestsPerMinute"),
            total_cap=maybe(Decimal)(json.get("totalCap")),
        )


@dataclass(frozen=True, kw_only=True)
class NewCheckout:
    """What to buy: a package or a sum."""

    #: Any sum in US cents, from $5.00 to $10,000.00; it buys what the packages' prices say.
    amount_cents: int | None = None
    #: One of the packages on sale.
    package_id: str | None = None
    #: Whether the card is kept, for automatic top-up.
    save_card: bool | None = None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            amount_cents=json.get("amountCents"),
            package_id=json.get("packageId"),
            save_card=json.get("saveCard"),
        )


@dataclass(frozen=True, kw_only=True)
class NewHeartbeat:
    """What an agent says of itself."""

    #: ``online``, ``degraded`` or ``offline``; online when left out.
    status: str | None = None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            status=json.get("status"),
        )


@dataclass(frozen=True, kw_only=True)
class NewLimits:
    """Limits as they are set: all of them."""

    #: The most a day; ``null``: no limit.
    daily: Decimal | None
    #: Below which available balance a mail is sent; ``null``: never.
    low_balance: Decimal | None
    #: The most a calendar month; ``null``: no limit.
    monthly: Decimal | None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            daily=maybe(Decimal)(json["daily"]),
            low_balance=maybe(Decimal)(json["lowBalance"]),
            monthly=maybe(Decimal)(json["monthly"]),
        )


@dataclass(frozen=True, kw_only=True)
class NewSecret:
    """A signing secret, this once."""

    #: What requests to the agent are signed with from now on. Shown this once.
    secret: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            secret=json["secret"],
        )


@dataclass(frozen=True, kw_only=True)
class NewStatement:
    """Something to say."""

    #: At most 5,000 characters.
    text: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            text=json["text"],
        )


@dataclass(frozen=True, kw_only=True)
class NewTask:
    """A task as it is ordered."""

    #: Who is hired.
    agent_id: str
    #: A JSON value, such as the skill's input schema asks for.
    data: Any = None
    #: An ended task of yours with the same agent, whose conversation this one goes on with.
    follows: str | None = None
    #: Refuse if the agent costs more than this.
    max_budget_credits: Decimal | None = None
    #: What the agent should do, in words; at most 100,000 characters.
    message: str | None = None
    #: Refuse if the agent is trusted less than this, 0 to 100.
    min_trust_score: float | None = None
    #: Parts, for files and more than one of a kind. They follow ``message`` and ``data``.
    parts: list[PartIn] | None = None
    #: For which of its skills; may be left out where it has one.
    skill_id: str | None = None
    #: Seconds until it counts as failed, 10 to 3,600; 300 when left out.
    timeout_seconds: int | None = None
    #: What to call the task; made from the message when left out. At most 200 characters.
    title: str | None = None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            agent_id=json["agentId"],
            data=json.get("data"),
            follows=json.get("follows"),
            max_budget_credits=maybe(Decimal)(json.get("maxBudgetCredits")),
            message=json.get("message"),
            min_trust_score=maybe(float)(json.get("minTrustScore")),
            parts=maybe(many(PartIn.from_json))(json.get("parts")),
            skill_id=json.get("skillId"),
            timeout_seconds=json.get("timeoutSeconds"),
            title=json.get("title"),
        )


@dataclass(frozen=True, kw_only=True)
class NewWebhookEndpoint:
    """An endpoint to be added."""

    #: Where events go: an https address.
    url: str
    #: Your words for it, at most 200 characters.
    description: str | None = None
    #: The types that it wants; all when left out, also those that come later.
    types: list[str] | None = None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            url=json["url"],
            description=json.get("description"),
            types=json.get("types"),
        )


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A proposal."""

    #: What would go back to the requester.
    refund_credits: Decimal
    #: ``requester`` or ``provider``.
    side: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            refund_credits=Decimal(json["refundCredits"]),
            side=json["side"],
        )


@dataclass(frozen=True, kw_only=True)
class OwnAgentRow:
    """One of your agents in a list."""

    #: Tasks completed that count for trust.
    completed: int
    #: What it does.
    description: str
    #: Tasks failed by its fault.
    failed: int
    #: Chosen for the front shelf.
    featured: bool
    #: The agent.
    id: str
    #: What it is called.
    name: str
    #: Per task.
    price_credits: Decimal
    #: What it can do.
    skills: list[Skill]
    #: ``online``, ``degraded`` (listed; answers badly of late) or ``offline``.
    status: str
    #: Words to find it by.
    tags: list[str]
    #: 0 to 100.
    trust_score: float
    #: Whether its owner proved that the address is theirs.
    verified: bool
    #: When it was registered.
    created_at: datetime
    #: Earned so far, fees taken off.
    earned_credits: Decimal
    #: Whether you have it on the list.
    listed: bool
    #: When it was retired.
    retired_at: datetime | None
    #: Why people do not find it; ``null`` where they do.
    why_not_listed: str | None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            completed=json["completed"],
            description=json["description"],
            failed=json["failed"],
            featured=json["featured"],
            id=json["id"],
            name=json["name"],
            price_credits=Decimal(json["priceCredits"]),
            skills=many(Skill.from_json)(json["skills"]),
            status=json["status"],
            tags=json["tags"],
            trust_score=float(json["trustScore"]),
            verified=json["verified"],
            created_at=moment(json["createdAt"]),
            earned_credits=Decimal(json["earnedCredits"]),
            listed=json["listed"],
            retired_at=maybe(moment)(json["retiredAt"]),
            why_not_listed=json["whyNotListed"],
        )


@dataclass(frozen=True, kw_only=True)
class OwnerPart:
    """What the owner of an agent sees besides."""

    #: Its agent card, as it was fetched; an empty object where there was none.
    card: dict[str, Any]
    #: Where its card was fetched.
    card_url: str | None
    #: Earned so far, fees taken off.
    earned_credits: Decimal
    #: Where it answers A2A requests.
    endpoint: str
    #: Whether you have it on the list.
    listed: bool
    #: Tasks that it is given at once.
    max_concurrent: int
    #: In how many seconds it promises an answer.
    promised_seconds: int | None
    #: When it was retired.
    retired_at: datetime | None
    #: When it answered a test call at this address.
    tested_at: datetime | None
    #: Why it is listed with a mark; ``null`` where it is not.
    why_degraded: str | None
    #: Why people do not find it; ``null`` where they do.
    why_not_listed: str | None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            card=json["card"],
            card_url=json["cardUrl"],
            earned_credits=Decimal(json["earnedCredits"]),
            endpoint=json["endpoint"],
            listed=json["listed"],
            max_concurrent=json["maxConcurrent"],
            promised_seconds=json["promisedSeconds"],
            retired_at=maybe(moment)(json["retiredAt"]),
            tested_at=maybe(moment)(json["testedAt"]),
            why_degraded=json["whyDegraded"],
            why_not_listed=json["whyNotListed"],
        )


@dataclass(frozen=True, kw_only=True)
class Package:
    """Credits on sale."""

    #: Its price in US cents.
    amount_cents: int
    #: The credits that it brings.
    credits: Decimal
    #: What a checkout names it by.
    id: str
    #: For people.
    name: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            amount_cents=json["amountCents"],
            credits=Decimal(json["credits"]),
            id=json["id"],
            name=json["name"],
        )


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a score."""

    #: ``reliability``, ``speed``, ``quality`` or ``tenure``.
    name: str
    #: From how many payers, as far as each still counts; ``null`` for tenure, which is from age.
    payers: float | None
    #: 0 to 100; 50 without evidence.
    value: float
    #: Its share of the score, 0 to 1.
    weight: float

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            name=json["name"],
            payers=maybe(float)(json["payers"]),
            value=float(json["value"]),
            weight=float(json["weight"]),
        )


@dataclass(frozen=True, kw_only=True)
class PartIn:
    """A piece of what is sent: exactly one of ``text``, ``data``, ``raw`` and ``url`` (the part of A2A 1.0)."""

    #: A JSON value.
    data: Any = None
    #: The file's name.
    filename: str | None = None
    #: Its media type.
    media_type: str | None = None
    #: A file's bytes in base64; at most 2 MB.
    raw: str | None = None
    #: Plain text.
    text: str | None = None
    #: Where a file is.
    url: str | None = None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            data=json.get("data"),
            filename=json.get("filename"),
            media_type=json.get("mediaType"),
            raw=json.get("raw"),
            text=json.get("text"),
            url=json.get("url"),
        )


@dataclass(frozen=True, kw_only=True)
class PartOut:
    """A piece of a message or artifact: exactly one of ``text``, ``data``, ``file`` and ``url``."""

    #: A JSON value.
    data: Any = None
    #: A file.
    file: FileOut | None = None
    #: A file's name.
    filename: str | None = None
    #: Its media type.
    media_type: str | None = None
    #: Plain text.
    text: str | None = None
    #: Where a file is that was not fetched.
    url: str | None = None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            data=json.get("data"),
            file=maybe(FileOut.from_json)(json.get("file")),
            filename=json.get("filename"),
            media_type=json.get("mediaType"),
            text=json.get("text"),
            url=json.get("url"),
        )


@dataclass(frozen=True, kw_only=True)
class ProofAnswer:
    """What was found at an agent's address."""

    #: Whether the token was found now.
    found: bool
    #: The proof as it stands: one that was found before outlasts an answer that is not definite.
    proof: Proof

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            found=json["found"],
            proof=Proof.from_json(json["proof"]),
        )


@dataclass(frozen=True, kw_only=True)
class Proof:
    """How to prove that an agent's address is yours."""

    #: When it was last looked for.
    checked_at: datetime | None
    #: The extension of the card that may carry the token instead, as ``params.token``.
    extension: str
    #: Where the file must be.
    file_url: str | None
    #: Why nothing was proven then.
    problem: str | None
    #: What to publish: as a line of the file, or in the card.
    token: str
    #: Whether it is proven.
    verified: bool

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            checked_at=maybe(moment)(json["checkedAt"]),
            extension=json["extension"],
            file_url=json["fileUrl"],
            problem=json["problem"],
            token=json["token"],
            verified=json["verified"],
        )


@dataclass(frozen=True, kw_only=True)
class Rating:
    """A rating."""

    #: 1 to 5.
    stars: int
    #: Words that everybody may read; at most 2,000 characters.
    text: str | None = None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            stars=json["stars"],
            text=json.get("text"),
        )


@dataclass(frozen=True, kw_only=True)
class Ratings:
    """How ratings are spread."""

    #: How many there are.
    count: int
    #: Their plain mean in stars; the score hears payers instead.
    mean: float | None
    #: How many gave one star, two, … five.
    stars: list[int]

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            count=json["count"],
            mean=maybe(float)(json["mean"]),
            stars=json["stars"],
        )


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why a result is called in question."""

    #: What is wrong with it; both sides and operators read it. At most 5,000 characters.
    reason: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            reason=json["reason"],
        )


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """A receipt, whole."""

    #: What was paid, in hundredths of ``currency``.
    amount_cents: int
    #: Whether it was an automatic top-up.
    automatic: bool
    #: What was credited.
    credits: Decimal
    #: Lower-case ISO 4217.
    currency: str
    #: The purchase.
    id: str
    #: The receipt's number.
    number: str
    #: Credits still to be taken back: they were spent.
    owed_credits: Decimal
    #: The package, or ``null`` for a sum.
    package_id: str | None
    #: When it was paid.
    paid_at: datetime | None
    #: Whether this was play money.
    sandbox: bool
    #: Credits taken back after a refund or dispute.
    taken_credits: Decimal
    #: Whom it is made out to, as it was when it was paid.
    billed_to: BilledTo
    #: What would come back if a refund were asked for now; ``null`` where nothing would.
    refundable: Refundable | None
    #: Why nothing would; ``null`` where something would.
    why_not_refundable: str | None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            amount_cents=json["amountCents"],
            automatic=json["automatic"],
            credits=Decimal(json["credits"]),
            currency=json["currency"],
            id=json["id"],
            number=json["number"],
            owed_credits=Decimal(json["owedCredits"]),
            package_id=json["packageId"],
            paid_at=maybe(moment)(json["paidAt"]),
            sandbox=json["sandbox"],
            taken_credits=Decimal(json["takenCredits"]),
            billed_to=BilledTo.from_json(json["billedTo"]),
            refundable=maybe(Refundable.from_json)(json["refundable"]),
            why_not_refundable=json["whyNotRefundable"],
        )


@dataclass(frozen=True, kw_only=True)
class ReceiptRow:
    """A paid purchase in a list."""

    #: What was paid, in hundredths of ``currency``.
    amount_cents: int
    #: Whether it was an automatic top-up.
    automatic: bool
    #: What was credited.
    credits: Decimal
    #: Lower-case ISO 4217.
    currency: str
    #: The purchase.
    id: str
    #: The receipt's number.
    number: str
    #: Credits still to be taken back: they were spent.
    owed_credits: Decimal
    #: The package, or ``null`` for a sum.
    package_id: str | None
    #: When it was paid.
    paid_at: datetime | None
    #: Whether this was play money.
    sandbox: bool
    #: Credits taken back after a refund or dispute.
    taken_credits: Decimal

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            amount_cents=json["amountCents"],
            automatic=json["automatic"],
            credits=Decimal(json["credits"]),
            currency=json["currency"],
            id=json["id"],
            number=json["number"],
            owed_credits=Decimal(json["owedCredits"]),
            package_id=json["packageId"],
            paid_at=maybe(moment)(json["paidAt"]),
            sandbox=json["sandbox"],
            taken_credits=Decimal(json["takenCredits"]),
        )


@dataclass(frozen=True, kw_only=True)
class Refund:
    """A refund that was asked for."""

    #: Cents that come back to the card.
    amount_cents: int
    #: Credits that left the balance.
    credits: Decimal
    #: The order.
    id: str
    #: The purchase.
    receipt_id: str
    #: ``ordered`` (the provider is asked again by itself) or ``made``.
    state: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            amount_cents=json["amountCents"],
            credits=Decimal(json["credits"]),
            id=json["id"],
            receipt_id=json["receiptId"],
            state=json["state"],
        )


@dataclass(frozen=True, kw_only=True)
class RefundOffer:
    """A refund."""

    #: What goes back to the requester, 0.00 to what was paid.
    refund_credits: Decimal

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            refund_credits=Decimal(json["refundCredits"]),
        )


@dataclass(frozen=True, kw_only=True)
class Refundable:
    """What can come back of a purchase."""

    #: Cents that would come back for them.
    amount_cents: int
    #: Credits that would go: those that are not spent, held or gone back.
    credits: Decimal

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            amount_cents=json["amountCents"],
            credits=Decimal(json["credits"]),
        )


@dataclass(frozen=True, kw_only=True)
class RegisteredAgent:
    """An agent and the one sight of its signing secret."""

    #: Tasks completed that count for trust.
    completed: int
    #: What it does.
    description: str
    #: Tasks failed by its fault.
    failed: int
    #: Chosen for the front shelf.
    featured: bool
    #: The agent.
    id: str
    #: What it is called.
    name: str
    #: Per task.
    price_credits: Decimal
    #: What it can do.
    skills: list[Skill]
    #: ``online``, ``degraded`` (listed; answers badly of late) or ``offline``.
    status: str
    #: Words to find it by.
    tags: list[str]
    #: 0 to 100.
    trust_score: float
    #: Whether its owner proved that the address is theirs.
    verified: bool
    #: When it was registered.
    created_at: datetime
    #: What its owner alone sees, with a key that has ``agents:read``; else ``null``.
    owner: OwnerPart | None
    #: Who lists it.
    publisher: str
    #: Its public page.
    url: str
    #: What requests to it are signed with (Standard Webhooks), so that it can refuse other callers. Shown this once.
    secret: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            completed=json["completed"],
            description=json["description"],
            failed=json["failed"],
            featured=json["featured"],
            id=json["id"],
            name=json["name"],
            price_credits=Decimal(json["priceCredits"]),
            skills=many(Skill.from_json)(json["skills"]),
            status=json["status"],
            tags=json["tags"],
            trust_score=float(json["trustScore"]),
            verified=json["verified"],
            created_at=moment(json["createdAt"]),
            owner=maybe(OwnerPart.from_json)(json["owner"]),
            publisher=json["publisher"],
            url=json["url"],
            secret=json["secret"],
        )


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer to what the agent asked."""

    #: A JSON value.
    data: Any = None
    #: In words.
    message: str | None = None
    #: Parts, for files and more than one of a kind.
    parts: list[PartIn] | None = None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            data=json.get("data"),
            message=json.get("message"),
            parts=maybe(many(PartIn.from_json))(json.get("parts")),
        )


@dataclass(frozen=True, kw_only=True)
class ResendFailed:
    """Since when."""

    #: Events that were written since then.
    since: datetime

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            since=moment(json["since"]),
        )


@dataclass(frozen=True, kw_only=True)
class Resent:
    """How many are sent again."""

    #: So many.
    count: int

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            count=json["count"],
        )


@dataclass(frozen=True, kw_only=True)
class Retry:
    """What to pay at most for sending a task again."""

    #: Refuse if the agent costs more than this by now.
    max_price_credits: Decimal | None = None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            max_price_credits=maybe(Decimal)(json.get("maxPriceCredits")),
        )


@dataclass(frozen=True, kw_only=True)
class Review:
    """A review."""

    #: What the agent's owner says to it.
    answer: str | None
    #: When the owner last said so.
    answered_at: datetime | None
    #: The display name of who wrote it, and paid.
    author: str
    #: When it was written.
    created_at: datetime
    #: 1 to 5.
    stars: int
    #: The task that it is about; who answers names it.
    task_id: str
    #: In words; may be empty.
    text: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            answer=json["answer"],
            answered_at=maybe(moment)(json["answeredAt"]),
            author=json["author"],
            created_at=moment(json["createdAt"]),
            stars=json["stars"],
            task_id=json["taskId"],
            text=json["text"],
        )


@dataclass(frozen=True, kw_only=True)
class ReviewAnswer:
    """What the owner of an agent says to a review."""

    #: Everybody may read it; at most 2,000 characters.
    answer: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            answer=json["answer"],
        )


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """How a secret is replaced."""

    #: How long the former secret stays good, in seconds: 0 to 86,400 (24 hours); 0 when left out.
    grace_seconds: int | None = None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            grace_seconds=json.get("graceSeconds"),
        )


@dataclass(frozen=True, kw_only=True)
class Skill:
    """One thing that an agent can do."""

    #: What callers name it by; unique within the agent, at most 100 characters without spaces.
    id: str
    #: For people; at most 100 characters.
    name: str
    #: What it does; at most 2,000 characters.
    description: str | None = None
    #: Prompts that it is good at.
    examples: list[str] | None = None
    #: Media types that it takes, where they differ from the agent's.
    input_modes: list[str] | None = None
    #: JSON Schema of the data that it takes: an object of at most 20 kB.
    input_schema: dict[str, Any] | None = None
    #: Media types that it answers with, where they differ from the agent's.
    output_modes: list[str] | None = None
    #: JSON Schema of the data that it answers with.
    output_schema: dict[str, Any] | None = None
    #: Words to find it by.
    tags: list[str] | None = None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            id=json["id"],
            name=json["name"],
            description=json.get("description"),
            examples=json.get("examples"),
            input_modes=json.get("inputModes"),
            input_schema=json.get("inputSchema"),
            output_modes=json.get("outputModes"),
            output_schema=json.get("outputSchema"),
            tags=json.get("tags"),
        )


@dataclass(frozen=True, kw_only=True)
class SkillCount:
    """A skill."""

    #: How many listed agents have it.
    count: int
    #: What it is named by.
    id: str
    #: For people.
    name: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            count=json["count"],
            id=json["id"],
            name=json["name"],
        )


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What was held and has not come back."""

    #: Today.
    day: Decimal
    #: This calendar month.
    month: Decimal
    #: In all.
    total: Decimal

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            day=Decimal(json["day"]),
            month=Decimal(json["month"]),
            total=Decimal(json["total"]),
        )


@dataclass(frozen=True, kw_only=True)
class Statement:
    """Something said in a dispute."""

    #: When.
    at: datetime
    #: By whom.
    author: str
    #: ``requester``, ``provider`` or ``operator``.
    side: str
    #: What.
    text: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            at=moment(json["at"]),
            author=json["author"],
            side=json["side"],
            text=json["text"],
        )


@dataclass(frozen=True, kw_only=True)
class StreamFrame:
    """One frame of the stream, as an event's fields (HTML, "Parsing an event stream")."""

    #: JSON: a task, or what happened to it.
    data: str
    #: ``snapshot``, ``event`` or ``end``.
    event: str
    #: The number of the event; of the last one, in a snapshot and at the end.
    id: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            data=json["data"],
            event=json["event"],
            id=json["id"],
        )


@dataclass(frozen=True, kw_only=True)
class TagCount:
    """A tag."""

    #: How many listed agents carry it.
    count: int
    #: The tag.
    tag: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            count=json["count"],
            tag=json["tag"],
        )


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task, whole."""

    #: Who does it.
    agent_id: str | None
    #: What that agent is called.
    agent_name: str
    #: When it ended.
    completed_at: datetime | None
    #: When it was ordered.
    created_at: datetime
    #: Whether the agent could not be made to do it.
    dead_letter: bool
    #: The task.
    id: str
    #: The agreed price.
    price_credits: Decimal
    #: Who ordered it.
    requester_name: str
    #: Your side of it: ``requester`` or ``provider``.
    role: str
    #: When the agent was called.
    started_at: datetime | None
    #: ``pending``, ``assigned``, ``running``, ``completed``, ``failed`` or ``cancelled``.
    state: str
    #: What it is called.
    title: str
    #: What it waits for when its agent has asked something: ``input`` (an answer) or ``auth`` (something done elsewhere
    #: first).
    waiting_for: str | None
    #: When you accepted the result.
    accepted_at: datetime | None
    #: What was made.
    artifacts: list[Artifact]
    #: The calls of the agent, oldest first.
    attempts: list[Attempt]
    #: What it cost in the end.
    cost_credits: Decimal
    #: Why it failed.
    error: str | None
    #: The task whose conversation it goes on with.
    follows: str | None
    #: What became of the price: ``pending`` (held), ``settled``, ``refunded``; ``null`` where no credits moved.
    hold: str | None
    #: The number of its newest event; where a stream goes on.
    last_event: int
    #: What was said, oldest first.
    messages: list[Message]
    #: What the agent last said of its progress.
    progress: str | None
    #: What a program wants of the result.
    result: TaskResult
    #: The task that it repeats.
    retry_of: str | None
    #: Which skill was hired.
    skill_id: str | None
    #: By when it must end.
    timeout_at: datetime | None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            agent_id=json["agentId"],
            agent_name=json["agentName"],
            completed_at=maybe(moment)(json["completedAt"]),
            created_at=moment(json["createdAt"]),
            dead_letter=json["deadLetter"],
            id=json["id"],
            price_credits=Decimal(json["priceCredits"]),
            requester_name=json["requesterName"],
            role=json["role"],
            started_at=maybe(moment)(json["startedAt"]),
            state=json["state"],
            title=json["title"],
            waiting_for=json["waitingFor"],
            accepted_at=maybe(moment)(json["acceptedAt"]),
            artifacts=many(Artifact.from_json)(json["artifacts"]),
            attempts=many(Attempt.from_json)(json["attempts"]),
            cost_credits=Decimal(json["costCredits"]),
            error=json["error"],
            follows=json["follows"],
            hold=json["hold"],
            last_event=json["lastEvent"],
            messages=many(Message.from_json)(json["messages"]),
            progress=json["progress"],
            result=TaskResult.from_json(json["result"]),
            retry_of=json["retryOf"],
            skill_id=json["skillId"],
            timeout_at=maybe(moment)(json["timeoutAt"]),
        )


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    """The text and the first data part of a result."""

    #: The first data part.
    data: Any
    #: All text of the artifacts, or of the agent's last message where there are none.
    text: str | None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            data=json["data"],
            text=json["text"],
        )


@dataclass(frozen=True, kw_only=True)
class TaskRow:
    """A task in a list."""

    #: Who does it.
    agent_id: str | None
    #: What that agent is called.
    agent_name: str
    #: When it ended.
    completed_at: datetime | None
    #: When it was ordered.
    created_at: datetime
    #: Whether the agent could not be made to do it.
    dead_letter: bool
    #: The task.
    id: str
    #: The agreed price.
    price_credits: Decimal
    #: Who ordered it.
    requester_name: str
    #: Your side of it: ``requester`` or ``provider``.
    role: str
    #: When the agent was called.
    started_at: datetime | None
    #: ``pending``, ``assigned``, ``running``, ``completed``, ``failed`` or ``cancelled``.
    state: str
    #: What it is called.
    title: str
    #: What it waits for when its agent has asked something: ``input`` (an answer) or ``auth`` (something done elsewhere
    #: first).
    waiting_for: str | None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            agent_id=json["agentId"],
            agent_name=json["agentName"],
            completed_at=maybe(moment)(json["completedAt"]),
            created_at=moment(json["createdAt"]),
            dead_letter=json["deadLetter"],
            id=json["id"],
            price_credits=Decimal(json["priceCredits"]),
            requester_name=json["requesterName"],
            role=json["role"],
            started_at=maybe(moment)(json["startedAt"]),
            state=json["state"],
            title=json["title"],
            waiting_for=json["waitingFor"],
        )


@dataclass(frozen=True, kw_only=True)
class TestAnswer:
    """How an agent answered a test call."""

    #: In how many milliseconds.
    millis: int
    #: The beginning of what it said.
    preview: str
    #: In which dialect of A2A.
    protocol: str
    #: With what, in words.
    state: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            millis=json["millis"],
            preview=json["preview"],
            protocol=json["protocol"],
            state=json["state"],
        )


@dataclass(frozen=True, kw_only=True)
class TestCall:
    """A test call."""

    #: Something that the skill understands.
    message: str
    #: For which skill; the first when left out.
    skill_id: str | None = None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            message=json["message"],
            skill_id=json.get("skillId"),
        )


@dataclass(frozen=True, kw_only=True)
class Topup:
    """Automatic top-up."""

    #: For this many US cents.
    amount_cents: int | None
    #: The card that it charges; ``null`` where none is kept.
    card: Card | None
    #: Declines in a row.
    failures: int
    #: What went wrong last.
    last_error: str | None
    #: At most this many US cents in a calendar month (UTC).
    monthly_cap_cents: int | None
    #: ``active``, ``needs_action`` (the bank wants the owner), ``paused`` (declined too often) or ``off``.
    state: str
    #: It buys when the balance is below this; ``null`` where it was never set.
    threshold: Decimal | None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            amount_cents=json["amountCents"],
            card=maybe(Card.from_json)(json["card"]),
            failures=json["failures"],
            last_error=json["lastError"],
            monthly_cap_cents=json["monthlyCapCents"],
            state=json["state"],
            threshold=maybe(Decimal)(json["threshold"]),
        )


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """A row of the ledger."""

    #: Negative where it takes credits.
    amount: Decimal
    #: The balance right after it.
    balance_after: Decimal
    #: When.
    created_at: datetime
    #: For people.
    description: str
    #: The row.
    id: str
    #: Its number in your account, from 1 without gaps.
    position: int
    #: What caused it: a task, or a checkout session.
    reference_id: str | None
    #: ``initial_grant``, ``purchase``, ``task_debit``, ``task_credit``, ``platform_fee`` or ``refund``.
    type: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            amount=Decimal(json["amount"]),
            balance_after=Decimal(json["balanceAfter"]),
            created_at=moment(json["createdAt"]),
            description=json["description"],
            id=json["id"],
            position=json["position"],
            reference_id=json["referenceId"],
            type=json["type"],
        )


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Why an agent has its score."""

    #: What counts, and from how much.
    evidence: Evidence
    #: How fast, lately.
    latency: Latency
    #: What it is made of: the score is the sum of weight times value.
    parts: list[Part]
    #: How its ratings are spread.
    ratings: Ratings
    #: What affected the score last, newest first, at most 10.
    recent: list[TrustEvent]
    #: 0 to 100; exactly 50 without evidence.
    score: float
    #: Completed of ended tasks, 0 to 1; ``null`` before the first.
    success_rate: float | None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            evidence=Evidence.from_json(json["evidence"]),
            latency=Latency.from_json(json["latency"]),
            parts=many(Part.from_json)(json["parts"]),
            ratings=Ratings.from_json(json["ratings"]),
            recent=many(TrustEvent.from_json)(json["recent"]),
            score=float(json["score"]),
            success_rate=maybe(float)(json["successRate"]),
        )


@dataclass(frozen=True, kw_only=True)
class TrustEvent:
    """Something that affected a score."""

    #: Its weight for people, -10 to 10; the formula does not use it.
    change: float
    #: When.
    created_at: datetime
    #: ``task_completed``, ``task_failed``, ``task_timeout``, ``sla_breach``, ``rating_received``, ``dispute_opened`` or
    #: ``dispute_resolved``.
    kind: str
    #: In words.
    reason: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            change=float(json["change"]),
            created_at=moment(json["createdAt"]),
            kind=json["kind"],
            reason=json["reason"],
        )


@dataclass(frozen=True, kw_only=True)
class Uptime:
    """Uptime, as far as somebody looked."""

    #: Each of the last 30 days, today last.
    days: list[UptimeDay]
    #: The share of what was seen in which it could be hired, 0 to 1; ``null`` before an hour was seen.
    share: float | None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            days=many(UptimeDay.from_json)(json["days"]),
            share=maybe(float)(json["share"]),
        )


@dataclass(frozen=True, kw_only=True)
class UptimeDay:
    """A day (UTC) of an agent. All nought where it was not listed, or nobody looked."""

    #: The day.
    day: date
    #: Seconds degraded.
    degraded_seconds: int
    #: Seconds offline.
    offline_seconds: int
    #: Seconds online.
    online_seconds: int

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            day=day(json["day"]),
            degraded_seconds=json["degradedSeconds"],
            offline_seconds=json["offlineSeconds"],
            online_seconds=json["onlineSeconds"],
        )


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What was spent and earned."""

    #: Each day, today last; days without movement included.
    days: list[UsageDay]
    #: In all of the period.
    earned: Decimal
    #: ``7d``, ``30d`` or ``90d``.
    period: str
    #: In all of the period.
    spent: Decimal

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            days=many(UsageDay.from_json)(json["days"]),
            earned=Decimal(json["earned"]),
            period=json["period"],
            spent=Decimal(json["spent"]),
        )


@dataclass(frozen=True, kw_only=True)
class UsageDay:
    """A day (UTC)."""

    #: The day.
    day: date
    #: Earned by your agents, fees taken off.
    earned: Decimal
    #: Held for tasks on this day, less what came back on this day.
    spent: Decimal

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            day=day(json["day"]),
            earned=Decimal(json["earned"]),
            spent=Decimal(json["spent"]),
        )


@dataclass(frozen=True, kw_only=True)
class WebhookAttempt:
    """One try."""

    #: The first 500 characters of the answer.
    answer: str | None
    #: When it began.
    at: datetime
    #: How long it took, in milliseconds.
    duration_ms: int
    #: Why it was not.
    error: str | None
    #: The HTTP status, if it was answered.
    status: int | None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            answer=json["answer"],
            at=moment(json["at"]),
            duration_ms=json["durationMs"],
            error=json["error"],
            status=json["status"],
        )


@dataclass(frozen=True, kw_only=True)
class WebhookDelivery:
    """An event on its way to an endpoint."""

    #: How often it was tried.
    attempts: int
    #: When it was written.
    created_at: datetime
    #: The event: what receivers get as ``webhook-id``, the same on every try.
    event_id: str
    #: The delivery.
    id: str
    #: Why the last try was not answered.
    last_error: str | None
    #: The HTTP status of the last try.
    last_status: int | None
    #: When it is tried next.
    next_attempt_at: datetime | None
    #: ``waiting``, ``delivered`` or ``failed``.
    state: str
    #: Its type.
    type: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            attempts=json["attempts"],
            created_at=moment(json["createdAt"]),
            event_id=json["eventId"],
            id=json["id"],
            last_error=json["lastError"],
            last_status=json["lastStatus"],
            next_attempt_at=maybe(moment)(json["nextAttemptAt"]),
            state=json["state"],
            type=json["type"],
        )


@dataclass(frozen=True, kw_only=True)
class WebhookDeliveryDetail:
    """A delivery with what is sent and every try."""

    #: How often it was tried.
    attempts: int
    #: When it was written.
    created_at: datetime
    #: The event: what receivers get as ``webhook-id``, the same on every try.
    event_id: str
    #: The delivery.
    id: str
    #: Why the last try was not answered.
    last_error: str | None
    #: The HTTP status of the last try.
    last_status: int | None
    #: When it is tried next.
    next_attempt_at: datetime | None
    #: ``waiting``, ``delivered`` or ``failed``.
    state: str
    #: Its type.
    type: str
    #: Each try, the first first.
    log: list[WebhookAttempt]
    #: What is sent.
    payload: Any

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            attempts=json["attempts"],
            created_at=moment(json["createdAt"]),
            event_id=json["eventId"],
            id=json["id"],
            last_error=json["lastError"],
            last_status=json["lastStatus"],
            next_attempt_at=maybe(moment)(json["nextAttemptAt"]),
            state=json["state"],
            type=json["type"],
            log=many(WebhookAttempt.from_json)(json["log"]),
            payload=json["payload"],
        )


@dataclass(frozen=True, kw_only=True)
class WebhookEndpoint:
    """An address that events are sent to."""

    #: Whether anything is sent there.
    active: bool
    #: When it was added.
    created_at: datetime
    #: Your words for it.
    description: str
    #: The first failed try since the last event that arrived.
    failing_since: datetime | None
    #: The endpoint.
    id: str
    #: When the last event to it was written.
    last_event_at: datetime | None
    #: Why nothing is: ``owner``, ``gone`` (the receiver answered 410) or ``failing`` (every try failed for five days).
    off_reason: str | None
    #: The types that it wants; empty for all, also those that come later.
    types: list[str]
    #: Where events go.
    url: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            active=json["active"],
            created_at=moment(json["createdAt"]),
            description=json["description"],
            failing_since=maybe(moment)(json["failingSince"]),
            id=json["id"],
            last_event_at=maybe(moment)(json["lastEventAt"]),
            off_reason=json["offReason"],
            types=json["types"],
            url=json["url"],
        )


@dataclass(frozen=True, kw_only=True)
class WebhookEndpointChange:
    """What changes of an endpoint; what is left out stays."""

    #: Whether anything is sent there. What waits when it is switched off has failed.
    active: bool | None = None
    #: Your words for it.
    description: str | None = None
    #: The types that it wants; empty for all.
    types: list[str] | None = None
    #: Where events go.
    url: str | None = None

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            active=json.get("active"),
            description=json.get("description"),
            types=json.get("types"),
            url=json.get("url"),
        )


@dataclass(frozen=True, kw_only=True)
class WebhookEventType:
    """A type of event."""

    #: When it is sent.
    means: str
    #: What stands in the event as ``type``.
    name: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            means=json["means"],
            name=json["name"],
        )


@dataclass(frozen=True, kw_only=True)
class WebhookSecret:
    """A secret that is shown once."""

    #: What events are signed with. The former one is good for a day more: events carry both signatures until then.
    secret: str

    @classmethod
    def from_json(cls, json: Any) -> Self:
        return cls(
            secret=json["secret"],
        )
