"""Does every operation at an agent's address with the official client of a2a-sdk 1.3, and prints what came of it as JSON.

client.py BASE BINDING [KEY]. Ids, times, and statuses that say nothing are left out, so that what an agent answers by itself and
what it answers behind a gateway can be compared.
"""

import asyncio
import json
import sys
import uuid

import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.types import (
    CancelTaskRequest,
    DeleteTaskPushNotificationConfigRequest,
    GetTaskPushNotificationConfigRequest,
    GetTaskRequest,
    ListTaskPushNotificationConfigsRequest,
    ListTasksRequest,
    Message,
    Part,
    Role,
    SendMessageConfiguration,
    SendMessageRequest,
    SubscribeToTaskRequest,
    TaskPushNotificationConfig,
    TaskState,
)
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Value


def parts(of):
    return [MessageToDict(part) for part in of]


def task(of):
    said = parts(of.status.message.parts) if of.status.HasField("message") else []
    asked = [parts(m.parts) for m in of.history if m.role == Role.ROLE_USER]
    made = [{"name": a.name, "parts": parts(a.parts)} for a in of.artifacts]
    return {"state": TaskState.Name(of.status.state), "said": said, "asked": asked, "made": made}


def event(of):
    if of.HasField("task"):
        return {"task": task(of.task)}
    if of.HasField("message"):
        return {"message": parts(of.message.parts)}
    if of.HasField("status_update"):
        status = of.status_update.status
        said = parts(status.message.parts) if status.HasField("message") else []
        return {"state": TaskState.Name(status.state), "said": said}
    update = of.artifact_update
    return {"artifact": parts(update.artifact.parts), "append": update.append, "last": update.last_chunk}


def says_something(one):
    return one.get("said") or one.get("state") not in ("TASK_STATE_WORKING", "TASK_STATE_SUBMITTED")


class Client:
    def __init__(self, http, card, binding):
        self.http, self.card = http, card
        bindings = {"supported_protocol_bindings": [binding], "use_client_preference": True}
        self.streaming = ClientFactory(ClientConfig(httpx_client=http, **bindings)).create(card)
        self.blocking = ClientFactory(ClientConfig(httpx_client=http, streaming=False, **bindings)).create(card)

    def request(self, text, task_id="", context_id="", at_once=False, more=(), history=None):
        message = Message(
            message_id=str(uuid.uuid4()),
            role=Role.ROLE_USER,
            parts=[Part(text=text), *more],
            task_id=task_id,
            context_id=context_id,
        )
        configuration = SendMessageConfiguration(return_immediately=at_once)
        if history is not None:
            configuration.history_length = history
        return SendMessageRequest(message=message, configuration=configuration)

    async def send(self, text, **more):
        answers = [answer async for answer in self.blocking.send_message(self.request(text, **more))]
        assert len(answers) == 1, answers
        return answers[0]

    async def stream(self, text, **more):
        return [answer async for answer in self.streaming.send_message(self.request(text, **more))]


async def refused(awaitable):
    try:
        await awaitable
    except Exception as error:  # noqa: BLE001 - which one it is is what is asked
        return type(error).__name__
    return "nothing"


async def everything(client):
    out = {}
    blocking = client.blocking
    out["echo"] = event(await client.send("hello"))
    data = Part(data=ParseDict({"n": 1, "list": ["a", None]}, Value()))
    file = Part(raw=b"\x00\x01\xff", filename="x.bin")
    out["parts"] = event(await client.send("all kinds", more=[data, file]))
    out["message"] = event(await client.send("say good morning"))
    out["message streamed"] = [event(e) for e in await client.stream("say good night")]
    out["stream"] = [e for e in map(event, await client.stream("stream 4")) if says_something(e) or "task" in e]
    out["stream"][0] = sorted(out["stream"][0])
    out["failed"] = event(await client.send("fail now"))
    out["rejected"] = event(await client.send("reject this"))

    asked = await client.send("ask me")
    out["asked"] = event(asked)
    answered = await client.send("blue", task_id=asked.task.id, context_id=asked.task.context_id)
    out["answered"] = event(answered)
    assert answered.task.id == asked.task.id and answered.task.context_id == asked.task.context_id
    done = answered.task
    out["to what has ended"] = await refused(client.send("more", task_id=done.id))
    out["to what is not"] = await refused(client.send("more", task_id=str(uuid.uuid4())))
    out["in a wrong context"] = await refused(client.send("more", task_id=asked.task.id, context_id="another"))

    out["got"] = task(await blocking.get_task(GetTaskRequest(id=done.id)))
    bare = await blocking.get_task(GetTaskRequest(id=done.id, history_length=0))
    out["without history"] = len(bare.history)
    out["one of history"] = len((await blocking.get_task(GetTaskRequest(id=done.id, history_length=1))).history)
    out["not there"] = await refused(blocking.get_task(GetTaskRequest(id=str(uuid.uuid4()))))
    listed = await blocking.list_tasks(ListTasksRequest(context_id=done.context_id, page_size=5))
    out["listed"] = [TaskState.Name(t.status.state) for t in listed.tasks] + [listed.total_size, listed.next_page_token]

    begun = (await client.send("slow 60", at_once=True)).task
    out["begun"] = begun.status.state in (TaskState.TASK_STATE_SUBMITTED, TaskState.TASK_STATE_WORKING)
    out["cancelled"] = TaskState.Name((await blocking.cancel_task(CancelTaskRequest(id=begun.id))).status.state)
    out["cancelled twice"] = await refused(blocking.cancel_task(CancelTaskRequest(id=begun.id)))

    begun = (await client.send("slow 1", at_once=True)).task
    followed = [e async for e in client.streaming.subscribe(SubscribeToTaskRequest(id=begun.id))]
    out["followed from"] = followed[0].HasField("task")
    out["followed to"] = TaskState.Name(followed[-1].status_update.status.state)
    again = [e async for e in gone(client, begun.id)]
    out["followed when over"] = again

    begun = (await client.send("slow 60", at_once=True)).task
    wanted = TaskPushNotificationConfig(task_id=begun.id, id="mine", url="http://127.0.0.1:9/push", token="t")
    made = await blocking.create_task_push_notification_config(wanted)
    out["push"] = [made.id, made.url, made.token]
    got = await blocking.get_task_push_notification_config(
        GetTaskPushNotificationConfigRequest(task_id=begun.id, id="mine")
    )
    out["push got"] = [got.id, got.url]
    named = ListTaskPushNotificationConfigsRequest(task_id=begun.id)
    out["pushes"] = [c.id for c in (await blocking.list_task_push_notification_configs(named)).configs]
    gone_now = DeleteTaskPushNotificationConfigRequest(task_id=begun.id, id="mine")
    await blocking.delete_task_push_notification_config(gone_now)
    await blocking.delete_task_push_notification_config(gone_now)
    out["pushes left"] = [c.id for c in (await blocking.list_task_push_notification_configs(named)).configs]
    await blocking.cancel_task(CancelTaskRequest(id=begun.id))
    return out


async def gone(client, task_id):
    try:
        async for one in client.streaming.subscribe(SubscribeToTaskRequest(id=task_id)):
            yield one
    except Exception as error:  # noqa: BLE001
        yield type(error).__name__


async def main():
    base, binding, *key = sys.argv[1:]
    headers = {"authorization": f"Bearer {key[0]}"} if key else {}
    async with httpx.AsyncClient(trust_env=False, headers=headers, timeout=30) as http:
        card = await A2ACardResolver(http, base).get_agent_card()
        print(json.dumps(await everything(Client(http, card, binding)), indent=1, sort_keys=True))


asyncio.run(main())
