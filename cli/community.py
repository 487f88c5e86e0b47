"""Styles and teams: finding one by what people call it."""

from uuid import UUID

from cli.exits import Exit, Failure
from core.client import HordeClient
from core.wire.styles import StyleStable
from core.wire.teams import TeamDetails


async def style(client: HordeClient, which: str) -> StyleStable:
    """A style for pictures, by its id or its name."""
    try:
        UUID(which)
    except ValueError:
        return await client.styles.named(which)
    return await client.styles.get(which)


async def team(client: HordeClient, which: str) -> TeamDetails:
    """A team, by its id or its name. Raises Failure if there is none.

    It is looked up among all: a single one is only for moderators to see.
    """
    for one in await client.teams.all():
        if which == one.id or which.lower() == (one.name or "").lower():
            return one
    raise Failure(Exit.REFUSED, f"There is no team {which!r}; `horde teams` lists them.")
