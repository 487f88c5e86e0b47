"""Who is paid what, computed by hand: 512x512 pixels and 30 steps are 7.92 kudos (test_ask)."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

import factories
import lives
from core.catalog.agents import Standing
from core.db import now, table
from core.generation import kind, pop, status, submit
from core.generation.delivery import Delivery, Open
from core.kinds.alchemy import AlchemyParams
from core.kinds.image import ImageParams
from core.kinds.text import TextParams
from core.kudos import prices
from core.kudos.prices import Rates
from core.ledger import accounts, audit
from core.ledger.tables import SystemAccount
from core.queue import claim, endings, results
from core.queue.tables import AttemptRow, Job, JobState, Outcome, RequestRow
from core.users import directory
from core.users.tables import Role
from core.workers import conduct, fleet

NOTE = {"type": "source_mask", "value": "parse_failed", "ref": "the mask cannot be read"}
FLOOR = 2500
CENSORED = [{"type": "censorship", "value": "nsfw"}]


@pytest.fixture
async def payer(session):
    return (await factories.user(session, available=10_000))[0]


@pytest.fixture
async def owner(session):
    return (await factories.user(session))[0]


async def test_a_delivery_is_kept_and_paid(session, horde, payer, owner):
    asked = await lives.asked(session, horde, payer)
    work = (await lives.popped(session, horde, owner)).work
    metadata = [{"type": "information", "value": "see_ref", "ref": "x"}]
    settled = await lives.submitted(
        session, horde, owner, work.attempt_ids[0], metadata=metadata, seed=77
    )
    assert settled == submit.Settled(asked.request_id, 792, is_done=True)
    # 1 of tax at ask and 7.92 + 1 for the picture; what was held is given back.
    assert await lives.balances(session, payer) == (FLOOR + 10_000 - 100 - 892, 0, 0)
    assert await lives.balances(session, owner) == (FLOOR + 396, 0, 396)
    assert await accounts.balance(session, SystemAccount.TAX) == 200
    (kept,) = await results.of(session, asked.request_id)
    assert (kept.attempt_id, kept.number, kept.seed) == (work.attempt_ids[0], 0, 77)
    assert (kept.worker_name, kept.model) == ("a worker", "stable_diffusion")
    assert (kept.state, kept.censored, kept.charge) == ("ok", False, 892)
    assert kept.gen_metadata == metadata
    assert await factories.states(session, asked.request_id) == [JobState.DONE]
    assert (await audit.audit(session)).balanced


async def test_what_is_not_delivered_yet_stays_held(session, horde, payer, owner):
    await lives.asked(session, horde, payer, n=3)
    await lives.done(session, horde, owner)
    assert (await lives.balances(session, payer)).held == 2 * 892
    await lives.done(session, horde, owner)
    await lives.done(session, horde, owner)
    assert await lives.balances(session, payer) == (FLOOR + 10_000 - 100 - 3 * 892, 0, 0)


@pytest.mark.parametrize(
    ("agent", "reward"),
    [
        ("AI Horde Worker reGen:13:x", 792),
        ("AI Horde Worker reGen:12:x", 713),  # nine tenths
        ("AI Horde Worker:24:x", 594),  # three quarters
    ],
)
async def test_the_workers_program_decides_part_of_the_reward(session, horde, payer, agent, reward):
    owner, _ = await factories.user(session, roles=Role.TRUSTED)
    await lives.asked(session, horde, payer)
    settled = await lives.done(session, horde, owner, agent=agent)
    assert settled.reward == 792  # what workers are told
    assert await lives.balances(session, owner) == (FLOOR + reward, 0, 0)


@pytest.mark.parametrize(
    ("params", "models", "charge", "reward"),
    [
        ({}, ["SDXL 1.0"], 1684, 1584),  # twice
        ({"source_image": "x"}, [], 1130, 792),  # the requester pays three tenths more
        ({"post_processing": ["RealESRGAN_x4plus"]}, [], 1098, 950),  # 9.502 * 1.05 + 1
    ],
)
async def test_what_is_made_decides_the_rest(session, horde, payer, params, models, charge, reward):
    owner, _ = await factories.user(session, roles=Role.TRUSTED)
    await lives.asked(session, horde, payer, params=ImageParams(**params), models=models)
    await lives.done(session, horde, owner, models=models or ["stable_diffusion"])
    assert (await lives.balances(session, payer)).balance == FLOOR + 10_000 - 100 - charge
    assert (await lives.balances(session, owner)).balance == FLOOR + reward


async def test_a_censored_picture_costs_the_tax_only(session, horde, payer, owner):
    asked = await lives.asked(session, horde, payer)
    work = (await lives.popped(session, horde, owner)).work
    await lives.submitted(session, horde, owner, work.attempt_ids[0], metadata=CENSORED)
    assert await lives.balances(session, payer) == (FLOOR + 10_000 - 200, 0, 0)
    assert await lives.balances(session, owner) == (FLOOR + 396, 0, 396)
    assert await accounts.balance(session, SystemAccount.REWARDS) == -692
    (kept,) = await results.of(session, asked.request_id)
    assert (kept.censored, kept.state) == (True, "censored")


@pytest.mark.parametrize("state", ["censored", "csam"])
async def test_only_metadata_say_that_a_picture_is_censored(session, horde, payer, owner, state):
    asked = await lives.asked(session, horde, payer)
    work = (await lives.popped(session, horde, owner)).work
    await lives.submitted(session, horde, owner, work.attempt_ids[0], state=state)
    (kept,) = await results.of(session, asked.request_id)
    assert (kept.censored, kept.charge, kept.state) == (False, 892, "ok")


async def test_what_the_payer_lacks_is_forgiven(session, horde, owner):
    poor, _ = await factories.user(session, available=400)
    await lives.asked(session, horde, poor)
    await lives.done(session, horde, owner)
    assert await lives.balances(session, poor) == (FLOOR, 0, 0)
    assert await accounts.balance(session, SystemAccount.FORGIVENESS) == -(992 - 400)
    assert (await lives.balances(session, owner)).balance == FLOOR + 396


async def test_the_anonymous_user_pays_from_its_own_account(session, horde, owner):
    anonymous = await directory.by_id(session, 0)
    await lives.asked(session, horde, anonymous)
    await lives.done(session, horde, owner)
    assert await accounts.balance(session, SystemAccount.ANONYMOUS) == -992
    assert (await audit.audit(session)).balanced


async def test_a_delivery_lets_the_request_live_on(session, horde, payer, owner):
    asked = await lives.asked(session, horde, payer, n=2)
    work = (await lives.popped(session, horde, owner)).work
    soon = now() + timedelta(minutes=1)
    await session.execute(update(table(RequestRow)).values(expires_at=soon))
    await lives.submitted(session, horde, owner, work.attempt_ids[0])
    expires = select(RequestRow.expires_at).where(RequestRow.id == asked.request_id)
    assert await session.scalar(expires) > now() + timedelta(minutes=19)


# --- faults ---


async def test_a_fault_pays_nothing_and_lets_the_job_wait(session, horde, payer, owner):
    asked = await lives.asked(session, horde, payer)
    work = (await lives.popped(session, horde, owner)).work
    settled = await lives.submitted(session, horde, owner, work.attempt_ids[0], state="faulted")
    assert (settled.reward, settled.is_done) == (0, False)
    assert await lives.balances(session, payer) == (FLOOR + 9900, 892, 0)
    assert await lives.balances(session, owner) == (FLOOR, 0, 0)
    assert await factories.states(session, asked.request_id) == [JobState.WAITING]


async def failed(session, horde, owner, name):
    """The worker of this name pops a job and cannot make it. Returns the job's number, or None."""
    work = (await lives.popped(session, horde, owner, name=name)).work
    if work is None:
        return None
    await lives.submitted(
        session, horde, owner, work.attempt_ids[0], state="faulted", metadata=[NOTE]
    )
    return work.number


