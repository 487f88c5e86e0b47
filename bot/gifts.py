"""Kudos by reaction. Who gets them claims them by logging in, within a week.

A gift is a row before it is a transfer, and the transfer is keyed by the row: it is paid once,
however often Discord tells of the reaction or the bot tries.
"""

import contextlib
from typing import TYPE_CHECKING, Final

import discord
import structlog

from bot.jobs import place
from bot.refusals import CLOSED_DMS, of_horde
from bot.store import gifts, jobs, logins
from bot.store.gifts import Gift, GiftState
from bot.words import plain
from core.client import Forbidden, HordeError, Invalid, Unauthenticated

if TYPE_CHECKING:
    from bot.app import HordeBot

CLAIM_DAYS: Final = 7
FINAL: Final = (Forbidden, Invalid, Unauthenticated)
"""Errors after which trying again is of no use."""

log = structlog.get_logger(__name__)


async def reacted(bot: "HordeBot", event: discord.RawReactionActionEvent) -> None:
    """Give kudos for a reaction, if its emoji gives any here."""
    rules = await bot.rules.of(event.guild_id)
    emoji = str(event.emoji.id or event.emoji.name)
    amount = rules.emojis.get(emoji)
    if amount is None or (event.member is not None and event.member.bot):
        return
    receiver = await _receiver(bot, event)
    if receiver is None or receiver == event.user_id:
        return
    if await bot.hordes.login(event.user_id) is None:
        await _take_back(bot, event)
        await _tell(bot, event, "To give kudos by a reaction, log in first: `/account login`.")
        return
    async with bot.database.transaction() as connection:
        number = await gifts.add(
            connection,
            giver_id=event.user_id,
            receiver_id=receiver,
            message_id=event.message_id,
            channel_id=event.channel_id,
            emoji=emoji,
            amount=amount,
        )
    if number is None:
        return  # given before
    async with bot.database.transaction() as connection:
        known = await logins.get(connection, receiver)
        waiting = await gifts.waiting(connection, receiver)
    if known is None:
        text = f"<@{receiver}> gets your {amount} kudos as soon as they log in here, within a week."
        await _tell(bot, event, text)
        return
    (gift,) = [one for one in waiting if one.id == number]
    said = await _pay(bot, gift, known.alias)
    await _tell(bot, event, said or f"You gave {amount} kudos to {plain(known.alias)}.")
    if said is None:
        await place.tell(bot, receiver, f"<@{event.user_id}> gave you {amount} kudos.")


async def claim(bot: "HordeBot", user_id: int) -> None:
    """Pay what was given to a user before they logged in."""
    async with bot.database.transaction() as connection:
        mine = await gifts.waiting(connection, user_id)
        login = await logins.get(connection, user_id)
    if login is None:
        return
    paid = [gift for gift in mine if await _pay(bot, gift, login.alias) is None]
    if paid:
        total = sum(gift.amount for gift in paid)
        await place.tell(bot, user_id, f"{total} kudos waited for you; they are yours now.")


async def _pay(bot: "HordeBot", gift: Gift, alias: str) -> str | None:
    """Transfer a gift. Returns None, or why it was not possible."""
    giver = await bot.hordes.login(gift.giver_id)
    if giver is None:
        state, why = GiftState.REFUSED, "You are not logged in any more; nothing was given."
    else:
        try:
            key = f"gift-{gift.giver_id}-{gift.message_id}-{gift.emoji}"
            await bot.hordes.as_login(giver).kudos.transfer(alias, gift.amount, key)
        except HordeError as error:
            if not isinstance(error, FINAL):
                log.info("gift.waits", gift=gift.id, error=type(error).__name__)
                return "The horde does not answer; they get it when they next log in."
            state, why = GiftState.REFUSED, of_horde(error)
        else:
            state, why = GiftState.PAID, None
    async with bot.database.transaction() as connection:
        await gifts.change(connection, gift.id, state)
    return why


async def _receiver(bot: "HordeBot", event: discord.RawReactionActionEvent) -> int | None:
    """Who gets it: the author, or at a message of the bot's, the one who asked for it."""
    if bot.user is None or event.message_author_id != bot.user.id:
        return event.message_author_id
    async with bot.database.transaction() as connection:
        job = await jobs.of_message(connection, event.message_id)
    return None if job is None else job.user_id


async def _take_back(bot: "HordeBot", event: discord.RawReactionActionEvent) -> None:
    channel = bot.get_partial_messageable(event.channel_id)
    with contextlib.suppress(discord.HTTPException):
        message = channel.get_partial_message(event.message_id)
        await message.remove_reaction(event.emoji, discord.Object(event.user_id))


async def _tell(bot: "HordeBot", event: discord.RawReactionActionEvent, text: str) -> None:
    """Tell the giver: by a direct message, or in the channel if they take none."""
    if await place.tell(bot, event.user_id, text):
        return
    log.info("gift.dms_closed", code=CLOSED_DMS, user=event.user_id)
    channel = bot.get_partial_messageable(event.channel_id)
    with contextlib.suppress(discord.HTTPException):
        message = channel.get_partial_message(event.message_id)
        reference = message.to_reference(fail_if_not_exists=False)
        await channel.send(text, reference=reference, allowed_mentions=place.QUIET)
