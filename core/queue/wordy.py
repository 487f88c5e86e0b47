"""Jobs whose prompts hold words that workers refuse wait apart, so that those workers skip them.

A lane says nothing of its jobs' prompts, so that a worker with a blacklist has each of them looked
at until one fits. Where many in front hold a word that some worker online refuses, they are moved
here to a lane with the same needs that says so: `Needs.contains`. Such a worker then passes over
the whole lane; for all others it is a lane like any other. Nothing is remembered but in the lanes'
own rows, and a claim asks no less of a job than before: what is not moved yet is only slower.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Integer, Select, String, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from core.db import Writing, table
from core.queue import best, moving
from core.queue.lane_rows import CONTAINS, HeldLane
from core.queue.lanes import Lanes
from core.queue.matching import Offer
from core.queue.rows import WaitingJob
from core.queue.tables import WAITING, Job, Lane, RequestRow

FEW = 256
"""So many jobs in doubt are looked at one by one as fast as lanes are looked through."""
WORTH = 8
"""So many jobs of a lane, in its front, are worth a lane of their own."""
FRONT = 500
"""Of each lane, the jobs that are looked at in one turn."""
MAX_LANES = 32
"""Looked at in one turn."""
SETTLED = timedelta(seconds=2)
"""So old is a lane before jobs are moved there: every claim that looks for them knows of it."""
MAX_OFFERS = 200
MAX_WORDS = 200
"""Of the workers online, the words that most of them refuse."""
MAX_CONTAINED = 4
"""Words that a lane says of its jobs: so many times is a job moved, whatever workers refuse."""

_jobs = table(Job)
_requests = table(RequestRow)
_lanes = table(Lane)


async def sort(
    session: Writing,
    lanes: Lanes,
    offers: Iterable[Offer],
    waiting: Mapping[int, int],
    *,
    at: datetime,
) -> bool:
    """Move jobs out of the way of workers that offer this: a batch, of some lanes.

    waiting: how many jobs wait in which lane, as last counted.
    Returns whether there was something to do, so that there may be more.
    """
    words_of = _doubts(lanes, offers, waiting)
    some = random.sample(sorted(words_of), min(MAX_LANES, len(words_of)))
    found: dict[int, _Found] = {}
    for lane_id in some:  # all lanes before any job: for a lane others may be waited for
        words = [word for word, _ in words_of[lane_id].most_common(MAX_WORDS)]
        found[lane_id] = await _look(session, lanes, lane_id, words, at)
    moved = 0
    for lane_id, its in found.items():
        if its.into and moved < FRONT:
            moved += (await moving.move(session, lane_id, its.into)).total()
    return moved > 0 or any(its.is_lane_new for its in found.values())


def _doubts(
    lanes: Lanes, offers: Iterable[Offer], waiting: Mapping[int, int]
) -> dict[int, Counter[str]]:
    """The lanes that too many jobs wait in for offers that refuse words, and these words."""
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for offer in offers:
        doubtful = [
            lane for lane in lanes.matching(offer).doubtful if waiting.get(lane, 0) >= WORTH
        ]
        if offer.blacklist and sum(waiting.get(lane, 0) for lane in doubtful) > FEW:
            for lane in doubtful:
                found[lane].update(offer.blacklist)
    return found


class _Found(NamedTuple):
    """The jobs in the front of a lane that are worth moving, and the lanes where they belong."""

    into: Mapping[int, Sequence[WaitingJob]]
    is_lane_new: bool


async def _look(
    session: Writing, lanes: Lanes, lane_id: int, words: Sequence[str], at: datetime
) -> _Found:
    engine = session.engine
    front = {"lane": lane_id, "size": FRONT, "words": best.many(engine, words)}
    by_word: dict[str, list[WaitingJob]] = defaultdict(list)
    for row in await session.execute(_FRONTS[engine], front):
        if row.word is not None:
            by_word[row.word].append(WaitingJob(id=row.id, request_id=row.request_id))
    left, into, is_lane_new = sum(map(len, by_word.values())), dict[int, list[WaitingJob]](), False
    for word, jobs in sorted(by_word.items(), key=lambda pair: -len(pair[1])):
        if left < WORTH:
            break
        lane = await _lane_with(session, lanes, lane_id, word)
        if lane is None:
            break
        if lane.created_at <= at - SETTLED:
            into[lane.id] = jobs
        is_lane_new |= lane.created_at >= at
        left -= len(jobs)
    return _Found(into, is_lane_new)


async def _lane_with(session: Writing, lanes: Lanes, lane_id: int, word: str) -> HeldLane | None:
    """The lane for those of this lane's jobs that contain the word; None: there is no room."""
    document = await session.scalar(_DOCUMENT, {"id": lane_id})
    if document is None or len(contained := document.get(CONTAINS, [])) >= MAX_CONTAINED:
        return None
    return await lanes.apart(session, {**document, CONTAINS: sorted([*contained, word])})


_DOCUMENT = select(_lanes.c.needs).where(_lanes.c.id == bindparam("id"))


def _front(word: Select[tuple[str]]) -> Select[Any]:
    """The first jobs of the lane, each with the first of the words that its prompt contains."""
    first = (
        select(_jobs.c.id, _jobs.c.request_id)
        .where(_jobs.c.lane_id == bindparam("lane"), _jobs.c.state == WAITING)
        .order_by(_jobs.c.rank, _jobs.c.id)
        .limit(bindparam("size", type_=Integer, literal_execute=True))
        .cte("first")
    )
    return select(
        first.c.id, first.c.request_id, word.limit(1).scalar_subquery().label("word")
    ).join(_requests, _requests.c.id == first.c.request_id)


def _front_sqlite() -> Select[Any]:
    words = func.json_each(bindparam("words", type_=String)).table_valued("key", "value", name="w")
    contained = func.instr(_requests.c.words, words.c.value) > 0
    return _front(select(words.c.value).where(contained).order_by(words.c.key))


def _front_postgresql() -> Select[Any]:
    words = (
        func.unnest(bindparam("words", type_=ARRAY(String)))
        .table_valued("value", with_ordinality="key", name="w")
        .render_derived()
    )
    contained = func.strpos(_requests.c.words, words.c.value) > 0
    return _front(select(words.c.value).where(contained).order_by(words.c.key))


_FRONTS = {"sqlite": _front_sqlite(), "postgresql": _front_postgresql()}
