"""Teams: workers whose work is counted together.

Sums of a team are roll-ups of what its workers did while they were in it (`core.workers.records`).
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.db import Reading, Writing, now, table
from core.errors import Forbidden, Invalid, NotFound
from core.moderation.names import clean, clean_text, is_profane
from core.users import roles
from core.users.roles import NotModerator
from core.users.tables import Role, User
from core.workers.tables import Team, TeamRow, Worker, WorkerRow

_teams = table(TeamRow)
_workers = table(WorkerRow)


class TeamNotFound(NotFound):
    """No such team."""

    code = "TeamNotFound"


class UntrustedTeamCreation(Forbidden):
    """Only trusted users may create teams."""

    code = "UntrustedTeamCreation"


class TeamNameAlreadyExists(Invalid):
    """Another team has the name, in whatever case."""

    code = "TeamNameAlreadyExists"


class ProfaneTeamName(Invalid):
    """The name is obscene."""

    code = "ProfaneTeamName"


class ProfaneTeamInfo(Invalid):
    """The description is obscene."""

    code = "ProfaneTeamInfo"


class NoTeamModSelected(Invalid):
    """No change was given."""

    code = "NoTeamModSelected"


async def by_id(session: Reading, team_id: str) -> Team:
    """The team. Raises TeamNotFound, also for text that is not an id."""
    try:
        found = (await session.execute(_BY_ID, {"id": UUID(team_id)})).first()
    except ValueError:
        found = None
    if found is None:
        raise TeamNotFound(f"Team with ID '{team_id}' not found.")
    return Team(*found)


_BY_ID = select(_teams).where(_teams.c.id == bindparam("id"))


async def every(session: Reading) -> list[Team]:
    """All teams, those with the most kudos first."""
    rows = await session.execute(select(_teams).order_by(_teams.c.kudos.desc(), _teams.c.id))
    return [Team(*row) for row in rows]


async def names(session: Reading, team_ids: Collection[UUID]) -> dict[UUID, str]:
    """Names of these teams by id."""
    if not team_ids:
        return {}
    rows = await session.execute(
        select(_teams.c.id, _teams.c.name).where(_teams.c.id.in_(team_ids))
    )
    return {row.id: row.name for row in rows}


async def members(session: Reading, team_ids: Collection[UUID]) -> list[Worker]:
    """The workers of these teams, offline ones included, by name."""
    rows = await session.execute(
        select(_workers).where(_workers.c.team_id.in_(team_ids)).order_by(_workers.c.name_key)
    )
    return [Worker(*row) for row in rows]


async def create(session: Writing, creator: User, *, name: str, info: str | None) -> UUID:
    """Add a team of a trusted user.

    Raises AnonForbidden, UntrustedTeamCreation, Profane… and TeamNameAlreadyExists; after the last
    the transaction must be rolled back.
    """
    roles.refuse_anonymous(creator, "create teams")
    if not creator.has(Role.TRUSTED):
        raise UntrustedTeamCreation("Only trusted users may create teams.")
    team_id = uuid4()
    values = _described(name=name, info=info)
    values |= {"id": team_id, "user_id": creator.id, "created_at": now()}
    try:
        await session.execute(insert(_teams).values(values))
    except IntegrityError as refused:
        raise TeamNameAlreadyExists(f"There is a team called '{name}' already.") from refused
    return team_id


async def change(
    session: Writing, user: User, team: Team, *, name: str | None, info: str | None
) -> None:
    """Rename or describe a team; None leaves it as it is. Its creator and moderators may do this.

    Raises NotOwner and what `create` raises about names.
    """
    if name is None and info is None:
        raise NoTeamModSelected("Neither a name nor a description was given.")
    roles.require_owner(user, team.user_id, "this team")
    values = _described(name=name, info=info)
    try:
        await session.execute(update(_teams).where(_teams.c.id == team.id).values(values))
    except IntegrityError as refused:
        raise TeamNameAlreadyExists(f"There is a team called '{name}' already.") from refused


async def remove(session: Writing, user: User, team: Team) -> None:
    """Delete a team; its workers have none then. Only for its creator and moderators."""
    if user.id != team.user_id and not user.has(Role.MODERATOR):
        raise NotModerator("Only the creator of a team and moderators may delete it.")
    # Workers first: upkeep, too, locks a worker before its team.
    left = update(_workers).where(_workers.c.team_id == team.id).values(team_id=None)
    await session.execute(left)
    await session.execute(delete(_teams).where(_teams.c.id == team.id))


def _described(*, name: str | None, info: str | None) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if name is not None:
        if is_profane(name):
            raise ProfaneTeamName("Please choose another name for the team.")
        shown = clean(name)
        if not shown:
            raise Invalid("A team needs a name.")
        values |= {"name": shown, "name_key": shown.casefold()}
    if info is not None:
        if is_profane(info):
            raise ProfaneTeamInfo("Please describe the team in other words.")
        values["info"] = clean_text(info)
    return values
