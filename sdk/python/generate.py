"""Writes what the SDK has made of other files.

- ``types.py`` and ``_async/operations.py``: of ``sdk/openapi.json`` and the names in ``sdk/names.json``;
- ``_sync/`` and ``tests/test_sync_*.py``: of ``_async/`` and ``tests/test_async_*.py``.

With ``--check`` it writes nothing, and fails where they are not what it would write.
"""

from __future__ import annotations

import json
import keyword
import re
import sys
import textwrap
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "src" / "nexus_agents"
DOCUMENT: dict[str, Any] = json.loads((HERE.parent / "openapi.json").read_text())
NAMES: dict[str, str] = json.loads((HERE.parent / "names.json").read_text())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]

HEAD = "# Made from sdk/openapi.json by generate.py: do not edit.\n"
MONEY = "Money"
# Refusals are errors, wrapped answers are opened, and bodies without fields are not sent.
UNSEEN = {"Nothing", "Refusal", "RefusalDetail", MONEY}


def snake(name: str) -> str:
    made = re.sub(r"[A-Z]", lambda found: "_" + found.group().lower(), name)
    back = re.sub(r"_([a-z0-9])", lambda found: found.group(1).upper(), made)
    # `models` is what the module of types is called where arguments are.
    if back != name or keyword.iskeyword(made) or made == "models":
        raise SystemExit(f"{name} cannot be {made}")
    return made


def type_name(schema: str) -> str:
    """The name of a schema in the SDK: without what only the server needs to tell it from a type of its own."""
    return schema.removesuffix("Body")


def ref(schema: dict[str, Any]) -> str | None:
    return schema["$ref"].rsplit("/", 1)[1] if "$ref" in schema else None


def nullable(schema: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """A schema without `null`, and whether it had it."""
    if isinstance(schema.get("type"), list):
        (kind,) = (t for t in schema["type"] if t != "null")
        return {**schema, "type": kind}, True
    if "oneOf" in schema:
        (kept,) = (s for s in schema["oneOf"] if s.get("type") != "null")
        return kept, True
    return schema, False


class Shape:
    """A schema as Python has it."""

    def __init__(self, schema: dict[str, Any], module: str = "") -> None:
        inner, self.nullable = nullable(schema)
        #: As it is read and held.
        self.held = "Any"
        #: As callers may give it.
        self.given = ""
        #: What makes it of JSON; nothing where JSON has it already.
        self.reader = ""
        name, kind, form = ref(inner), inner.get("type"), inner.get("format")
        if name == MONEY:
            self.held, self.given, self.reader = "Decimal", "Decimal | str", "Decimal"
        elif name:
            self.held = module + type_name(name)
            self.reader = f"{self.held}.from_json"
        elif kind == "array":
            row = Shape(inner["items"], module)
            self.held = f"list[{row.annotation}]"
            self.given = f"list[{row.given or row.annotation}]"
            self.reader = f"many({row.reader})" if row.reader else ""
        elif kind == "object":
            self.held = "dict[str, Any]"
        elif kind == "string":
            by_format = {"date-time": ("datetime", "moment"), "date": ("date", "day")}
            self.held, self.reader = by_format.get(form, ("str", ""))
            self.given = "Id" if form == "uuid" else ""
        elif kind == "number":
            self.held, self.reader = "float", "float"
        elif kind in ("integer", "boolean"):
            self.held = {"integer": "int", "boolean": "bool"}[kind]
        elif kind is not None:
            raise SystemExit(f"a schema of the type {kind}")

    @property
    def annotation(self) -> str:
        return f"{self.held} | None" if self.nullable and self.held != "Any" else self.held

    @property
    def argument(self) -> str:
        """The annotation of an argument that has to be given."""
        given = self.given or self.held
        return f"{given} | None" if self.nullable and given != "Any" else given

    def read(self, source: str) -> str:
        if not self.reader:
            return source
        return f"maybe({self.reader})({source})" if self.nullable else f"{self.reader}({source})"


def properties(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any], bool]]:
    """Name, schema and whether it is always there, of all fields, those of what is extended first."""
    if "allOf" in schema:
        parts = [SCHEMAS[name] if (name := ref(part)) else part for part in schema["allOf"]]
        return [field for part in parts for field in properties(part)]
    required = set(schema.get("required", ()))
    fields = [(name, field, name in required) for name, field in schema.get("properties", {}).items()]
    return sorted(fields, key=lambda field: not field[2])


def about(schema: dict[str, Any]) -> str:
    described = schema.get("description") or nullable(schema)[0].get("description", "")
    return " ".join(described.replace("`", "``").split())


def docstring(indent: str, *paragraphs: str) -> str:
    first, *rest = [p.replace("`", "``") for p in paragraphs if p]
    if not rest:
        return f'{indent}"""{first}"""\n'
    wrapped = "\n\n".join(textwrap.fill(" ".join(p.split()), 116, initial_indent=indent, subsequent_indent=indent) for p in rest)
    return f'{indent}"""{first}\n\n{wrapped}\n{indent}"""\n'


