"""The written contract's shapes, and how a JSON Schema of ours differs from one of them.

The schemas are those of the wire's classes and those of the OpenAPI document.
"""

import json
import re
from pathlib import Path

CONTRACT = Path(__file__).parent / "contract" / "models.json"
PREFIX = "/api/v2/"

# What is read or sent more liberally than the contract's shape of that name says.
READ_AS = {
    "GenerationMetadataStable": "ReportedMetadata",
    "GenerationMetadataKobold": "ReportedMetadataKobold",
}
FREE_OBJECTS = {
    "ModelSpecialPayloadStable",
    "ModelInterrogationFormPayloadStable",
    "InterrogationFormResult",
}
# The contract takes any text; we send these alone.
CHOSEN = {"Newspiece.importance"}
# Their codes are those of the domain's refusals, which grow; validation errors have none.
WITHOUT_CODES = {"RequestError", "RequestValidationError"}
OURS = {
    "PopInputStable": {"allow_censoring", "also", "wait"},
    "PopInputKobold": {"allow_chat", "wait"},
    "ModelGenerationInputKobold": {"chat"},
    "ModelPayloadKobold": {"chat"},
    "ModelPayloadStyleKobold": {"chat"},
    "ModelStyleInputParamsKobold": {"chat"},
    "ModelPayloadRootKobold": {"chat"},
    "InterrogationPopInput": {"also", "wait"},
    "InterrogationPopPayload": {"messages"},
    "HordeModes": {"anonymous_mode"},
    None: {"kudos_exact"},  # the answer to a dry run has no name
    "RequestAsync": {"kudos_exact", "repeated"},
    "RequestStatusCheck": {"kudos_exact", "faults"},
    "RequestStatusStable": {"kudos_exact", "faults"},
    "RequestStatusKobold": {"kudos_exact", "faults"},
    "SubmitInput": {"reason"},
    "SubmitInputStable": {"reason"},
    "InterrogationSubmitInput": {"reason"},
    "InterrogationFormStatus": {"faults", "reason"},
    # These two are read, though the schema does not name them.
    "SubmitInputKobold": {"seed", "reason"},
    "ModelInterrogationInputStable": {"trusted_workers"},
}
# What is longer than anything that is useful is refused, whatever the contract says.
LIMITS = {"maxLength", "maximum"}
# Names of a letter or two are taken, and an empty picture is none.
TAKEN_IF_SHORT = {"ExtraSourceImage.image", "SharedKeyInput.name"}

TYPES = {
    "string": "string",
    "integer": "integer",
    "float": "number",
    "boolean": "boolean",
    "list": "array",
    "object": "object",
    "map": "object",
    "any": "object",  # of the statistics by model: the contract's prose says a map
    "datetime": "string",
}
RANGES = {
    "min": "minimum",
    "max": "maximum",
    "min_length": "minLength",
    "max_length": "maxLength",
    "multiple_of": "multipleOf",
    "unique": "uniqueItems",
}

# Where the contract says which values the server really uses for what a request leaves out.
PARSER = {
    "GenerationInputStable": "image_generate_async",
    "PopInput": "image_pop",
    "PopInputStable": "image_pop",
    "SubmitInput": "image_submit",
    "SubmitInputStable": "image_submit",
    "GenerationInputKobold": "text_generate_async",
    "PopInputKobold": "text_pop",
    "SubmitInputKobold": "text_submit",
    "ModelInterrogationInputStable": "interrogate_async",
    "InterrogationPopInput": "interrogate_pop",
    "ModelStyleInputStable": "style_post_and_patch",
}
FILLED = {
    "ModelGenerationInputStable": "image_params",
    "ModelPayloadRootStable": "image_params",
    "ModelPayloadStyleStable": "image_params",
    "ModelGenerationInputKobold": "text_params",
    "ModelPayloadRootKobold": "text_params",
}
PROSE = {"steps", "seed"}


def load():
    """The contract as it is written down."""
    return json.loads(CONTRACT.read_text())


def operations(contract):
    """Every operation by method and path (below /api/v2/)."""
    return {
        (operation["method"], operation["path"].removeprefix(PREFIX)): operation
        for operation in contract["operations"]
    }


def pattern(path):
    """The path without the names of its parameters: ours differ."""
    return re.sub(r"{[^}]+}", "{}", path)


def answered(operation):
    """By status: the name of the answer's shape, None without one, and whether it is a list."""
    for status, shape in operation["success"].items():
        listed = isinstance(shape, list)
        name = shape[0] if listed else shape
        yield status, None if isinstance(name, dict) else name, listed


