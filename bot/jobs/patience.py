"""Asks the horde, again where it says that it is busy: nothing was queued then."""

import asyncio
from typing import TYPE_CHECKING, Final

from bot.jobs.kinds import KINDS, Sources
from bot.store.jobs import Job
from bot.wanted import Wanted
from core.client import HordeClient, TooMany

if TYPE_CHECKING:
    from bot.app import HordeBot

MAX_SECONDS: Final = 10.0
"""If the horde asks to wait for longer, the request is refused."""
MAX_TRIES: Final = 4


async def ask(bot: "HordeBot", horde: HordeClient, job: Job, sources: Sources) -> str:
    """Queue a job's request; returns the request's id. Raises HordeError."""
    wanted = Wanted.model_validate(job.wanted)
    for left in range(MAX_TRIES - 1, -1, -1):
        try:
            return await KINDS[job.kind].ask(horde, wanted, sources, bot.settings.models)
        except TooMany as error:
            seconds = error.retry_after_seconds or 1.0
            # Only a limit on calls passes soon; whoever has too much in the queue is told so.
            if not left or seconds > MAX_SECONDS or error.retry_after_seconds is None:
                raise
            await asyncio.sleep(seconds)
    raise AssertionError("the last try returns or raises")
