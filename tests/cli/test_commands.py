"""Every command against a real horde: what it does, what it prints, for people and as JSON."""

import asyncio
import contextlib
import io
import json
import stat
import sys
import threading

import pytest
from PIL import Image

import pictures
import serving
from cli.__main__ import main
from core.client import HordeClient
from core.wire.text import PopInputKobold, SubmitInputKobold

pytestmark = pytest.mark.timeout(400)  # a server and a worker start first


class Printed(str):
    """What a command printed; `answer` is what a program reads of it."""

    __slots__ = ("answer",)

    def json(self):
        return json.loads(self.answer)


@pytest.fixture
def horde(town, capfd, monkeypatch, tmp_path):
    """Runs a command in this process, as the person; gives what it printed."""

    def run(*arguments, status=0, stdin="", **variables):
        for name, value in town.environment(**variables).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["horde", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capfd.readouterr()
        printed = Printed(captured.out + captured.err)
        printed.answer = captured.out
        assert (ended.value.code or 0) == status, printed
        return printed

    return run


@pytest.fixture(scope="session")
def moderator(town):
    made = town.server.user("Moderator", oauth_id="g_moderator", moderator=True, trusted=True)
    return made.key


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("status",), "Light Worker"),
        (("watch", "--every", "1", "--times", "1"), "in the queue, 1 worker"),
        (("models",), "horde-tiny"),
        (("models", "--search", "nothing of this name"), "No model is offered."),
        (("workers", "--sort-of"), "No such option"),
        (("workers", "--type", "image"), "Light Worker"),
        (("workers", "Light Worker"), "program"),
        (("news", "-n", "1"), "20"),
        (("leaderboard",), "Person#1"),
        (("teams",), "There are no teams."),
        (("styles",), "There are no styles."),
        (("account",), "may ask at once"),
        (("account", "1"), "Person#1"),
        (("kudos",), "Person#1 has"),
        (("settings",), "the environment"),
        (("admin", "audit"), "balanced"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_looking_for_people_and_as_json(horde, command, told):
    wrong = "--sort-of" in command
    printed = horde(*command, status=2 if wrong else 0)
    assert told in printed
    assert not any(line != line.rstrip() for line in printed.splitlines())
    if not wrong:
        horde(*command, "--json").json()


def test_a_team_is_founded_changed_and_deleted(horde):
    made = horde("teams", "create", "Painters", "--info", "We paint.", "--json").json()
    assert "Painters" in horde("teams")
    horde("teams", "edit", made["id"], "--name", "Drawers")
    shown = horde("teams", "show", made["id"])
    assert "Drawers" in shown
    assert "We paint." in shown
    assert "Say --yes" in horde("teams", "delete", made["id"], status=2)
    horde("teams", "delete", made["id"], "--yes")
    assert "There are no teams." in horde("teams")


def test_a_style_is_written_used_and_deleted(horde, tmp_path):
    options = ("--prompt", "{p}, as a cartoon{np}", "--model", "horde-tiny", "--steps", "8")
    horde("styles", "create", "cartoon", *options, "--info", "A cartoon, or so.")
    assert "as a cartoon" in horde("styles", "show", "cartoon")
    horde("generate", "a fox", "--style", "cartoon", "-o", "fox.webp")
    assert (tmp_path / "fox.webp").exists()
    horde("styles", "delete", "cartoon", "--yes")
    assert "There are no styles." in horde("styles")


def test_a_shared_key_is_made_changed_and_deleted(horde):
    made = horde("keys", "create", "--name", "friends", "--kudos", "50", "--json").json()
    assert "friends" in horde("keys")
    assert "20" in horde("keys", "edit", made["id"], "--kudos", "20")
    horde("generate", "a fox", "--key", made["id"], "--dry-run")
    horde("keys", "delete", made["id"], "--yes")
    assert made["id"] not in horde("keys")


def test_kudos_are_given_once(horde, town):
    before = horde("kudos", "--json").json()["kudos"]
    for _ in range(2):
        told = horde("kudos", "send", town.owner.alias, "5", "--once", "for the fox")
        assert "5 kudos are given" in told
    assert horde("kudos", "--json").json()["kudos"] == before - 5
    assert "kudos" in horde("kudos", "send", town.owner.alias, 10**7, status=3)


def test_a_worker_is_paused_by_its_owner_alone(horde, town):
    owner = ("--key", town.owner.key)
    assert "Light Worker" in horde("workers", "--mine", *owner)
    paused = horde("workers", "Light Worker", "--pause", "--message", "Holiday", *owner)
    assert "in maintenance" in paused
    assert "online" in horde("workers", "Light Worker", "--unpause", *owner)
    assert horde("workers", "Light Worker", "--unpause", status=3)


def test_a_login_is_checked_and_kept_for_its_owner_alone(horde, town):
    nobody = {"HORDE_API_KEY": "", "HORDE_URL": ""}
    at = ("--url", town.server.url)
    assert "No user" in horde("login", *at, stdin="nobody\n", status=3, **nobody)
    horde("login", *at, "--as", "home", stdin=f"{town.person.key}\n", **nobody)
    kept = town.home / "config" / "config.toml"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "Person#1" in horde("account", **nobody)
    assert "anonymous" in horde("settings", "--url", "http://127.0.0.1:9", **nobody)
    told = horde("settings", **nobody)
    assert "profile home" in told
    assert town.person.key not in told
    assert "no profile 'away'" in horde("status", "--profile", "away", status=2)
    made = horde("login", *at, "--register", "Newcomer", "--as", "new", "--json").json()
    assert made["user"].startswith("Newcomer#")
    horde("settings", "--use", "home", **nobody)
    assert "Person#1" in horde("account", **nobody)
    horde("login", "--forget", "--as", "home", *at, **nobody)
    kept.unlink()


def test_moderators_moderate(horde, moderator, town):
    key = ("--key", moderator)
    assert "Only moderators" in horde("admin", "modes", "--raid", status=3)
    assert "raid" in horde("admin", "modes", *key)
    horde("admin", "user", town.owner.id, "--comment", "A good neighbour.", *key)
    assert "A good neighbour." in horde("admin", "user", town.owner.id, *key)
    horde("admin", "block", "203.0.113.7", "--hours", "2", *key)
    assert "203.0.113.7" in horde("admin", "blocked", *key)
    horde("admin", "unblock", "203.0.113.7", *key)
    assert "No address" in horde("admin", "blocked", *key)
    made = horde("admin", "filter", "forbidden fruit", "--type", "20", *key, "--json").json()
    assert "forbidden fruit" in horde("admin", "filters", *key)
    assert "found:" in horde("admin", "try", "a forbidden fruit", *key)
    horde("admin", "unfilter", made["id"], "--yes", *key)
    assert "Light Worker" in horde("admin", "worker", "Light Worker", "--message", "Hello", *key)
    horde("admin", "message", "To all of you", *key)
    assert "No report is open." in horde("admin", "reports", *key)


def test_a_picture_says_how_it_was_made(horde, tmp_path):
    told = horde(
        *("generate", "a red fox", "--negative", "fog", "--steps", "8", "--seed", "7"),
        *("-w", "128", "-l", "192", "-o", "fox.png"),
    )
    assert "fox.png: seed 7, made by Light Worker" in told
    with Image.open(tmp_path / "fox.png") as picture:
        assert picture.size == (128, 192)
        text = picture.text["parameters"]
    assert text.startswith("a red fox\nNegative prompt: fog\nSteps: 8, ")
    assert "Seed: 7, Model: horde-tiny, Worker: Light Worker" in text


def test_requests_are_listed_waited_for_repeated_and_cancelled(horde, tmp_path):
    asked = horde("generate", "a fox", "--steps", "8", "--no-wait", "--json").json()
    assert asked["id"][:8] in horde("jobs")
    horde("wait", asked["id"][:8], "-o", "first.webp")
    assert "done" in horde("jobs", "-n", "1")
    horde("repeat", "last", "--seed", "11", "-o", "second.png")
    with Image.open(tmp_path / "second.png") as picture:
        assert "Seed: 11" in picture.text["parameters"]
    horde("generate", "a fox", "--model", "nobody has it", "--no-wait")
    assert "0 results finished" in horde("cancel", "last")
    assert "Which one?" in horde("cancel", status=2)
    assert "nothing to cancel" in horde("cancel", "--all")
    assert "no request of this machine" in horde("wait", "nothing", status=2)


def test_pictures_are_described_and_enlarged(horde, tmp_path):
    (tmp_path / "foxes").mkdir()
    for name in ("one.webp", "two.webp"):
        (tmp_path / "foxes" / name).write_bytes(pictures.WEBP)
    told = horde("alchemy", "foxes", "--form", "palette")
    assert "one.webp: " in told
    assert "two.webp: " in told
    made = horde("alchemy", "foxes/one.webp", "--form", "palette", "--json").json()
    assert made[0]["state"] == "done"
    assert "is not a picture" in horde("describe", __file__, status=2)
    assert "Not done after 1 s." in horde("describe", "foxes/one.webp", "--timeout", "1", status=5)
    large = "one-RealESRGAN_x4plus.webp"
    assert large in horde("upscale", "foxes/one.webp")
    with Image.open(io.BytesIO(pictures.WEBP)) as small, Image.open(tmp_path / large) as made:
        assert made.width > small.width


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("horde gen", "generate"),
        ("horde generate --model hor", "horde-tiny"),
        ("horde generate --sampler k_dpmpp_2m", "k_dpmpp_2m"),
        ("horde alchemy --form cap", "caption"),
        ("horde teams cr", "create"),
    ],
)
def test_shells_complete_commands_and_names(horde, typed, completed):
    words = typed.split()
    asked = {"COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1)}
    assert completed in horde(**asked, _HORDE_COMPLETE="complete_bash").split()


@contextlib.contextmanager
def writer(url, key):
    """A worker that answers every prompt with its end, in capitals."""
    ends = threading.Event()

    async def serve():
        async with HordeClient(url, key) as client:
            while not ends.is_set():
                offer = serving.offer(name="Writer", models=["story"], max_length=512)
                offer |= {"max_context_length": 4096, "wait": 0.2}
                job = await client.text.pop(PopInputKobold.model_validate(offer))
                if job.id is not None:
                    words = f" {job.payload.prompt[-20:].upper()}\nUser: and then?"
                    await client.text.submit(SubmitInputKobold(id=job.id, generation=words))

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()


def test_texts_and_talks(horde, town):
    with writer(town.server.url, town.owner.key):
        assert "kudos" in horde("text", "Once upon a time", "--dry-run")
        assert "ONCE UPON A TIME" in horde("text", "Once upon a time", "-l", "16", "-m", "story")
        made = horde("text", "-p", "Two", "-n", "2", "--json").json()
        assert len(made["generations"]) == 2
        told = horde("chat", "--model", "story", stdin="Who are you?\n\nAnd I?\n")
    assert "and then?" not in told
    assert len([line for line in told.splitlines() if line.endswith("ASSISTANT:")]) == 2
