"""Buttons and selects that work after any restart: all they need is in their id.

An id is `h:<action>:<job>:<more>`; what it means is looked up once the press is acknowledged.
"""

import re
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Self, cast

import discord

from bot import answering
from bot.refusals import Refused
from bot.store import jobs
from bot.store.jobs import Job

if TYPE_CHECKING:
    from bot.app import HordeBot

FORGOTTEN: Final = "I no longer remember this one. Ask again with `/imagine`."


class Answer(Enum):
    """How a press is acknowledged."""

    NEW = "new"
    """By a message for everybody, which begins as "thinking"."""
    PRIVATE = "private"
    """By a message for the one who pressed."""
    SILENT = "silent"
    """The message that was pressed changes, or goes."""
    FORM = "form"
    """By a form, which has to be the first answer: the action opens it."""


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
    answer: Answer
    is_owners: bool = True
    may_moderate: bool = False


ACTIONS: Final[dict[str, Action]] = {}
"""By the word in the id; modules of actions add theirs."""


def action(word: str, answer: Answer, **how: bool) -> Callable[[Act], Act]:
    """Let pressing do this."""

    def add(act: Act) -> Act:
        ACTIONS[word] = Action(act, answer, **how)
        return act

    return add


class Pressed(discord.ui.DynamicItem[Any], template=r"(?!)"):
    """Something that was pressed, of which nothing is known but its id. Subclasses name theirs."""

    match: re.Match[str]

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,
        item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """Take what the id says."""
        del interaction
        made = cls(item)
        made.match = match
        return made

    async def callback(self, interaction: discord.Interaction) -> None:
        """Do what it is for; errors become one sentence for who pressed."""
        async with answering.refusing(interaction):
            values = cast("dict[str, Any]", interaction.data or {}).get("values") or []
            await self.pressed(interaction, [str(value) for value in values])

    @abstractmethod
    async def pressed(self, interaction: discord.Interaction, values: list[str]) -> None:
        """Do what it is for. values: what was chosen, if it is a select."""


class OfJob(Pressed, template=r"h:(?P<word>[a-z]+):(?P<job>\d+):(?P<more>[\w.-]*)"):
    """A button or select of a job."""

    async def pressed(self, interaction: discord.Interaction, values: list[str]) -> None:
        """Acknowledge, look up the job, check who presses, and act."""
        found = ACTIONS.get(self.match["word"])
        if found is None:
            raise Refused(FORGOTTEN)
        await _acknowledge(interaction, found.answer)
        bot = answering.bot_of(interaction)
        async with bot.database.transaction() as connection:
            job = await jobs.get(connection, int(self.match["job"]))
        if job is None:
            raise Refused(FORGOTTEN)
        if found.is_owners and interaction.user.id != job.user_id:
            moderates = interaction.permissions.manage_messages and interaction.guild_id
            if not (found.may_moderate and moderates and interaction.guild_id == job.guild_id):
                raise Refused("Only the one who asked for this may do that.")
        await found.act(Press(bot, interaction, job, self.match["more"], values))


async def _acknowledge(interaction: discord.Interaction, answer: Answer) -> None:
    if answer is Answer.SILENT:
        await interaction.response.defer()
    elif answer is not Answer.FORM:
        await answering.defer(interaction, ephemeral=answer is Answer.PRIVATE)


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
    return discord.ui.Button(label=label, custom_id=_id(word, job_id, more), **how)


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
        placeholder=placeholder, custom_id=_id(word, job_id, more), options=options, **how
    )


def _id(word: str, job_id: int, more: object) -> str:
    return f"h:{word}:{job_id}:{more}"
