"""horde-sdk 0.18.0, which others wrote, as a client of the real server: it judges "drop-in"."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from horde_sdk.generic_api.utils.swagger import SwaggerParser

import pictures
import serving
from core.wire.generate import PopInputStable, SubmitInputStable

VISIT = Path(__file__).parent / "sdk_visit.py"
SECONDS = 90


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving.process(tmp_path_factory.mktemp("sdk")) as server:
        yield server


@pytest.fixture(scope="module")
def owner(server):
    return server.user("Owner", oauth_id="g_sdk", trusted=True, kudos=1000)


def test_its_parser_reads_the_description(server):
    described = SwaggerParser(swagger_doc_url=f"{server.url}/api/swagger.json").get_swagger_doc()
    assert described.swagger == "2.0"
    assert len(described.paths) > 58
    assert "GenerationInputStable" in described.definitions


class Worker(threading.Thread):
    """Serves what is asked of `stable_diffusion` until it is told to stop."""

    def __init__(self, server, owner):
        super().__init__(daemon=True)
        self._server, self._owner = server, owner
        self._loop = asyncio.new_event_loop()
        self.served = []

    def run(self):
        self._work = self._loop.create_task(self._serve())
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._work)
        self._loop.close()

    def stop(self):
        self._loop.call_soon_threadsafe(self._work.cancel)
        self.join()

    async def _serve(self):
        offer = PopInputStable(**serving.offer(name="Test worker", amount=2), wait=30)
        async with self._server.client(self._owner.key) as horde:
            while True:
                popped = await horde.pop(offer)
                for job_id, url in zip(popped.ids, popped.r2_uploads or [], strict=True):
                    await horde.upload(url, pictures.WEBP)
                    result = SubmitInputStable(id=job_id, generation="R2", seed=1)
                    await horde.submit(result)
                    self.served.append(job_id)


@pytest.fixture(scope="module")
def worker(server, owner):
    worker = Worker(server, owner)
    worker.start()
    yield worker
    worker.stop()


@pytest.fixture(scope="module")
def visit(server, owner, worker, tmp_path_factory):
    """What the SDK saw; it runs alone, as it reads its server's address at import."""
    receiver = server.user("Receiver", oauth_id="g_sdk_receiver")
    ran = subprocess.run(
        [sys.executable, VISIT, owner.key, receiver.alias],
        check=False,
        cwd=tmp_path_factory.mktemp("visit"),  # the SDK would read a .env here
        env=os.environ | {"AI_HORDE_URL": f"{server.url}/api/", "LOGURU_LEVEL": "ERROR"},
        input=pictures.WEBP,
        capture_output=True,
        timeout=SECONDS,
    )
    assert ran.returncode == 0, ran.stderr.decode()
    return json.loads(ran.stdout.splitlines()[-1])


def test_it_sees_the_horde(visit):
    assert visit["heartbeat"] == "AIHordeHeartbeatResponse"
    assert "stable_diffusion" in visit["models"]


def test_it_asks_waits_and_downloads(visit, worker):
    generated = visit["generate"]
    assert generated["sizes"] == [[64, 64], [64, 64]]
    assert generated["workers"] == ["Test worker", "Test worker"]
    assert len(worker.served) == 2


def test_it_finds_its_user(visit, owner):
    assert visit["find_user"] == owner.alias


def test_it_works(visit):
    work = visit["work"]
    assert (work["prompt"], work["uploaded"]) == ("a red fox", 200)
    assert work["reward"] > 0
    assert (work["then"], work["then_ids"]) == ("ImageGenerateJobPopResponse", [])


def test_it_cancels_what_it_leaves(visit, server):
    status = httpx.get(f"{server.url}/api/v2/generate/status/{visit['cancelled']}").json()
    assert (status["waiting"], status["done"], status["finished"]) == (0, True, 0)


def test_it_cancels_what_nobody_serves(visit):
    pictures = visit["pictures"]
    assert (pictures["possible"], pictures["waiting"]) == (False, [1, 1, 1])
    assert pictures["price"] > 0


def test_it_writes_from_both_sides(visit):
    texts = visit["texts"]
    assert texts.pop("reward") > 0
    assert texts == {"prompt": "Once upon a time", "texts": ["there was a fox"], "done": True}


def test_it_processes_pictures_from_both_sides(visit):
    alchemy = visit["alchemy"]
    assert alchemy.pop("reward") > 0
    assert alchemy == {"form": "RealESRGAN_x4plus", "uploaded": 200, "states": ["done", "done"]}


def test_it_manages_an_account(visit, owner):
    assert visit["people"] == {
        "username": [owner.alias, owner.alias],
        "listed": True,
        "public_workers": True,
        "given": 5,
    }


def test_it_manages_workers(visit):
    names = ["SDK worker"] * 3
    assert visit["workers"] == {"listed": True, "names": names, "info": "of a visit"}


def test_it_reads_what_everybody_may(visit):
    overview = visit["overview"]
    assert (overview["documents"], overview["stats"]) == ([True] * 3, [True] * 4)
    assert (overview["models"], overview["workers"]) == (1, 2)


def test_it_makes_every_request_that_it_can(visit):
    assert visit["not_made"] == []


def test_it_goes_nowhere_else(visit):
    assert visit["outside"] == []
