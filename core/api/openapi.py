"""The description of the API, made from the operations themselves, and a page of it for people.

`python -m core.api.openapi` prints it, as it is kept in docs/openapi.json.
"""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic.json_schema import models_json_schema
from quart import Blueprint, Quart, Response, current_app, render_template_string

from core.api import streamed, swagger
from core.api.examples import BODIES
from core.api.operation import JSON_TYPE, Operation
from core.api.v2 import blueprints
from core.version import VERSION
from core.wire.errors import RequestError, RequestValidationError
from core.wire.model import Answer, Request

blueprint = Blueprint("openapi", __name__)

PREFIX = "/api/v2/"
EXTENSION = "openapi"
CONVERTER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
HEADERS = {
    "Client-Agent": "name:version:contact of the client",
    "X-Fields": "field mask: only these fields of the answer",
}


@blueprint.get("/openapi.json")
async def document() -> Response:
    """The OpenAPI document."""
    return Response(_made().openapi, content_type=JSON_TYPE)


@blueprint.get("/api/swagger.json")
async def document_of_2014() -> Response:
    """The same as Swagger 2.0, which the contract has at this path."""
    return Response(_made().swagger, content_type=JSON_TYPE)


@blueprint.get("/api/")
async def page() -> Response:
    """The operations, as a page for people."""
    made = _made()
    if not made.page:
        made.page.append(await render_template_string(_PAGE, api=json.loads(made.openapi)))
    return Response(made.page[0], content_type="text/html; charset=utf-8")


@dataclass(frozen=True, slots=True)
class _Made:
    """The descriptions of one app, made once, as its mounted operations do not change."""

    openapi: bytes
    swagger: bytes
    page: list[str] = field(default_factory=list)


def _made() -> _Made:
    extensions: dict[str, Any] = current_app.extensions
    if EXTENSION not in extensions:
        described = describe(current_app)
        extensions[EXTENSION] = _Made(
            json.dumps(described).encode(), json.dumps(swagger.rendered(described)).encode()
        )
    made: _Made = extensions[EXTENSION]
    return made


def describe(app: Quart) -> dict[str, Any]:
    """The OpenAPI 3.1 document of version 2, from the operations mounted in the app."""
    operations = _operations(app)
    models: set[type] = {RequestError, RequestValidationError, *streamed.MODELS}
    for _, _, operation in operations:
        models |= {model for answer in operation.answers.values() for model in _models(answer)}
        models |= {operation.body} if operation.body is not None else set()
    modes = [(m, "validation" if issubclass(m, Request) else "serialization") for m in models]
    _, schemas = models_json_schema(
        sorted(modes, key=lambda pair: pair[0].__name__),  # type: ignore[arg-type]
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, dict[str, Any]] = {}
    for path, method, operation in operations:
        paths.setdefault(path, {})[method] = _describe(path, method, operation)
    streamed.describe(paths)
    defined = {
        name: {**schema, "examples": [BODIES[name]]} if name in BODIES else schema
        for name, schema in schemas["$defs"].items()
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Stable Horde", "version": VERSION, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": defined,
            "securitySchemes": {"apikey": {"type": "apiKey", "in": "header", "name": "apikey"}},
        },
    }


def to_text() -> str:
    """The document of all that a server with default settings mounts, as it is committed."""
    app = Quart(__name__)
    for family in blueprints():
        app.register_blueprint(family, url_prefix=PREFIX.rstrip("/"))
    return json.dumps(describe(app), indent=2, sort_keys=True) + "\n"


def _operations(app: Quart) -> list[tuple[str, str, Operation]]:
    found = []
    for rule in app.url_map.iter_rules():
        operation = getattr(app.view_functions[rule.endpoint], "operation", None)
        if operation is not None and rule.rule.startswith(PREFIX):
            path = CONVERTER.sub(r"{\1}", rule.rule)
            methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            found += [(path, method.lower(), operation) for method in methods]
    return sorted(found, key=lambda one: one[:2])


def _models(answer: object) -> Sequence[type[Answer]]:
    """The model of the answer or of its list items, or the models of a stream."""
    models: Sequence[type[Answer]] = get_args(answer) or (answer,)
    return models


