"""Takes jobs to the horde and brings back what came of them, whatever happens in between.

A job is stored before the horde is asked, and each step is stored before the next: a bot that
starts again goes on with what it finds. Bringing the results is an edit that may be repeated.
"""

import contextlib
import io
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Final

import discord
import structlog

from bot import attachments, parties
from bot.jobs import cards, place
from bot.jobs.kinds import KINDS, Sources
from bot.jobs.looks import Look, Result
from bot.jobs.watcher import MAX_SECONDS, Watcher, pause
from bot.refusals import Refused, cut, of_horde, plain
from bot.store import jobs
from bot.store.database import now
from bot.store.jobs import Job, JobState
from bot.wanted import Wanted
from core.client import HordeError, NotFound

if TYPE_CHECKING:
    from bot.app import HordeBot

SOURCE: Final = "source"
"""The file of the picture that others were made from."""
EDIT_SECONDS: Final = 3.0
"""The least time between two edits of one message."""
RENEW_SECONDS: Final = 300.0
"""A message is edited after this time even if it says the same: it may be gone."""
RESERVE_BYTES: Final = 64 * 1024
"""Of what Discord takes: for the rest of the message."""

log = structlog.get_logger(__name__)


@dataclass
class _Shown:
    """What a message says, and since when."""

    text: str = ""
    at: float = 0.0
    ready_at: float | None = None


