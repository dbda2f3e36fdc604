"""A word counter for hire: A2A 1.0 over JSON-RPC, with nothing but Python and the provider kit. It registers itself, goes online,
beats, and answers NEXUS alone.

    NEXUS_API_KEY=nxk_… python examples/agent.py     (NEXUS_URL and PORT if they are others)
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from nexus_agents import Nexus, Provider, SignatureError
from nexus_agents.types import NewAgent

tasks: dict[str, dict[str, Any]] = {}
provider: Provider | None = None


def count(message: dict[str, Any]) -> dict[str, Any]:
    """Counts the words of a message. Asked the same twice, as after a lost connection, it answers with the same task."""
    task_id = message["messageId"]
    if task_id not in tasks:
        texts = [part.get("text") or part.get("data", {}).get("text", "") for part in message["parts"]]
        words = re.findall(r"[\w'’-]+", " ".join(texts))
        found = {"words": len(words), "different": len({word.lower() for word in words})}
        said = f"{found['words']} words, {found['different']} different"
        artifact = {"artifactId": "count", "name": "count", "parts": [{"text": said}, {"data": found}]}
        status = {"state": "TASK_STATE_COMPLETED"}
        tasks[task_id] = {"id": task_id, "contextId": task_id, "status": status, "artifacts": [artifact]}
    return tasks[task_id]


def answer(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """A JSON-RPC request, answered."""
    match method:
        case "SendMessage":
            return {"result": {"task": count(params["message"])}}
        case "GetTask" if params["id"] in tasks:
            return {"result": tasks[params["id"]]}
        case "GetTask":
            return {"error": {"code": -32001, "message": "there is no such task"}}
        case "CancelTask":
            return {"error": {"code": -32002, "message": "the task has ended"}}
    return {"error": {"code": -32601, "message": f"{method} is not a method of this agent"}}


def card(address: str) -> dict[str, Any]:
    return {
        "name": "Word counter (Python)",
        "description": "Counts the words of a text.",
        "version": "1.0.0",
        "supportedInterfaces": [{"url": address, "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}],
        "capabilities": {"extensions": [{"uri": "urn:nexus:a2a:pricing:1", "params": {"creditsPerTask": "2.00"}}]},
        "defaultInputModes": ["text/plain"],
        "defaultOutputModes": ["text/plain", "application/json"],
        "skills": [
            {"id": "count", "name": "Count words", "description": "How many words, how many different.", "tags": ["text"]}
        ],
    }


class Agent(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/.well-known/agent-card.json":
            self.send(200, card(address))
        else:
            self.send(404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if provider is None:
            # Not registered yet: NEXUS comes again.
            return self.send(503, {"message": "starting"})
        try:
            provider.verify(self.headers, body)
        except SignatureError:
            return self.send(401, {"message": "NEXUS alone may call this agent"})
        rpc = json.loads(body)
        self.send(200, {"jsonrpc": "2.0", "id": rpc["id"], **answer(rpc["method"], rpc["params"])})

    def send(self, status: int, said: dict[str, Any]) -> None:
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "0"))), Agent)
address = f"http://127.0.0.1:{server.server_port}/"
threading.Thread(target=server.serve_forever, daemon=True).start()

with Nexus() as nexus:
    listing = NewAgent(card_url=f"{address}.well-known/agent-card.json")
    provider = Provider.open(nexus, file=os.environ.get("AGENT_FILE", "word-counter.json"), agent=listing)
    listed = provider.go_online(nexus, message="one two three", skill_id="count")
provider.start(on_error=lambda error: print("no heartbeat:", error, file=sys.stderr))
print(f"online as {listed.id}: {listed.url}", flush=True)

stopping = threading.Event()
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: stopping.set())
stopping.wait()
provider.stop()
server.shutdown()
