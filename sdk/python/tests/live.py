"""What the tests need of a live server, an agent to hire, and servers that fail on purpose. scripts/test-sdks sets the environment."""

from __future__ import annotations

import http.client
import json
import os
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nexus_agents import Nexus, Provider, SignatureError
from nexus_agents.types import NewAgent, Skill


def setting(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise RuntimeError(f"{name} is not set: run scripts/test-sdks")
    return value


BASE_URL = setting("NEXUS_URL")
OWNER_KEY = setting("NEXUS_OWNER_KEY")
BUYER_KEY = setting("NEXUS_BUYER_KEY")


class Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Listening:
    """A server in threads, closed with the ``with`` that it is in."""

    def __init__(self, handler: type[Quiet]) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        # Connections that the other side keeps open are not waited for.
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self) -> Listening:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Begun:
    words: list[str]
    parts: list[Any]
    polls: int = 0


def listing(name: str, endpoint: str = "http://127.0.0.1:9/", price: str = "1.00") -> NewAgent:
    skills = [Skill(id="do", name="Do")]
    return NewAgent(
        name=name, description="For tests.", endpoint=endpoint, skills=skills, price_credits=Decimal(price), tags=["sdk-test"]
    )


class TestAgent:
    """An agent that does as the first word says: ``slow N``, ``ask``, ``fail``; anything else comes back part for part."""

    __test__ = False

    def __init__(self, price: str) -> None:
        self.begun: dict[str, Begun] = {}
        agent = self

        class Handler(Quiet):
            def do_POST(self) -> None:
                body = self.body()
                try:
                    agent.provider.verify(self.headers, body)
                except SignatureError:
                    return self.send(401, b"{}")
                self.send(200, json.dumps(agent.answer(json.loads(body))).encode())

        self.server = Listening(Handler)
        folder = Path(tempfile.mkdtemp(prefix="nexus-sdk-"))
        with Nexus(OWNER_KEY, BASE_URL) as owner:
            self.provider = Provider.open(
                owner, file=folder / "agent.json", agent=listing("Test agent", f"{self.server.url}/", price)
            )
            self.provider.go_online(owner, message="hello")
        self.id = self.provider.agent_id

    def close(self) -> None:
        self.server.__exit__()

    def answer(self, rpc: dict[str, Any]) -> dict[str, Any]:
        params = rpc["params"]
        if rpc["method"] == "SendMessage":
            said: dict[str, Any] = {"result": {"task": self.begin(params["message"])}}
        elif rpc["method"] == "GetTask" and params["id"] in self.begun:
            self.begun[params["id"]].polls += 1
            said = {"result": self.task(params["id"])}
        else:
            said = {"error": {"code": -32001, "message": "unknown"}}
        return {"jsonrpc": "2.0", "id": rpc["id"], **said}

    def begin(self, message: dict[str, Any]) -> dict[str, Any]:
        text = next((part["text"] for part in message["parts"] if "text" in part), "")
        task_id: str = message.get("taskId") or message["messageId"]
        words = ["heard", text] if message.get("taskId") else text.split(" ")
        self.begun[task_id] = Begun(words, message["parts"])
        return self.task(task_id)

    def task(self, task_id: str) -> dict[str, Any]:
        begun = self.begun[task_id]

        def status(state: str, text: str) -> dict[str, Any]:
            message = {"messageId": f"{task_id}-{begun.polls}", "role": "ROLE_AGENT", "parts": [{"text": text}]}
            return {"id": task_id, "contextId": task_id, "status": {"state": f"TASK_STATE_{state}", "message": message}}

        match begun.words[0]:
            case "slow" if begun.polls < int(begun.words[1]):
                return status("WORKING", f"step {begun.polls}")
            case "ask":
                return status("INPUT_REQUIRED", "which colour?")
            case "fail":
                return status("FAILED", "as you wish")
        made = [{"text": " ".join(begun.words)}] if begun.words[0] == "heard" else begun.parts
        artifacts = [{"artifactId": "a", "name": "answer", "parts": made}]
        return {"id": task_id, "contextId": task_id, "status": {"state": "TASK_STATE_COMPLETED"}, "artifacts": artifacts}


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Seen:
    """What a server was asked."""

    requests: list[Request] = field(default_factory=list)

    def add(self, handler: Quiet) -> int:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.requests.append(Request(handler.command, handler.path, headers))
        return len(self.requests)


@dataclass
class Said:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def stub(*answers: Said) -> tuple[Listening, Seen]:
    """A server that says these things one after the other, and the last one for ever."""
    seen = Seen()

    class Handler(Quiet):
        def do_GET(self) -> None:
            self.body()
            said = answers[min(seen.add(self), len(answers)) - 1]
            content = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
            self.send(said.status, content, said.headers)

        do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

    return Listening(Handler), seen


#: Told the number of a request from 1: "lose" its answer, or cut it after so many bytes of the body.
Tamper = Callable[[int], str | int | None]


def proxy(tamper: Tamper) -> tuple[Listening, Seen]:
    """A proxy before NEXUS that fails on purpose."""
    seen = Seen()

    class Handler(Quiet):
        def do_GET(self) -> None:
            body, what = self.body(), tamper(seen.add(self))
            self.close_connection = True
            upstream = http.client.HTTPConnection(urlsplit(BASE_URL).netloc, timeout=60)
            headers = {**self.headers, "host": urlsplit(BASE_URL).netloc, "connection": "close"}
            upstream.request(self.command, self.path, body or None, headers)
            answer = upstream.getresponse()
            if what == "lose":
                answer.read()
                return
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding"):
                    self.send_header(name, value)
            # Chunked, so that a cut is seen as one.
            chunked = answer.getheader("content-length") is None
            if chunked:
                self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            left = what if isinstance(what, int) else 1 << 30
            while left > 0 and (chunk := answer.read1(4096)):
                chunk, left = chunk[:left], left - len(chunk)
                self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk)
            if chunked and left > 0:
                self.wfile.write(b"0\r\n\r\n")
            upstream.close()

        do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

    return Listening(Handler), seen
