"""No worker is sent away while a job fits, and each gets the best: any queue, any offer."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

import factories
from core.db import Database, now, table
from core.queue import matching
from core.queue.lanes import Lanes
from core.queue.matching import Needs, Offer
from core.queue.tables import Job, JobState, RequestRow

WORKERS = tuple(f"00000000-0000-0000-0000-00000000000{n}" for n in range(3))
NOUNS = ("fox", "dog", "Éléphant")

few_models = st.frozensets(st.sampled_from("abc"), max_size=2)
sizes = st.sampled_from([0, 1, 8, 9, 12, 15, 16, 17, 33])
needs = st.builds(
    Needs,
    kind=st.sampled_from(["image", "image", "text"]),
    models=few_models,
    nsfw=st.booleans(),
    workers=st.frozensets(st.sampled_from(WORKERS), max_size=1),
    avoid=st.booleans(),
    pixels=sizes,
    steps=st.sampled_from([0, 30, 50]),
    length=sizes,
)
waiting = st.tuples(
    needs,
    st.sampled_from(NOUNS),
    st.integers(1, 60) | st.sampled_from([1, 1, 250, 800]),  # jobs
    st.integers(0, 3),  # priority
    st.booleans(),  # nobody was there who could serve it
)
offers = st.builds(
    Offer,
    kind=st.sampled_from(["image", "image", "text"]),
    worker_id=st.sampled_from(WORKERS),
    models=few_models,
    nsfw=st.booleans(),
    pixels=sizes | st.just(matching.UNLIMITED),
    steps=st.sampled_from([29, 30, 40, matching.UNLIMITED]),
    length=sizes | st.just(matching.UNLIMITED),
    blacklist=st.frozensets(st.sampled_from([noun.lower() for noun in NOUNS]), max_size=2),
)


@pytest.fixture(scope="module")
def runner():
    with asyncio.Runner() as runner:
        yield runner


async def queue(session, lanes, wanted):
    """Let all of it wait."""
    at = now()
    for its, noun, jobs, priority, is_parked in wanted:
        await factories.request(
            session,
            lanes,
            kind=its.kind,
            needs=its,
            n=jobs,
            priority=priority,
            prompt=f"a {noun}",
            at=at,
            is_parked=lambda _needs, parked=is_parked: parked,
        )


async def best_of(session, offer):
    """The id of the best job that fits, by comparing the offer with each; and how many wait."""
    jobs, requests = table(Job), table(RequestRow)
    rows = await session.execute(
        select(jobs.c.id, requests.c.needs, requests.c.prompt)
        .join(requests, requests.c.id == jobs.c.request_id)
        .where(jobs.c.state == JobState.WAITING)
        .order_by(jobs.c.rank, jobs.c.id)
    )
    rows = rows.all()
    for row in rows:
        exact = replace(Needs.from_json(row.needs), words=row.prompt.lower())
        if matching.accepts(exact, offer):
            return row.id, len(rows)
    return None, len(rows)


async def serve(url, max_lanes, wanted, arriving, seen):
    """Let the workers pop one after another, and see that each gets its best job."""
    database = Database(url)
    try:
        async with factories.undone(database) as session:
            lanes = Lanes(max_lanes)
            await queue(session, lanes, wanted)
            for offer in arriving:
                expected, depth = await best_of(session, offer)
                found = await factories.claimed(session, lanes, offer)
                assert (found.jobs[0].id if found else None) == expected
                seen["served" if found else "sent away"] += 1
                seen["deep"] += found is not None and depth > 200
    finally:
        await database.close()


@pytest.mark.timeout(600)  # a failure is shrunk, which takes minutes on real databases
def test_each_worker_gets_the_best_job_that_fits(database_url, runner):
    seen = Counter()

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.sampled_from([1, 3, 2000]),
        st.lists(waiting, min_size=1, max_size=12),
        st.lists(offers, min_size=1, max_size=8),
    )
    def check(max_lanes, wanted, arriving):
        runner.run(serve(database_url, max_lanes, wanted, arriving, seen))

    check()
    assert min(seen["served"], seen["sent away"], seen["deep"]) > 5


@pytest.mark.parametrize("hidden", [199, 200, 3000])
@pytest.mark.parametrize(
    ("unfit", "offer"),
    [
        ({"needs": Needs(pixels=1024**2)}, Offer(pixels=768**2)),
        ({"needs": Needs(kind="image", steps=50)}, Offer(steps=30)),
        ({"prompt": "a red fox"}, Offer(blacklist=frozenset({"red"}))),
    ],
)
async def test_what_does_not_fit_hides_nothing(session, hidden, unfit, offer):
    lanes = Lanes(max_lanes=2000)
    for _ in range(3):
        await factories.request(session, lanes, n=hidden // 3 + 1, priority=9, **unfit)
    fits = await factories.request(session, lanes, needs=Needs(pixels=512**2), prompt="a dog")
    found = await factories.claimed(session, lanes, offer)
    assert found.request.id == fits.request_id


async def test_junk_in_the_catch_all_hides_nothing(session):
    lanes = Lanes(max_lanes=1)
    await factories.request(session, lanes, needs=Needs(nsfw=True))
    for n in range(20):
        await factories.request(session, lanes, n=20, needs=Needs(models=frozenset({f"junk {n}"})))
    fits = await factories.request(session, lanes, needs=Needs(pixels=100))
    found = await factories.claimed(session, lanes, Offer(nsfw=False))
    assert found.request.id == fits.request_id
