"""Faults of a picture that somebody sent, or reasons not to take it now."""

from core.errors import Invalid, TooMany, Unavailable


class ImageValidationFailed(Invalid):
    """The content is not a picture, or not one that is accepted."""

    code = "ImageValidationFailed"

    def __init__(self, reason: str, *, is_picture: bool = True) -> None:
        """is_picture: whether it was recognised as a picture at all."""
        super().__init__(f"Image validation failed: {reason}.")
        self.reason = reason
        self.is_picture = is_picture


class TooManyPixels(ImageValidationFailed):
    """The picture is larger than allowed; the contract's code is that of a source picture."""

    code = "SourceImageResolutionExceeded"


class TooManyPictures(TooMany):
    """This caller has as many pictures waiting to be decoded as one caller may."""

    code = "TooManyPictures"


class DecoderBusy(Unavailable):
    """Too many pictures wait to be decoded, or no decoder can be started."""

    code = "DecoderBusy"
