"""Checks of roles: who may do what, and the refusals for everybody else."""

from core.errors import Forbidden, Invalid
from core.users.tables import Role, User


class NotModerator(Forbidden):
    """Only moderators may do this."""

    code = "NotModerator"


class NotAdmin(Forbidden):
    """Only administrators may do this."""

    code = "NotAdmin"


class NotOwner(Forbidden):
    """It belongs to somebody else, and the caller is not a moderator."""

    code = "NotOwner"


class AnonForbidden(Forbidden):
    """The anonymous user is shared by everybody, so it may not do this."""

    code = "AnonForbidden"


def require_moderator(user: User) -> None:
    """Raise NotModerator unless the user is a moderator."""
    if not user.has(Role.MODERATOR):
        raise NotModerator("Only moderators may do this.")


def require_admin(user: User) -> None:
    """Raise NotAdmin unless the user is an administrator."""
    if not user.has(Role.ADMIN):
        raise NotAdmin("Only administrators may do this.")


def require_owner(user: User, owner_id: int, what: str) -> None:
    """Raise NotOwner if the user neither owns the thing nor is a moderator.

    what: names the thing in the message, as in "this worker".
    """
    if user.id != owner_id and not user.has(Role.MODERATOR):
        raise NotOwner(f"Only the owner of {what} and moderators may do this.")


def refuse_anonymous(user: User, what: str) -> None:
    """Raise AnonForbidden for the anonymous user. what: the action, as in "write messages"."""
    if user.is_anonymous:
        raise AnonForbidden(f"The anonymous user cannot {what}. Please register.")


class DeletedUser(Forbidden):
    """The account is deleted."""

    code = "DeletedUser"


class OnlyServiceAccountProxy(Invalid):
    """Only services may ask on behalf of others."""

    code = "OnlyServiceAccountProxy"


def check_proxied(user: User, proxied_account: str | None) -> None:
    """Raise OnlyServiceAccountProxy if a user who is not a service asks on behalf of another."""
    if proxied_account and not user.has(Role.SERVICE):
        raise OnlyServiceAccountProxy("Only service accounts may send a proxied_account.")
