"""Submit: a worker delivers a job, or gives it back; the kudos move in the same transaction."""

from dataclasses import dataclass
from typing import Any, NoReturn
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from core.db import AnyRow, now
from core.errors import Invalid, NotFound
from core.generation import holding, kind, scrutiny, sharing, styled, webhooks
from core.generation.delivery import Amounts, Delivery, Open
from core.generation.horde import Horde
from core.kudos import settlement
from core.queue import attempts, requests
from core.queue.tables import Outcome
from core.users import directory
from core.users.tables import Role, User
from core.workers import fleet

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
    """Where the job waits again, unless it is done."""
    decoy: str | None = None
    """The name of a picture that nobody asked for."""


async def look_up(session: AsyncSession, owner: User, job_id: str, *, kind_name: str) -> Open:
    """The job of this kind, if this user may deliver it now.

    Raises InvalidJobID, WrongCredentials, DuplicateGen and AbortedGen.
    """
    attempt = await attempts.attempt(session, _parsed(job_id))
    is_over = attempt is None or attempt.params is None or attempt.expires_at <= now()
    if attempt is None or is_over or attempt.kind != kind_name:
        raise InvalidJobID(f"Processing Job with ID {job_id} does not exist.")
    if attempt.owner_id != owner.id:
        raise fleet.WrongCredentials("Wrong credentials to submit this job.")
    _check_alive(attempt)
    worker = await fleet.by_id(session, attempt.worker_id)
    if worker is None:
        raise InvalidJobID(f"Processing Job with ID {job_id} does not exist.")
    return Open(attempt, worker, owner)


async def check_uploaded(horde: Horde, found: Open) -> None:
    """Raise MissingPicture where a picture is announced that is not in the store."""
    if not await horde.store.exists(found.picture):
        raise MissingPicture("Please upload the picture before you submit the job.")


async def submit(session: AsyncSession, horde: Horde, found: Open, delivery: Delivery) -> Settled:
    """Take the delivery: finish the job and settle its kudos, or let it wait again.

    The picture is in the store already. Raises DuplicateGen or AbortedGen where another
    submission, or upkeep, was faster. Call `announce` after the commit.
    """
    attempt = found.attempt
    at = now()
    if attempt.outcome == Outcome.DECOY:
        return await _end_decoy(session, found, delivery)
    if delivery.is_fault:
        if not await attempts.fault(session, attempt.id, at=at):
            await _refuse(session, attempt.id)
        await holding.release_if_over(session, attempt.request_id)
        return Settled(attempt.request_id, 0, is_done=False, lane_id=attempt.lane_id)
    amounts = _amounts(found, delivery)
    if not await attempts.finish(
        session,
        attempt.id,
        at=at,
        charge=amounts.charge,
        reward=amounts.reward,
        things=attempt.things if amounts.things is None else amounts.things,
        team_id=found.worker.team_id,
    ):
        await _refuse(session, attempt.id)
    await attempts.keep(session, [_generation(found, delivery)])
    await webhooks.tell(session, horde, found, delivery, amounts, at=at)
    await styled.used(session, attempt, at=at)
    await scrutiny.look_at(session, found, delivery, amounts, at=at)
    await requests.renew(session, attempt.request_id, at + horde.life)
    payer = await directory.by_id(session, attempt.user_id)
    owner = found.owner
    await sharing.consume(session, attempt.terms, attempt.request_id, amounts.charge)
    await settlement.settle(
        session,
        key=f"job:{attempt.id}",
        payer_account=payer.account_id,
        owner_account=owner.account_id,
        owner_escrow=owner.escrow_id,
        owner_trusted=owner.has(Role.TRUSTED),
        charge=amounts.charge,
        reward=amounts.reward,
        hold_key=None if payer.is_anonymous else holding.key_of(attempt.request_id),
        kind="settlement",
    )
    if not payer.is_anonymous:
        await holding.release_if_over(session, attempt.request_id)
    return Settled(attempt.request_id, amounts.announced_reward, is_done=True)


def _amounts(found: Open, delivery: Delivery) -> Amounts:
    """What the delivery moves. Workers of the anonymous user are unpaid."""
    amounts = kind.of(found.attempt.kind).amounts(found, delivery)
    return amounts._replace(announced_reward=0, reward=0) if found.owner.is_anonymous else amounts


async def announce(horde: Horde, settled: Settled) -> None:
    """Tell who watches the request that a job is done, or waits again, and workers the latter."""
    if settled.decoy is not None:
        await horde.store.delete(settled.decoy)
        return
    await horde.changed(settled.request_id, "done" if settled.is_done else "waiting")
    if settled.lane_id is not None:
        await horde.jobs_wait(settled.lane_id, 1)


async def _end_decoy(session: AsyncSession, found: Open, delivery: Delivery) -> Settled:
    """Say of a fake job what is said of a real one; nothing is stored, nothing moves."""
    if not await attempts.end_decoy(session, found.attempt.id, at=now()):
        await _refuse(session, found.attempt.id)
    told = 0 if delivery.is_fault else _amounts(found, delivery).announced_reward
    is_done = not delivery.is_fault
    return Settled(found.attempt.request_id, told, is_done=is_done, decoy=found.picture)


def _parsed(job_id: str) -> UUID:
    try:
        return UUID(job_id)
    except ValueError:
        raise InvalidJobID(f"Processing Job with ID {job_id} does not exist.") from None


def _check_alive(attempt: AnyRow) -> None:
    if attempt.outcome == Outcome.DONE:
        raise DuplicateGen(f"Processing Generation with ID {attempt.id} already submitted.")
    if attempt.outcome not in (Outcome.ALIVE, Outcome.DECOY):
        raise AbortedGen(
            f"Processing Generation with ID {attempt.id} took too long to process and has been "
            "aborted! Please check your worker speed and do not onload worker which are too slow!"
        )


async def _refuse(session: AsyncSession, attempt_id: UUID) -> NoReturn:
    """Say who was faster."""
    attempt = await attempts.attempt(session, attempt_id)
    if attempt is None:
        raise InvalidJobID(f"Processing Job with ID {attempt_id} does not exist.")
    _check_alive(attempt)
    raise DuplicateGen(f"Processing Generation with ID {attempt_id} already submitted.")


def _generation(found: Open, delivery: Delivery) -> dict[str, Any]:
    is_text = found.attempt.kind == "text"
    return {
        "attempt_id": found.attempt.id,
        "request_id": found.attempt.request_id,
        "number": found.attempt.number,
        "worker_id": found.worker.id,
        "worker_name": found.worker.name,
        "model": found.attempt.model,
        "seed": delivery.seed,
        "state": delivery.text_state if is_text else delivery.state_by_metadata,
        "censored": delivery.is_censored,
        "gen_metadata": delivery.metadata,
        "text": delivery.text,
        "form": delivery.form,
    }
