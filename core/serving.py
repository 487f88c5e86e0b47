"""Serves the app over HTTP: granian, embedded in this process, so that one kill ends it all."""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable

import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server
from quart import Quart

from core import schema
from core.failures import CannotStart
from core.schema import migrate
from core.settings import Settings
from core.supervise import ON_STOP

BACKLOG = 1024
STOP_SECONDS = 5.0
"""The time from the signal to stop until the process has ended, whoever is still connected."""
DRAIN_SECONDS = 3.5
"""The part of it in which calls may end by themselves; the rest is for closing."""


def serve(settings: Settings) -> None:
    """Migrate the embedded database, then serve until SIGINT or SIGTERM."""
    if settings.port == 0:
        settings = settings.model_copy(update={"port": free_port(settings.host)})
    refuse_taken(settings.host, settings.port)
    if not settings.database_url and not schema.is_current_file(settings.database):
        migrate(settings.database)

    def make() -> Quart:
        from core.app import create_app  # noqa: PLC0415

        return create_app(settings)

    run(make, host=settings.host, port=settings.port, address=settings.base_url)


def run(make: Callable[[], Quart], *, host: str, port: int, address: str) -> None:
    """Serve the app that `make` makes, until SIGINT or SIGTERM, and end the process.

    On the signal streams and waiting calls end at once; others have DRAIN_SECONDS.
    address: shown once the server listens.
    """
    uvloop.run(_serve(make, host, port, address))
    # Granian's threads outlive its server; one that meets an ending interpreter aborts the process.
    _end()


async def _serve(make: Callable[[], Quart], host: str, port: int, address: str) -> None:
    app = make()
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        backlog=BACKLOG,
        log_enabled=False,
        websockets=False,
    )
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()

    def stop() -> None:
        if not stopping.is_set():
            stopping.set()
            _end_in_time()

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop)
    await app.startup()
    try:
        serving = asyncio.ensure_future(server.serve())
        await _until_listening(host, port, serving)
        print(f"listening on {address}", flush=True)  # noqa: T201 - for who started it
        await _until_signalled(serving, stopping)
        app.extensions.get(ON_STOP, bool)()
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.wait((serving,), timeout=DRAIN_SECONDS)
        if serving.done():
            serving.result()
    finally:
        await app.shutdown()


async def _until_signalled(serving: asyncio.Future[None], stopping: asyncio.Event) -> None:
    """Wait for the signal to stop, or until serving ends for another reason."""
    signalled = asyncio.ensure_future(stopping.wait())
    await asyncio.wait((serving, signalled), return_when=asyncio.FIRST_COMPLETED)
    signalled.cancel()


def _end_in_time() -> None:
    """End the process within STOP_SECONDS, whatever threads, calls or closing there still are."""
    timer = threading.Timer(STOP_SECONDS, _end)
    timer.daemon = True
    timer.start()


def _end() -> None:
    sys.stdout.flush()
    os._exit(0)


async def _until_listening(host: str, port: int, serving: asyncio.Future[None]) -> None:
    host = "127.0.0.1" if host in ("0.0.0.0", "") else host  # noqa: S104
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return
    await serving


def free_port(host: str) -> int:
    """A port of this address that nobody listens on. Raises CannotStart."""
    return _bound(host, 0)


def refuse_taken(host: str, port: int) -> None:
    """Bind the port. Raises CannotStart if the address is foreign, or somebody listens there."""
    _bound(host, port)


def _bound(host: str, port: int) -> int:
    """The port that was bound for a moment."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"Nobody can listen on port {port} of {host}: {error.strerror}. HORDE_HOST and "
                "HORDE_PORT name another."
            ) from error
        bound: int = probe.getsockname()[1]
        return bound
