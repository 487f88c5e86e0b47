"""Modes of the whole horde, switched by moderators and read by every process."""

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
    """The modes. The horde starts with none but `anonymous`."""

    maintenance: bool = False
    """No new requests; waiting ones are still served."""
    invite_only: bool = False
    """Owners need an invitation for new workers."""
    raid: bool = False
    """Under attack: less is admitted, and refusals say less."""
    anonymous: bool = True
    """Whether the anonymous user may ask for anything."""


class CurrentModes:
    """The modes as this process last read them."""

    def __init__(self, *, anonymous: bool = True) -> None:
        self._read_at = LONG_AGO
        self._allows_anonymous = anonymous
        self.current = Modes(anonymous=anonymous)
        """As of the last `refresh`."""

    async def refresh(self, session: Reading, *, at: datetime) -> Modes:
        """Read them again, at most once a second. Returns `current`."""
        if not self._read_at <= at < self._read_at + READ_AGAIN:
            self.current = self.in_effect(await read(session))
            self._read_at = at
        return self.current

    def in_effect(self, stored: Modes) -> Modes:
        """The stored modes, overridden by the server's settings."""
        anonymous = stored.anonymous and self._allows_anonymous
        return Modes(stored.maintenance, stored.invite_only, stored.raid, anonymous)

    def forget(self) -> None:
        """Look again next time: they were just changed here."""
        self._read_at = LONG_AGO


async def read(session: Reading) -> Modes:
    """The modes as they are stored."""
    row = (await session.execute(_READ)).one()
    return Modes(row.maintenance, row.invite_only, row.raid, row.anonymous)


_READ = select(_modes.c.maintenance, _modes.c.invite_only, _modes.c.raid, _modes.c.anonymous)


async def switch(session: Writing, **states: bool) -> None:
    """Set modes by their names in `Modes`; the others stay."""
    await session.execute(update(_modes).values(**states))
