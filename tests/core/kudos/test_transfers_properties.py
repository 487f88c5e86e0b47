"""Any sequence of gifts, charges and changes keeps the books right and shared keys' budgets exact.

Beside the rows runs a model of a few lines; after every step they must agree.
"""

import asyncio
import itertools
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

import factories
from core.accounts import shared_keys as owned_keys
from core.db import Database, now
from core.kudos import refusals, settlement, transfers
from core.ledger import accounts, audit
from core.users import shared_keys
from core.users.shared_keys import SharedKeyInsufficientKudos, Standing

NUMBERS = itertools.count()
AMOUNTS = st.integers(1, 400)
A_WHILE = transfers.NOT_BACK_FOR + timedelta(seconds=1)


@dataclass
class Person:
    user: object
    available: int


@dataclass
class Key:
    id: UUID
    owner: Person
    budget: int | None
    utilized: int = 0
    requests: dict[UUID, int] = field(default_factory=dict)

    @property
    def held(self):
        return sum(self.requests.values())


class Giving(RuleBasedStateMachine):
    people = Bundle("people")
    keys = Bundle("keys")

    def __init__(self, run, moved):
        super().__init__()
        self.run = run
        self.moved = moved
        self.at = now()
        self.persons = []
        self.shared = []

    @initialize(target=people)
    def start(self):
        return multiple(self.register(1000), self.register(300))

    @rule(target=people, available=AMOUNTS)
    def register(self, available):
        user, _ = self.run(factories.user, available=available)
        self.persons.append(Person(user, available))
        return self.persons[-1]

    @initialize(target=keys)
    def start_key(self):
        owner = self.register(1000)
        return self.make(owner, 600)

    @rule(target=keys, owner=people, budget=st.one_of(st.none(), AMOUNTS))
    def make(self, owner, budget):
        made = self.run(_made, owner=owner.user, budget=budget)
        if made is None:  # three already
            return multiple()
        self.shared.append(Key(made, owner, budget))
        return self.shared[-1]

    @rule(giver=people, receiver=people, amount=AMOUNTS, again=st.booleans())
    def give(self, giver, receiver, amount, again):
        self._give(giver, receiver, receiver.user.alias, amount, again)

    @rule(giver=people, key=keys, amount=AMOUNTS)
    def give_to_a_key(self, giver, key, amount):
        if self._give(giver, key.owner, str(key.id), amount, again=False):
            key.budget = None if key.budget is None else key.budget + amount
            self.moved["to a key"] += amount

    def _give(self, giver, receiver, target, amount, again):
        self.at += A_WHILE
        client_key = str(next(NUMBERS))
        ask = {"giver": giver.user, "target": target, "client_key": client_key, "at": self.at}
        try:
            for _ in range(2 if again else 1):
                self.run(transfers.give, amount=amount, **ask)
        except refusals.KudosTransferToSelf:
            assert giver is receiver
            return False
        except refusals.KudosTransferNotEnough:
            assert amount > giver.available
            return False
        assert giver is not receiver
        giver.available -= amount
        receiver.available += amount
        self.moved["given twice" if again else "given"] += amount
        return True

    @rule(key=keys, cost=AMOUNTS, allow=st.booleans())
    def reserve(self, key, cost, allow):
        left = cost if key.budget is None else max(0, key.budget - key.held)
        request_id = uuid4()
        try:
            standing = self.run(
                shared_keys.reserve,
                key_id=key.id,
                request_id=request_id,
                cost=cost,
                allow_downgrade=allow,
            )
        except SharedKeyInsufficientKudos:
            assert cost > left
            assert not allow
            return
        assert standing is (Standing.OWNER if cost <= left else Standing.LAST)
        key.requests[request_id] = min(cost, left)
        self.moved["reserved"] += min(cost, left)

    @rule(key=keys, charge=AMOUNTS)
    def settle(self, key, charge):
        if not key.requests:
            return
        request_id = next(iter(key.requests))
        taken = min(charge, key.requests[request_id])
        if key.budget is not None:
            free = max(0, key.budget - key.held)
            key.budget -= taken + min(free, charge - taken)
        key.requests[request_id] -= taken
        key.utilized += charge
        key.owner.available -= min(charge, key.owner.available)
        self.run(_charged, owner=key.owner.user, request_id=request_id, charge=charge)
        self.moved["charged"] += charge

    @rule(key=keys)
    def release(self, key):
        self.moved["released"] += key.held
        self.run(shared_keys.release, request_ids=list(key.requests))
        key.requests.clear()

    @invariant()
    def rows_are_as_expected(self):
        assert self.run(_budgets, ids=[key.id for key in self.shared]) == {
            key.id: (key.budget, key.held, key.utilized) for key in self.shared
        }
        available = self.run(_available, users=[person.user for person in self.persons])
        assert available == [person.available for person in self.persons]

    def teardown(self):
        said = self.run(audit.audit)
        assert said.balanced
        assert said.entries_sum == 0


async def _made(session, owner, budget):
    try:
        made = await owned_keys.create(session, owner, {"budget": budget}, at=now())
    except owned_keys.TooManySharedKeys:
        return None
    return made.id


async def _charged(session, owner, request_id, charge):
    await shared_keys.consume(session, request_id, charge)
    await settlement.charge_tax(
        session, key=f"charge {next(NUMBERS)}", payer_account=owner.account_id, amount=charge
    )


async def _budgets(session, ids):
    found = {}
    for key_id in ids:
        key = await shared_keys.by_id(session, key_id)
        found[key_id] = (key.budget, key.held, key.utilized)
    return found


async def _available(session, users):
    return [(await accounts.funds(session, user.account_id)).available for user in users]


@pytest.fixture
def run(database_url):
    """Run a coroutine function in a transaction of its own."""
    with asyncio.Runner() as runner:
        database = Database(database_url)

        async def transaction(work, **arguments):
            async with database.writing() as session:
                return await work(session, **arguments)

        yield lambda work, **arguments: runner.run(transaction(work, **arguments))
        runner.run(database.close())


def test_every_move_moves_something(run):
    """One sequence in which each happens: which sequences are tried below is left to chance."""
    moved = Counter()
    giving = Giving(run, moved)
    giver, receiver = giving.register(1000), giving.register(300)
    key = giving.make(receiver, 600)
    giving.give(giver, receiver, 100, again=False)
    giving.give(giver, receiver, 100, again=True)
    giving.give_to_a_key(giver, key, 50)
    giving.reserve(key, 200, allow=False)
    giving.settle(key, 80)
    giving.release(key)
    giving.rows_are_as_expected()
    giving.teardown()
    kinds = {"given", "given twice", "to a key", "reserved", "charged", "released"}
    assert {kind for kind in kinds if moved[kind] > 0} == kinds


@pytest.mark.timeout(600)  # a failure is shrunk, which takes minutes on real databases
def test_any_sequence_of_gifts_and_charges_keeps_the_books_right(run):
    run_state_machine_as_test(
        lambda: Giving(run, Counter()),
        settings=settings(
            max_examples=30,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
