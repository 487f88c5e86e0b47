"""What `/api/swagger.json` says: the same as the OpenAPI document, in Swagger 2.0; and examples."""

import json

import pytest

import shapes
from core.api import openapi, swagger
from core.api.examples import BODIES
from core.users.tables import Role
from core.wire.model import Request

ASKED = {
    "/generate/async": "GenerationInputStable",
    "/generate/text/async": "GenerationInputKobold",
    "/interrogate/async": "ModelInterrogationInputStable",
    "/generate/pop": "PopInputStable",
    "/generate/text/pop": "PopInputKobold",
    "/interrogate/pop": "InterrogationPopInput",
    "/sharedkeys": "SharedKeyInput",
    "/styles/image": "ModelStyleInputStable",
    "/styles/text": "ModelStyleInputKobold",
    "/teams": "CreateTeamInput",
}


@pytest.fixture(scope="module")
def described():
    return json.loads(openapi.to_text())


@pytest.fixture(scope="module")
def document(described):
    return swagger.rendered(described)


def references(part):
    if isinstance(part, dict):
        for name, value in part.items():
            yield from [value] if name == "$ref" else references(value)
    elif isinstance(part, list):
        for one in part:
            yield from references(one)


def bodies(kind):
    for one in kind.__subclasses__():
        yield one
        yield from bodies(one)


def words(part):
    """Every keyword and field name in it."""
    if isinstance(part, dict):
        for name, value in part.items():
            yield name
            yield from words(value)
    elif isinstance(part, list):
        for one in part:
            yield from words(one)


def test_it_is_swagger_2_below_the_contracts_base_path(document):
    head = {name: document[name] for name in ("swagger", "basePath", "produces", "consumes")}
    json_alone = ["application/json"]
    assert head == {
        "swagger": "2.0",
        "basePath": "/api",
        "produces": json_alone,
        "consumes": json_alone,
    }
    assert all(path.startswith("/v2/") for path in document["paths"])


def test_every_operation_of_the_contract_has_its_path_and_parameters(contract, document):
    for (method, path), operation in shapes.operations(contract).items():
        found = document["paths"][f"/v2/{path}"][method.lower()]
        named = {(each["in"], each["name"]) for each in found["parameters"]}
        wanted = {("header", name) for name in operation["headers"]}
        wanted |= {("query", name) for name in operation["query"]}
        assert wanted <= named, path
        assert all(("path", name) in named for name in operation["path_params"]), path
        if (model := operation["request_model"]) is not None:
            (body,) = (each for each in found["parameters"] if each["in"] == "body")
            assert body["schema"] == {"$ref": f"#/definitions/{model}"}
        for status, name, listed in shapes.answered(operation):
            if name is not None:
                schema = found["responses"][status]["schema"]
                assert (schema["items"] if listed else schema)["$ref"].endswith(f"/{name}"), path


def test_both_documents_have_the_same_operations_and_shapes(described, document):
    def counted(paths):
        return sum(len(methods) for methods in paths.values())

    assert counted(document["paths"]) == counted(described["paths"]) > 100
    schemas = described["components"]["schemas"]
    assert document["definitions"].keys() == schemas.keys() - {swagger.ANYTHING}
    for name, definition in document["definitions"].items():
        assert definition["properties"].keys() == schemas[name].get("properties", {}).keys()
    assert "get" in document["paths"]["/v2/generate/events/{id}"]
    assert document["paths"]["/v2/pictures/{name}"].keys() == {"get", "put"}


def test_every_reference_leads_somewhere_and_no_word_is_of_openapi_3(document):
    found = set(references(document))
    assert len(found) > 30
    assert found <= {f"#/definitions/{name}" for name in document["definitions"]}
    later = {"anyOf", "oneOf", "const", "requestBody", "content", "components", "nullable"}
    assert not later & set(words({**document, "definitions": {}}))


def test_every_body_has_an_example_that_could_be_sent():
    classes = {one.__name__: one for one in bodies(Request)}
    for name, body in BODIES.items():
        sent = classes[name].model_validate_json(json.dumps(body))
        assert body.keys() <= sent.model_fields_set, name


def test_every_operation_with_a_body_shows_its_example(described, document):
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            assert content is None or content["example"], (method, path)
    asked = document["definitions"]["GenerationInputStable"]["properties"]
    assert asked["prompt"]["example"] == BODIES["GenerationInputStable"]["prompt"]
    params = document["definitions"]["ModelGenerationInputStable"]["properties"]
    assert params["steps"]["example"] == BODIES["GenerationInputStable"]["params"]["steps"]


@pytest.mark.asyncio(loop_scope="module")
async def test_the_server_takes_the_examples(server):
    owner = await server.user("Exemplary", kudos=1000, roles=int(Role.CUSTOMIZER | Role.TRUSTED))
    for path, name in ASKED.items():
        method = "PUT" if path == "/sharedkeys" else "POST"
        answer = await server.call(method, path, BODIES[name], key=owner.key)
        assert answer.is_success, (path, answer.text)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_server_says_it_and_serves_pictures_where_it_says(server, document):
    told = (await server.http.get("/api/swagger.json")).json()
    assert told["paths"].keys() == document["paths"].keys()
    assert told["definitions"].keys() == document["definitions"].keys()
    there, here = [
        (await server.http.get(f"{prefix}/pictures/x.webp?no=signature")).json()["rc"]
        for prefix in ("", "/api/v2")
    ]
    assert here == there
