# Made of _async/pages.py by generate.py: do not edit.
"""Lists that are fetched page by page."""

from __future__ import annotations

from collections.abc import Iterator, Callable
from typing import Generic, TypeVar

from .._wire import Page

T = TypeVar("T")


class Pages(Generic[T]):
    """A list that is fetched as far as it is read: ``for row in pages``. Nothing is asked before."""

    def __init__(self, fetch: Callable[[str | None], Page[T]], begin: str | None) -> None:
        self._fetch = fetch
        self._begin = begin

    def page(self) -> Page[T]:
        """The first page, as it was answered."""
        return self._fetch(self._begin)

    def pages(self) -> Iterator[Page[T]]:
        """All pages, one after the other."""
        page = self._fetch(self._begin)
        yield page
        while page.next_cursor is not None:
            page = self._fetch(page.next_cursor)
            yield page

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            for row in page.data:
                yield row
