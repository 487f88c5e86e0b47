"""`/kudos`: giving them, and how one got and spent them."""

from typing import Any

import discord
from discord import app_commands

from bot import answering, forms
from bot.commands import reach
from bot.hordes import me
from bot.jobs import place
from bot.refusals import Refused
from bot.store import logins
from bot.words import plain

MAX_GIFT = 10_000_000

group = reach.Group("kudos", "Kudos: what the horde is paid in.")


@group.command(description="Give kudos to somebody.")
@app_commands.describe(
    amount="How many.", user="Somebody here, who is logged in.", alias="Or their name, as Name#123."
)
async def give(
    interaction: discord.Interaction,
    amount: app_commands.Range[int, 1, MAX_GIFT],
    user: discord.User | None = None,
    alias: app_commands.Range[str, 3, 150] | None = None,
) -> None:
    """Transfer kudos."""
    if (user is None) == (alias is None):
        raise Refused("Say who gets them: somebody here, or a name of the horde.")
    await answering.defer(interaction, ephemeral=True)
    await transfer(interaction, amount, user=user, alias=alias)


@group.command(description="Where your kudos came from, and what your last requests were.")
async def history(interaction: discord.Interaction) -> None:
    """Show the kudos of the one who asks."""
    bot = answering.bot_of(interaction)
    await answering.defer(interaction, ephemeral=True)
    horde = await bot.hordes.logged_in(interaction.user.id)
    own = await me(horde)
    embed = discord.Embed(title=f"{own.kudos:,.0f} kudos")
    for name, value in own.kudos_details.model_dump().items():
        if value:
            embed.add_field(name=name.capitalize(), value=f"{value:,.0f}")
    embed.set_footer(text="since registration")
    await answering.say(interaction, embed=embed)


async def transfer(
    interaction: discord.Interaction,
    amount: int,
    *,
    user: discord.User | discord.Member | None = None,
    alias: str | None = None,
) -> None:
    """Give kudos once, however often Discord tells of it: the interaction names the transfer."""
    bot = answering.bot_of(interaction)
    horde = await bot.hordes.logged_in(interaction.user.id)
    if user is not None:
        async with bot.database.transaction() as connection:
            login = await logins.get(connection, user.id)
        if login is None:
            raise Refused(f"<@{user.id}> is not logged in here; nothing was given.")
        alias = login.alias
    await horde.kudos.transfer(alias or "", amount, f"discord-{interaction.id}")
    await answering.say(interaction, f"You gave {amount:,} kudos to {plain(alias or '')}.")
    if user is not None:
        await place.tell(bot, user.id, f"<@{interaction.user.id}> gave you {amount:,} kudos.")


class GiveForm(forms.Form):
    """Asks how many kudos somebody gets."""

    def __init__(self, user: discord.User | discord.Member) -> None:
        super().__init__(title="Give kudos", timeout=600)
        self._user = user
        self.amount = forms.text("How many?", max_length=8)
        self.add_item(self.amount)

    async def submitted(self, interaction: discord.Interaction) -> None:
        """Give them."""
        await answering.defer(interaction, ephemeral=True)
        typed = self.amount.value.strip()
        if not (typed.isascii() and typed.isdecimal() and 0 < int(typed) <= MAX_GIFT):
            raise Refused("Type a whole number of kudos.")
        await transfer(interaction, int(typed), user=self._user)


@reach.everywhere
@app_commands.context_menu(name="Give kudos")
async def give_to_user(interaction: discord.Interaction, user: discord.User) -> None:
    """Open the form."""
    await interaction.response.send_modal(GiveForm(user))


COMMANDS: tuple[Any, ...] = (group, give_to_user)
