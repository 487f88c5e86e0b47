"""Worker processes for tests: `python -m worker`, or the same with a renderer without torch."""

import collections
import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import processes
from horde_command import descendants

START_SECONDS = 240  # torch alone takes a minute where cores are busy
STOP_SECONDS = 45
LIGHT = str(Path(__file__).with_name("light_worker.py"))


@dataclasses.dataclass
class Process:
    """A worker's control process. log: what it has said so far."""

    popen: subprocess.Popen
    log: collections.deque

    @property
    def engine(self) -> int:
        """The engine's process id; waits for an engine that is being started."""
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends:
            for child in descendants(self.popen.pid):
                with contextlib.suppress(OSError):
                    if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                        return child
            time.sleep(0.02)
        raise AssertionError("there is no engine:\n" + "".join(self.log))

    @contextlib.contextmanager
    def engine_stopped(self) -> Iterator[int]:
        """The engine stands still meanwhile, and so does the job that it gets; yields its id."""
        engine = self.engine
        os.kill(engine, signal.SIGSTOP)
        try:
            yield engine
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(engine, signal.SIGCONT)

    def kill(self) -> None:
        """End it without a goodbye."""
        self.popen.kill()
        self.popen.wait(STOP_SECONDS)


@contextlib.contextmanager
def process(url: str, key: str, *, light: bool = False, **settings) -> Iterator[Process]:
    """Run a worker; it is ready to serve when the block begins, and drains when it ends.

    light: its engine process makes plain pictures without torch (it starts in a moment).
    settings: of `WORKER_…`, in lower case; lists as JSON; None for the program's own. Where the
        block raises, the log's end is printed.
    """
    usual = {"threads": 1, "idle_seconds": 0.1, "kinds": '["image"]'}
    chosen = {"url": url, "api_key": key, **usual, **settings}
    environment = {"PYTHONWARNINGS": "ignore", "PYTHONPATH": str(processes.ROOT)}
    variables = {f"WORKER_{name.upper()}": str(value) for name, value in chosen.items() if value}
    command = [sys.executable, *([LIGHT] if light else ["-m", "worker"])]
    limits = {"start_seconds": START_SECONDS, "stop_seconds": STOP_SECONDS}
    with processes.watched(command, environment | variables, ready="ready: ", **limits) as running:
        yield Process(running.popen, running.log)
