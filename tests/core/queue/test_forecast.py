from datetime import timedelta

import pytest

import factories
from core.db import now
from core.queue import forecast
from core.queue.forecast import OnlineWorker, Outlook, WaitingCounts
from core.queue.lanes import Lanes
from core.queue.matching import Needs, Offer

A, B = frozenset("a"), frozenset("b")
FOR_A, FOR_B, FOR_ANY = Needs(models=A), Needs(models=B), Needs()
ONLY_A, BOTH = Offer(models=A), Offer(models=A | B)
USUAL = 10.0


@pytest.fixture
def lanes():
    return Lanes(max_lanes=100)


@pytest.fixture
async def queue(session, lanes):
    """Requests in the order of the queue, 100 things a job; the processes know nothing yet."""
    at = now() - timedelta(seconds=60)
    asked = {}
    for place, (name, n, needs) in enumerate(
        [("a1", 2, FOR_A), ("b1", 3, FOR_B), ("any", 1, FOR_ANY), ("a2", 2, FOR_A)]
    ):
        properties = {"n": n, "needs": needs, "at": at + timedelta(seconds=place)}
        asked[name] = await factories.request(session, lanes, **properties)
    return asked


async def look(session, lanes, asked, needs, servers):
    first = await factories.first_waiting(session, asked.request_id)
    return await forecast.outlook(
        session,
        lanes,
        servers,
        needs,
        rank=first.rank,
        job_id=first.id,
        things=first.things,
        usual_speed=USUAL,
    )


@pytest.mark.parametrize(
    ("name", "needs", "servers", "expected"),
    [
        # Nobody: only its own two jobs, at the usual speed.
        ("a2", FOR_A, [], Outlook(possible=False, position=1, seconds=20)),
        (
            "a1",
            FOR_A,
            [OnlineWorker(ONLY_A, 20.0, 1)],
            Outlook(possible=True, position=1, seconds=10),
        ),
        # Ahead: a1 (200 things) and any (100); b1 is for others.
        (
            "a2",
            FOR_A,
            [OnlineWorker(ONLY_A, 20.0, 1)],
            Outlook(possible=True, position=3, seconds=25),
        ),
        # The same worker serves b1 (300) too, with two threads.
        (
            "a2",
            FOR_A,
            [OnlineWorker(BOTH, 20.0, 2)],
            Outlook(possible=True, position=4, seconds=20),
        ),
        # Both together: 800 things at 20 + 20 * 2.
        (
            "a2",
            FOR_A,
            [OnlineWorker(ONLY_A, 20.0, 1), OnlineWorker(BOTH, 20.0, 2)],
            Outlook(possible=True, position=4, seconds=13),
        ),
        # Somebody who cannot serve it does not count.
        (
            "a2",
            FOR_A,
            [OnlineWorker(ONLY_A, 20.0, 1), OnlineWorker(Offer(models=B), 1000.0, 9)],
            Outlook(possible=True, position=3, seconds=25),
        ),
        (
            "b1",
            FOR_B,
            [OnlineWorker(ONLY_A, 20.0, 1)],
            Outlook(possible=False, position=1, seconds=30),
        ),
        (
            "any",
            FOR_ANY,
            [OnlineWorker(BOTH, 60.0, 1)],
            Outlook(possible=True, position=3, seconds=10),
        ),
    ],
)
async def test_position_and_time(session, lanes, queue, name, needs, servers, expected):
    assert await look(session, lanes, queue[name], needs, servers) == expected


async def test_jobs_that_are_worked_on_are_not_ahead(session, lanes, queue):
    for _ in range(2):
        await factories.claimed(session, lanes, ONLY_A)
    seen = await look(session, lanes, queue["a2"], FOR_A, [OnlineWorker(ONLY_A, 20.0, 1)])
    assert seen == Outlook(possible=True, position=2, seconds=15)


async def test_a_process_that_serves_no_pops_sees_the_queue_too(database):
    """Its lanes are as old as its last look, which no pop of its own renews."""
    lanes, other = Lanes(100), Lanes(100)
    async with database.writing() as session:
        ahead = await factories.request(session, lanes, needs=FOR_A)
    async with database.reading() as session:
        await look(session, other, ahead, FOR_A, [OnlineWorker(BOTH, 10.0, 1)])
    async with database.writing() as session:
        behind = await factories.request(session, lanes, needs=FOR_B)
    async with database.reading() as session:
        seen = await look(session, other, behind, FOR_B, [OnlineWorker(BOTH, 10.0, 1)])
    assert seen.position == 2


