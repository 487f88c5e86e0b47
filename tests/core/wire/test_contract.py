"""Each shape of the wire against the contract: same fields, types, choices, ranges, defaults."""

import copy

import pytest

import shapes
from core.wire.model import Answer, Request


def differences(contract, name, model):
    """Say how a class differs from the contract's shape of that name."""
    is_request = issubclass(model, Request)
    schema = model.model_json_schema(by_alias=True)
    yield from shapes.different_fields(contract, name, schema, is_request=is_request)
    for field, rules in shapes.fields_of(contract, name).items():
        if field not in schema["properties"]:
            continue
        info = field_info(model, field)
        required, default = info.is_required(), default_of(info)
        if is_request:
            found = {"required": required, "default": default}
            yield from shapes.different_presence(contract, name, field, **found)
        elif "default" in rules and not required and default != default_in(rules):
            yield f"{name}.{field} defaults to {default!r}, not {rules['default']!r}"


def field_info(model, wire_name):
    return next(
        info
        for name, info in model.model_fields.items()
        if (info.serialization_alias or name) == wire_name
    )


def default_of(info):
    """What a field is where it is left out, None where that is nothing."""
    default = info.get_default(call_default_factory=True, validated_data={})
    return None if default == [] or isinstance(default, Request) else default


def default_in(rules):
    """The contract's default; of one text it says a number."""
    return str(rules["default"]) if rules["type"] == "string" else rules["default"]


def test_there_is_a_class_for_each_shape_that_is_served(contract, wire_classes):
    wanted = shapes.used(contract)
    assert len(wanted) >= 100
    assert wanted - wire_classes.keys() == shapes.FREE_OBJECTS


def test_each_class_is_what_the_contract_says(contract, wire_classes):
    there = shapes.used(contract) & wire_classes.keys()
    found = [
        text for name in sorted(there) for text in differences(contract, name, wire_classes[name])
    ]
    assert found == []


def test_liberal_shapes_have_the_fields_of_the_strict_ones(contract, wire_classes):
    for strict, liberal in shapes.READ_AS.items():
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
