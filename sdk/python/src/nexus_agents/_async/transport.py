"""Sends requests, again where that helps."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

import httpx

from .._clock import async_sleep
from .._retry import wait_before_retry
from .._wire import ANY, Answer, Call, Page, TaskFile, decoded, filename_of, understood
from ..errors import NexusConnectionError, NexusError, NexusTimeoutError, error_of
from .pages import AsyncPages

T = TypeVar("T")

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class AsyncTransport:
    """Reaches NEXUS at ``base_url``, the site's address without a slash at the end."""

    def __init__(
        self, *, api_key: str | None, base_url: str, timeout: float, max_retries: int, http: httpx.AsyncClient | None
    ) -> None:
        self.base_url = base_url
        self._api_key = api_key
        self._timeout = timeout
        self._max_retries = max_retries
        self._own = http is None
        self._http = httpx.AsyncClient() if http is None else http

    async def aclose(self) -> None:
        """Closes the connections, unless the caller's client has them."""
        if self._own:
            await self._http.aclose()

    async def json(self, call: Call, read: Callable[[Any], T]) -> T:
        """``data`` of the answer."""
        return decoded(await self._send(call), read)

    async def nothing(self, call: Call) -> None:
        """An answer without content."""
        await self._send(call)

    async def file(self, call: Call) -> TaskFile:
        """A file."""
        # Uncompressed it comes with its length, and a file that was cut is not taken for whole.
        answer = await self._send(replace(call, headers={"accept": ANY, "accept-encoding": "identity"}))
        return TaskFile(answer.content, filename_of(answer.headers.get("content-disposition")))

    def pages(self, call: Call, row: Callable[[Any], T], cursor: str | None) -> AsyncPages[T]:
        """A list."""

        async def fetch(after: str | None) -> Page[T]:
            answer = await self._send(replace(call, query={**call.query, "cursor": after}))
            return Page.read(answer.json, row)

        return AsyncPages(fetch, cursor)

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncIterator[AsyncIterator[bytes]]:
        """The bytes of an answer as they come. It is asked for once: who reads them knows where to go on."""
        request = self._request(call, call.named())
        try:
            response = await self._http.send(request, stream=True)
            try:
                if response.status_code != 200:
                    raise error_of(response.status_code, response.headers, await response.aread())
                yield response.aiter_bytes()
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise self._broken(error) from error

    async def _send(self, call: Call) -> Answer:
        headers = call.named()
        n = 0
        while True:
            n += 1
            try:
                return await self._attempt(call, headers)
            except NexusError as error:
                wait = wait_before_retry(error, n, call.harmless, random.random()) if n <= self._max_retries else None
                if wait is None:
                    raise
            await async_sleep(wait)

    async def _attempt(self, call: Call, headers: dict[str, str]) -> Answer:
        try:
            response = await self._http.send(self._request(call, headers))
        except httpx.HTTPError as error:
            raise self._broken(error) from error
        return understood(call, response.status_code, response.headers, response.content)

    def _request(self, call: Call, headers: dict[str, str]) -> httpx.Request:
        seconds = (self._timeout if call.timeout is None else call.timeout) + (call.query.get("wait") or 0)
        request = self._http.build_request(
            call.method,
            f"{self.base_url}/api/v1{call.path}",
            params=call.parameters(),
            content=call.content(),
            headers=headers,
            timeout=httpx.Timeout(seconds, connect=min(10.0, seconds)),
        )
        if self._api_key:
            request.headers["authorization"] = f"Bearer {self._api_key}"
        return request

    def _broken(self, error: httpx.HTTPError) -> NexusError:
        if isinstance(error, httpx.TimeoutException) and not isinstance(error, _NOT_SENT):
            return NexusTimeoutError(f"NEXUS at {self.base_url} did not answer in time")
        what = f"NEXUS at {self.base_url} was not reached, or broke off: {error or type(error).__name__}"
        return NexusConnectionError(what, sent=not isinstance(error, _NOT_SENT))
