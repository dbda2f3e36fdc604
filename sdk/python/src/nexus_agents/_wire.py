"""How values are written and answers are read: what is the same for both clients."""

from __future__ import annotations

import base64
import dataclasses
import json
import mimetypes
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote
from uuid import UUID, uuid4

from .errors import NexusConnectionError, NexusError, error_of

T = TypeVar("T")

USER_AGENT = "nexus-sdk-python/0.1.0"
ANY = "*/*"

#: An id, however the caller has it.
Id = str | UUID


class Unset(Enum):
    """Tells a field that is left out from one that is ``None``."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET


@dataclass(frozen=True)
class Call:
    """A request of an operation."""

    method: str
    #: Under ``/api/v1``.
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    #: Whether it takes an ``Idempotency-Key``.
    once: bool = False
    idempotency_key: str | None = None
    if_match: object = None
    #: Seconds of silence that one attempt bears; the client's when ``None``.
    timeout: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def harmless(self) -> bool:
        """Whether, sent twice, it happens once."""
        return self.once or self.method in ("GET", "PUT", "DELETE")

    def named(self) -> dict[str, str]:
        """The headers of all attempts: what the server has done already it does not do again."""
        headers = {"accept": "application/json", "user-agent": USER_AGENT, **self.headers}
        if self.once:
            headers["idempotency-key"] = self.idempotency_key or str(uuid4())
        if self.if_match is not None:
            headers["if-match"] = _match(self.if_match)
        if self.body is not None:
            headers["content-type"] = "application/json"
        return headers

    def content(self) -> bytes | None:
        """The body as it is sent."""
        return None if self.body is None else json.dumps(encode(self.body), ensure_ascii=False).encode()

    def parameters(self) -> tuple[tuple[str, str], ...]:
        """The query as it is sent."""
        pairs = []
        for name, value in self.query.items():
            for one in value if isinstance(value, list) else [value]:
                if one is not None:
                    pairs.append((name, str(one).lower() if isinstance(one, bool) else str(one)))
        return tuple(pairs)


def segment(value: Id | int) -> str:
    """Part of a path."""
    text = quote(str(value), safe="")
    # Servers take dots as steps, and an empty id would be another route.
    if text in ("", ".", ".."):
        raise ValueError(f"{value!r} cannot be an id")
    return text


def camel(name: str) -> str:
    """A field as it is called on the wire."""
    return re.sub(r"_([a-z0-9])", lambda found: found.group(1).upper(), name)


def encode(value: Any) -> Any:
    """A value as JSON has it. Fields of our types that are ``None`` are left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {camel(name): encode(item) for name, item in given(value).items()}
    if isinstance(value, Mapping):
        return {name: encode(item) for name, item in value.items() if item is not UNSET}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value.isoformat()
    if isinstance(value, (Decimal, UUID)):
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    return value


def given(value: Any) -> dict[str, Any]:
    """The fields of one of our types that are not ``None``."""
    fields = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
    return {name: item for name, item in fields if item is not None}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def day(text: str) -> date:
    return date.fromisoformat(text)


def maybe(read: Callable[[Any], T]) -> Callable[[Any], T | None]:
    return lambda value: None if value is None else read(value)


def many(read: Callable[[Any], T]) -> Callable[[Any], list[T]]:
    return lambda values: [read(value) for value in values]


@dataclass(frozen=True)
class Page(Generic[T]):
    """A page as it was answered."""

    data: list[T]
    next_cursor: str | None
    #: How many match in all, where the list says so.
    total: int | None = None

    @classmethod
    def read(cls, body: dict[str, Any], row: Callable[[Any], T]) -> Page[T]:
        return cls([row(one) for one in body["data"]], body["nextCursor"], body.get("total"))


@dataclass(frozen=True)
class TaskFile:
    """A file of a result."""

    content: bytes
    filename: str


@dataclass(frozen=True)
class Upload:
    """A file to send."""

    content: bytes
    filename: str | None = None
    media_type: str | None = None

    def part(self) -> dict[str, Any]:
        guessed = mimetypes.guess_type(self.filename or "")[0]
        part = {
            "raw": base64.b64encode(self.content).decode(),
            "mediaType": self.media_type or guessed or "application/octet-stream",
        }
        return part if self.filename is None else {**part, "filename": self.filename}


def with_files(parts: Any, files: Sequence[Upload | Path] | None) -> Any:
    """The parts of a message, and files after them."""
    if not files:
        return parts
    uploads = (Upload(f.read_bytes(), f.name) if isinstance(f, Path) else f for f in files)
    return [*([] if parts is UNSET or parts is None else parts), *(upload.part() for upload in uploads)]


@dataclass(frozen=True)
class Answer:
    """An answer, read whole."""

    headers: Mapping[str, str]
    content: bytes
    json: Any = None


def understood(call: Call, status: int, headers: Mapping[str, str], content: bytes) -> Answer:
    """What an answer says; raises what it refuses with."""
    ok = 200 <= status < 300
    if ok and (call.headers.get("accept") == ANY or status == 204):
        return Answer(headers, content)
    try:
        said = json.loads(content)
    except ValueError:
        if ok and "json" in headers.get("content-type", ""):
            raise NexusConnectionError("the answer of NEXUS broke off") from None
        said = None
    # What has `data` is an answer: that of /health has it also when NEXUS is not well.
    if isinstance(said, dict) and "data" in said:
        return Answer(headers, content, said)
    raise error_of(status, headers, content)


def decoded(answer: Answer, read: Callable[[Any], T]) -> T:
    """The answer as one of our types, with the entity tag that it came with."""
    try:
        value = read(answer.json["data"])
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise NexusError(f"the answer is not what this SDK knows: {error!r}", code="UNEXPECTED_ANSWER") from error
    if (tag := answer.headers.get("etag")) and dataclasses.is_dataclass(value):
        object.__setattr__(value, "_etag", tag)
    return value


def etag_of(read: object) -> str | None:
    """The entity tag with which something was read."""
    return getattr(read, "_etag", None)


def _match(wanted: object) -> str:
    tag = wanted if isinstance(wanted, str) else etag_of(wanted)
    if tag is None:
        raise ValueError("if_match must be what get() answered with, or an entity tag")
    return tag


def filename_of(disposition: str | None) -> str:
    found = re.search(r'filename="([^"]*)"', disposition or "")
    return found.group(1) if found else "file.bin"
