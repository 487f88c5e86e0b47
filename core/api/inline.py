"""Pictures within JSON answers, as base64: read and sent piece by piece, never whole in memory."""

import base64
import re
import secrets
from collections.abc import AsyncIterator, Sequence
from typing import cast

from quart import Response, after_this_request, g
from quart.typing import ResponseTypes
from quart.wrappers.response import IterableBody

from core.api import context
from core.images.store import Store

GONE = "N/A"
"""The stand-in for a picture that is gone."""


def picture(name: str) -> str:
    """The stand-in for the picture in this answer until it is sent."""
    if "inline" not in g:
        g.inline = secrets.token_hex(16)  # nobody whose text is in the answer can know it
        after_this_request(_filled)
    return f"{g.inline}{name}"


async def _filled(response: ResponseTypes) -> ResponseTypes:
    """The answer with a body that reads the pictures as it is sent."""
    answer = cast("Response", response)
    content = await answer.get_data(as_text=False)
    parts = re.split(g.inline.encode() + rb"([0-9a-f-]{36}\.webp)", content)
    answer.response = IterableBody(_pieces(context.server().horde.store, parts))
    del answer.content_length  # it depends on the sizes of files that may be deleted meanwhile
    return answer


async def _pieces(store: Store, parts: Sequence[bytes]) -> AsyncIterator[bytes]:
    """The body. parts: JSON and names of pictures, alternating."""
    for number, part in enumerate(parts):
        if number % 2 == 0:
            yield part
            continue
        is_there = False
        async for piece in store.pieces(part.decode()):
            is_there = True
            yield base64.b64encode(piece)
        if not is_there:
            yield GONE.encode()
