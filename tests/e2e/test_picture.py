"""A prompt goes in, a picture comes out, kudos move: all processes, sockets and databases real."""

import asyncio
import base64
import contextlib
import io
import os
import signal

import pytest
from PIL import Image
from sqlalchemy import func, select

import databases as clones
import pictures
import serving
import working
from core.client import HordeClient
from core.db import Database
from core.kudos import prices
from core.ledger import audit
from core.ledger.tables import Account, Hold
from core.users.tables import UserRow
from core.wire.events import EndEvent, GenerationEvent, ProgressEvent, StatusEvent
from core.wire.generate import GenerationInputStable
from horde_command import wait_until_gone

SIDE, STEPS, SAMPLER = 128, 3, "k_euler"
PRICE = prices.image_price(prices.ImageWork(SIDE, SIDE, STEPS, SAMPLER))
NAME = "A real worker"
MODEL = "horde-tiny"
SECONDS = 100

pytestmark = pytest.mark.timeout(400)  # the first test waits for torch, which takes its time


class Horde:
    """A server and its database, and a worker that is started when a test needs one."""

    def __init__(self, server, database_url, model, running):
        self.server, self.database_url = server, database_url
        self.owner = server.user("Owner", oauth_id="g_owner", trusted=True)
        self.requester = server.user("Requester", oauth_id="g_asker", kudos=1000)
        self._model, self._running = model, running
        self._worker = None

    @property
    def worker(self):
        if self._worker is None or self._worker.popen.poll() is not None:
            serve = working.process(
                self.server.url, self.owner.key, name=NAME, models=f'["{self._model}"]'
            )
            self._worker = self._running.enter_context(serve)
        return self._worker

    async def balances(self):
        """Hundredths of a kudos of both; nothing is held, and the ledger is sound."""
        database = Database(self.database_url)
        async with database.reading() as session:
            assert (await audit.audit(session)).balanced
            assert await session.scalar(select(func.count()).select_from(Hold)) == 0
            of = select(UserRow.id, Account.balance).join(Account, Account.id == UserRow.account_id)
            found = {row.id: row.balance for row in await session.execute(of)}
        await database.close()
        return found[self.requester.id], found[self.owner.id]


@pytest.fixture(scope="module", params=clones.ENGINES)
def horde(request, databases, tmp_path_factory, tiny_model):
    folder = tmp_path_factory.mktemp("horde")
    with (
        databases.fresh(request.param) as url,
        serving.process(folder, database_url=url, default_models="[]") as server,
        contextlib.ExitStack() as running,
    ):
        yield Horde(server, url, tiny_model, running)


@pytest.fixture
async def requester(horde):
    async with HordeClient(horde.server.url, horde.requester.key) as client:
        yield client


def wanted(prompt="a red fox", **changes):
    params = {"width": SIDE, "height": SIDE, "steps": STEPS, "sampler_name": SAMPLER, "seed": "7"}
    return GenerationInputStable.model_validate(
        {"prompt": prompt, **changes, "params": params | changes.pop("params", {})}
    )


async def made(client, ask):
    """What is said of a request's pictures, and the pictures."""
    asked = await client.generate(ask)
    async with asyncio.timeout(SECONDS):
        events = [event async for event in client.events(asked.id)]
    generations = [event for event in events if isinstance(event, GenerationEvent)]
    return generations, [await client.download(one.img) for one in generations]


def opened(picture):
    image = Image.open(io.BytesIO(picture))
    image.load()
    return image


async def test_a_prompt_becomes_a_picture_and_kudos_move(horde, requester):
    asker_had, owner_had = await horde.balances()
    seen = []
    with horde.worker.engine_stopped() as engine:
        asked = await requester.generate(wanted())
        async with asyncio.timeout(SECONDS):
            async for event in requester.events(asked.id):
                seen.append(event)
                if isinstance(event, StatusEvent) and event.processing:
                    os.kill(engine, signal.SIGCONT)  # all before is told by then
    first, generation, end = seen[0], seen[-3], seen[-1]
    assert isinstance(first, StatusEvent)
    assert (first.waiting + first.processing, first.done) == (1, False)
    assert isinstance(generation, GenerationEvent)
    assert isinstance(end, EndEvent)
    assert (generation.worker_name, generation.model, generation.seed) == (NAME, MODEL, "7")
    assert (end.done, end.finished, end.faulted) == (True, 1, False)
    image = opened(await requester.download(generation.img))
    assert (image.format, image.size) == ("WEBP", (SIDE, SIDE))
    assert len(set(image.convert("L").tobytes())) > 10  # not of one colour
    charge, tax = PRICE + 100, 100
    assert round(generation.kudos * 100) == charge
    assert round(end.kudos_exact * 100) == charge + tax
    assert await horde.balances() == (asker_had - charge - tax, owner_had + PRICE)


