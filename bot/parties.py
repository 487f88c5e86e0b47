"""Parties: joining them by asking, awards, and their end."""

import contextlib
from typing import TYPE_CHECKING, Final

import discord
import structlog

from bot.jobs import place
from bot.refusals import Refused
from bot.store import logins
from bot.store import parties as store
from bot.store.jobs import Job
from bot.store.parties import Party
from bot.wanted import Wanted
from bot.words import amount, plain
from core.client import HordeError

if TYPE_CHECKING:
    from bot.app import HordeBot

MAX_GUESTS_TOLD: Final = 30

log = structlog.get_logger(__name__)


async def of_channel(bot: "HordeBot", channel_id: int | None) -> Party | None:
    """The party that goes on in a channel."""
    async with bot.database.transaction() as connection:
        return await store.of_thread(connection, channel_id or 0)


def joined(party: Party, wanted: Wanted) -> Wanted:
    """A request as the party has it. Raises Refused if a word is missing."""
    prompt = wanted.prompt.casefold()
    missing = [word for word in party.words if word.casefold() not in prompt]
    if missing:
        raise Refused(f"At this party a prompt has these words too: {plain(', '.join(missing))}.")
    return wanted.model_copy(update={"style": party.style})


async def reward(bot: "HordeBot", job: Job) -> None:
    """Award a guest for a finished job: the first one, or each, as the host said."""
    async with bot.database.transaction() as connection:
        party = await store.get(connection, job.party_id or 0)
        guest = await logins.get(connection, job.user_id)
        times = (await store.guests(connection, party.id)).get(job.user_id, 0) if party else 0
    if party is None or guest is None or not party.award or party.host_id == job.user_id:
        return
    if times > 1 and not party.every:
        return
    host = await bot.hordes.login(party.host_id)
    if host is None:
        return
    number = job.id if party.every else job.user_id
    try:
        key = f"party-{party.id}-{number}"  # given once, however often this is tried
        await bot.hordes.as_login(host).kudos.transfer(guest.alias, party.award, key)
    except HordeError as error:
        log.warning("party.not_awarded", party=party.id, error=type(error).__name__)


async def close(bot: "HordeBot", party: Party) -> None:
    """End a party: its key is revoked, and its guests are named."""
    async with bot.database.transaction() as connection:
        guests = await store.guests(connection, party.id)
    spent = await _revoked(bot, party)
    async with bot.database.transaction() as connection:
        await store.close(connection, party.id)
    most = sorted(guests.items(), key=lambda pair: -pair[1])[:MAX_GUESTS_TOLD]
    lines = [f"<@{user}>: {times}" for user, times in most] or ["Nobody came."]
    if spent is not None:
        lines.append(f"The host paid {amount(spent)} for the pictures.")
    embed = discord.Embed(title=f"{plain(party.name)} is over", description="\n".join(lines))
    with contextlib.suppress(discord.HTTPException):
        channel = bot.get_partial_messageable(party.thread_id)
        await channel.send(embed=embed, allowed_mentions=place.QUIET)


async def _revoked(bot: "HordeBot", party: Party) -> float | None:
    """Delete the host's shared key. Returns what was spent with it."""
    host = await bot.hordes.login(party.host_id)
    if party.sealed_key is None or host is None:
        return None
    horde, key = bot.hordes.as_login(host), bot.keyring.open(party.sealed_key)
    try:
        spent = (await horde.shared_keys.get(key)).utilized
        await horde.shared_keys.delete(key)
    except HordeError as error:
        log.warning("party.key_not_revoked", party=party.id, error=type(error).__name__)
        return None
    return float(spent)