class Desk:
    """All jobs of the bot."""

    def __init__(self, bot: "HordeBot") -> None:
        self._bot = bot
        self._shown: dict[int, _Shown] = {}
        self.watcher: Final = Watcher(self._check)

    async def resume(self) -> None:
        """Go on with the jobs that an earlier process left."""
        async with self._bot.database.transaction() as connection:
            left = await jobs.unfinished(connection)
        for job in left:
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

    async def take(
        self, job: Job, sources: Sources, source: bytes | None = None, key: str | None = None
    ) -> None:
        """Ask the horde for an acknowledged job; its reply is the job's message.

        source: the picture it starts from, which the message shows.
        key: another one than the user's own, which pays.
        Raises Refused, after which nothing of the job is left.
        """
        async with self._bot.database.transaction() as connection:
            number = await jobs.add(connection, job)
        if number is None:
            return  # Discord told of it twice
        job = replace(job, id=number)
        try:
            request_id = await self._asked(job, sources, key)
        except HordeError as error:
            await self._note(job, state=JobState.FAILED)
            raise Refused(of_horde(error)) from error
        job = replace(job, state=JobState.RUNNING, request_id=request_id)
        await self._note(job, state=JobState.RUNNING, request_id=request_id)
        log.info("job.asked", job=job.id, kind=job.kind, request=request_id, user=job.user_id)
        if source is not None and len(source) <= job.size_limit // 2:
            await self._keep(job, source)
        self.watcher.add(job.id)

    async def cancel(self, job: Job) -> None:
        """Withdraw a job; what is finished stays and is shown."""
        if job.request_id is not None:
            with contextlib.suppress(NotFound):
                await KINDS[job.kind].cancel(self._bot.hordes.own, job.request_id)
        current = await self._get(job.id)
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
        job = await self._get(job_id)
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
        shown = self._shown.setdefault(job.id, _Shown())
        shown.ready_at = cards.guess(look, shown.ready_at)
        later = await self._show(job, cards.running(job, look, shown.ready_at))
        return later or pause(look.seconds)

    async def _bring(self, job: Job, look: Look) -> None:
        """Show what a request came to."""
        room = job.size_limit - RESERVE_BYTES
        horde = self._bot.hordes.own
        results = await KINDS[job.kind].results(horde, str(job.request_id), room)
        results = fitting(results, room)
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
        kept = [
            discord.Attachment(data=data, state=self._bot._connection)  # noqa: SLF001 - no other way
            for data in job.wanted.get("source_file", [])
        ]
        facts = [{**one.facts, "name": one.name} for one in results]
        job = replace(job, results=facts)
        embed = cards.done(job, look, results)
        await self._end(job, JobState.DONE, embed, [*files, *kept])
        if job.party_id is not None:
            await parties.reward(self._bot, job)

    async def _end(
        self,
        job: Job,
        state: JobState,
        embed: discord.Embed,
        files: list[discord.File | discord.Attachment] | None = None,
    ) -> None:
        """Show a job's end, then store it: a crash in between only repeats the edit."""
        view = self._bot.buttons.after(job, state)
        try:
            await place.edit(
                self._bot, job, content=None, embed=embed, attachments=files or [], view=view
            )
        except place.Gone:
            log.info("job.message_gone", job=job.id)
            await self._tell_elsewhere(job, state, files)
        await self._note(job, state=state, results=job.results)
        self._shown.pop(job.id, None)
        self.watcher.drop(job.id)
        log.info("job.ended", job=job.id, state=state.value)

    async def _tell_elsewhere(
        self, job: Job, state: JobState, files: list[discord.File | discord.Attachment] | None
    ) -> None:
        """Bring finished results to their owner where the message is gone."""
        if state != JobState.DONE:
            return
        place.rewound({"attachments": files or []})
        new = [file for file in files or [] if isinstance(file, discord.File)]
        with contextlib.suppress(discord.HTTPException):
            user = await self._bot.fetch_user(job.user_id)
            text = "The message you waited at is gone; here is what came of it."
            await user.send(text, files=new, allowed_mentions=place.QUIET)

    async def _show(self, job: Job, embed: discord.Embed) -> float:
        """Edit a running job's message, if it would say something else, no faster than it may.

        Returns in how many seconds it may be edited, 0 if it is as it should be.
        """
        shown = self._shown.setdefault(job.id, _Shown())
        text = embed.description or ""
        if job.message_id is None or (
            text == shown.text and monotonic() - shown.at < RENEW_SECONDS
        ):
            return 0.0
        if (left := shown.at + EDIT_SECONDS - monotonic()) > 0:
            return left
        shown.text, shown.at = text, monotonic()
        try:
            view = self._bot.buttons.during(job)
            await place.edit(self._bot, job, content=None, embed=embed, view=view)
        except place.Gone:
            # What is finished or being made still comes, to the one who asked.
            log.info("job.withdrawn", job=job.id)
            await self._note(job, message_id=None)
            with contextlib.suppress(HordeError):
                await KINDS[job.kind].cancel(self._bot.hordes.own, str(job.request_id))
        except discord.HTTPException as error:
            log.warning("job.not_shown", job=job.id, status=error.status, code=error.code)
        return 0.0

    async def _keep(self, job: Job, source: bytes) -> None:
        """Put a job's source at its message, where its buttons find it again."""
        file = discord.File(io.BytesIO(source), SOURCE + attachments.suffix(source))
        try:
            view = self._bot.buttons.during(job)
            message = await place.edit(
                self._bot, job, embed=cards.asked(job, file.filename), attachments=[file], view=view
            )
        except (place.Gone, discord.HTTPException) as error:
            log.info("job.source_not_kept", job=job.id, error=type(error).__name__)
            return
        kept = [one.to_dict() for one in message.attachments]
        await self._note(job, wanted={**job.wanted, "source_file": kept})

    async def _get(self, job_id: int) -> Job | None:
        async with self._bot.database.transaction() as connection:
            return await jobs.get(connection, job_id)

    async def _note(self, job: Job, **values: object) -> None:
        async with self._bot.database.transaction() as connection:
            await jobs.change(connection, job.id, **values)


def fitting(results: list[Result], room: int) -> list[Result]:
    """Turn files that do not fit into one message into links, in order."""
    kept = []
    for one in results:
        size = len(one.data or b"")
        if size > room:
            kept.append(replace(one, data=None))
            continue
        room -= size
        kept.append(one)
    return kept


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
