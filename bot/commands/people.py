"""What can be done from a user's menu: who they are at the horde, and their avatar."""

from typing import Any

import discord
from discord import app_commands

from bot import accounts, asking, forms
from bot.asking import Given
from bot.commands import reach
from bot.wanted import Wanted


@reach.everywhere
@app_commands.context_menu(name="Horde account")
async def user_info(interaction: discord.Interaction, user: discord.User) -> None:
    """Show who somebody is at the horde."""
    await accounts.show(interaction, user)


@reach.everywhere
@app_commands.context_menu(name="Remix avatar")
async def remix_avatar(interaction: discord.Interaction, user: discord.User) -> None:
    """Make something of somebody's avatar."""
    await interaction.response.send_modal(forms.Rework(Given(user)))


@reach.everywhere
@app_commands.context_menu(name="Describe avatar")
async def describe_avatar(interaction: discord.Interaction, user: discord.User) -> None:
    """Say what somebody's avatar shows."""
    await asking.ask(interaction, "alchemy", Wanted(forms=["caption"]), Given(user))


COMMANDS: tuple[Any, ...] = (user_info, remix_avatar, describe_avatar)
