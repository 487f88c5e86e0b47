"""Submit: a worker delivers a job, or gives it back; the kudos move in the same transaction."""

from dataclasses import dataclass
from typing import Any, NoReturn
from uuid import UUID

from core.db import Reading, Writing, now
from core.errors import Invalid, NotFound
from core.generation import holding, kind, scrutiny, sharing, styled, webhooks
from core.generation.delivery import Amounts, Delivery, Open
from core.generation.horde import Horde
from core.images import webp
from core.kudos import settlement
from core.queue import attempts, endings, requests
from core.queue.rows import Attempt
from core.queue.tables import Outcome
from core.users import directory
from core.users.tables import ANONYMOUS_ID, Role, User
from core.workers import conduct, fleet

MAX_METADATA = 50


class InvalidJobID(NotFound):
    """No such job, or its request is over."""

    code = "InvalidJobID"


class DuplicateGen(Invalid):
    """The job is delivered already."""

    code = "DuplicateGen"


class AbortedGen(Invalid):
    """The job was given up before it was delivered."""

    code = "AbortedGen"


class MissingPicture(Invalid):
    """The picture was announced but not uploaded."""

    code = "BadRequest"


@dataclass(frozen=True, slots=True)
class Settled:
    """A job that is over for the worker."""

    request_id: UUID
    reward: int
    """Hundredths of a kudos, before the factor for the worker's program."""
    is_done: bool
    lane_id: int | None = None
    """The lane in which the job waits again, unless it is done."""
    decoy: str | None = None
    """The name of a picture that nobody asked for."""


async def look_up(session: Reading, owner: User, job_id: str, *, kind_name: str) -> Open:
    """The job of this kind, if this user may deliver it now.

    Raises InvalidJobID, WrongCredentials, DuplicateGen and AbortedGen.
    """
    attempt = await attempts.attempt(session, _parsed(job_id))
    if attempt is None or attempt.expires_at <= now() or attempt.kind != kind_name:
        raise InvalidJobID(f"Processing Job with ID {job_id} does not exist.")
    if attempt.owner_id != owner.id:
        raise fleet.WrongCredentials("Wrong credentials to submit this job.")
    _check_alive(attempt)
    worker = await fleet.by_id(session, attempt.worker_id)
    if worker is None:
        raise InvalidJobID(f"Processing Job with ID {job_id} does not exist.")
    return Open(attempt, worker, owner)


async def check_uploaded(horde: Horde, found: Open) -> tuple[int, int]:
    """The size of the announced picture. Raises MissingPicture if there is none."""
    return _size(await horde.store.received(found.picture))


async def submit(session: Writing, horde: Horde, found: Open, delivery: Delivery) -> Settled:
    """Accept the delivery: finish the job and settle its kudos, or let it wait again.

    The store must have received the picture already. Raises DuplicateGen or AbortedGen if another
    submission, or upkeep, was faster. Call `announce` after the commit.
    """
    attempt = found.attempt
    at = now()
    if attempt.outcome == Outcome.DECOY:
        return await _end_decoy(session, found, delivery)
    if delivery.is_fault:
        if not await endings.fault(session, attempt.id, at=at, reason=delivery.reason):
            await _refuse(session, attempt.id)
        await holding.release_if_over(session, attempt.request_id)
        return Settled(attempt.request_id, 0, is_done=False, lane_id=attempt.lane_id)
    amounts = _amounts(found, delivery)
    if amounts.shortfall is not None:
        delivery = delivery.noted(amounts.shortfall)
    if not await endings.finish(
        session,
        attempt.id,
        at=at,
        charge=amounts.charge,
        reward=amounts.reward,
        things=attempt.things if amounts.things is None else amounts.things,
        team_id=found.worker.team_id,
        result=_generation(found, delivery),
        expires_at=at + horde.life,
    ):
        await _refuse(session, attempt.id)
    if delivery.size is not None:  # not before: the loser of a race must not change the picture
        await _accept(horde, found, delivery.size)
    await webhooks.tell(session, horde, found, delivery, amounts, at=at)
    await styled.used(session, attempt, at=at)
    await scrutiny.look_at(session, found, delivery, amounts, at=at)
    if attempt.faults and attempt.job_id is not None:
        await conduct.judge_faults(session, attempt.job_id, at=at)
    await sharing.consume(session, attempt.terms, attempt.request_id, amounts.charge)
    await _settle(session, found, amounts)
    return Settled(attempt.request_id, amounts.announced_reward, is_done=True)


