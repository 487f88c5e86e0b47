"""Rates pictures."""

import asyncio
import io
import sys
from typing import Any

from PIL import Image

from cli import history, preview
from cli.exits import Exit, Failure
from cli.session import Session
from cli.words import count
from core.client import NotFound
from core.wire.ratings import AestheticsPayload


async def own(
    session: Session,
    request: str,
    picture: str,
    stars: int | None,
    flaws: int | None,
    *,
    best: bool,
) -> None:
    """Rate a picture of one's own request."""
    known = history.find(request)
    rated: dict[str, Any] = {"id": picture, "rating": stars}
    if flaws is not None:
        rated["artifacts"] = flaws
    body: dict[str, Any] = {"best": picture} if best else {}
    body |= {"ratings": [rated]} if stars is not None else {}
    ratings = AestheticsPayload.model_validate(body)
    thanks = await session.client.ratings.rate_request(known.id if known else request, ratings)
    session.show(thanks, f"Thank you: {count(thanks.reward, 'kudos', 'kudos')}.")


async def one(session: Session, picture: str, stars: int, flaws: int | None) -> None:
    """Rate somebody else's picture."""
    thanks = await session.client.ratings.rate(picture, stars, flaws)
    session.show(thanks, f"{thanks.message} {count(thanks.reward, 'kudos', 'kudos')}.")


async def many(session: Session) -> None:
    """Show pictures of others, one after the other, and ask how they are liked."""
    if not sys.stdin.isatty():
        raise Failure(Exit.USAGE, "Which picture? Give its id and the stars.")
    while True:
        try:
            shown = await session.client.ratings.next()
        except NotFound:
            session.say("There is no picture left to rate.")
            return
        content = await session.client.download(shown.url)
        with Image.open(io.BytesIO(content)) as picture:
            preview.show_one(picture)
        session.say(shown.url)
        said = (await asyncio.to_thread(_heard)).strip()
        if not said:
            return
        if said.isdecimal() and 1 <= int(said) <= 10:  # noqa: PLR2004 - stars
            await one(session, shown.id, int(said), None)
        else:
            session.say("A number from 1 to 10, please, or nothing to end.")


def _heard() -> str:
    try:
        return input("1 to 10: ")
    except EOFError:
        return ""
