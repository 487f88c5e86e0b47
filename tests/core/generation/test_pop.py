from datetime import timedelta

import pytest
from sqlalchemy import select, update

import factories
import lives
from core.catalog import agents
from core.db import now, table
from core.generation import pop
from core.kinds.image import ImageParams
from core.queue import claim
from core.queue.crews import OnlineWorker
from core.queue.matching import Needs, Offer
from core.queue.tables import AttemptRow, Outcome, RequestRow


@pytest.fixture
async def payer(session):
    return (await factories.user(session, available=100_000))[0]


@pytest.fixture
async def owner(session):
    return (await factories.user(session))[0]


def count_again(horde):
    """Let the next look at the queue be a new one, however soon it comes."""
    horde.counts.read_at = float("-inf")


async def test_work_is_what_was_asked(session, horde, payer, owner):
    params = ImageParams(width=640)
    asked = await lives.asked(session, horde, payer, params=params, n=3, seed="7")
    popped = await lives.popped(session, horde, owner, amount=2)
    work = popped.work
    assert (work.request_id, work.prompt, work.params) == (asked.request_id, "a red fox", params)
    assert (work.seed, work.model, len(work.attempt_ids)) == (7, "stable_diffusion", 2)
    assert work.seconds == 150
    rows = (await session.execute(select(table(AttemptRow)).order_by(AttemptRow.job_id))).all()
    assert [row.id for row in rows] == work.attempt_ids
    for row in rows:
        assert (row.worker_id, row.owner_id, row.user_id) == (popped.worker.id, owner.id, payer.id)
        assert (row.model, row.things) == ("stable_diffusion", params.things)
        assert (row.outcome, row.kind) == (Outcome.ALIVE, "image")
        assert row.deadline - row.started_at == timedelta(seconds=150)


@pytest.mark.parametrize(("extra_slow", "minutes"), [(False, 20), (True, 60)])
async def test_a_pop_lets_the_request_live_on(session, horde, payer, owner, extra_slow, minutes):
    asked = await lives.asked(session, horde, payer, extra_slow_workers=True)
    soon = now() + timedelta(minutes=1)
    await session.execute(update(table(RequestRow)).values(expires_at=soon))
    await lives.popped(session, horde, owner, extra_slow=extra_slow)
    expires = await session.scalar(
        select(RequestRow.expires_at).where(RequestRow.id == asked.request_id)
    )
    assert expires - now() == pytest.approx(timedelta(minutes=minutes), abs=timedelta(seconds=30))


async def test_a_batch_is_as_large_as_is_safe(session, horde, payer, owner):
    await lives.asked(session, horde, payer, n=9)
    popped = await lives.popped(session, horde, owner, amount=9, max_pixels=512 * 512)
    assert len(popped.work.attempt_ids) == 3  # 9 / 3.5


async def test_nothing_to_do_says_why(session, horde, payer, owner):
    await lives.asked(session, horde, payer, n=2, models=["Deliberate"], nsfw=True)
    count_again(horde)
    popped = await lives.popped(session, horde, owner, nsfw=False)
    assert popped.work is None
    assert popped.skipped == {"models": 2, "nsfw": 2}


async def test_maintenance_serves_its_owner_only(session, horde, payer, owner):
    worker = await lives.worker_named(session, owner)
    await factories.change_worker(session, worker.id, maintenance=True)
    await lives.asked(session, horde, payer)
    popped = await lives.popped(session, horde, owner)
    assert popped.work is None
    with pytest.raises(pop.WorkerMaintenance, match="maintenance mode"):
        pop.refuse_maintenance(popped.worker)
    own = await lives.asked(session, horde, owner)
    work = (await lives.popped(session, horde, owner)).work
    assert work.request_id == own.request_id


async def test_a_maintenance_message_is_the_owners(session, horde, owner):
    worker = await lives.worker_named(session, owner)
    await factories.change_worker(
        session, worker.id, maintenance=True, maintenance_message="Back at noon."
    )
    popped = await lives.popped(session, horde, owner)
    with pytest.raises(pop.WorkerMaintenance, match="Back at noon"):
        pop.refuse_maintenance(popped.worker)


async def test_a_new_worker_is_seen_at_once(session, horde, payer, owner):
    await horde.online.refresh(session, at=now())
    await lives.popped(session, horde, owner)
    assert (await lives.asked(session, horde, payer)).warnings == []


async def test_an_unknown_program_gets_no_pictures_by_url(session, horde, payer, owner):
    await lives.asked(session, horde, payer)
    agent = "somebody's:1:x"
    program = agents.agent(agent)
    count_again(horde)
    popped = await lives.popped(session, horde, owner, agent=agent, program=program)
    assert popped.work is None
    assert popped.skipped == {"bridge_version": 1}
    await lives.asked(session, horde, payer, params=ImageParams(r2=False))
    popped = await lives.popped(session, horde, owner, agent=agent, program=program)
    assert not popped.work.params.r2


async def test_watchers_are_told(session, horde, payer, owner):
    asked = await lives.asked(session, horde, payer)
    popped = await lives.popped(session, horde, owner)
    async with horde.bus.subscribe(f"request:{asked.request_id}") as messages:
        await pop.announce(horde, popped)
        assert await anext(messages) == {"what": "processing"}


@pytest.mark.parametrize(
    ("asked", "chosen"), [(["a"], {"a"}), (["a", "b", "z"], {"a", "b"}), ([], {"a", "b"})]
)
def test_the_model_is_one_that_both_have(asked, chosen):
    offer = Offer(models=frozenset("ab"))
    needs = Needs(models=frozenset(asked))
    assert {pop.choose_model(needs, None, offer) for _ in range(50)} == chosen


def test_an_alchemists_model_is_the_form():
    limited = Offer(models=frozenset("ab"), steps=30, step_limits=frozenset({("a", 8)}))
    for steps, models in ((8, {"a", "b"}), (9, {"b"})):
        assert {pop.choose_model(Needs(steps=steps), None, limited) for _ in range(50)} == models
    its = Needs(kind="alchemy")
    assert pop.choose_model(its, "form:caption", Offer(kind="alchemy")) == "caption"


@pytest.mark.parametrize("forms", [{"caption", "nsfw"}, {"nsfw"}])
def test_an_alchemist_leaves_what_it_failed_at_to_others_with_that_form(horde, forms):
    def alchemist(number, forms):
        features = frozenset(f"form:{form}" for form in forms)
        return Offer(kind="alchemy", worker_id=f"worker {number}", features=features)

    one = alchemist(1, {"caption"})
    horde.online.serving = [OnlineWorker(it, 1, 1) for it in (one, alchemist(2, forms))]
    expected = pop.OTHERS_FIRST if "caption" in forms else claim.RETRY_PAUSE
    assert pop._retry_pause(horde, one, 1) == expected