async def test_a_job_goes_to_another_worker_before_it_comes_back(session, horde, payer, owner):
    await lives.asked(session, horde, payer)
    assert await failed(session, horde, owner, "one") == 0
    assert (await lives.popped(session, horde, owner, name="one")).work is None
    assert (await lives.popped(session, horde, owner, name="two")).work.number == 0


async def test_a_worker_that_is_alone_tries_again_after_a_pause(
    session, horde, payer, owner, monkeypatch
):
    await lives.asked(session, horde, payer)
    assert await failed(session, horde, owner, "one") == 0
    later = now() + claim.RETRY_PAUSE
    monkeypatch.setattr(pop, "now", lambda: later)
    assert await failed(session, horde, owner, "one") == 0


async def test_where_others_are_there_they_have_longer(session, horde, payer, owner, monkeypatch):
    await lives.worker_named(session, owner, "two")
    await lives.asked(session, horde, payer)
    assert await failed(session, horde, owner, "one") == 0
    await horde.online.refresh(session, at=now())
    soon, late = now() + claim.RETRY_PAUSE, now() + pop.OTHERS_FIRST
    monkeypatch.setattr(pop, "now", lambda: soon)
    assert await failed(session, horde, owner, "one") is None
    monkeypatch.setattr(pop, "now", lambda: late)
    assert await failed(session, horde, owner, "one") == 0


