"""What nobody could serve waits aside until somebody can."""

import asyncio

import pytest
from sqlalchemy import event, func, select, update

import factories
from core.db import Database, table
from core.queue import lane_rows, parking, requests
from core.queue import lanes as every_lane
from core.queue.lane_rows import Caller
from core.queue.lanes import Lanes
from core.queue.matching import Needs, Offer
from core.queue.requests import NewJob
from core.queue.tables import Job, JobState, Lane

ODD = frozenset({"odd"})
SD = frozenset({"stable_diffusion"})


@pytest.fixture
def lanes():
    return Lanes(max_lanes=20)


def parked(session, lanes, **changes):
    return factories.request(session, lanes, is_parked=lambda _needs: True, **changes)


async def taken(session, lanes, offer):
    found = await factories.claimed(session, lanes, offer)
    return None if found is None else found.request.id


async def test_junk_shares_one_lane_and_hides_nothing(session, lanes):
    for n in range(30):
        await parked(session, lanes, n=20, needs=Needs(models=frozenset({f"junk {n}"})))
    honest = await factories.request(session, lanes, needs=Needs(models=SD, pixels=448**2))
    assert await taken(session, lanes, Offer(models=SD)) == honest.request_id
    assert await session.scalar(select(func.count()).select_from(table(Lane))) == 2


async def test_a_worker_that_comes_later_finds_what_it_can_serve(session, lanes):
    assert await taken(session, lanes, Offer(models=ODD)) is None
    other = await parked(session, lanes, needs=Needs(models=SD))
    fits = await parked(session, lanes, needs=Needs(models=ODD))
    assert await taken(session, lanes, Offer(models=ODD)) == fits.request_id
    assert await taken(session, lanes, Offer(models=ODD)) is None
    assert await taken(session, lanes, Offer(models=SD)) == other.request_id


async def test_what_one_worker_makes_room_for_others_find_as_well(session, lanes):
    both = await parked(session, lanes, n=2, needs=Needs(models=ODD))
    for offer in (Offer(models=ODD), Offer(models=ODD | SD)):
        assert await taken(session, lanes, offer) == both.request_id


async def test_a_waiting_form_has_its_own_lane(session, lanes):
    jobs = [NewJob(0, 1, "form:caption"), NewJob(0, 1, "form:nsfw")]
    asked = await parked(session, lanes, kind="alchemy", needs=Needs(kind="alchemy"), jobs=jobs)
    offer = Offer(kind="alchemy", features=frozenset({"form:nsfw"}))
    found = await factories.claimed(session, lanes, offer)
    assert (found.request.id, found.jobs[0].feature) == (asked.request_id, "form:nsfw")
    assert await taken(session, lanes, offer) is None


async def test_what_is_cancelled_while_parked_is_nobodys(session, lanes):
    asked = await parked(session, lanes, n=3)
    await requests.cancel(session, asked.request_id, at=factories.now())
    assert await taken(session, lanes, Offer()) is None


async def test_a_known_offer_looks_only_where_more_was_parked(session, lanes):
    await parked(session, lanes, needs=Needs(models=SD))
    await taken(session, lanes, Offer(models=ODD))
    looks = []
    connection = (await session.connection()).sync_connection
    event.listen(
        connection, "before_cursor_execute", lambda *call: looks.append("lane_id = " in call[2])
    )
    for _ in range(3):
        await taken(session, lanes, Offer(models=ODD))
    assert looks.count(True) == 0
    await parked(session, lanes, needs=Needs(models=SD))
    await taken(session, lanes, Offer(models=ODD))
    assert looks.count(True) == 1


async def test_what_was_compared_is_not_compared_again(session, lanes, monkeypatch):
    """Junk costs each worker one look, however often more of it comes."""
    compared, fitting = [], parking._fitting
    monkeypatch.setattr(
        parking, "_fitting", lambda offer, rows: compared.append(len(rows)) or fitting(offer, rows)
    )
    for n in (30, 1, 1):
        await parked(session, lanes, n=n, needs=Needs(models=SD))
        assert await taken(session, lanes, Offer(models=ODD)) is None
    assert compared == [30, 1, 1]
    assert await taken(session, lanes, Offer(models=SD))


async def test_a_parked_lane_stays(session, lanes, monkeypatch):
    await parked(session, lanes)
    await session.execute(table(Job).delete())
    monkeypatch.setattr(lane_rows, "EMPTY_LANE_LIFE", -lane_rows.EMPTY_LANE_LIFE)
    assert await lane_rows.remove_empty(session) == 0