def commented(indent: str, text: str) -> str:
    lead = f"{indent}#: "
    return textwrap.fill(text, 120, initial_indent=lead, subsequent_indent=lead) + "\n" if text else ""


def types() -> str:
    out = [
        HEAD,
        '"""What NEXUS takes and answers. Money is a ``Decimal`` in credits, times are in UTC."""\n\n',
        "from __future__ import annotations\n\n",
        "from dataclasses import dataclass\nfrom datetime import date, datetime\nfrom decimal import Decimal\n",
        "from typing import Any, Self\n\nfrom ._wire import day, many, maybe, moment\n",
    ]
    seen: set[str] = set()
    for name, schema in SCHEMAS.items():
        if name in UNSEEN or name.startswith(("Data_", "List_")) or "nextCursor" in schema.get("properties", {}):
            continue
        if type_name(name) in seen:
            raise SystemExit(f"two schemas are {type_name(name)}")
        seen.add(type_name(name))
        out.append(f"\n\n@dataclass(frozen=True, kw_only=True)\nclass {type_name(name)}:\n")
        out.append(docstring("    ", schema.get("description", type_name(name))) + "\n")
        reads = []
        for field, inner, always in properties(schema):
            shape = Shape(inner)
            here = always or shape.annotation == "Any"
            annotation = shape.annotation if shape.nullable or here else f"{shape.annotation} | None"
            out.append(commented("    ", about(inner)))
            out.append(f"    {snake(field)}: {annotation}{'' if always else ' = None'}\n")
            if always:
                read = shape.read(f'json["{field}"]')
            else:
                shape.nullable = True
                read = shape.read(f'json.get("{field}")')
            reads.append(f"            {snake(field)}={read},\n")
        out.append(f"\n    @classmethod\n    def from_json(cls, json: Any) -> Self:\n        return cls(\n{''.join(reads)}        )\n")
    return "".join(out)


def answer(operation: dict[str, Any]) -> tuple[str, str, str]:
    """How an answer is got, its type, and what reads it."""
    status, response = next((s, r) for s, r in operation["responses"].items() if s.startswith("2"))
    if status == "204":
        return "nothing", "None", ""
    ((media, content),) = response["content"].items()
    if media == "application/octet-stream":
        return "file", "TaskFile", ""
    if media == "text/event-stream":
        return "stream", "", ""
    name = ref(content["schema"]) or ""
    fields = SCHEMAS[name]["properties"]
    if "nextCursor" in fields:
        row = "models." + type_name(ref(fields["data"]["items"]) or name.removeprefix("List_"))
        return "pages", f"AsyncPages[{row}]", f"{row}.from_json"
    inner = name.removeprefix("Data_")
    row = "models." + type_name(inner.removeprefix("Vec_"))
    if inner.startswith("Vec_"):
        return "json", f"List[{row}]", f"many({row}.from_json)"
    return "json", row, f"{row}.from_json"


def method(name: str, verb: str, path: str, operation: dict[str, Any]) -> str:
    how, result, reader = answer(operation)
    # A stream is more than one request: it is written by hand.
    if how == "stream":
        return ""
    parameters = operation.get("parameters", [])
    positional = [(p["name"], Shape(p["schema"])) for p in parameters if p["in"] == "path"]
    query = [p for p in parameters if p["in"] == "query" and not (how == "pages" and p["name"] == "cursor")]
    headers = {p["name"] for p in parameters if p["in"] == "header"}
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    fields = properties(SCHEMAS[ref(body) or ""]) if body else []

    arguments, notes, sent = [], [], []
    for field, schema, always in fields:
        shape, called = Shape(schema, "models."), snake(field)
        argument = shape.argument if always or shape.argument == "Any" else f"{shape.argument} | Unset"
        arguments.append(f"{called}: {argument}{'' if always else ' = UNSET'}")
        notes.append((called, about(schema)))
        value = called
        if field == "parts":
            arguments.append("files: Sequence[Upload | Path] | None = None")
            notes.append(("files", "Files to send besides."))
            value = "with_files(parts, files)"
        sent.append(f'"{field}": {value}')
    for p in query:
        arguments.append(f"{snake(p['name'])}: {Shape(p['schema']).argument} | None = None")
        notes.append((snake(p["name"]), about(p)))
    extra = []
    if "Idempotency-Key" in headers:
        arguments.append("idempotency_key: str | None = None")
        extra += ["once=True", "idempotency_key=idempotency_key"]
    if "If-Match" in headers:
        arguments.append("if_match: object = None")
        extra.append("if_match=if_match")
    if how == "pages":
        arguments.append("cursor: str | None = None")
    arguments.append("timeout: float | None = None")

    filled = re.sub(r"\{(\w+)\}", lambda found: "{segment(" + snake(found.group(1)) + ")}", path)
    call = [f'"{verb.upper()}"', f'f"{filled}"' if positional else f'"{filled}"']
    if query:
        call.append("query={" + ", ".join(f'"{p["name"]}": {snake(p["name"])}' for p in query) + "}")
    if fields:
        call.append("body={" + ", ".join(sent) + "}")
    call = [*call, *extra, "timeout=timeout"]

    heads = ["self", *(f"{snake(n)}: {s.given or s.held}" for n, s in positional), "*", *arguments]
    signature = f"    {'' if how == 'pages' else 'async '}def {name}(\n" + "".join(f"        {h},\n" for h in heads)
    described = [f"``{called}``: {note}" for called, note in notes if note]
    doc = docstring("        ", operation["summary"] + ".", operation.get("description", ""), *[d.replace("``", "`") for d in described])
    last = {"json": f", {reader}", "pages": f", {reader}, cursor"}.get(how, "")
    made = "        call = Call(\n" + "".join(f"            {part},\n" for part in call) + "        )\n"
    waits = "" if how == "pages" else "await "
    verb_word = "" if how == "nothing" else "return "
    return f"{signature}    ) -> {result}:\n{doc}{made}        {verb_word}{waits}self._transport.{how}(call{last})\n"


