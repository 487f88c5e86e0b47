"""What the API says of itself is what the contract says, and what is committed."""

import copy
import json

import pytest

import shapes
from core.api import openapi
from serving import ROOT

COMMITTED = ROOT / "docs" / "openapi.json"
STALE = "refresh it: make openapi"

# What the reference documents and never sends.
NEVER_SENT = {
    ("POST", "generate/async"): {"503"},  # in maintenance it answers 400
    ("POST", "generate/text/async"): {"503"},
    ("POST", "interrogate/async"): {"503"},
    ("POST", "generate/rate/{id}"): {"401"},  # who knows the request's id may
    ("PUT", "sharedkeys"): {"404"},  # a shared key that is not there is a key nobody has: 401
    ("GET", "sharedkeys/{sharedkey_id}"): {"404"},
    ("PATCH", "sharedkeys/{sharedkey_id}"): {"404"},
    ("DELETE", "sharedkeys/{sharedkey_id}"): {"404"},
    ("GET", "workers/messages"): {"404"},  # messages of no worker are none
    ("GET", "workers/{worker_id}"): {"401", "403"},  # a wrong key is ignored
    ("GET", "workers/name/{worker_name}"): {"401", "403"},
}


@pytest.fixture(scope="module")
def document():
    return json.loads(openapi.to_text())


