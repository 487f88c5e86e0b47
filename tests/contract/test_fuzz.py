"""Whatever is sent, the server answers what it says of itself, and never half does a thing.

A real server process on each engine, and requests that schemathesis makes from its own description:
right ones and wrong ones. Each run makes the same.
"""

import asyncio
import contextlib
import sqlite3
from http import HTTPStatus

import asyncpg
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks

import databases as clones
import pictures
import serving
import shapes

EXAMPLES = {"GET": 6, "POST": 30, "PUT": 15, "PATCH": 15, "DELETE": 6}
EXAMPLES_LONG = 300
# Of a likely request: which field is a generated one; of half of the requests nothing is likely.
WHOLE = -1
MASKED = st.sampled_from([True, False, False, False])
LIKELY = [*[None] * 30, *[WHOLE] * 6, *range(24)]
# What a refused request for work must not leave: part of it.
WATCHED = ("requests", "jobs", "attempts", "ledger_events", "ledger_entries", "ledger_holds")
HALF_WRITTEN = {
    "requests without a job": "select count(*) from requests r where not exists "
    "(select 1 from jobs j where j.request_id = r.id)",
    "events that do not sum to zero": "select count(*) from (select event_id from ledger_entries "
    "group by event_id having sum(amount) <> 0)",
}
# What there is goes last.
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
OPERATIONS = sorted(shapes.operations(shapes.load()), key=lambda key: METHODS.index(key[0]))
POP = {"name": "Another", "models": ["Deliberate"], "bridge_agent": serving.WORKER}
# Right bodies, of which one field at a time becomes another.
RIGHT = {
    "generate/async": {"prompt": "a red fox", "params": serving.SMALL},
    "generate/pop": POP,
    "generate/text/async": {"prompt": "Once upon a time", "params": {"max_length": 16}},
    "generate/text/pop": POP | {"name": "A scribe"},
    "interrogate/async": {"source_image": pictures.SOURCE, "forms": [{"name": "caption"}]},
    "interrogate/pop": POP | {"name": "An alchemist", "forms": ["caption"]},
    "kudos/transfer": {"username": "Moderator#2", "amount": 1},
    "sharedkeys": {"name": "A key", "kudos": 1},
    "workers/messages": {"message": "Hello", "worker_id": "the one that is there"},
}


@contextlib.contextmanager
def counting(url):
    """Looks into a server's database, past the server: a function from a query to its number."""
    if url.startswith("sqlite"):
        path = url.removeprefix("sqlite+aiosqlite:///")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            yield lambda query: database.execute(query).fetchone()[0]
    else:
        with asyncio.Runner() as loop:
            database = loop.run(asyncpg.connect(url.replace("+asyncpg", "")))
            yield lambda query: loop.run(database.fetchval(query))
            loop.run(database.close())


class World:
    """A server with something of everything, and the ids of that."""

    def __init__(self, server, count):
        self.url = server.url
        self.session = requests.Session()
        self.owner = server.user("Owner", oauth_id="g_fuzz", trusted=True, kudos=100_000)
        roles = {"moderator": True, "trusted": True}
        self.moderator = server.user("Moderator", oauth_id="g_fuzz_moderator", **roles)
        self.count = count
        self.known = dict(self._furnish())

    def counts(self):
        return {name: self.count(f"select count(*) from {name}") for name in WATCHED}  # noqa: S608

    def close(self):
        self.session.close()

    def _furnish(self):
        yield "user_id", self.owner.id
        pop = {**serving.offer(name="Fuzzed"), "models": ["stable_diffusion"]}
        self._call("POST", "generate/pop", pop)
        asked = {"prompt": "a red fox", "models": [], "params": {"n": 3, **serving.SMALL}}
        request = self._call("POST", "generate/async", asked)
        yield from dict.fromkeys(("id", "request_id"), request["id"]).items()
        yield "worker_id", self._call("GET", "workers/name/Fuzzed", None)["id"]
        yield "team_id", self._call("POST", "teams", {"name": "Fuzzed", "info": "a team"})["id"]
        key = self._call("PUT", "sharedkeys", {"name": "Fuzzed", "kudos": 100})
        yield "sharedkey_id", key["id"]
        style = {"name": "Fuzzed", "prompt": "{p}, painted{np}", "params": {"steps": 2}}
        style = self._call("POST", "styles/image", style)["id"]
        yield "style_id", style
        members = {"name": "Fuzzed", "info": "some", "styles": [style]}
        yield "collection_id", self._call("POST", "collections", members)["id"]
        banned = {"regex": "fuzzed word", "filter_type": 10}
        yield "filter_id", self._call("PUT", "filters", banned, key=self.moderator.key)["id"]
        source = {"source_image": pictures.SOURCE, "forms": [{"name": "caption"}]}
        self._call("POST", "interrogate/async", source)
        yield from (("style_name", "Fuzzed"), ("collection_name", "Fuzzed"))
        yield from (("worker_name", "Fuzzed"), ("model_name", "stable_diffusion"))

    def _call(self, method, path, body, *, key=None):
        answer = self.session.request(
            method,
            f"{self.url}/api/v2/{path}",
            json=body,
            headers={"apikey": key or self.owner.key},
            timeout=30,
        )
        answer.raise_for_status()
        return answer.json()


