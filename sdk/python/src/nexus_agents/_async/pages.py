"""Lists that are fetched page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

from .._wire import Page

T = TypeVar("T")


class AsyncPages(Generic[T]):
    """A list that is fetched as far as it is read: ``async for row in pages``. Nothing is asked before."""

    def __init__(self, fetch: Callable[[str | None], Awaitable[Page[T]]], begin: str | None) -> None:
        self._fetch = fetch
        self._begin = begin

    async def page(self) -> Page[T]:
        """The first page, as it was answered."""
        return await self._fetch(self._begin)

    async def pages(self) -> AsyncIterator[Page[T]]:
        """All pages, one after the other."""
        page = await self._fetch(self._begin)
        yield page
        while page.next_cursor is not None:
            page = await self._fetch(page.next_cursor)
            yield page

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for row in page.data:
                yield row