def used(contract):
    """Names of the shapes that operations use, and of those inside them."""
    names = {"RequestError", "RequestValidationError"}
    for operation in operations(contract).values():
        names |= {operation["request_model"], *(name for _, name, _ in answered(operation))}
    return closure(contract, names - {None})


def requests(contract):
    """Names of the shapes that requests have, and of those inside them."""
    names = {operation["request_model"] for operation in operations(contract).values()}
    return closure(contract, names - {None})


def closure(contract, names):
    """The shapes of these names and those inside them."""
    while True:
        inner = {
            part["model"]
            for name in names
            for field in contract["models"][name]["fields"].values()
            for part in (field, field.get("items", {}))
            if "model" in part
        }
        if inner <= names:
            return names
        names |= inner


def different_fields(contract, name, schema, *, is_request):
    """Say how a schema's fields differ from those of the contract's shape of that name.

    is_request: ranges count too. Answers are what they are; nobody refuses them.
    """
    fields = fields_of(contract, name)
    properties = schema.get("properties", {})
    yield from (f"{name}.{field} is missing" for field in fields.keys() - properties.keys())
    extra = properties.keys() - fields.keys() - OURS.get(name, set()) - {"rc"}
    yield from (f"{name}.{field} is not in the contract" for field in extra)
    for field in fields.keys() & properties.keys():
        found = unwrapped(properties[field])
        yield from different_values(f"{name}.{field}", fields[field], found, is_request)


def different_presence(contract, name, field, *, required, default):
    """Say how a request's field differs in whether it must be there, and what it stands for if not.

    default: None where there is none, or an empty one.
    """
    wanted, effective = presence(contract, name, field)
    if required != wanted:
        yield f"{name}.{field} is {'' if wanted else 'not '}required in the contract"
    elif not required and (default, type(default)) != (effective, type(effective)):
        same_number = not isinstance(default, bool) and not isinstance(effective, bool)
        if not (same_number and default == effective):
            yield f"{name}.{field} defaults to {default!r}, not {effective!r}"


def presence(contract, name, field):
    """Whether a request needs the field; what the server uses without it, None where nothing."""
    rules = contract["models"][name]["fields"][field]
    parsed = contract["request_argument_defaults"].get(PARSER.get(name), {}).get(field, {})
    effective = parsed.get("default", rules.get("default"))
    if name in FILLED and field not in PROSE:
        effective = contract["server_filled_defaults"][FILLED[name]].get(field, effective)
    required = bool(rules.get("required") or parsed.get("required"))
    return required, None if effective == [] else effective


def fields_of(contract, name):
    """The fields of a shape, those aside whose values are the domain's."""
    fields = contract["models"][name]["fields"]
    if name in WITHOUT_CODES:
        return {field: rules for field, rules in fields.items() if field != "rc"}
    return fields


def unwrapped(schema):
    """The schema of what is there: null aside, since the endpoint decides on that."""
    inner = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    assert len(inner) == 1, schema
    return inner[0]


def different_values(path, rules, found, is_request):
    """Say how a value's schema differs from the contract's rules for it."""
    if "$ref" in found:
        referred = found["$ref"].rpartition("/")[2]
        if referred not in {rules.get("model"), READ_AS.get(rules.get("model"))}:
            yield f"{path} is a {referred}, not a {rules.get('model')}"
        return
    if rules.get("model") not in FREE_OBJECTS | {None}:
        yield f"{path} is not a {rules['model']}"
    if found.get("type") != TYPES[rules["type"]]:
        yield f"{path} is {found.get('type')}, not {rules['type']}"
    enumeration = found.get("enum", [found["const"]] if "const" in found else [])
    if path not in CHOSEN and sorted(enumeration) != sorted(rules.get("enum", [])):
        yield f"{path} is one of {enumeration}, not of {rules.get('enum')}"
    for theirs, ours in (RANGES if is_request else {"format": "format"}).items():
        if theirs not in rules and ours in LIMITS:
            continue  # of ours, where the contract has none: `test_limits` has them all
        if rules.get(theirs) != found.get(ours) and path not in TAKEN_IF_SHORT:
            yield f"{path} has {ours} {found.get(ours)}, not {rules.get(theirs)}"
    if rules["type"] == "list":
        items = unwrapped(found["items"])
        yield from different_values(f"{path}[]", rules["items"], items, is_request)
