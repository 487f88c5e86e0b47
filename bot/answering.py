"""Answering an interaction: in time, once, and with one sentence where something is refused."""

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, cast

import discord
import structlog

from bot.jobs.place import QUIET
from bot.refusals import ACKNOWLEDGED, UNKNOWN_INTERACTION, Refused, of_horde
from core.client import HordeError

if TYPE_CHECKING:
    from bot.app import HordeBot

BROKEN = "Something went wrong on my side; it is noted. Nothing more was charged."

PUBLIC, MESSAGE = "public", "message"
"""In an interaction's extras: whether everybody sees that the bot is thinking, and where."""

log = structlog.get_logger(__name__)


def bot_of(interaction: discord.Interaction) -> "HordeBot":
    """The bot that the interaction is with."""
    return cast("HordeBot", interaction.client)


async def defer(interaction: discord.Interaction, *, ephemeral: bool = False) -> int | None:
    """Acknowledge, unless that is done. Returns the id of the message that will be the answer.

    This comes before anything that takes time: Discord waits for three seconds.
    """
    if not interaction.response.is_done():
        done = await interaction.response.defer(ephemeral=ephemeral, thinking=True)
        interaction.extras[PUBLIC] = not ephemeral
        interaction.extras[MESSAGE] = None if done is None else done.message_id
    return interaction.extras.get(MESSAGE)


async def say(interaction: discord.Interaction, content: str | None = None, **what: Any) -> None:  # noqa: ANN401
    """Answer so that only the one who asked sees it, whatever was answered before."""
    if interaction.response.is_done():
        await interaction.followup.send(
            content or discord.utils.MISSING, ephemeral=True, allowed_mentions=QUIET, **what
        )
    else:
        await interaction.response.send_message(
            content, ephemeral=True, allowed_mentions=QUIET, **what
        )


async def refuse(interaction: discord.Interaction, sentence: str) -> None:
    """Say why not, to the one who asked; a public "thinking" goes away."""
    if interaction.extras.get(PUBLIC):
        with contextlib.suppress(discord.HTTPException):
            await interaction.delete_original_response()
    await say(interaction, sentence)


@contextlib.asynccontextmanager
async def refusing(interaction: discord.Interaction) -> AsyncIterator[None]:
    """Turn what is raised inside into a sentence for the one who asked."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the last stop of an interaction
        await failed(interaction, error)


async def failed(interaction: discord.Interaction, error: BaseException) -> None:
    """Answer for an error."""
    if isinstance(error, discord.HTTPException) and error.code in {
        ACKNOWLEDGED,
        UNKNOWN_INTERACTION,
    }:
        log.info("interaction.not_ours", code=error.code)  # told twice, or too late to answer
        return
    if isinstance(error, Refused):
        sentence = str(error)
    elif isinstance(error, HordeError):
        sentence = of_horde(error)
    else:
        log.error("interaction.failed", error=repr(error), exc_info=error)
        sentence = BROKEN
    try:
        await refuse(interaction, sentence)
    except discord.HTTPException as gone:
        log.warning("interaction.unanswered", status=gone.status, code=gone.code)
