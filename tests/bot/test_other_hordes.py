"""Hordes that are slow, away, busy or none at all: the bot answers in time, in one sentence."""

import asyncio
import contextlib

import pytest
import pytest_asyncio
from aiohttp import web

import botting
from fake_discord.server import running

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]


class StrangeHorde:
    """Answers every call in the way that a test wants."""

    def __init__(self):
        self.answer = self.html
        self.asked = 0

    async def handle(self, request):
        if request.method == "POST":
            self.asked += 1
        return await self.answer(request)

    async def html(self, _request):
        return web.Response(text="<html><h1>It works!</h1></html>", content_type="text/html")

    async def away(self, request):
        request.transport.abort()
        return web.Response()

    async def slow(self, request):
        await asyncio.sleep(4)  # longer than Discord waits for an answer
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
async def fake(strange, tmp_path_factory):
    async with running() as fake:
        with contextlib.ExitStack() as started:
            making = botting.process(fake, strange.url, tmp_path_factory.mktemp("bot"))
            await botting.entered(started, making)
            yield fake


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
    strange.answer, strange.asked = getattr(strange, way), 0
    run = await fake.people.slash("imagine", {"prompt": "a red fox"})
    assert run.is_answered, "it is acknowledged within 3 s whatever the horde does"
    await fake.world.until(lambda: run.followups, 40, "a sentence")
    assert any(word in run.text for word in words.split("|")), run.text
    assert "@everyone" not in run.text
    assert run.said["flags"] & 64
    assert strange.asked == 1, "what may have been queued is not asked again"
    listed = await fake.people.slash("horde models")
    assert listed.is_answered
    found = await fake.people.autocomplete("imagine", "model", "x", {"prompt": "x"})
    assert found == []
