"""Bot processes for tests: `python -m bot`, at a fake Discord."""

import asyncio
import contextlib
import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import processes
from fake_discord.server import FakeDiscord

START_SECONDS = 60
STOP_SECONDS = 20


@dataclasses.dataclass
class Process:
    """A bot. folder: with its database."""

    popen: subprocess.Popen
    log: list[str]
    folder: Path

    def kill(self) -> None:
        """End it without a goodbye."""
        self.popen.kill()
        self.popen.wait(STOP_SECONDS)

    def stop(self) -> int:
        """End it in order; its exit status."""
        self.popen.terminate()
        return self.popen.wait(STOP_SECONDS)


@contextlib.contextmanager
def process(fake: FakeDiscord, url: str, folder: Path, **settings) -> Iterator[Process]:
    """Run a bot; it is connected when the block begins."""
    chosen = {"horde_url": url, "data_dir": folder, "log_format": "text", **settings}
    variables = {f"BOT_{name.upper()}": str(value) for name, value in chosen.items()}
    command = [sys.executable, "-m", "bot"]
    limits = {"start_seconds": START_SECONDS, "stop_seconds": STOP_SECONDS}
    environment = {**fake.environment, **variables}
    with processes.watched(command, environment, ready="ready: ", **limits) as running:
        yield Process(running.popen, running.log, folder)


async def entered(stack: contextlib.ExitStack, making) -> Process:
    """Enter it in a thread: the fake that the bot calls needs this one's event loop."""
    return await asyncio.to_thread(stack.enter_context, making)
