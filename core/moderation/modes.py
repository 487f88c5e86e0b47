"""The states that the whole horde can be in, switched by moderators, read by every process."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from core.db import Reading, Writing, table
from core.moderation.tables import HordeModes

READ_AGAIN = timedelta(seconds=1)
LONG_AGO = datetime.min.replace(tzinfo=UTC)

_modes = table(HordeModes)


@dataclass(frozen=True, slots=True)
class Modes:
    """The states. The horde starts with none but `anonymous`."""

    maintenance: bool = False
    """No new requests; what waits is still served."""
    invite_only: bool = False
    """New workers need an invitation of their owner."""
    raid: bool = False
    """Under attack: less is let pass, and less is said about why."""
    anonymous: bool = True
    """Whether the anonymous user may ask for anything."""


class CurrentModes:
    """The states as this process last read them."""

    def __init__(self, *, anonymous: bool = True) -> None:
        self._read_at = LONG_AGO
        self._allows_anonymous = anonymous
        self.current = Modes(anonymous=anonymous)
        """As of the last `refresh`."""

    async def refresh(self, session: Reading, *, at: datetime) -> Modes:
        """Read them anew, at most once a second; returns `current`."""
        if not self._read_at <= at < self._read_at + READ_AGAIN:
            self.current = self.in_effect(await read(session))
            self._read_at = at
        return self.current

    def in_effect(self, stored: Modes) -> Modes:
        """The stored states, under what the server's settings say for good."""
        anonymous = stored.anonymous and self._allows_anonymous
        return Modes(stored.maintenance, stored.invite_only, stored.raid, anonymous)

    def forget(self) -> None:
        """Look again next time: they were just changed here."""
        self._read_at = LONG_AGO


async def read(session: Reading) -> Modes:
    """The states as they are stored."""
    row = (await session.execute(_READ)).one()
    return Modes(row.maintenance, row.invite_only, row.raid, row.anonymous)


_READ = select(_modes.c.maintenance, _modes.c.invite_only, _modes.c.raid, _modes.c.anonymous)


async def switch(session: Writing, **states: bool) -> None:
    """Set states by their names in `Modes`; the others stay."""
    await session.execute(update(_modes).values(**states))
