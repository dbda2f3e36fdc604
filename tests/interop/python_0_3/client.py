"""Does every operation at an agent's address with the official client of a2a-sdk 0.3, and prints what came of it as JSON.

client.py BASE BINDING [KEY]; as the one of python_1.
"""

import asyncio
import base64
import json
import sys
import uuid

import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.types import (
    DataPart,
    FilePart,
    FileWithBytes,
    GetTaskPushNotificationConfigParams,
    Message,
    MessageSendConfiguration,
    Part,
    PushNotificationConfig,
    Role,
    TaskIdParams,
    TaskPushNotificationConfig,
    TaskQueryParams,
    TextPart,
)


def parts(of):
    return [part.root.model_dump(mode="json", exclude_none=True) for part in of]


def task(of):
    said = parts(of.status.message.parts) if of.status.message else []
    asked = [parts(m.parts) for m in of.history or [] if m.role == Role.user]
    made = [{"name": a.name, "parts": parts(a.parts)} for a in of.artifacts or []]
    return {"state": of.status.state.value, "said": said, "asked": asked, "made": made}


def update(of):
    if of is None:
        return {"task": True}
    if of.kind == "status-update":
        said = parts(of.status.message.parts) if of.status.message else []
        return {"state": of.status.state.value, "said": said, "final": of.final}
    return {"artifact": parts(of.artifact.parts), "append": bool(of.append), "last": bool(of.last_chunk)}


def says_something(one):
    return "artifact" in one or one.get("said") or one.get("state") not in ("working", "submitted", None)


class Client:
    def __init__(self, http, card, binding):
        config = {"httpx_client": http, "supported_transports": [binding], "use_client_preference": True}
        self.streaming = ClientFactory(ClientConfig(**config)).create(card)
        self.blocking = ClientFactory(ClientConfig(streaming=False, **config)).create(card)

    async def send(self, text, client=None, task_id=None, context_id=None, more=(), configuration=None):
        message = Message(
            message_id=str(uuid.uuid4()),
            role=Role.user,
            parts=[Part(root=TextPart(text=text)), *more],
            task_id=task_id,
            context_id=context_id,
        )
        client = client or self.blocking
        return [answer async for answer in client.send_message(message, configuration=configuration)]


def result(answers):
    assert len(answers) == 1, answers
    return answers[0] if isinstance(answers[0], Message) else answers[0][0]


def seen(of):
    return {"message": parts(of.parts)} if isinstance(of, Message) else {"task": task(of)}


async def refused(awaitable):
    try:
        await awaitable
    except Exception as error:  # noqa: BLE001 - which one it is is what is asked
        code = getattr(getattr(error, "error", None), "code", None) or getattr(error, "status_code", None)
        return code or type(error).__name__
    return "nothing"


async def everything(client):
    out, blocking = {}, client.blocking
    out["echo"] = seen(result(await client.send("hello")))
    data = Part(root=DataPart(data={"n": 1}))
    file = Part(root=FilePart(file=FileWithBytes(bytes=base64.b64encode(b"\x00\x01\xff").decode(), name="x.bin")))
    out["parts"] = seen(result(await client.send("all kinds", more=[data, file])))
    out["message"] = seen(result(await client.send("say good morning")))
    streamed = await client.send("stream 4", client=client.streaming)
    out["stream"] = [one for one in (update(event) for _, event in streamed) if says_something(one)]
    out["failed"] = seen(result(await client.send("fail now")))
    out["rejected"] = seen(result(await client.send("reject this")))

    asked = result(await client.send("ask me"))
    out["asked"] = seen(asked)
    answered = result(await client.send("blue", task_id=asked.id, context_id=asked.context_id))
    out["answered"] = seen(answered)
    assert (answered.id, answered.context_id) == (asked.id, asked.context_id)
    out["to what is not"] = await refused(client.send("more", task_id=str(uuid.uuid4())))
    out["got"] = task(await blocking.get_task(TaskQueryParams(id=answered.id)))
    out["one of history"] = len((await blocking.get_task(TaskQueryParams(id=answered.id, history_length=1))).history)
    out["not there"] = await refused(blocking.get_task(TaskQueryParams(id=str(uuid.uuid4()))))

    at_once = MessageSendConfiguration(blocking=False)
    begun = result(await client.send("slow 60", configuration=at_once))
    out["cancelled"] = (await blocking.cancel_task(TaskIdParams(id=begun.id))).status.state.value
    out["cancelled twice"] = await refused(blocking.cancel_task(TaskIdParams(id=begun.id)))

    begun = result(await client.send("slow 1", configuration=at_once))
    followed = [one async for one in client.streaming.resubscribe(TaskIdParams(id=begun.id))]
    out["followed to"] = followed[-1][1].status.state.value

    begun = result(await client.send("slow 60", configuration=at_once))
    wanted = PushNotificationConfig(id="mine", url="http://127.0.0.1:9/push", token="t")
    made = await blocking.set_task_callback(TaskPushNotificationConfig(task_id=begun.id, push_notification_config=wanted))
    out["push"] = [made.push_notification_config.id, made.push_notification_config.url]
    named = GetTaskPushNotificationConfigParams(id=begun.id, push_notification_config_id="mine")
    got = await blocking.get_task_callback(named)
    out["push got"] = [got.push_notification_config.id, got.push_notification_config.url]
    await blocking.cancel_task(TaskIdParams(id=begun.id))
    return out


async def main():
    base, binding, *key = sys.argv[1:]
    headers = {"authorization": f"Bearer {key[0]}"} if key else {}
    async with httpx.AsyncClient(trust_env=False, headers=headers, timeout=30) as http:
        card = await A2ACardResolver(http, base).get_agent_card()
        print(json.dumps(await everything(Client(http, card, binding)), indent=1, sort_keys=True))


asyncio.run(main())
