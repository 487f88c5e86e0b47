"""Words of messages: short, in the right number, and without effect where others wrote them."""

from typing import Final

import discord

MAX_QUOTED: Final = 600


def plain(text: str) -> str:
    """Text of others without effect: no markdown, no mention, no link that hides another."""
    return discord.utils.escape_mentions(discord.utils.escape_markdown(text))


def quoted(text: str) -> str:
    """Text of others as it may stand in ours: short, without markup and mentions."""
    return plain(cut(text, MAX_QUOTED))


def cut(text: str, length: int) -> str:
    """The text, no longer than that."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def counted(number: float, word: str) -> str:
    """A whole number of things, as in "1 worker" and "1,200 workers"."""
    return f"{number:,.0f} {word}" if number == 1 else f"{number:,.0f} {word}s"


def amount(kudos: float) -> str:
    """Kudos, with hundredths where there are any."""
    return f"{kudos:,.10g} kudos" if kudos == int(kudos) else f"{kudos:,.2f} kudos"
