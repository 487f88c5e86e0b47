"""Hordes that are slow, away, busy or none at all: the bot answers in time, in one sentence."""

import asyncio
import base64
import contextlib
import sqlite3

import pytest
import pytest_asyncio
from aiohttp import web

import botting
import pictures
from bot import actions, pressing
from fake_discord import limits
from fake_discord.server import running

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]


class StrangeHorde:
    """Answers every call in the way that a test wants."""

    def __init__(self):
        self.answer = self.html
        self.bodies = []
        self.released = asyncio.Event()

    async def handle(self, request):
        if request.method == "POST":
            self.bodies.append(await request.json())
        return await self.answer(request)

    async def html(self, _request):
        return web.Response(text="<html><h1>It works!</h1></html>", content_type="text/html")

    async def away(self, request):
        request.transport.abort()
        return web.Response()

    async def slow(self, request):
        await asyncio.sleep(4)  # longer than Discord waits for an answer
        return await self.busy(request)

    async def never(self, request):
        await self.released.wait()
        return await self.busy(request)

    async def busy(self, _request):
        body = {"message": "Too many @everyone **things** wait.", "rc": "TooManyPrompts"}
        return web.json_response(body, status=429, headers={"Retry-After": "900"})

    async def broken(self, _request):
        return web.json_response({"message": "Traceback"}, status=500)

    async def stranger(self, _request):
        body = {"message": "No user matching sent API Key.", "rc": "InvalidAPIKey"}
        return web.json_response(body, status=401)

    async def endless(self, request):
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                await response.write(b"x" * 1024 * 1024)
        return response


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def strange():
    horde = StrangeHorde()
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", horde.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    horde.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield horde
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def fake():
    async with running() as fake:
        yield fake


@pytest_asyncio.fixture(loop_scope="session", scope="module", autouse=True)
async def bot(fake, strange, tmp_path_factory):
    with contextlib.ExitStack() as started:
        making = botting.process(fake, strange.url, tmp_path_factory.mktemp("bot"))
        yield await botting.entered(started, making)


@contextlib.contextmanager
def locked(path):
    """Nobody else writes to the database meanwhile."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.rollback()


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("away", "does not answer"),
        ("html", "no horde answered"),
        ("busy", "has enough to do"),
        ("slow", "has enough to do"),
        ("broken", "cannot answer at the moment"),
        ("stranger", "/account login"),
        ("endless", "no horde answered|too large"),
    ],
)
async def test_a_strange_horde_ends_in_one_sentence(fake, strange, way, words):
    strange.answer, strange.bodies = getattr(strange, way), []
    run = await fake.people.slash("imagine", {"prompt": "a red fox"})
    assert run.is_answered, "it is acknowledged within 3 s whatever the horde does"
    await fake.world.until(lambda: run.followups, 40, "a sentence")
    assert any(word in run.text for word in words.split("|")), run.text
    assert "@everyone" not in run.text
    assert run.said["flags"] & 64
    assert len(strange.bodies) == 1, "what may have been queued is not asked again"
    listed = await fake.people.slash("horde models")
    assert listed.is_answered
    found = await fake.people.autocomplete("imagine", "model", "x", {"prompt": "x"})
    assert found == []


async def test_several_pictures_are_asked_to_be_mixed(fake, strange):
    strange.answer, strange.bodies = strange.busy, []
    files = {
        name: fake.world.attachment(f"{name}.png", pictures.picture((64, 64), colour=number))
        for number, name in enumerate(("image", "image2", "image3"))
    }
    run = await fake.people.slash("imagine", {"prompt": "a red fox", **files})
    await fake.world.until(lambda: run.followups, 40, "a sentence")
    (asked,) = strange.bodies
    assert asked["source_processing"] == "remix"
    sent = [asked["source_image"], *(one["image"] for one in asked["extra_source_images"])]
    assert [base64.b64decode(one) for one in sent] == [
        fake.world.blobs[file["id"]] for file in files.values()
    ]


async def test_every_command_and_press_is_acknowledged_before_anything_else(fake, bot, strange):
    """Neither the horde nor the database says a word until all of them are."""
    strange.answer = strange.never
    world, people = fake.world, fake.people
    role, picture = world.add_role("guests"), world.attachment("in.png", pictures.picture())
    given = {limits.USER: world.alice, limits.ROLE: role, limits.ATTACHMENT: picture}
    message = fake.api.messages.blank(world.general["id"])
    world.messages[message["id"]] = message | {"attachments": [picture]}
    assert actions.PRESSED
    words = [word for word, one in pressing.ACTIONS.items() if one.answer != pressing.Answer.FORM]
    buttons = [
        {"type": limits.BUTTON, "custom_id": f"h:{word}:1:0", "label": word, "style": 2}
        for word in words
    ]
    rows = [{"type": 1, "components": buttons[at : at + 5]} for at in range(0, len(buttons), 5)]
    runs = {}
    with locked(bot.folder / "bot.sqlite"):
        for name, options in people.every_command(given):
            runs[name] = await people.slash(name, options, wait=False)
        for name, target in people.every_menu(world.alice, world.messages[message["id"]]):
            runs[name] = await people.context_menu(name, target, wait=False)
        for word in words:
            pressed = {**message, "components": rows}
            runs[word] = await people.click(pressed, word, wait=False)
        await world.until(lambda: all(run.is_answered for run in runs.values()), 10, "answers")
    strange.released.set()
    assert len(runs) > 60
