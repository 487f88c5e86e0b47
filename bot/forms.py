"""Discord's forms (modals): what is typed in them, and what happens then."""

from abc import ABC, abstractmethod
from typing import Any, Final

import discord

from bot import answering, asking
from bot.asking import Given
from bot.refusals import Refused
from bot.store.jobs import Job
from bot.wanted import MAX_PROMPT, Wanted
from bot.words import cut

MAX_INPUT: Final = 4000
LONG: Final = discord.TextStyle.paragraph


class Form(discord.ui.Modal, ABC):
    """A form whose errors become a sentence for whoever filled it in."""

    async def on_submit(self, interaction: discord.Interaction) -> None:
        """Do what the form is for."""
        async with answering.refusing(interaction):
            await self.submitted(interaction)

    @abstractmethod
    async def submitted(self, interaction: discord.Interaction) -> None:
        """Do what the form is for; errors may be raised."""


def text(label: str, **how: Any) -> discord.ui.TextInput[Any]:  # noqa: ANN401 - of a TextInput
    """A field of a form."""
    return discord.ui.TextInput(label=label, **how)


class Edit(Form):
    """Asks again, with other words."""

    def __init__(self, kind: str, wanted: Wanted, given: Given, *, spoiler: bool) -> None:
        super().__init__(title="Ask again", timeout=3600)
        self._kind, self._wanted, self._given, self._spoiler = kind, wanted, given, spoiler
        self.prompt = text("Prompt", style=LONG, default=wanted.prompt, max_length=MAX_INPUT)
        self.add_item(self.prompt)
        self.negative = text(
            "Not to be shown",
            style=LONG,
            default=cut(wanted.negative or "", 1000),
            required=False,
            max_length=1000,
        )
        if kind == "image":
            self.add_item(self.negative)

    async def submitted(self, interaction: discord.Interaction) -> None:
        """Ask."""
        changes: dict[str, Any] = {"prompt": self.prompt.value, "seed": None, "source_files": []}
        if self._kind == "image":
            changes["negative"] = self.negative.value or None
        wanted = self._wanted.model_copy(update=changes)
        await asking.ask(interaction, self._kind, wanted, self._given, spoiler=self._spoiler)


class Reply(Form):
    """Goes on with a text, by what one says to it."""

    def __init__(self, job: Job) -> None:
        super().__init__(title="Reply", timeout=3600)
        self._job = job
        self.words = text("What you say", style=LONG, max_length=MAX_INPUT)
        self.add_item(self.words)

    async def submitted(self, interaction: discord.Interaction) -> None:
        """Ask."""
        await asking.ask(
            interaction, "text", with_text(self._job, 0, f"\n\n{self.words.value}\n\n")
        )


def with_text(job: Job, index: int, more: str = "") -> Wanted:
    """The next request of a text: what there is by now, as far as it may be remembered, and more.

    Raises Refused where the job has no such text.
    """
    if index >= len(job.results):
        raise Refused("There is no text to go on from; use `/text`.")
    wanted = Wanted.model_validate(job.wanted)
    whole = wanted.prompt + job.results[index].get("text", "") + more
    return wanted.model_copy(update={"prompt": whole[-MAX_PROMPT:], "n": 1})


class Rework(Form):
    """Makes pictures from another one."""

    def __init__(self, given: Given) -> None:
        super().__init__(title="Make something of this picture", timeout=3600)
        self._given = given
        self.prompt = text("What it is to become", style=LONG, max_length=MAX_INPUT)
        self.strength = text("How much is drawn anew (1-100)", default="60", max_length=3)
        for item in (self.prompt, self.strength):
            self.add_item(item)

    async def submitted(self, interaction: discord.Interaction) -> None:
        """Ask."""
        typed = self.strength.value.strip().rstrip("%")
        percent = int(typed) if typed.isascii() and typed.isdecimal() else 60
        changes = {
            "prompt": self.prompt.value,
            "processing": "img2img",
            "strength": min(100, max(1, percent)) / 100,
        }
        await answering.defer(interaction)
        bot = answering.bot_of(interaction)
        wanted = await asking.with_settings(bot, interaction.user.id, changes)
        await asking.ask(interaction, "image", wanted, self._given)