def _describe(path: str, method: str, operation: Operation) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{([^}]+)}", path)
    ]
    parameters += _optional(operation.query, "query")
    parameters += _optional({**HEADERS, **operation.headers}, "header")
    answers = {
        str(status): {
            "description": HTTPStatus(status).phrase,
            "content": {_media(answer): {"schema": _schema(answer)}},
        }
        for status, answer in operation.answers.items()
    }
    answers |= {str(status): _error(status, operation) for status in _errors(operation)}
    described: dict[str, Any] = {
        "operationId": f"{method}_{re.sub(r'[^a-z0-9]+', '_', path.lower()).strip('_')}",
        "summary": operation.summary,
        "parameters": parameters,
        "responses": answers,
        "security": [{"apikey": []}] if operation.key_required else [{}, {"apikey": []}],
    }
    if operation.body is not None:
        name = operation.body.__name__
        content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{name}"}}
        if name in BODIES:
            content["example"] = BODIES[name]
        described["requestBody"] = {"required": True, "content": {"application/json": content}}
    return described


def _errors(operation: Operation) -> list[int]:
    """Error statuses: those that the operation names, and those that any of its kind has."""
    always = {HTTPStatus.BAD_REQUEST, HTTPStatus.TOO_MANY_REQUESTS}
    if operation.body is not None:
        always.add(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return sorted({int(status) for status in always} | set(operation.errors))


def _error(status: int, operation: Operation) -> dict[str, Any]:
    """An error's body; that of 400 has a second form if arguments are checked."""
    shapes = ["RequestError"]
    if status == HTTPStatus.BAD_REQUEST and (operation.body is not None or operation.key_required):
        shapes.append("RequestValidationError")
    references = [{"$ref": f"#/components/schemas/{name}"} for name in shapes]
    schema = references[0] if len(references) == 1 else {"anyOf": references}
    return {"description": HTTPStatus(status).phrase, **_json(schema)}


def _optional(named: Mapping[str, str], where: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": where, "description": text, "schema": {"type": "string"}}
        for name, text in named.items()
    ]


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _media(answer: object) -> str:
    return "text/event-stream" if get_origin(answer) is UnionType else "application/json"


def _schema(answer: object) -> dict[str, Any]:
    references = [{"$ref": f"#/components/schemas/{model.__name__}"} for model in _models(answer)]
    if get_origin(answer) is UnionType:
        return {"anyOf": references}
    return {"type": "array", "items": references[0]} if get_args(answer) else references[0]


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ api.info.title }} API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1b1b1f; background: #fdfcfb }
h2 { font-size: 1rem; margin: 2rem 0 .25rem } code { font: .9em ui-monospace, monospace }
.m { text-transform: uppercase; font-weight: 700; margin-right: .5rem }
p { margin: .25rem 0 }
td, th { text-align: left; padding: .1rem 1rem .1rem 0; vertical-align: top }
@media (prefers-color-scheme: dark) {
  body { color: #e6e4e9; background: #17161b } a { color: #9db8ff }
}
</style></head><body>
<h1>{{ api.info.title }} API <small>{{ api.info.version }}</small></h1>
<p>The same for programs: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1) and
<a href="/api/swagger.json">/api/swagger.json</a> (Swagger 2.0). Send your API key in
the <code>apikey</code> header; <code>0000000000</code> is everybody's.</p>
{% for path, methods in api.paths.items() %}{% for method, op in methods.items() %}
<h2><span class="m">{{ method }}</span><code>{{ path }}</code></h2><p>{{ op.summary }}</p>
<table>{% set bodies = op.requestBody.content.values() if op.requestBody else [] %}
{% for body in bodies if body.schema["$ref"] %}<tr><th>Body</th>
<td><code>{{ body.schema["$ref"].rpartition("/")[2] }}</code>, such as
<code>{{ body.example | tojson }}</code></td></tr>
{% endfor %}{% for p in op.parameters if p["in"] == "query" %}
<tr><th><code>?{{ p.name }}</code></th><td>{{ p.description }}</td></tr>{% endfor %}
<tr><th>Answers</th><td>{{ op.responses.keys() | join(", ") }}</td></tr></table>
{% endfor %}{% endfor %}</body></html>
"""

if __name__ == "__main__":
    sys.stdout.write(to_text())
