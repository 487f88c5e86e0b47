"""The `horde` command as people run it: a process, its output, its signals."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time

import processes

COMMAND = (sys.executable, "-m", "cli")
MAX_SECONDS = 150


class Running:
    """A `horde` that runs."""

    def __init__(self, arguments, environment):
        self.lines = []
        self._new = queue.Queue()
        self._process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self):
        return self._process.pid

    def line(self, part):
        """Wait for a line with this in it."""
        ends = time.monotonic() + MAX_SECONDS
        while True:
            line = self._new.get(timeout=max(0.01, ends - time.monotonic()))
            assert line is not None, f"ended without {part!r}:\n" + "\n".join(self.lines)
            if part in line:
                return line

    def signal(self, number):
        self._process.send_signal(number)

    def end(self):
        """Wait until it has ended; gives the exit status."""
        status = self._process.wait(MAX_SECONDS)
        self._reader.join(MAX_SECONDS)
        return status

    def close(self):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(30)
        self._process.kill()
        self.end()
        self._process.stdout.close()

    def _read(self):
        for line in self._process.stdout:
            self.lines.append(line.rstrip("\n"))
            self._new.put(self.lines[-1])
        self._new.put(None)


class Horde:
    """Runs the command with a data folder and a port of the test's own."""

    def __init__(self, data_dir, port, model):
        self.data_dir = data_dir
        self.url = f"http://127.0.0.1:{port}"
        self._environment = {
            **os.environ,
            "HORDE_DATA_DIR": str(data_dir),
            "HORDE_PORT": str(port),
            "HORDE_URL": self.url,
            "HORDE_CONFIG_DIR": str(data_dir.with_name("config")),
            "HORDE_STATE_DIR": str(data_dir.with_name("state")),
            "WORKER_NAME": "Test Worker",
            "WORKER_MODELS": f'["{model}"]',
            "WORKER_THREADS": "1",
        }
        self._running = contextlib.ExitStack()

    def set(self, **variables):
        """Change the environment of what is run from now on."""
        self._environment.update(variables)

    def start(self, *arguments):
        running = Running(arguments, self._environment)
        self._running.callback(running.close)
        return running

    def run(self, *arguments, stdin=""):
        """Run it to its end; gives the exit status and all it printed."""
        ended = subprocess.run(
            [*COMMAND, *arguments],
            check=False,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=MAX_SECONDS,
            env=self._environment,
        )
        return ended.returncode, ended.stdout

    def close(self):
        self._running.close()


def descendants(pid):
    """Processes that a process has started, and those that they have."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,ppid="], check=True, capture_output=True, text=True
    ).stdout
    children = {}
    for line in listed.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    found, left = [], [pid]
    while left:
        found += (news := children.get(left.pop(), []))
        left += news
    return found


def wait_until_gone(pids, seconds=45):
    """Fail unless all these processes end in time."""
    ends = time.monotonic() + seconds
    while left := [pid for pid in pids if processes.alive(pid)]:
        assert time.monotonic() < ends, f"still there: {left}"
        time.sleep(0.05)  # they are not our children, whose end could be waited for
