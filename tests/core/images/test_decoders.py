"""The processes that decode pictures: ended when late, replaced when dead, shared in turns."""

import asyncio
import os
import resource
import select
import signal
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

import bombs
from core.images import decoders as module
from core.images import process as process_module
from core.images.decoders import Decoders
from core.images.failures import DecoderBusy, ImageValidationFailed, TooManyPictures
from core.images.process import Work

ROOT = Path(__file__).parents[3]
GONE_SECONDS = 60


def work(content, seconds=5):
    return Work(content=content, max_pixels=5000 * 5000, quality=50, seconds=seconds)


def png(side=16):
    file = BytesIO()
    Image.new("RGB", (side, side), "red").save(file, "PNG")
    return file.getvalue()


SMALL = png()
BOMB = bombs.scans(5000, 5000, 85)  # few enough scans, and some seconds of work


@pytest.fixture
async def decoders():
    running = Decoders()
    yield running
    await running.close()


def is_gone(process):
    """Whether it ends; `process` is a file descriptor of it."""
    try:
        return bool(select.select([process], [], [], GONE_SECONDS)[0])
    finally:
        os.close(process)


async def running(decoders):
    """The one process, once it is there."""
    while not decoders.process_ids:  # noqa: ASYNC110 - nobody else wants to know
        await asyncio.sleep(0.01)
    (pid,) = decoders.process_ids
    return pid


async def test_nothing_is_started_before_there_is_work_and_then_it_stays(decoders):
    assert decoders.process_ids == []
    await decoders.source(work(SMALL), caller="a")
    (first,) = decoders.process_ids
    await decoders.source(work(SMALL), caller="b")
    assert decoders.process_ids == [first]


async def test_a_picture_that_takes_too_long_is_refused_and_its_process_ended(decoders):
    late = asyncio.ensure_future(decoders.source(work(BOMB, seconds=1), caller="a"))
    process = os.pidfd_open(await running(decoders))
    with pytest.raises(ImageValidationFailed, match="takes too long"):
        await late
    assert is_gone(process)
    assert await decoders.source(work(SMALL), caller="a")


async def test_a_process_that_uses_no_cpu_is_ended_by_the_clock(decoders, monkeypatch):
    monkeypatch.setattr(process_module, "START_SECONDS", 0)
    stuck = asyncio.ensure_future(decoders.source(work(BOMB, seconds=1), caller="a"))
    pid = await running(decoders)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(ImageValidationFailed, match="takes too long"):
        await stuck
    assert pid not in decoders.process_ids


async def test_nobody_waits_behind_anothers_hundred(decoders):
    bad = [
        asyncio.ensure_future(decoders.source(work(BOMB, seconds=2), caller="bad"))
        for _ in range(8)
    ]
    await running(decoders)
    for caller in ("good", "kind", "good"):
        assert await decoders.source(work(SMALL), caller=caller)
    assert sum(task.done() for task in bad) <= 1
    for task in bad:
        task.cancel()
    await asyncio.gather(*bad, return_exceptions=True)


async def test_callers_of_long_pictures_leave_a_process_to_others(decoders):
    bad = ["bad", "worse", "worst"]

    def all_send(seconds):
        return [
            asyncio.ensure_future(decoders.source(work(BOMB, seconds=seconds), caller=one))
            for one in bad
        ]

    await asyncio.gather(*all_send(seconds=1), return_exceptions=True)
    again = all_send(seconds=5)
    await asyncio.sleep(0)
    assert len(decoders._sources._running) == 1
    assert await decoders.source(work(SMALL), caller="good")
    assert sum(one.done() for one in again) <= 1
    for task in again:
        task.cancel()
    await asyncio.gather(*again, return_exceptions=True)


async def test_results_do_not_wait_behind_sources(decoders):
    sources = [
        asyncio.ensure_future(decoders.source(work(BOMB, seconds=2), caller=f"{number}"))
        for number in range(8)
    ]
    await asyncio.sleep(0)
    assert await decoders.result(work(SMALL), caller="worker")
    assert not all(task.done() for task in sources)
    for task in sources:
        task.cancel()
    await asyncio.gather(*sources, return_exceptions=True)


