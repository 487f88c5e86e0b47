"""Requests against a second reading of the contract: what is wrong is refused, all at once."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import shapes
from core.wire.validation import InvalidBody, parse

REQUESTS = (
    "GenerationInputStable",
    "PopInputStable",
    "SubmitInputStable",
    "GenerationInputKobold",
    "ModelInterrogationInputStable",
)
REQUIRED_BY_PARSER = {
    ("GenerationInputKobold", "prompt"),
    ("ModelInterrogationInputStable", "source_image"),
    ("PopInputStable", "name"),
    ("SubmitInputStable", "generation"),
}
FREE_OBJECTS = {"ModelSpecialPayloadStable", "ModelInterrogationFormPayloadStable"}


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


IS_OF_TYPE = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: is_number(value) and value == int(value),
    "float": is_number,
    "list": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def refused(models, rules, value, path):
    """Paths of everything in a value that breaks the contract's rules for it."""
    if not IS_OF_TYPE[rules["type"]](value):
        yield path
    elif rules["type"] == "object":
        if rules["model"] not in FREE_OBJECTS:
            yield from refused_fields(models, rules["model"], value, f"{path}.")
    elif rules["type"] == "list":
        inner = [
            at
            for index, item in enumerate(value)
            for at in refused(models, rules["items"], item, f"{path}.{index}")
        ]
        yield from inner
        if not inner and rules.get("unique") and len(value) != len({str(item) for item in value}):
            yield path
    elif "enum" in rules and value not in rules["enum"]:
        yield path
    elif rules["type"] == "string":
        if not rules.get("min_length", 0) <= len(value) <= rules.get("max_length", len(value)):
            yield path
    elif is_number(value) and (
        not rules.get("min", value) <= value <= rules.get("max", value)
        or value % rules.get("multiple_of", value or 1)
    ):
        yield path


def refused_fields(models, name, value, prefix=""):
    for field, rules in models[name]["fields"].items():
        if field in value:
            least = {"min_length": 0} if f"{name}.{field}" in shapes.TAKEN_IF_SHORT else {}
            yield from refused(models, rules | least, value[field], f"{prefix}{field}")
        elif rules.get("required") or (name, field) in REQUIRED_BY_PARSER:
            yield f"{prefix}{field}"


def values(models, rules):
    """Right values, values at and beyond the limits, and values of every wrong type."""
    limits = [rules[key] for key in ("min", "max") if key in rules]
    lengths = [rules[key] for key in ("min_length", "max_length") if key in rules]
    near = [limit + by for limit in limits for by in (-1, 0, 1)]
    near += ["x" * max(0, length + by) for length in lengths for by in (-1, 0, 1)]
    choices = [
        st.sampled_from([None, True, False, 0, 1, 64, 64.0, 64.5, -3, "", "5", [], {}, "text"]),
        st.sampled_from([*near, *rules.get("enum", []), 1.0]),
    ]
    if rules["type"] == "list":
        choices += [st.lists(values(models, rules["items"]), max_size=3)] * 2
    elif "model" in rules and rules["model"] not in FREE_OBJECTS:
        choices += [bodies(models, rules["model"])] * 2
    return st.one_of(choices)


def bodies(models, name):
    fields = models[name]["fields"]
    unknown = {"unknown": st.just({"anything": None})}
    wanted = {field: values(models, rules) for field, rules in fields.items()}
    return st.fixed_dictionaries({}, optional=wanted | unknown)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_body_is_refused_where_the_contract_refuses_it(contract, wire_classes, name):
    models = contract["models"]
    outcomes = {"taken": 0, "refused": 0}

    @settings(max_examples=300, deadline=None)
    @given(bodies(models, name))
    def holds(body):
        try:
            parse(wire_classes[name], json.dumps(body).encode())
            found = set()
        except InvalidBody as error:
            found = set(error.errors)
        assert found == set(refused_fields(models, name, body))
        outcomes["refused" if found else "taken"] += 1

    holds()
    assert outcomes["refused"] > 10  # it said something at all


@pytest.mark.parametrize("name", REQUESTS)
def test_a_field_that_is_right_is_taken(contract, wire_classes, name):
    models = contract["models"]
    least = {
        "prompt": "x",
        "name": "x",
        "id": "x",
        "generation": "R2",
        "seed": 1,
        "source_image": "x",
    }
    least = {field: value for field, value in least.items() if field in models[name]["fields"]}
    taken = 0

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def holds(data):
        nonlocal taken
        field = data.draw(st.sampled_from(sorted(models[name]["fields"])))
        body = least | {field: data.draw(values(models, models[name]["fields"][field]))}
        if any(refused_fields(models, name, body)):
            return
        read = parse(wire_classes[name], json.dumps(body).encode())
        assert read.model_fields_set == body.keys()
        taken += 1

    holds()
    assert taken > 10  # not everything was refused
