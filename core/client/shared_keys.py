"""Shared keys: keys that let others ask at their owner's expense."""

from core.client.api import at
from core.client.running import Part, R, operation
from core.wire.sharedkeys import SharedKeyDetails, SharedKeyInput


class SharedKeys(Part[R]):
    """Shared keys. One's own ids are in `users.me().sharedkey_ids`."""

    @operation
    async def create(self, settings: SharedKeyInput) -> SharedKeyDetails:
        """Make a shared key; its id is the key. Never asked twice."""
        return await self._api.put(SharedKeyDetails, at("sharedkeys"), settings, adds=True)

    @operation
    async def get(self, key_id: str) -> SharedKeyDetails:
        """Get a shared key's settings and what was spent with it."""
        return await self._api.get(SharedKeyDetails, at("sharedkeys", key_id))

    @operation
    async def edit(self, key_id: str, changes: SharedKeyInput) -> SharedKeyDetails:
        """Change a shared key; what is not given stays."""
        return await self._api.patch(SharedKeyDetails, at("sharedkeys", key_id), changes)

    @operation
    async def delete(self, key_id: str) -> None:
        """Delete a shared key; requests that were made with it go on."""
        await self._api.delete(at("sharedkeys", key_id))
