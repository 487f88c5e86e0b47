"""Each shape of the wire against the contract: same fields, types, choices, ranges, defaults."""

import copy

import pytest

from core.wire.model import Answer, Request

PATHS = (
    "generate/async",
    "generate/check/{id}",
    "generate/status/{id}",
    "generate/pop",
    "generate/submit",
    "generate/text/async",
    "generate/text/status/{id}",
    "generate/text/pop",
    "generate/text/submit",
    "interrogate/async",
    "interrogate/status/{id}",
    "interrogate/pop",
    "interrogate/submit",
    "find_user",
    "users/{user_id}",
    "workers",
    "workers/{worker_id}",
    "workers/name/{worker_name}",
    "status/heartbeat",
    "status/models",
    "status/performance",
)
METHODS = {"users/{user_id}": {"GET"}, "workers/{worker_id}": {"GET"}}

# Requests take more, or answers are read more liberally, than one class could say.
READ_AS = {
    "GenerationMetadataStable": "ReportedMetadata",
    "GenerationMetadataKobold": "ReportedMetadataKobold",
}
FREE_OBJECTS = {
    "ModelSpecialPayloadStable",
    "ModelInterrogationFormPayloadStable",
    "InterrogationFormResult",
}
# Their codes are those of the domain's refusals, which grow; validation errors have none.
WITHOUT_CODES = {"RequestError", "RequestValidationError"}
OURS = {
    "PopInputStable": {"wait"},
    "PopInputKobold": {"wait"},
    "InterrogationPopInput": {"wait"},
    "InterrogationPopPayload": {"messages"},
    # These two are read, though the schema does not name them.
    "SubmitInputKobold": {"seed"},
    "ModelInterrogationInputStable": {"trusted_workers"},
}

TYPES = {
    "string": "string",
    "integer": "integer",
    "float": "number",
    "boolean": "boolean",
    "list": "array",
    "object": "object",
    "map": "object",
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
}
FILLED = {
    "ModelGenerationInputStable": "image_params",
    "ModelPayloadRootStable": "image_params",
    "ModelPayloadStyleStable": "image_params",
    "ModelGenerationInputKobold": "text_params",
    "ModelPayloadRootKobold": "text_params",
}
PROSE = {"steps", "seed"}


def served(contract):
    """Names of the shapes that the operations of PATHS use, and of those inside them."""
    names = {"RequestError", "RequestValidationError"}
    for operation in contract["operations"]:
        path = operation["path"].removeprefix("/api/v2/")
        if path not in PATHS or operation["method"] not in METHODS.get(path, {operation["method"]}):
            continue
        answers = [a for a in operation["success"].values() if not isinstance(a, dict)]
        names |= {a[0] if isinstance(a, list) else a for a in answers}
        names |= {operation["request_model"]} - {None}
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


def differences(contract, name, model):
    """Say how a class differs from the contract's shape of that name."""
    fields = contract["models"][name]["fields"]
    if name in WITHOUT_CODES:
        fields = {field: rules for field, rules in fields.items() if field != "rc"}
    schema = model.model_json_schema(by_alias=True)
    properties = schema["properties"]
    yield from (f"{name}.{field} is missing" for field in fields.keys() - properties.keys())
    extra = properties.keys() - fields.keys() - OURS.get(name, set()) - {"rc"}
    yield from (f"{name}.{field} is not in the contract" for field in extra)
    for field, rules in fields.items():
        if field not in properties:
            continue
        found = dict(unwrapped(properties[field]))
        yield from different_values(f"{name}.{field}", rules, found, issubclass(model, Request))
        if issubclass(model, Request):
            yield from different_presence(contract, name, model, field)
        elif "default" in rules and not is_required(model, field):
            default = default_of(model, field)
            if default != rules["default"]:
                yield f"{name}.{field} defaults to {default!r}, not {rules['default']!r}"


def unwrapped(schema):
    """The schema of what is there: null aside, since the endpoint decides on that."""
    inner = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    assert len(inner) == 1, schema
    return inner[0]


