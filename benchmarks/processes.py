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
        return cpu_seconds([self.id])

    def memory(self) -> tuple[float, float]:
        """Resident memory now and at most, in MB."""
        text = Path(f"/proc/{self.id}/status").read_text()
        now, peak = (
            int(re.search(rf"{name}:\s+(\d+) kB", text)[1])  # type: ignore[index]
            for name in ("VmRSS", "VmHWM")
        )
        return now / 1024, peak / 1024


def cpu_seconds(process_ids: list[int]) -> float:
    """User and kernel time of these processes, all threads; those that have ended count nothing."""
    ticks = 0
    for process_id in process_ids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # After the name, which may hold blanks: field 3 on, of which 14 and 15 are the times.
            fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks * TICK


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
