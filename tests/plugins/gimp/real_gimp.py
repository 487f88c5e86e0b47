"""A real GIMP 3 for tests, in a Debian root of its own, with the plug-in installed."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import textwrap
import time
from pathlib import Path

import install

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stable-horde"
ROOT = CACHE / "gimp-root"
WINDOWED = ("/home/gimp/windowed.sh",)
SETTINGS = """
(config-version "3.0.4")
(show-welcome-dialog no)
(check-updates no)
"""
"""Of a GIMP that welcomes nobody: that window would lie above all others."""
QUIT = """
procedure = Gimp.get_pdb().lookup_procedure("gimp-quit")
config = procedure.create_config()
config.set_property("force", True)
procedure.run(config)
"""
START_SECONDS = 120
ANSWER_SECONDS = 240


def missing():
    """Why there can be no real GIMP here; None if it is there."""
    if os.geteuid() != 0:
        return "entering the root of GIMP needs root's rights"
    if not (ROOT / "made").exists():
        return f"there is no {ROOT}: make test-gimp makes it"
    return None


class Agent:
    """Runs code inside GIMP: one of the two processes that wait for it there."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(ANSWER_SECONDS)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._file = self._socket.makefile("rwb")

    def run(self, code, **given):
        """Run code with names given, and those of what ran before; its `answer`."""
        self.send(code, **given)
        return self.receive()

    def send(self, code, **given):
        """Begin to run code."""
        said = {"code": textwrap.dedent(code), "given": given}
        self._file.write(json.dumps(said).encode() + b"\n")
        self._file.flush()

    def receive(self):
        """The `answer` of the code that was sent."""
        answer = json.loads(self._file.readline())
        assert "error" not in answer, answer["error"]
        return answer["answer"]

    def close(self):
        self._file.close()
        self._socket.close()


class Gimp:
    """A GIMP that runs. work: the folder that it knows as /home/gimp."""

    def __init__(self, work, popen):
        self.work = work
        self.popen = popen
        self.first = self._agent("first")
        self.second = self._agent("second")
        self.run = self.first.run

    def _agent(self, name):
        path = self.work / f"test-agent-{name}.socket"
        ends = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
                return Agent(path)
            assert self.popen.poll() is None, "GIMP has ended:\n" + self.log()
            assert time.monotonic() < ends, "GIMP does not come up:\n" + self.log()
            time.sleep(0.05)  # nothing tells that a socket is there

    def log(self):
        return (self.work / "log").read_text(errors="replace")

    def quit(self):
        """Close GIMP as its menu does, whatever it is at."""
        self.second.send(QUIT)
        self.popen.wait(ANSWER_SECONDS)

    def close(self):
        self.first.close()
        self.second.close()


class Screen:
    """The screen of a GIMP with windows, as somebody in front of it has it."""

    def __init__(self, gimp):
        self._gimp = gimp
        display = (gimp.work / "display").read_text().split()[0]
        enter = ["unshare", "--mount", "--propagation", "private", HERE / "in_root.sh", ROOT]
        self._enter = [*enter, gimp.work, "env", f"DISPLAY=:{display}"]
        self.wait_for("GIMP|GNU Image")  # its procedures can be called before its windows are there
        self._do("xdotool", "mousemove", "1199", "799")  # no tooltips

    def _do(self, *command, **options):
        done = subprocess.run(
            [*self._enter, *command],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            **options,
        )
        return done.stdout.strip()

    def wait_for(self, title):
        """Wait for a window with this in its title, and give it the keyboard."""
        ends = time.monotonic() + START_SECONDS
        while not (found := self._do("xdotool", "search", "--onlyvisible", "--name", title)):
            assert time.monotonic() < ends, f"no window {title!r}\n{self._gimp.log()[-2000:]}"
            time.sleep(0.1)  # the screen tells nobody what comes up on it
        self._do("xdotool", "windowactivate", "--sync", found.split()[-1])

    focus = wait_for

    def type(self, text):
        self._do("xdotool", "type", "--delay", "20", text)

    def press(self, key):
        self._do("xdotool", "key", key)

    def settle(self):
        """Wait until nothing changes on the screen, or a while: a cursor may blink."""
        last = None
        for _ in range(8):
            self.shot("settling.png")
            now = (self._gimp.work / "settling.png").read_bytes()
            if now == last:
                return
            last = now
            time.sleep(0.5)

    def shot(self, name, *part):
        """Write the screen, or its active `window`, to a PNG in the folder of work."""
        self._do("python3", "/home/gimp/shot.py", f"/home/gimp/{name}", *part)


@contextlib.contextmanager
def installed():
    """A folder that GIMP may have as its home, with the plug-in as its installer installs it."""
    # Not pytest's tmp_path: it is too long for a socket's path.
    work = Path(tempfile.mkdtemp(prefix="gimp"))
    try:
        plug_ins = work / "profile" / "plug-ins"
        plug_ins.mkdir(parents=True)
        install.build(plug_ins / install.NAME)
        shutil.copytree(
            HERE / "agent", plug_ins / "agent", ignore=shutil.ignore_patterns("__pycache__")
        )
        shutil.copy2(ROOT / "profile" / "pluginrc", work / "profile")
        (work / "profile" / "gimprc").write_text(SETTINGS)
        for name in ("helpers.py", "shot.py", "windowed.sh"):
            shutil.copy(HERE / name, work)
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextlib.contextmanager
def running(work, command=("gimp-console-3.0", "--no-interface"), **environment):
    """Run GIMP until the block ends. environment: such as HORDE_URL and HORDE_API_KEY."""
    for left in (*work.glob("*.socket"), work / "display"):  # of one that ran there before
        left.unlink(missing_ok=True)
    variables = [f"{name}={value}" for name, value in environment.items()]
    enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"]
    inside = [HERE / "in_root.sh", ROOT, work, "env", *variables, *command]
    with (work / "log").open("wb") as log:
        popen = subprocess.Popen(
            [*enter, *inside, "--no-data", "--no-fonts", "--no-splash"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        gimp = Gimp(work, popen)
        yield gimp
        gimp.close()
    except BaseException:
        print((work / "log").read_text(errors="replace")[-8000:])  # noqa: T201 - pytest shows it with the failure
        raise
    finally:
        with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
            os.killpg(popen.pid, signal.SIGKILL)
        popen.wait()
