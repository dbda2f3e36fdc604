"""Does everything at NEXUS that the official Python client of MCP can: client.py MODE, with MODE as the client has it
(auto, legacy or a revision). Where and as whom is in MCP_URL and MCP_KEY; ECHO_AGENT and ASKING_AGENT are agents to hire.
Prints one line of JSON: what it saw."""

import asyncio
import json
import os
import sys

import mcp_types as types
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

ECHO, ASKING = os.environ["ECHO_AGENT"], os.environ["ASKING_AGENT"]


def connect(mode, **options):
    http = create_mcp_http_client(headers={"Authorization": f"Bearer {os.environ['MCP_KEY']}"})
    return Client(streamable_http_client(os.environ["MCP_URL"], http_client=http), mode=mode, **options)


async def main(mode):
    seen = {"questions": [], "progress": 0}

    async def ask(_context, params):
        seen["questions"].append(params.message)
        if "approve" in params.requested_schema["properties"]:
            return types.ElicitResult(action="accept", content={"approve": True})
        return types.ElicitResult(action="accept", content={"answer": "blue"})

    async def progress(*_):
        seen["progress"] += 1

    async def good(client, name, arguments, **options):
        result = await client.call_tool(name, arguments, **options)
        assert not result.is_error, (name, result)
        return result.structured_content

    async with connect(mode, elicitation_callback=ask) as client:
        seen["version"] = client.protocol_version
        seen["tools"] = [tool.name for tool in (await client.list_tools()).tools]
        found = await good(client, "discover_agents", {"q": "echo"})
        assert found["data"][0]["id"] == ECHO, found
        assert (await good(client, "get_agent", {"agentId": ECHO}))["id"] == ECHO
        assert len((await good(client, "get_agent_trust", {"agentId": ECHO}))["parts"]) == 4
        order = {"agentId": ECHO, "message": "hello", "waitSeconds": 30}
        done = await good(client, "delegate_task", order, progress_callback=progress)
        seen["echo"] = done["result"]["text"]
        task = done["id"]
        assert (await good(client, "check_task_status", {"taskId": task, "waitSeconds": 5}))["state"] == "completed"
        await good(client, "rate_agent", {"taskId": task, "stars": 4, "text": "fine"})
        assert (await good(client, "list_tasks", {"limit": 5}))["data"][0]["id"] == task
        seen["balance"] = (await good(client, "get_balance", {}))["available"]
        painted = await good(
            client, "delegate_task", {"agentId": ASKING, "message": "paint", "maxPriceWithoutAsking": "5.00"}
        )
        seen["painted"] = painted["result"]["text"]
        refused = await client.call_tool("rate_agent", {"taskId": task, "stars": 4})
        seen["refused"] = refused.is_error and refused.meta["nexus/error"]["code"]

        uris = [str(r.uri) for r in (await client.list_resources()).resources]
        assert f"nexus://tasks/{task}" in uris, uris
        assert len((await client.list_resource_templates()).resource_templates) == 3
        read = await client.read_resource(f"nexus://tasks/{task}/artifacts/0/0")
        seen["artifact"] = read.contents[0].text
        assert [p.name for p in (await client.list_prompts()).prompts] == ["find_and_hire", "review_task"]
        assert len((await client.get_prompt("review_task", {"taskId": task})).messages) == 2
        reference = types.PromptReference(type="ref/prompt", name="review_task")
        completed = await client.complete(reference, {"name": "taskId", "value": task[:-2]})
        assert completed.completion.values == [task], completed
        if seen["version"] == "2026-07-28":
            async with client.listen(resources_list_changed=True) as stream:
                await good(client, "delegate_task", {"agentId": ECHO, "message": "news", "waitSeconds": 0})
                async for event in stream:
                    seen["event"] = type(event).__name__
                    break

    # One that has nobody to ask.
    async with connect(mode) as client:
        order = {"agentId": ASKING, "message": "paint"}
        first, second = await good(client, "delegate_task", order), await good(client, "delegate_task", order)
        assert first["waitingFor"] == second["waitingFor"] == "input", first
        reply = {"taskId": first["id"], "message": "red", "waitSeconds": 30}
        seen["replied"] = (await good(client, "reply_to_task", reply))["result"]["text"]
        seen["cancelled"] = (await good(client, "cancel_task", {"taskId": second["id"]}))["state"]
    print(json.dumps(seen))


asyncio.run(main(sys.argv[1]))
