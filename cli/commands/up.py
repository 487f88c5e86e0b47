"""`horde up`: the whole horde on this machine, until Ctrl-C."""

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import claim, embedded, terminal
from cli import settings as configuration
from cli.exits import Exit, Failure
from cli.interrupts import interruptible
from cli.settings import EmbeddedSettings

ON_THE_PATH = f'export PATH="{Path(sys.executable).parent}:$PATH"'
"""What a shell needs to find the commands."""


def up(
    *,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Address to listen on.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", help="Port to listen on; 0 takes a free one.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder for everything it keeps.")
    ] = None,
    worker: Annotated[bool, typer.Option(help="Start a worker, too.")] = True,
    text: Annotated[
        bool, typer.Option(help="Let it write text, too; its model, 93 MB, is fetched once.")
    ] = False,
) -> None:
    """Start a horde: the server with its page, and one worker. Ctrl-C ends it in order."""
    settings = configuration.embedded(host, port, data_dir)
    try:
        asyncio.run(_up(settings, with_worker=worker, text=text))
    except asyncio.CancelledError:
        terminal.output.print("The horde has ended.")
    except claim.Taken:
        raise Failure(Exit.FAILED, _taken(settings.data_dir)) from None


async def _up(settings: EmbeddedSettings, *, with_worker: bool, text: bool) -> None:
    say = terminal.output.print
    with interruptible() as hurry:
        say("Starting the horde …")
        async with embedded.running(
            settings, with_worker=with_worker, text=text, say=say, on_job=say, hurry=hurry
        ) as horde:
            say(f"  page: {horde.page}/")
            say(f"  admin API key: {horde.admin_key}")
            say(f"  data: {settings.data_dir}")
            if shutil.which("horde") is None:
                say(f"  commands: {ON_THE_PATH}; then horde status, horde generate …")
            say("Ctrl-C ends it.")
            try:
                await horde.until_broken()
            except asyncio.CancelledError:
                say("Ending; Ctrl-C once more does not wait for jobs in hand.")
                raise


def _taken(data_dir: Path) -> str:
    other = claim.holder(data_dir)
    who = f" (process {other.pid})" if other and other.pid else ""
    where = f": {other.url}/" if other and other.url else "."
    return f"A horde of {data_dir} is running already{who}{where}"
