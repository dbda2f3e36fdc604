"""What becomes of a task."""

from __future__ import annotations

from dataclasses import dataclass

from ._wire import TaskFile
from .types import Task


@dataclass(frozen=True)
class ResultFile(TaskFile):
    """A file of a result, and what its part says of it."""

    media_type: str | None
    artifact: int
    part: int


def has_stopped(task: Task) -> bool:
    """Whether a task has ended, or waits for its requester."""
    return task.waiting_for is not None or task.state in ("completed", "failed", "cancelled")
