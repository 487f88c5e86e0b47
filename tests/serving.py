"""Servers for tests: the app in this process, or `python -m core serve` as a process of its own.

Both are context managers, and both differ from the defaults in the same way: no rate limits, no
plug-ins. Every setting can be given by its name: `serving.in_process(..., rate_limits="on")`.
"""

import collections
import contextlib
import dataclasses
import itertools
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
from quart import Quart

import factories
import pictures
import processes
from core import logs
from core.app import create_app
from core.client import HordeClient, Retries
from core.db import Database
from core.settings import Settings
from core.users import directory
from core.users.tables import Role

ROOT = processes.ROOT
ANONYMOUS = "0000000000"
WORKER = "Stable Horde Worker:1:https://github.com/stable-horde/stable-horde"
PUBLIC_URL = "https://horde.test"
SMALL = {"width": 64, "height": 64, "steps": 1}
START_SECONDS = 60
STOP_SECONDS = 20
NUMBERS = itertools.count(1)


@dataclasses.dataclass(frozen=True)
class Person:
    """A registered user."""

    id: int
    alias: str
    key: str


@dataclasses.dataclass(frozen=True)
class InProcess:
    """An app that runs in this process.

    http: calls any path of the site; `call` and its kin, endpoints of version 2.
    """

    app: Quart
    settings: Settings
    database: Database
    http: httpx.AsyncClient

    @property
    def horde(self):
        """What the five steps share (`core.generation.horde.Horde`)."""
        return self.app.extensions["horde"].horde

    async def call(self, method, path, body=None, *, key=None, **headers):
        """Call an endpoint of version 2; `body` becomes JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            sent["apikey"] = key
        content = None
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.http.request(method, f"/api/v2{path}", content=content, headers=sent)

    async def get(self, path, **kwargs):
        """GET an endpoint of version 2."""
        return await self.call("GET", path, **kwargs)

    async def post(self, path, body, **kwargs):
        """POST to an endpoint of version 2."""
        return await self.call("POST", path, body, **kwargs)

    async def ask(self, *, key=ANONYMOUS, **body):
        """Ask for a small picture by any model; the request's id."""
        wanted = {"prompt": "a red fox", "models": [], "nsfw": False, "params": SMALL, **body}
        answer = await self.post("/generate/async", wanted, key=key)
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    async def pop(self, key, **body):
        """Pop as a worker that can do what ours can; the answer's JSON."""
        answer = await self.post("/generate/pop", offer(**body), key=key)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def submit(self, key, job_id, **body):
        """Submit a job whose picture is uploaded already."""
        result = {"id": job_id, "generation": "R2", "seed": 1, **body}
        return await self.post("/generate/submit", result, key=key)

    async def deliver(self, key, popped, picture=None):
        """Upload and submit all that was popped, as large as ordered; the rewards."""
        if picture is None:
            payload = popped["payload"]
            picture = pictures.picture((payload["width"], payload["height"]), form="WEBP")
        rewards = []
        for job_id, url in zip(popped["ids"], popped["r2_uploads"], strict=True):
            uploaded = await self.http.put(url, content=picture)
            assert uploaded.status_code == 200, uploaded.text
            submitted = await self.submit(key, job_id)
            assert submitted.status_code == 200, submitted.text
            rewards.append(submitted.json()["reward"])
        return rewards

    def client(self, key=ANONYMOUS):
        """A client of the app; to be closed by who asked for it."""
        transport = httpx.ASGITransport(self.app)
        return HordeClient(
            self.settings.base_url, key, transport=transport, retries=Retries(attempts=1)
        )

    async def user(self, username="Someone", *, kudos=0, **properties):
        """Register somebody who logged in somewhere and can spend `kudos`."""
        properties.setdefault("oauth_id", f"g_{username.replace(' ', '_')}")
        async with self.database.writing() as session:
            user, key = await directory.create(
                session, self.app.extensions["horde"].keyring, username=username, **properties
            )
            if kudos:
                await factories.give(session, user.account_id, round(kudos * 100))
        return Person(user.id, user.alias, key)


