from datetime import timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import create_async_engine

import factories
from core.db import now, table
from core.queue import lane_rows
from core.queue import lanes as every_lane
from core.queue.lane_rows import EMPTY_LANE_LIFE, Caller
from core.queue.lanes import (
    MAX_EXACT_LANES_OF_CALLER,
    Lanes,
    Matched,
)
from core.queue.matching import Needs, Offer
from core.queue.tables import Job, JobState, Lane, LaneVersion

SD = frozenset({"stable_diffusion"})
OTHER = frozenset({"other"})


@pytest.fixture
def lanes():
    return Lanes(max_lanes=3)


async def version_of(session):
    return await session.scalar(select(LaneVersion.version))


async def known(session, lanes):
    await lanes.refresh(session, await version_of(session))
    return lanes


async def grow_old(session):
    """Let all lanes be old enough to be removed."""
    created = now() - EMPTY_LANE_LIFE - timedelta(seconds=1)
    await session.execute(update(table(Lane)).values(created_at=created))


async def test_jobs_with_the_same_needs_share_a_lane(session, lanes):
    first = await lanes.lane_for(session, Needs(models=SD, pixels=512 * 512, words="a fox"))
    same = Needs(models=SD, pixels=512 * 512, words="a dog")
    assert await lanes.lane_for(session, same) == first
    assert await Lanes(3).lane_for(session, same) == first


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "text"},
        {"models": OTHER},
        {"features": frozenset({"r2"})},
        {"permissions": frozenset({"lora"})},
        {"nsfw": True},
        {"trusted": True},
        {"slow": False},
        {"extra_slow": True},
        {"workers": frozenset({"w"})},
        {"avoid": True},
        {"covered": True},
        {"pixels": 512 * 512 + 1},
        {"steps": 31},
        {"length": 1},
        {"context": 1},
        {"tiles": 1},
    ],
)
async def test_different_needs_have_lanes_of_their_own(session, lanes, changed):
    plain = {"models": SD, "pixels": 512 * 512}
    first = await lanes.lane_for(session, Needs(**plain))
    assert await lanes.lane_for(session, Needs(**plain | changed)) != first


async def test_a_new_lane_raises_the_version_and_an_old_one_does_not(session, lanes):
    before = await version_of(session)
    await lanes.lane_for(session, Needs())
    assert await version_of(session) == before + 1
    await lanes.lane_for(session, Needs())
    assert await version_of(session) == before + 1


async def test_an_offer_finds_its_lanes(session, lanes):
    for_sd = await lanes.lane_for(session, Needs(models=SD))
    for_any = await lanes.lane_for(session, Needs())
    await lanes.lane_for(session, Needs(models=OTHER))
    matched = (await known(session, lanes)).matching(Offer(models=SD))
    assert set(matched.ids) == {for_sd, for_any}
    assert matched.doubtful == ()
    assert lanes.matching(Offer(models=SD)) is matched


async def test_a_blacklist_leaves_doubt(session, lanes):
    await lanes.lane_for(session, Needs())
    matched = (await known(session, lanes)).matching(Offer(blacklist=frozenset({"dog"})))
    assert matched.doubtful
    assert not matched.certain


@pytest.mark.parametrize(
    ("most", "kind"), [(256, None), (257, "doubtful"), (511, "doubtful"), (512, "certain")]
)
async def test_a_limit_within_a_size_class_leaves_doubt(session, lanes, most, kind):
    """A caller with many lanes gets lanes of size classes."""
    caller = Caller(0)
    for n in range(MAX_EXACT_LANES_OF_CALLER):
        await factories.request(session, Lanes(2000), needs=Needs(kind="text", length=n))
    await Lanes(2000).lane_for(session, Needs(pixels=300), caller)  # its class is 257 … 512
    matched = (await known(session, lanes)).matching(Offer(pixels=most))
    assert matched == Matched(**({kind: matched.ids} if kind else {}))
    assert len(matched.ids) == (kind is not None)


async def test_limits_of_a_lane_of_its_own_leave_no_doubt(session, lanes):
    lane_id = await lanes.lane_for(session, Needs(pixels=300))
    await known(session, lanes)
    assert lanes.matching(Offer(pixels=299)) == Matched()
    assert lanes.matching(Offer(pixels=300)) == Matched(certain=(lane_id,))


