"""What the messages of jobs show. Each is edited by one at a time, no faster than Discord likes.

A preview is shown where nothing has to be censored, which is in age-restricted places and in direct
messages of who wants that; with spoilers if its pictures will have them.
"""

import asyncio
import contextlib
import io
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import discord
import structlog

from bot import attachments, buttons
from bot.jobs import cards, place
from bot.jobs.looks import Look
from bot.jobs.running import Running
from bot.store.jobs import Job, JobState

if TYPE_CHECKING:
    from bot.app import HordeBot

EDIT_SECONDS: Final = 3.0
"""The least time between two edits of one message."""
RENEW_SECONDS: Final = 300.0
"""A message is edited after this time even if it says the same: it may be gone."""
PREVIEW_SECONDS: Final = 5.0
"""From the first previews to the next; each later pause is twice as long as the one before."""
MAX_PREVIEWS: Final = 4

File = discord.File | discord.Attachment

log = structlog.get_logger(__name__)


@dataclass
class _Shown:
    """What a message says, and since when."""

    text: str = ""
    at: float = float("-inf")
    ready_at: float | None = None
    previews: tuple[bytes, ...] = ()
    previews_at: float = float("-inf")
    pause: float = PREVIEW_SECONDS
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Board:
    """The messages of all jobs."""

    def __init__(self, bot: "HordeBot", running: Running) -> None:
        self._bot, self._running = bot, running
        self._shown: dict[int, _Shown] = {}

    async def show(self, job: Job, look: Look) -> float:
        """Edit a running job's message, if it would show something else, and may be edited.

        Returns in how many seconds it may be edited, 0 if it is as it should be. Raises Gone.
        """
        shown = self._shown.setdefault(job.id, _Shown())
        async with shown.turn:
            shown.ready_at = cards.guess(look, shown.ready_at)
            embed = cards.running(job, look, shown.ready_at)
            text, at = embed.description or "", monotonic()
            previews = _fresh_previews(job, look, shown, at)
            is_old = at - shown.at >= RENEW_SECONDS
            if job.message_id is None or (text == shown.text and not previews and not is_old):
                return 0.0
            if (left := shown.at + EDIT_SECONDS - at) > 0:
                return left
            if job.id not in self._running:
                self._shown.pop(job.id, None)
                return 0.0
            shown.text, shown.at = text, at
            what: dict[str, Any] = {"embed": embed, "view": buttons.during(job)}
            if previews:
                what["attachments"] = [*_files(job, previews), *self._kept(job)]
                shown.previews, shown.previews_at = previews, at
                shown.pause *= 2
            try:
                await place.edit(self._bot, job, content=None, **what)
            except discord.HTTPException as error:
                log.warning("job.not_shown", job=job.id, status=error.status, code=error.code)
            return 0.0

    async def keep(self, job: Job, files: dict[str, bytes]) -> None:
        """Put a job's sources at its message, where its buttons find them again."""
        named = [
            discord.File(
                io.BytesIO(content), name + attachments.suffix(content), spoiler=job.spoiler
            )
            for name, content in files.items()
        ]
        try:
            view = buttons.during(job)
            embed = cards.asked(job, named[0].filename)
            message = await place.edit(self._bot, job, embed=embed, attachments=named, view=view)
        except (place.Gone, discord.HTTPException) as error:
            log.info("job.sources_not_kept", job=job.id, error=type(error).__name__)
            return
        kept = [one.to_dict() for one in message.attachments]
        await self._running.change(job, wanted={**job.wanted, "source_files": kept})

    async def end(
        self, job: Job, state: JobState, embed: discord.Embed, files: list[discord.File]
    ) -> bool:
        """Show a job's end, then store it: a crash in between only repeats the edit.

        Returns whether it ended now, and not before.
        """
        shown = self._shown.setdefault(job.id, _Shown())
        async with shown.turn:
            if job.id not in self._running:
                self._shown.pop(job.id, None)
                return False
            everything: list[File] = [*files, *self._kept(job)]
            view = buttons.after(job, state)
            try:
                await place.edit(
                    self._bot, job, content=None, embed=embed, attachments=everything, view=view
                )
            except place.Gone:
                log.info("job.message_gone", job=job.id)
                await self._tell_elsewhere(job, files)
            await self._running.change(job, state=state, results=job.results)
            self._shown.pop(job.id, None)
        log.info("job.ended", job=job.id, state=state.value)
        return True

    def _kept(self, job: Job) -> list[discord.Attachment]:
        """The sources, as the message has them."""
        state = self._bot._connection  # noqa: SLF001 - there is no other way to make one
        kept = job.wanted.get("source_files", [])
        return [discord.Attachment(data=data, state=state) for data in kept]

    async def _tell_elsewhere(self, job: Job, files: list[discord.File]) -> None:
        """Bring finished results to their owner where the message is gone."""
        if not files:
            return
        place.rewound({"attachments": files})
        with contextlib.suppress(discord.HTTPException):
            user = await self._bot.fetch_user(job.user_id)
            text = "The message you waited at is gone; here is what came of it."
            await user.send(text, files=files, allowed_mentions=place.QUIET)


def may_be_seen(job: Job) -> bool:
    """Whether its pictures may be seen before a worker has looked for what is to be censored."""
    return job.kind == "image" and bool(job.wanted.get("nsfw"))


def _fresh_previews(job: Job, look: Look, shown: _Shown, at: float) -> tuple[bytes, ...]:
    """Previews that are to be shown now: none if they are those of before, or it is early."""
    if not may_be_seen(job) or at - shown.previews_at < shown.pause:
        return ()
    found = tuple(one.preview for one in look.at_work if one.preview is not None)[:MAX_PREVIEWS]
    return () if found == shown.previews else found


def _files(job: Job, previews: tuple[bytes, ...]) -> list[discord.File]:
    return [
        discord.File(io.BytesIO(one), f"making-{number}.webp", spoiler=job.spoiler)
        for number, one in enumerate(previews, 1)
    ]
