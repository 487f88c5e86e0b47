"""Suggestions while somebody types: what the horde has, and what they asked for before."""

from collections.abc import Iterable
from typing import Final

import discord
from discord import app_commands

from bot import answering
from bot.store import jobs
from bot.words import counted, cut
from core.wire.status import ActiveModel

MAX_CHOICES: Final = 25
MAX_CHOICE: Final = 100


Choices = list[app_commands.Choice[str]]


def suggestions(named: Iterable[tuple[str, str]], typed: str) -> Choices:
    """What fits to what is typed. named: what is shown, and what it stands for."""
    wanted = typed.casefold()
    found = [
        app_commands.Choice(name=cut(shown, MAX_CHOICE), value=value)
        for shown, value in named
        if wanted in shown.casefold() and 1 <= len(value) <= MAX_CHOICE
    ]
    return found[:MAX_CHOICES]


async def prompt(interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest what the one who types asked for lately."""
    bot = answering.bot_of(interaction)
    async with bot.database.transaction() as connection:
        found = await jobs.with_prompts(connection, interaction.user.id, jobs.MAX_LOOKED_AT)
    return suggestions(((job.wanted["prompt"],) * 2 for job in found), typed)


async def model(interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest models of pictures, with how many serve them."""
    return _of_models(await answering.bot_of(interaction).live.models(), typed)


async def text_model(interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest models of texts."""
    return _of_models(await answering.bot_of(interaction).live.text_models(), typed)


def _of_models(found: list[ActiveModel], typed: str) -> Choices:
    named = ((f"{one.name} ({counted(one.count, 'worker')})", one.name) for one in found)
    return suggestions(named, typed)


async def style(interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest styles."""
    found = await answering.bot_of(interaction).live.styles()
    return suggestions(((one.name, one.id) for one in found), typed)


async def worker(interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest workers that are online."""
    found = await answering.bot_of(interaction).live.workers()
    return suggestions(((one.name, one.id) for one in found), typed)


async def team(interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest teams."""
    found = await answering.bot_of(interaction).live.teams()
    named = ((one.name or "", one.id or "") for one in found)
    return suggestions(((shown, value) for shown, value in named if shown and value), typed)