def operations() -> str:
    groups: dict[str, tuple[str, list[str]]] = {}
    unused = set(NAMES)
    for path, item in DOCUMENT["paths"].items():
        for verb, operation in item.items():
            named = NAMES.get(operation["operationId"])
            if named is None:
                raise SystemExit(f"{operation['operationId']} has no name in sdk/names.json")
            unused.discard(operation["operationId"])
            group, name = named.split(".")
            methods = groups.setdefault(group, (operation["tags"][0], []))[1]
            methods.append(method(snake(name), verb, path, operation))
    if unused:
        raise SystemExit(f"sdk/names.json names what is not in the document: {', '.join(sorted(unused))}")
    tags = {tag["name"]: tag["description"] for tag in DOCUMENT["tags"]}
    out = [
        HEAD,
        '"""The operations of the REST API, by group."""\n\nfrom __future__ import annotations\n\n',
        "from collections.abc import Sequence\nfrom datetime import datetime\nfrom decimal import Decimal\nfrom pathlib import Path\nfrom typing import Any, List\n\n",
        "from .. import types as models\n",
        "from .._wire import UNSET, Call, Id, TaskFile, Unset, Upload, many, segment, with_files\n",
        "from .pages import AsyncPages\nfrom .transport import AsyncTransport\n",
    ]
    for group, (tag, methods) in groups.items():
        init = "    def __init__(self, transport: AsyncTransport) -> None:\n        self._transport = transport\n"
        title = f"Async{group[0].upper()}{group[1:]}Operations"
        body = "\n".join([init, *filter(None, methods)])
        # A method called `list` hides the type in the annotations after it.
        body = re.sub(r"\blist\[", "List[", body)
        out.append(f"\n\nclass {title}:\n{docstring('    ', tags[tag])}\n{body}")
    return "".join(out)


WORDS = {
    "async def": "def",
    "async with": "with",
    "async for": "for",
    "await ": "",
    "IsolatedAsyncioTestCase": "TestCase",
    "asynccontextmanager": "contextmanager",
    "aclosing": "closing",
    "aclose": "close",
    "async_sleep": "sleep",
    "aiter_bytes": "iter_bytes",
    "aread": "read",
    "__aiter__": "__iter__",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "_async": "_sync",
    "for asyncio": "for threads",
    "asyncSetUp": "setUp",
    "asyncTearDown": "tearDown",
}


def without_async(text: str) -> str:
    text = re.sub(r"AsyncGenerator\[(\w+), None\]", r"Generator[\1, None, None]", text)
    text = text.replace("Callable[[str | None], Awaitable[Page[T]]]", "Callable[[str | None], Page[T]]")
    text = re.sub(r"(import .*?)\bAwaitable, ", r"\1", text)
    for word, other in WORDS.items():
        text = text.replace(word, other)
    text = re.sub(r"\bAsync(?=[A-Z])", "", text)
    return text


def sync_files() -> dict[Path, str]:
    head = "# Made of {} by generate.py: do not edit.\n"
    files: dict[Path, str] = {}
    for source in sorted((PACKAGE / "_async").glob("*.py")):
        text = OURS.get(source) or source.read_text()
        if source.name == "__init__.py":
            text = '"""The client that blocks. generate.py makes it of the one for asyncio, in ``_async``."""\n'
        elif text.startswith(HEAD):
            text = without_async(text)
        else:
            text = head.format(f"_async/{source.name}") + without_async(text)
        files[PACKAGE / "_sync" / source.name] = text
    for source in sorted((HERE / "tests").glob("test_async_*.py")):
        target = source.with_name(source.name.replace("async", "sync"))
        files[target] = head.format(source.name) + without_async(source.read_text())
    return files


OURS = {PACKAGE / "types.py": types(), PACKAGE / "_async" / "operations.py": operations()}


def main() -> int:
    wrong = 0
    if "--check" not in sys.argv:
        # Before the glob below, so that a first run finds it too.
        (PACKAGE / "_async" / "operations.py").touch()
    for path, text in {**OURS, **sync_files()}.items():
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            print(f"sdk/python/{path.relative_to(HERE)} is not what it is made of: run scripts/generate-sdks", file=sys.stderr)
            wrong = 1
    return wrong


if __name__ == "__main__":
    raise SystemExit(main())
