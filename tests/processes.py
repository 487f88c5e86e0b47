"""Processes of this project for tests: started, awaited, and never left behind."""

import collections
import contextlib
import dataclasses
import os
import queue
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclasses.dataclass
class Watched:
    """A process that runs. log: its last lines so far. ready: the line that said it was up."""

    popen: subprocess.Popen
    log: collections.deque
    ready: str


@contextlib.contextmanager
def watched(
    command: list[str],
    environment: dict[str, str],
    *,
    ready: str,
    start_seconds: float,
    stop_seconds: float,
) -> Iterator[Watched]:
    """Run a process: it is up when the block begins, and gets SIGTERM when the block ends.

    ready: what the line begins with that says it is up.
    stop_seconds: how long it may take to end. Where the block raises, the log's end is printed.
    """
    popen = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        env=os.environ | environment,
        start_new_session=True,  # Ctrl-C is for the test run, which then ends the process
        text=True,
        errors="replace",
    )
    log: collections.deque = collections.deque(maxlen=100)
    said: queue.SimpleQueue = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(popen.stdout, log, ready, said), daemon=True)
    reader.start()
    try:
        with _ended_with_this_process(popen):
            line = said.get(timeout=start_seconds)
            assert line is not None, f"{' '.join(command)} did not start"
            yield Watched(popen, log, line)
            if popen.poll() is None:
                popen.terminate()
                popen.wait(stop_seconds)
    except BaseException:
        print("".join(log))  # noqa: T201 - pytest shows it with the failure
        raise
    finally:
        popen.kill()
        popen.wait()
        reader.join(stop_seconds)
        popen.stdout.close()


@contextlib.contextmanager
def _ended_with_this_process(popen):
    """However the test run ends, the pipe closes with it, and then the process is killed."""
    watch = subprocess.Popen(
        ["sh", "-c", 'cat; kill -9 "$1"', "sh", str(popen.pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        watch.kill()
        watch.wait()
        watch.stdin.close()


def _read(output, log, ready, said):
    """Keep the log's last lines; tell the line that says it is up, or None where it ended."""
    for line in output:
        log.append(line)
        if line.startswith(ready):
            said.put(line)
    said.put(None)


def alive(pid):
    """Whether a process runs; one that is dead and not yet reaped does not."""
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc").exists()  # a system that does not tell of its processes there
