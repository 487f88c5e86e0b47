"""Roll-ups of work: each piece in the right buckets, on each engine; old buckets are forgotten."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import func, select

import factories
from core.stats import rollup, totals
from core.stats.rollup import Made
from core.stats.tables import ModelTotal, Span
from core.stats.totals import Sum
from core.users import directory

NOW = datetime(2026, 3, 1, 0, 30, 30, tzinfo=UTC)
BEYOND_FOUR_BYTES = 2**40


def made(ended_at=NOW, *, kind="image", model="a model", things=10, requester_id=0, owner_id=0):
    return Made(
        kind=kind,
        model=model,
        ended_at=ended_at,
        things=things,
        requester_id=requester_id,
        owner_id=owner_id,
    )


async def periods(session, kind="image", at=NOW):
    return await totals.periods(session, kind, at=at)


async def test_each_period_has_what_ended_in_it(session):
    ages = [timedelta(0), timedelta(minutes=59), timedelta(hours=23), timedelta(days=29)]
    await rollup.add(session, [made(NOW - age) for age in ages])
    found = {period: sums.made for period, sums in (await periods(session)).items()}
    assert found == {"hour": 2, "day": 3, "month": 4, "total": 4}


async def test_what_is_older_is_in_the_total_alone(session):
    ages = [timedelta(days=30, hours=1), timedelta(days=400)]
    await rollup.add(session, [made(NOW - age) for age in ages])
    assert await periods(session) == {
        "hour": Sum(),
        "day": Sum(),
        "month": Sum(),
        "total": Sum(2, 20),
    }


async def test_days_are_those_of_utc(session):
    """Half past midnight in UTC is still the day before in New York, and it is not asked there."""
    new_york = timezone(timedelta(hours=-5))
    await rollup.add(session, [made(NOW.astimezone(new_york))])
    days = await session.scalars(select(ModelTotal.start).where(ModelTotal.span == Span.DAY))
    assert list(days) == [datetime(2026, 3, 1, tzinfo=UTC)]


async def test_sums_outgrow_four_bytes(session):
    pieces = [made(things=BEYOND_FOUR_BYTES, kind="text") for _ in range(3)]
    await rollup.add(session, pieces)
    await rollup.add(session, pieces)
    found = await periods(session, "text")
    assert set(found.values()) == {Sum(6, 6 * BEYOND_FOUR_BYTES)}
    own = await totals.of_user(session, 0)
    assert own.requested_things["text"] == own.fulfilled_things["text"] == 6 * BEYOND_FOUR_BYTES


async def test_models_apart_and_kinds_apart(session):
    await rollup.add(
        session,
        [
            made(),
            made(model="another"),
            made(NOW - timedelta(days=3), model="another"),
            made(NOW - timedelta(days=90), model="forgotten"),
            made(kind="text", model="a writer"),
        ],
    )
    assert await totals.by_model(session, "image", at=NOW) == {
        "day": {"a model": 1, "another": 1},
        "month": {"a model": 1, "another": 2},
        "total": {"a model": 1, "another": 2, "forgotten": 1},
    }
    assert (await totals.by_model(session, "text", at=NOW))["total"] == {"a writer": 1}


async def test_who_asked_and_who_made_it(session):
    requester, _ = await factories.user(session)
    owner, _ = await factories.user(session)
    await rollup.add(session, [made(requester_id=requester.id, owner_id=owner.id)])
    found = await totals.of_users(session, [requester.id, owner.id])
    assert found[requester.id].requested_things == found[owner.id].fulfilled_things == {"image": 10}
    assert found[requester.id].fulfilled == found[owner.id].requested == {"image": 0}


async def test_usage_counts_by_the_users_multiplier(session):
    requester, _ = await factories.user(session)
    await directory.change(session, requester, usage_multiplier=0.25)
    await rollup.add(session, [made(things=10, requester_id=requester.id, owner_id=requester.id)])
    found = await totals.of_user(session, requester.id)
    assert (found.requested_things["image"], found.fulfilled_things["image"]) == (2, 10)
    assert (await periods(session))["total"] == Sum(1, 10)


async def test_a_user_without_any_work(session):
    assert (await totals.of_user(session, 0)).requested == {}


@pytest.mark.parametrize(
    ("span", "age"),
    [
        (Span.MINUTE, timedelta(hours=3)),
        (Span.HOUR, timedelta(days=4)),
        (Span.DAY, timedelta(days=63)),
    ],
)
async def test_old_buckets_are_forgotten_and_nothing_that_is_asked_for(session, span, age):
    await rollup.add(session, [made(NOW - age), made(NOW)])
    before = await periods(session)
    while await rollup.forget(session, at=NOW, limit=1):
        pass
    starts = list(await session.scalars(select(ModelTotal.start).where(ModelTotal.span == span)))
    assert len(starts) == 1
    assert NOW - starts[0] <= timedelta(days=1)
    assert await periods(session) == before


async def test_the_total_is_never_forgotten(session):
    await rollup.add(session, [made(NOW - timedelta(days=1000))])
    await rollup.forget(session, at=NOW, limit=100)
    assert await session.scalar(select(func.count()).select_from(ModelTotal)) == 1
    assert (await periods(session))["total"] == Sum(1, 10)