async def watched(horde, client, **changes):
    """What is heard of a long job, which begins once somebody watches."""
    long = {"steps": 250, "sampler_name": "k_heun"}
    seen = []
    with horde.worker.engine_stopped() as engine:
        asked = await client.generate(wanted(params=long, **changes))
        async with (
            asyncio.timeout(SECONDS),
            contextlib.aclosing(client.events(asked.id)) as events,
        ):
            async for event in events:
                if isinstance(event, ProgressEvent):
                    seen.append(event)
                    os.kill(engine, signal.SIGCONT)
    return seen


async def test_who_watches_sees_the_picture_coming(horde, requester):
    seen = await watched(horde, requester, censor_nsfw=False)
    steps = [event.step for event in seen]
    assert steps == sorted(steps)
    assert {event.steps for event in seen if event.step} == {250}
    previews = [event.preview for event in seen if event.preview]
    image = opened(base64.b64decode(previews[0]))
    assert (image.format, image.size) == ("WEBP", (192, 192))
    unseen = await watched(horde, requester, nsfw=False)  # to be censored
    assert any(event.step for event in unseen)
    assert not any(event.preview for event in unseen)


async def test_one_seed_makes_one_picture(horde, requester):
    assert horde.worker
    _, (first,) = await made(requester, wanted())
    _, (again,) = await made(requester, wanted())
    _, (other,) = await made(requester, wanted(params={"seed": "8"}))
    assert first == again != other


async def test_three_pictures_have_three_seeds(horde, requester):
    assert horde.worker
    generations, three = await made(requester, wanted(params={"n": 3}))
    assert {one.index: one.seed for one in generations} == {0: "7", 1: "8", 2: "9"}
    assert len(set(three)) == 3
    _, (second,) = await made(requester, wanted(params={"seed": "8"}))
    assert second in three


async def test_a_picture_becomes_another(horde, requester):
    assert horde.worker
    asker_had, owner_had = await horde.balances()
    source = pictures.encoded(pictures.picture(size=(SIDE, SIDE), colour=(200, 30, 30)))
    _, (picture,) = await made(
        requester, wanted(source_image=source, source_processing="img2img", params={"n": 1})
    )
    _, (other,) = await made(requester, wanted())
    assert opened(picture).size == (SIDE, SIDE)
    assert picture != other
    charges = round(PRICE * 1.3) + 100 + PRICE + 100
    assert await horde.balances() == (asker_had - charges - 200, owner_had + 2 * PRICE)


async def test_the_worker_is_listed_and_its_work_counted(horde, requester):
    assert horde.worker
    before = await requester.users.me()
    await made(requester, wanted())
    async with asyncio.timeout(SECONDS):  # upkeep comes every few seconds
        while True:
            after = await requester.users.me()
            if after.records.request.image > before.records.request.image:
                break
            await asyncio.sleep(0.2)
    (worker,) = await requester.workers.all()
    assert (worker.name, worker.online, worker.models) == (NAME, True, [MODEL])
    assert worker.requests_fulfilled >= 1
    assert worker.img2img
    (model,) = await requester.models.active()
    assert (model.name, model.count) == (MODEL, 1)


async def until_processing(client, request_id):
    async with asyncio.timeout(SECONDS), contextlib.aclosing(client.events(request_id)) as events:
        async for event in events:
            if isinstance(event, StatusEvent) and event.processing:
                return


async def test_a_job_whose_engine_dies_is_made_after_all(horde, requester):
    asker_had, owner_had = await horde.balances()
    with horde.worker.engine_stopped() as engine:
        asked = await requester.generate(wanted())
        await until_processing(requester, asked.id)
        os.kill(engine, signal.SIGKILL)
    status = await requester.wait_for(asked.id, SECONDS)
    assert (status.finished, status.restarted, status.faulted) == (1, 1, False)
    assert await horde.balances() == (asker_had - PRICE - 200, owner_had + PRICE)


async def test_a_worker_that_is_told_to_stop_finishes_first(horde, requester):
    worker = horde.worker
    with worker.engine_stopped() as engine:
        asked = await requester.generate(wanted())
        await until_processing(requester, asked.id)
        worker.popen.terminate()
    status = await requester.wait_for(asked.id, SECONDS)
    assert (status.finished, status.restarted) == (1, 0)
    assert await asyncio.to_thread(worker.popen.wait, SECONDS) == 0
    await asyncio.to_thread(wait_until_gone, [engine])