@pytest.mark.usefixtures("no_pause")
@pytest.mark.parametrize("names", [("one", "two", "three"), ("one", "one", "one")])
async def test_three_opinions_end_a_picture_and_it_alone(session, horde, payer, owner, names):
    asked = await lives.asked(session, horde, payer, n=3)
    await lives.done(session, horde, owner, name="one")
    assert [await failed(session, horde, owner, name) for name in names] == [1, 1, 1]
    assert await factories.states(session, asked.request_id) == [
        JobState.DONE,
        JobState.FAULTED,
        JobState.WAITING,
    ]
    await lives.done(session, horde, owner, name="one")
    assert len(await results.of(session, asked.request_id)) == 2
    assert await lives.balances(session, payer) == (FLOOR + 10_000 - 100 - 2 * 892, 0, 0)


async def test_two_tries_of_one_worker_and_another_are_two_opinions(
    session, horde, payer, owner, no_pause
):
    asked = await lives.asked(session, horde, payer)
    for name in ("one", "one", "two"):
        assert await failed(session, horde, owner, name) == 0
    assert await factories.states(session, asked.request_id) == [JobState.WAITING]


async def test_the_reason_of_a_fault_is_kept(session, horde, payer, owner):
    asked = await lives.asked(session, horde, payer, n=2)
    await failed(session, horde, owner, "one")
    bad, good = await status.jobs_of(session, asked.request_id)
    assert (bad.faults, bad.reason) == (1, NOTE["ref"])
    assert (good.faults, good.reason) == (0, None)


async def test_who_fails_at_what_others_manage_goes_into_maintenance(session, horde, payer):
    owner, _ = await factories.user(session, roles=Role.TRUSTED)
    for _ in range(conduct.MAX_FAULTS):
        await lives.asked(session, horde, payer)
        assert await failed(session, horde, owner, "bad") == 0
        assert not (await fleet.by_name(session, "bad")).maintenance
        await lives.done(session, horde, owner, name="good")
    row = await fleet.by_name(session, "bad")
    assert row.maintenance
    assert "10 jobs failed" in row.maintenance_message
    assert not (await fleet.by_name(session, "good")).maintenance


@pytest.mark.usefixtures("no_pause")
async def test_a_request_at_which_all_fail_costs_nobody_its_name(session, horde, payer, owner):
    for _ in range(conduct.MAX_FAULTS + 1):
        await lives.asked(session, horde, payer)
        for name in ("one", "two", "three"):
            assert await failed(session, horde, owner, name) == 0
    await lives.asked(session, horde, payer)
    await lives.done(session, horde, owner, name="one")
    for name in ("one", "two", "three"):
        assert not (await fleet.by_name(session, name)).maintenance


async def test_who_mostly_succeeds_stays(session, horde, payer):
    owner, _ = await factories.user(session, roles=Role.TRUSTED)
    for _ in range(3):
        await lives.asked(session, horde, payer)
        await lives.done(session, horde, owner, name="fair")
    for _ in range(conduct.MAX_FAULTS):
        await lives.asked(session, horde, payer)
        assert await failed(session, horde, owner, "fair") == 0
        await lives.done(session, horde, owner, name="good")
    assert not (await fleet.by_name(session, "fair")).maintenance


async def test_workers_are_told_of_a_job_that_waits_again(session, horde, payer, owner):
    await lives.worker_named(session, owner)
    asked = await lives.asked(session, horde, payer)
    work = (await lives.popped(session, horde, owner)).work
    settled = await lives.submitted(session, horde, owner, work.attempt_ids[0], state="faulted")
    async with horde.bus.subscribe("jobs") as messages:
        await submit.announce(horde, settled)
        assert await anext(messages) == {"lane": next(iter(asked.lanes)), "count": 1}


async def test_watchers_are_told(session, horde, payer, owner):
    asked = await lives.asked(session, horde, payer)
    settled = await lives.done(session, horde, owner)
    async with horde.bus.subscribe(f"request:{asked.request_id}") as messages:
        await submit.announce(horde, settled)
        assert await anext(messages) == {"what": "done"}


# --- refusals ---


@pytest.mark.parametrize("job_id", ["", "x", "5d247d35-c3b1-43a5-bbb8-2879833ded75"])
async def test_an_unknown_job(session, owner, job_id):
    with pytest.raises(
        submit.InvalidJobID, match=f"Processing Job with ID {job_id} does not exist"
    ):
        await submit.look_up(session, owner, job_id, kind_name="image")


