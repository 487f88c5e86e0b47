"""What a job's message looks like: while it runs, and when it is done."""

import time
from typing import Any, Final

import discord

from bot.jobs.looks import Look, Result
from bot.store.jobs import Job
from bot.wanted import Wanted
from bot.words import amount, cut, plain, quoted

BLUE, GREEN, GREY, RED = 0x3B82F6, 0x22C55E, 0x6B7280, 0xEF4444
DONE, MAKING, WAITING = "🟩", "🟨", "⬜"
SQUARES: Final = {"done": DONE, "processing": MAKING, "waiting": WAITING}
LOST: Final = "🟥"
"""The square of any other state."""
MAX_SQUARES: Final = 20
HIDDEN: Final = "SPOILER_"
"""How the name of a file begins that is shown to who clicks."""
BAR: Final = 10
"""Parts of a bar."""
MAX_PROMPT: Final = 600
MAX_TEXT: Final = 3800
MAX_SO_FAR: Final = 1500
"""Characters of what is written so far: its end."""


def running(job: Job, look: Look, ready_at: float | None) -> discord.Embed:
    """A job that the horde works on. ready_at: a Unix time that it may be done at."""
    lines = [_squares(look), _bar(look), _standing(look, ready_at)]
    if not look.is_possible:
        lines.append(
            "⚠️ No worker that is online can do this. It waits for one; you can cancel it, and try "
            "another model or smaller sizes."
        )
    elif look.reason:
        lines.append(f"A worker failed at it ({cut(plain(look.reason), 200)}); another one tries.")
    lines += [f"…{plain(one.text[-MAX_SO_FAR:])}" for one in look.at_work[:1] if one.text]
    return _titled(job, "\n".join(line for line in lines if line), BLUE)


def asked(job: Job, source: str) -> discord.Embed:
    """A job that the horde has just taken. source: the name of the file that it starts from."""
    return _with_source(_titled(job, "Queued.", BLUE), source)


def done(job: Job, look: Look, results: list[Result]) -> discord.Embed:
    """A job that is over. results: of which files are beside the text."""
    texts = [_told(job, one) for one in results if one.text is not None]
    links = [
        f"[Picture {number} is too large for Discord]({one.url}) (the link lives for 30 minutes)"
        for number, one in enumerate(results, 1)
        if one.data is None and one.url is not None
    ]
    lost = sum(1 for one in results if one.text is None and one.data is None and one.url is None)
    notes = [f"{lost} could not be fetched from the horde." if lost else ""]
    if any(one.is_censored for one in results):
        notes.append(
            "🔒 A worker found a picture unsafe and replaced it. Ask in an age-restricted channel, "
            "or for something else."
        )
    missing = int(Wanted.model_validate(job.wanted).n) - len(results)
    if job.kind != "alchemy" and missing > 0:
        notes.append(f"{missing} could not be made{_because(look)}.")
    embed = _titled(job, cut("\n".join([*texts, *links, *filter(None, notes)]), MAX_TEXT), GREEN)
    embed.set_footer(text=cut(_footer(look, results), 300))
    return embed


def failed(job: Job, sentence: str) -> discord.Embed:
    """A job that came to nothing."""
    return _titled(job, cut(sentence, MAX_TEXT), RED)


def cancelled(job: Job) -> discord.Embed:
    """A job that was withdrawn."""
    return _titled(job, "Cancelled. Only what was finished is charged.", GREY)


def _titled(job: Job, text: str, colour: int) -> discord.Embed:
    prompt = job.wanted.get("prompt") or ""
    parts = [f"**{cut(quoted(prompt), MAX_PROMPT)}**"] if prompt else []
    if text:
        parts.append(text)
    embed = discord.Embed(description="\n".join(parts) or "…", colour=colour)
    for kept in job.wanted.get("source_files", [])[:1]:
        _with_source(embed, kept["filename"])
    return embed


def _with_source(embed: discord.Embed, name: str) -> discord.Embed:
    """Show the source in the corner: in none of the results' places, and nothing that is hidden."""
    if name.startswith(HIDDEN):
        return embed
    return embed.set_thumbnail(url=f"attachment://{name}")


def _squares(look: Look) -> str:
    row = DONE * look.finished + MAKING * look.processing + WAITING * look.waiting
    if look.pieces:
        row = "".join(SQUARES.get(one.state, LOST) for one in look.pieces)
    return row[:MAX_SQUARES]


def _bar(look: Look) -> str:
    """How far the pieces are whose turn it is, in tenths: a message need not change oftener."""
    shares = [one.step / one.steps for one in look.at_work if one.step]
    if not shares:
        return ""
    full = min(BAR, int(BAR * sum(shares) / len(shares)))
    return f"{'▰' * full}{'▱' * (BAR - full)} {full * 100 // BAR} %"


def _standing(look: Look, ready_at: float | None) -> str:
    parts = []
    if look.position:
        parts.append(f"Place {look.position} in the queue")
    if look.processing:
        parts.append(f"{look.processing} being made")
    if look.finished:
        parts.append(f"{look.finished} done")
    if look.kudos:
        parts.append(f"{amount(look.kudos)} so far")
    if ready_at is not None and look.is_possible:
        parts.append(f"ready <t:{int(ready_at)}:R>")
    return " · ".join(parts)


def guess(look: Look, before: float | None) -> float | None:
    """When it will be done; the guess before stays if this one is near it: no message flickers."""
    if look.seconds <= 0:
        return before
    fresh = time.time() + look.seconds
    if before is not None and abs(fresh - before) < max(5.0, look.seconds / 4):
        return before
    return fresh


def _told(job: Job, result: Result) -> str:
    text = result.text or ""
    if job.kind == "text":
        return f"…{plain(text)}"
    return f"**{result.facts.get('form', 'result')}**: {plain(text)}"


def _footer(look: Look, results: list[Result]) -> str:
    parts: list[Any] = [
        ", ".join(sorted({str(one.facts[key]) for one in results if key in one.facts}))
        for key in ("model", "worker")
    ]
    seeds = [str(one.facts["seed"]) for one in results if "seed" in one.facts]
    if len(seeds) == 1:
        parts.append(f"seed {seeds[0]}")
    if look.kudos:
        parts.append(amount(look.kudos))
    return " · ".join(part for part in parts if part)


def _because(look: Look) -> str:
    return f" ({cut(plain(look.reason), 200)})" if look.reason else ""
