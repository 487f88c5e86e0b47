"""Buttons and selects that work after any restart: all they need is in their id.

An id is `h:<action>:<job>:<more>`; what it means is looked up when it is pressed.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import discord

from bot import answering
from bot.refusals import Refused
from bot.store import jobs
from bot.store.jobs import Job

if TYPE_CHECKING:
    from bot.app import HordeBot

FORGOTTEN: Final = "I no longer remember this one. Ask again with `/imagine`."


@dataclass(frozen=True)
class Press:
    """Somebody pressed a button of a job. values: what they chose, if it is a select."""

    bot: "HordeBot"
    interaction: discord.Interaction
    job: Job
    more: str
    values: list[str]


Act = Callable[[Press], Awaitable[None]]


@dataclass(frozen=True)
class Action:
    """What pressing does. is_owners: whether only the one who asked (or a moderator) may."""

    act: Act
    is_owners: bool = True
    may_moderate: bool = False


ACTIONS: Final[dict[str, Action]] = {}
"""By the word in the id; modules of actions add theirs."""


def action(word: str, **how: bool) -> Callable[[Act], Act]:
    """Let pressing do this."""

    def add(act: Act) -> Act:
        ACTIONS[word] = Action(act, **how)
        return act

    return add


def button_id(word: str, job_id: int, more: object = "") -> str:
    """The id of a button."""
    return f"h:{word}:{job_id}:{more}"


TEMPLATE: Final = r"h:(?P<word>[a-z]+):(?P<job>\d+):(?P<more>[\w.-]*)"


class PressedButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=TEMPLATE):
    """Any of our buttons."""

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> "PressedButton":
        """Take what the id says."""
        del interaction
        made = cls(cast("discord.ui.Button[Any]", item))
        made.match = match
        return made

    match: re.Match[str]

    async def callback(self, interaction: discord.Interaction) -> None:
        """Do what it says."""
        await _pressed(interaction, self.match, [])


class ChosenSelect(discord.ui.DynamicItem[discord.ui.Select[Any]], template=f"s{TEMPLATE}"):
    """Any of our selects."""

    match: re.Match[str]

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> "ChosenSelect":
        """Take what the id says."""
        del interaction
        made = cls(cast("discord.ui.Select[Any]", item))
        made.match = match
        return made

    async def callback(self, interaction: discord.Interaction) -> None:
        """Do what was chosen."""
        values = cast("dict[str, Any]", interaction.data or {}).get("values") or []
        await _pressed(interaction, self.match, [str(value) for value in values])


async def _pressed(
    interaction: discord.Interaction, match: re.Match[str], values: list[str]
) -> None:
    """Look up the job, check who presses, and act; errors become one sentence for them."""
    bot = answering.bot_of(interaction)
    async with answering.refusing(interaction):
        found = ACTIONS.get(match["word"])
        async with bot.database.transaction() as connection:
            job = await jobs.get(connection, int(match["job"]))
        if found is None or job is None:
            raise Refused(FORGOTTEN)
        if found.is_owners and interaction.user.id != job.user_id:
            moderates = interaction.permissions.manage_messages and interaction.guild_id
            if not (found.may_moderate and moderates and interaction.guild_id == job.guild_id):
                raise Refused("Only the one who asked for this may do that.")
        await found.act(Press(bot, interaction, job, match["more"], values))


def view(*items: discord.ui.Item[Any]) -> discord.ui.View:
    """A message's buttons; nothing is kept of it in memory."""
    made = discord.ui.View(timeout=None)
    for item in items:
        made.add_item(item)
    made.stop()
    return made


def button(
    label: str,
    word: str,
    job_id: int,
    more: object = "",
    **how: Any,  # noqa: ANN401 - of a Button
) -> discord.ui.Item[Any]:
    """A button of a job."""
    return discord.ui.Button(label=label, custom_id=button_id(word, job_id, more), **how)


def select(
    placeholder: str,
    word: str,
    job_id: int,
    options: list[discord.SelectOption],
    more: object = "",
    **how: Any,  # noqa: ANN401 - of a Select
) -> discord.ui.Item[Any]:
    """A select of a job."""
    return discord.ui.Select(
        placeholder=placeholder,
        custom_id=f"s{button_id(word, job_id, more)}",
        options=options,
        **how,
    )
