"""`/horde`: the horde as a whole."""

import io
from typing import Any, Final

import discord
from discord import app_commands

from bot import answering, embeds
from bot.commands import reach
from bot.words import counted, cut, plain

MAX_LINES: Final = 25
GREEN: Final = 0x22C55E

group = reach.Group("horde", "The horde as a whole.")


@group.command(description="How busy the horde is.")
async def status(interaction: discord.Interaction) -> None:
    """Show queues and who works on them."""
    bot = answering.bot_of(interaction)
    await answering.defer(interaction)
    now = await bot.hordes.own.performance()
    embed = discord.Embed(title="The horde", url=bot.settings.page, colour=GREEN)
    embeds.fields(
        embed,
        pictures=f"{now.queued_requests:,} waiting, {counted(now.worker_count, 'worker')}",
        texts=f"{now.queued_text_requests:,} waiting, {counted(now.text_worker_count, 'worker')}",
        alchemy=f"{now.queued_forms:,.0f} waiting, {counted(now.interrogator_count, 'worker')}",
        past_minute=f"{now.past_minute_megapixelsteps:,.1f} megapixelsteps, "
        f"{now.past_minute_tokens:,.0f} tokens",
    )
    await interaction.followup.send(embed=embed)


@group.command(description="The models that are offered, and how many workers have each.")
@app_commands.choices(kind=[app_commands.Choice(name=one, value=one) for one in ("image", "text")])
@app_commands.describe(kind="Models of pictures, or of texts.")
async def models(interaction: discord.Interaction, kind: str = "image") -> None:
    """List models."""
    bot = answering.bot_of(interaction)
    await answering.defer(interaction, ephemeral=True)
    found = await (bot.live.text_models() if kind == "text" else bot.live.models())
    lines = [
        f"{plain(one.name)}: {counted(one.count, 'worker')}, {one.jobs:,.0f} waiting"
        for one in found
    ]
    await _listed(interaction, counted(len(lines), "model"), lines)


@group.command(description="The workers that are online.")
async def workers(interaction: discord.Interaction) -> None:
    """List workers."""
    bot = answering.bot_of(interaction)
    await answering.defer(interaction, ephemeral=True)
    found = await bot.live.workers()
    lines = [f"{plain(one.name)} ({one.type}): {plain(one.performance)}" for one in found]
    await _listed(interaction, f"Online: {counted(len(lines), 'worker')}", lines)


@group.command(description="What is new.")
async def news(interaction: discord.Interaction) -> None:
    """Show the three latest news."""
    bot = answering.bot_of(interaction)
    await answering.defer(interaction, ephemeral=True)
    embed = discord.Embed(title="News of the horde", colour=GREEN)
    for one in (await bot.hordes.own.news())[:3]:
        embed.add_field(
            name=cut(plain(one.title or "News"), 256),
            value=cut(f"{one.newspiece or ''}", 1000) or "…",
            inline=False,
        )
    if not embed.fields:
        embed.description = "There are no news."
    await interaction.followup.send(embed=embed)


@group.command(description="Who has the most kudos.")
async def leaderboard(interaction: discord.Interaction) -> None:
    """Show the richest users."""
    bot = answering.bot_of(interaction)
    await answering.defer(interaction)
    found = await bot.hordes.own.users.all()
    lines = [
        f"{place}. {plain(one.username)}: {one.kudos:,.0f} kudos"
        for place, one in enumerate(found[:10], 1)
    ]
    embed = discord.Embed(title="Most kudos", description="\n".join(lines), colour=GREEN)
    await interaction.followup.send(embed=embed)


async def _listed(interaction: discord.Interaction, title: str, lines: list[str]) -> None:
    """Show lines, as a file where they are many."""
    embed = discord.Embed(title=title, colour=GREEN)
    embed.description = cut("\n".join(lines[:MAX_LINES]), 4000)
    if len(lines) <= MAX_LINES:
        await interaction.followup.send(embed=embed)
        return
    file = discord.File(io.BytesIO("\n".join(lines).encode()), "all.txt")
    await interaction.followup.send(embed=embed, file=file)


COMMANDS: tuple[Any, ...] = (group,)
