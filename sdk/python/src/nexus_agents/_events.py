"""Server-sent events, read as they come."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class ServerSentEvent:
    """A server-sent event (WHATWG HTML, section 9.2)."""

    type: str
    id: str
    data: str


class EventParser:
    """Finds the events in what comes.

    What is not whole when the stream ends is no event, so that it is asked for again and not seen by halves.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")(errors="replace")
        self._rest = ""
        self._type = ""
        self._data: list[str] = []
        self._id = ""

    def push(self, chunk: bytes) -> list[ServerSentEvent]:
        """The events that ``chunk`` completes."""
        found = []
        self._rest += self._decoder.decode(chunk)
        while end := _LINE_END.search(self._rest):
            # A CR at the very end may be half of a CRLF.
            if end.group() == "\r" and end.end() == len(self._rest):
                break
            line, self._rest = self._rest[: end.start()], self._rest[end.end() :]
            if line:
                self._take(line)
            elif event := self._dispatch():
                found.append(event)
        return found

    def _take(self, line: str) -> None:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._type = value
        elif field == "data":
            self._data.append(value)
        elif field == "id" and "\0" not in value:
            self._id = value

    def _dispatch(self) -> ServerSentEvent | None:
        event = ServerSentEvent(self._type or "message", self._id, "\n".join(self._data))
        said = bool(self._data)
        self._type, self._data = "", []
        return event if said else None
