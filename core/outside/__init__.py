"""Calls to the outside world, as the domain sees them: what may be asked for and how it fails.

`client` makes the calls, `names` looks names up, `addresses` says whom they may reach. Whoever
calls names an address that somebody else chose, so every call is guarded: see docs/decisions/0007.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class OutsideFailure(Exception):
    """A call brought nothing back. Its text may be shown: it says nothing about our network."""


class NotAllowed(OutsideFailure):
    """The address may not be called: wrong scheme, a private network, too many redirects."""


class NoAnswer(OutsideFailure):
    """Nobody answered: no such name, no connection, no valid certificate, a broken answer."""


class TookTooLong(NoAnswer):
    """The answer was not complete in time."""


class TooLarge(OutsideFailure):
    """The answer has more bytes than were allowed."""


class Declined(OutsideFailure):
    """The answer's status says that there is nothing for us."""

    def __init__(self, status: int) -> None:
        super().__init__(f"it answered with status {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered, whatever it means."""

    status: int
    content: bytes
    """No more of it than was asked for."""


class Outside(Protocol):
    """The guarded way out of this server."""

    async def get(self, url: str, *, max_bytes: int, seconds: float, caller: str = "") -> bytes:
        """Fetch what an http or https URL leads to, over at most MAX_REDIRECTS redirects.

        max_bytes: the most that the answer may have.
        seconds: for all of it together, names, redirects and the caller's turn included.
        caller: who chose the URL, a user or an address, of whom each has few calls at once. Empty:
            the horde itself.

        Raises OutsideFailure; Declined for every status but 2xx.
        """

    async def post(
        self,
        url: str,
        content: bytes,
        *,
        headers: Mapping[str, str],
        max_bytes: int,
        seconds: float,
        caller: str = "",
    ) -> Reply:
        """Send JSON to an https URL; redirects are not followed, the answer is given as it is.

        max_bytes: how much of the answer is read. seconds: for all of it together.
        caller: as for `get`.

        Raises OutsideFailure, but neither Declined nor TooLarge.
        """
