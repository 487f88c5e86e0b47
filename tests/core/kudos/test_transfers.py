"""Kudos from one user to another: who may, how often, and what a repeated call does."""

from datetime import timedelta

import pytest

import factories
from core.accounts import shared_keys as owned_keys
from core.db import now
from core.kudos import refusals, transfers
from core.ledger import accounts, audit
from core.users import directory, shared_keys, suspicion
from core.users.tables import Reason, Role

AT = now()


@pytest.fixture
def database_url(sqlite_url):
    """One engine: the races run on both."""
    return sqlite_url


@pytest.fixture
async def giver(session):
    user, _ = await factories.user(session, username="Giver", available=1000)
    return user


@pytest.fixture
async def receiver(session):
    user, _ = await factories.user(session, username="Receiver")
    return user


async def give(session, giver, target, amount=100, *, key=None, at=AT):
    alias = target if isinstance(target, str) else target.alias
    await transfers.give(session, giver, target=alias, amount=amount, client_key=key, at=at)


async def available(session, user):
    return (await accounts.funds(session, user.account_id)).available


async def test_kudos_move_and_none_appear(session, giver, receiver):
    await give(session, giver, receiver, 1000)
    assert (await available(session, giver), await available(session, receiver)) == (0, 1000)
    assert (await audit.audit(session)).balanced


async def test_the_floor_is_not_given_away(session, giver, receiver):
    with pytest.raises(refusals.KudosTransferNotEnough):
        await give(session, giver, receiver, 1001)


async def test_a_repeated_call_moves_kudos_once(session, giver, receiver):
    for _ in range(3):
        await give(session, giver, receiver, 600, key="a")
    assert await available(session, receiver) == 600
    await give(session, giver, receiver, 200)
    await give(session, giver, receiver, 200)  # without a key, each call is another gift
    assert await available(session, receiver) == 1000
    await directory.set_roles(session, receiver, grant=Role.FLAGGED)
    await give(session, giver, receiver, 600, key="a")  # whatever became of the two


@pytest.mark.parametrize("changed", ["amount", "receiver"])
async def test_a_key_stands_for_one_transfer(session, giver, receiver, changed):
    await give(session, giver, receiver, 100, key="a")
    other, _ = await factories.user(session)
    target, amount = (receiver, 101) if changed == "amount" else (other, 100)
    with pytest.raises(refusals.IdempotencyKeyConflict):
        await give(session, giver, target, amount, key="a")


async def test_a_key_is_the_givers_own(session, giver, receiver):
    other, _ = await factories.user(session, available=1000)
    await give(session, giver, receiver, 100, key="a")
    await give(session, other, receiver, 200, key="a")
    assert await available(session, receiver) == 300


async def test_nothing_goes_back_for_a_minute(session, giver, receiver):
    await give(session, giver, receiver, 100)
    await give(session, giver, receiver, 100, at=AT + timedelta(seconds=1))
    await give(session, receiver, giver, 50, at=AT + timedelta(seconds=61))
    assert await available(session, receiver) == 150
    with pytest.raises(refusals.TooFastKudosTransfers):
        await give(session, giver, receiver, 50, at=AT + timedelta(seconds=120))


async def test_a_shared_key_gets_them_for_its_owner(session, giver, receiver):
    limited = await owned_keys.create(session, receiver, {"budget": 100}, at=AT)
    unlimited = await owned_keys.create(session, receiver, {"budget": None}, at=AT)
    for key in (limited, unlimited):
        await give(session, giver, str(key.id), 300)
    assert await available(session, receiver) == 600
    assert (await shared_keys.by_id(session, limited.id)).budget == 400
    assert (await shared_keys.by_id(session, unlimited.id)).budget is None


@pytest.mark.parametrize(
    ("roles", "received"), [(Role.EDUCATION, "donation"), (Role(0), "transfer")]
)
async def test_gifts_to_education_are_donations(session, giver, roles, received):
    school, _ = await factories.user(session, roles=int(roles))
    await give(session, giver, school)
    kinds = await session.scalars(audit._events.select().with_only_columns(audit._events.c.kind))
    assert received in list(kinds)


@pytest.mark.parametrize(
    ("amount", "refusal"),
    [
        (-1, refusals.NegativeKudosTransfer),
        (0, refusals.InvalidKudosTransferAmount),
        (2**70, refusals.KudosTransferNotEnough),
    ],
)
async def test_an_amount_is_above_zero(session, giver, receiver, amount, refusal):
    with pytest.raises(refusal):
        await give(session, giver, receiver, amount)


@pytest.mark.parametrize("target", ["nobody", "Giver", "#", "x" * 300, "Receiver#0", ""])
async def test_a_receiver_is_known(session, giver, target):
    with pytest.raises(refusals.InvalidTargetUsername):
        await give(session, giver, target)


async def test_an_expired_key_gets_nothing(session, giver, receiver):
    key = await owned_keys.create(session, receiver, {"days": 1}, at=AT - timedelta(days=2))
    with pytest.raises(refusals.ExpiredSharedKey):
        await give(session, giver, str(key.id))


@pytest.mark.parametrize(
    ("giver_role", "receiver_role", "refusal"),
    [
        (Role.DELETED, Role(0), refusals.DeletedParty),
        (Role(0), Role.DELETED, refusals.DeletedParty),
        (Role.FLAGGED, Role(0), refusals.SourceAccountFlagged),
        (Role(0), Role.FLAGGED, refusals.TargetAccountFlagged),
        (Role.EDUCATION, Role(0), refusals.EducationCannotSendKudos),
    ],
)
async def test_roles_that_keep_from_giving(session, giver_role, receiver_role, refusal):
    giver, _ = await factories.user(session, roles=int(giver_role), available=1000)
    receiver, _ = await factories.user(session, roles=int(receiver_role))
    with pytest.raises(refusal):
        await give(session, giver, receiver)


async def test_nobody_gives_to_themselves_or_to_everybody(session, giver):
    key = await owned_keys.create(session, giver, {}, at=AT)
    for target in (giver, str(key.id)):
        with pytest.raises(refusals.KudosTransferToSelf):
            await give(session, giver, target)
    with pytest.raises(refusals.KudosTransferToAnon):
        await give(session, giver, "Anonymous#0")


@pytest.mark.parametrize("who", ["giver", "receiver"])
async def test_the_suspicious_move_nothing(session, giver, receiver, who):
    suspect, refusal = {
        "giver": (giver, refusals.FaultWhenKudosSending),
        "receiver": (receiver, refusals.FaultWhenKudosReceiving),
    }[who]
    for _ in range(5):
        await suspicion.suspect(session, suspect.id, Reason.UNREASONABLY_FAST, at=AT)
    with pytest.raises(refusal):
        await give(session, giver, receiver)
