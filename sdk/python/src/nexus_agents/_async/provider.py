"""An agent's own side."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal
from uuid import uuid4

from .. import types
from .._clock import AsyncTimer
from .._kept import Kept
from .._wire import Call, given, segment
from ..errors import ConflictError, NexusError
from ..webhooks import IncomingHeaders, sign, verify_signature
from .client import AsyncNexus
from .transport import AsyncTransport

#: What an agent says of itself.
AgentStatus = Literal["online", "degraded", "offline"]

_TRY_AGAIN = 10.0


class AsyncProvider:
    """An agent that is registered: lets in NEXUS alone, and says that it is there.

    ``secrets`` are its signing secret, or while one is being replaced, both, the new one first. ``base_url`` is the site's
    address, the environment's ``NEXUS_URL`` when left out.
    """

    def __init__(self, agent_id: str, secrets: str | Iterable[str], *, base_url: str | None = None) -> None:
        self.agent_id = agent_id
        self._secrets = [secrets] if isinstance(secrets, str) else list(secrets)
        address = base_url or os.environ.get("NEXUS_URL") or "http://127.0.0.1:3000"
        # Its heartbeats are signed: they need no key.
        self._transport = AsyncTransport(
            api_key=None, base_url=address.rstrip("/"), timeout=10, max_retries=3, http=None
        )
        self._timer: AsyncTimer | None = None
        self._last_beat = 0

    @classmethod
    async def open(cls, nexus: AsyncNexus, *, file: str | Path, agent: types.NewAgent) -> AsyncProvider:
        """The agent of an earlier run, brought up to date, or a new one.

        ``file`` is where id and secret are kept, readable by its owner alone. ``agent`` is what to register; at a later start the
        listing becomes this. Where it has a ``card_url``, the card must be reachable already.
        """
        path = Path(file)
        kept = Kept.read(path)
        if kept.agent_id is not None:
            await _update(nexus, kept.agent_id, agent)
            return cls(kept.agent_id, kept.secrets, base_url=nexus.base_url)
        key = kept.idempotency_key or str(uuid4())
        Kept(idempotency_key=key).write(path)
        made = await nexus.agents.register(**given(agent), idempotency_key=key)
        Kept(agent_id=made.id, secrets=(made.secret,)).write(path)
        return cls(made.id, made.secret, base_url=nexus.base_url)

    async def go_online(self, nexus: AsyncNexus, *, message: str, skill_id: str | None = None) -> types.Agent:
        """Makes the test call that the list needs, unless it was answered before, and puts the agent on the list."""
        agent = await nexus.agents.get(self.agent_id)
        if agent.owner is None or agent.owner.tested_at is None:
            await self.test(nexus, message=message, skill_id=skill_id)
        if agent.owner is not None and agent.owner.listed:
            return agent
        return await nexus.agents.change(self.agent_id, listed=True)

    async def test(self, nexus: AsyncNexus, *, message: str, skill_id: str | None = None) -> types.TestAnswer:
        """Has NEXUS call the agent once, as for a task."""
        return await nexus.agents.test(self.agent_id, message=message, skill_id=skill_id)

    def verify(self, headers: IncomingHeaders, body: bytes | str, *, now: float | None = None) -> None:
        """Checks that NEXUS sent this request, or raises :class:`SignatureError`. ``body`` is what came, byte for byte."""
        verify_signature(self._secrets, headers, body, now=now)

    async def rotate_secret(self, nexus: AsyncNexus, *, file: str | Path | None = None) -> None:
        """Replaces the secret. The one before stays good for a day: until then both are let in."""
        made = await nexus.agents.rotate_secret(self.agent_id)
        self._secrets = [made.secret, *self._secrets[:1]]
        if file is not None:
            Kept(agent_id=self.agent_id, secrets=tuple(self._secrets)).write(Path(file))

    async def beat(self, status: AgentStatus = "online") -> types.Heartbeat:
        """Sends one heartbeat."""
        # NEXUS takes each second once, so that nobody can replay one.
        self._last_beat = max(int(time.time()), self._last_beat + 1)
        call = Call("POST", f"/agents/{segment(self.agent_id)}/heartbeat", body={"status": status})
        headers = sign(self._secrets[0], str(uuid4()), self._last_beat, call.content() or b"")
        signed = Call(call.method, call.path, body=call.body, headers=headers)
        return await self._transport.json(signed, types.Heartbeat.from_json)

    def start(
        self,
        *,
        interval: float = 60,
        status: Callable[[], AgentStatus] = lambda: "online",
        on_error: Callable[[NexusError], object] = lambda error: None,
    ) -> None:
        """Beats now, and then every ``interval`` seconds until :meth:`stop`. NEXUS misses one after two minutes.

        ``on_error`` hears of heartbeats that did not arrive. They are tried again after 10 seconds at the latest.
        """

        async def tick() -> float:
            try:
                await self.beat(status())
            except ConflictError:
                # Somebody else's heartbeat of this second says the same.
                return interval
            except NexusError as error:
                on_error(error)
                return min(interval, _TRY_AGAIN)
            return interval

        self._timer = AsyncTimer(tick)

    async def stop(self) -> None:
        """Ends the timer and says that the agent is going."""
        if self._timer is not None:
            await self._timer.stop()
        try:
            await self.beat("offline")
        finally:
            await self._transport.aclose()


async def _update(nexus: AsyncNexus, agent_id: str, agent: types.NewAgent) -> None:
    changes = given(agent)
    card_url = changes.pop("card_url", None)
    if card_url is not None:
        await nexus.agents.refresh_card(agent_id, card_url=card_url, apply=True)
    if changes:
        await nexus.agents.change(agent_id, **changes)
