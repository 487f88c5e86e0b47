"""`/api/v2/teams`."""

from typing import Annotated

from pydantic import Field

from core.wire.model import Answer, Request
from core.wire.scalars import Maybe, String
from core.wire.workers import TeamDetailsLite, WorkerDetailsLite


class ActiveModelLite(Answer):
    """A model, and how many serve it."""

    name: str
    count: int


class TeamDetails(TeamDetailsLite):
    """A team and what its workers did while they were in it."""

    info: str | None = None
    requests_fulfilled: int
    kudos: float
    uptime: int
    """Seconds."""
    creator: str
    """The alias of the user who may change it."""
    worker_count: int
    workers: list[WorkerDetailsLite] = Field(default_factory=list)
    models: list[ActiveModelLite] = Field(default_factory=list)
    """The models that its online workers serve, and how many do."""


class CreateTeamInput(Request):
    """`POST teams`: a new team."""

    name: Annotated[String, Field(min_length=3, max_length=100)]
    info: Maybe[Annotated[String, Field(min_length=3, max_length=1000)]] = None


class ModifyTeamInput(Request):
    """`PATCH teams/{id}`: changes."""

    name: Maybe[Annotated[String, Field(min_length=3, max_length=100)]] = None
    info: Maybe[Annotated[String, Field(min_length=3, max_length=1000)]] = None


class ModifyTeam(Answer):
    """A team after a change, as far as it was given."""

    id: str
    name: str | None = None
    info: str | None = None


class DeletedTeam(Answer):
    """The deleted team."""

    deleted_id: str
    deleted_name: str
