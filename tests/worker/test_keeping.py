"""What is in hand survives a server that is away, and a worker that is killed."""

import asyncio
import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from core.client import AlreadySubmitted, Unreachable
from fake_renderers import TINY
from stub_horde import KEY
from worker import journal as journal_module
from worker.image.kind import Pictures
from worker.journal import Journal
from worker.kind import Batch, Parcel
from worker.loop import Unwelcome
from worker.wanted import Wanted

HERE = Path(__file__).parent

WORKER = """
import asyncio, sys
from pathlib import Path
from core.client import HordeClient, Retries
from fake_renderers import TINY, ThreadEngine
from worker import models
from worker.crew import Crew
from worker.progress import Lines
from worker.settings import Settings

async def main(url, key, folder):
    models.find = lambda *_: TINY
    settings = Settings(url=url, name="tester", wait_seconds=0.05, idle_seconds=0.1,
                        data_dir=Path(folder))
    async with HordeClient(url, key, retries=Retries(attempts=1)) as client:
        await Crew(settings, client, ThreadEngine(), Lines()).run(asyncio.Event())

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def start(horde, tmp_path):
    """Start a worker in a process of its own; the same disk each time."""
    script = tmp_path / "serve.py"
    script.write_text(WORKER)
    path = os.pathsep.join(map(str, [HERE, HERE.parent, HERE.parent.parent]))
    running = []

    def started():
        process = subprocess.Popen(
            [sys.executable, script, horde.url, KEY, tmp_path / "data"],
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.DEVNULL,
        )
        running.append(process)
        return process

    yield started
    for process in running:
        process.kill()
        process.wait()


def killed(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_job_of_a_killed_worker_is_given_back_at_the_next_start(horde, start, tmp_path):
    [job] = horde.add(payload={"prompt": f"wait {tmp_path / 'never'}"})
    worker = start()
    assert horde.until(lambda: list((tmp_path / "data").glob("in-hand/*/*.job")))
    assert horde.until(lambda: not horde.jobs)
    killed(worker)
    assert not horde.submits
    start()
    assert horde.until(lambda: horde.submitted(job))
    assert horde.submitted(job)["state"] == "faulted"
    assert horde.submitted(job)["gen_metadata"][-1]["ref"] == (
        "the worker was killed before it was done"
    )


def test_a_finished_picture_of_a_killed_worker_is_delivered_by_the_next(horde, start):
    horde.upload_status = 500
    [job] = horde.add(payload={"seed": "41"})
    worker = start()
    assert horde.until(lambda: job in horde.uploads)
    killed(worker)
    assert not horde.submits
    horde.uploads.clear()
    horde.upload_status = 200
    start()
    assert horde.until(lambda: horde.submitted(job))
    assert (horde.submitted(job)["state"], horde.submitted(job)["seed"]) == ("ok", 41)
    assert horde.uploads[job].startswith(b"RIFF")


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("worker.in_hand.FIRST_LATE_SECONDS", 0.02)
    monkeypatch.setattr("worker.in_hand.MAX_LATE_SECONDS", 0.02)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("status", [500, 503])
async def test_a_result_waits_for_a_server_that_stumbles_for_long(horde, serve, status):
    horde.submit_errors.extend([(status, {})] * 7)  # twice as often as the client tries again
    [job], [other] = horde.add(), horde.add()
    async with serve() as serving:
        await serving.until(lambda: len(horde.submits) == 9)
        assert {body["state"] for body in horde.submits} == {"ok"}
        assert {job, other} == {body["id"] for body in horde.submits}
        assert any("1 kept until the server answers" in one for one in serving.display.ended)
        await serving.until(lambda: any("delivered late" in one for one in serving.display.said))


@pytest.mark.usefixtures("impatient")
async def test_work_goes_on_while_a_result_waits(horde, serve, monkeypatch):
    usual, away = Pictures.send, []

    async def send(channel, parcel):
        if parcel.job in away:
            raise Unreachable("connection refused")
        return await usual(channel, parcel)

    monkeypatch.setattr(Pictures, "send", send)
    away += horde.add()
    others = [horde.add()[0] for _ in range(5)]
    async with serve() as serving:
        for other in others:
            assert (await serving.submitted(other))["state"] == "ok"
        [late] = away
        assert horde.submitted(late) is None
        away.clear()
        assert (await serving.submitted(late))["state"] == "ok"


async def test_what_cannot_be_delivered_at_the_end_stays_for_the_next_start(
    horde, serve, monkeypatch, tmp_path
):
    async def send(_, parcel):
        raise Unreachable(f"no way to deliver {parcel.job}")

    [job] = horde.add()
    monkeypatch.setattr(Pictures, "send", send)
    with Journal(tmp_path, horde.url) as journal:
        async with serve(journal=journal) as serving:
            await serving.until(lambda: serving.display.ended)
        assert any("at the next start" in one for one in serving.display.said)
    assert horde.submitted(job) is None
    monkeypatch.undo()
    with Journal(tmp_path, horde.url) as journal:
        async with serve(journal=journal) as serving:
            assert (await serving.submitted(job))["state"] == "ok"


def test_the_living_keep_what_they_have_and_other_hordes_jobs_stay(tmp_path):
    picture = Parcel("a", {"id": "a"}, b"\x00picture\n", "http://horde/a")
    with Journal(tmp_path, "http://one") as first:
        first.take("image", "a")
        first.keep("image", picture)
        first.take("text", "b")
        first.take("text", "c")
        first.forget("c")
        with Journal(tmp_path, "http://one") as second:
            assert not second.left("image")
    with Journal(tmp_path, "http://another") as other:
        assert not other.left("image")
    with Journal(tmp_path, "http://one") as heir:
        assert [one.parcel for one in heir.left("image")] == [picture]
        assert [(one.job, one.parcel) for one in heir.left("text")] == [("b", None)]
        heir.forget("a")
        heir.forget("b")
    assert not list(tmp_path.rglob("*.job"))


def test_a_worker_that_begins_is_not_taken_for_dead(tmp_path, monkeypatch):
    usual, others = journal_module._locked, ["removes the folder", "has its lock for a moment"]

    def locked(path):
        if not others:
            return usual(path)
        if others.pop(0).startswith("removes"):
            shutil.rmtree(path.parent)
            return usual(path)
        return None

    monkeypatch.setattr(journal_module, "_locked", locked)
    with Journal(tmp_path, "http://one") as journal:
        journal.take("image", "a")
    with Journal(tmp_path, "http://one") as heir:
        assert [one.job for one in heir.left("image")] == ["a"]
        heir.forget("a")
    assert not list((tmp_path / "in-hand").iterdir())


async def test_a_result_whose_answer_got_lost_with_the_process_is_not_told_to_be_lost(
    horde, serve, monkeypatch, tmp_path
):
    with Journal(tmp_path, horde.url) as journal:
        journal.keep("image", Parcel("12345678-9", {"id": "12345678-9", "state": "ok"}))

    async def send(self, parcel):
        raise AlreadySubmitted(404, "DuplicateGen", "the server has it")

    monkeypatch.setattr(Pictures, "send", send)
    with Journal(tmp_path, horde.url) as journal:
        async with serve(journal=journal) as serving:
            await serving.until(lambda: "12345678 had been delivered" in serving.display.said)
    assert not list(tmp_path.rglob("*.job"))


async def test_a_disk_that_cannot_be_written_costs_no_job(horde, serve, monkeypatch, tmp_path):
    (tmp_path / "in-hand").write_text("a file in the way")
    [job] = horde.add()
    with Journal(tmp_path, horde.url) as journal:
        async with serve(journal=journal) as serving:
            assert (await serving.submitted(job))["state"] == "ok"
    full = OSError(28, "No space left on device")
    monkeypatch.setattr(Path, "write_bytes", lambda *_: (_ for _ in ()).throw(full))
    [job] = horde.add()
    with Journal(tmp_path / "another", horde.url) as journal:
        async with serve(journal=journal) as serving:
            assert (await serving.submitted(job))["state"] == "ok"


def test_what_is_cut_off_or_foreign_on_disk_is_passed_over(tmp_path):
    with Journal(tmp_path, "http://one") as journal:
        for content in (b"", b"{}", b"\xff\n", b'{"horde": 1}\n', b"[]"):
            (journal._own / f"{len(content)}.job").write_bytes(content)
    with Journal(tmp_path, "http://one") as heir:
        assert not heir.left("image")


async def test_a_job_is_left_at_the_next_step_when_its_time_is_over(horde, serve, tmp_path):
    [slow] = horde.add(ttl=1, payload={"prompt": f"wait {tmp_path / 'never'}"})
    [good] = horde.add()
    async with serve() as serving:
        submit = await serving.submitted(slow)
        assert (await serving.submitted(good))["state"] == "ok"
    assert submit["state"] == "faulted"
    assert submit["gen_metadata"][-1]["ref"].endswith("1 seconds that it had") or (
        submit["gen_metadata"][-1]["ref"].endswith("of 1 that it had")
    )


async def test_what_will_be_much_too_late_is_left_before():
    batch = Batch(ids=("a",), model=TINY.name, work="64x64", steps=9, ttl=100)
    wanted = Wanted(batch)
    wanted.began()
    wanted._began -= 60
    object.__setattr__(batch, "popped", batch.popped - 60)
    assert wanted.expect(30, 40) == pytest.approx(20, abs=1)
    assert not wanted.stop.done()
    wanted.expect(10, 100)
    assert wanted.stop.result() == "it would take 600 seconds, of 100 that it had"
    wanted.close()


async def test_a_step_that_goes_on_is_not_taken_for_slow():
    batch = Batch(ids=("a",), model=TINY.name, work="64x64", steps=20, ttl=100)
    wanted = Wanted(batch)
    wanted.began()
    assert wanted.expect(0, 20) == math.inf
    wanted._began -= 30
    object.__setattr__(batch, "popped", batch.popped - 30)
    assert wanted.expect(10, 20) == pytest.approx(30, abs=1)
    for passed, rest in (
        (20, 10),
        (25, 0),
    ):  # a program that is asked now and then tells the same step again
        wanted._began -= passed
        wanted._reached = (10, wanted._reached[1] - passed)
        object.__setattr__(batch, "popped", batch.popped - passed)
        assert wanted.expect(10, 20) == pytest.approx(rest, abs=1)
        assert wanted.expect(0, 20) == math.inf
    assert not wanted.stop.done()
    wanted.close()


async def test_a_model_whose_jobs_are_late_again_and_again_rests(horde, serve, tmp_path):
    never = f"wait {tmp_path / 'never'}"
    late = [horde.add(ttl=1, payload={"prompt": never})[0] for _ in range(3)]
    horde.add()
    async with serve() as serving:
        for job in late:
            assert (await serving.submitted(job))["state"] == "faulted"
        [told] = [one for one in serving.display.said if "not offered for 15 minutes" in one]
    assert "that it had" in told


async def test_a_source_that_does_not_come_costs_its_own_job_only(horde, serve, monkeypatch):
    monkeypatch.setattr("worker.loop.SLOW_FETCH_SECONDS", 0.01)
    usual, never = Pictures._source, asyncio.Event()

    async def source(kind, answer):
        if answer.source_image == "slow":
            await never.wait()
        return await usual(kind, answer)

    monkeypatch.setattr(Pictures, "_source", source)
    [slow] = horde.add(source_image="slow")
    others = [horde.add()[0] for _ in range(4)]
    async with serve() as serving:
        for other in others:
            assert (await serving.submitted(other))["state"] == "ok"
        assert horde.submitted(slow) is None
        never.set()
        assert (await serving.submitted(slow))["state"] == "ok"


async def test_the_same_job_does_not_end_the_engine_for_ever(horde, serve):
    for _ in range(4):
        horde.add(payload={"prompt": "die", "seed": "5"})
    [good] = horde.add()
    async with serve(max_deaths=3) as serving:
        assert (await serving.submitted(good))["state"] == "ok"
        assert not [one for one in serving.display.said if "not offered" in one]
    reasons = [body["gen_metadata"][-1]["ref"] for body in horde.submits[:4]]
    assert reasons == [
        "the engine died (SIGKILL)",
        "the engine died (SIGKILL)",
        "the engine ended at it, more than once",
        "the engine ended at it, more than once",
    ]


async def test_a_model_whose_results_are_none_rests_and_others_are_served(horde, serve):
    broken = [horde.add(payload={"prompt": "nan"})[0] for _ in range(3)]
    async with serve() as serving:
        states = [(await serving.submitted(job))["state"] for job in broken]
        await serving.until(lambda: any("not offered for" in one for one in serving.display.said))
    assert states == ["faulted"] * 3


async def test_blank_pictures_are_delivered_and_counted(horde, serve):
    blank = [horde.add(payload={"prompt": "blank"})[0] for _ in range(3)]
    async with serve() as serving:
        states = [(await serving.submitted(job))["state"] for job in blank]
        await serving.until(lambda: any("not offered for" in one for one in serving.display.said))
    assert states == ["ok"] * 3


async def test_a_server_that_takes_a_result_is_asked_for_work_at_once(horde, serve, monkeypatch):
    monkeypatch.setattr("worker.loop.FIRST_PAUSE_SECONDS", 3600)
    monkeypatch.setattr("worker.loop.MAX_PAUSE_SECONDS", 3600)
    go = asyncio.Event()
    usual = Pictures.pack

    async def pack(*args):
        await go.wait()
        return await usual(*args)

    monkeypatch.setattr(Pictures, "pack", pack)
    [first] = horde.add()
    async with serve() as serving:
        await serving.until(lambda: not horde.jobs)
        horde.pop_errors.append((503, {}))
        await serving.until(lambda: not horde.pop_errors)
        [second] = horde.add()
        go.set()
        assert (await serving.submitted(second))["state"] == "ok"
    assert horde.submitted(first)["state"] == "ok"


async def test_a_server_that_will_not_have_the_models_ends_the_worker_in_words(
    horde, serve, monkeypatch
):
    monkeypatch.setattr("worker.loop.FIRST_PAUSE_SECONDS", 0.01)
    refusal = (400, {"message": "cannot accept workers serving these", "rc": "BadRequest"})
    horde.pop_errors.extend([refusal] * 5)
    async with serve() as serving:
        await serving.ends(Unwelcome)