async def _settle(session: Writing, found: Open, amounts: Amounts) -> None:
    """Move the kudos, and give back the rest of the hold if this was the request's last job."""
    attempt, owner = found.attempt, found.owner
    has_hold = attempt.user_id != ANONYMOUS_ID
    is_last = has_hold and await requests.is_over(session, attempt.request_id)
    if is_last:
        await sharing.release(session, attempt.terms, attempt.request_id)
    await settlement.settle(
        session,
        key=f"job:{attempt.id}",
        payer_account=await _payer_account(session, attempt),
        owner_account=owner.account_id,
        owner_escrow=owner.escrow_id,
        owner_trusted=owner.has(Role.TRUSTED),
        charge=amounts.charge,
        reward=amounts.reward,
        hold_key=holding.key_of(attempt.request_id) if has_hold else None,
        kind="settlement",
        is_last=is_last,
    )


async def _payer_account(session: Reading, attempt: Attempt) -> int:
    """The account that pays; requests of earlier versions do not name it."""
    known: int | None = attempt.terms.get("account")
    return known or (await directory.by_id(session, attempt.user_id)).account_id


def _amounts(found: Open, delivery: Delivery) -> Amounts:
    """What the delivery moves. Workers of the anonymous user are unpaid."""
    amounts = kind.of(found.attempt.kind).amounts(found, delivery)
    return amounts._replace(announced_reward=0, reward=0) if found.owner.is_anonymous else amounts


async def announce(horde: Horde, settled: Settled) -> None:
    """Tell watchers that a job is done or waits again, and in the latter case workers too."""
    if settled.decoy is not None:
        await horde.store.delete(settled.decoy)
        return
    await horde.changed(settled.request_id, "done" if settled.is_done else "waiting")
    if settled.lane_id is not None:
        await horde.jobs_wait(settled.lane_id, 1)


async def _end_decoy(session: Writing, found: Open, delivery: Delivery) -> Settled:
    """Answer for a decoy as for a real job; nothing is stored, nothing moves."""
    if not await attempts.end_decoy(session, found.attempt.id, at=now()):
        await _refuse(session, found.attempt.id)
    told = 0 if delivery.is_fault else _amounts(found, delivery).announced_reward
    is_done = not delivery.is_fault
    return Settled(found.attempt.request_id, told, is_done=is_done, decoy=found.picture)


async def _accept(horde: Horde, found: Open, size: tuple[int, int]) -> None:
    """From here on the picture belongs to the job, and later uploads do not change it."""
    if _size(await horde.store.accept(found.picture)) != size:  # replaced while it was weighed
        raise MissingPicture("The picture changed while the job was submitted. Please try again.")


def _size(start: bytes | None) -> tuple[int, int]:
    if start is None:
        raise MissingPicture("Please upload the picture before you submit the job.")
    return webp.size_of(start)


def _parsed(job_id: str) -> UUID:
    try:
        return UUID(job_id)
    except ValueError:
        raise InvalidJobID(f"Processing Job with ID {job_id} does not exist.") from None


def _check_alive(attempt: Attempt) -> None:
    if attempt.outcome == Outcome.DONE:
        raise DuplicateGen(f"Processing Generation with ID {attempt.id} already submitted.")
    if attempt.outcome not in (Outcome.ALIVE, Outcome.DECOY):
        raise AbortedGen(
            f"Processing Generation with ID {attempt.id} took too long to process and has been "
            "aborted! Please check your worker speed and do not onload worker which are too slow!"
        )


async def _refuse(session: Reading, attempt_id: UUID) -> NoReturn:
    """Raise the refusal that names who was faster."""
    attempt = await attempts.attempt(session, attempt_id)
    if attempt is None:
        raise InvalidJobID(f"Processing Job with ID {attempt_id} does not exist.")
    _check_alive(attempt)
    raise DuplicateGen(f"Processing Generation with ID {attempt_id} already submitted.")


def _generation(found: Open, delivery: Delivery) -> dict[str, Any]:
    return {
        "attempt_id": found.attempt.id,
        "request_id": found.attempt.request_id,
        "number": found.attempt.number,
        "worker_id": found.worker.id,
        "worker_name": found.worker.name,
        "model": found.attempt.model,
        "seed": delivery.seed,
        "state": kind.of(found.attempt.kind).state(delivery),
        "censored": delivery.is_censored,
        "gen_metadata": delivery.metadata,
        "text": delivery.text,
        "form": delivery.form,
    }
