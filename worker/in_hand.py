"""The jobs in hand: delivers their results to the server, or reports that there will be none.

Every popped job is kept in hand until the server has heard about it, or cannot be told. A failure
of one job does not affect others: nothing here raises unless it is cancelled.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from typing import Final, Generic

import structlog

from core.client import AlreadySubmitted, HordeError, JobGone, Retries
from core.wire.submit import GenerationMetadataStable
from worker.beats import Beats
from worker.escrow import Escrow
from worker.journal import Journal, NoJournal
from worker.kind import B, Batch, Channel, Parcel, R, unexpected
from worker.progress import Display
from worker.renderer import CannotRender
from worker.wanted import Wanted

GIVE_BACK_SECONDS: Final = 5.0
"""How long a worker in a hurry takes to tell the server."""
GIVEN_BACK: Final = "the worker stopped before it was done"
KILLED: Final = "the worker was killed before it was done"
FIRST_LATE_SECONDS: Final = 5.0
MAX_LATE_SECONDS: Final = 60.0
"""From one try to the next, for what could not be told in the first minute."""

_later: Final = Retries().for_results().passing
"""Whether the server may well hear of it later."""

log = structlog.get_logger(__name__)


class InHand(Generic[B, R]):
    """Submits batches, and knows which jobs the server has not heard about.

    journal: where they are kept beside, for a worker that is killed.
    """

    def __init__(
        self,
        channel: Channel[B, R],
        display: Display,
        escrow: Escrow,
        journal: Journal | None = None,
    ) -> None:
        self._channel = channel
        self._display = display
        self._escrow = escrow
        self._journal = journal or NoJournal()
        self._jobs: dict[str, None] = {}
        self._late: dict[str, Parcel | None] = {}
        self._is_late = asyncio.Event()
        self._beats = Beats(channel.tell)
        self._wanted: dict[tuple[str, ...], Wanted] = {}
        self.answered = asyncio.Event()
        """Set whenever the server takes something."""

    def wanted(self, batch: B) -> Wanted:
        """How long this batch is wanted; known from when it was taken."""
        return self._wanted.get(batch.ids) or self._begin(batch)

    def take_batch(self, batch: B) -> None:
        """A batch is in hand from now on."""
        self.take(batch.ids)
        self._begin(batch)

    def take(self, jobs: Iterable[str]) -> None:
        """These jobs are in hand from now on."""
        for job in jobs:
            if job not in self._jobs:
                self._jobs[job] = None
                self._journal.take(self._channel.name, job)

    async def deliver(self, batch: B, result: R) -> None:
        """Submit each job of a finished batch; those that cannot be delivered are faulted."""
        earned, lost, late = 0.0, list[str](), 0
        for index, job in enumerate(batch.ids):
            try:
                parcel = await self._channel.pack(batch, index, result)
                await asyncio.to_thread(self._journal.keep, self._channel.name, parcel)
                reward = await self._sent(parcel, put_off=late > 0)
            except (AlreadySubmitted, JobGone) as error:
                lost.append(str(error))
            except Exception as error:  # noqa: BLE001 - one job's bad luck is no other's
                lost.append(_told(error, batch))
                await self._fault(job, lost[-1], ())
            else:
                earned += reward or 0.0
                late += reward is None
                if reward is None:
                    continue
            self._done(job)
        seconds = time.monotonic() - batch.popped
        outcome = f"{seconds:.1f} s, {self._escrow.told(earned)}"
        if late:
            outcome += f", {late} kept until the server answers"
        if lost:
            outcome += f", {len(lost)} lost: {lost[0]}"
        self._display.settled(batch, earned, len(lost))
        self._end(batch, outcome, is_late=late > 0)

    async def fault(
        self, batch: B, reason: str, notes: Sequence[GenerationMetadataStable] = ()
    ) -> None:
        """Tell the server that a batch failed and why, so that another worker gets it."""
        await self.refuse(batch.ids, reason, notes)
        self._display.settled(batch, 0.0, len(batch.ids))
        self._end(batch, f"faulted: {reason}")

    async def refuse(
        self, jobs: Sequence[str], reason: str, notes: Sequence[GenerationMetadataStable] = ()
    ) -> None:
        """The same for jobs of which only the ids are known."""
        log.warning("job faulted", jobs=list(jobs), reason=reason)
        self.take(jobs)
        for job in jobs:
            await self._fault(job, reason, notes)

    async def drop(self, batch: B, reason: str) -> None:
        """Let go of jobs that are nobody's any more."""
        for job in batch.ids:
            self._done(job)
        self._end(batch, f"left: {reason}")

    async def give_back(self) -> None:
        """Fault everything in hand, in a hurry; what is finished waits for the next start."""
        self._beats.close()
        unfinished = [job for job in self._jobs if job not in self._late]
        try:
            async with asyncio.timeout(GIVE_BACK_SECONDS), asyncio.TaskGroup() as group:
                for job in unfinished:
                    group.create_task(self._fault(job, GIVEN_BACK, ()))
        except TimeoutError:
            log.warning("jobs not given back in time", jobs=unfinished)
        if self._late:
            self._display.say(f"{len(self._late)} jobs are told about at the next start")

    async def keep_trying(self) -> None:
        """Tell the server, until cancelled, what it could not be told before; also by the dead."""
        for left in self._journal.left(self._channel.name):
            self._jobs[left.job] = None
            self._put_off(left.job, left.parcel)
        pause = 0.0
        while True:
            await self._is_late.wait()
            await asyncio.sleep(pause)
            for job, parcel in list(self._late.items()):
                if not await self._told_late(job, parcel):
                    self._late[job] = self._late.pop(job)  # the others first, the next time
                    pause = min(max(FIRST_LATE_SECONDS, pause * 2), MAX_LATE_SECONDS)
                    break
            else:
                pause = FIRST_LATE_SECONDS

    def _begin(self, batch: B) -> Wanted:
        wanted = self._wanted[batch.ids] = Wanted(batch)
        self._beats.begin(batch, wanted)
        return wanted

    def _end(self, batch: B, outcome: str, *, is_late: bool = False) -> None:
        """A batch is not at work any more. is_late: the horde hears of it until it is delivered."""
        if (wanted := self._wanted.pop(batch.ids, None)) is not None:
            wanted.close()
            if not is_late:
                self._beats.end(batch)
        self._display.end(batch, outcome)

    async def _sent(self, parcel: Parcel, *, put_off: bool) -> float | None:
        """Deliver a result; None: it has to wait, because the server does. put_off: at once."""
        if put_off:
            self._put_off(parcel.job, parcel)
            return None
        try:
            reward = await self._channel.send(parcel)
        except (AlreadySubmitted, JobGone):
            raise
        except HordeError as error:
            if not _later(error):
                raise
            log.warning("result kept for later", job=parcel.job, reason=str(error))
            self._put_off(parcel.job, parcel)
            return None
        self.answered.set()
        return reward

    def _put_off(self, job: str, parcel: Parcel | None) -> None:
        self._late[job] = parcel
        self._is_late.set()

    async def _told_late(self, job: str, parcel: Parcel | None) -> bool:
        """Try again to tell the server about a job; whether it is told, or will never be."""
        try:
            if parcel is None:
                await self._channel.fault(job, KILLED, ())
                self._display.say(f"{job[:8]} of an earlier run was given back")
            else:
                earned = await self._channel.send(parcel)
                self._display.say(f"{job[:8]} was delivered late: {self._escrow.told(earned)}")
        except AlreadySubmitted:  # the answer to an earlier try got lost with the process
            self._display.say(f"{job[:8]} had been delivered")
        except Exception as error:  # noqa: BLE001 - one job's bad luck is no other's
            if isinstance(error, HordeError) and _later(error):
                return False
            log.warning("late result lost", job=job, reason=str(error))
        self.answered.set()
        self._late.pop(job, None)
        if not self._late:
            self._is_late.clear()
        self._done(job)
        return True

    async def _fault(
        self, job: str, reason: str, notes: Sequence[GenerationMetadataStable]
    ) -> None:
        """Fault one job; where even that fails, the next start tells it, or the deadline."""
        try:
            await self._channel.fault(job, reason, notes)
        except Exception as error:  # noqa: BLE001 - the other jobs have to be reported all the same
            log.warning("fault not reported", job=job, reason=str(error))
            self._jobs.pop(job, None)
            return
        self._done(job)

    def _done(self, job: str) -> None:
        self._jobs.pop(job, None)
        self._journal.forget(job)


def _told(error: Exception, batch: Batch) -> str:
    """The reason why a result was not delivered."""
    if isinstance(error, HordeError):
        return f"the result could not be delivered: {error}"
    if isinstance(error, CannotRender):
        return error.reason
    log.error("result lost", jobs=batch.ids, model=batch.model, exc_info=error)
    return unexpected(error)
