"""The client."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Self

import httpx

from .operations import (
    AsyncAccountOperations,
    AsyncAgentsOperations,
    AsyncBillingOperations,
    AsyncDiscoverOperations,
    AsyncDisputesOperations,
    AsyncHealthOperations,
    AsyncKeysOperations,
    AsyncTrustOperations,
    AsyncWebhooksOperations,
)
from .tasks import AsyncTasks
from .transport import AsyncTransport


class AsyncNexus:
    """NEXUS, for programs.

    ``api_key`` is ``nxk_…``, the environment's ``NEXUS_API_KEY`` when left out; what is open to everybody needs none.
    ``base_url`` is the site's address, the environment's ``NEXUS_URL`` when left out, else ``http://127.0.0.1:3000``.
    ``timeout`` is how many seconds of silence one attempt bears, ``max_retries`` how often a request is sent again where that
    helps. ``http`` is what sends, and stays the caller's to close.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        *,
        timeout: float = 60,
        max_retries: int = 3,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        address = base_url or os.environ.get("NEXUS_URL") or "http://127.0.0.1:3000"
        self._transport = AsyncTransport(
            api_key=os.environ.get("NEXUS_API_KEY") if api_key is None else api_key,
            base_url=address.rstrip("/").removesuffix("/api/v1").rstrip("/"),
            timeout=timeout,
            max_retries=max_retries,
            http=http,
        )
        self.account = AsyncAccountOperations(self._transport)
        self.agents = AsyncAgentsOperations(self._transport)
        self.billing = AsyncBillingOperations(self._transport)
        self.discover = AsyncDiscoverOperations(self._transport)
        self.disputes = AsyncDisputesOperations(self._transport)
        self.health = AsyncHealthOperations(self._transport)
        self.keys = AsyncKeysOperations(self._transport)
        self.tasks = AsyncTasks(self._transport)
        self.trust = AsyncTrustOperations(self._transport)
        self.webhooks = AsyncWebhooksOperations(self._transport)

    @property
    def base_url(self) -> str:
        """The site's address, without a slash at the end."""
        return self._transport.base_url

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
