"""Any sequence of what moves kudos keeps the books right, on real rows and real transactions.

Beside the rows runs a model of a few lines; after every step they must agree.
"""

import asyncio
import itertools
from collections import Counter
from dataclasses import dataclass

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
from sqlalchemy import text

import factories
from core.db import Database
from core.kudos import settlement
from core.ledger import audit, events
from core.ledger.tables import SystemAccount

NUMBERS = itertools.count()
AMOUNTS = st.integers(0, 500)


@dataclass
class Person:
    spendable: int
    escrow: int
    floor: int


@dataclass
class Row:
    balance: int = 0
    held: int = 0


class Books(RuleBasedStateMachine):
    people = Bundle("people")
    placed = Bundle("placed")
    posted = Bundle("posted")

    def __init__(self, run, moved):
        super().__init__()
        self.run = run
        self.moved = moved
        self.rows = {}
        self.floors = {}
        self.holds = {}

    def available(self, account):
        row = self.rows[account]
        return row.balance - row.held - self.floors[account]

    def add(self, account, amount):
        if account in self.rows:
            self.rows[account].balance += amount

    @initialize(target=people)
    def start(self):
        """Without somebody to pay, short sequences would move nothing."""
        return multiple(self.open(1400, 500), self.open(0, 200))

    @rule(target=people, floor=st.sampled_from([0, 1400, 2500]), available=AMOUNTS)
    def open(self, floor, available):
        pair = self.run(factories.account_pair, floor=floor, available=available)
        self.rows |= {pair.spendable: Row(floor + available), pair.escrow: Row()}
        self.floors |= {pair.spendable: floor, pair.escrow: 0}
        return Person(*pair, floor)

    @rule(target=placed, person=people, amount=AMOUNTS, partly=st.booleans())
    def place(self, person, amount, partly):
        key = f"hold {next(NUMBERS)}"
        self._place(key, person.spendable, amount, partly)
        return key, person

    def _place(self, key, account, amount, partly):
        covered = min(amount, self.available(account))
        expected = covered if partly or covered == amount else None
        if expected is not None:
            self.holds[key] = expected
            self.rows[account].held += expected
            self.moved["held"] += expected
        got = self.run(factories.hold, key=key, account_id=account, amount=amount, partly=partly)
        assert got == expected

    @rule(hold=placed)
    def release(self, hold):
        key, person = hold
        expected = self.holds.pop(key, 0)
        self.rows[person.spendable].held -= expected
        self.moved["released"] += expected
        assert self.run(factories.release, key=key) == expected

    @rule(
        target=posted,
        hold=placed,
        owner=people,
        trusted=st.booleans(),
        charge=AMOUNTS,
        reward=AMOUNTS,
    )
    def settle_from_a_hold(self, hold, owner, trusted, charge, reward):
        key, payer = hold
        captured = min(charge, self.holds.get(key, 0))
        if key in self.holds:
            self.holds[key] -= captured
        means = captured + self.available(payer.spendable)
        self.rows[payer.spendable].held -= captured
        self.moved["captured"] += captured
        return self._settle(payer, means, owner, trusted, charge, reward, key)

    @rule(
        target=posted,
        payer=people,
        owner=people,
        trusted=st.booleans(),
        charge=AMOUNTS,
        reward=AMOUNTS,
    )
    def settle_without_a_hold(self, payer, owner, trusted, charge, reward):
        means = self.available(payer.spendable)
        return self._settle(payer, means, owner, trusted, charge, reward, None)

    @rule(target=posted, owner=people, trusted=st.booleans(), charge=AMOUNTS, reward=AMOUNTS)
    def settle_for_the_anonymous_user(self, owner, trusted, charge, reward):
        anonymous = Person(SystemAccount.ANONYMOUS, 0, 0)
        return self._settle(anonymous, charge, owner, trusted, charge, reward, None)

    @rule(payer=people, owner=people, trusted=st.booleans(), charge=AMOUNTS, jobs=st.integers(1, 3))
    def ask_and_be_served(self, payer, owner, trusted, charge, jobs):
        hold = self.place(payer, charge * jobs + 1, partly=True)
        for _ in range(jobs):
            self.settle_from_a_hold(hold, owner, trusted, charge, reward=charge)
        self.release(hold)

    def _settle(self, payer, means, owner, trusted, charge, reward, hold_key):
        to_escrow = 0 if trusted else reward // 2
        if payer is owner:
            means += reward - to_escrow
        self.add(payer.spendable, -min(charge, means))
        self.add(owner.spendable, reward - to_escrow)
        self.add(owner.escrow, to_escrow)
        self.moved["rewarded"] += reward
        self.moved["forgiven"] += max(0, charge - means)
        key = f"event {next(NUMBERS)}"
        self._post_settlement(key, payer, owner, trusted, charge, reward, hold_key)
        return key, payer, owner, hold_key

    def _post_settlement(self, key, payer, owner, trusted, charge, reward, hold_key):
        self.run(
            settlement.settle,
            key=key,
            payer_account=payer.spendable,
            owner_account=owner.spendable,
            owner_escrow=owner.escrow,
            owner_trusted=trusted,
            charge=charge,
            reward=reward,
            hold_key=hold_key,
            kind="image",
        )

    @rule(event=posted, charge=AMOUNTS, reward=AMOUNTS)
    def settle_again(self, event, charge, reward):
        key, payer, owner, hold_key = event
        self._post_settlement(key, payer, owner, True, charge, reward, hold_key)
        self.moved["repeated"] += 1

    @rule(payer=people, amount=AMOUNTS)
    def tax(self, payer, amount):
        self.add(payer.spendable, -min(amount, self.available(payer.spendable)))
        key = f"event {next(NUMBERS)}"
        for _ in range(2):
            self.run(settlement.charge_tax, key=key, payer_account=payer.spendable, amount=amount)

    @rule(giver=people, taker=people, amount=AMOUNTS)
    def give(self, giver, taker, amount):
        entries = Counter({giver.spendable: -amount})
        entries.update({taker.spendable: amount})
        key = f"event {next(NUMBERS)}"
        covered = giver is taker or amount <= self.available(giver.spendable)
        try:
            self.run(events.post, kind="gift", key=key, entries=entries)
        except events.InsufficientKudos:
            assert not covered
            return
        assert covered
        self.add(giver.spendable, -amount)
        self.add(taker.spendable, amount)
        self.moved["given"] += amount

    @invariant()
    def rows_are_as_expected(self):
        rows = self.run(_rows, accounts=self.rows)
        assert rows == {account: (row.balance, row.held) for account, row in self.rows.items()}
        assert all(self.available(account) >= 0 for account in self.rows)

    def teardown(self):
        assert self.run(_sums) == (0, 0, 0)
        assert self.run(audit.audit).balanced


