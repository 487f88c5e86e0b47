"""Suspicion: what counts once, what counts each time, and how it is forgiven."""

import dataclasses
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

import factories
from core.db import now
from core.users import suspicion
from core.users.tables import Reason, Role, Suspicion

AT = now()
WEEK = suspicion.FORGIVEN_AFTER


@pytest.fixture
def database_url(sqlite_url):
    """One engine: the statements are the same."""
    return sqlite_url


@pytest.fixture
async def someone(session):
    user, _ = await factories.user(session)
    return user


async def suspect(session, user, reason, times=1, **options):
    for _ in range(times):
        count = await suspicion.suspect(session, user.id, reason, at=AT, **options)
    return count


@pytest.mark.parametrize(
    ("reason", "times", "counts"),
    [
        (Reason.USERNAME_LONG, 3, 1),
        (Reason.UNREASONABLY_FAST, 3, 3),
        (Reason.TOO_MANY_JOBS_ABORTED, 30, suspicion.MAX_COUNT),
    ],
)
async def test_some_reasons_count_once_and_some_each_time(session, someone, reason, times, counts):
    assert await suspect(session, someone, reason, times) == counts
    assert await session.scalar(select(func.count()).select_from(Suspicion)) == 1


async def test_a_reason_counts_less_with_time(session, someone):
    await suspect(session, someone, Reason.UNREASONABLY_FAST, 3)
    await suspect(session, someone, Reason.CORRUPT_PROMPT)
    for weeks, left in ((0.9, 4), (1, 2), (2, 1), (3, 0)):
        assert await suspicion.count(session, someone.id, at=AT + weeks * WEEK) == left


async def test_what_is_forgiven_is_forgotten(session, someone):
    await suspect(session, someone, Reason.UNREASONABLY_FAST)
    await suspicion.forget(session, at=AT + suspicion.MAX_COUNT * WEEK)
    assert await session.scalar(select(func.count()).select_from(Suspicion)) == 1
    await suspicion.forget(session, at=AT + suspicion.MAX_COUNT * WEEK + timedelta(seconds=1))
    assert await session.scalar(select(func.count()).select_from(Suspicion)) == 0


async def test_a_workers_are_its_owners_too(session, someone):
    one, other = uuid4(), uuid4()
    assert await suspect(session, someone, Reason.UNSAFE_IP, worker_id=one) == 1
    assert await suspect(session, someone, Reason.UNREASONABLY_FAST, 2, worker_id=one) == 3
    assert await suspect(session, someone, Reason.UNSAFE_IP, worker_id=other) == 1
    assert await suspicion.count(session, someone.id, at=AT) == 4


async def test_five_make_suspicious_but_never_the_trusted(session, someone):
    await suspect(session, someone, Reason.UNREASONABLY_FAST, 4)
    assert not await suspicion.is_suspicious(session, someone, at=AT)
    await suspect(session, someone, Reason.CORRUPT_PROMPT)
    assert await suspicion.is_suspicious(session, someone, at=AT)
    trusted = dataclasses.replace(someone, roles=int(Role.TRUSTED))
    assert not await suspicion.is_suspicious(session, trusted, at=AT)


async def test_moderators_forgive_everything(session, someone):
    await suspect(session, someone, Reason.UNREASONABLY_FAST, 5, worker_id=uuid4())
    await suspicion.reset(session, someone.id)
    assert await suspicion.count(session, someone.id, at=AT) == 0


async def test_everybody_is_never_suspicious(session):
    assert await suspicion.suspect(session, 0, Reason.CORRUPT_PROMPT, at=AT) == 0
    assert await suspicion.count(session, 0, at=AT) == 0
