"""Each operation of the contract: what it takes, and what it really answers."""

import copy

import pytest
import pytest_asyncio

import shapes
import visits

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What a field is in JSON as Python reads it.
TYPES = {
    "string": str,
    "integer": int,
    "float": float,
    "boolean": bool,
    "list": list,
    "object": dict,
    "map": dict,
    "any": dict,  # of the statistics by model: the prose says a map
    "datetime": str,
}

# Fields that these answers may lack, by shape. Everything else is in at least one captured answer.
NEVER = {
    "WorkerDetails": {"tokens_generated"},
    "ModelPayloadStable": {
        "extra_texts",
        "special",
        "workflow",
        "control_type",
        "seed_variation",
        "hires_fix_denoising_strength",
    },
    "ModelStyleInputParamsStable": {"special", "workflow"},
    # Counted only where they are above zero: test_pop, test_text, test_interrogate.
    "NoValidRequestFoundStable": {"blacklist", "kudos", "max_pixels", "step_count"},
    "NoValidRequestFoundKobold": {
        "bridge_version",
        "blacklist",
        "kudos",
        "matching_softprompt",
        "max_context_length",
        "max_length",
        "models",
        "nsfw",
        "performance",
        "untrusted",
        "worker_id",
    },
    "NoValidInterrogationsFound": {"bridge_version", "untrusted", "worker_id"},
    "RequestInterrogationResponse": {"message"},
    "UserActiveGenerations": {"alchemy"},
}
# A collection needs these, though its schema does not say so.
BY_RULE = {"name", "styles"}
# Answers in which every field is there, null or not.
WHOLE = {
    "RequestStatusCheck",
    "RequestStatusStable",
    "GenerationStable",
    "GenerationPayloadStable",
    "GenerationSubmitted",
    "HordePerformance",
    "ActiveModel",
    "UserKudosDetails",
    "UsageDetails",
    "ContributionsDetails",
    "UserRecords",
    "UserThingRecords",
    "UserAmountRecords",
    "WorkerKudosDetails",
    "TeamDetailsLite",
    "RequestSingleWarning",
    "FilterDetails",
    "FilterPromptSuspicion",
    "FilterRegex",
    "IPTimeout",
    "SimpleResponse",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def answers(server):
    """Real answers, by operation; several of one where they differ by who asks."""
    return await visits.everything(server)


def shape_of(contract, operation, status):
    """The fields of an answer, whether it is a list, and its shape's name."""
    shape = operation["success"][str(status)]
    if isinstance(shape, dict):
        fields = shape["fields"]
        if isinstance(fields, list):
            fields = dict.fromkeys(fields, "float")  # {kudos} of a dry run
        return {n: {"type": t.split()[0]} for n, t in fields.items()}, False, None
    name = shape[0] if isinstance(shape, list) else shape
    return contract["models"][name]["fields"], isinstance(shape, list), name


def differences(contract, path, fields, data, name, seen):
    """Say how an answer differs from its shape; `seen` gathers its fields by shape."""
    seen.setdefault(name, set()).update(data)
    extra = data.keys() - fields.keys() - shapes.OURS.get(name, set())
    yield from (f"{path}.{field} is not in the contract" for field in extra)
    if name in WHOLE or name is None:
        yield from (f"{path}.{field} is missing" for field in fields.keys() - data.keys())
    for field, value in data.items():
        if field in fields and value is not None:
            yield from different_value(contract, f"{path}.{field}", fields[field], value, seen)


def different_value(contract, path, rules, value, seen):
    if type(value) is not TYPES[rules["type"]]:
        yield f"{path} is {value!r}, not of type {rules['type']}"
    elif rules["type"] == "list":
        for number, one in enumerate(value):
            yield from different_value(contract, f"{path}.{number}", rules["items"], one, seen)
    elif rules["type"] == "object" and rules.get("model") not in shapes.FREE_OBJECTS | {None}:
        fields = contract["models"][rules["model"]]["fields"]
        yield from differences(contract, path, fields, value, rules["model"], seen)
    elif "enum" in rules and value not in rules["enum"]:
        yield f"{path} is {value!r}, not one of {rules['enum']}"


def all_differences(contract, answers):
    """Differences of all captured answers, and the fields that none of them has."""
    seen = {}
    for key, operation in shapes.operations(contract).items():
        for status, answer in answers[key]:
            fields, is_list, name = shape_of(contract, operation, status)
            assert isinstance(answer, list) == is_list, key
            for one in answer if is_list else [answer]:
                yield from differences(contract, f"{key[0]} {key[1]}", fields, one, name, seen)
    for name, found in seen.items():
        if name is not None:
            fields = contract["models"][name]["fields"].keys()
            yield from (
                f"no {name} has {field}" for field in fields - found - NEVER.get(name, set())
            )


async def test_every_operation_has_been_called(contract, answers):
    assert shapes.operations(contract).keys() == answers.keys()
    for key, operation in shapes.operations(contract).items():
        statuses = {str(status) for status, _ in answers[key]}
        assert statuses == operation["success"].keys(), key


async def test_real_answers_are_what_the_contract_says(contract, answers):
    assert list(all_differences(contract, answers)) == []


@pytest.mark.parametrize(
    ("operation", "spoil"),
    [
        (("GET", "generate/check/{id}"), lambda answer: answer.pop("kudos")),
        (("GET", "generate/check/{id}"), lambda answer: answer.update(kudos=1)),
        (("GET", "generate/check/{id}"), lambda answer: answer.update(done=1)),
        (("GET", "generate/check/{id}"), lambda answer: answer.update(more=1)),
        (("GET", "generate/status/{id}"), lambda answer: answer["generations"][0].pop("seed")),
        (("GET", "status/models/{model_name}"), lambda answer: answer[0].update(name=None, x=0)),
        (("GET", "status/heartbeat"), lambda answer: answer.pop("queue")),
        (("POST", "generate/submit"), lambda answer: answer.clear()),
    ],
)
async def test_a_difference_is_seen(contract, answers, operation, spoil):
    spoiled = copy.deepcopy(answers)
    for _, answer in spoiled[operation]:
        spoil(answer)
    assert list(all_differences(contract, spoiled))


@pytest.mark.parametrize(
    ("shape", "field"),
    [("UserDetails", "contact"), ("WorkerDetails", "info"), ("RequestAsync", "warnings")],
)
async def test_a_field_that_is_never_sent_is_seen(contract, answers, shape, field):
    spoiled = copy.deepcopy(answers)
    for several in spoiled.values():
        for _, answer in several:
            for one in answer if isinstance(answer, list) else [answer]:
                one.pop(field, None)
    assert f"no {shape} has {field}" in list(all_differences(contract, spoiled))


def example(contract, rules):
    """A value that the contract allows for a field."""
    if "enum" in rules:
        return rules["enum"][0]
    if rules["type"] == "list":
        return [example(contract, rules["items"])]
    simple = {
        "string": "x" * rules.get("min_length", 1),
        "integer": max(rules.get("min", 1), rules.get("multiple_of", 1)),
        "float": float(rules.get("max", 1)),
        "boolean": False,
    }
    if rules["type"] in simple:
        return simple[rules["type"]]
    fields = contract["models"].get(rules.get("model"), {"fields": {}})["fields"]
    return {name: example(contract, inner) for name, inner in fields.items()}


async def test_each_field_of_a_request_is_accepted_alone_and_with_all_others(contract, server):
    checked = 0
    for (method, path), operation in shapes.operations(contract).items():
        if (shape := operation["request_model"]) is None:
            continue
        fields = contract["models"][shape]["fields"]
        whole = {name: example(contract, rules) for name, rules in fields.items()}
        needed = {name for name in fields if shapes.presence(contract, shape, name)[0]}
        base = {name: whole[name] for name in needed | (BY_RULE & whole.keys())}
        bodies = [whole, *({**base, name: whole[name]} for name in fields)]
        for body in bodies:
            answer = await server.call(method, f"/{path}", body, key="an unknown key")
            assert "errors" not in answer.json(), (body, answer.text)
            checked += 1
    assert checked > 50


async def test_null_is_refused_for_each_field_of_a_request(contract, server):
    refused = 0
    for (method, path), operation in shapes.operations(contract).items():
        if not operation["schema_validated"]:
            continue
        for name in contract["models"][operation["request_model"]]["fields"]:
            answer = await server.call(method, f"/{path}", {name: None}, key="an unknown key")
            assert (answer.status_code, name in answer.json()["errors"]) == (400, True), path
            refused += 1
    assert refused > 150