@dataclasses.dataclass(frozen=True)
class Shop:
    """A worker with a model of its own: tests that share a server do not get each other's jobs."""

    server: InProcess
    owner: Person
    name: str

    async def ask(self, **body):
        """Ask for a picture by the shop's model; the request's id."""
        return await self.server.ask(**{"models": [self.name], **body})

    async def pop(self, **body):
        """Pop as the shop's worker; the answer's JSON."""
        offered = {"name": self.name, "models": [self.name], **body}
        return await self.server.pop(self.owner.key, **offered)

    async def submit(self, job_id, **body):
        """Submit a job; the response."""
        return await self.server.submit(self.owner.key, job_id, **body)

    async def deliver(self, popped, picture=None):
        """Upload and submit all that was popped, as large as ordered; the rewards."""
        return await self.server.deliver(self.owner.key, popped, picture)

    async def status(self, request_id):
        """The request's status as JSON."""
        return (await self.server.get(f"/generate/status/{request_id}")).json()


async def open_shop(server, **properties) -> Shop:
    """A shop; its owner may serve any model and is rich unless `properties` say otherwise."""
    name = f"shop {next(NUMBERS)}"
    usual = {"roles": int(Role.CUSTOMIZER), "kudos": 100_000}
    return Shop(server, await server.user(name, **usual | properties), name)


def offer(**changes):
    """The body of a pop by a worker that can do what ours can."""
    usual = {"name": "a worker", "models": ["stable_diffusion"], "bridge_agent": WORKER}
    return {**usual, "max_pixels": 1024 * 1024, **changes}


@contextlib.asynccontextmanager
async def in_process(
    database_url: str, data_dir: Path, *, peer: str = "127.0.0.1", **settings
) -> AsyncIterator[InProcess]:
    """Run the app on a migrated database. peer: the address that `http` calls from."""
    chosen = Settings(
        **{
            "data_dir": data_dir,
            "database_url": database_url,
            "plugins": [],
            "public_url": PUBLIC_URL,
            "rate_limits": "off",
            "secret_key": "a secret of the tests, long enough",
            "upkeep": "off",
            **settings,
        }
    )
    logs.configure(form="json", level="warning")
    app = create_app(chosen)
    transport = httpx.ASGITransport(app, client=(peer, 50000))
    await app.startup()
    try:
        async with httpx.AsyncClient(transport=transport, base_url=chosen.base_url) as http:
            yield InProcess(app, chosen, app.extensions["horde"].database, http)
    finally:
        await app.shutdown()


@dataclasses.dataclass
class Process:
    """A server process. url: where it listens, without a path. log: what it has said so far."""

    url: str
    popen: subprocess.Popen
    log: collections.deque

    def client(self, key=ANONYMOUS):
        """A client over a real socket; to be closed by who asked for it."""
        return HordeClient(self.url, key)

    def user(self, username="Someone", *, oauth_id, **properties):
        """Register somebody by the development endpoint."""
        body = {"username": username, "oauth_id": oauth_id, **properties}
        answer = httpx.post(f"{self.url}/api/v2/dev/test-user", json=body, timeout=START_SECONDS)
        made = answer.raise_for_status().json()
        return Person(int(made["user_id"]), made["alias"], made["api_key"])

    def stop(self):
        """End it as Ctrl-C in a terminal or a service manager does; its exit status."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(STOP_SECONDS)

    def kill(self):
        """End it without a goodbye."""
        self.popen.kill()
        self.popen.wait(STOP_SECONDS)


@contextlib.contextmanager
def process(data_dir: Path, **settings) -> Iterator[Process]:
    """Run `python -m core serve`; it listens when the block begins.

    data_dir: kept, so that a second server finds everything again. settings: of `HORDE_…`, in
    lower case; lists as JSON. Where the block raises, the log's end is printed.
    """
    chosen = {
        "data_dir": data_dir,
        "dev_endpoints": "on",
        "log_format": "text",
        "plugins": "[]",
        "secret_key": "a secret of the tests, long enough",
        "port": 0,
        "rate_limits": "off",
        **settings,
    }
    variables = {f"HORDE_{name.upper()}": str(value) for name, value in chosen.items()}
    command = [sys.executable, "-m", "core", "serve"]
    limits = {"start_seconds": START_SECONDS, "stop_seconds": STOP_SECONDS}
    with processes.watched(command, variables, ready="listening on ", **limits) as running:
        yield Process(running.ready.split()[-1], running.popen, running.log)