@pytest.fixture(scope="module", params=clones.ENGINES)
def world(request, databases, tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("fuzz")
    with contextlib.ExitStack() as running:
        url = running.enter_context(databases.fresh(request.param))
        process = serving.process(data_dir, upkeep="off", database_url=url)
        server = running.enter_context(process)
        count = running.enter_context(counting(url))
        yield running.enter_context(contextlib.closing(World(server, count)))


@pytest.fixture(scope="module")
def described(world):
    """schemathesis's reading of the server's description, by method and pattern of the path."""
    schema = schemathesis.openapi.from_url(f"{world.url}/openapi.json")
    return {
        (method.upper(), shapes.pattern(path.removeprefix(shapes.PREFIX))): schema[path][method]
        for path in schema
        for method in schema[path]
    }


def fuzz(world, operation, examples, right=None):
    """Send requests of both kinds, some about what is there; check answers and what is left.

    right: a body that is taken; at times it is sent with one field of a generated one.
    """
    modes = st.one_of(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)
    keys = st.sampled_from([world.owner.key, world.moderator.key, serving.ANONYMOUS, None])
    taken = []

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=modes, key=keys, likely=st.sampled_from(LIKELY), masked=st.sampled_from([1, 0, 0, 0])
    )
    def holds(case, key, likely, masked):
        if likely is not None:
            make_likely(world, case, right, likely)
            key = world.owner.key
        if not masked:
            case.headers.pop("X-Fields", None)
        if isinstance(case.body, dict):
            case.body.pop("wait", None)  # for work, 30 s long
        headers = {} if key is None else {"apikey": key}
        before = world.counts()
        answer = case.call(base_url=world.url, session=world.session, headers=headers)
        case.validate_response(answer, checks=list(checks_of(case, answer)))
        if answer.status_code >= HTTPStatus.BAD_REQUEST:
            assert world.counts() == before
        else:
            taken.append(answer)

    holds()
    assert taken or not right, "not even what is right was taken"
    assert [what for what, query in HALF_WRITTEN.items() if world.count(query)] == []
    assert world.session.get(f"{world.url}/api/v2/kudos/audit", timeout=30).json()["balanced"]


def make_likely(world, case, right, place):
    """Ask about what is there, with a right body but for the field in this place, if any."""
    named = case.path_parameters.keys() & world.known.keys()
    case.path_parameters.update({name: world.known[name] for name in named})
    if right is not None:
        names = sorted(case.body) if isinstance(case.body, dict) and place != WHOLE else []
        chosen = names and [names[place % len(names)]]
        there = {name: world.known[name] for name in {"worker_id"} & right.keys()}
        case.body = right | there | {name: case.body[name] for name in chosen}
        case.media_type = "application/json"


def checks_of(case, answer):
    """What can be said of an answer: a mask leaves little of it; a path may lead nowhere."""
    yield checks.not_a_server_error
    yield checks.content_type_conformance
    if "X-Fields" not in case.headers:
        yield checks.response_schema_conformance
    if answer.status_code != HTTPStatus.NOT_FOUND:
        yield checks.status_code_conformance


def examine(world, described, key, examples):
    method, path = key
    right = RIGHT.get(path) if method in ("POST", "PUT") else None
    fuzz(world, described[method, shapes.pattern(path)], examples, right)


@pytest.mark.parametrize("key", OPERATIONS, ids=" ".join)
def test_answers_are_what_is_described(world, described, key):
    examine(world, described, key, EXAMPLES[key[0]])


@pytest.mark.long
@pytest.mark.parametrize("key", OPERATIONS, ids=" ".join)
def test_many_answers_are_what_is_described(world, described, key):
    examine(world, described, key, EXAMPLES_LONG)
