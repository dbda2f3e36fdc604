"""An agent on the official Python SDK 0.3: A2A 0.3 over JSON-RPC at /, over REST at /rest."""

import asyncio
import os
import socket
import sys
import threading

import httpx
import uvicorn
from a2a.server.agent_execution import AgentExecutor
from a2a.server.apps import A2ARESTFastAPIApplication, A2AStarletteApplication
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.tasks import (
    BasePushNotificationSender,
    InMemoryPushNotificationConfigStore,
    InMemoryTaskStore,
    TaskUpdater,
)
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, AgentSkill, Part, TextPart
from a2a.utils import new_agent_text_message, new_task
from starlette.routing import Mount


def text(words):
    return Part(root=TextPart(text=words))


class Executor(AgentExecutor):
    async def execute(self, context, queue):
        words = context.get_user_input().split()
        word = words[0] if words else ""
        if word == "say":
            await queue.enqueue_event(new_agent_text_message("said " + " ".join(words[1:]), context.context_id))
            return
        task = TaskUpdater(queue, context.task_id, context.context_id)
        if context.current_task:
            await task.add_artifact([text("heard " + context.get_user_input())], name="answer")
            await task.complete()
            return
        await queue.enqueue_event(new_task(context.message))
        await self.work(word, words, context, task)

    async def work(self, word, words, context, task):
        def said(what):
            return task.new_agent_message([text(what)])

        if word == "stream":
            await task.start_work(said("streaming"))
            for n in range(int(words[1])):
                await asyncio.sleep(0.02)
                last = n + 1 == int(words[1])
                await task.add_artifact(
                    [text(f"piece {n}; ")], artifact_id="story", name="story", append=n > 0, last_chunk=last
                )
            await task.complete(said("told"))
        elif word == "slow":
            await task.start_work(said("half way"))
            await asyncio.sleep(float(words[1]))
            await task.add_artifact([text("at last")], name="answer")
            await task.complete()
        elif word == "ask":
            await task.requires_input(said("which colour?"), final=True)
        elif word == "fail":
            await task.failed(said("it broke"))
        elif word == "reject":
            await task.reject(said("not for me"))
        else:
            await task.add_artifact(list(context.message.parts), name="echo")
            await task.complete()

    async def cancel(self, context, queue):
        await TaskUpdater(queue, context.task_id, context.context_id).cancel()


def card(base):
    return AgentCard(
        name="Old Python echo",
        description="Repeats what it is sent",
        version="1.0.0",
        url=f"{base}/",
        preferred_transport="JSONRPC",
        additional_interfaces=[AgentInterface(url=f"{base}/rest", transport="HTTP+JSON")],
        capabilities=AgentCapabilities(streaming=True, push_notifications=True),
        default_input_modes=["text/plain"],
        default_output_modes=["text/plain"],
        skills=[AgentSkill(id="echo", name="Echo", description="Repeats", tags=["test"], examples=["hello"])],
    )


def end_with_the_caller():
    """Standard input closes when whoever started this is gone."""
    sys.stdin.read()
    os._exit(0)


def main():
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0))
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    store = InMemoryPushNotificationConfigStore()
    handler = DefaultRequestHandler(
        agent_executor=Executor(),
        task_store=InMemoryTaskStore(),
        push_config_store=store,
        push_sender=BasePushNotificationSender(httpx.AsyncClient(trust_env=False), store),
    )
    agent_card = card(base)
    app = A2AStarletteApplication(agent_card=agent_card, http_handler=handler).build()
    app.routes.append(Mount("/rest", app=A2ARESTFastAPIApplication(agent_card=agent_card, http_handler=handler).build()))
    print(base, flush=True)
    threading.Thread(target=end_with_the_caller, daemon=True).start()
    uvicorn.Server(uvicorn.Config(app, log_level="critical")).run(sockets=[listener])


main()
