"""Teams of workers."""

from core.client.api import at
from core.client.running import Part, R, operation
from core.wire.teams import CreateTeamInput, ModifyTeam, ModifyTeamInput, TeamDetails


class Teams(Part[R]):
    """Teams. A worker joins one by `workers.edit`."""

    @operation
    async def all(self) -> list[TeamDetails]:
        """Get all teams."""
        return await self._api.get(list[TeamDetails], at("teams"))

    @operation
    async def get(self, team_id: str) -> TeamDetails:
        """Get a team."""
        # By the contract, with a key it is for moderators, and without one for everybody.
        return await self._api.without_key().get(TeamDetails, at("teams", team_id))

    @operation
    async def create(self, team: CreateTeamInput) -> ModifyTeam:
        """Found a team; trusted users may. Never asked twice."""
        return await self._api.post(ModifyTeam, at("teams"), team)

    @operation
    async def edit(self, team_id: str, changes: ModifyTeamInput) -> ModifyTeam:
        """Change a team; its creator and moderators may."""
        return await self._api.patch(ModifyTeam, at("teams", team_id), changes)

    @operation
    async def delete(self, team_id: str) -> None:
        """Delete a team; its creator and moderators may. Its workers stay."""
        await self._api.delete(at("teams", team_id))
