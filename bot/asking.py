"""From a command or a button to a job: what is checked, acknowledged, read and asked."""

import base64
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import discord

from bot import answering, attachments, limits, parties
from bot.jobs.desk import new_job
from bot.jobs.kinds import Sources
from bot.refusals import Refused
from bot.store import presets, prompts
from bot.store.parties import Party
from bot.wanted import Options, Wanted

if TYPE_CHECKING:
    from bot.app import HordeBot

MAX_SEED: Final = 2**31


async def ask(  # the whole way of a request, in order
    interaction: discord.Interaction,
    kind: str,
    wanted: Wanted,
    image: discord.Attachment | bytes | None = None,
    mask: discord.Attachment | None = None,
    *,
    spoiler: bool = False,
) -> None:
    """Check, acknowledge, then ask the horde; the reply becomes the job's message."""
    bot: HordeBot = answering.bot_of(interaction)
    party = await parties.of_channel(bot, interaction.channel_id)
    if party is not None and kind == "image":
        wanted = parties.joined(party, wanted)
    wanted = await limits.check(bot, interaction, wanted)
    if kind == "image" and wanted.n > 1 and wanted.processing:
        wanted = wanted.model_copy(update={"n": min(wanted.n, bot.settings.max_pictures - 1)})
    message_id = await answering.defer(interaction)
    source = await _bytes(image)
    drawn_over = await _bytes(mask)
    if drawn_over is not None and source is None:
        raise Refused("A mask needs a picture: attach both.")
    await _log(bot, interaction, kind, wanted)
    said = wanted.model_dump(exclude_defaults=True)
    job = new_job(interaction, kind, said, message_id)
    job = replace(job, spoiler=spoiler, party_id=party.id if party else None)
    sources = Sources(_base64(source), _base64(drawn_over))
    await bot.desk.take(job, sources, source, await _paying(bot, party))


async def with_settings(bot: "HordeBot", user_id: int, said: dict[str, Any]) -> Wanted:
    """What was said, and the user's own settings for the rest."""
    async with bot.database.transaction() as connection:
        own = await presets.get(connection, user_id)
    settings = Options.model_validate(own or {})
    return Wanted.model_validate({**settings.said(), **said})


def fresh_seed() -> str:
    """A seed that was hardly used before."""
    return str(random.randrange(MAX_SEED))  # noqa: S311 - decides a picture, keeps no secret


async def _bytes(given: discord.Attachment | bytes | None) -> bytes | None:
    if isinstance(given, discord.Attachment):
        return await attachments.read(given)
    return given


def _base64(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


async def _paying(bot: "HordeBot", party: Party | None) -> str | None:
    """The key that a party's host pays with, if there is one."""
    if party is None or party.sealed_key is None:
        return None
    return bot.keyring.open(party.sealed_key)


async def _log(
    bot: "HordeBot", interaction: discord.Interaction, kind: str, wanted: Wanted
) -> None:
    """Note the prompt for the guild's moderators, if prompts are kept."""
    if interaction.guild_id is None or not wanted.prompt:
        return
    rules = await bot.rules.of(interaction.guild_id)
    if bot.settings.prompt_days == 0 or rules.prompt_days == 0:
        return
    async with bot.database.transaction() as connection:
        await prompts.add(
            connection,
            guild_id=interaction.guild_id,
            user_id=interaction.user.id,
            kind=kind,
            prompt=wanted.prompt,
        )
