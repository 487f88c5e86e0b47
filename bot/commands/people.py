"""What can be done from a user's menu: who they are at the horde, and their avatar."""

from typing import Any

import discord
from discord import app_commands

from bot import accounts, answering, asking, forms
from bot.attachments import check
from bot.commands import common
from bot.refusals import Refused
from bot.wanted import Wanted

AVATAR_PIXELS = 512


@common.everywhere
@app_commands.context_menu(name="Horde account")
async def user_info(interaction: discord.Interaction, user: discord.User) -> None:
    """Show who somebody is at the horde."""
    await accounts.show(interaction, user)


@common.everywhere
@app_commands.context_menu(name="Remix avatar")
async def remix_avatar(interaction: discord.Interaction, user: discord.User) -> None:
    """Make something of somebody's avatar."""
    bot = answering.bot_of(interaction)
    content = await _avatar(user)
    wanted = await asking.with_settings(bot, interaction.user.id, {})
    await interaction.response.send_modal(forms.Rework(content, wanted))


@common.everywhere
@app_commands.context_menu(name="Describe avatar")
async def describe_avatar(interaction: discord.Interaction, user: discord.User) -> None:
    """Say what somebody's avatar shows."""
    content = await _avatar(user)
    await asking.ask(interaction, "alchemy", Wanted(forms=["caption"]), content)


async def _avatar(user: discord.User) -> bytes:
    try:
        asset = user.display_avatar.replace(size=AVATAR_PIXELS, static_format="png")
        content = await asset.read()
    except (discord.HTTPException, ValueError) as error:
        raise Refused("Discord does not give me that avatar; try again.") from error
    check(content, "The avatar")
    return content


COMMANDS: tuple[Any, ...] = (user_info, remix_avatar, describe_avatar)
