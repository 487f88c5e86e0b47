"""The server dies while a worker delivers: the job is paid for once, whatever the worker heard."""

import asyncio

import pytest

import databases as clones
import pictures
import serving
from chaos import Chaos
from core.client import AlreadySubmitted, HordeClient, Retries
from core.wire.generate import GenerationInputStable
from core.wire.pop import PopInputStable
from core.wire.submit import SubmitInputStable
from lines import Line

PATIENT = Retries(attempts=200, first_seconds=0.2, longest_seconds=0.2)
SUBMIT = b"POST /api/v2/generate/submit"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(params=clones.ENGINES)
async def chaos(request, databases, tmp_path, free_port):
    with databases.fresh(request.param) as url:
        chaos = await asyncio.to_thread(Chaos, url, tmp_path, free_port, None)
        yield chaos
        await chaos.close()


@pytest.fixture
async def job(chaos):
    """A job that is popped and whose picture is uploaded."""
    params = {"width": 64, "height": 64, "steps": 1}
    ask = GenerationInputStable.model_validate({"prompt": "a fox", "params": params})
    async with HordeClient(chaos.url, chaos.keys[0]) as requester:
        chaos.accepted.append((await requester.generate(ask)).id)
    async with HordeClient(chaos.url, chaos.owner.key) as worker:
        popped = await worker.pop(PopInputStable.model_validate(serving.offer()))
        await worker.upload(popped.r2_upload, pictures.WEBP)
    return popped.id


def result(job):
    return SubmitInputStable(id=job, generation="R2", seed=1)


async def restart(chaos):
    await asyncio.to_thread(chaos.kill, "server")
    await chaos.check_books()
    await asyncio.to_thread(chaos.restart, "server")


async def check_delivered(chaos, job):
    await chaos.check_books()
    async with HordeClient(chaos.url) as client:
        status = await client.status(chaos.accepted[0])
        assert [one.id for one in status.generations] == [job]
        assert await client.download(status.generations[0].img) == pictures.WEBP
    async with HordeClient(chaos.url, chaos.owner.key) as worker:
        with pytest.raises(AlreadySubmitted):
            await worker.submit(result(job))
    await chaos.check_gone()


async def test_between_upload_and_submission(chaos, job):
    await restart(chaos)
    async with HordeClient(chaos.url, chaos.owner.key) as worker:
        assert (await worker.submit(result(job))).reward > 0
    await check_delivered(chaos, job)


@pytest.mark.parametrize("moment", ["sent", "answered"])
async def test_while_the_submission_is_under_way(chaos, job, moment):
    """Once it is answered it is committed: the worker must not be paid for its second try."""
    line = Line(int(chaos.url.rpartition(":")[2]), SUBMIT)
    async with (
        line.opened(),
        HordeClient(line.url, chaos.owner.key, retries=PATIENT) as worker,
    ):
        submitting = asyncio.create_task(worker.submit(result(job)))
        await asyncio.wait_for(getattr(line, moment).wait(), 30)
        await restart(chaos)
        line.answered.set()  # from now on all is passed
        answer = await asyncio.wait_for(submitting, 60)
    if moment == "answered":
        assert answer is None
    await check_delivered(chaos, job)
