"""A kind that is made outside of the core: tunes, registered by two lines and nothing else.

It goes through the domain's own functions, so what a new kind costs is what stands here: its
parameters, its rules, what becomes of its requests.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

import pytest
from sqlalchemy import insert, select

import factories
import lives
from core.db import now, table
from core.errors import Invalid
from core.generation import admission, ask, cancel, kind, pop, status, submit
from core.generation.admission import Caller
from core.generation.delivery import Amounts, Delivery, Open
from core.generation.protocol import Kind
from core.generation.specs import KudosUpfront, Quote, RequestSpec
from core.kinds import registry
from core.kinds.kind import Rules
from core.ledger import audit
from core.ledger.tables import Event
from core.moderation import shipped
from core.outbox.tables import LetterRow
from core.queue import results
from core.queue.matching import Needs
from core.queue.requests import NewJob
from core.queue.tables import JobState
from core.queue.waiting import WaitingCounts
from core.upkeep import steps
from core.users import suspicion
from core.users.shared_keys import BeyondSharedKey
from core.users.tables import SharedKeyRow
from core.workers import fleet
from core.workers.tables import WorkerRow

FLOOR = 2500
A_BAR = 10
"""Hundredths of a kudos."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneParams:
    """A tune of so many bars."""

    bars: int = 8
    disable_batching: bool = False

    def to_json(self):
        return asdict(self)

    @property
    def things(self):
        return self.bars

    @property
    def sources(self):
        return []

    def seconds(self, _baseline, *, extra_slow):
        return 60 * (3 if extra_slow else 1)

    def safe_batch(self, amount, _max_pixels):
        return amount


class TuneRules(Rules):
    """Workers bring any instrument, which stands for a model."""

    name = "tune"
    usual_speed = 2.0
    usual_pace = (0.0, 0.5)
    max_models = 3
    max_drops = 1

    def params_from(self, document):
        return TuneParams(**document)

    def sizes(self, params):
        return {"tokens": params.bars}


class Tunes(Kind[TuneParams]):
    """A bar is ten hundredths of a kudos; more than 100 have to be paid in advance."""

    rules = TuneRules()

    def check(self, wanted):
        if not wanted.params.bars:
            raise Invalid("A tune has a bar at least.")

    def needs(self, wanted):
        return Needs(kind=self.name, length=wanted.params.bars)

    def jobs(self, wanted):
        return [NewJob(seed, wanted.params.things) for seed in range(wanted.n)]

    def quote(self, wanted):
        return Quote(price=A_BAR, results=wanted.n * A_BAR * wanted.params.bars, tax=5)

    def lighter(self, _horde, wanted):
        return None if wanted.params.bars <= 100 else wanted

    def amounts(self, found: Open, delivery: Delivery) -> Amounts:
        price = A_BAR * found.attempt.params["bars"]
        return Amounts(announced_reward=price, reward=price - 2, charge=price)

    def told(self, _horde, _found, delivery) -> dict[str, Any]:
        return {"tune": delivery.text}

    def uptime_reward(self, offer):
        return 7 * len(offer.models)


@pytest.fixture(autouse=True)
def tunes(monkeypatch):
    """The two lines that a new kind costs."""
    monkeypatch.setitem(registry.KINDS, "tune", Tunes.rules)
    monkeypatch.setitem(kind.KINDS, "tune", Tunes())


@pytest.fixture
async def players(session):
    """Who asks, and the owner of the worker that plays."""
    await shipped.ensure(session)
    payer, _ = await factories.user(session, username="payer", available=10_000)
    owner, _ = await factories.user(session, username="owner")
    return payer, owner


def tune(*, bars=8, **changes):
    given = {"kind": "tune", "prompt": "a waltz", "n": 1, "params": TuneParams(bars=bars)}
    return RequestSpec(**given | changes)


async def asked(session, horde, payer, wanted):
    admitted = await admission.admit(session, horde, Caller(user=payer), wanted)
    return await ask.ask(session, horde, admitted.requester, admitted.wanted)


def declared(**changes):
    own = {"kind": "tune", "models": ["lute"], "permissions": frozenset()}
    return factories.declared(**own | changes)


async def popped(session, horde, owner, *, amount=1, **changes):
    return await pop.pop(session, horde, owner, declared(**changes), amount=amount)


async def submitted(session, horde, owner, attempt_id, **delivered):
    delivery = Delivery(job_id=str(attempt_id), text="do re mi", **delivered)
    found = await submit.look_up(session, owner, delivery.job_id, kind_name="tune")
    return await submit.submit(session, horde, found, delivery)


