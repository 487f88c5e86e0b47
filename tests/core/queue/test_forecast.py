from datetime import timedelta
from uuid import UUID

import pytest

import factories
from core.db import now
from core.queue import forecast, waiting
from core.queue.crews import Crews, OnlineWorker
from core.queue.forecast import Jobs, Outlook, Place
from core.queue.lanes import Lanes
from core.queue.matching import Needs, Offer
from core.queue.pace import Pace
from core.queue.rows import RunningAttempt
from core.queue.waiting import WaitingCounts

A, B = frozenset("a"), frozenset("b")
FOR_A, FOR_B, FOR_ANY = Needs(models=A), Needs(models=B), Needs()
ONLY_A, BOTH = Offer(models=A), Offer(models=A | B)


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


def worker(offer, speed, threads=1, fixed=0.0):
    return OnlineWorker(offer, speed, threads, Pace(fixed, 1 / speed))


async def look(session, lanes, asked, needs, servers, *, n=1, counts=None):
    first = await factories.first_waiting(session, asked.request_id)
    await lanes.update(session)
    crews = Crews(servers)
    own = [Jobs(crews.roster.able(needs), needs.models, n, first.things)]
    place = Place(first.rank, first.id)
    counts = counts or WaitingCounts()
    return await forecast.outlook(session, lanes, crews, needs.kind, own, place, counts, at=now())


@pytest.mark.parametrize(
    ("name", "needs", "servers", "position", "seconds"),
    [
        ("a1", FOR_A, [worker(ONLY_A, 20.0)], 1, 10),
        # Ahead: a1 (200 things) and any (100); b1 is for others.
        ("a2", FOR_A, [worker(ONLY_A, 20.0)], 3, 25),
        # Each job takes a second besides.
        ("a2", FOR_A, [worker(ONLY_A, 20.0, fixed=1.0)], 3, 30),
        # The same worker serves b1 (300) too; 8 jobs of 5 s for two threads, the last not shared.
        ("a2", FOR_A, [worker(BOTH, 20.0, 2)], 4, 21),
        # b1 is for the second alone, what is for both makes up for it.
        ("a2", FOR_A, [worker(ONLY_A, 20.0), worker(BOTH, 20.0, 2)], 4, 15),
        # Somebody who cannot serve it does not count …
        ("a2", FOR_A, [worker(ONLY_A, 20.0), worker(Offer("text", models=A), 1e3, 9)], 3, 25),
        # … but takes what is ahead: any (100), here.
        ("a2", FOR_A, [worker(ONLY_A, 20.0), worker(Offer(models=B), 1e9, 9)], 3, 20),
        ("any", FOR_ANY, [worker(BOTH, 60.0)], 3, 10),
    ],
)
async def test_position_and_time(session, lanes, queue, name, needs, servers, position, seconds):
    n = {"any": 1}.get(name, 2)
    seen = await look(session, lanes, queue[name], needs, servers, n=n)
    assert seen == Outlook(possible=True, position=position, seconds=seconds)


@pytest.mark.parametrize("servers", [[], [worker(ONLY_A, 20.0)]])
async def test_what_nobody_can_serve_has_no_time(session, lanes, queue, servers):
    seen = await look(session, lanes, queue["b1"], FOR_B, servers)
    assert seen == Outlook(possible=False, position=1, seconds=0)


async def test_a_worker_that_is_idle_takes_a_small_job_past_large_ones(session, lanes):
    """The large ones are for the other alone, however many wait."""
    await factories.request(session, lanes, n=30, things=1000, needs=Needs(pixels=1000))
    asked = await factories.request(session, lanes, things=10, needs=Needs(pixels=10))
    servers = [worker(Offer(), 10.0), worker(Offer(pixels=100), 10.0)]
    seen = await look(session, lanes, asked, Needs(pixels=10), servers)
    assert (seen.position, seen.seconds) == (2, 1)