def described(document):
    """Each operation of the document, by its method and the pattern of its path."""
    return {
        (method.upper(), shapes.pattern(path.removeprefix(shapes.PREFIX))): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def content(part):
    """The name of a body's shape, None where there is none, and whether it is a list."""
    if part is None:
        return None, False
    schema = part["content"]["application/json"]["schema"]
    listed = schema.get("type") == "array"
    reference = schema["items"] if listed else schema
    return reference["$ref"].rpartition("/")[2], listed


def different_operations(contract, document):
    """Say how the document's operations differ from the contract's."""
    ours = described(document)
    for key, operation in shapes.operations(contract).items():
        found = ours.get((key[0], shapes.pattern(key[1])))
        if found is None:
            yield f"{key} is not there"
            continue
        yield from (f"{key}: {text}" for text in different_body(operation, found))
        yield from (f"{key}: {text}" for text in different_answers(key, operation, found))
        yield from (f"{key}: {text}" for text in different_parameters(operation, found))


def different_body(operation, found):
    wanted = operation["request_model"]
    if wanted is not None and content(found.get("requestBody")) != (wanted, False):
        yield f"takes {content(found.get('requestBody'))}, not {wanted}"


def different_answers(key, operation, found):
    responses = found["responses"]
    successes = {status for status in responses if status.startswith("2")}
    if successes != operation["success"].keys():
        yield f"succeeds with {successes}, not {operation['success'].keys()}"
    for status, name, listed in shapes.answered(operation):
        if name is not None and content(responses.get(status)) != (name, listed):
            yield f"answers {content(responses.get(status))}, not {(name, listed)}"
    missing = operation["documented_errors"].keys() - responses.keys() - NEVER_SENT.get(key, set())
    if missing:
        yield f"does not say that it answers {sorted(missing)}"


def different_parameters(operation, found):
    for where, wanted in (("query", operation["query"]), ("header", operation["headers"])):
        there = {each["name"] for each in found["parameters"] if each["in"] == where}
        if missing := wanted.keys() - there - {"apikey"}:
            yield f"does not say that it takes {sorted(missing)} in the {where}"
    in_path = [each for each in found["parameters"] if each["in"] == "path"]
    if len(in_path) != len(operation["path_params"]):
        yield f"has {in_path} in its path"


def different_shapes(contract, document):
    """Say how the document's shapes differ from the contract's."""
    schemas = document["components"]["schemas"]
    asked = shapes.requests(contract)
    for name in sorted(shapes.used(contract) - shapes.FREE_OBJECTS):
        schema = schemas.get(name, schemas.get(shapes.READ_AS.get(name)))
        if schema is None:
            yield f"{name} is not there"
            continue
        is_request = name in asked
        yield from shapes.different_fields(contract, name, schema, is_request=is_request)
        if is_request:
            yield from different_presences(contract, name, schema)


def different_presences(contract, name, schema):
    for field, found in schema["properties"].items():
        if field in contract["models"][name]["fields"]:
            default = found.get("default")
            default = None if isinstance(default, dict) or default == [] else default
            required = field in schema.get("required", ())
            presence = {"required": required, "default": default}
            yield from shapes.different_presence(contract, name, field, **presence)


def test_every_operation_is_described_as_in_the_contract(contract, document):
    assert len(shapes.operations(contract)) == 90
    assert list(different_operations(contract, document)) == []


def test_every_shape_is_described_as_in_the_contract(contract, document):
    assert list(different_shapes(contract, document)) == []


@pytest.mark.parametrize(
    ("find", "spoil"),
    [
        ("RequestStatusCheck", lambda shape: shape["properties"].pop("kudos")),
        ("RequestStatusCheck", lambda shape: shape["properties"]["kudos"].update(type="integer")),
        ("StyleStable", lambda shape: shape["properties"].pop("use_count")),
        ("ModifyTeamInput", lambda shape: shape["properties"]["name"].update(maxLength=101)),
        ("CreateTeamInput", lambda shape: shape.pop("required")),
        ("PopInputStable", lambda shape: shape["properties"]["nsfw"].update(default=False)),
        ("PopInputStable", lambda shape: shape["properties"].update(more={"type": "string"})),
        ("ModelInterrogationFormStable", lambda shape: shape["properties"]["name"]["enum"].pop()),
    ],
)
def test_a_difference_of_shapes_is_seen(contract, document, find, spoil):
    spoiled = copy.deepcopy(document)
    spoil(spoiled["components"]["schemas"][find])
    assert list(different_shapes(contract, spoiled))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document["paths"].pop("/api/v2/generate/async"),
        lambda document: document["paths"]["/api/v2/teams"].pop("post"),
        lambda document: document["paths"]["/api/v2/teams"]["post"].pop("requestBody"),
        lambda document: document["paths"]["/api/v2/teams"]["get"]["responses"].pop("200"),
        lambda document: document["paths"]["/api/v2/teams"]["post"]["responses"].pop("403"),
        lambda document: document["paths"]["/api/v2/users"]["get"].update(parameters=[]),
    ],
)
def test_a_difference_of_operations_is_seen(contract, document, spoil):
    spoiled = copy.deepcopy(document)
    spoil(spoiled)
    assert list(different_operations(contract, spoiled))


def test_what_is_committed_is_up_to_date():
    assert openapi.to_text() == COMMITTED.read_text(), STALE


@pytest.mark.asyncio(loop_scope="module")
async def test_the_committed_document_is_what_the_server_says(server):
    told = (await server.http.get("/openapi.json")).json()
    assert told == json.loads(COMMITTED.read_text()), STALE


def test_every_reference_leads_somewhere():
    schemas = json.loads(COMMITTED.read_text())["components"]["schemas"]
    references = {
        line.rpartition("/")[2].strip('", ')
        for line in COMMITTED.read_text().splitlines()
        if '"$ref"' in line
    }
    assert len(references) > 30
    assert references <= schemas.keys()


def test_what_is_no_json_is_described_too(document):
    events = document["paths"]["/api/v2/generate/events/{request_id}"]["get"]
    (stream,) = events["responses"]["200"]["content"].items()
    assert stream[0] == "text/event-stream"
    assert stream[1]["x-events"].keys() == {"status", "generation", "end"}
    pictures = document["paths"]["/pictures/{name}"]
    assert pictures["get"]["responses"]["200"]["content"].keys() == {"image/webp"}
    assert pictures["put"]["requestBody"]["content"].keys() == {"image/webp"}
