"""`/api/v2/status/modes`: the modes of the horde."""

from core.wire.model import Answer, Request
from core.wire.scalars import Boolean, Maybe


class HordeModesInput(Request):
    """Modes to be switched; absent ones stay."""

    maintenance_mode: Maybe[Boolean] = None
    invite_only_mode: Maybe[Boolean] = None
    raid_mode: Maybe[Boolean] = None
    anonymous_mode: Maybe[Boolean] = None
    """Whether the anonymous user may ask for anything (ours)."""


class HordeModes(Answer):
    """The modes; in the answer to a change, those that were switched."""

    maintenance_mode: bool | None = None
    """No new requests."""
    invite_only_mode: bool | None = None
    """New workers need an invitation."""
    raid_mode: bool | None = None
    """Moderators."""
    anonymous_mode: bool | None = None
    """Whether the anonymous user may ask for anything (ours)."""
