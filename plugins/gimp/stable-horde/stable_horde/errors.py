"""What can go wrong with a horde, each as one sentence for whoever sits in front of GIMP."""


class Trouble(Exception):
    """Something that the user is told, and that leaves the image untouched."""


class Unreachable(Trouble):
    """There was no answer, or none in time."""


class WrongContract(Trouble):
    """Something answered that does not speak version 2 of the horde's API."""


class Refused(Trouble):
    """The horde said no.

    status: HTTP's. code: the API's `rc`, such as `InvalidAPIKey`; empty if there was none.
    retry_after: seconds, if the horde said when to come again.
    """

    def __init__(self, message: str, *, status: int, code: str, retry_after: float | None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after


class NotMade(Trouble):
    """The request ended without what was asked for."""


class Cancelled(Trouble):
    """The user cancelled it."""


class Later(Trouble):
    """The request runs on, and may be fetched later."""


class TookTooLong(Later):
    """The time for which a request is followed is over."""
