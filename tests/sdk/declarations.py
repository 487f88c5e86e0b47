"""Writes the JavaScript SDK's types from the API's description, and from the SDK's operations.

python tests/sdk/declarations.py > web/static/sdk/stable-horde.d.ts
"""

import json
import re
import sys
from pathlib import Path

from pydantic.json_schema import models_json_schema

from core.wire.ratings import Dataset, DatasetImage, RatePostInput, RatePostResponse

ROOT = Path(__file__).parents[2]
SDK = ROOT / "web" / "static" / "sdk"
API = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))
REF = "#/components/schemas/"
OF_VERSION_1 = {
    "ratings.next": ("", "DatasetImage"),
    "ratings.rate": ("RatePostInput", "RatePostResponse"),
    "ratings.datasets": ("", "Dataset[]"),
}
"""Body and answer of what docs/openapi.json, which is about version 2, does not have."""
EVENTS = {
    "status": "StatusEvent",
    "generation": "GenerationEvent",
    "progress": "ProgressEvent",
    "end": "EndEvent",
}
PLAIN = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}
NUMBERED = dict.fromkeys(
    ("page", "min_count", "max_count", "filter_type", "before", "user_id"), "number"
)
"""Arguments of queries that are numbers."""
LINE = re.compile(
    r"^(  +)(?:(\w+): \[\"(\w+)\", \"([^\"]+)\"(?:, \"\w+\")?\],|(\w+): \{|(\}),|//.*|)$"
)


def schemas():
    """All that the API's description defines, and what version 1 adds."""
    modes = [(RatePostInput, "validation")]
    modes += [(one, "serialization") for one in (Dataset, DatasetImage, RatePostResponse)]
    _, more = models_json_schema(modes, ref_template=REF + "{model}")
    return API["components"]["schemas"] | more["$defs"]


def operations():
    """The table of operations.js, nested as it is there: (name, method, path) or (name, group)."""
    text = (SDK / "operations.js").read_text("utf-8").partition("OPERATIONS = {\n")[2]
    found, inner = [], None
    for line in text.partition("\n};")[0].split("\n"):
        if not line:
            continue
        indent, name, method, path, group, end = LINE.fullmatch(line).groups()
        if group:
            inner = (group, [])
            found.append(inner)
        elif end:
            inner = None
        elif name:
            assert len(indent) == (4 if inner else 2), line
            (inner[1] if inner else found).append((name, method, path))
    return found


def typed(schema):
    """The TypeScript of a schema's type."""
    if "$ref" in schema:
        return schema["$ref"].removeprefix(REF)
    if "const" in schema or "enum" in schema:
        return " | ".join(json.dumps(one) for one in schema.get("enum", [schema.get("const")]))
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " | ".join(dict.fromkeys(typed(one) for one in schema[several]))
    if schema.get("type") == "array":
        of = typed(schema.get("items", {}))
        return f"({of})[]" if " " in of else f"{of}[]"
    if schema.get("type") == "object" or "properties" in schema:
        more = schema.get("additionalProperties")
        return f"Record<string, {typed(more) if isinstance(more, dict) else 'unknown'}>"
    return PLAIN.get(schema.get("type"), "unknown")


def comment(text, indent=""):
    return [f"{indent}/** {' '.join(text.split())} */"] if text else []


def interface(name, schema):
    if "properties" not in schema:
        return [*comment(schema.get("description")), f"export type {name} = {typed(schema)};", ""]
    lines = [*comment(schema.get("description")), f"export interface {name} {{"]
    required = set(schema.get("required", ()))
    for field, of in schema["properties"].items():
        lines += comment(of.get("description"), "  ")
        written = field if field.isidentifier() else json.dumps(field)
        lines.append(f"  {written}{'' if field in required else '?'}: {typed(of)};")
    return [*lines, "}", ""]


def described(dotted, method, path):
    """(comment, type of the one object, whether it must be given, type of the answer)."""
    if dotted in OF_VERSION_1:
        body, answer = OF_VERSION_1[dotted]
        return "", body or "Record<string, never>", bool(body), answer
    bare = re.sub(r"{\w+}", "{}", f"/api{path}")
    (one,) = (
        operation[method.lower()]
        for known, operation in API["paths"].items()
        if re.sub(r"{\w+}", "{}", known) == bare
    )
    *_, answer = (
        next(iter(response["content"].values()))["schema"]
        for status, response in sorted(one["responses"].items())
        if status.startswith("2")
    )
    content = one.get("requestBody", {}).get("content", {})
    if content:
        body = typed(next(iter(content.values()))["schema"])
        return one["summary"], body, bool(schemas()[body].get("required")), typed(answer)
    query = [each["name"] for each in one["parameters"] if each["in"] == "query"]
    fields = " ".join(f"{name}?: {NUMBERED.get(name, 'string')};" for name in query)
    return (
        one["summary"],
        f"{{ {fields} }}" if query else "Record<string, never>",
        False,
        typed(answer),
    )


def signature(name, method, path, prefix=""):
    summary, given, must, answer = described(prefix + name, method, path)
    if method == "DELETE" and "generate/" not in path and "interrogate/" not in path:
        answer += " | undefined"
    ids = [f"{one}: string | number" for one in re.findall(r"{(\w+)}", path)]
    arguments = ", ".join([*ids, f"input{'' if must else '?'}: {given}", "options?: CallOptions"])
    indent = "    " if prefix else "  "
    return [*comment(summary, indent), f"{indent}{name}({arguments}): Promise<{answer}>;"]


def to_text():
    members = []
    for name, *rest in operations():
        if len(rest) == 2:
            members += signature(name, *rest)
            continue
        members.append(f"  {name}: {{")
        for inner in rest[0]:
            members += signature(*inner, prefix=f"{name}.")
        members.append("  };")
    types = []
    for name, schema in sorted(schemas().items()):
        types += interface(name, schema)
    events = " | ".join(f'({{ type: "{kind}" }} & {model})' for kind, model in EVENTS.items())
    template = (Path(__file__).parent / "template.d.ts").read_text("utf-8")
    head, tail = template.split("// operations\n")
    body = "\n".join(members)
    return (
        f"{head}{body}\n{tail}\nexport type HordeEvent = {events};\n\n"
        + "\n".join(types).rstrip()
        + "\n"
    )


if __name__ == "__main__":
    sys.stdout.write(to_text())
