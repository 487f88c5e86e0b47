"""The client has every operation of the API, with its arguments, its body and its answer.

Each operation is called with made-up arguments; what leaves the client is compared with the
description of the API (docs/openapi.json). Nothing here names an operation.
"""

import collections
import dataclasses
import inspect
import json
import types
import typing
from pathlib import Path
from urllib.parse import parse_qs, unquote

import httpx
import pytest
from pydantic import BaseModel

from core.client import HordeClient, HordeError, Retries, SyncHordeClient
from core.client.running import Part, operation, stream
from core.wire.model import Request

ROOT = Path(__file__).parents[3]
API = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))

OF_A_PAGE = {("GET", "/api/v2/login/session")}
"""Asked by scripts of the horde's own pages, of the browser that they are in."""
BY_ADDRESS = {("GET", "/pictures/{name}"), ("PUT", "/pictures/{name}")}
"""`download` and `upload` are given the whole address."""
OF_VERSION_1 = {
    ("GET", "/api/v1/rating/new/{dataset_id}/{model}"),
    ("POST", "/api/v1/rating/{picture_id}"),
    ("GET", "/api/v1/datasets"),
}
"""The family of version 1 that version 2 has not: docs/openapi.json is about version 2."""
NUMBER = 10
"""Allowed wherever a number is."""


def named(path):
    """A path with its parameters' names left out: `{}` for each."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


DESCRIBED = {
    (method.upper(), named(path)): described
    for path, methods in API["paths"].items()
    for method, described in methods.items()
    if (method.upper(), path) not in OF_A_PAGE | BY_ADDRESS
}


@dataclasses.dataclass(frozen=True)
class Seen:
    """What an operation asked for, and what it says that it returns."""

    name: str
    method: str
    path: str
    query: set
    body: str | None
    answer: object


def operations(part, prefix=""):
    """Every operation of a client, by its dotted name: (name, bound, its description)."""
    for name, described in inspect.getmembers_static(type(part)):
        if isinstance(described, (operation, stream)):
            yield prefix + name, getattr(part, name), described
    for name, inner in vars(part).items():
        if isinstance(inner, Part):
            yield from operations(inner, f"{prefix}{name}.")


def value(name, annotation):
    """A value of a type: a placeholder for what goes into a path, the least of all else."""
    options = [one for one in typing.get_args(annotation) if one is not types.NoneType]
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return options[0]
    if origin in (types.UnionType, typing.Union):
        return value(name, options[0])
    if annotation is str:
        return "{" + name + "}"
    if annotation is int:
        return NUMBER
    if annotation is bytes:
        return b"x"
    if isinstance(annotation, type) and issubclass(annotation, Request):
        return annotation.model_construct()
    raise AssertionError(f"{name}: {annotation} is not foreseen")


def arguments(described):
    hints = typing.get_type_hints(described._method)
    names = list(inspect.signature(described._method).parameters)[1:]
    return {
        name: value(name, hints[name])
        for name in names
        if name not in {"timeout_seconds", "on_event", "max_bytes"}
    } | ({"timeout_seconds": 1.0} if "timeout_seconds" in names else {})


def made(call, given):
    """Call an operation, and take the first of what it yields."""
    result = call(**given)
    if isinstance(result, types.GeneratorType):
        next(result)


class Recorder(httpx.AsyncBaseTransport):
    def __init__(self):
        self.requests = []

    async def handle_async_request(self, request):
        await request.aread()
        self.requests.append(request)
        return httpx.Response(404, json={"message": "recorded", "rc": "RequestNotFound"})


@pytest.fixture(scope="module")
def seen():
    """What each operation asks for."""
    recorder = Recorder()
    found = {}
    with SyncHordeClient("http://horde.test", transport=recorder, retries=Retries(1)) as client:
        for name, call, described in operations(client):
            recorder.requests.clear()
            given = arguments(described)
            if name in {"download", "upload"}:
                continue
            with pytest.raises(HordeError, match="recorded"):
                made(call, given)
            (request,) = recorder.requests
            (body,) = [each for each in given.values() if isinstance(each, Request)] or [None]
            found[name] = Seen(
                name,
                request.method,
                path_of(named(unquote(request.url.path))),
                set(parse_qs(request.url.query.decode(), keep_blank_values=True)),
                None if body is None else type(body).__name__,
                typing.get_type_hints(described._method)["return"],
            )
    return found


def test_no_operation_is_missing(seen):
    asked = {(one.method, one.path) for one in seen.values()}
    version_1 = {(method, named(path)) for method, path in OF_VERSION_1}
    assert version_1 <= asked
    assert len(DESCRIBED) > 90
    assert asked - version_1 == set(DESCRIBED)


def path_of(path):
    """A number stands for a parameter too."""
    parts = ["{}" if part == str(NUMBER) else part for part in path.split("/")]
    return "/".join(parts)


def test_no_argument_in_a_query_is_missing(seen):
    asked = collections.defaultdict(set)
    for one in seen.values():
        asked[one.method, one.path] |= one.query
    for operation_, described in DESCRIBED.items():
        wanted = {one["name"] for one in described["parameters"] if one["in"] == "query"}
        assert asked[operation_] == wanted, operation_


def test_bodies_are_those_of_the_api(seen):
    for one in seen.values():
        described = DESCRIBED.get((one.method, one.path))
        if described is None or one.body is None:
            continue
        (content,) = described["requestBody"]["content"].values()
        assert content["schema"]["$ref"].rpartition("/")[2] == one.body, one.name


def test_answers_are_those_of_the_api(seen):
    compared = 0
    for one in seen.values():
        described = DESCRIBED.get((one.method, one.path))
        items = [*typing.get_args(one.answer), one.answer]
        names = {
            each.__name__
            for each in items
            if isinstance(each, type) and issubclass(each, BaseModel)
        }
        if described is None or not names or one.name.endswith(("events", "wait_for")):
            continue
        schemas = [
            content["schema"]
            for status, answer in described["responses"].items()
            if status.startswith("2")
            for content in answer["content"].values()
        ]
        told = {
            schema.get("items", schema).get("$ref", "").rpartition("/")[2] for schema in schemas
        }
        assert names <= told, one.name
        assert (typing.get_origin(one.answer) is list) == ("items" in schemas[0]), one.name
        compared += 1
    assert compared > 70


def test_both_clients_have_the_same_operations():
    asynchronous = HordeClient("http://horde.test")
    with SyncHordeClient("http://horde.test") as blocking:
        for (name, call, _), (other, blocked, _) in zip(
            operations(asynchronous), operations(blocking), strict=True
        ):
            assert name == other
            assert call.__doc__ == blocked.__doc__
            assert call.__doc__, f"{name} says what it does"
