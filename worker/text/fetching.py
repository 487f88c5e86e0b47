"""Fetches the default text model in a process of its own, while the worker serves the rest."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress

from worker.loop import NothingToServe
from worker.settings import DEFAULT_TEXT_MODEL, Settings
from worker.text import smollm2


async def default_is_there(
    settings: Settings, say: Callable[[str], None], stop: asyncio.Event
) -> bool:
    """Fetch the default text model into the data folder, if it is to be served.

    say: shows a line of progress. Returns False if it was told to stop meanwhile. Raises
        NothingToServe if the model is not available.
    """
    folder = settings.data_dir / DEFAULT_TEXT_MODEL
    wanted = DEFAULT_TEXT_MODEL in settings.text_models
    if not wanted or await asyncio.to_thread(smollm2.is_there, folder):
        return True
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", smollm2.__name__, str(folder)), stdout=PIPE, stderr=PIPE
    )
    stopping = asyncio.create_task(stop.wait())
    reading = asyncio.create_task(_until_ended(process, say))
    try:
        await asyncio.wait((stopping, reading), return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            return False
        if reason := reading.result():
            raise NothingToServe(reason)
        return True
    finally:
        stopping.cancel()
        with suppress(ProcessLookupError):
            process.kill()
        await asyncio.gather(stopping, reading, return_exceptions=True)


async def _until_ended(process: Process, say: Callable[[str], None]) -> str | None:
    """Show its output until it ends. Returns why it failed, or None."""
    if process.stdout is None or process.stderr is None:
        raise RuntimeError("a process without pipes")
    failing = asyncio.create_task(process.stderr.read())
    async for line in process.stdout:
        say(line.decode(errors="replace").rstrip())
    said = (await failing).decode(errors="replace").strip().splitlines()
    if await process.wait() == 0:
        return None
    return said[-1] if said else "it ended without a word"
