from datetime import timedelta

import pytest
from sqlalchemy import select, update

import factories
import lives
from core.db import now, table
from core.generation import cancel, status
from core.kinds.image import ImageParams
from core.queue import expiry, results
from core.queue.forecast import Outlook
from core.queue.tables import AttemptRow, JobState, RequestRow

SMALL = ImageParams(width=64, height=64, steps=10)  # 40 960 things


@pytest.fixture
async def payer(session):
    return (await factories.user(session, available=100_000))[0]


@pytest.fixture
async def owner(session):
    return (await factories.user(session))[0]


async def numbers(session, horde, request_id):
    seen = await lives.looked(session, horde, request_id)
    progress = seen.progress
    return {
        "waiting": progress.waiting,
        "processing": progress.processing,
        "finished": progress.finished,
        "restarted": progress.restarted,
        "done": progress.done,
        "faulted": progress.faulted,
        "consumed": seen.consumed,
    }


@pytest.mark.usefixtures("no_pause")
async def test_numbers_through_a_life(session, horde, payer, owner):
    asked = await lives.asked(session, horde, payer, n=3)
    expected = {
        "waiting": 3,
        "processing": 0,
        "finished": 0,
        "restarted": 0,
        "done": False,
        "faulted": False,
        "consumed": 100,
    }
    assert await numbers(session, horde, asked.request_id) == expected
    work = (await lives.popped(session, horde, owner, amount=1)).work
    expected |= {"waiting": 2, "processing": 1}
    assert await numbers(session, horde, asked.request_id) == expected
    await lives.submitted(session, horde, owner, work.attempt_ids[0], state="faulted")
    expected |= {"waiting": 3, "processing": 0, "restarted": 1}
    assert await numbers(session, horde, asked.request_id) == expected
    await lives.done(session, horde, owner)
    expected |= {"waiting": 2, "finished": 1, "consumed": 992}
    assert await numbers(session, horde, asked.request_id) == expected
    await lives.done(session, horde, owner)
    await lives.done(session, horde, owner)
    expected |= {"waiting": 0, "finished": 3, "consumed": 100 + 3 * 892, "done": True}
    assert await numbers(session, horde, asked.request_id) == expected


async def test_a_faulted_request_is_done(session, horde, payer, owner):
    asked = await lives.asked(session, horde, payer, n=2)
    for name in ("one", "two", "three"):
        for attempt_id in (
            await lives.popped(session, horde, owner, name=name, amount=2)
        ).work.attempt_ids:
            await lives.submitted(session, horde, owner, attempt_id, state="faulted")
    seen = await numbers(session, horde, asked.request_id)
    assert (seen["done"], seen["faulted"], seen["restarted"]) == (True, True, 6)
    assert (seen["waiting"], seen["finished"]) == (0, 0)


async def test_results_come_in_the_order_of_the_jobs(session, horde, payer, owner):
    asked = await lives.asked(session, horde, payer, n=3)
    works = [(await lives.popped(session, horde, owner, name=f"w {n}")).work for n in range(3)]
    for work in reversed(works):
        await lives.submitted(session, horde, owner, work.attempt_ids[0])
    finished = await results.of(session, asked.request_id)
    assert [(row.number, row.worker_name) for row in finished] == [
        (0, "w 0"),
        (1, "w 1"),
        (2, "w 2"),
    ]


async def test_which_worker_has_which_job(session, horde, payer, owner):
    asked = await lives.asked(session, horde, payer, n=2)
    popped = await lives.popped(session, horde, owner)
    first, second = await status.jobs_of(session, asked.request_id)
    assert (first.number, first.state, first.worker_name) == (0, JobState.PROCESSING, "a worker")
    assert first.worker_id == popped.worker.id
    assert (second.number, second.state, second.worker_id) == (1, JobState.WAITING, None)


async def test_position_and_time(session, horde, payer, owner):
    worker = await lives.worker_named(session, owner)
    await factories.change_worker(session, worker.id, paces={"": [0.5, 1 / 10_240]})
    await lives.asked(session, horde, payer, params=SMALL, n=2)
    asked = await lives.asked(session, horde, payer, params=SMALL)
    seen = await lives.looked(session, horde, asked.request_id)
    # Two jobs ahead and its own, each 40 960 things: 4 s, and half a second besides.
    assert seen.outlook == Outlook(possible=True, position=2, seconds=round(3 * 4.5))


async def test_nobody_can_serve_it(session, horde, payer, owner):
    await lives.worker_named(session, owner)
    asked = await lives.asked(session, horde, payer, models=["Deliberate"])
    found = (await lives.looked(session, horde, asked.request_id)).outlook
    assert not found.possible
    # Not 0, which reads as "now": the rest of its life.
    assert found.seconds == pytest.approx(horde.life.total_seconds(), abs=5)


async def test_nobody_whose_blacklist_lets_it_pass_can_serve_it(session, horde, payer, owner):
    await lives.popped(session, horde, owner, blacklist=["fox"])
    asked = await lives.asked(session, horde, payer, prompt="a red fox")
    other = await lives.asked(session, horde, payer, prompt="a red box")
    assert not (await lives.looked(session, horde, asked.request_id)).outlook.possible
    assert (await lives.looked(session, horde, other.request_id)).outlook.possible


@pytest.mark.parametrize(("avoid", "possible"), [(False, [True, False]), (True, [False, True])])
async def test_who_is_named_or_avoided(session, horde, payer, owner, avoid, possible):
    workers = [await lives.worker_named(session, owner, name) for name in ("one", "other")]
    found = []
    for worker in workers:
        await factories.change_worker(session, workers[1].id, maintenance=True)
        asked = await lives.asked(
            session, horde, payer, workers=[str(worker.id)], worker_blacklist=avoid
        )
        found.append((await lives.looked(session, horde, asked.request_id)).outlook.possible)
    assert found == possible


