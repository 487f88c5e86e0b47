"""From a command or a button to a job: what is checked, acknowledged, read and asked."""

from dataclasses import dataclass, replace
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

MAX_FILES: Final = 10
"""Of one message, at Discord."""


@dataclass(frozen=True)
class Given:
    """Pictures to start from: attached ones, or somebody's avatar."""

    image: discord.Attachment | discord.abc.User | None = None
    mask: discord.Attachment | None = None
    more: tuple[discord.Attachment, ...] = ()

    def __len__(self) -> int:
        """How many there are."""
        return sum(one is not None for one in (self.image, self.mask, *self.more))

    async def read(self) -> Sources:
        """Their files. Raises Refused."""
        if self.image is None and len(self):
            raise Refused("Attach the picture that goes with it as `image`.")
        return Sources(
            await _file(self.image),
            await _file(self.mask),
            tuple([await attachments.read(one) for one in self.more]),
        )


NOTHING: Final = Given()


async def ask(  # the whole way of a request, in order
    interaction: discord.Interaction,
    kind: str,
    wanted: Wanted,
    given: Given = NOTHING,
    *,
    spoiler: bool = False,
) -> None:
    """Acknowledge, check, then ask the horde; the reply becomes the job's message."""
    message_id = await answering.defer(interaction)
    bot: HordeBot = answering.bot_of(interaction)
    party = await parties.of_channel(bot, interaction.channel_id)
    if party is not None and kind == "image":
        wanted = parties.joined(party, wanted)
    wanted = await limits.check(bot, interaction, wanted)
    if len(given):
        wanted = wanted.model_copy(update={"n": min(wanted.n, MAX_FILES - len(given))})
    sources = await given.read()
    await _log(bot, interaction, kind, wanted)
    said = wanted.model_dump(exclude_defaults=True)
    job = new_job(interaction, kind, said, message_id)
    job = replace(job, spoiler=spoiler, party_id=party.id if party else None)
    await bot.desk.take(job, sources, await _paying(bot, party))


async def with_settings(bot: "HordeBot", user_id: int, said: dict[str, Any]) -> Wanted:
    """What was said, and the user's own settings for the rest."""
    async with bot.database.transaction() as connection:
        own = await presets.get(connection, user_id)
    settings = Options.model_validate(own or {})
    return Wanted.model_validate({**settings.said(), **said})


async def _file(given: discord.Attachment | discord.abc.User | None) -> bytes | None:
    if given is None:
        return None
    if isinstance(given, discord.Attachment):
        return await attachments.read(given)
    return await attachments.avatar(given)


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
