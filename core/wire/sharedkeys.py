"""`/api/v2/sharedkeys`: keys that let others ask at their owner's expense."""

from typing import Annotated, Final

from pydantic import Field, StrictInt

from core.wire.limits import Name
from core.wire.model import Answer, Request
from core.wire.scalars import WHOLE, Maybe, Omitted, Rfc822Date

UNLIMITED: Final = -1


class SharedKeyInput(Request):
    """The settings of a shared key; in a change, absent ones stay."""

    kudos: Annotated[StrictInt, Field(ge=-1, le=50_000_000), WHOLE] = 5000
    """How many kudos may be spent with it; -1: as many as the owner has."""
    expiry: Annotated[StrictInt, Field(ge=-1), WHOLE] = -1
    """Days from now until it expires; -1: it never expires."""
    name: Maybe[Name] = None
    max_image_pixels: Annotated[StrictInt, Field(ge=-1, le=4_194_304), WHOLE] = -1
    """Width times height; here and below -1 means no limit, and 0 forbids it."""
    max_image_steps: Annotated[StrictInt, Field(ge=-1, le=500), WHOLE] = -1
    max_text_tokens: Annotated[StrictInt, Field(ge=-1, le=500), WHOLE] = -1


class SharedKeyDetails(Answer):
    """A shared key, for everybody who knows its id."""

    id: str
    username: str
    """The owner's alias."""
    name: Omitted[str] = None
    kudos: int
    """How many kudos may still be spent; -1: as many as the owner has."""
    expiry: Omitted[Rfc822Date] = None
    """When it expires; left out if it never does."""
    utilized: int
    """Kudos spent with it."""
    max_image_pixels: int
    max_image_steps: int
    max_text_tokens: int