async def test_what_was_taken_after_the_last_look_is_expected_to_take_its_time(
    session, horde, payer, owner
):
    worker = await lives.worker_named(session, owner)
    await factories.change_worker(session, worker.id, paces={"": [8.0, 1 / 10_240]})
    asked = await lives.asked(session, horde, payer, params=SMALL)
    assert (await lives.looked(session, horde, asked.request_id)).outlook.seconds == 12
    await lives.popped(session, horde, owner)
    seen = await lives.looked(session, horde, asked.request_id)
    assert seen.outlook == Outlook(possible=True, position=0, seconds=12)


async def test_what_is_being_made_is_possible_and_takes_the_rest_of_its_time(
    session, horde, payer, owner
):
    asked = await lives.asked(session, horde, payer, params=SMALL)
    popped = await lives.popped(session, horde, owner)
    await factories.change_worker(session, popped.worker.id, paces={"": [0.0, 1 / 1024]})
    started = now() - timedelta(seconds=10)
    await session.execute(update(table(AttemptRow)).values(started_at=started))
    horde.online.forget()
    seen = await lives.looked(session, horde, asked.request_id)
    assert seen.outlook.position == 0
    assert seen.outlook.possible
    assert seen.outlook.seconds == pytest.approx(30, abs=1)  # of 40


async def test_a_finished_request_expects_nothing(session, horde, payer, owner):
    asked = await lives.asked(session, horde, payer)
    await lives.done(session, horde, owner)
    seen = await lives.looked(session, horde, asked.request_id)
    assert seen.outlook == Outlook(possible=True, position=0, seconds=0)


@pytest.mark.parametrize("request_id", ["", "x", "5d247d35-c3b1-43a5-bbb8-2879833ded75"])
async def test_an_unknown_request(session, horde, request_id):
    with pytest.raises(status.RequestNotFound):
        await status.look(session, horde, request_id)


async def test_a_request_that_is_over(session, horde, payer):
    asked = await lives.asked(session, horde, payer)
    await session.execute(update(table(RequestRow)).values(expires_at=now()))
    with pytest.raises(status.RequestNotFound):
        await lives.looked(session, horde, asked.request_id)


# --- cancel and expire ---


async def test_cancelling_what_waits_gives_the_hold_back(session, horde, payer):
    asked = await lives.asked(session, horde, payer, n=3)
    await cancel.cancel(session, asked.request_id)
    assert await factories.states(session, asked.request_id) == [JobState.CANCELLED] * 3
    seen = await numbers(session, horde, asked.request_id)
    assert (seen["waiting"], seen["done"], seen["consumed"]) == (0, True, 100)
    assert await lives.balances(session, payer) == (2500 + 100_000 - 100, 0, 0)


async def test_what_is_being_made_goes_on_and_is_paid(session, horde, payer, owner):
    asked = await lives.asked(session, horde, payer, n=3)
    await lives.done(session, horde, owner)
    work = (await lives.popped(session, horde, owner)).work
    await cancel.cancel(session, asked.request_id)
    seen = await numbers(session, horde, asked.request_id)
    assert (seen["waiting"], seen["processing"], seen["done"]) == (0, 1, False)
    assert (await lives.balances(session, payer)).held == 2 * 892
    await lives.submitted(session, horde, owner, work.attempt_ids[0])
    assert (await numbers(session, horde, asked.request_id))["finished"] == 2
    assert await lives.balances(session, payer) == (2500 + 100_000 - 100 - 2 * 892, 0, 0)


async def test_a_cancelled_job_that_fails_does_not_wait_again(session, horde, payer, owner):
    asked = await lives.asked(session, horde, payer, n=2)
    work = (await lives.popped(session, horde, owner)).work
    await cancel.cancel(session, asked.request_id)
    await lives.submitted(session, horde, owner, work.attempt_ids[0], state="faulted")
    assert await factories.states(session, asked.request_id) == [JobState.CANCELLED] * 2
    assert (await lives.balances(session, payer)).held == 0


async def test_expired_requests_leave_their_attempts_and_give_back_their_holds(
    session, horde, payer, owner
):
    asked = await lives.asked(session, horde, payer, n=3)
    kept = await lives.asked(session, horde, payer)
    await lives.done(session, horde, owner)
    alive = (await lives.popped(session, horde, owner)).work.attempt_ids[0]
    rows, at = table(RequestRow), now()
    over = update(rows).where(rows.c.id == asked.request_id)
    almost = at - expiry.GRACE + timedelta(seconds=1)
    await session.execute(over.values(expires_at=almost))
    assert await cancel.expire(session, at=at, limit=9) == []
    await session.execute(over.values(expires_at=at - expiry.GRACE))
    (gone,) = await cancel.expire(session, at=at, limit=9)
    assert gone.request_id == asked.request_id
    assert len(gone.attempt_ids) == 2
    assert alive in gone.attempt_ids
    assert (await session.scalars(select(RequestRow.id))).all() == [kept.request_id]
    assert (await session.scalars(select(AttemptRow.job_id))).all() == [None, None]
    assert (await lives.balances(session, payer)).held == 892


async def test_pictures_of_gone_requests_are_deleted(session, horde, payer, owner):
    await lives.asked(session, horde, payer)
    work = (await lives.popped(session, horde, owner)).work
    name = f"{work.attempt_ids[0]}.webp"
    await horde.store.put(name, b"a picture")
    await session.execute(update(table(RequestRow)).values(expires_at=now() - expiry.GRACE))
    await cancel.delete_pictures(horde, await cancel.expire(session, at=now(), limit=9))
    assert not await horde.store.exists(name)
