"""The requests of this machine: listing them, waiting for them, cancelling and repeating them."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cli import parameters
from cli.exits import Exit, Failure
from cli.session import Session, command

Which = Annotated[
    str, typer.Argument(metavar="ID", help="A request's id, its beginning, or `last`.")
]


async def _jobs(
    session: Session,
    *,
    most: Annotated[int, typer.Option("-n", metavar="N", min=1, max=1000, help="How many.")] = 20,
) -> None:
    """List the requests of this machine, newest first."""
    from cli import history, listings

    session.show([vars(one) for one in history.recent(most)], listings.jobs(history.recent(most)))


async def _wait(
    session: Session,
    which: Which,
    *,
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="FILE|FOLDER/", help="Where to.")
    ] = None,
    seconds: Annotated[
        float, typer.Option("--timeout", min=1, metavar="SECONDS", help="Wait at most so long.")
    ] = 1200,
) -> None:
    """Wait for a request, and save its results. It goes on if this ends early."""
    from cli import reattaching

    await reattaching.wait(session, which, out, timeout_seconds=seconds)


async def _cancel(
    session: Session,
    which: Annotated[
        str | None, typer.Argument(metavar="ID", help="A request's id, its beginning, or `last`.")
    ] = None,
    *,
    all_of_them: Annotated[
        bool, typer.Option("--all", help="All of this machine that have not ended.")
    ] = False,
) -> None:
    """Cancel a request. What is finished of it can still be had, by `horde wait`."""
    from cli import reattaching

    if (which is None) is not all_of_them:
        raise Failure(Exit.USAGE, "Which one? Give an id, or --all.")
    await reattaching.cancel(session, which)


async def _repeat(
    session: Session,
    which: Which,
    *,
    prompt: Annotated[
        str | None, typer.Option("--prompt", "-p", metavar="TEXT", help="Another prompt.")
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="FILE|FOLDER/", help="Where to.")
    ] = None,
    seconds: Annotated[
        float, typer.Option("--timeout", min=1, metavar="SECONDS", help="Wait at most so long.")
    ] = 1200,
    given: Mapping[str, Any],
) -> None:
    """Ask for the same pictures again, with what is changed by options."""
    from cli import reattaching

    changes = {name: value for name, value in given.items() if value is not None}
    await reattaching.repeat(session, which, prompt, out, changes, timeout_seconds=seconds)


jobs = command(_jobs)
wait = command(_wait)
cancel = command(_cancel)
repeat = command(_repeat, parameters.options())
