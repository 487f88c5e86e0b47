"""Serves the app over HTTP: granian, embedded in this process, so that one kill ends it all."""

import asyncio
import signal
import socket

from granian.constants import Interfaces
from granian.server.embed import Server

from core.db import migrate
from core.settings import Settings

BACKLOG = 1024


def serve(settings: Settings) -> None:
    """Migrate the embedded database, then serve until SIGINT or SIGTERM."""
    if settings.port == 0:
        settings = settings.model_copy(update={"port": _free_port(settings.host)})
    if not settings.database_url:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        migrate(settings.database)
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    from core.app import create_app  # noqa: PLC0415

    app = create_app(settings)
    server = Server(
        app,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGINL,
        backlog=BACKLOG,
        log_enabled=False,
        websockets=False,
    )
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, server.stop)
    await app.startup()
    try:
        serving = asyncio.ensure_future(server.serve())
        await _until_listening(settings, serving)
        print(f"listening on {settings.base_url}", flush=True)  # noqa: T201 - for who started it
        await serving
    finally:
        await app.shutdown()


async def _until_listening(settings: Settings, serving: asyncio.Future[None]) -> None:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "") else settings.host  # noqa: S104
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection(host, settings.port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return
    await serving


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
