"""Refusals: what the domain raises when it will not do something.

    Refusal
    ├── Invalid           the request cannot be right            400
    ├── Unauthenticated   the caller is unknown                  401
    ├── Forbidden         this user may not                      403
    ├── NotFound          there is no such thing                 404
    ├── Conflict          it clashes with what is there          409
    ├── Locked            the thing is in use just now           423
    ├── TooMany           more than this user may have at once   429
    └── Unavailable       not now; later, the same may work      503

A feature subclasses one of the eight next to the code that raises it and gives it the contract's
`rc` as `code`. `core.api.errors` turns the kind into a status (the column on the right) and
answers `{"message", "rc"}`; a new refusal needs no change there.
"""

from typing import ClassVar


class Refusal(Exception):
    """The domain says no: `code` is stable and clients branch on it, `message` is for people."""

    code: ClassVar[str]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(Refusal):
    """The request cannot be right, whoever sends it."""

    code = "BadRequest"


class Unauthenticated(Refusal):
    """The key belongs to no known user."""

    code = "InvalidAPIKey"


class Forbidden(Refusal):
    """The user is known, but may not do this."""

    code = "Forbidden"


class NotFound(Refusal):
    """The thing named does not exist."""

    code = "NotFound"


class Conflict(Refusal):
    """The request conflicts with the present state."""

    code = "Conflict"


class Locked(Refusal):
    """The thing is in use; later the same request may succeed."""

    code = "Locked"


class TooMany(Refusal):
    """The user has as many as allowed already."""

    code = "TooMany"


class Unavailable(Refusal):
    """Not at present; the same request may succeed later."""

    code = "Unavailable"