@pytest.mark.parametrize(
    ("threads", "others", "seconds"),
    [
        (1, 0, 102),
        (1, 1, 2),
        (2, 0, 2),
        (1, 3, 2),
    ],
)
def test_nobody_waits_for_what_one_is_at_while_another_is_free(threads, others, seconds):
    at = now()
    workers = [
        worker(Offer(worker_id=str(UUID(int=number))), 10.0, threads if number == 0 else 1)
        for number in range(1 + others)
    ]
    job = {"worker_id": UUID(int=0), "request_id": UUID(int=0), "kind": "image", "model": "a"}
    running = [RunningAttempt(**job, things=1000, started_at=at)]
    crews = Crews(workers, running, at=at)
    own = [Jobs((1 << len(workers)) - 1, frozenset(), 1, 20)]
    assert round(forecast.wait(crews, "image", [], own, at)) == seconds


async def test_what_a_worker_is_at_comes_first(session, lanes):
    asked = await factories.request(session, lanes)
    offer, at = Offer(worker_id=str(UUID(int=1))), now()
    running = [
        RunningAttempt(
            worker_id=UUID(int=1),
            request_id=UUID(int=number),
            kind="image",
            model="a",
            things=100,
            started_at=at - timedelta(seconds=4 - number),
        )
        for number in range(2)
    ]
    await lanes.update(session)
    first = await factories.first_waiting(session, asked.request_id)
    crews = Crews([worker(offer, 10.0)], running, at=at)
    own = [Jobs(crews.roster.able(FOR_ANY), frozenset(), 1, 100)]
    seen = await forecast.outlook(
        session, lanes, crews, "image", own, Place(*first[:2]), WaitingCounts(), at=at
    )
    # The one that it is at takes 6 s more, another has been taken ahead, then comes ours.
    assert seen.seconds == 6 + 10 + 10
    assert crews.left_of(UUID(int=0), at) == (1, pytest.approx(6))
    assert crews.left_of(UUID(int=1), at) == (1, pytest.approx(16))
    later = at + timedelta(seconds=2)
    assert crews.left_of(UUID(int=1), later) == (1, pytest.approx(14))
    assert crews.busy(1, later) == pytest.approx(14)


async def test_jobs_that_are_worked_on_are_not_ahead(session, lanes, queue):
    for _ in range(2):
        await factories.claimed(session, lanes, ONLY_A)
    seen = await look(session, lanes, queue["a2"], FOR_A, [worker(ONLY_A, 20.0)], n=2)
    assert seen == Outlook(possible=True, position=2, seconds=15)


async def test_a_process_that_serves_no_pops_sees_the_queue_too(database):
    """Its lanes are as old as its last look, which no pop of its own renews."""
    lanes, other = Lanes(100), Lanes(100)
    async with database.writing() as session:
        ahead = await factories.request(session, lanes, needs=FOR_A)
    async with database.reading() as session:
        await look(session, other, ahead, FOR_A, [worker(BOTH, 10.0)])
    async with database.writing() as session:
        behind = await factories.request(session, lanes, needs=FOR_B)
    async with database.reading() as session:
        seen = await look(session, other, behind, FOR_B, [worker(BOTH, 10.0)])
    assert seen.position == 2


@pytest.mark.parametrize(
    ("behind", "seconds"),
    [
        (0, 100),
        (1, 100),
        (9, 100),  # more than are counted: half of all 19 that wait
    ],
)
async def test_what_is_ahead_is_counted_up_to_a_limit_and_then_guessed(
    session, lanes, monkeypatch, behind, seconds
):
    monkeypatch.setattr(forecast, "MAX_COUNTED", 3)
    await factories.request(session, lanes, n=9, priority=9)
    asked = await factories.request(session, lanes)
    if behind:
        await factories.request(session, lanes, n=behind, priority=-9)
    seen = await look(session, lanes, asked, FOR_ANY, [worker(BOTH, 10.0)])
    assert seen.seconds == pytest.approx(seconds, rel=0.1)


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
    monkeypatch.setattr(waiting, "COUNTS_SECONDS", 0)
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
    monkeypatch.setattr(waiting, "COUNTS_SECONDS", 0)
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