async def test_a_new_lane_is_added_to_what_an_offer_is_known_to_match(session, lanes):
    offer = Offer(models=SD)
    first = await lanes.lane_for(session, Needs(models=SD))
    assert (await known(session, lanes)).matching(offer).certain == (first,)
    await lanes.lane_for(session, Needs(models=OTHER))
    second = await lanes.lane_for(session, Needs())
    assert (await known(session, lanes)).matching(offer).certain == (first, second)


async def test_what_is_too_much_goes_to_the_catch_all(session, lanes):
    own = [await lanes.lane_for(session, Needs(pixels=10**n)) for n in range(3)]
    rest = [await lanes.lane_for(session, Needs(pixels=10**n)) for n in range(3, 6)]
    assert len({*own, *rest}) == 4
    assert len(set(rest)) == 1
    assert await lanes.lane_for(session, Needs(pixels=1)) == own[0]
    matched = (await known(session, lanes)).matching(Offer(pixels=16))
    assert matched == Matched(certain=(own[0], own[1]), catch_all=rest[0])
    assert set(lanes.least_needs()) == set(own)


async def test_a_changed_version_is_seen_by_other_processes(database, lanes):
    other = Lanes(max_lanes=3)
    async with database.writing() as session:
        await known(session, other)
        lane_id = await lanes.lane_for(session, Needs())
    assert other.matching(Offer()).ids == ()
    async with database.reading() as session:
        assert (await known(session, other)).matching(Offer()).ids == (lane_id,)
    async with database.writing() as session:
        await grow_old(session)
        assert await lane_rows.remove_empty(session) == 1
    async with database.reading() as session:
        assert (await known(session, other)).matching(Offer()).ids == ()


async def test_a_rolled_back_lane_is_nobodys(database, lanes):
    async with factories.undone(database) as session:
        await lanes.lane_for(session, Needs())
    async with database.writing() as session:
        lane_id = await lanes.lane_for(session, Needs())
        assert (await factories.row(session, Lane, lane_id)).id == lane_id


async def test_an_old_look_does_not_undo_a_newer_one(database, database_url, lanes):
    """Of two pops at once, the one that read the version first may be done last."""
    async with database.reading() as session:
        old = await version_of(session)
    options = {} if database.is_sqlite else {"isolation_level": "REPEATABLE READ"}
    engine = create_async_engine(database_url, **options)
    try:
        async with engine.connect() as late:
            await late.execute(text("BEGIN" if database.is_sqlite else "SELECT 1"))
            assert await late.scalar(select(LaneVersion.version)) == old
            async with database.writing() as session:
                lane_id = await lanes.lane_for(session, Needs())
            async with database.reading() as session:
                await known(session, lanes)
            rows = await late.execute(select(Lane.id))
            assert rows.all() == []  # what the late one sees
            await lanes.refresh(late, old)
    finally:
        await engine.dispose()
    assert lanes.matching(Offer()).ids == (lane_id,)


@pytest.mark.parametrize("state", [JobState.WAITING, JobState.PROCESSING])
async def test_a_lane_with_jobs_stays(session, lanes, state):
    await factories.request(session, lanes)
    await session.execute(update(table(Job)).values(state=state))
    await grow_old(session)
    before = await version_of(session)
    assert await lane_rows.remove_empty(session) == 0
    assert await version_of(session) == before


@pytest.mark.parametrize(
    "state", [JobState.DONE, JobState.FAULTED, JobState.CANCELLED, JobState.EXPIRED]
)
async def test_an_empty_lane_goes_when_it_is_not_fresh(session, lanes, state):
    await factories.request(session, lanes)
    await session.execute(update(table(Job)).values(state=state))
    assert await lane_rows.remove_empty(session) == 0
    await grow_old(session)
    before = await version_of(session)
    assert await lane_rows.remove_empty(session) == 1
    assert await version_of(session) == before + 1
    assert (await session.scalars(select(Lane.id))).all() == []


async def test_removing_has_a_limit(session, lanes):
    for n in range(3):
        await lanes.lane_for(session, Needs(pixels=10**n))
    await grow_old(session)
    assert await lane_rows.remove_empty(session, limit=2) == 2
    assert await lane_rows.remove_empty(session, limit=2) == 1


async def test_remembered_offers_are_bounded(session, lanes, monkeypatch):
    monkeypatch.setattr(every_lane, "REMEMBERED_OFFERS", 2)
    await known(session, lanes)
    for n in range(5):
        lanes.matching(Offer(user_id=n))
    assert len(lanes._remembered) == 2
