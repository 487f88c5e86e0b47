"""`horde demo`: one picture through the real queue, from a horde of this machine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from cli import asking, claim, embedded, exits, pictures, terminal, words
from cli import settings as configuration
from cli.exits import Exit, Failure
from cli.interrupts import interruptible
from cli.settings import EmbeddedSettings
from core.client import HordeClient
from core.wire.generate import GenerationInputStable

POLL_SECONDS = 0.2

During = Callable[[Coroutine[None, None, None]], Coroutine[None, None, None]]


def demo(
    *,
    prompt: Annotated[str, typer.Option(metavar="TEXT", help="What the picture is to show.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="File for it: .png, .jpg or .webp.")],
    data_dir: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder of the horde.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, help="Seconds after which it gives up.")
    ] = 300,
) -> None:
    """Make one picture like any client, with the horde that runs here or one started for it."""
    pictures.check(out)
    settings = configuration.embedded(data_dir=data_dir)
    answer = asking.Answer()
    try:
        asyncio.run(_demo(settings, prompt, answer, timeout))
    except asyncio.CancelledError:
        raise Failure(Exit.CANCELLED, "Cancelled.") from None
    if not answer.pictures:
        raise Failure(Exit.FAULTED, answer.failure)
    made, content = answer.pictures[0]
    pictures.write(out, content)
    size = pictures.size(content)
    terminal.output.print(
        f"{out}: {size}, seed {made.seed}, made by {made.worker_name} with {made.model}, "
        f"here after {answer.seconds:.1f} s, for {words.amount(answer.kudos or 0)} kudos"
    )


async def _demo(
    settings: EmbeddedSettings, prompt: str, answer: asking.Answer, timeout_seconds: float
) -> None:
    deadline = monotonic() + timeout_seconds
    # No models: any will do, even if the server's default names one.
    wanted = GenerationInputStable(prompt=prompt, models=[])
    with interruptible() as hurry, terminal.progress("starting the horde") as show:
        async with (
            _horde(settings, show, hurry, timeout_seconds) as (url, during),
            HordeClient(url) as client,
        ):

            async def ask() -> None:
                await _worker_seen(client, deadline, show)
                left = max(1.0, deadline - monotonic())
                await asking.ask(client, wanted, timeout_seconds=left, show=show, answer=answer)

            with exits.explained(url):
                await during(ask())


async def _worker_seen(client: HordeClient, deadline: float, show: Callable[[str], None]) -> None:
    """Wait until some worker is online: what the demo leaves open is then as its model wants it."""
    show("waiting for a worker")
    while monotonic() < deadline:
        if any(model.count for model in await client.models.active()):
            return
        await asyncio.sleep(POLL_SECONDS)


@contextlib.asynccontextmanager
async def _horde(
    settings: EmbeddedSettings,
    show: Callable[[str], None],
    hurry: asyncio.Event,
    timeout_seconds: float,
) -> AsyncIterator[tuple[str, During]]:
    """The address of a horde with this data folder, and how to wait for its work."""
    if claim.holder(settings.data_dir) is not None:
        yield await _address_of_running(settings.data_dir, timeout_seconds), _just_wait
        return
    if not embedded.is_free(settings.host, settings.port):
        settings = settings.model_copy(update={"port": 0})
    async with embedded.running(
        settings, with_worker=True, say=show, on_job=_ignore, hurry=hurry
    ) as horde:
        yield horde.url, horde.during


async def _address_of_running(data_dir: Path, timeout_seconds: float) -> str:
    """The address of the horde that has the folder, once it listens."""
    deadline = monotonic() + timeout_seconds
    while monotonic() < deadline:
        other = claim.holder(data_dir)
        if other is None:
            raise Failure(Exit.FAILED, f"The horde of {data_dir} has just ended.")
        if other.url:
            return other.url
        await asyncio.sleep(POLL_SECONDS)
    raise Failure(Exit.TIMED_OUT, f"The horde of {data_dir} does not start.")


def _ignore(_: str) -> None:
    """The request's own progress says the same as the worker."""


async def _just_wait(work: Coroutine[None, None, None]) -> None:
    await work
