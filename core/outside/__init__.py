"""Calls to other servers, as the domain sees them: what may be fetched and how it fails.

`client` makes the calls, `names` looks names up, `addresses` says which servers they may reach.
Others choose the addresses that are called, so every call is guarded: see docs/decisions/0007.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class OutsideFailure(Exception):
    """A call failed. Its text may be shown: it reveals nothing about our network."""


class NotAllowed(OutsideFailure):
    """The address may not be called: wrong scheme, a private network, too many redirects."""


class NoAnswer(OutsideFailure):
    """Nobody answered: no such name, no connection, no valid certificate, a broken answer."""


class TookTooLong(NoAnswer):
    """The answer was not complete in time."""


class TooLarge(OutsideFailure):
    """The answer has more bytes than were allowed."""


class Declined(OutsideFailure):
    """The answer's status is not a success."""

    def __init__(self, status: int) -> None:
        super().__init__(f"it answered with status {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer, whatever its status."""

    status: int
    content: bytes
    """At most as much as was asked for."""


class Outside(Protocol):
    """The guarded way out of this server."""

    async def get(self, url: str, *, max_bytes: int, seconds: float, caller: str = "") -> bytes:
        """Fetch an http or https URL, following at most MAX_REDIRECTS redirects.

        max_bytes: the largest answer.
        seconds: for the whole call, with names, redirects and waiting for the caller's turn.
        caller: who chose the URL, a user or an address; each has few calls at once. Empty: the
            horde itself.

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
        """Send JSON to an https URL without following redirects; return the answer as it is.

        max_bytes: how much of the answer is read. seconds: for the whole call.
        caller: as for `get`.

        Raises OutsideFailure, but neither Declined nor TooLarge.
        """
