"""Styles: finding one by what people call it."""

from uuid import UUID

from core.client import HordeClient
from core.wire.styles import StyleStable


async def style(client: HordeClient, which: str) -> StyleStable:
    """A style for pictures, by its id or its name."""
    try:
        UUID(which)
    except ValueError:
        return await client.styles.named(which)
    return await client.styles.get(which)
