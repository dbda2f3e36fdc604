# Made of _async/stream.py by generate.py: do not edit.
"""A task, live."""

from __future__ import annotations

import json
import random
from collections.abc import Generator
from contextlib import closing

from .._clock import sleep
from .._events import EventParser
from .._retry import wait_before_retry
from .._updates import TaskUpdate, read_update
from .._wire import Call, Id, segment
from ..errors import NexusConnectionError, NexusError
from .transport import Transport

# How often in a row a stream may be opened without news.
_MOST_OPENINGS = 6


def stream_task(
    transport: Transport, task_id: Id, after: int | None, silence: float
) -> Generator[TaskUpdate, None, None]:
    """A stream that breaks is taken up where it broke: nothing is left out, nothing comes twice."""
    last = after
    idle = 0
    while True:
        idle += 1
        failure: NexusError = NexusConnectionError("the stream ended before the task")
        try:
            with closing(_updates(transport, task_id, last, silence)) as updates:
                for update in updates:
                    if update.type == "event" and last is not None and update.id <= last:
                        continue
                    idle = 0
                    last = update.id
                    yield update
                    if update.type == "end":
                        return
        except NexusError as error:
            failure = error
        wait = wait_before_retry(failure, max(idle, 1), True, random.random()) if idle < _MOST_OPENINGS else None
        if wait is None:
            raise failure
        sleep(wait)


def _updates(
    transport: Transport, task_id: Id, last: int | None, silence: float
) -> Generator[TaskUpdate, None, None]:
    headers = {"accept": "text/event-stream"}
    if last is not None:
        headers["last-event-id"] = str(last)
    parser = EventParser()
    call = Call("GET", f"/tasks/{segment(task_id)}/stream", headers=headers, timeout=silence)
    with transport.open(call) as chunks:
        for chunk in chunks:
            for event in parser.push(chunk):
                if update := read_update(event.type, int(event.id or 0), json.loads(event.data)):
                    yield update
