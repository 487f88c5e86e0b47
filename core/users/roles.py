"""What somebody's role must be for what they ask, and how it is refused where it is not."""

from core.errors import Forbidden, Invalid
from core.users.tables import Role, User


class NotModerator(Forbidden):
    """Only moderators may."""

    code = "NotModerator"


class NotAdmin(Forbidden):
    """Only administrators may."""

    code = "NotAdmin"


class NotOwner(Forbidden):
    """The thing is somebody else's, and who asks is no moderator."""

    code = "NotOwner"


class AnonForbidden(Forbidden):
    """Everybody may be the anonymous user, so it may not."""

    code = "AnonForbidden"


def require_moderator(user: User) -> None:
    """Raise NotModerator where the user is none."""
    if not user.has(Role.MODERATOR):
        raise NotModerator("Only moderators may do this.")


def require_admin(user: User) -> None:
    """Raise NotAdmin where the user is none."""
    if not user.has(Role.ADMIN):
        raise NotAdmin("Only administrators may do this.")


def require_owner(user: User, owner_id: int, what: str) -> None:
    """Raise NotOwner where the user neither owns the thing nor is a moderator.

    what: names the thing in the message, as in "this worker".
    """
    if user.id != owner_id and not user.has(Role.MODERATOR):
        raise NotOwner(f"Only the owner of {what} and moderators may do this.")


def refuse_anonymous(user: User, what: str) -> None:
    """Raise AnonForbidden for the anonymous user. what: names the deed, as in "write messages"."""
    if user.is_anonymous:
        raise AnonForbidden(f"The anonymous user cannot {what}. Please register.")


class DeletedUser(Forbidden):
    """The account is deleted."""

    code = "DeletedUser"


class OnlyServiceAccountProxy(Invalid):
    """Only services ask for others."""

    code = "OnlyServiceAccountProxy"


def check_proxied(user: User, proxied_account: str | None) -> None:
    """Raise OnlyServiceAccountProxy where somebody who is no service names whom they ask for."""
    if proxied_account and not user.has(Role.SERVICE):
        raise OnlyServiceAccountProxy("Only service accounts may send a proxied_account.")
