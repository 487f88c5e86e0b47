"""`/api/v2/sharedkeys`: keys that let others ask at their owner's expense."""

from typing import Annotated, Final

from pydantic import Field, StrictInt

from core.wire.limits import Name
from core.wire.model import Answer, Request
from core.wire.scalars import WHOLE, Maybe, Omitted, Rfc822Date

UNLIMITED: Final = -1


class SharedKeyInput(Request):
    """What a shared key shall be like; in a change, what is absent stays."""

    kudos: Annotated[StrictInt, Field(ge=-1, le=50_000_000), WHOLE] = 5000
    """How many may be spent with it; -1: as many as the owner has."""
    expiry: Annotated[StrictInt, Field(ge=-1), WHOLE] = -1
    """Days from now until it ends; -1: it does not end."""
    name: Maybe[Name] = None
    max_image_pixels: Annotated[StrictInt, Field(ge=-1, le=4_194_304), WHOLE] = -1
    """Width times height; here and below -1 is no limit, and 0 forbids it."""
    max_image_steps: Annotated[StrictInt, Field(ge=-1, le=500), WHOLE] = -1
    max_text_tokens: Annotated[StrictInt, Field(ge=-1, le=500), WHOLE] = -1


class SharedKeyDetails(Answer):
    """A shared key, for everybody who knows its id."""

    id: str
    username: str
    """The owner's alias."""
    name: Omitted[str] = None
    kudos: int
    """How many may still be spent; -1: as many as the owner has."""
    expiry: Omitted[Rfc822Date] = None
    """When it ends; left out where it does not."""
    utilized: int
    """Kudos spent with it."""
    max_image_pixels: int
    max_image_steps: int
    max_text_tokens: int