async def test_a_caller_has_few_pictures_waiting(decoders):
    tasks = [
        asyncio.ensure_future(decoders.source(work(SMALL), caller="a"))
        for _ in range(module.MAX_WAITING_A_CALLER + 2)
    ]
    found = await asyncio.gather(*tasks, return_exceptions=True)
    refused = [one for one in found if not isinstance(one, bytes)]
    assert [type(one) for one in refused] == [TooManyPictures]


async def test_all_callers_together_have_a_bound(decoders, monkeypatch):
    monkeypatch.setattr(module, "MAX_WAITING", 3)
    tasks = [
        asyncio.ensure_future(decoders.source(work(SMALL), caller=f"{number}"))
        for number in range(6)
    ]
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in found if not isinstance(one, bytes)] == [DecoderBusy]


async def test_who_went_away_is_not_waited_for(decoders):
    tasks = [asyncio.ensure_future(decoders.source(work(SMALL), caller="a")) for _ in range(10)]
    await asyncio.sleep(0)
    for task in tasks[1:]:
        task.cancel()
    assert await tasks[0]
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await decoders.source(work(SMALL), caller="a")


async def test_a_process_that_died_is_replaced(decoders):
    await decoders.source(work(SMALL), caller="a")
    (pid,) = decoders.process_ids
    process = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    assert is_gone(process)
    await asyncio.sleep(0.2)  # until the loop heard of it
    assert await decoders.source(work(SMALL), caller="a")
    assert pid not in decoders.process_ids


async def test_a_picture_that_kills_its_process_is_refused(decoders):
    bomb = asyncio.ensure_future(decoders.source(work(BOMB), caller="a"))
    os.kill(await running(decoders), signal.SIGSEGV)
    with pytest.raises(ImageValidationFailed, match="cannot be decoded"):
        await bomb
    assert await decoders.source(work(SMALL), caller="a")


async def test_idle_processes_end(decoders, monkeypatch):
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.05)
    await decoders.source(work(SMALL), caller="a")
    process = os.pidfd_open(decoders.process_ids[0])
    assert await asyncio.to_thread(is_gone, process)
    assert decoders.process_ids == []
    assert await decoders.source(work(SMALL), caller="a")


async def test_where_no_process_can_be_started_it_is_said(decoders, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(DecoderBusy):
        await decoders.source(work(SMALL), caller="a")


async def test_closing_ends_processes_and_what_waits():
    decoders = Decoders(1)
    tasks = [
        asyncio.ensure_future(decoders.source(work(BOMB), caller=f"{number}"))
        for number in range(3)
    ]
    process = os.pidfd_open(await running(decoders))
    await decoders.close()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in found] == [DecoderBusy] * 3
    assert is_gone(process)
    with pytest.raises(DecoderBusy):
        await decoders.source(work(SMALL), caller="a")


def environment(pid):
    return Path(f"/proc/{pid}/environ").read_bytes()


async def test_a_decoder_has_limits_and_no_secrets(decoders, monkeypatch):
    monkeypatch.setenv("HORDE_SECRET_KEY", "a secret")
    await decoders.source(work(SMALL), caller="a")
    (pid,) = decoders.process_ids
    assert b"SECRET" not in environment(pid)
    assert resource.prlimit(pid, resource.RLIMIT_FSIZE)[0] == 0
    assert resource.prlimit(pid, resource.RLIMIT_DATA)[0] <= 2 * 1024**3


SERVER = """
import asyncio, sys
from pathlib import Path
from core.images.decoders import Decoders
from core.images.process import Work

async def main(path):
    decoders = Decoders()
    small, bomb = (Path(path, name).read_bytes() for name in ("small", "bomb"))
    work = dict(max_pixels=5000 * 5000, quality=50, seconds=5)
    await decoders.source(Work(content=small, **work), caller="a")
    print(*decoders.process_ids, flush=True)
    if sys.argv[2] == "busy":
        await decoders.source(Work(content=bomb, **work), caller="a")
    await asyncio.Event().wait()  # until it is killed

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.parametrize("state", ["idle", "busy"])
def test_no_decoder_outlives_its_server(tmp_path, state):
    (tmp_path / "small").write_bytes(SMALL)
    (tmp_path / "bomb").write_bytes(BOMB)
    command = [sys.executable, "-c", SERVER, tmp_path, state]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        process = os.pidfd_open(int(server.stdout.readline()))
        server.kill()
        server.wait()
        assert is_gone(process)


def test_the_server_never_loads_what_decodes():
    code = "import sys, core.app; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
