"""A whole horde on this machine: the server and one worker, as processes of this one."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Final

from cli import claim
from cli.child import Child
from cli.exits import Exit, Failure
from cli.keeper import Keeper
from cli.settings import EmbeddedSettings, server_environment, worker_environment

START_SECONDS: Final = 120.0
"""For the first answer of a server: a slow machine reads its packages for the first time."""
WORKER_DRAIN_SECONDS: Final = 120.0
"""For the picture in hand."""
SERVER_DRAIN_SECONDS: Final = 20.0
READY: Final = "listening on "
ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


class Embedded:
    """A running horde.

    url: where this machine reaches it.
    admin_key: the administrator's API key.
    """

    def __init__(self, url: str, admin_key: str, keepers: list["asyncio.Task[None]"]) -> None:
        self.url = url
        self.admin_key = admin_key
        self._keepers = keepers

    async def until_broken(self) -> None:
        """Wait until a part of it cannot be kept running, and raise that Failure."""
        done, _ = await asyncio.wait(self._keepers, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def during(self, work: Coroutine[None, None, None]) -> None:
        """Wait for the work; raise Failure at once where the horde breaks meanwhile."""
        tasks = (asyncio.create_task(work), asyncio.create_task(self.until_broken()))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()


@contextlib.asynccontextmanager
async def running(
    settings: EmbeddedSettings,
    *,
    with_worker: bool,
    say: Callable[[str], None],
    on_job: Callable[[str], None],
    hurry: asyncio.Event,
) -> AsyncIterator[Embedded]:
    """Start a horde, and end it in order: the worker first, so that it can submit what it has.

    say: shows what somebody should know. on_job: shows a line of the worker, such as a job's.
    hurry: once set, whatever still ends is not waited for.
    Raises claim.Taken where the data folder has a horde, Failure where it does not start.
    """
    with claim.hold(settings.data_dir) as taken:
        if not is_free(settings.host, settings.port):
            raise Failure(
                Exit.FAILED,
                f"Port {settings.port} of {settings.host} is taken; --port names another.",
            )
        key_file = settings.data_dir / "admin.key"
        await _make_administrator(settings, key_file)
        async with contextlib.AsyncExitStack() as closing:
            listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            server = await closing.enter_async_context(
                _kept(_server(settings, listening), say, SERVER_DRAIN_SECONDS, hurry)
            )
            url = await _started(server, listening)
            taken.publish(url)
            keepers = [server]
            if with_worker:
                child = _worker(settings, url, key_file, on_job)
                keepers.append(
                    await closing.enter_async_context(
                        _kept(child, say, WORKER_DRAIN_SECONDS, hurry)
                    )
                )
            yield Embedded(url, key_file.read_text(encoding="ascii").strip(), keepers)


@contextlib.asynccontextmanager
async def _kept(
    child: Child, say: Callable[[str], None], drain_seconds: float, hurry: asyncio.Event
) -> AsyncIterator["asyncio.Task[None]"]:
    keeper = Keeper(child, say)
    task = asyncio.create_task(keeper.run())
    try:
        yield task
    finally:
        if not task.done():
            await keeper.end(drain_seconds, hurry)
        await asyncio.gather(task, return_exceptions=True)


async def _make_administrator(settings: EmbeddedSettings, key_file: Path) -> None:
    """Make the user who owns the worker, once; its key stays in the file."""
    for arguments in (
        ("core", "migrate"),
        ("core", "user", "create", "--name", "admin", "--admin", "--key-file", str(key_file)),
    ):
        log = settings.data_dir / "log" / "server.log"
        child = Child("setup", arguments, server_environment(settings), log=log)
        if await child.run() != 0:
            raise Failure(Exit.FAILED, f"The data folder cannot be set up:\n{child.last_words}")


def _server(settings: EmbeddedSettings, listening: "asyncio.Future[str]") -> Child:
    def on_line(line: str) -> None:
        if line.startswith(READY) and not listening.done():
            listening.set_result(line.removeprefix(READY).strip())

    return Child(
        "server",
        ("core", "serve"),
        server_environment(settings),
        log=settings.data_dir / "log" / "server.log",
        on_line=on_line,
    )


def _worker(
    settings: EmbeddedSettings, url: str, key_file: Path, on_job: Callable[[str], None]
) -> Child:
    return Child(
        "worker",
        ("worker",),
        worker_environment(url, key_file),
        log=settings.data_dir / "log" / "worker.log",
        on_line=on_job,
    )


async def _started(server: "asyncio.Task[None]", listening: "asyncio.Future[str]") -> str:
    """Wait until the server listens; gives its address as this machine reaches it."""
    await asyncio.wait(
        (server, listening), timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED
    )
    if server.done():
        server.result()
    if not listening.done():
        raise Failure(Exit.FAILED, f"The server did not start within {START_SECONDS:g} s.")
    url = listening.result()
    for wildcard, loopback in ANY_ADDRESS.items():
        url = url.replace(f"//{wildcard}:", f"//{loopback}:").replace(
            f"//[{wildcard}]:", f"//[{loopback}]:"
        )
    return url


def is_free(host: str, port: int) -> bool:
    """Whether the port can be listened on now; port 0 always can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError:
            return False
        return True
