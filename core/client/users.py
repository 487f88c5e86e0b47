"""Users: accounts, logging in, and what a key's own user may do with theirs."""

from typing import Literal

from core.client.api import at, filled
from core.client.running import Part, R, operation
from core.wire.export import UserExport
from core.wire.login import LoginCodeInput, ProgramLogin
from core.wire.register import Registered, RegisterInput
from core.wire.users import ModifyUser, ModifyUserInput, UserDetails
from core.wire.webhooks import WebhookKey


class Users(Part[R]):
    """Accounts."""

    @operation
    async def register(self, username: str) -> Registered:
        """Make an account; its key is only in this answer. Never asked twice."""
        return await self._api.post(
            Registered, at("register"), filled(RegisterInput, username=username)
        )

    @operation
    async def log_in(self, code: str) -> ProgramLogin:
        """Exchange the code that the page shows for a token, which is used as an API key."""
        return await self._api.post(
            ProgramLogin, at("login", "code"), filled(LoginCodeInput, code=code)
        )

    @operation
    async def me(self) -> UserDetails:
        """Get the key's own user. Raises NotFound or Unauthenticated if the key is nobody's."""
        return await self._api.get(UserDetails, at("find_user"))

    @operation
    async def get(self, user_id: int) -> UserDetails:
        """Get a user, as far as the key may see them."""
        return await self._api.get(UserDetails, at("users", user_id))

    @operation
    async def all(
        self, page: int = 1, sort: Literal["kudos", "age"] = "kudos"
    ) -> list[UserDetails]:
        """Get 25 users, those with most kudos or the oldest first."""
        return await self._api.get(list[UserDetails], at("users"), {"page": page, "sort": sort})

    @operation
    async def edit(self, user_id: int, changes: ModifyUserInput) -> ModifyUser:
        """Change a user: some of it by the user, more by moderators, the rest by administrators."""
        adds = bool(changes.kudos or changes.monthly_kudos or changes.generate_proxy_passkey)
        return await self._api.put(ModifyUser, at("users", user_id), changes, adds=adds)

    @operation
    async def delete(self, user_id: int) -> None:
        """Delete a user, for themselves or as a moderator; `undelete` in `edit` takes it back."""
        await self._api.delete(at("users", user_id))

    @operation
    async def export(self, user_id: int, before: int | None = None) -> UserExport:
        """Get everything that is stored about oneself.

        before: for older entries of the ledger: the last answer's `entries_before`.
        """
        return await self._api.get(UserExport, at("users", user_id, "export"), {"before": before})

    @operation
    async def webhook_key(self) -> WebhookKey:
        """Get the key that signs one's webhooks."""
        return await self._api.get(WebhookKey, at("webhooks", "key"))
