"""Parameters of an alchemy request: a picture, and the forms wanted of it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from math import ceil
from typing import Any, Self

from core.errors import Invalid
from core.features import FORMS
from core.kinds.params import is_url

SECONDS = 180  # for a form that is not in the table
TILE = 512
MAX_TILES = 255
MAX_RESULT_SIDE = 16383  # WebP has no more
MAX_RESULT_PIXELS = 8192 * 8192
FORM = "form:"
"""The prefix of the feature that a worker needs for a form."""


class SourceTooLarge(Invalid):
    """The picture is too large for a form."""

    code = "SourceImageResolutionExceeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlchemyParams:
    """A picture and the forms wanted of it. Stored with the request as JSON."""

    source_image: str
    """Name of the picture in the store, or its address elsewhere."""
    tiles: int
    """Its size in squares of 512 pixels."""
    forms: list[dict[str, Any]] = field(default_factory=list)
    """`{name, payload}`: one job each, in this order."""
    disable_batching: bool = False

    def to_json(self) -> dict[str, Any]:
        """The JSON document stored with the request."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """The parameters that `to_json` wrote."""
        return cls(**document)

    @property
    def things(self) -> int:
        """Size of one job's work: a form."""
        return 1

    @property
    def is_elsewhere(self) -> bool:
        """The picture was given by its address; workers fetch it from there."""
        return is_url(self.source_image)

    @property
    def sources(self) -> list[str]:
        """The names of all source pictures in the store."""
        return [] if self.is_elsewhere else [self.source_image]

    def seconds(self, _baseline: str | None, *, extra_slow: bool) -> int:  # noqa: ARG002 - as others
        """How long a worker may take before its attempt is given up."""
        return max(
            (FORMS[form["name"]].seconds for form in self.forms if form["name"] in FORMS),
            default=SECONDS,
        )

    def safe_batch(self, _amount: int, _max_pixels: int) -> int:
        """One: each form is a job of its own."""
        return 1


def tiles_of(width: int, height: int) -> int:
    """How many squares of 512 pixels cover the picture. Raises Invalid above 255."""
    tiles = ceil(width / TILE) * ceil(height / TILE)
    if tiles > MAX_TILES:
        raise Invalid(f"The image is too large: {tiles} tiles of {TILE} pixels, {MAX_TILES} fit.")
    return tiles


def enlarges_by(form: str) -> int:
    """The factor by which a form enlarges a picture's sides; 1 if it does not enlarge."""
    return FORMS[form].enlarges_by if form in FORMS else 1


def check_enlarged(size: tuple[int, int], forms: Iterable[str]) -> None:
    """Raise SourceTooLarge if a form would make a larger picture than may be delivered."""
    for form in forms:
        width, height = (side * enlarges_by(form) for side in size)
        if max(width, height) > MAX_RESULT_SIDE or width * height > MAX_RESULT_PIXELS:
            raise SourceTooLarge(
                f"{form} would make {width} x {height} pixels of the image: a picture has at most "
                f"{MAX_RESULT_SIDE} on a side and {MAX_RESULT_PIXELS} in all."
            )


def feature_of(form: str) -> str:
    """The feature that a worker needs for a form (`Needs.features`)."""
    return FORM + form


def counts_tiles(feature: str) -> bool:
    """Whether a form with this feature takes the longer, the larger its picture is."""
    form = FORMS.get(form_of(feature))
    return form is None or form.by_tile


def form_of(feature: str) -> str:
    """The form that `feature_of` was given."""
    return feature.removeprefix(FORM)
