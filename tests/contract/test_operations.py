"""Each operation of the contract that is served: what it takes, and what it really answers."""

import copy

import pytest
import pytest_asyncio
from sqlalchemy import update

import pictures
import serving
from core.users.tables import Role, User
from core.workers.tables import Worker
from shapes import OURS

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVED = {
    ("POST", "generate/async"),
    ("GET", "generate/check/{id}"),
    ("GET", "generate/status/{id}"),
    ("DELETE", "generate/status/{id}"),
    ("POST", "generate/pop"),
    ("POST", "generate/submit"),
    ("GET", "find_user"),
    ("GET", "users/{user_id}"),
    ("GET", "workers"),
    ("GET", "workers/{worker_id}"),
    ("GET", "workers/name/{worker_name}"),
    ("GET", "status/heartbeat"),
    ("GET", "status/performance"),
    ("GET", "status/models"),
    ("GET", "status/models/{model_name}"),
    ("GET", "status/modes"),
    ("PUT", "status/modes"),
    ("GET", "filters"),
    ("PUT", "filters"),
    ("POST", "filters"),
    ("GET", "filters/regex"),
    ("GET", "filters/{filter_id}"),
    ("PATCH", "filters/{filter_id}"),
    ("DELETE", "filters/{filter_id}"),
    ("GET", "operations/ipaddr"),
    ("POST", "operations/ipaddr"),
    ("DELETE", "operations/ipaddr"),
    ("GET", "operations/ipaddr/{ipaddr}"),
    ("PUT", "operations/block_worker_ipaddr/{worker_id}"),
    ("DELETE", "operations/block_worker_ipaddr/{worker_id}"),
}

# What a field is in JSON as Python reads it.
TYPES = {
    "string": str,
    "integer": int,
    "float": float,
    "boolean": bool,
    "list": list,
    "object": dict,
    "map": dict,
    "datetime": str,
}

# Fields that these answers may lack, by shape: they are for another kind of worker, or for what
# the server has not got yet. Everything else is in at least one captured answer.
NEVER = {
    "UserDetails": {"proxy_passkey"},
    "WorkerDetails": {
        "forms",
        "ipaddr",
        "max_length",
        "max_context_length",
        "tokens_generated",
        "messages",
    },
    "ModelPayloadStable": {
        "extra_texts",
        "special",
        "workflow",
        "control_type",
        "seed_variation",
        "hires_fix_denoising_strength",
    },
    "NoValidRequestFoundStable": {"blacklist", "kudos", "max_pixels", "step_count"},
    "UserActiveGenerations": {"alchemy"},
    "MonthlyKudos": {"last_received"},
    "GenerationMetadataStable": set(),
}
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

PARAMS = {
    **serving.SMALL,
    "sampler_name": "lcm",
    "clip_skip": 2,
    "denoising_strength": 0.5,
    "facefixer_strength": 0.5,
    "post_processing": ["GFPGAN"],
    "loras": [{"name": "a", "inject_trigger": "b"}],
    "tis": [{"name": "a", "inject_ti": "prompt"}],
}
ASKED = {
    "prompt": "a red fox",
    "nsfw": False,
    "source_image": pictures.SOURCE,
    "source_mask": pictures.MASK,
    "source_processing": "inpainting",
    "params": PARAMS,
}
REGEN = "AI Horde Worker reGen:13:https://example.com"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def answers(server):
    """Real answers, by operation; several of one where they differ by who asks."""
    caught = {}

    async def call(method, path, body=None, *, key=None, **values):
        answer = await server.call(method, "/" + path.format(**values), body, key=key)
        assert answer.is_success, answer.text
        caught.setdefault((method, path), []).append((answer.status_code, answer.json()))
        return answer.json()

    mod = int(Role.MODERATOR | Role.CUSTOMIZER)
    shop = await serving.open_shop(server, roles=mod)
    key, asking = shop.owner.key, {**ASKED, "models": [shop.name]}
    await describe_people(server, shop)
    asked = await call("POST", "generate/async", asking, key=key)
    request = asked["id"]
    await call("POST", "generate/async", {**asking, "dry_run": True}, key=key)
    offered = serving.offer(name=shop.name, models=[shop.name], bridge_agent=REGEN, allow_lora=True)
    await call("GET", "status/models")
    popped = await call("POST", "generate/pop", offered, key=key)
    await call("POST", "generate/pop", offered, key=key)
    await describe_people(server, shop)
    await call("GET", "find_user", key=key)
    await call("GET", "users/{user_id}", user_id=shop.owner.id)
    await call("GET", "users/{user_id}", user_id=shop.owner.id, key=key)
    await server.http.put(popped["r2_upload"], content=pictures.WEBP)
    said = [{"type": "lora", "value": "download_failed", "ref": "a"}]
    result = {"id": popped["id"], "generation": "R2", "seed": 1, "gen_metadata": said}
    await call("POST", "generate/submit", result, key=key)
    for path in ("generate/check/{id}", "generate/status/{id}"):
        await call("GET", path, id=request)
    await call("DELETE", "generate/status/{id}", id=request)
    (worker,) = await call("GET", "workers", key=key)
    await call("GET", "workers/{worker_id}", worker_id=worker["id"], key=key)
    await call("GET", "workers/name/{worker_name}", worker_name=shop.name)
    await call("GET", "status/heartbeat")
    await call("GET", "status/performance")
    await call("GET", "status/models/{model_name}", model_name=shop.name)
    await moderate(call, key, worker["id"])
    return caught


