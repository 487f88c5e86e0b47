"""The search for one worker's best job: which statement is run, and how far it looks.

On PostgreSQL two obvious statements send workers away while a job fits (seen in races): locking one
of the lanes' *heads* with SKIP LOCKED comes back empty with one deep lane, choosing the best *lane*
first does with many lanes of one job. So the candidates are the first 8 jobs of each of the 32
lanes with the best heads, and the best of those that is not locked is taken; if all are locked (a
few batches in flight do that), the reach is widened. On SQLite writers take turns: the best head is
enough. A worker that may serve many lanes need mostly not look into them: its best job is among the
first of the whole queue.

What is locked may yet be left: of two batches that begin within each other, both leave what does
not follow on, and any claim may be rolled back. So a search that met such jobs and took none says
that it is inconclusive, and is repeated in a transaction that sees how the others ended.

If lanes leave doubt (a blacklist, a size within a class), the statement looks at each job's exact
needs. Only jobs in the catch-all, and those of the worker's own users, are looked at here, in
windows by keyset, to the last.
"""

from dataclasses import replace
from datetime import datetime
from itertools import chain, repeat
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, RowMapping, Select

from core.db import Writing
from core.queue import best, matching, parking, windows
from core.queue.lanes import Lanes, Matched
from core.queue.matching import Needs, Offer
from core.queue.rows import Claimed

FEW_LANES = 8
"""So many are looked into at once; with more, the front of the whole queue comes first."""
FRONT = 64
"""Jobs of the whole queue that are looked at then: most often one of them fits."""
REACH = ((32, 8), (128, 64), (2000, 1000))
"""How many lanes, and heads of each, are candidates at the first, second, third try."""
WINDOW_SIZES = (10, 50, 250)
"""How many jobs are looked at one by one: few at first, as most often one of them fits."""
NOBODY = UUID(int=0)


class Seeking:
    """The search for one worker's best job."""

    def __init__(self, session: Writing, offer: Offer, at: datetime, retry: datetime) -> None:
        """retry: jobs at which the worker failed since then are kept from it."""
        self.session, self.at = session, at
        self.inconclusive = False
        """Whether jobs that fit are locked by others, who may yet leave them."""
        self._offer, self._engine, self._matched = offer, session.engine, Matched()
        worker = UUID(offer.worker_id) if offer.worker_id else NOBODY
        self._place = {"worker": worker, "retry": retry, "at": at}

    async def look_into(self, lanes: Lanes, parked: int) -> None:
        """Seek in these lanes, too; first let jobs leave the parked lane if a look there is due.

        parked: how many parkings there were.
        """
        self._matched = lanes.matching(self._offer)
        after = lanes.looks.due(self._offer, parked)
        if after is None:
            return
        released = await parking.release(self.session, lanes, self._offer, after=after)
        self._matched = await lanes.matching_with(self.session, self._offer, released.lanes)
        if released.is_all:
            last, moved = released.last, bool(released.lanes)
            lanes.looks.looked(self._offer, parked, after=after, last=last, moved=moved)
        else:
            self.inconclusive = True

    async def head(self, *, own: bool, only_own: bool) -> Claimed | None:
        """Take the first job of the claim: of the worker's own users, else of the lanes."""
        if own:
            generous = replace(self._offer, only_covered=False)
            theirs = {"users": sorted(self._offer.users)}
            if head := await self._look_through(generous, windows.OF_USERS, theirs):
                return head
        return None if only_own else await self._of_lanes()

    async def _of_lanes(self) -> Claimed | None:
        matched = self._matched
        if matched.catch_all is not None:
            among = {"lane": matched.catch_all, "before": await self.head_of_lanes()}
            taken = await self._look_through(self._offer, windows.OF_LANE, among)
            if taken is not None:
                return taken
        ids = matched.certain + matched.doubtful
        return await self._best(ids, in_doubt=bool(matched.doubtful)) if ids else None

    async def _best(self, ids: tuple[int, ...], *, in_doubt: bool) -> Claimed | None:
        """Take the best job of these lanes that fits."""
        place = self._lanes_place(ids, in_doubt=in_doubt)
        take = best.TAKES[self._engine, in_doubt]
        if len(ids) > FEW_LANES:
            of_front = best.TAKES_OF_FRONT[self._engine, in_doubt]
            first = place | {"front": FRONT}
            if (taken := await self._take(of_front, first)) is not None:
                return taken
        if self._engine == "sqlite":
            return await self._take(take, place)
        for max_lanes, heads in REACH:
            reach = place | {"best": max_lanes, "heads": heads}
            *job, any_fits = (await self.session.execute(take, reach)).one()
            if job[0] is not None:
                return Claimed(*job)
            if not any_fits:
                return None
        self.inconclusive = True
        return None

    async def _take(self, taking: Executable, place: dict[str, Any]) -> Claimed | None:
        row = (await self.session.execute(taking, place)).first()
        return None if row is None else Claimed(*row)

    async def head_of_lanes(self) -> int | None:
        """The id of the job that would be taken from the lanes, without the catch-all."""
        matched = self._matched
        ids = matched.certain + matched.doubtful
        place = self._lanes_place(ids, in_doubt=True)
        of_front = best.FRONTS[self._engine, True]
        found: int | None = await self.session.scalar(of_front, place | {"front": FRONT})
        if found is None:
            place |= {"best": 1, "heads": 1}
            found = await self.session.scalar(best.HEADS[self._engine, True], place)
        return found

    def _lanes_place(self, ids: tuple[int, ...], *, in_doubt: bool) -> dict[str, Any]:
        place = self._place | {"lanes": best.lanes_for(self._engine, ids)}
        return place | best.fits_for(self._engine, self._offer) if in_doubt else place

    async def _look_through(
        self, offer: Offer, statement: Select[Any], among: dict[str, Any]
    ) -> Claimed | None:
        """Take the best job whose exact needs fit, looking at them in windows by keyset.

        statement: one of `windows`. among: its parameters that select the jobs.
        """
        after = windows.FIRST
        for size in chain(WINDOW_SIZES, repeat(WINDOW_SIZES[-1])):
            place = {"size": size, **after, **among, **self._place}
            rows = (await self.session.execute(statement, place)).mappings().all()
            fitting = [
                row["id"]
                for row in rows
                if row["expires_at"] > self.at and matching.accepts(_exact(row), offer)
            ]
            if fitting:
                taken = await self._take(windows.TAKE_ONE_OF, {"ids": fitting})
                if taken is not None:
                    return taken
                self.inconclusive = True
            if len(rows) < size:
                return None
            after = {"rank": rows[-1]["rank"], "job": rows[-1]["id"]}
        return None


def _exact(row: RowMapping) -> Needs:
    return replace(Needs.from_json(row["needs"]).of_job(row["feature"]), words=row["words"])
