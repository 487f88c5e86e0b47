"""`/account`: logging in at the horde, and what one has there.

An API key is never shown again once it was given. By the code of the page none passes Discord.
"""

from typing import Any, Final

import discord
from discord import app_commands

from bot import accounts, answering, forms, limits
from bot.commands import reach
from bot.hordes import me
from bot.refusals import Refused
from bot.store import logins, notes
from bot.words import plain
from core.wire.sharedkeys import SharedKeyInput

MAX_KEY: Final = 100

group = reach.Group("account", "Your account at the horde.")
keys = app_commands.Group(name="keys", description="Keys that let others ask at your expense.")
group.add_command(keys)


class LoginForm(forms.Form):
    """Takes a code of the page, or an API key; shows neither again."""

    def __init__(self) -> None:
        super().__init__(title="Log in at the horde", timeout=600)
        self.code = forms.text(
            "Code from the horde's page", required=False, max_length=50, placeholder="ABCD-EFGH"
        )
        self.key = forms.text("Or your API key", required=False, max_length=MAX_KEY)
        for item in (self.code, self.key):
            self.add_item(item)

    async def submitted(self, interaction: discord.Interaction) -> None:
        """Check it at the horde, and remember the login."""
        bot = answering.bot_of(interaction)
        await answering.defer(interaction, ephemeral=True)
        code, key = self.code.value.strip(), self.key.value.strip()
        if not code and not key:
            raise Refused(f"Type the code that {bot.settings.page} shows, or your API key.")
        alias = await accounts.log_in(bot, interaction.user.id, code=code, key=key)
        await answering.say(interaction, f"You are logged in as {plain(alias)}.")
        await accounts.after_login(bot, interaction)


@group.command(description="Log in, by a code of the horde's page or by your API key.")
async def login(interaction: discord.Interaction) -> None:
    """Open the form."""
    await interaction.response.send_modal(LoginForm())


@group.command(description="Log out: the bot forgets your key.")
async def logout(interaction: discord.Interaction) -> None:
    """Forget a login."""
    await answering.defer(interaction, ephemeral=True)
    bot = answering.bot_of(interaction)
    async with bot.database.transaction() as connection:
        was_there = await logins.drop(connection, interaction.user.id)
    said = "You are logged out; the bot has forgotten your key." if was_there else "You were not."
    await answering.say(interaction, said)
    await accounts.set_roles(bot, interaction, None)


@group.command(description="Who you are at the horde, or who somebody else is.")
@app_commands.describe(user="Somebody else, who is logged in here.")
async def info(interaction: discord.Interaction, user: discord.User | None = None) -> None:
    """Show a user of the horde."""
    await accounts.show(interaction, user or interaction.user)


@group.command(description="Whether the bot may make unsafe pictures in your direct messages.")
@app_commands.describe(allowed="Yes: you are of age and want that.")
async def adult(interaction: discord.Interaction, *, allowed: bool) -> None:
    """Opt in or out."""
    await answering.defer(interaction, ephemeral=True)
    bot = answering.bot_of(interaction)
    name = limits.ADULT_DMS.format(interaction.user.id)
    async with bot.database.transaction() as connection:
        await notes.put(connection, name, "yes" if allowed else "")
    await answering.say(interaction, "Noted, for direct messages with me only.")


@keys.command(name="create", description="Make a key that others can ask with.")
@app_commands.describe(
    kudos="How many kudos may be spent with it.",
    days="Days that it lives.",
    name="What you call it.",
)
async def create(
    interaction: discord.Interaction,
    kudos: app_commands.Range[int, 1, 50_000_000],
    days: app_commands.Range[int, 1, 3650] | None = None,
    name: app_commands.Range[str, 1, 100] | None = None,
) -> None:
    """Make a shared key, shown to its owner only."""
    bot = answering.bot_of(interaction)
    await answering.defer(interaction, ephemeral=True)
    horde = await bot.hordes.logged_in(interaction.user.id)
    given: dict[str, Any] = {"kudos": kudos, "expiry": days or -1}
    given |= {"name": name} if name else {}
    made = await horde.shared_keys.create(SharedKeyInput.model_validate(given))
    await answering.say(interaction, f"Your shared key: ||`{made.id}`|| Whoever has it may use it.")


@keys.command(name="list", description="Your shared keys.")
async def listed(interaction: discord.Interaction) -> None:
    """List shared keys."""
    bot = answering.bot_of(interaction)
    await answering.defer(interaction, ephemeral=True)
    horde = await bot.hordes.logged_in(interaction.user.id)
    lines = []
    for number in ((await me(horde)).sharedkey_ids or [])[:20]:
        key = await horde.shared_keys.get(number)
        left = "any number of" if key.kudos < 0 else f"{key.kudos:,}"
        lines.append(f"`…{key.id[-6:]}` {plain(key.name or '')}: {left} kudos left")
    await answering.say(interaction, "\n".join(lines) or "You have no shared keys.")


@keys.command(name="revoke", description="End a shared key.")
@app_commands.describe(key="The key, or its last six characters.")
async def revoke(interaction: discord.Interaction, key: app_commands.Range[str, 6, 36]) -> None:
    """Delete a shared key."""
    bot = answering.bot_of(interaction)
    await answering.defer(interaction, ephemeral=True)
    horde = await bot.hordes.logged_in(interaction.user.id)
    mine = (await me(horde)).sharedkey_ids or []
    found = [one for one in mine if one.endswith(key.strip("…` "))]
    if len(found) != 1:
        raise Refused("That is none of your keys, or of several: `/account keys list`.")
    await horde.shared_keys.delete(found[0])
    await answering.say(interaction, "That key is gone.")


COMMANDS: tuple[Any, ...] = (group,)
