"""Makes what the fuzzer needs to get past "not found": tasks, keys, webhooks and agents in the demo's account. Prints the OpenAPI document with
their ids in it, so that half of what is sent is about things that are there.

prepare.py BASE KEY
"""

import json
import sys
import urllib.request

base, key = sys.argv[1:]


def call(method, path, body=None):
    request = urllib.request.Request(base + path, method=method, data=None if body is None else json.dumps(body).encode())
    request.add_header("Authorization", f"Bearer {key}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


agents = [agent["id"] for agent in call("GET", "/api/v1/discover?limit=20")["data"]]
for agent in agents[:3]:
    call("POST", "/api/v1/tasks?wait=20", {"agentId": agent, "message": "a,b\n1,2"})
tasks = [task["id"] for task in call("GET", "/api/v1/tasks?limit=5")["data"]]
keys = [call("POST", "/api/v1/keys", {"name": f"spare {n}", "scopes": ["tasks:read"]})["data"]["id"] for n in range(3)]
agents += [
    call("POST", "/api/v1/agents", {"name": f"Own {n}", "endpoint": f"{base}/a{n}", "skills": [{"id": "x", "name": "X"}]})["data"]["id"]
    for n in range(3)
]
webhooks = [
    call("POST", "/api/v1/webhooks", {"url": f"{base}/healthz?{n}", "types": ["task.completed"]})["data"]["id"] for n in range(3)
]
known = {"tasks": tasks, "agents": agents, "keys": keys, "webhooks": webhooks}


def either(schema, ids):
    return {"anyOf": [{"type": "string", "enum": ids}, dict(schema)]}


def with_ids(node):
    """`agentId` of a body is one that exists, or anything."""
    if isinstance(node, list):
        return [with_ids(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {name: with_ids(value) for name, value in node.items()}
    properties = node.get("properties")
    if isinstance(properties, dict) and isinstance(properties.get("agentId"), dict) and agents:
        properties["agentId"] = either(properties["agentId"], agents)
    return node


document = call("GET", "/api/openapi.json")
# Answers are compared with the schema as it is; only what is sent is narrowed.
for path, item in document["paths"].items():
    for operation in item.values():
        for parameter in operation.get("parameters", []):
            ids = known.get(path.split("/")[1])
            if parameter["in"] == "path" and parameter["name"] == "id" and ids:
                parameter["schema"] = either(parameter["schema"], ids)
                parameter.pop("example", None)
for name, schema in document["components"]["schemas"].items():
    if name.startswith("New"):
        document["components"]["schemas"][name] = with_ids(schema)
document["servers"] = [{"url": base + "/api/v1"}]
json.dump(document, sys.stdout)
