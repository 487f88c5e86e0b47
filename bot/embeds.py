"""Embeds: the framed parts of messages."""

from typing import Any

import discord

from bot.words import cut


def fields(embed: discord.Embed, **values: Any) -> discord.Embed:  # noqa: ANN401 - what can be shown
    """Add fields, one for each value that there is."""
    for name, value in values.items():
        if value not in (None, "", []):
            label = name.replace("_", " ").capitalize()
            embed.add_field(name=label, value=cut(str(value), 1024))
    return embed
