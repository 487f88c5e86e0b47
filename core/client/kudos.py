"""Kudos: giving them, and the proof that none came from nowhere."""

from uuid import uuid4

from core.client.api import at, filled
from core.client.running import Part, R, operation
from core.wire.kudos import KudosAudit, KudosAwarded, KudosTransferInput, KudosTransferred


class Kudos(Part[R]):
    """Kudos."""

    @operation
    async def transfer(self, to: str, amount: int, key: str | None = None) -> KudosTransferred:
        """Give somebody kudos, once however often the call has to be repeated.

        to: an alias (`name#id`), or a shared key, whose owner gets them.
        key: names the transfer: calls with the same key are the same transfer.
        """
        ask = filled(KudosTransferInput, username=to, amount=amount)
        path = at("kudos", "transfer")
        return await self._api.post_keyed(KudosTransferred, path, ask, key or uuid4().hex)

    @operation
    async def award(self, to: str, amount: int) -> KudosAwarded:
        """Award somebody kudos that nobody pays; administrators may. Never asked twice."""
        ask = filled(KudosTransferInput, username=to, amount=amount)
        return await self._api.post(KudosAwarded, at("kudos", "award"), ask)

    @operation
    async def audit(self) -> KudosAudit:
        """Get the proof that no kudos came from nowhere."""
        return await self._api.get(KudosAudit, at("kudos", "audit"))
