"""The processes that are measured: starting and stopping them, and what they have used."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

START_SECONDS = 60
STOP_SECONDS = 30
TICK = 1 / os.sysconf("SC_CLK_TCK")

ROOT = Path(__file__).parent.parent
LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")


class Process:
    """A server of this project that has said where it listens."""

    def __init__(self, process_id: int, port: int) -> None:
        self.id = process_id
        self.port = port

    def cpu_seconds(self) -> float:
        """What it has used so far, in user and in kernel mode together."""
        fields = _fields(self.id)
        return (int(fields[11]) + int(fields[12])) * TICK

    def memory(self) -> tuple[float, float]:
        """Resident memory now and at most, in MB."""
        text = Path(f"/proc/{self.id}/status").read_text()
        now, peak = (
            int(re.search(rf"{name}:\s+(\d+) kB", text)[1])  # type: ignore[index]
            for name in ("VmRSS", "VmHWM")
        )
        return now / 1024, peak / 1024


def parent_of(process_id: int) -> int:
    """The process that started this one."""
    return int(_fields(process_id)[1])


def family_seconds(parent: int) -> float:
    """User and kernel time of a process and its children, those that have ended included."""
    ticks = sum(int(field) for field in _fields(parent)[11:15])
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = _fields(int(folder.name))
            if int(fields[1]) == parent:
                ticks += int(fields[11]) + int(fields[12])
    return ticks * TICK


def _fields(process_id: int) -> list[str]:
    """What `/proc/…/stat` says from its field 3 on: behind the name, which may hold blanks."""
    return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()


@contextlib.contextmanager
def running(arguments: list[str], environment: Mapping[str, str]) -> Iterator[Process]:
    """Run `python <arguments>`, which says `listening on …`, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, **environment},
        text=True,
        start_new_session=True,  # Ctrl-C is for the benchmark, which then ends the server
    )
    timer = threading.Timer(START_SECONDS, process.kill)
    timer.start()
    try:
        port = _port(process.stdout)
        timer.cancel()
        yield Process(process.pid, port)
    finally:
        timer.cancel()
        _end(process)


def _port(output: IO[str] | None) -> int:
    for line in output or ():
        if said := LISTENING.search(line):
            return int(said[1])
    raise RuntimeError("the server did not start; what it said is above")


def _end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
