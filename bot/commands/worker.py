"""`/worker`: seeing workers, and changing one's own."""

from typing import Any

import discord
from discord import app_commands

from bot import answering, embeds
from bot.commands import reach, suggest
from bot.commands.community import team_id
from bot.hordes import Horde, is_id, me
from bot.refusals import Refused
from bot.words import plain
from core.client import NotFound
from core.wire.workers import ModifyWorkerInput, WorkerDetails

GREEN, GREY = 0x22C55E, 0x6B7280
MAX_OWN = 20

group = reach.Group("worker", "Workers: who makes the pictures.")
NAMED = app_commands.describe(worker="Its name or id.")


@group.command(name="list", description="Your own workers.")
async def listed(interaction: discord.Interaction) -> None:
    """List the workers of the one who asks."""
    bot = answering.bot_of(interaction)
    await answering.defer(interaction, ephemeral=True)
    horde = await bot.hordes.logged_in(interaction.user.id)
    lines = []
    for number in ((await me(horde)).worker_ids or [])[:MAX_OWN]:
        one = await horde.workers.get(number)
        state = "in maintenance" if one.maintenance_mode else "online" if one.online else "offline"
        lines.append(f"{plain(one.name)}: {state}, {one.requests_fulfilled:,} made")
    await answering.say(interaction, "\n".join(lines) or "You have no workers.")


@group.command(description="One worker.")
@NAMED
@app_commands.autocomplete(worker=suggest.worker)
async def info(interaction: discord.Interaction, worker: app_commands.Range[str, 1, 100]) -> None:
    """Show a worker."""
    bot = answering.bot_of(interaction)
    await answering.defer(interaction)
    horde = await bot.hordes.of(interaction.user.id)
    await interaction.followup.send(embed=_embed(await found(horde, worker)))


@group.command(description="Let your worker take no jobs of others for a while.")
@app_commands.describe(worker="Its name or id.", message="What to tell who asks why.")
@app_commands.autocomplete(worker=suggest.worker)
async def pause(
    interaction: discord.Interaction,
    worker: app_commands.Range[str, 1, 100],
    message: app_commands.Range[str, 1, 500] | None = None,
) -> None:
    """Put a worker into maintenance."""
    changes: dict[str, Any] = {"maintenance": True}
    changes |= {"maintenance_msg": message} if message else {}
    await _change(interaction, worker, changes, "takes no jobs of others now")


@group.command(description="Let your worker take jobs again.")
@NAMED
@app_commands.autocomplete(worker=suggest.worker)
async def unpause(
    interaction: discord.Interaction, worker: app_commands.Range[str, 1, 100]
) -> None:
    """End a worker's maintenance."""
    await _change(interaction, worker, {"maintenance": False}, "takes jobs again")


@group.command(description="Give your worker another name, or tell about it.")
@NAMED
@app_commands.describe(name="The new name.", about="What to tell about it.")
@app_commands.autocomplete(worker=suggest.worker)
async def edit(
    interaction: discord.Interaction,
    worker: app_commands.Range[str, 1, 100],
    name: app_commands.Range[str, 5, 100] | None = None,
    about: app_commands.Range[str, 1, 1000] | None = None,
) -> None:
    """Rename or describe a worker."""
    given = {"name": name, "info": about}
    changes = {key: value for key, value in given.items() if value is not None}
    if not changes:
        raise Refused("Say what to change: its name, or what to tell about it.")
    await _change(interaction, worker, changes, "is changed")


@group.command(description="Let your worker join a team, or leave the one it is in.")
@NAMED
@app_commands.describe(team="The team; without it, the worker leaves.")
@app_commands.autocomplete(worker=suggest.worker, team=suggest.team)
async def team(
    interaction: discord.Interaction,
    worker: app_commands.Range[str, 1, 100],
    team: app_commands.Range[str, 1, 100] | None = None,
) -> None:
    """Put a worker into a team."""
    await answering.defer(interaction, ephemeral=True)
    chosen = await team_id(answering.bot_of(interaction).hordes.own, team) if team else ""
    said = "is in that team now" if team else "is in no team now"
    await _change(interaction, worker, {"team": chosen}, said)


async def found(horde: Horde, worker: str) -> WorkerDetails:
    """A worker by its id or name."""
    try:
        if is_id(worker):
            return await horde.workers.get(worker)
        return await horde.workers.named(worker)
    except NotFound:
        raise Refused(f"There is no worker {plain(worker)}.") from None


async def _change(
    interaction: discord.Interaction, worker: str, changes: dict[str, Any], said: str
) -> None:
    bot = answering.bot_of(interaction)
    await answering.defer(interaction, ephemeral=True)
    horde = await bot.hordes.logged_in(interaction.user.id)
    one = await found(horde, worker)
    await horde.workers.edit(one.id, ModifyWorkerInput.model_validate(changes))
    await answering.say(interaction, f"{plain(one.name)} {said}.")


def _embed(one: WorkerDetails) -> discord.Embed:
    colour = GREEN if one.online and not one.maintenance_mode else GREY
    embed = discord.Embed(title=plain(one.name), colour=colour)
    embed.description = plain(one.info or "")
    return embeds.fields(
        embed,
        kind=one.type,
        state="in maintenance" if one.maintenance_mode else "online" if one.online else "offline",
        speed=plain(one.performance),
        made=f"{one.requests_fulfilled:,}",
        earned=f"{one.kudos_rewards:,.0f} kudos",
        online_for=f"{one.uptime / 86400:,.1f} days",
        owner=plain(one.owner or ""),
        team=plain(one.team.name or ""),
        models=plain(", ".join((one.models or [])[:20])),
        trusted="yes" if one.trusted else "no",
    )


COMMANDS: tuple[Any, ...] = (group,)
