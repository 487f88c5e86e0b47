"""`horde watch`: the state of a horde as it changes."""

from typing import Annotated

import typer

from cli.session import Session, command


async def _watch(
    session: Session,
    *,
    every: Annotated[
        float, typer.Option(min=1, max=3600, metavar="SECONDS", help="How often it looks.")
    ] = 5,
    times: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How often; else until Ctrl-C.")
    ] = None,
) -> None:
    """Show the queue, the workers, the models and your requests as they change.

    Elsewhere than on a terminal it prints a line each time; with --json, an object a line.
    """
    from cli import watching

    await watching.watch(session, every_seconds=every, times=times)


watch = command(_watch)
