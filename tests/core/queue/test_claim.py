from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

import factories
from core.db import now, table
from core.queue import claim, endings
from core.queue.lanes import MAX_EXACT_LANES_OF_CALLER, Lanes
from core.queue.matching import Needs, Offer
from core.queue.tables import Job, JobState, RequestRow

W, P, D, C, X = (
    JobState.WAITING,
    JobState.PROCESSING,
    JobState.DONE,
    JobState.CANCELLED,
    JobState.EXPIRED,
)
SD = frozenset({"stable_diffusion"})
A, B = (f"00000000-0000-0000-0000-00000000000{n}" for n in range(2))


@pytest.fixture
def lanes():
    return Lanes(max_lanes=100)


@pytest.fixture
async def alice(session):
    return (await factories.user(session))[0].id


@pytest.fixture
async def bob(session):
    return (await factories.user(session))[0].id


async def taken(session, lanes, offer=None, **options):
    """The id of the request that the worker got, or None."""
    found = await factories.claimed(session, lanes, offer, **options)
    return None if found is None else found.request.id


async def order(session, lanes, offer=None, **options):
    """The ids of the requests whose jobs a worker gets one after another."""
    got = []
    while (request_id := await taken(session, lanes, offer, **options)) is not None:
        got.append(request_id)
    return got


async def test_nothing_waits(session, lanes):
    assert await factories.claimed(session, lanes) is None


async def test_a_claimed_job_is_processed_and_nobody_elses(session, lanes):
    asked = await factories.request(session, lanes, n=2, seed=7, things=3, prompt="a fox")
    found = await factories.claimed(session, lanes)
    assert (found.request.id, found.request.prompt) == (asked.request_id, "a fox")
    assert [(job.number, job.seed, job.things) for job in found.jobs] == [(0, 7, 3)]
    assert await factories.states(session, asked.request_id) == [P, W]
    assert [job.number for job in (await factories.claimed(session, lanes)).jobs] == [1]
    assert await factories.claimed(session, lanes) is None


# --- order ---


async def test_priority_goes_first_then_age_then_order_of_arrival(session, lanes):
    at = now()
    first = await factories.request(session, lanes, at=at, needs=Needs(pixels=9))
    same = await factories.request(session, lanes, at=at, needs=Needs(pixels=99))
    older = await factories.request(session, lanes, at=at - timedelta(seconds=10))
    rich = await factories.request(session, lanes, at=at, priority=51)
    assert await order(session, lanes) == [asked.request_id for asked in (rich, older, first, same)]


@pytest.mark.parametrize(("older_by", "older_first"), [(9, False), (11, True)])
async def test_ten_seconds_of_waiting_are_worth_fifty_kudos(session, lanes, older_by, older_first):
    at = now()
    old = await factories.request(session, lanes, at=at - timedelta(seconds=older_by))
    rich = await factories.request(session, lanes, at=at, priority=50)
    expected = [old, rich] if older_first else [rich, old]
    assert await order(session, lanes) == [asked.request_id for asked in expected]


async def test_a_jobs_rank_is_written_once(session, lanes):
    asked = await factories.request(session, lanes, n=2)
    ranks = select(Job.rank).where(Job.request_id == asked.request_id).order_by(Job.id)
    before = (await session.scalars(ranks)).all()
    found = await factories.claimed(session, lanes)
    (attempt_id,) = await factories.started(session, found)
    await endings.fault(session, attempt_id, at=now() + timedelta(hours=1))
    assert (await session.scalars(ranks)).all() == before
    assert [job.number for job in (await factories.claimed(session, lanes)).jobs] == [0]


# --- the worker's own and prioritised users ---


async def test_own_users_go_first_whatever_their_rank(session, lanes, alice, bob):
    stranger = await factories.request(session, lanes, priority=1000)
    later = await factories.request(session, lanes, user_id=alice, priority=-1000)
    sooner = await factories.request(session, lanes, user_id=bob)
    offer = Offer(users=frozenset({alice, bob}))
    assert await order(session, lanes, offer) == [
        asked.request_id for asked in (sooner, later, stranger)
    ]


