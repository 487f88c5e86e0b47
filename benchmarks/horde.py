"""A real server process on a real database, and the people and workers that use it."""

import contextlib
import secrets
import tempfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from PIL import Image
from sqlalchemy import update

from benchmarks import processes
from benchmarks.client import Client
from benchmarks.engines import Engine
from benchmarks.processes import Process
from core.catalog import agents
from core.db import table
from core.users.tables import UserRow

MODEL = "stable_diffusion"
KUDOS = 1_000_000.0
LARGEST = 1024 * 1024


class Horde:
    """A running server, and two of its users: one asks, the other one has workers."""

    def __init__(self, engine: Engine, process: Process) -> None:
        self.engine = engine
        self.process = process
        with self.client() as client:
            self.requester = self._user(client, "Requester")
            self.owner = self._user(client, "Owner")
        engine.run(self._let_be())

    def client(self, user: dict[str, Any] | None = None) -> Client:
        """A connection of its own, as this user or as nobody."""
        return Client(self.process.port, user["api_key"] if user else "")

    def _user(self, client: Client, name: str) -> dict[str, Any]:
        # Trusted, as untrusted owners' workers come under suspicion at this speed.
        wanted = {"username": name, "oauth_id": f"bench-{name}", "kudos": KUDOS, "trusted": True}
        return client.post("/api/v2/dev/test-user", wanted)

    async def _let_be(self) -> None:
        """Let them have more jobs waiting, and more workers, than a new user may."""
        users = table(UserRow)
        async with self.engine.opened() as database, database.writing() as session:
            await session.execute(update(users).values(concurrency=10**6, worker_invited=100))


@contextlib.contextmanager
def running(engine: Engine) -> Iterator[Horde]:
    """The server on this database, without rate limits and with all its upkeep."""
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        environment = {
            "HORDE_PORT": "0",
            "HORDE_DATA_DIR": folder,
            "HORDE_DATABASE_URL": engine.url,
            "HORDE_SECRET_KEY": secrets.token_hex(32),
            "HORDE_RATE_LIMITS": "off",
            "HORDE_DEV_ENDPOINTS": "on",
            "HORDE_LOG_LEVEL": "warning",
        }
        with processes.running(["-m", "core", "serve"], environment) as process:
            yield Horde(engine, process)


def asked(number: int) -> dict[str, Any]:
    """The body of a plain request for one picture."""
    return {
        "prompt": f"a lighthouse on a cliff at dawn, number {number} ### blurry, text",
        "params": {"width": 512, "height": 512, "steps": 25, "seed": str(number), "n": 1},
        "models": [MODEL],
        "r2": True,
    }


def offered(name: str, *models: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The body of a pop by a worker that serves these models."""
    return {
        "name": name,
        "models": list(models or [MODEL]),
        "bridge_agent": f"{agents.OURS}:1:https://github.com/stable-horde/stable-horde",
        "max_pixels": LARGEST,
        "nsfw": True,
        "threads": 1,
        "amount": 1,
        **more,
    }


def picture() -> bytes:
    """A small WebP, as a worker would upload it."""
    content = BytesIO()
    Image.linear_gradient("L").resize((64, 64)).save(content, "WEBP", quality=80)
    return content.getvalue()
