"""The file in which an agent keeps what it needs to know of itself."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Kept:
    """Id and secrets of an agent, or the key under which it is being registered."""

    #: Registers once, also where the process died before it heard the answer.
    idempotency_key: str | None = None
    agent_id: str | None = None
    #: The newest first; two while one is being replaced.
    secrets: tuple[str, ...] = ()

    @classmethod
    def read(cls, file: Path) -> Kept:
        try:
            said = json.loads(file.read_text())
        except FileNotFoundError:
            return cls()
        return cls(said.get("idempotencyKey"), said.get("agentId"), tuple(said.get("secrets", ())))

    def write(self, file: Path) -> None:
        """Beside the file first, so that no crash leaves half of it. Its owner alone reads it."""
        names = {"idempotency_key": "idempotencyKey", "agent_id": "agentId", "secrets": "secrets"}
        said = {names[name]: value for name, value in asdict(self).items() if value}
        beside = file.with_name(f"{file.name}.new")
        beside.unlink(missing_ok=True)
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(json.dumps(said, indent=2) + "\n")
        beside.replace(file)
