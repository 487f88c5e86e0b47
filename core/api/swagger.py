"""The same description as Swagger 2.0, which horde-sdk and older generators read.

It is a rendering of the OpenAPI document, so the two never say different things. Paths are as in
the contract: below `basePath`, and a single id is called `id`.
"""

from collections.abc import Mapping
from typing import Any, Final

BASE_PATH: Final = "/api"
PICTURES: Final = "/pictures/"
JSON: Final = "application/json"
ANYTHING: Final = "JsonValue"
"""The name of the schema of any JSON value, which 2.0 cannot express."""
_SCHEMAS: Final = "#/components/schemas/"
_DEFINITIONS: Final = "#/definitions/"

Document = dict[str, Any]


def rendered(openapi: Mapping[str, Any]) -> Document:
    """The Swagger 2.0 document that says what the OpenAPI 3.1 document does."""
    schemas = openapi["components"]["schemas"]
    definitions = {name: _definition(one) for name, one in schemas.items() if name != ANYTHING}
    for name, schema in schemas.items():
        for example in schema.get("examples", []):
            _exemplify(definitions, name, example)
    return {
        "swagger": "2.0",
        "basePath": BASE_PATH,
        "paths": {
            _path(path): {method: _operation(one) for method, one in methods.items()}
            for path, methods in openapi["paths"].items()
        },
        "info": {"title": openapi["info"]["title"], "version": openapi["info"]["version"]},
        "produces": [JSON],
        "consumes": [JSON],
        "tags": [{"name": "v2", "description": "Version 2 of the API"}],
        "definitions": definitions,
        "responses": {},
    }


def _path(path: str) -> str:
    """The key below `basePath`. Pictures, which are outside of it, are served there as well."""
    inside = f"/v2{path}" if path.startswith(PICTURES) else path.removeprefix(BASE_PATH)
    return inside.replace("{request_id}", "{id}")


def _operation(operation: Mapping[str, Any]) -> Document:
    parameters = [_parameter(one) for one in operation["parameters"]]
    if {"apikey": []} in operation["security"]:
        parameters.append(_key(is_required={} not in operation["security"]))
    if (body := operation.get("requestBody")) is not None:
        (content,) = body["content"].values()
        sent = _schema(content["schema"])
        parameters.append({"name": "payload", "in": "body", "required": True, "schema": sent})
    return {
        "summary": operation["summary"],
        "operationId": operation["operationId"],
        "parameters": parameters,
        "responses": {status: _response(one) for status, one in operation["responses"].items()},
        "tags": ["v2"],
    }


def _key(*, is_required: bool) -> Document:
    told = "The API key; 0000000000 is everybody's"
    key = {"name": "apikey", "in": "header", "type": "string", "description": told}
    return {**key, "required": is_required}


def _parameter(parameter: Mapping[str, Any]) -> Document:
    told = {name: value for name, value in parameter.items() if name != "schema"}
    name = "id" if told["name"] == "request_id" else told["name"]
    return {"required": False, **told, "name": name, **_schema(parameter["schema"])}


def _response(answer: Mapping[str, Any]) -> Document:
    told: Document = {"description": answer["description"]}
    for media, content in answer.get("content", {}).items():
        if media == JSON:
            told["schema"] = _schema(content["schema"])
        else:
            told["description"] += f" ({media})"
    return told


def _definition(schema: Mapping[str, Any]) -> Document:
    """A named schema. Descriptions of the schema as a whole are left out in 2.0."""
    fields = {name: _schema(one) for name, one in schema.get("properties", {}).items()}
    required = {"required": schema["required"]} if "required" in schema else {}
    return {"type": "object", **required, "properties": fields}


def _exemplify(definitions: Mapping[str, Document], name: str, example: Mapping[str, Any]) -> None:
    """Spread the example of a body over its fields, where tools of 2.0 look for it."""
    fields = definitions[name]["properties"]
    for field, value in example.items():
        shape = fields[field]
        inner = shape if "$ref" in shape else shape.get("items", {})
        one = value[0] if isinstance(value, list) and value else value
        if "$ref" in inner and isinstance(one, dict):
            _exemplify(definitions, inner["$ref"].removeprefix(_DEFINITIONS), one)
        elif "$ref" not in inner:
            shape.setdefault("example", value)


def _schema(schema: Mapping[str, Any]) -> Document:
    """The schema in the keywords of 2.0: no alternatives, no null, no `const`."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_SCHEMAS)
        return {"type": "object"} if name == ANYTHING else {"$ref": _DEFINITIONS + name}
    told = {name: schema[name] for name in _KEPT if name in schema}
    if schema.get("default") is not None:
        told["default"] = schema["default"]
    if "const" in schema:
        told["enum"] = [schema["const"]]
    if "items" in schema:
        told["items"] = _schema(schema["items"])
    held = schema.get("additionalProperties")
    if isinstance(held, dict) and "type" in held and "items" not in held:
        told["additionalProperties"] = {"type": held["type"]}  # else anything, which goes unsaid
    shapes = [one for one in schema.get("anyOf", []) if one != {"type": "null"}]
    return told | _schema(shapes[-1]) if shapes else told


_KEPT: Final = (
    "type",
    "description",
    "format",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "multipleOf",
    "uniqueItems",
)
"""Keywords that mean the same in both. horde-sdk's parser refuses `minItems` and `maxItems`."""
