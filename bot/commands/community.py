"""`/style` and `/team`: what users of the horde made for others."""

from typing import Any

import discord
from discord import app_commands

from bot import answering, embeds
from bot.commands import reach, suggest
from bot.hordes import Horde, is_id
from bot.refusals import Refused
from bot.words import counted, cut, plain
from core.client import NotFound
from core.wire.teams import CreateTeamInput

styles = reach.Group("style", "Styles: prompts, models and settings under a name.")
teams = reach.Group("team", "Teams of workers.")


@styles.command(name="list", description="The styles that are used most.")
@app_commands.describe(tag="Only styles with this tag.")
async def listed(
    interaction: discord.Interaction, tag: app_commands.Range[str, 1, 25] | None = None
) -> None:
    """List styles."""
    bot = answering.bot_of(interaction)
    await answering.defer(interaction, ephemeral=True)
    found = await bot.hordes.own.styles.all(tag=tag)
    lines = [f"**{plain(one.name)}** ({counted(one.use_count, 'time')})" for one in found]
    embed = discord.Embed(title="Styles", description=cut("\n".join(lines), 4000) or "None yet.")
    await answering.say(interaction, embed=embed)


@styles.command(name="info", description="One style.")
@app_commands.describe(style="Its name or id.")
@app_commands.autocomplete(style=suggest.style)
async def style_info(
    interaction: discord.Interaction, style: app_commands.Range[str, 1, 255]
) -> None:
    """Show a style."""
    bot = answering.bot_of(interaction)
    await answering.defer(interaction)
    own = bot.hordes.own.styles
    one = await (own.get(style) if is_id(style) else own.named(style))
    embed = discord.Embed(title=plain(one.name), description=cut(plain(one.info or ""), 4000))
    embeds.fields(
        embed,
        prompt=plain(one.prompt),
        models=plain(", ".join(one.models)),
        used=counted(one.use_count, "time"),
        by=plain(one.creator),
        tags=plain(", ".join(one.tags)),
    )
    await interaction.followup.send(embed=embed)


@teams.command(name="list", description="All teams.")
async def list_teams(interaction: discord.Interaction) -> None:
    """List teams."""
    bot = answering.bot_of(interaction)
    await answering.defer(interaction, ephemeral=True)
    found = sorted(await bot.live.teams(), key=lambda one: -one.kudos)
    lines = [
        f"**{plain(one.name or '?')}**: {counted(one.worker_count, 'worker')}" for one in found[:25]
    ]
    embed = discord.Embed(title="Teams", description="\n".join(lines) or "There are none yet.")
    await answering.say(interaction, embed=embed)


@teams.command(name="info", description="One team.")
@app_commands.describe(team="Its name or id.")
@app_commands.autocomplete(team=suggest.team)
async def team_info(
    interaction: discord.Interaction, team: app_commands.Range[str, 1, 100]
) -> None:
    """Show a team."""
    bot = answering.bot_of(interaction)
    await answering.defer(interaction)
    try:
        one = await bot.hordes.own.teams.get(await team_id(bot.hordes.own, team))
    except NotFound:
        raise Refused(f"There is no team {plain(team)}.") from None
    embed = discord.Embed(title=plain(one.name or ""), description=cut(plain(one.info or ""), 4000))
    embeds.fields(
        embed,
        workers=f"{one.worker_count}",
        made=f"{one.requests_fulfilled:,}",
        earned=f"{one.kudos:,.0f} kudos",
        founded_by=plain(one.creator),
        models=plain(", ".join(model.name for model in one.models[:20])),
    )
    await interaction.followup.send(embed=embed)


async def team_id(horde: Horde, team: str) -> str:
    """The id of a team that was named by its name or its id."""
    known = {one.name: one.id for one in await horde.teams.all()}
    return known.get(team) or team


@teams.command(name="create", description="Found a team.")
@app_commands.describe(name="What it is called.", about="What to tell about it.")
async def create_team(
    interaction: discord.Interaction,
    name: app_commands.Range[str, 3, 100],
    about: app_commands.Range[str, 3, 1000] | None = None,
) -> None:
    """Found a team; the horde says who may."""
    bot = answering.bot_of(interaction)
    await answering.defer(interaction, ephemeral=True)
    horde = await bot.hordes.logged_in(interaction.user.id)
    wanted = {"name": name} | ({"info": about} if about else {})
    await horde.teams.create(CreateTeamInput.model_validate(wanted))
    await answering.say(interaction, f"The team {plain(name)} is founded.")


COMMANDS: tuple[Any, ...] = (styles, teams)