async def moderate(call, key, worker_id):
    """Change filters, addresses and modes, and leave them as they were."""
    added = {"regex": "fox", "filter_type": 29, "description": "foxes", "replacement": "wolf"}
    made = (await call("PUT", "filters", added, key=key))["id"]
    await call("GET", "filters", key=key)
    await call("POST", "filters", {"prompt": "a child"}, key=key)
    await call("GET", "filters/regex", key=key)
    await call("GET", "filters/{filter_id}", key=key, filter_id=made)
    await call("PATCH", "filters/{filter_id}", {"regex": "wolf"}, key=key, filter_id=made)
    await call("DELETE", "filters/{filter_id}", key=key, filter_id=made)
    network = "203.0.113.0/24"
    await call("POST", "operations/ipaddr", {"ipaddr": network, "hours": 1}, key=key)
    await call("GET", "operations/ipaddr", key=key)
    await call("GET", "operations/ipaddr/{ipaddr}", key=key, ipaddr="203.0.113.7")
    await call("DELETE", "operations/ipaddr", {"ipaddr": network}, key=key)
    block = "operations/block_worker_ipaddr/{worker_id}"
    await call("PUT", block, {"days": 1}, key=key, worker_id=worker_id)
    await call("DELETE", block, key=key, worker_id=worker_id)
    for raid in (True, False):
        await call("PUT", "status/modes", {"raid_mode": raid}, key=key)
    await call("GET", "status/modes", key=key)
    await call("GET", "status/modes")


async def describe_people(server, shop):
    """Give user and worker what clients cannot give them yet."""
    users, workers = User.__table__, Worker.__table__
    said = {"contact": "me@example.com", "admin_comment": "kind", "monthly_kudos": 100}
    said["public_workers"] = True
    async with server.database.writing() as session:
        await session.execute(update(users).where(users.c.id == shop.owner.id).values(**said))
        named = workers.c.name == shop.name
        await session.execute(update(workers).where(named).values(info="a fox's den"))


def operations(contract):
    for operation in contract["operations"]:
        path = operation["path"].removeprefix("/api/v2/")
        if (operation["method"], path) in SERVED:
            yield (operation["method"], path), operation


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
    extra = data.keys() - fields.keys() - OURS.get(name, set())
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
    elif rules["type"] == "object" and "model" in rules:
        fields = contract["models"][rules["model"]]["fields"]
        yield from differences(contract, path, fields, value, rules["model"], seen)
    elif "enum" in rules and value not in rules["enum"]:
        yield f"{path} is {value!r}, not one of {rules['enum']}"


def all_differences(contract, answers):
    """Differences of all captured answers, and the fields that none of them has."""
    seen = {}
    for key, operation in operations(contract):
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
    assert {key for key, _ in operations(contract)} == SERVED == answers.keys()
    for key, operation in operations(contract):
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
    for (method, path), operation in operations(contract):
        if (shape := operation["request_model"]) is None:
            continue
        fields = contract["models"][shape]["fields"]
        whole = {name: example(contract, rules) for name, rules in fields.items()}
        needed = {"prompt": "x", "name": "x", "id": "x", "generation": "R2", "seed": 1}
        base = {name: value for name, value in needed.items() if name in fields}
        base |= {name: whole[name] for name in fields.keys() - base if fields[name].get("required")}
        bodies = [whole, *({**base, name: whole[name]} for name in fields)]
        for body in bodies:
            answer = await server.call(method, f"/{path}", body, key="an unknown key")
            assert "errors" not in answer.json(), (body, answer.text)
            checked += 1
    assert checked > 50


async def test_each_query_argument_is_described(contract, server):
    document = (await server.http.get("/api/swagger.json")).json()
    for (method, path), operation in operations(contract):
        described = document["paths"][f"/api/v2/{named(path, document)}"][method.lower()]
        named_in_query = {each["name"] for each in described["parameters"] if each["in"] == "query"}
        assert operation["query"].keys() <= named_in_query, path


def named(path, document):
    """The same path with the names that our routes have for its parameters."""
    pattern = [part if "{" not in part else None for part in path.split("/")]
    for ours in document["paths"]:
        parts = ours.removeprefix("/api/v2/").split("/")
        if [part if "{" not in part else None for part in parts] == pattern:
            return "/".join(parts)
    raise AssertionError(f"{path} is not described")
