"""Waiting, in threads and in tasks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable


def sleep(seconds: float) -> None:
    time.sleep(seconds)


async def async_sleep(seconds: float) -> None:
    await asyncio.sleep(seconds)


class Timer:
    """Calls ``tick`` in a thread of its own, now and then after as many seconds as it answered."""

    def __init__(self, tick: Callable[[], float]) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(tick,), name="nexus-heartbeat", daemon=True)
        self._thread.start()

    def _run(self, tick: Callable[[], float]) -> None:
        while not self._stopped.wait(tick()):
            pass

    def stop(self) -> None:
        """Returns when the last call has."""
        self._stopped.set()
        self._thread.join()


class AsyncTimer:
    """Calls ``tick`` in a task of its own, now and then after as many seconds as it answered."""

    def __init__(self, tick: Callable[[], Awaitable[float]]) -> None:
        self._task = asyncio.create_task(self._run(tick))

    async def _run(self, tick: Callable[[], Awaitable[float]]) -> None:
        while True:
            await asyncio.sleep(await tick())

    async def stop(self) -> None:
        """Returns when the last call has ended."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