async def test_in_maintenance_there_is_nothing_but_own_users_work(session, lanes, alice):
    await factories.request(session, lanes, priority=1000)
    own = await factories.request(session, lanes, user_id=alice)
    offer = Offer(users=frozenset({alice}))
    assert await order(session, lanes, offer, only_own=True) == [own.request_id]


async def test_own_users_needs_have_to_fit_all_the_same(session, lanes, alice):
    await factories.request(session, lanes, user_id=alice, needs=Needs(models=SD))
    stranger = await factories.request(session, lanes)
    offer = Offer(users=frozenset({alice}))
    assert await order(session, lanes, offer) == [stranger.request_id]


async def test_own_users_need_no_kudos_in_advance(session, lanes, alice):
    await factories.request(session, lanes)
    own = await factories.request(session, lanes, user_id=alice)
    covered = await factories.request(session, lanes, needs=Needs(covered=True))
    offer = Offer(users=frozenset({alice}), only_covered=True)
    assert await order(session, lanes, offer) == [own.request_id, covered.request_id]


# --- batches ---


async def numbers(session, lanes, amount, offer=None):
    found = await factories.claimed(session, lanes, offer, amount=amount)
    return [job.number for job in found.jobs], [job.seed for job in found.jobs]


async def test_a_batch_takes_what_is_there_up_to_the_amount(session, lanes):
    asked = await factories.request(session, lanes, n=5, seed=40)
    await factories.request(session, lanes, n=5)
    assert await numbers(session, lanes, 3) == ([0, 1, 2], [40, 41, 42])
    assert await numbers(session, lanes, 3) == ([3, 4], [43, 44])
    assert await factories.states(session, asked.request_id) == [P] * 5


async def test_how_many_are_safe_depends_on_the_request(session, lanes):
    await factories.request(session, lanes, n=5, prompt="big")
    found = await claim.claim(
        session,
        lanes,
        Offer(),
        at=now(),
        only_own=False,
        batch=lambda request: {"big": 2}[request.prompt],
    )
    assert len(found.claims[0].jobs) == 2


async def test_a_batchs_seeds_go_on_by_one(session, lanes):
    asked = await factories.request(session, lanes, seeds=[5, 6, 9, 10], seed=0)
    assert await numbers(session, lanes, 4) == ([0, 1], [5, 6])
    assert await factories.states(session, asked.request_id) == [P, P, W, W]
    assert await numbers(session, lanes, 4) == ([2, 3], [9, 10])


async def test_seeds_wrap_and_end_a_batch(session, lanes):
    await factories.request(session, lanes, seeds=[2**32 - 1, 0])
    assert await numbers(session, lanes, 2) == ([0], [2**32 - 1])


async def test_what_follows_a_gap_waits_again(session, lanes):
    asked = await factories.request(session, lanes, n=4, seed=5)
    missing = table(Job).c.number == 1
    await session.execute(update(table(Job)).where(missing).values(state=D))
    assert await numbers(session, lanes, 4) == ([0], [5])
    assert await factories.states(session, asked.request_id) == [P, D, W, W]


async def test_a_batch_stays_within_its_request(session, lanes):
    await factories.request(session, lanes, n=1, seed=1)
    other = await factories.request(session, lanes, n=1, seed=2)
    assert await numbers(session, lanes, 4) == ([0], [1])
    assert await factories.states(session, other.request_id) == [W]


# --- requests that are over ---


async def test_an_expired_request_is_skipped_and_ended(session, lanes):
    at = now()
    over = await factories.request(session, lanes, n=3, at=at - factories.LIFE)
    good = await factories.request(session, lanes, at=at)
    assert await order(session, lanes, at=at) == [good.request_id]
    assert await factories.states(session, over.request_id) == [X, X, X]


