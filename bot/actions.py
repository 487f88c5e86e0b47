"""What the buttons of jobs do."""

import discord

from bot import answering
from bot.pressing import Press, action
from bot.store.jobs import JobState


@action("cancel", may_moderate=True)
async def cancel(press: Press) -> None:
    """Withdraw a running job."""
    await press.interaction.response.defer()
    await press.bot.desk.cancel(press.job)


@action("delete", may_moderate=True)
async def delete(press: Press) -> None:
    """Take the message away."""
    await press.interaction.response.defer()
    if press.job.state == JobState.RUNNING:
        await press.bot.desk.cancel(press.job)
    await press.interaction.delete_original_response()


@action("info", is_owners=False)
async def info(press: Press) -> None:
    """Tell how something was made."""
    embed = discord.Embed(title="How it was made")
    for name, value in press.job.wanted.items():
        embed.add_field(name=name, value=str(value)[:1000])
    await answering.say(press.interaction, embed=embed)


def add() -> None:
    """Nothing to do: importing this module adds its actions."""
