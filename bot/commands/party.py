"""`/party`: a thread in which everybody asks by one style, for an award."""

from datetime import timedelta
from typing import Any, Final

import discord
from discord import app_commands

from bot import answering, embeds, parties
from bot.commands import suggest
from bot.jobs.place import QUIET
from bot.refusals import Refused
from bot.store import parties as store
from bot.store.database import now
from bot.store.parties import Party
from bot.words import amount, plain
from core.wire.sharedkeys import SharedKeyInput

MAX_WORDS: Final = 10

group = app_commands.Group(
    name="party", description="Parties: everybody asks by one style.", guild_only=True
)


@group.command(description="Begin a party in a new thread.")
@app_commands.describe(
    name="What it is called.",
    style="The style of all pictures.",
    days="How long it lasts.",
    award="Kudos that you give to each guest.",
    every="Whether for each request, not only the first.",
    words="Words that each prompt has to have, by comma.",
    budget="Kudos that you pay at most for all pictures; without it, guests pay.",
)
@app_commands.autocomplete(style=suggest.style)
async def start(
    interaction: discord.Interaction,
    name: app_commands.Range[str, 1, 80],
    style: app_commands.Range[str, 3, 255],
    days: app_commands.Range[int, 1, 30] = 7,
    award: app_commands.Range[int, 0, 100_000] = 0,
    every: bool = False,
    words: app_commands.Range[str, 1, 200] | None = None,
    budget: app_commands.Range[int, 1, 10_000_000] | None = None,
) -> None:
    """Open a thread, and tell what it is about."""
    bot = answering.bot_of(interaction)
    channel = interaction.channel
    if not isinstance(channel, discord.TextChannel):
        raise Refused("A party begins in a text channel, not in a thread.")
    await answering.defer(interaction, ephemeral=True)
    horde = await bot.hordes.logged_in(interaction.user.id)
    needed = [word.strip() for word in (words or "").split(",") if word.strip()][:MAX_WORDS]
    sealed = None
    if budget is not None:
        wanted = {"kudos": budget, "expiry": days, "name": f"party {name}"}
        key = await horde.shared_keys.create(SharedKeyInput.model_validate(wanted))
        sealed = bot.keyring.seal(key.id)
    try:
        thread = await channel.create_thread(
            name=f"🎉 {name}", type=discord.ChannelType.public_thread
        )
    except discord.Forbidden as error:
        raise Refused("I may not open threads here: give me that permission.") from error
    party = Party(
        id=0, guild_id=interaction.guild_id or 0, thread_id=thread.id, host_id=interaction.user.id,
        name=name, style=style, words=needed, award=award, every=every, sealed_key=sealed,
        ends=now() + timedelta(days=days),
    )  # fmt: skip
    async with bot.database.transaction() as connection:
        await store.add(connection, party)
    await thread.send(embed=_embed(party), allowed_mentions=QUIET)
    await answering.say(interaction, f"It goes on in <#{thread.id}>.")


@group.command(description="End the party of this thread.")
async def end(interaction: discord.Interaction) -> None:
    """End it, and name the guests."""
    await answering.defer(interaction, ephemeral=True)
    bot = answering.bot_of(interaction)
    party = await _here(interaction)
    if interaction.user.id != party.host_id and not interaction.permissions.manage_threads:
        raise Refused("Only its host ends a party.")
    await parties.close(bot, party)
    await answering.say(interaction, "It is over.")


@group.command(description="What this party is about.")
async def info(interaction: discord.Interaction) -> None:
    """Show the party of the thread."""
    await answering.defer(interaction, ephemeral=True)
    await answering.say(interaction, embed=_embed(await _here(interaction)))


async def _here(interaction: discord.Interaction) -> Party:
    party = await parties.of_channel(answering.bot_of(interaction), interaction.channel_id)
    if party is None:
        raise Refused("There is no party here.")
    return party


def _embed(party: Party) -> discord.Embed:
    embed = discord.Embed(title=plain(party.name), colour=0xF59E0B)
    embed.description = f"By <@{party.host_id}>. Use `/imagine` in this thread."
    often = "for each request" if party.every else "for your first pictures"
    return embeds.fields(
        embed,
        style=plain(party.style),
        words=plain(", ".join(party.words)),
        award=f"{amount(party.award)} {often}" if party.award else None,
        paid_by="its host" if party.sealed_key else "yourself",
        ends=f"<t:{int(party.ends.timestamp())}:R>",
    )


COMMANDS: tuple[Any, ...] = (group,)