async def _rows(session, accounts):
    found = await session.execute(text("SELECT id, balance, held FROM accounts WHERE id >= 100"))
    return {row.id: (row.balance, row.held) for row in found if row.id in accounts}


async def _sums(session):
    """Of all entries; how many events are not zero; how many balances are not their entries."""
    questions = (
        "SELECT COALESCE(SUM(amount), 0) FROM ledger_entries",
        """SELECT COUNT(*) FROM ledger_events v WHERE
            (SELECT SUM(amount) FROM ledger_entries e WHERE e.event_id = v.id) <> 0""",
        """SELECT COUNT(*) FROM accounts a WHERE id >= 100 AND balance <> COALESCE(
            (SELECT SUM(amount) FROM ledger_entries e WHERE e.account_id = a.id), 0)""",
    )
    return tuple([await session.scalar(text(question)) for question in questions])


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
    books = Books(run, moved)
    payer, owner = books.open(1400, 500), books.open(0, 200)
    hold = books.place(payer, 300, partly=False)
    event = books.settle_from_a_hold(hold, owner, trusted=False, charge=100, reward=90)
    books.settle_again(event, charge=100, reward=90)
    books.release(hold)
    books.settle_without_a_hold(payer, owner, trusted=True, charge=1000, reward=90)
    books.give(owner, payer, 10)
    books.rows_are_as_expected()
    books.teardown()
    kinds = {"held", "released", "captured", "rewarded", "forgiven", "repeated", "given"}
    assert {kind for kind in kinds if moved[kind] > 0} == kinds


@pytest.mark.timeout(600)  # a failure is shrunk, which takes minutes on real databases
def test_any_sequence_of_moves_keeps_the_books_right(run):
    run_state_machine_as_test(
        lambda: Books(run, Counter()),
        settings=settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
