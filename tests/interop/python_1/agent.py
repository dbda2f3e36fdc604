"""An agent on the official Python SDK 1.3: A2A 1.0 over JSON-RPC at /, over REST at /rest for the tenant acme."""

import asyncio
import os
import socket
import sys
import threading

import httpx
import uvicorn
from a2a.helpers import new_task, new_text_message, new_text_part
from a2a.server.agent_execution import AgentExecutor
from a2a.server.request_handlers import DefaultRequestHandlerV2
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes, create_rest_routes
from a2a.server.tasks import (
    BasePushNotificationSender,
    InMemoryPushNotificationConfigStore,
    InMemoryTaskStore,
    TaskUpdater,
)
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, AgentSkill, TaskState
from starlette.applications import Starlette
from starlette.routing import Mount


class Executor(AgentExecutor):
    async def execute(self, context, queue):
        words = context.get_user_input().split()
        word = words[0] if words else ""
        if word == "say":
            await queue.enqueue_event(new_text_message("said " + " ".join(words[1:]), context_id=context.context_id))
            return
        task = TaskUpdater(queue, context.task_id, context.context_id)
        if context.current_task:
            await task.add_artifact([new_text_part("heard " + context.get_user_input())], name="answer")
            await task.complete()
            return
        await queue.enqueue_event(
            new_task(context.task_id, context.context_id, TaskState.TASK_STATE_SUBMITTED, history=[context.message])
        )
        await self.work(word, words, context, task)

    async def work(self, word, words, context, task):
        def said(text):
            return task.new_agent_message([new_text_part(text)])

        if word == "stream":
            await task.start_work(said("streaming"))
            for n in range(int(words[1])):
                await asyncio.sleep(0.02)
                last = n + 1 == int(words[1])
                await task.add_artifact(
                    [new_text_part(f"piece {n}; ")], artifact_id="story", name="story", append=n > 0, last_chunk=last
                )
            await task.complete(said("told"))
        elif word == "slow":
            await task.start_work(said("half way"))
            await asyncio.sleep(float(words[1]))
            await task.add_artifact([new_text_part("at last")], name="answer")
            await task.complete()
        elif word == "ask":
            await task.requires_input(said("which colour?"))
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
        name="Python echo",
        description="Repeats what it is sent",
        version="1.0.0",
        supported_interfaces=[
            AgentInterface(url=f"{base}/rest", protocol_binding="HTTP+JSON", protocol_version="1.0", tenant="acme"),
            AgentInterface(url=f"{base}/", protocol_binding="JSONRPC", protocol_version="1.0"),
        ],
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
    agent_card = card(base)
    handler = DefaultRequestHandlerV2(
        agent_executor=Executor(),
        task_store=InMemoryTaskStore(),
        agent_card=agent_card,
        push_config_store=store,
        push_sender=BasePushNotificationSender(httpx.AsyncClient(trust_env=False), store),
    )
    routes = create_agent_card_routes(agent_card) + create_jsonrpc_routes(handler, "/")
    app = Starlette(routes=[*routes, Mount("/rest", routes=create_rest_routes(handler))])
    print(base, flush=True)
    threading.Thread(target=end_with_the_caller, daemon=True).start()
    uvicorn.Server(uvicorn.Config(app, log_level="critical")).run(sockets=[listener])


main()
