"""Event streams of a horde that streams as it likes: how many, of what, and what is shown of it."""

import asyncio
import base64
import contextlib
import io
import uuid

import pytest
import pytest_asyncio
from aiohttp import web
from PIL import Image

import botting
from bot.jobs.streams import MAX_STREAMS
from core.wire.events import JobProgress, ProgressEvent, StatusEvent, encode
from fake_discord.server import running

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
COUNTS = {"finished": 0, "restarted": 0, "done": False, "queue_position": 1, "kudos": 0.0}


def preview():
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(out, "WEBP")
    return base64.b64encode(out.getvalue()).decode()


class StreamingHorde:
    """made: the requests that a worker is at. open: those that are streamed at the moment."""

    def __init__(self):
        self.open = set()
        self.begin()

    def begin(self):
        """Forget everything."""
        self.requests, self.made = [], set()
        self.streams = self.checks = 0
        self.has_streams, self.makes_all, self.breaks = True, False, False
        self.preview, self.faulted = preview(), ""

    def is_made(self, number):
        return self.makes_all or number in self.made

    def status(self, number):
        is_made = self.is_made(number)
        counts = {"processing": int(is_made), "waiting": int(not is_made), "wait_time": 5}
        if self.faulted:
            counts |= {
                "faulted": True,
                "faults": [{"index": 0, "tries": 3, "reason": self.faulted}],
            }
        return {**COUNTS, **counts}

    async def ask(self, _request):
        self.requests.append(str(uuid.uuid4()))
        return web.json_response({"id": self.requests[-1], "kudos": 1.0}, status=202)

    async def check(self, request):
        if request.match_info["id"] not in self.requests:
            return await self.nothing(request)
        self.checks += 1
        return web.json_response(self.status(request.match_info["id"]))

    async def events(self, request):
        self.streams += 1
        if not self.has_streams:
            return web.Response(text="<html>", content_type="text/html")
        number = request.match_info["id"]
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        state = "processing" if self.is_made(number) else "waiting"
        jobs = [JobProgress(index=0, state=state)]
        await response.write(encode(StatusEvent(**self.status(number), jobs=jobs)))
        if self.is_made(number):
            seen = ProgressEvent(index=0, step=3, steps=4, preview=self.preview)
            await response.write(encode(seen))
        self.open.add(number)
        with contextlib.suppress(ConnectionError):
            while number in self.requests and not (self.breaks or request.transport is None):
                await response.write(b":\n\n")
                await asyncio.sleep(0.1)  # how often it looks whether somebody listens
        self.open.discard(number)
        return response

    async def results(self, request):
        return web.json_response({**self.status(request.match_info["id"]), "generations": []})

    async def nothing(self, _request):
        return web.json_response({"message": "no", "rc": "RequestNotFound"}, status=404)

    @contextlib.asynccontextmanager
    async def serve(self):
        app = web.Application()
        app.router.add_post("/api/v2/generate/async", self.ask)
        app.router.add_get("/api/v2/generate/check/{id}", self.check)
        app.router.add_get("/api/v2/generate/events/{id}", self.events)
        app.router.add_get("/api/v2/generate/status/{id}", self.results)
        app.router.add_route("*", "/{rest:.*}", self.nothing)
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def both(tmp_path_factory):
    """A horde and a Discord with a bot between them."""
    horde = StreamingHorde()
    async with running() as fake, horde.serve() as url:
        with contextlib.ExitStack() as started:
            making = botting.process(fake, url, tmp_path_factory.mktemp("bot"))
            await botting.entered(started, making)
            yield fake, horde


@pytest.fixture
def started(both):
    """The same, as if nothing had been asked for."""
    both[1].begin()
    return both


async def until(true, what):
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - the horde's counts tell of no change
            await asyncio.sleep(0.05)
    assert true(), what


async def ask(fake, horde, count, **how):
    before, runs = len(horde.requests), []
    for _ in range(count):
        user = fake.world.add_user("somebody")
        runs.append(await fake.people.slash("imagine", {"prompt": "a fox"}, user=user, **how))
    await until(lambda: len(horde.requests) == before + count, "all are asked")
    return runs


async def test_streams_are_few_and_for_what_is_being_made_first(started):
    fake, horde = started
    await ask(fake, horde, MAX_STREAMS + 2)
    await until(lambda: len(horde.open) == MAX_STREAMS, "as many streams as there may be")
    checks = horde.checks
    await until(lambda: horde.checks >= checks + 2, "the others are polled")
    assert horde.streams == MAX_STREAMS
    begun = next(one for one in horde.requests if one not in horde.open)
    horde.made.add(begun)
    await until(lambda: begun in horde.open, "a stream of what is being made")
    await until(lambda: len(horde.open) == MAX_STREAMS, "none of something that waits")


async def test_no_preview_is_shown_of_what_may_have_to_be_censored(started):
    fake, horde = started
    horde.makes_all = True
    places = {"ordinary": fake.world.general, "hidden": fake.world.lewd}
    runs = {}
    for name, channel in places.items():
        (runs[name],) = await ask(fake, horde, 1, channel=channel)
    for run in runs.values():
        await fake.world.until(lambda run=run: "70 %" in run.text, 30, "how far it is")
    assert [one["filename"] for one in runs["hidden"].original["attachments"]] == ["making-1.webp"]
    assert runs["ordinary"].original["attachments"] == []


@pytest.mark.parametrize("preview", ["no base64!", base64.b64encode(b"<svg>" * 9).decode()])
async def test_what_is_no_preview_is_not_shown(started, preview):
    fake, horde = started
    horde.makes_all, horde.preview = True, preview
    (run,) = await ask(fake, horde, 1, channel=fake.world.lewd)
    await fake.world.until(lambda: "70 %" in run.text, 30, "how far it is")
    assert run.original["attachments"] == []


async def test_a_stream_that_breaks_off_loses_nothing(started):
    fake, horde = started
    (run,) = await ask(fake, horde, 1)
    await until(lambda: horde.open, "a stream")
    horde.makes_all = horde.breaks = True
    await until(lambda: not horde.open, "its end")
    await fake.world.until(lambda: "1 being made" in run.text, 30, "a look")


async def test_what_no_worker_could_make_says_why(started):
    fake, horde = started
    horde.faulted = "@everyone **out of memory**"
    (run,) = await ask(fake, horde, 1)
    await fake.world.until(lambda: "No worker could make this" in run.text, 30, "a sentence")
    assert "out of memory" in run.text
    assert "@everyone" not in run.text


async def test_a_horde_without_streams_is_asked_for_one_and_polled(started):
    fake, horde = started
    horde.has_streams, horde.makes_all = False, True
    runs = await ask(fake, horde, 3)
    for run in runs:
        await fake.world.until(lambda run=run: "1 being made" in run.text, 30, "a look")
    checks = horde.checks
    await until(lambda: horde.checks >= checks + 6, "all are polled")
    assert horde.streams <= 3, "those that were asked for at the same moment"