async def test_a_tune_is_asked_for_played_and_paid(session, horde, players):
    payer, owner = players
    accepted = await asked(session, horde, payer, tune(n=2, webhook="https://example.org/tunes"))
    assert accepted.price == A_BAR
    assert (await lives.balances(session, payer)).held == 160
    (work,) = (await popped(session, horde, owner, amount=5)).works
    assert (len(work.attempt_ids), work.model, work.seconds) == (2, "lute", 60)
    assert work.params == TuneParams(bars=8)
    for attempt_id in work.attempt_ids:
        settled = await submitted(session, horde, owner, attempt_id)
        assert (settled.reward, settled.is_done) == (80, True)
    assert await lives.balances(session, payer) == (FLOOR + 10_000 - 5 - 160, 0, 0)
    # 78 for each: half of it in escrow, since nobody trusts the owner yet.
    assert await lives.balances(session, owner) == (FLOOR + 78, 0, 78)
    kept = await results.of(session, accepted.request_id)
    assert [(row.text, row.state) for row in kept] == [("do re mi", "ok")] * 2
    assert await factories.states(session, accepted.request_id) == [JobState.DONE] * 2
    letters = (await session.execute(select(table(LetterRow)))).all()
    assert [json.loads(letter.body)["tune"] for letter in letters] == ["do re mi"] * 2
    assert (await audit.audit(session)).balanced


async def test_its_speed_is_judged_and_foretold_by_its_rules(session, horde, players, monkeypatch):
    payer, owner = players
    accepted = await asked(session, horde, payer, tune(bars=100))
    await popped(session, horde, owner, max_length=1)
    seen = await status.look(session, horde, str(accepted.request_id), kind="tune")
    assert not seen.outlook.possible
    await fleet.check_in(session, owner, declared(name="able"), at=now())
    horde.online.forget()
    seen = await status.look(session, horde, str(accepted.request_id), kind="tune")
    assert (seen.outlook.possible, seen.outlook.seconds) == (True, 50)  # 100 bars, 2 a second
    work = (await popped(session, horde, owner, name="third")).work
    monkeypatch.setattr(TuneRules, "fastest", lambda *_: 0.01)
    await submitted(session, horde, owner, work.attempt_ids[0])
    assert await suspicion.count(session, owner.id, at=now()) == 1


async def test_skip_reasons_say_why_there_is_none(session, horde, players):
    payer, owner = players
    await asked(session, horde, payer, tune(bars=64, models=["harp"]))
    await asked(session, horde, payer, tune(bars=64))
    horde.counts = WaitingCounts()  # what was counted before is kept for a second
    found = await popped(session, horde, owner, max_length=32)
    assert not found.works
    assert found.skipped == {"models": 1, "max_length": 2}
    pictures = await pop.pop(session, horde, owner, factories.declared(name="p"), amount=1)
    assert (pictures.work, pictures.skipped) == (None, {})


async def test_its_rules_refuse(session, horde, players):
    payer, _ = players
    with pytest.raises(Invalid, match="a bar at least"):
        await asked(session, horde, payer, tune(bars=0))
    with pytest.raises(ask.MissingPrompt):
        await asked(session, horde, payer, tune(prompt=" "))
    with pytest.raises(KudosUpfront):
        await asked(session, horde, payer, tune(bars=2000))
    adding = insert(table(SharedKeyRow)).values(user_id=payer.id, max_text_tokens=8)
    key = await session.scalar(adding.returning(SharedKeyRow.id))
    caller = Caller(user=admission.UnknownKey("No such key."), key=str(key))
    await admission.admit(session, horde, caller, tune(bars=8))
    with pytest.raises(BeyondSharedKey):
        await admission.admit(session, horde, caller, tune(bars=9))


async def test_a_fault_lets_it_wait_again_and_a_cancel_gives_the_kudos_back(
    session, horde, players
):
    payer, owner = players
    accepted = await asked(session, horde, payer, tune())
    work = (await popped(session, horde, owner)).work
    settled = await submitted(session, horde, owner, work.attempt_ids[0], state="faulted")
    assert not settled.is_done
    assert await factories.states(session, accepted.request_id) == [JobState.WAITING]
    await cancel.cancel(session, accepted.request_id)
    assert await lives.balances(session, payer) == (FLOOR + 10_000 - 5, 0, 0)


async def test_a_worker_is_paid_for_being_there(session, horde, players):
    _, owner = players
    worker = (await popped(session, horde, owner, models=["lute", "lyre"])).worker
    await factories.change_worker(session, worker.id, uptime_seconds=600)
    await steps.pay_uptime(session, horde, now())
    assert (await lives.balances(session, owner)).escrow == 14
    (kept,) = await session.scalars(select(WorkerRow.kind))
    assert kept == "tune"


async def test_no_event_of_the_ledger_is_empty(session, horde, players, monkeypatch):
    payer, _ = players
    monkeypatch.setattr(Tunes, "quote", lambda *_: Quote(price=0, results=80, tax=0))
    await asked(session, horde, payer, tune())
    assert "tax" not in (await session.scalars(select(Event.kind))).all()
