"""Where a job's message is: edited with the interaction's token, and through the channel after it.

The token lives for fifteen minutes. Whatever ends the message for good (it was deleted, the guild
removed the bot) is a `Gone`.
"""

from datetime import timedelta
from typing import Any, Final

import discord

from bot import refusals
from bot.store.database import now
from bot.store.jobs import Job

TOKEN_LIFE: Final = timedelta(minutes=14, seconds=30)
"""A little less than Discord's: a call takes its time, and clocks differ."""
_DEAD: Final = {refusals.INVALID_TOKEN, refusals.UNKNOWN_WEBHOOK}
_GONE: Final = {
    refusals.UNKNOWN_MESSAGE,
    refusals.UNKNOWN_CHANNEL,
    refusals.NO_ACCESS,
    refusals.NO_PERMISSION,
}
QUIET: Final = discord.AllowedMentions.none()
"""Nobody is ever pinged by what others wrote."""


class Gone(Exception):
    """The message cannot be reached any more."""


async def edit(client: discord.Client, job: Job, **what: Any) -> discord.Message:  # noqa: ANN401
    """Edit a job's message. what: as discord.py's `edit` takes it. Raises Gone."""
    if job.message_id is None or client.application_id is None:
        raise Gone
    try:
        if now() < job.token_until:
            hook = discord.Webhook.partial(client.application_id, job.token, client=client)
            try:
                return await hook.edit_message(job.message_id, allowed_mentions=QUIET, **what)
            except discord.HTTPException as error:
                if error.code not in _DEAD:
                    raise
            rewound(what)
        channel = client.get_partial_messageable(job.channel_id)
        message = channel.get_partial_message(job.message_id)
        return await message.edit(allowed_mentions=QUIET, **what)
    except (discord.NotFound, discord.Forbidden) as error:
        if error.code in _GONE:
            raise Gone from error
        raise


def rewound(what: dict[str, Any]) -> None:
    """Let files be read once more."""
    for attachment in what.get("attachments", []):
        if isinstance(attachment, discord.File):
            attachment.reset()


async def tell(client: discord.Client, user_id: int, text: str) -> bool:
    """Send a user a direct message. Returns whether they take any from the bot."""
    try:
        user = client.get_user(user_id) or await client.fetch_user(user_id)
        await user.send(text, allowed_mentions=QUIET)
    except (discord.Forbidden, discord.NotFound):
        return False
    return True
