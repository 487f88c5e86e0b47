from datetime import timedelta
from uuid import uuid4

import pytest
import structlog
from sqlalchemy import func, select

from core.db import now, table
from core.moderation import problems
from core.moderation.tables import ProblemJob

AT = now()


async def report(session, count=1, *, at=AT, **changes):
    """Take reports down; what the log was told."""
    usual = {"user_id": 7, "proxied_account": None, "address": "192.0.2.7"}
    with structlog.testing.capture_logs() as told:
        for _ in range(count):
            given = {**usual, **changes}
            await problems.report(
                session,
                attempt_id=uuid4(),
                worker_id=uuid4(),
                is_anonymous=given["user_id"] == 0,
                at=at,
                **given,
            )
    return told


@pytest.fixture
def few(monkeypatch):
    """Two an hour, four a day."""
    fewer = {"hour": (timedelta(hours=1), 2), "day": (timedelta(days=1), 4)}
    monkeypatch.setattr(problems, "NOTICED_AFTER", fewer)


def test_how_many_are_many():
    assert [most for _, most in problems.NOTICED_AFTER.values()] == [50, 200]


async def test_the_log_is_told_once_of_each_time(session, few):
    assert await report(session, 2) == []
    (told,) = await report(session, 2)
    assert told == {
        "event": "many problem jobs",
        "log_level": "warning",
        "period": "hour",
        "count": 3,
        "user_id": 7,
        "proxied_account": None,
        "network": None,
    }
    later = AT + timedelta(hours=2)
    (told,) = await report(session, 2, at=later)
    assert (told["period"], told["count"]) == ("day", 5)


async def test_each_proxied_account_counts_by_itself(session, few):
    for name in ("a", "b", "c", None):
        assert await report(session, 2, proxied_account=name) == []
    (told,) = await report(session, proxied_account="b")
    assert told["proxied_account"] == "b"


async def test_of_the_anonymous_user_each_address_counts(session, few):
    for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1", None):
        assert await report(session, 2, user_id=0, address=address) == []
    (told,) = await report(session, user_id=0, address="2001:db8::2")
    assert (told["user_id"], told["network"]) == (0, "2001:db8::/64")


async def test_reports_are_kept_for_a_day(session):
    await report(session, 3)
    await problems.forget(session, at=AT + timedelta(hours=23))
    kept = select(func.count()).select_from(table(ProblemJob))
    assert await session.scalar(kept) == 3
    await problems.forget(session, at=AT + timedelta(hours=24))
    assert await session.scalar(kept) == 0