@pytest.mark.parametrize("offer", [Offer(), Offer(blacklist=frozenset({"dog"}))])
async def test_many_expired_requests_hide_nothing(session, lanes, offer):
    """Upkeep may have been away for a while."""
    at = now()
    for _ in range(60):
        await factories.request(session, lanes, n=2, at=at - factories.LIFE)
    good = await factories.request(session, lanes, at=at)
    assert await order(session, lanes, offer, at=at) == [good.request_id]


async def test_a_request_lives_until_its_very_end(session, lanes):
    at = now()
    asked = await factories.request(session, lanes, at=at)
    just_before = at + factories.LIFE - timedelta(microseconds=1)
    assert await taken(session, lanes, at=just_before) == asked.request_id


@pytest.mark.parametrize("column", ["cancelled_at", "faulted_at"])
async def test_what_is_left_waiting_of_a_request_that_is_over_is_nobodys(session, lanes, column):
    """It should not be there; a pop that was rolled back while the request was cancelled can."""
    over = await factories.request(session, lanes, n=2)
    good = await factories.request(session, lanes)
    rows = table(RequestRow)
    await session.execute(update(rows).where(rows.c.id == over.request_id).values({column: now()}))
    assert await order(session, lanes) == [good.request_id]
    assert await factories.states(session, over.request_id) == [C, C]


# --- where lanes leave doubt ---


async def test_sizes_fit_exactly(session, lanes):
    big = await factories.request(session, lanes, needs=Needs(pixels=500), priority=9)
    small = await factories.request(session, lanes, needs=Needs(pixels=300))
    assert await order(session, lanes, Offer(pixels=400)) == [small.request_id]
    assert await order(session, lanes, Offer(pixels=500)) == [big.request_id]


async def test_of_a_size_class_only_what_fits_exactly(session, lanes):
    """A caller with many lanes gets such ones."""
    for n in range(MAX_EXACT_LANES_OF_CALLER):
        await factories.request(session, lanes, needs=Needs(length=n))
    big = await factories.request(session, lanes, needs=Needs(pixels=500), priority=9000)
    small = await factories.request(session, lanes, needs=Needs(pixels=300), priority=8000)
    assert big.lane_id == small.lane_id
    offer = Offer(pixels=400, length=0)
    assert (await order(session, lanes, offer))[0] == small.request_id
    assert (await order(session, lanes, replace(offer, pixels=500)))[0] == big.request_id


async def test_blacklisted_words(session, lanes):
    await factories.request(session, lanes, prompt="A RED Fox", priority=9)
    dog = await factories.request(session, lanes, prompt="a brown dog")
    offer = Offer(blacklist=frozenset({"red"}))
    assert await order(session, lanes, offer) == [dog.request_id]


async def test_targeting_and_avoiding(session, lanes):
    for_a = await factories.request(session, lanes, needs=Needs(workers=frozenset({A})))
    avoids_a = Needs(workers=frozenset({A}), avoid=True)
    for_others = await factories.request(session, lanes, needs=avoids_a)
    assert await order(session, lanes, Offer(worker_id=A)) == [for_a.request_id]
    assert await order(session, lanes, Offer(worker_id=B)) == [for_others.request_id]


async def test_models(session, lanes):
    one = await factories.request(session, lanes, needs=Needs(models=SD), priority=9)
    any_will_do = await factories.request(session, lanes)
    assert await order(session, lanes, Offer(models=frozenset({"x"}))) == [any_will_do.request_id]
    assert await order(session, lanes, Offer(models=SD)) == [one.request_id]


async def test_another_kind_is_left(session, lanes):
    await factories.request(session, lanes, kind="text", needs=Needs(kind="text"))
    assert await order(session, lanes) == []


async def test_the_catch_all_is_looked_at_row_by_row(session):
    lanes = Lanes(max_lanes=1)
    await factories.request(session, lanes, needs=Needs(nsfw=True))
    await factories.request(session, lanes, needs=Needs(models=SD), priority=9)
    fits = await factories.request(session, lanes, needs=Needs(pixels=100))
    assert await order(session, lanes, Offer(nsfw=False)) == [fits.request_id]
