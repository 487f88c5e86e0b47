"""Leaving: an account is first disabled, and wiped once it has been unused for 30 days.

Wiping leaves a number without a name: the user's name, logins, keys and workers are gone. The kudos
history of the number stays in the ledger, where every event sums to zero.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete

from core.accounts import shared_keys
from core.accounts.tables import LoginCode, SignedIn
from core.db import Writing, table
from core.errors import Forbidden, Invalid
from core.users import directory, suspicion
from core.users.tables import Role, User
from core.workers import edits

IDLE: Final = timedelta(days=30)
WIPED: Final = "Wiped"
"""The name of a wiped user."""


class AnonForbiddenUser(Forbidden):
    """The anonymous user deletes nobody and cannot be deleted."""

    code = "AnonForbiddenUser"


class NotUserOrMod(Forbidden):
    """The account is somebody else's."""

    code = "NotUserOrMod"


class CannotDeleteMod(Forbidden):
    """Moderators are not deleted; an administrator takes the role first."""

    code = "CannotDeleteMod"


class CannotWipeActiveUser(Forbidden):
    """The account, or a worker of it, was active in the last 30 days."""

    code = "CannotWipeActiveUser"


class UserNotDeleted(Invalid):
    """There is nothing to undo: the account is in use, or wiped."""

    code = "UserNotDeleted"


async def end(session: Writing, by: User, user: User, *, at: datetime) -> bool:
    """Disable the user's account or, if it is disabled and idle for 30 days, wipe it.

    user: its row is locked (`directory.locked`).

    Returns whether it is wiped; the caller has to remove what the user shared with everybody.

    Raises AnonForbiddenUser, NotUserOrMod, CannotDeleteMod and CannotWipeActiveUser.
    """
    if by.is_anonymous or user.is_anonymous:
        raise AnonForbiddenUser("The anonymous user deletes nobody and cannot be deleted.")
    if by.id != user.id and not by.has(Role.MODERATOR):
        raise NotUserOrMod("Only the user and moderators may delete an account.")
    if user.has(Role.MODERATOR):
        raise CannotDeleteMod("A moderator's account cannot be deleted.")
    if not user.has(Role.DELETED):
        await directory.set_roles(session, user, grant=Role.DELETED)
        return False
    if user.last_active_at > at - IDLE:
        raise CannotWipeActiveUser(
            "The account is disabled. It can be wiped once it has not been used for 30 days."
        )
    await _wipe(session, user)
    return True


async def undelete(session: Writing, user: User) -> User:
    """Enable a disabled account, whose row is locked; returns the user. Raises UserNotDeleted."""
    if not user.has(Role.DELETED) or user.key_hash is None:
        raise UserNotDeleted("This account is not disabled, or it has been wiped for good.")
    return await directory.set_roles(session, user, revoke=Role.DELETED)


async def _wipe(session: Writing, user: User) -> None:
    await shared_keys.remove_all(session, user.id)
    await edits.remove_all(session, user.id)
    await suspicion.reset(session, user.id)
    for model in (SignedIn, LoginCode):
        own = table(model)
        await session.execute(delete(own).where(own.c.user_id == user.id))
    await directory.change(
        session,
        user,
        username=WIPED,
        oauth_id=f"wiped:{user.id}",
        key_hash=None,
        passkey_hash=None,
        roles=int(Role.DELETED),
        monthly_kudos=0,
        public_workers=False,
        contact=None,
        admin_comment=None,
    )
