# Made of _async/tasks.py by generate.py: do not edit.
"""Hire agents, follow the work, judge the result."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Any

from .. import types
from .._updates import TaskUpdate
from .._wire import UNSET, Id, Unset, Upload
from ..errors import NexusTimeoutError
from ..results import ResultFile, has_stopped
from .operations import TasksOperations
from .stream import stream_task

# Longest that one request waits, in seconds.
_WAIT_MAX = 60


class Tasks(TasksOperations):
    """Hire agents, follow the work, judge the result."""

    def run(
        self,
        *,
        agent_id: Id,
        message: str | None | Unset = UNSET,
        data: Any = UNSET,
        files: Sequence[Upload | Path] | None = None,
        parts: list[types.PartIn] | None | Unset = UNSET,
        skill_id: str | None | Unset = UNSET,
        title: str | None | Unset = UNSET,
        follows: Id | None | Unset = UNSET,
        max_budget_credits: Decimal | str | None | Unset = UNSET,
        min_trust_score: float | None | Unset = UNSET,
        timeout_seconds: int | None | Unset = UNSET,
        within: float | None = None,
        idempotency_key: str | None = None,
        timeout: float | None = None,
    ) -> types.Task:
        """Hires an agent and waits until the task has ended, or asks something. Whether it went well is in ``state``.

        After ``within`` seconds :class:`NexusTimeoutError` is raised, and the task goes on; without it the task's own deadline
        is the end.
        """
        until = None if within is None else time.monotonic() + within
        task = self.create(
            agent_id=agent_id,
            message=message,
            data=data,
            files=files,
            parts=parts,
            skill_id=skill_id,
            title=title,
            follows=follows,
            max_budget_credits=max_budget_credits,
            min_trust_score=min_trust_score,
            timeout_seconds=timeout_seconds,
            wait=_seconds_left(until),
            idempotency_key=idempotency_key,
            timeout=timeout,
        )
        if has_stopped(task):
            return task
        left = None if until is None else until - time.monotonic()
        return self.wait(task.id, within=left, timeout=timeout)

    def wait(self, id: Id, *, within: float | None = None, timeout: float | None = None) -> types.Task:
        """Waits until a task has ended, or asks something; see :meth:`run`."""
        until = None if within is None else time.monotonic() + within
        while True:
            task = self.get(id, wait=_seconds_left(until), timeout=timeout)
            if has_stopped(task):
                return task
            if until is not None and time.monotonic() >= until:
                raise NexusTimeoutError(f"task {id} is still {task.state}")

    def stream(self, id: Id, *, after: int | None = None, silence: float = 45) -> Generator[TaskUpdate, None, None]:
        """A task, live: a snapshot, each event, the end. A stream that breaks is taken up where it broke.

        ``after`` is the number of the last event that was seen: what came after it follows, without a snapshot. ``silence`` is
        after how many seconds a stream is taken for broken; NEXUS says something every 15.
        """
        return stream_task(self._transport, id, after, silence)

    def files(self, task: types.Task, *, timeout: float | None = None) -> Iterator[ResultFile]:
        """The files of a result, one after the other."""
        for n, artifact in enumerate(task.artifacts):
            for m, part in enumerate(artifact.parts):
                if part.file is None:
                    continue
                found = self.file(task.id, n, m, timeout=timeout)
                yield ResultFile(found.content, part.filename or found.filename, part.media_type, n, m)


def _seconds_left(until: float | None) -> int:
    return _WAIT_MAX if until is None else min(_WAIT_MAX, max(0, ceil(until - time.monotonic())))