async def test_what_is_ahead_is_counted_up_to_a_limit(session, lanes, monkeypatch):
    monkeypatch.setattr(forecast, "MAX_COUNTED", 3)
    await factories.request(session, lanes, n=9, priority=9)
    asked = await factories.request(session, lanes)
    seen = await look(session, lanes, asked, FOR_ANY, [OnlineWorker(BOTH, 10.0, 1)])
    assert seen.seconds == 40


# --- what waits, and what keeps it from a worker ---


async def test_waiting_jobs_are_counted_by_lane(session, lanes, queue):
    await factories.claimed(session, lanes, ONLY_A)
    counts = WaitingCounts()
    await counts.refresh(session, lanes)
    by_lane = {asked.lane_id: name for name, asked in queue.items()}
    assert {by_lane[lane]: jobs for lane, jobs in counts.jobs.items()} == {
        "a2": 3,  # a1 and a2 share a lane
        "b1": 3,
        "any": 1,
    }
    assert counts.things[queue["b1"].lane_id] == 300


async def test_counts_are_read_once_a_second(session, lanes, monkeypatch):
    counts = WaitingCounts()
    await counts.refresh(session, lanes)
    await factories.request(session, lanes)
    await counts.refresh(session, lanes)
    assert counts.jobs == {}
    monkeypatch.setattr(forecast, "COUNTS_SECONDS", 0)
    counts.took = 0
    await counts.refresh(session, lanes)
    assert sum(counts.jobs.values()) == 1


async def test_what_was_just_asked_is_counted_at_once(session, lanes):
    counts = WaitingCounts()
    await counts.refresh(session, lanes)
    await factories.request(session, lanes)
    await counts.refresh(session, lanes, fresh=True)
    assert counts.jobs == {}  # nobody said so
    counts.is_stale = True
    await counts.refresh(session, lanes, fresh=True)
    assert sum(counts.jobs.values()) == 1


async def test_words_and_exact_sizes_are_reasons(session, lanes):
    await factories.request(session, lanes, n=2, prompt="a red fox")
    await factories.request(session, lanes, n=3, needs=Needs(pixels=640**2), prompt="a red dog")
    offer = Offer(pixels=300_000, blacklist=frozenset({"red"}))
    assert await factories.claimed(session, lanes, offer) is None
    counts = WaitingCounts()
    await counts.refresh(session, lanes)
    assert counts.skipped(lanes, offer) == {"blacklist": 2, "max_pixels": 3}


async def test_what_is_parked_has_its_reasons(session, lanes):
    for model in ("one", "two"):
        needs = Needs(models=frozenset({model}))
        await factories.request(session, lanes, n=2, needs=needs, is_parked=lambda _needs: True)
    assert await factories.claimed(session, lanes, Offer(models=A)) is None
    counts = WaitingCounts()
    await counts.refresh(session, lanes)
    assert counts.skipped(lanes, Offer(models=A)) == {"models": 4}


async def test_counting_takes_at_most_a_twentieth_of_the_time(session, lanes, monkeypatch):
    monkeypatch.setattr(forecast, "COUNTS_SECONDS", 0)
    counts = WaitingCounts()
    await counts.refresh(session, lanes)
    counts.took = 3600
    await factories.request(session, lanes)
    await counts.refresh(session, lanes)
    assert counts.jobs == {}


async def test_each_reason_counts_the_jobs_that_it_keeps_away(session, lanes):
    await factories.request(session, lanes, n=2, needs=Needs(nsfw=True, models=B))
    await factories.request(session, lanes, n=3, needs=Needs(nsfw=True))
    await factories.request(session, lanes, n=4, needs=Needs(pixels=1000))
    await factories.request(session, lanes, n=5)  # fits
    await factories.request(session, lanes, n=6, kind="text", needs=Needs(kind="text", nsfw=True))
    offer = Offer(nsfw=False, models=A, pixels=100)
    counts = WaitingCounts()
    await counts.refresh(session, lanes)
    assert await factories.claimed(session, lanes, offer) is not None  # lanes are known now
    assert counts.skipped(lanes, offer) == {"nsfw": 5, "models": 2, "max_pixels": 4}
