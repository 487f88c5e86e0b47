"""What 200 running jobs cost the bot: one poller, some streams, a part of a core, little memory.

`-s` prints the numbers; what is asserted leaves room for slow machines.
"""

import asyncio
import contextlib
import os
import time
import uuid
from pathlib import Path

import pytest
from aiohttp import web

import botting
from bot.jobs.streams import MAX_STREAMS
from bot.store.database import prepare
from core.wire.events import StatusEvent, encode
from fake_discord.server import running

pytestmark = [
    pytest.mark.long,
    pytest.mark.asyncio(loop_scope="function"),
    pytest.mark.timeout(400),
]
JOBS, AT_ONCE, SECONDS = 200, 5, 30
STREAM_SECONDS = 10
"""As the horde looks again at a request of which nothing happens."""
MEGABYTE = 1024 * 1024


class BusyHorde:
    """Takes everything and finishes nothing; each look finds a request one place further."""

    def __init__(self):
        self.looks = self.streams = 0
        self.places = {}

    async def ask(self, _request):
        number = str(uuid.uuid4())
        self.places[number] = 1000
        return web.json_response({"id": number, "kudos": 10.0}, status=202)

    def status(self, number):
        self.looks += 1
        self.places[number] -= 1
        return {
            "finished": 0, "processing": 0, "restarted": 0, "waiting": 1, "done": False,
            "faulted": False, "wait_time": 100 + self.places[number] % 900, "kudos": 0.0,
            "queue_position": self.places[number], "is_possible": True,
        }  # fmt: skip

    async def check(self, request):
        return web.json_response(self.status(request.match_info["id"]))

    async def events(self, request):
        self.streams += 1
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(encode(StatusEvent(**self.status(request.match_info["id"]))))
                await asyncio.sleep(STREAM_SECONDS)
        return response

    @contextlib.asynccontextmanager
    async def serve(self):
        app = web.Application()
        app.router.add_post("/api/v2/generate/async", self.ask)
        app.router.add_get("/api/v2/generate/check/{id}", self.check)
        app.router.add_get("/api/v2/generate/events/{id}", self.events)
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        await runner.cleanup()


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_megabytes(pid):
    return (
        int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        * os.sysconf("SC_PAGE_SIZE")
        / MEGABYTE
    )


async def test_200_running_jobs_cost_one_poller_and_little_of_a_core(tmp_path):
    horde = BusyHorde()
    async with running() as fake, horde.serve() as url:
        with contextlib.ExitStack() as started:
            await prepare(f"sqlite+aiosqlite:///{tmp_path / 'bot.sqlite'}")  # as at a later start
            bot = await botting.entered(started, botting.process(fake, url, tmp_path))
            for number in range(JOBS // AT_ONCE):
                user = fake.world.add_user(f"user{number}")
                for _ in range(AT_ONCE):
                    await fake.people.slash("imagine", {"prompt": "a red fox"}, user=user)
            await fake.world.until(lambda: horde.looks >= JOBS, 60, "a look at each")
            looks, used, began = horde.looks, cpu_seconds(bot.popen.pid), time.monotonic()
            edits = len(fake.world.requests)
            latencies = []
            while time.monotonic() - began < SECONDS:
                latencies.append((await fake.people.slash("settings")).latency)
                await asyncio.sleep(1)  # between two samples
            wall = time.monotonic() - began
            share = (cpu_seconds(bot.popen.pid) - used) / wall
            memory = resident_megabytes(bot.popen.pid)
            looks, edits = horde.looks - looks, len(fake.world.requests) - edits
            latencies.sort()
            print(  # noqa: T201 - what is measured
                f"{JOBS} jobs, {horde.streams} streams: {looks / wall:.1f} looks/s, "
                f"{edits / wall:.1f} calls to Discord/s, "
                f"{share:.1%} of a core, {memory:.0f} MB, acknowledged after "
                f"{latencies[len(latencies) // 2] * 1000:.0f} ms (most {latencies[-1] * 1000:.0f})"
            )
    assert horde.streams == MAX_STREAMS
    assert looks / wall <= 20
    assert memory <= 120
    assert share <= 0.5
    assert latencies[-1] < 3
