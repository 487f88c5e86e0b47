"""`/api/v2/status/modes`: the states that the horde is in."""

from core.wire.model import Answer, Request
from core.wire.scalars import Boolean, Maybe


class HordeModesInput(Request):
    """States to be switched; what is absent stays."""

    maintenance_mode: Maybe[Boolean] = None
    invite_only_mode: Maybe[Boolean] = None
    raid_mode: Maybe[Boolean] = None
    anonymous_mode: Maybe[Boolean] = None
    """Whether the anonymous user may ask for anything (ours)."""


class HordeModes(Answer):
    """The states; of an answer to a change, those that were switched."""

    maintenance_mode: bool | None = None
    """No new requests."""
    invite_only_mode: bool | None = None
    """New workers need an invitation."""
    raid_mode: bool | None = None
    """Moderators."""
    anonymous_mode: bool | None = None
    """Whether the anonymous user may ask for anything (ours)."""
