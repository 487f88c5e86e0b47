"""Source pictures that a client names by URL: fetched by the guarded client, then checked."""

from typing import Final

from core.errors import Invalid
from core.images import checks
from core.images.decoders import Decoders
from core.images.failures import ImageValidationFailed, TooManyPixels
from core.outside import NotAllowed, Outside, OutsideFailure, TooLarge

MAX_BYTES: Final = 5 * 1024 * 1024
SECONDS: Final = 2.0


class SourceImageUrlInvalid(Invalid):
    """A source picture's URL may not be called, or does not lead to a picture."""

    code = "SourceImageUrlInvalid"


class SourceImageSizeExceeded(Invalid):
    """The file at a source picture's URL is too large."""

    code = "SourceImageSizeExceeded"


class SourceImageUnreadable(Invalid):
    """The picture at a source picture's URL is damaged, or in an unknown format."""

    code = "SourceImageUnreadable"


async def fetch_source(outside: Outside, decoders: Decoders, url: str, *, caller: str) -> bytes:
    """Fetch the picture as WebP for workers, as `checks.decode_source` makes it from base64.

    caller: who named the URL and takes turns with the others; see `Outside.get`.

    Raises SourceImageUrlInvalid, SourceImageSizeExceeded, SourceImageUnreadable, TooManyPixels,
    TooManyPictures, DecoderBusy, and ImageValidationFailed if nothing could be fetched.
    """
    try:
        content = await outside.get(url, max_bytes=MAX_BYTES, seconds=SECONDS, caller=caller)
    except TooLarge:
        raise SourceImageSizeExceeded(
            f"Image validation failed: an image by URL may have at most {MAX_BYTES} bytes."
        ) from None
    except NotAllowed as refused:
        raise SourceImageUrlInvalid(
            f"Image validation failed: its URL is refused, as {refused}."
        ) from None
    except OutsideFailure as failure:
        raise ImageValidationFailed(f"it could not be fetched: {failure}") from None
    try:
        return await checks.convert_source(decoders, content, caller=caller)
    except TooManyPixels:
        raise
    except ImageValidationFailed as failed:
        if failed.is_picture:
            raise SourceImageUnreadable(failed.message) from None
        raise SourceImageUrlInvalid(failed.message) from None
