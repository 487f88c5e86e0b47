"""Takes jobs to the horde and brings back what came of them, whatever happens in between.

A job is stored before the horde is asked, and each step is stored before the next: a bot that
starts again goes on with what it finds. Bringing the results is an edit that may be repeated.
"""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import discord
import structlog

from bot import parties
from bot.jobs import cards, place
from bot.jobs.board import Board
from bot.jobs.kinds import KINDS, Sources
from bot.jobs.looks import Look
from bot.jobs.running import Running
from bot.jobs.streams import Streams
from bot.jobs.watcher import MAX_SECONDS, Watcher, pause
from bot.refusals import Refused, of_horde
from bot.store.database import now
from bot.store.jobs import Job, JobState
from bot.wanted import Wanted
from bot.words import cut, plain
from core.client import HordeError, NotFound

if TYPE_CHECKING:
    from bot.app import HordeBot

RESERVE_BYTES: Final = 64 * 1024
"""Of what Discord takes: for the rest of the message."""

log = structlog.get_logger(__name__)


class Desk:
    """All jobs of the bot."""

    def __init__(self, bot: "HordeBot") -> None:
        self._bot = bot
        self._running: Final = Running(bot.database)
        self._board: Final = Board(bot, self._running)
        self.watcher: Final = Watcher(self._check)
        self._streams: Final = Streams(bot.hordes.own.listen, self._heard, self.watcher.add)

    async def resume(self) -> None:
        """Go on with the jobs that an earlier process left."""
        for job in await self._running.load():
            if job.state == JobState.RUNNING:
                self.watcher.add(job.id)
                continue
            await self._end(
                job,
                JobState.FAILED,
                cards.failed(
                    job,
                    "I was restarted just while I asked the horde, so I cannot tell whether it "
                    "took this. Ask again; `/account info` shows what it still makes for you.",
                ),
            )

    async def close(self) -> None:
        """Stop listening."""
        await self._streams.close()

    async def take(self, job: Job, sources: Sources, key: str | None = None) -> None:
        """Ask the horde for an acknowledged job; its reply is the job's message.

        key: another one than the user's own, which pays.
        Raises Refused, after which nothing of the job is left.
        """
        added = await self._running.add(job)
        if added is None:
            return  # Discord told of it twice
        try:
            request_id = await self._asked(added, sources, key)
        except Exception as error:
            await self._running.change(added, state=JobState.FAILED)
            if isinstance(error, HordeError):
                raise Refused(of_horde(error)) from error
            raise
        job = await self._running.change(added, state=JobState.RUNNING, request_id=request_id)
        log.info("job.asked", job=job.id, kind=job.kind, request=request_id, user=job.user_id)
        files = sources.files
        if files and sum(map(len, files.values())) <= job.size_limit // 2:
            await self._board.keep(job, files)
        self.watcher.add(job.id)

    async def cancel(self, job: Job) -> None:
        """Withdraw a job; what is finished stays and is shown."""
        if job.request_id is not None:
            with contextlib.suppress(NotFound):
                await KINDS[job.kind].cancel(self._bot.hordes.own, job.request_id)
        current = self._running.get(job.id)
        if current is None or current.state != JobState.RUNNING:
            return
        look = Look(is_over=True)
        with contextlib.suppress(HordeError):
            look = await KINDS[job.kind].look(self._bot.hordes.own, str(job.request_id))
        if look.finished:
            await self._bring(current, look)
        else:
            await self._end(current, JobState.CANCELLED, cards.cancelled(current))

    async def _asked(self, job: Job, sources: Sources, key: str | None) -> str:
        hordes = self._bot.hordes
        horde = await hordes.of(job.user_id) if key is None else hordes.with_key(key)
        wanted = Wanted.model_validate(job.wanted)
        return await KINDS[job.kind].ask(horde, wanted, sources, self._bot.settings.models)

    async def _check(self, job_id: int) -> float | None:
        job = self._running.get(job_id)
        if job is None or job.state != JobState.RUNNING or job.request_id is None:
            return None
        try:
            look = await KINDS[job.kind].look(self._bot.hordes.own, job.request_id)
        except NotFound:
            await self._end(
                job,
                JobState.FAILED,
                cards.failed(job, "The horde has forgotten this request; ask again."),
            )
            return None
        except HordeError as error:
            log.warning("job.unseen", job=job.id, error=type(error).__name__)
            return MAX_SECONDS if error.status is not None else pause(MAX_SECONDS)
        if look.is_over:
            await self._bring(job, look)
            return None
        later = await self._show(job, look)
        if self._streams.follow(job.id, job.request_id, look):
            return None  # it is looked at once it is not listened to any more
        return later or pause(look.seconds)

    async def _heard(self, job_id: int, look: Look) -> float:
        """Show what a job's stream told. Returns in how many seconds more may be shown."""
        job = self._running.get(job_id)
        if job is None or job.state != JobState.RUNNING:
            return 0.0
        return await self._show(job, look)

    async def _bring(self, job: Job, look: Look) -> None:
        """Show what a request came to."""
        room = job.size_limit - RESERVE_BYTES
        horde = self._bot.hordes.own
        results = await KINDS[job.kind].results(horde, str(job.request_id), room)
        if not results:
            why = f": {cut(plain(look.reason), 300)}" if look.reason else ""
            sentence = f"No worker could make this{why}. Nothing was charged; try other settings."
            await self._end(job, JobState.FAILED, cards.failed(job, sentence))
            return
        files = [
            discord.File(io.BytesIO(one.data), one.name, spoiler=job.spoiler or one.is_unsafe)
            for one in results
            if one.data is not None
        ]
        facts = [{**one.facts, "name": one.name} for one in results]
        job = replace(job, results=facts)
        ended = await self._end(job, JobState.DONE, cards.done(job, look, results), files)
        if ended and job.party_id is not None:
            await parties.reward(self._bot, job)

    async def _end(
        self,
        job: Job,
        state: JobState,
        embed: discord.Embed,
        files: Sequence[discord.File] = (),
    ) -> bool:
        ended = await self._board.end(job, state, embed, list(files))
        self.watcher.drop(job.id)
        self._streams.drop(job.id)
        return ended

    async def _show(self, job: Job, look: Look) -> float:
        """Show how far a job is; one whose message is gone is withdrawn.

        What is finished or being made of it still comes, to the one who asked.
        """
        try:
            return await self._board.show(job, look)
        except place.Gone:
            log.info("job.withdrawn", job=job.id)
            await self._running.change(job, message_id=None)
            with contextlib.suppress(HordeError):
                await KINDS[job.kind].cancel(self._bot.hordes.own, str(job.request_id))
            return 0.0


def new_job(
    interaction: discord.Interaction, kind: str, wanted: dict[str, object], message_id: int | None
) -> Job:
    """A job for an interaction that was acknowledged. message_id: of its reply."""
    return Job(
        id=0,
        interaction_id=interaction.id,
        kind=kind,
        state=JobState.ASKING,
        request_id=None,
        user_id=interaction.user.id,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id or 0,
        message_id=message_id,
        token=interaction.token,
        token_until=now() + place.TOKEN_LIFE,
        size_limit=interaction.filesize_limit,
        wanted=wanted,
    )
