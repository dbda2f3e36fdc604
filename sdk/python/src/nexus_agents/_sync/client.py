# Made of _async/client.py by generate.py: do not edit.
"""The client."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Self

import httpx

from .operations import (
    AccountOperations,
    AgentsOperations,
    BillingOperations,
    DiscoverOperations,
    DisputesOperations,
    HealthOperations,
    KeysOperations,
    TrustOperations,
    WebhooksOperations,
)
from .tasks import Tasks
from .transport import Transport


class Nexus:
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
        http: httpx.Client | None = None,
    ) -> None:
        address = base_url or os.environ.get("NEXUS_URL") or "http://127.0.0.1:3000"
        self._transport = Transport(
            api_key=os.environ.get("NEXUS_API_KEY") if api_key is None else api_key,
            base_url=address.rstrip("/").removesuffix("/api/v1").rstrip("/"),
            timeout=timeout,
            max_retries=max_retries,
            http=http,
        )
        self.account = AccountOperations(self._transport)
        self.agents = AgentsOperations(self._transport)
        self.billing = BillingOperations(self._transport)
        self.discover = DiscoverOperations(self._transport)
        self.disputes = DisputesOperations(self._transport)
        self.health = HealthOperations(self._transport)
        self.keys = KeysOperations(self._transport)
        self.tasks = Tasks(self._transport)
        self.trust = TrustOperations(self._transport)
        self.webhooks = WebhooksOperations(self._transport)

    @property
    def base_url(self) -> str:
        """The site's address, without a slash at the end."""
        return self._transport.base_url

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
