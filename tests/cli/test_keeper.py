"""Children that die, hang, talk too much or have children, and who keeps them."""

import asyncio
import os
import textwrap

import pytest

from cli import child as children
from cli import keeper as keepers
from cli.child import Child
from cli.exits import Failure
from cli.keeper import Keeper
from horde_command import wait_until_gone


@pytest.fixture
def make(tmp_path):
    """Makes a child out of a program's text, and a list of the lines that it prints."""

    def make(program):
        (tmp_path / "program.py").write_text(textwrap.dedent(program))
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        lines = asyncio.Queue()
        log = tmp_path / "log" / "program.log"
        child = Child("program", ["program"], environment, log=log, on_line=lines.put_nowait)
        return child, lines

    return make


@pytest.fixture
def said():
    return []


async def test_what_a_child_started_does_not_outlive_it(make):
    child, lines = make("""
        import subprocess, sys
        print(subprocess.Popen(["sleep", "1000"]).pid)
        sys.exit(3)
    """)
    async with asyncio.timeout(30):
        assert await child.run() == 3
    wait_until_gone([int(await lines.get())], seconds=5)


async def test_a_child_that_dies_too_often_is_given_up(make, said, monkeypatch):
    monkeypatch.setattr(keepers, "FIRST_PAUSE_SECONDS", 0.001)
    child, _ = make("raise SystemExit('it hurts')")
    with pytest.raises(Failure, match=r"with status 1(.|\n)*it hurts"):
        await Keeper(child, said.append, lambda: True).run()
    assert len(said) == keepers.MAX_DEATHS - 1


async def test_one_that_never_worked_is_not_started_again(make, said):
    child, _ = make("raise SystemExit(1)")
    with pytest.raises(Failure):
        await Keeper(child, said.append, lambda: False).run()
    assert said == []


STUBBORN = """
    import signal, time
    signal.signal(signal.SIGTERM, lambda *_: print("not yet"))
    print("here")
    while True:
        time.sleep(1)  # whatever happens, until it is killed
"""


@pytest.mark.parametrize("hurried", [False, True])
async def test_one_that_does_not_end_is_killed(make, said, monkeypatch, hurried):
    monkeypatch.setattr(keepers, "HURRIED_SECONDS", 0.05)
    child, lines = make(STUBBORN)
    keeper = Keeper(child, said.append, lambda: True)
    hurry = asyncio.Event()
    task = asyncio.create_task(keeper.run())
    async with asyncio.timeout(30):
        assert await lines.get() == "here"
        if hurried:
            ending = asyncio.create_task(keeper.end(1000, hurry))
            assert await lines.get() == "not yet"
            hurry.set()
            await ending
        else:
            await keeper.end(0.05, hurry)
        await task
    assert said == []


async def test_logs_are_bounded(make, tmp_path, monkeypatch):
    monkeypatch.setattr(children, "LOG_BYTES", 10_000)
    child, _ = make("print('\\n'.join(f'{number:99}' for number in range(1000)))")
    await child.run()
    logs = list((tmp_path / "log").iterdir())
    assert len(logs) == children.LOG_FILES
    assert all(log.stat().st_size <= 10_000 for log in logs)
    assert (tmp_path / "log" / "program.log").read_text().splitlines()[-1].strip() == "999"