async def test_after_a_rollback_it_is_found_all_the_same(database, lanes, monkeypatch):
    async with database.writing() as session:
        asked = await parked(session, lanes, needs=Needs(models=ODD))
    async with factories.undone(database) as session:
        assert await taken(session, lanes, Offer(models=ODD)) == asked.request_id
    async with database.writing() as session:
        await parked(session, lanes, needs=Needs(models=SD))
        assert await taken(session, lanes, Offer(models=ODD)) is None
    monkeypatch.setattr(every_lane, "LOOK_AGAIN_SECONDS", 0)
    async with database.writing() as session:
        assert await taken(session, lanes, Offer(models=ODD)) == asked.request_id


async def test_who_waits_for_anothers_release_finds_what_it_leaves(postgres_url, lanes):
    database = Database(postgres_url)
    async with database.writing() as session:
        both = await parked(session, lanes, n=2, needs=Needs(models=ODD))

    async def take(offer):
        async with database.writing() as session:
            return await taken(session, lanes, offer)

    async with database.writing() as session:
        assert await taken(session, lanes, Offer(models=ODD)) == both.request_id
        second = asyncio.create_task(take(Offer(models=ODD | SD)))
        assert await factories.until_blocked(database, second)
    assert await second == both.request_id
    await database.close()


@pytest.mark.parametrize(
    ("waits", "fits"),
    [
        ({"models": frozenset({"junk"})}, {"models": ODD}),  # into the catch-all
        ({"pixels": 1000}, {"pixels": 600}),
    ],
)
async def test_what_it_makes_room_for_among_others_does_not_bring_these(session, waits, fits):
    lanes = Lanes(max_lanes=1)
    await factories.request(session, lanes, needs=Needs(nsfw=True))
    await factories.request(session, lanes, n=3, needs=Needs(**waits))
    asked = await parked(session, lanes, needs=Needs(**fits))
    offer = Offer(models=ODD, nsfw=False, pixels=700)
    assert await taken(session, lanes, offer) == asked.request_id
    assert await taken(session, lanes, offer) is None


async def test_a_size_class_that_it_makes_room_in_leaves_doubt(session, monkeypatch):
    lanes, jobs = Lanes(max_lanes=1), table(Job)
    monkeypatch.setattr(every_lane, "MAX_EXACT_LANES_OF_CALLER", 1)
    larger = await factories.request(session, lanes, needs=Needs(pixels=1000))
    for_class = await Lanes(9).lane_for(session, Needs(pixels=1000), Caller(0))
    its = jobs.c.request_id == larger.request_id
    await session.execute(update(jobs).where(its).values(lane_id=for_class))
    asked = await parked(session, lanes, needs=Needs(pixels=600))
    assert await taken(session, lanes, Offer(pixels=700)) == asked.request_id
    assert await taken(session, lanes, Offer(pixels=700)) is None


async def test_lanes_of_a_claim_that_is_rolled_back_are_not_remembered(database, lanes):
    """A claim of several forms makes lanes and goes on; another's lane gets the same version."""
    jobs = [NewJob(0, 1, "form:caption"), NewJob(0, 1, "form:caption")]
    async with database.writing() as session:
        await parked(session, lanes, kind="alchemy", needs=Needs(kind="alchemy"), jobs=jobs)
        await lanes.update(session)
    alchemist = Offer(kind="alchemy", features=frozenset({"form:caption"}))
    async with factories.undone(database) as session:
        assert len(await factories.claims(session, lanes, alchemist, most=2)) == 2
    async with database.writing() as session:
        asked = await factories.request(session, lanes, needs=Needs(models=SD))
    async with database.writing() as session:
        assert await taken(session, lanes, Offer(models=SD)) == asked.request_id


async def test_what_is_cancelled_while_it_is_moved_is_cancelled(postgres_url, lanes):
    """SQLite has one writer at a time."""
    database = Database(postgres_url)
    async with database.writing() as session:
        asked = await parked(session, lanes, needs=Needs(models=ODD))
        await lanes.update(session)

    async def cancel():
        async with database.writing() as session:
            return await requests.cancel(session, asked.request_id, at=factories.now())

    async with database.writing() as session:
        assert (await parking.release(session, lanes, Offer(models=ODD), after=0)).lanes
        cancelling = asyncio.create_task(cancel())
        assert await factories.until_blocked(database, cancelling), "it passed over the jobs"
    assert await asyncio.wait_for(cancelling, 20) == 1
    async with database.reading() as session:
        assert await factories.states(session, asked.request_id) == [JobState.CANCELLED]
    await database.close()