def different_values(path, rules, found, is_request):
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
    if sorted(enumeration) != sorted(rules.get("enum", [])):
        yield f"{path} is one of {enumeration}, not of {rules.get('enum')}"
    for theirs, ours in (RANGES if is_request else {"format": "format"}).items():
        if rules.get(theirs) != found.get(ours):
            yield f"{path} has {ours} {found.get(ours)}, not {rules.get(theirs)}"
    if rules["type"] == "list":
        items = unwrapped(found["items"])
        yield from different_values(f"{path}[]", rules["items"], items, is_request)


def field_info(model, wire_name):
    return next(
        info
        for name, info in model.model_fields.items()
        if (info.serialization_alias or name) == wire_name
    )


def is_required(model, wire_name):
    return field_info(model, wire_name).is_required()


def default_of(model, wire_name):
    return field_info(model, wire_name).get_default(call_default_factory=True, validated_data={})


def different_presence(contract, name, model, field):
    """Whether a request needs the field, and what it stands for where it is absent."""
    rules = contract["models"][name]["fields"][field]
    parsed = contract["request_argument_defaults"].get(PARSER.get(name), {}).get(field, {})
    wanted = bool(rules.get("required") or parsed.get("required"))
    if is_required(model, field) != wanted:
        yield f"{name}.{field} is {'' if wanted else 'not '}required in the contract"
    if wanted or is_required(model, field):
        return
    default = default_of(model, field)
    effective = parsed.get("default", rules.get("default"))
    if name in FILLED and field not in PROSE:
        effective = contract["server_filled_defaults"][FILLED[name]].get(field, effective)
    if effective is None:
        empty = default is None or default == [] or isinstance(default, Request)
        if not empty:
            yield f"{name}.{field} has the default {default!r}"
    elif default != effective or isinstance(default, bool) != isinstance(effective, bool):
        yield f"{name}.{field} defaults to {default!r}, not {effective!r}"


def test_there_is_a_class_for_each_shape_that_is_served(contract, wire_classes):
    wanted = served(contract)
    assert len(wanted) > 30
    assert wanted - wire_classes.keys() == FREE_OBJECTS


def test_each_class_is_what_the_contract_says(contract, wire_classes):
    shared = wire_classes.keys() & contract["models"].keys()
    found = [
        text for name in sorted(shared) for text in differences(contract, name, wire_classes[name])
    ]
    assert found == []


def test_liberal_shapes_have_the_fields_of_the_strict_ones(contract, wire_classes):
    for strict, liberal in READ_AS.items():
        assert list(differences(contract, strict, wire_classes[liberal])) == []
        assert issubclass(wire_classes[liberal], Answer)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("RequestStatusCheck", lambda fields: fields.pop("kudos")),
        ("RequestStatusCheck", lambda fields: fields.update(more={"type": "integer"})),
        ("RequestStatusCheck", lambda fields: fields["kudos"].update(type="integer")),
        ("RequestStatusCheck", lambda fields: fields["is_possible"].update(default=False)),
        ("ModelGenerationInputStable", lambda fields: fields["n"].update(max=21)),
        ("ModelGenerationInputStable", lambda fields: fields["width"].update(multiple_of=8)),
        ("ModelGenerationInputStable", lambda fields: fields["post_processing"].pop("unique")),
        ("ModelGenerationInputStable", lambda fields: fields["sampler_name"]["enum"].pop()),
        ("ModelGenerationInputStable", lambda fields: fields["tiling"].update(default=True)),
        ("ModelPayloadLorasStable", lambda fields: fields["name"].pop("required")),
        ("GenerationInputStable", lambda fields: fields["params"].update(model="ModelPayload")),
        ("PopInputStable", lambda fields: fields["models"]["items"].update(min_length=4)),
    ],
)
def test_a_difference_is_seen(contract, wire_classes, name, change):
    changed = copy.deepcopy(contract)
    change(changed["models"][name]["fields"])
    assert len(list(differences(changed, name, wire_classes[name]))) == 1
