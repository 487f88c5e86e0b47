"""Descriptions of the operations whose answers are not JSON: the event stream, and pictures."""

from typing import Any, Final

from core.wire.events import EndEvent, GenerationEvent, StatusEvent

MODELS: Final = (StatusEvent, GenerationEvent, EndEvent)
"""The data of each event."""

EVENTS: Final = "/api/v2/generate/events/{request_id}"
PICTURES: Final = "/pictures/{name}"

_EVENT_NAMES: Final = ", ".join(one.name for one in MODELS)
_SIGNATURE: Final = "the whole link, query included, is handed out by the API: use it as it is"


def describe(paths: dict[str, dict[str, Any]]) -> None:
    """Add them to the paths of the OpenAPI document, or complete them."""
    events = paths.setdefault(EVENTS, {}).setdefault("get", _watching())
    events["responses"]["200"] = _EVENTS
    paths.setdefault(PICTURES, {}).update(get=_DOWNLOAD, put=_UPLOAD)


_EVENTS: Final[dict[str, Any]] = {
    "description": f"Server-sent events, {_EVENT_NAMES}; the data of each is JSON",
    "content": {
        "text/event-stream": {
            "schema": {"type": "string"},
            "x-events": {
                one.name: {"$ref": f"#/components/schemas/{one.__name__}"} for one in MODELS
            },
        }
    },
}


def _refused(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/RequestError"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _in_path(name: str, description: str) -> dict[str, Any]:
    where = {"name": name, "in": "path", "required": True, "description": description}
    return where | {"schema": {"type": "string"}}


def _watching() -> dict[str, Any]:
    return {
        "operationId": "get_api_v2_generate_events_request_id",
        "summary": "Watch a request: position, job states and pictures are pushed as they change.",
        "parameters": [_in_path("request_id", "the request's id")],
        "responses": {"404": _refused("Not Found")},
        "security": [],
    }


_WEBP: Final = {"image/webp": {"schema": {"type": "string", "contentMediaType": "image/webp"}}}

_DOWNLOAD: Final[dict[str, Any]] = {
    "operationId": "get_pictures_name",
    "summary": "Fetch a picture by the link that a status, an event or a pop has.",
    "parameters": [_in_path("name", _SIGNATURE)],
    "responses": {
        "200": {"description": "The picture", "content": _WEBP},
        "403": _refused("Forbidden"),
        "404": _refused("Not Found"),
    },
    "security": [],
}
_UPLOAD: Final[dict[str, Any]] = {
    "operationId": "put_pictures_name",
    "summary": "Upload a picture by a link from a pop, before its job is submitted.",
    "parameters": [_in_path("name", _SIGNATURE)],
    "requestBody": {"required": True, "content": _WEBP},
    "responses": {
        "200": {"description": "It is stored; the body is empty"},
        "400": _refused("Bad Request: it is not a picture"),
        "403": _refused("Forbidden"),
        "409": _refused("Conflict: the job is over"),
        "413": _refused("Content Too Large"),
        "429": _refused("Too Many Requests: others of this address are in progress"),
        "503": _refused("Service Unavailable: it cannot be decoded or stored at present"),
    },
    "security": [],
}
