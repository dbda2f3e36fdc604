"""What the stream of a task tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ._wire import moment
from .types import Task


@dataclass(frozen=True)
class TaskEvent:
    """Something that happened to a task."""

    #: From 1, without gaps.
    seq: int
    #: ``created``, ``assigned``, ``running``, ``progress``, ``artifact``, ``asks``, ``reply``, ``completed``, ``failed``, …
    kind: str
    data: dict[str, Any]
    at: datetime


@dataclass(frozen=True)
class Snapshot:
    """The task as it was when the stream began."""

    id: int
    task: Task
    type: Literal["snapshot"] = "snapshot"


@dataclass(frozen=True)
class Happened:
    """An event."""

    id: int
    event: TaskEvent
    type: Literal["event"] = "event"


@dataclass(frozen=True)
class End:
    """The task as it ended."""

    id: int
    task: Task
    type: Literal["end"] = "end"


#: What a stream tells: told apart by ``type``.
TaskUpdate = Snapshot | Happened | End


def read_update(kind: str, number: int, said: Any) -> TaskUpdate | None:
    """An update; ``None`` for what a later NEXUS may tell besides."""
    match kind:
        case "snapshot":
            return Snapshot(number, Task.from_json(said))
        case "end":
            return End(number, Task.from_json(said))
        case "event":
            return Happened(number, TaskEvent(said["seq"], said["kind"], said["data"], moment(said["at"])))
    return None
