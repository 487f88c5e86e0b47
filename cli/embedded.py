"""A whole horde on this machine: the server and one worker, as child processes."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from cli import claim
from cli.child import Child
from cli.exits import Exit, Failure
from cli.keeper import Keeper
from cli.settings import EmbeddedSettings, server_environment, worker_environment

START_SECONDS: Final = 120.0
"""How long a server may take to start: a slow machine reads its packages for the first time."""
WORKER_DRAIN_SECONDS: Final = 120.0
"""The time to finish the picture in hand."""
SERVER_DRAIN_SECONDS: Final = 20.0
READY: Final = "listening on "
ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


class Embedded:
    """A running horde.

    url: for programs on this machine.
    page: the address of its page, for everybody.
    admin_key: the administrator's API key.
    """

    def __init__(
        self, url: str, page: str, admin_key: str, keepers: list["asyncio.Task[None]"]
    ) -> None:
        self.url = url
        self.page = page
        self.admin_key = admin_key
        self._keepers = keepers

    async def until_broken(self) -> None:
        """Wait until a part of it cannot be kept running, and raise its Failure."""
        done, _ = await asyncio.wait(self._keepers, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def during(self, work: Coroutine[None, None, None]) -> None:
        """Wait for the work; raise Failure at once if the horde breaks meanwhile."""
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
    text: bool = False,
    say: Callable[[str], None],
    on_job: Callable[[str], None],
    hurry: asyncio.Event,
) -> AsyncIterator[Embedded]:
    """Start a horde, and end it in order: the worker first, so that it can submit its jobs.

    text: whether the worker also writes text, whose model it fetches once.
    say: shows a message. on_job: shows a line of the worker, such as a job's.
    hurry: once set, processes that are still ending are not waited for.
    Raises claim.Taken if the data folder has a horde, Failure if it does not start.
    """
    _check_installed(with_worker=with_worker)
    with claim.hold(settings.data_dir) as taken:
        settings = settings.model_copy(update={"port": _port(settings)})
        key_file = settings.data_dir / "admin.key"
        await _make_administrator(settings, key_file)
        async with contextlib.AsyncExitStack() as closing:
            listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            server = await closing.enter_async_context(
                _kept(
                    Keeper(_server(settings, listening), say, listening.done),
                    SERVER_DRAIN_SECONDS,
                    hurry,
                )
            )
            page = await _started(server, listening)
            url = _local(settings)
            taken.publish(url)
            keepers = [server]
            if with_worker:
                keeper = Keeper(
                    _worker(settings, url, key_file, on_job, text=text), say, lambda: True
                )
                keepers.append(
                    await closing.enter_async_context(_kept(keeper, WORKER_DRAIN_SECONDS, hurry))
                )
            yield Embedded(url, page, key_file.read_text(encoding="ascii").strip(), keepers)


def _check_installed(*, with_worker: bool) -> None:
    """Raise Failure where only the command is installed, as `stable-horde[cli]` does."""
    needed = {"server": "quart"} | ({"worker": "torch"} if with_worker else {})
    if missing := [extra for extra, package in needed.items() if find_spec(package) is None]:
        raise Failure(
            Exit.FAILED,
            f"A horde of your own needs more than is installed here; this installs it: "
            f'pip install "stable-horde[{",".join(missing)}]"',
        )


@contextlib.asynccontextmanager
async def _kept(
    keeper: Keeper, drain_seconds: float, hurry: asyncio.Event
) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(keeper.run())
    try:
        yield task
    finally:
        if not task.done():
            await keeper.end(drain_seconds, hurry)
        await asyncio.gather(task, return_exceptions=True)


async def _make_administrator(settings: EmbeddedSettings, key_file: Path) -> None:
    """Make the user who owns the worker, once; its key stays in the file."""
    child = Child(
        "setup",
        ("core", "user", "create", "--name", "admin", "--admin", "--key-file", str(key_file)),
        server_environment(settings),
        log=settings.data_dir / "log" / "server.log",
    )
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
    settings: EmbeddedSettings,
    url: str,
    key_file: Path,
    on_job: Callable[[str], None],
    *,
    text: bool,
) -> Child:
    return Child(
        "worker",
        ("worker",),
        worker_environment(settings, url, key_file, text=text),
        log=settings.data_dir / "log" / "worker.log",
        on_line=on_job,
    )


async def _started(server: "asyncio.Task[None]", listening: "asyncio.Future[str]") -> str:
    """Wait until the server listens. Returns its public address."""
    await asyncio.wait(
        (server, listening), timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED
    )
    if server.done():
        server.result()
    if not listening.done():
        raise Failure(Exit.FAILED, f"The server did not start within {START_SECONDS:g} s.")
    return listening.result()


def _local(settings: EmbeddedSettings) -> str:
    host = ANY_ADDRESS.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def is_free(host: str, port: int) -> bool:
    """Whether the port can be listened on now; port 0 always can."""
    with _bound(host, port) as listener:
        return listener is not None


def _port(settings: EmbeddedSettings) -> int:
    """The port to listen on, never 0: a restarted server must have the same."""
    with _bound(settings.host, settings.port) as listener:
        if listener is None:
            raise Failure(
                Exit.FAILED,
                f"Port {settings.port} of {settings.host} is taken; --port names another.",
            )
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket | None]:
    """A socket at this address; None if it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError:
            yield None
        else:
            yield listener
