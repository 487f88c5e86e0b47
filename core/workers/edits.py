"""Changes of workers by owners and moderators, and deleting them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, exists, select, update
from sqlalchemy.exc import IntegrityError

from core.db import Reading, Writing, table
from core.errors import Invalid, Locked, Refusal
from core.moderation.names import clean_text, is_profane
from core.queue.tables import AttemptRow, Outcome
from core.users import roles
from core.users.roles import NotModerator
from core.users.tables import Role, User
from core.workers import admission, fleet, teams
from core.workers.tables import Worker, WorkerRow
from core.workers.teams import TeamNotFound

NO_TEAM = "None"
"""The contract's name for the team of a worker that left its team."""

_workers = table(WorkerRow)
_attempts = table(AttemptRow)


class ProfaneWorkerInfo(Invalid):
    """The description is obscene."""

    code = "ProfaneWorkerInfo"


class WorkerNameAlreadyExists(Invalid):
    """Another worker has the name, in whatever case."""

    code = "WorkerNameAlreadyExists"


class NoWorkerModSelected(Invalid):
    """No change was given."""

    code = "NoWorkerModSelected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of a worker; None leaves a field as it is."""

    maintenance: bool | None = None
    maintenance_message: str | None = None
    """What the worker is told while it is in maintenance; goes with `maintenance`."""
    paused: bool | None = None
    info: str | None = None
    name: str | None = None
    team: str | None = None
    """A team's id; empty: no team."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What was changed, in the contract's words; None is unchanged."""

    maintenance: bool | None = None
    paused: bool | None = None
    info: str | None = None
    name: str | None = None
    team: str | None = None
    """The team's name, or NO_TEAM."""


async def change(session: Writing, user: User, worker: Worker, wanted: Change) -> Changed:
    """Change a worker.

    Raises AnonForbiddenWorker; NotOwner (maintenance, info) or NotModerator (paused, name, team)
    if somebody else asks; TeamNotFound; Profane…; WorkerNameAlreadyExists, after which the
    transaction must be rolled back; NoWorkerModSelected.
    """
    _refuse_anonymous(user)
    _check_may(user, worker, wanted)
    values: dict[str, Any] = {}
    if wanted.maintenance is not None:
        values["maintenance"] = wanted.maintenance
        told = clean_text(wanted.maintenance_message or "") or None
        values["maintenance_message"] = told if wanted.maintenance else None
    if wanted.paused is not None:
        values["paused"] = wanted.paused
    if wanted.info is not None:
        values["info"] = _info(wanted.info)
    if wanted.name is not None:
        values |= _named(wanted.name)
    team_name = None
    if wanted.team is not None:
        values["team_id"], team_name = await _team(session, wanted.team)
    if not values:
        raise NoWorkerModSelected("Nothing was given that changes the worker.")
    try:
        await session.execute(update(_workers).where(_workers.c.id == worker.id).values(values))
    except IntegrityError as refused:
        raise _broken(wanted, refused) from refused
    return Changed(
        wanted.maintenance, wanted.paused, values.get("info"), values.get("name"), team_name
    )


async def remove(session: Writing, user: User, worker: Worker) -> None:
    """Delete a worker. Its results keep its name; the sums of its owner and team stay.

    Raises AnonForbiddenWorker, NotModerator for all but owner and moderators, and Locked
    while it has a job in hand, as nobody could deliver that.
    """
    _refuse_anonymous(user)
    if user.id != worker.user_id and not user.has(Role.MODERATOR):
        raise NotModerator("Only the owner of a worker and moderators may delete it.")
    at_work = select(_attempts.c.id).where(
        _attempts.c.worker_id == worker.id,
        _attempts.c.outcome.in_((Outcome.ALIVE, Outcome.DECOY)),
    )
    if await session.scalar(select(exists(at_work))):
        raise Locked(
            "The worker has a job in hand. Put it into maintenance mode and try again afterwards."
        )
    await session.execute(delete(_workers).where(_workers.c.id == worker.id))


async def remove_all(session: Writing, user_id: int) -> None:
    """Delete the user's workers. Their work stays in the sums."""
    await session.execute(delete(_workers).where(_workers.c.user_id == user_id))


def _refuse_anonymous(user: User) -> None:
    if user.is_anonymous:
        raise admission.AnonForbiddenWorker("Anonymous users have no workers. Please register.")


def _check_may(user: User, worker: Worker, wanted: Change) -> None:
    if user.has(Role.MODERATOR):
        return
    if wanted.maintenance is not None or wanted.info is not None:
        roles.require_owner(user, worker.user_id, "this worker")
    is_own = user.id == worker.user_id
    moves = wanted.name is not None or wanted.team is not None
    if wanted.paused is not None or (moves and not is_own):
        raise NotModerator("Only moderators may change this about the worker.")


def _info(text: str) -> str:
    if is_profane(text):
        raise ProfaneWorkerInfo("Please describe the worker in other words.")
    return clean_text(text)


def _named(name: str) -> dict[str, str]:
    shown = fleet.clean_name(name)
    admission.check_name(shown)
    return {"name": shown, "name_key": fleet.key_of(shown)}


def _broken(wanted: Change, refused: IntegrityError) -> Refusal:
    if "name_key" in str(refused.orig):
        return WorkerNameAlreadyExists(f"There is a worker called '{wanted.name}' already.")
    return TeamNotFound(f"Team with ID '{wanted.team}' not found.")  # deleted since the look-up


async def _team(session: Reading, team_id: str) -> tuple[Any, str]:
    if not team_id:
        return None, NO_TEAM
    team = await teams.by_id(session, team_id)
    return team.id, team.name
