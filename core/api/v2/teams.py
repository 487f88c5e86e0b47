"""`teams`: workers whose work is counted together."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from quart import Blueprint, request

from core.api import callers, context
from core.api.kept import Encoded, encoded
from core.api.limits import Limit
from core.api.operation import by_path, operation
from core.db import Reading, now
from core.kinds import registry
from core.users import directory, roles
from core.wire.kudos import to_wire
from core.wire.teams import (
    ActiveModelLite,
    CreateTeamInput,
    DeletedTeam,
    ModifyTeam,
    ModifyTeamInput,
    TeamDetails,
)
from core.wire.workers import WorkerDetailsLite
from core.workers import fleet, teams
from core.workers.tables import Team, Worker

blueprint = Blueprint("teams", __name__)

LIMIT = by_path(Limit(30, 60))


@blueprint.get("/teams")
@operation(answers={200: list[TeamDetails]}, limit=LIMIT)
async def list_teams() -> Encoded:
    """List all teams."""
    async with context.server().database.reading() as session:
        return encoded(await _details(session, await teams.every(session)))


@blueprint.post("/teams")
@operation(
    body=CreateTeamInput,
    answers={200: ModifyTeam},
    limit=LIMIT,
    omit_nulls=True,
    key_required=True,
    errors=(400, 401, 403),
)
async def create_team(body: CreateTeamInput) -> ModifyTeam:
    """Create a team; trusted users may."""
    async with callers.writing() as session:
        creator = await context.user(session)
        team_id = await teams.create(session, creator, name=body.name, info=body.info)
        team = await teams.by_id(session, str(team_id))
    return ModifyTeam(id=str(team.id), name=team.name, info=team.info)


@blueprint.get("/teams/<team_id>")
@operation(answers={200: TeamDetails}, limit=LIMIT, errors=(401, 403, 404))
async def get_team(team_id: str) -> TeamDetails:
    """See a team."""
    async with context.server().database.reading() as session:
        team = await teams.by_id(session, team_id)
        if request.headers.get("apikey"):  # by contract only moderators send a key here
            roles.require_moderator(await context.user(session))
        (details,) = await _details(session, [team])
        return details


@blueprint.patch("/teams/<team_id>")
@operation(
    body=ModifyTeamInput,
    answers={200: ModifyTeam},
    limit=LIMIT,
    omit_nulls=True,
    errors=(400, 401, 403, 404),
)
async def change_team(body: ModifyTeamInput, team_id: str) -> ModifyTeam:
    """Change a team: its creator and moderators may."""
    async with callers.writing() as session:
        team = await teams.by_id(session, team_id)
        user = await context.user(session)
        await teams.change(session, user, team, name=body.name, info=body.info)
    return ModifyTeam(id=str(team.id), name=body.name, info=body.info)


@blueprint.delete("/teams/<team_id>")
@operation(answers={200: DeletedTeam}, limit=LIMIT, errors=(401, 403, 404))
async def delete_team(team_id: str) -> DeletedTeam:
    """Delete a team; its workers stay."""
    async with callers.writing() as session:
        team = await teams.by_id(session, team_id)
        await teams.remove(session, await context.user(session), team)
    return DeletedTeam(deleted_id=str(team.id), deleted_name=team.name)


async def _details(session: Reading, rows: Sequence[Team]) -> list[TeamDetails]:
    at = now()
    creators = await directory.by_ids(session, {row.user_id for row in rows})
    members: dict[object, list[Worker]] = {}
    for worker in await teams.members(session, {row.id for row in rows}):
        members.setdefault(worker.team_id, []).append(worker)
    return [
        TeamDetails(
            name=row.name,
            id=str(row.id),
            info=row.info,
            requests_fulfilled=row.fulfilled,
            kudos=to_wire(row.kudos),
            uptime=row.uptime_seconds,
            creator=creators[row.user_id].alias,
            worker_count=len(members.get(row.id, [])),
            workers=[_worker(worker, at) for worker in members.get(row.id, [])],
            models=_models(members.get(row.id, []), at),
        )
        for row in rows
    ]


def _worker(row: Worker, at: datetime) -> WorkerDetailsLite:
    return WorkerDetailsLite(
        type=registry.of(row.kind).type,
        name=row.name,
        id=str(row.id),
        online=_is_online(row, at),
    )


def _models(workers: Sequence[Worker], at: datetime) -> list[ActiveModelLite]:
    offered = Counter(
        model for row in workers if _is_online(row, at) for model in row.offer.get("models", ())
    )
    return [ActiveModelLite(name=name, count=count) for name, count in offered.most_common()]


def _is_online(row: Worker, at: datetime) -> bool:
    return bool(at - row.seen_at <= fleet.ONLINE)
