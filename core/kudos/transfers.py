"""Kudos that one user gives another, directly or to one of the other's shared keys."""

import hashlib
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from sqlalchemy import select

from core import dialects
from core.db import Reading, Writing, table
from core.kudos import refusals
from core.kudos.tables import Transfer
from core.ledger import accounts, events
from core.users import directory, shared_keys, suspicion
from core.users.tables import Role, SharedKey, User

NOT_BACK_FOR: Final = timedelta(seconds=60)
"""How long after a transfer the receiver can't give the giver anything."""
MAX_TARGET_CHARS: Final = 255
MAX_AMOUNT: Final = 2**53
"""Hundredths of a kudos: the most that a float of the wire still represents exactly."""

_transfers = table(Transfer)


async def give(
    session: Writing,
    giver: User,
    *,
    target: str,
    amount: int,
    client_key: str | None,
    at: datetime,
) -> None:
    """Give kudos, once for each of the client's keys.

    target: the receiver's alias, or a shared key: its owner gets the kudos, and a limited budget
        grows by as much.
    amount: hundredths of a kudos.
    client_key: the client's Idempotency-Key. Repeated with the same target and amount it does
        nothing, whatever became of the two since; with others it raises IdempotencyKeyConflict.
        None: the client sent no key, so each call is another transfer.

    Raises the refusals of `kudos.refusals`, after which the transaction must be rolled back.
    """
    key = uuid4().hex if client_key is None else _digest(client_key)
    if await _stands(session, giver, key, target=target, amount=amount):
        return
    _check_amount(giver, amount)
    receiver, shared_key = await _resolve(session, target, at=at)
    await _check_parties(session, giver, receiver, at=at)
    transfer_id = await session.scalar(
        dialects.insert(session, _transfers)
        .values(
            giver_id=giver.id,
            receiver_id=receiver.id,
            target=target,
            amount=amount,
            client_key=key,
            at=at,
        )
        .on_conflict_do_nothing(index_elements=[_transfers.c.giver_id, _transfers.c.client_key])
        .returning(_transfers.c.id)
    )
    if transfer_id is None:  # the same call was made at the same time and was faster
        await _stands(session, giver, key, target=target, amount=amount)
        return
    await _move(session, transfer_id, giver, receiver, shared_key, amount=amount, at=at)


def _digest(client_key: str) -> str:
    return hashlib.sha256(client_key.encode(errors="surrogatepass")).hexdigest()


async def _move(
    session: Writing,
    transfer_id: int,
    giver: User,
    receiver: User,
    shared_key: SharedKey | None,
    *,
    amount: int,
    at: datetime,
) -> None:
    """Move the kudos. The shared key is locked before the accounts, as in settlements."""
    if shared_key is not None:
        await shared_keys.add(session, shared_key.id, amount)
    # Both at once: if two give each other kudos at the same time, the second sees the first.
    await accounts.lock(session, {giver.account_id, receiver.account_id})
    await _check_direction(session, giver, receiver, at=at)
    try:
        await events.post(
            session,
            kind="donation" if receiver.has(Role.EDUCATION) else "transfer",
            key=f"transfer:{transfer_id}",
            entries={giver.account_id: -amount, receiver.account_id: amount},
        )
    except events.InsufficientKudos as lacking:
        raise refusals.KudosTransferNotEnough(
            f"You don't have {amount / 100:.2f} kudos to give."
        ) from lacking


async def _stands(session: Reading, giver: User, key: str, *, target: str, amount: int) -> bool:
    """Whether the key was used for this very transfer. Raises IdempotencyKeyConflict."""
    of_key = select(_transfers.c.target, _transfers.c.amount).where(
        _transfers.c.giver_id == giver.id, _transfers.c.client_key == key
    )
    earlier = (await session.execute(of_key)).mappings().first()
    if earlier is not None and earlier != {"target": target, "amount": amount}:
        raise refusals.IdempotencyKeyConflict(
            "This Idempotency-Key was sent with another receiver or amount before."
        )
    return earlier is not None


def _check_amount(giver: User, amount: int) -> None:
    if giver.is_anonymous:
        raise refusals.KudosTransferFromAnon("The anonymous user cannot give kudos.")
    if amount < 0:
        raise refusals.NegativeKudosTransfer("Nobody can be given less than nothing.")
    if amount == 0:
        raise refusals.InvalidKudosTransferAmount("Please give at least one kudos.")
    if amount > MAX_AMOUNT:
        raise refusals.KudosTransferNotEnough("Nobody has so many kudos.")


async def _resolve(session: Reading, target: str, *, at: datetime) -> tuple[User, SharedKey | None]:
    """Who gets the kudos, and the shared key that was named, if one was."""
    unknown = refusals.InvalidTargetUsername("There is no user, or shared key, of this name.")
    if len(target) > MAX_TARGET_CHARS:
        raise unknown
    shared_key = await shared_keys.by_key(session, target)
    if shared_key is None:
        try:
            return await directory.by_alias(session, target), None
        except directory.UnknownUser:
            raise unknown from None
    if shared_keys.is_expired(shared_key, at=at):
        raise refusals.ExpiredSharedKey("This shared key has expired.")
    return await directory.by_id(session, shared_key.user_id), shared_key


async def _check_parties(session: Reading, giver: User, receiver: User, *, at: datetime) -> None:
    if receiver.is_anonymous:
        raise refusals.KudosTransferToAnon("The anonymous user cannot be given kudos.")
    if receiver.id == giver.id:
        raise refusals.KudosTransferToSelf("You cannot give kudos to yourself.")
    if giver.has(Role.DELETED) or receiver.has(Role.DELETED):
        raise refusals.DeletedParty("A deleted account neither gives nor gets kudos.")
    if giver.has(Role.FLAGGED):
        raise refusals.SourceAccountFlagged("Your account is flagged and cannot give kudos.")
    if receiver.has(Role.FLAGGED):
        raise refusals.TargetAccountFlagged("The receiver's account is flagged.")
    if giver.has(Role.EDUCATION):
        raise refusals.EducationCannotSendKudos("Accounts of education cannot give kudos.")
    if await suspicion.is_suspicious(session, giver, at=at):
        raise refusals.FaultWhenKudosSending("Your account cannot give kudos at present.")
    if await suspicion.is_suspicious(session, receiver, at=at):
        raise refusals.FaultWhenKudosReceiving("The receiver cannot be given kudos at present.")


async def _check_direction(session: Reading, giver: User, receiver: User, *, at: datetime) -> None:
    back = select(_transfers.c.id).where(
        _transfers.c.giver_id == receiver.id,
        _transfers.c.receiver_id == giver.id,
        _transfers.c.at > at - NOT_BACK_FOR,
    )
    if await session.scalar(back.limit(1)) is not None:
        raise refusals.TooFastKudosTransfers(
            f"{receiver.alias} gave you kudos within the last minute. Please wait a little."
        )
