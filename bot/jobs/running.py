"""The jobs that somebody waits for: in memory, as each is looked at every few seconds.

Each change is stored before it is remembered, so the next process finds what this one knew.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.store import jobs
from bot.store.database import Database
from bot.store.jobs import Job


class Running:
    """Jobs that have not ended."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._jobs: dict[int, Job] = {}

    def __contains__(self, job_id: int) -> bool:
        return job_id in self._jobs

    def get(self, job_id: int) -> Job | None:
        """A job as it is now; None once it has ended."""
        return self._jobs.get(job_id)

    async def load(self) -> Sequence[Job]:
        """Read what an earlier process left."""
        async with self._database.transaction() as connection:
            left = await jobs.unfinished(connection)
        self._jobs |= {job.id: job for job in left}
        return left

    async def add(self, job: Job) -> Job | None:
        """Store a new job. Returns it with its id, or None if its interaction has one already."""
        async with self._database.transaction() as connection:
            number = await jobs.add(connection, job)
        if number is None:
            return None
        self._jobs[number] = replace(job, id=number)
        return self._jobs[number]

    async def change(self, job: Job, **values: Any) -> Job:  # noqa: ANN401 - of any column
        """Change columns of a job. Returns it as it is then."""
        async with self._database.transaction() as connection:
            await jobs.change(connection, job.id, **values)
        changed = replace(self._jobs.get(job.id, job), **values)
        if changed.state in jobs.OPEN:
            self._jobs[job.id] = changed
        else:
            self._jobs.pop(job.id, None)
        return changed
