"""Which buttons a job's message has, while it runs and afterwards."""

from typing import Any, Final

import discord

from bot.pressing import button, select, view
from bot.store.jobs import Job, JobState

MAX_IN_ROW: Final = 5
DANGER, PRIMARY = discord.ButtonStyle.danger, discord.ButtonStyle.primary


STARS: Final = [discord.SelectOption(label=f"{n} of 10", value=str(n)) for n in range(1, 11)]


def during(job: Job) -> discord.ui.View:
    """A running job can be cancelled."""
    return view(button("Cancel", "cancel", job.id, style=DANGER))


def after(job: Job, state: JobState) -> discord.ui.View:
    """What can be done with a job that ended."""
    if state != JobState.DONE:
        again = [] if job.kind == "alchemy" else [button("Ask again", "again", job.id)]
        info = [button("Info", "info", job.id)]
        return view(*again, *info, button("Delete", "delete", job.id))
    if job.kind == "image":
        return view(*_of_pictures(job))
    if job.kind == "text":
        return view(
            button("Reply", "reply", job.id, style=PRIMARY, row=0),
            button("Re-roll", "again", job.id, row=0),
            button("Edit", "edit", job.id, row=0),
            button("Delete", "delete", job.id, row=0),
            *_one_each(job, "Continue", "more", row=1),
        )
    return view(button("Delete", "delete", job.id))


def _of_pictures(job: Job) -> list[discord.ui.Item[Any]]:
    items = [
        button("Re-roll", "again", job.id, style=PRIMARY, row=0),
        button("Edit", "edit", job.id, row=0),
        button("Rate", "rate", job.id, row=0),
        button("Info", "info", job.id, row=0),
        button("Delete", "delete", job.id, row=0),
    ]
    for row, (label, word) in enumerate((("Vary", "vary"), ("Upscale", "upscale")), 1):
        items += _one_each(job, label, word, row)
    return items


def _one_each(job: Job, label: str, word: str, row: int) -> list[discord.ui.Item[Any]]:
    """A button for each result, or a select where they are many."""
    count = len(job.results)
    if count == 1:
        return [button(label, word, job.id, 0, row=row)]
    if count <= MAX_IN_ROW:
        return [button(f"{label} {n + 1}", word, job.id, n, row=row) for n in range(count)]
    options = [discord.SelectOption(label=f"Picture {n + 1}", value=str(n)) for n in range(count)]
    return [select(f"{label} …", word, job.id, options, row=row)]
