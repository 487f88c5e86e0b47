"""A horde for the command line: a real server and a light worker of all kinds, and its people."""

import contextlib
import dataclasses
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import make_url

import databases as clones
import serving
import working
from core.client import SyncHordeClient

SECONDS = 60
SETTINGS = {"default_models": "[]"}


@dataclasses.dataclass
class Town:
    """A horde that runs. home: the folder of whoever types the commands."""

    server: serving.Process
    home: Path
    person: serving.Person
    owner: serving.Person
    database: Path
    folder: Path

    @contextlib.contextmanager
    def again(self, **settings):
        """Start its server again, after it was killed; as long as the block runs."""
        url = f"sqlite+aiosqlite:///{self.database}"
        with serving.process(self.folder, database_url=url, **SETTINGS, **settings) as server:
            yield server

    def environment(self, **variables):
        """What the commands see: nothing of this machine's own settings."""
        inherited = {name: value for name, value in os.environ.items() if "HORDE" not in name}
        chosen = {
            "HOME": str(self.home),
            "HORDE_URL": self.server.url,
            "HORDE_API_KEY": self.person.key,
            "HORDE_CONFIG_DIR": str(self.home / "config"),
            "HORDE_STATE_DIR": str(self.home / "state"),
            "COLUMNS": "80",
        }
        return {**inherited, **chosen, **variables}

    def asked(self):
        """How many requests the horde has taken so far, of everybody."""
        with contextlib.closing(sqlite3.connect(self.database)) as database:
            return database.execute("SELECT count(*) FROM requests").fetchone()[0]

    def kudos(self):
        """What the person has."""
        with SyncHordeClient(self.server.url, self.person.key) as client:
            return client.users.me().kudos

    def start(self, *arguments, cwd=None, **variables):
        """Start a command; its output is read by who started it."""
        return subprocess.Popen(
            [sys.executable, "-m", "cli", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=cwd,
            env=self.environment(**variables),
        )

    def program(self, *command, **variables):
        """Run a program that uses the command, and does not fail; what it printed."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return subprocess.run(
            [*map(str, command)],
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=3 * SECONDS,
            cwd=self.home,
            env=self.environment(PATH=path, **variables),
        ).stdout

    def run(self, *arguments, stdin="", status=0, cwd=None, **variables):
        """Run a command to its end, which must have this exit status; what it printed."""
        ended = subprocess.run(
            [sys.executable, "-m", "cli", *map(str, arguments)],
            check=False,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            cwd=cwd or self.home,
            env=self.environment(**variables),
        )
        assert ended.returncode == status, ended.stdout
        return ended.stdout


@contextlib.contextmanager
def open_town(folder, databases, *, worker=True, trusted=True, **settings):
    """Run one in a folder. trusted: whether its people are. settings: of the server."""
    home = folder / "home"
    home.mkdir()
    with contextlib.ExitStack() as running:
        database_url = running.enter_context(databases.fresh(clones.ENGINES[0]))
        data_dir = folder / "server"
        server = running.enter_context(
            serving.process(data_dir, database_url=database_url, **SETTINGS, **settings)
        )
        person = server.user("Person", oauth_id="g_person", kudos=100_000, trusted=trusted)
        owner = server.user("Owner", oauth_id="g_owner", kudos=1000, trusted=trusted)
        if worker:
            running.enter_context(light_worker(server.url, owner.key))
            _until_offered(server.url)
        yield Town(server, home, person, owner, Path(make_url(database_url).database), data_dir)


def _until_offered(url):
    """Wait until the server says that a model is offered; what it says may be a second old."""
    ends = time.monotonic() + SECONDS
    with SyncHordeClient(url) as client:
        while not client.models.active():
            assert time.monotonic() < ends
            time.sleep(0.1)


def light_worker(url, key):
    """A worker that makes plain pictures at once."""
    kinds = '["image", "alchemy"]'
    return working.process(url, key, light=True, name="Light Worker", kinds=kinds)
