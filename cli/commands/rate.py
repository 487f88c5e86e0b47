"""`horde rate`: one's own pictures, and those that others have shared."""

from typing import Annotated

import typer

from cli.exits import Exit, Failure
from cli.session import Session, command


async def _rate(
    session: Session,
    picture: Annotated[
        str | None, typer.Argument(metavar="PICTURE", help="Its id; without, others' are shown.")
    ] = None,
    stars: Annotated[
        int | None, typer.Argument(metavar="STARS", min=1, max=10, help="10: liked most.")
    ] = None,
    *,
    flaws: Annotated[
        int | None, typer.Option(min=0, max=5, metavar="N", help="0: flawless; 5: garbage.")
    ] = None,
    request: Annotated[
        str | None, typer.Option(metavar="ID", help="Your own request that made and shared it.")
    ] = None,
    best: Annotated[
        bool, typer.Option("--best", help="Only say that it is the best of the request.")
    ] = False,
) -> None:
    """Rate pictures: your own, with --request, or those that others have shared."""
    from cli import rating

    if picture is None:
        await rating.many(session)
    elif request is not None and (stars is not None or best):
        await rating.own(session, request, picture, stars, flaws, best=best)
    elif stars is not None and not best:
        await rating.one(session, picture, stars, flaws)
    else:
        raise Failure(Exit.USAGE, "How many stars? From 1 to 10; --best needs --request.")


rate = command(_rate)