async def test_somebody_elses_job(session, horde, payer, owner):
    await lives.asked(session, horde, payer)
    work = (await lives.popped(session, horde, owner)).work
    with pytest.raises(fleet.WrongCredentials, match="rong credentials"):
        await submit.look_up(session, payer, str(work.attempt_ids[0]), kind_name="image")


async def test_a_job_of_a_request_that_is_over(session, horde, payer, owner):
    await lives.asked(session, horde, payer)
    work = (await lives.popped(session, horde, owner)).work
    await session.execute(update(table(RequestRow)).values(expires_at=now()))
    with pytest.raises(submit.InvalidJobID):
        await submit.look_up(session, owner, str(work.attempt_ids[0]), kind_name="image")


@pytest.mark.parametrize(
    ("outcome", "refusal", "words"),
    [
        (Outcome.DONE, submit.DuplicateGen, "already submitted"),
        (Outcome.FAULTED, submit.AbortedGen, "Please check your worker speed"),
        (Outcome.ABORTED, submit.AbortedGen, "Please check your worker speed"),
    ],
)
async def test_a_job_that_is_over(session, horde, payer, owner, outcome, refusal, words):
    """Also where it was still open when the worker's picture came in."""
    await lives.asked(session, horde, payer)
    work = (await lives.popped(session, horde, owner)).work
    attempt_id = work.attempt_ids[0]
    found = await submit.look_up(session, owner, str(attempt_id), kind_name="image")
    await session.execute(update(table(AttemptRow)).values(outcome=outcome))
    with pytest.raises(refusal, match=words):
        await submit.look_up(session, owner, str(attempt_id), kind_name="image")
    for state in ("ok", "faulted"):
        delivery = submit.Delivery(job_id=str(attempt_id), seed=1, state=state, metadata=[])
        with pytest.raises(refusal, match=words):
            await submit.submit(session, horde, found, delivery)
    assert (await lives.balances(session, owner)).balance == FLOOR


async def test_a_late_delivery_does_not_touch_its_successor(session, horde, payer, owner):
    asked = await lives.asked(session, horde, payer)
    late = (await lives.popped(session, horde, owner)).work.attempt_ids[0]
    await endings.abort_stale(session, at=now() + timedelta(hours=1), limit=9)
    await session.execute(
        update(table(RequestRow)).values(expires_at=now() + timedelta(minutes=20))
    )
    await lives.popped(session, horde, owner, name="another")
    with pytest.raises(submit.AbortedGen):
        await lives.submitted(session, horde, owner, late)
    assert await factories.states(session, asked.request_id) == [JobState.PROCESSING]
    assert (await session.scalars(select(Job.faults))).all() == [1]


async def test_a_request_is_settled_by_the_rates_that_it_was_priced_by(
    session, horde, payer, owner, monkeypatch
):
    """The next version is deployed while a request waits: its tax is the one that was agreed."""
    old = await lives.asked(session, horde, payer)
    monkeypatch.setitem(prices.VERSIONS, 2, Rates(picture_tax=300, worker={Standing.NEWEST: 3}))
    monkeypatch.setattr(prices, "VERSION", 2)
    new = await lives.asked(session, horde, payer)
    charges = {}
    for _ in range(2):
        settled = await lives.done(session, horde, owner)
        charges[settled.request_id] = (settled.reward, await lives.consumed(session, settled))
    assert charges == {old.request_id: (792, 892), new.request_id: (3 * 792, 792 + 300)}


@pytest.mark.parametrize("kind_name", ["text", "alchemy"])
async def test_texts_and_forms_are_settled_by_those_rates_too(kind_name, monkeypatch):
    monkeypatch.setitem(prices.VERSIONS, 2, Rates(text_tax=700, form_tax=700))
    params = {"text": TextParams(), "alchemy": AlchemyParams(source_image="x", tiles=1)}[kind_name]
    found = {}
    for version in (1, 2):
        attempt = SimpleNamespace(
            model="caption",
            prompt="",
            params=params.to_json(),
            terms={"version": version, "slow_workers": False},
        )
        worker = SimpleNamespace(agent="")
        opened = Open(attempt, worker, factories.person())
        found[version] = kind.of(kind_name).amounts(opened, Delivery(job_id="", text="")).charge
    assert found[2] == found[1] + 600


def test_rates_that_were_taken_back_are_the_newest():
    assert prices.agreed({"version": 10**6}) is prices.NEWEST
