"""From a command or a button to a job: what is checked, acknowledged, read and asked."""

import asyncio
import base64
from typing import TYPE_CHECKING, Final

import discord

from bot import answering
from bot.jobs.desk import new_job
from bot.jobs.kinds import Sources
from bot.wanted import Wanted

if TYPE_CHECKING:
    from bot.app import HordeBot

READ_SECONDS: Final = 20.0


async def pictures(
    interaction: discord.Interaction,
    wanted: Wanted,
    image: discord.Attachment | None = None,
    mask: discord.Attachment | None = None,
) -> None:
    """Take a request for pictures."""
    await ask(interaction, "image", wanted, image, mask)


async def ask(
    interaction: discord.Interaction,
    kind: str,
    wanted: Wanted,
    image: discord.Attachment | None = None,
    mask: discord.Attachment | None = None,
) -> None:
    """Acknowledge, then ask the horde; the reply becomes the job's message."""
    bot: HordeBot = answering.bot_of(interaction)
    message_id = await answering.defer(interaction)
    sources = Sources(
        image=await _read(image) if image else None, mask=await _read(mask) if mask else None
    )
    job = new_job(interaction, kind, wanted.model_dump(exclude_defaults=True), message_id)
    await bot.desk.take(job, sources)


async def _read(attachment: discord.Attachment) -> str:
    async with asyncio.timeout(READ_SECONDS):
        return base64.b64encode(await attachment.read()).decode()
