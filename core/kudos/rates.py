"""The numbers that work costs by, one set for each version; `prices` has the arithmetic.

A request keeps the version that it was priced by (`terms["version"]`), and is settled by it however
long it waits and whatever is deployed meanwhile. So a change of any number is a new `Rates` under
the next version, beside the old one, and a new set of golden tests. Amounts are hundredths of a
kudos.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from core.catalog.agents import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """The numbers of one version. The defaults are those of the first."""

    per_picture: int = 400
    per_step: int = 4
    per_megapixel_step: int = 32
    per_squared_megapixel_step: int = 17
    control: Fraction = Fraction(8, 5)
    """A second, smaller model runs beside each step."""
    post_processor: Fraction = Fraction(6, 5)
    """Each."""
    hires_fix: Fraction = Fraction(11, 10)
    """The picture is decoded and encoded once more between its two passes."""
    per_lora: int = 300
    textual_inversions: int = 100
    """For any number of them."""
    baselines: Mapping[str, int] = field(
        default_factory=lambda: {
            "stable_diffusion_xl": 2,
            "stable_cascade": 4,
            "flux_1": 8,
            "z_image_turbo": 8,
            "qwen_image": 12,
        }
    )
    """How many times the price of a Stable Diffusion 1 or 2 model; any other counts once."""
    qr_code_xl: int = 4
    hires_fix_cascade: int = 7
    worker: Mapping[Standing, Fraction] = field(
        default_factory=lambda: {
            Standing.NEWEST: Fraction(1),
            Standing.OLDER: Fraction(9, 10),
            Standing.OTHER: Fraction(3, 4),
        }
    )
    """What part of a picture's price a worker gets, by its program."""

    request_tax: int = 100
    style_tax: int = 200
    extra_source_image_tax: int = 500
    """Each."""
    picture_tax: int = 100
    img2img: Fraction = Fraction(13, 10)
    upscaler: Fraction = Fraction(21, 20)
    """Each."""
    fast_workers_only: Fraction = Fraction(6, 5)
    worker_blacklist: Fraction = Fraction(11, 10)

    usual_billions: float = 13.0
    """The size of model that costs as it is, and is assumed where none is named that is known."""
    unvalidated: float = 0.3
    """Part of the price where nobody knows which model the worker's program really runs."""
    unknown_model_token: float = 2.7
    """A token by a model that the horde does not know, of a trusted owner."""
    unknown_model_text: float = 100.0
    """A whole text by such a model, of any other owner."""
    text_tax: int = 100

    form: int = 100
    interrogation: int = 300
    form_tile: int = 300
    """A square of 512 pixels, for forms that make a picture."""
    form_tax: int = 100
    slow_form_tax: int = 100
    """More, where slow workers will do; the contract has it this way round."""


VERSIONS: Final[dict[int, Rates]] = {1: Rates()}
VERSION: Final = max(VERSIONS)
"""The newest, which requests are priced by; stored with each."""
NEWEST: Final = VERSIONS[VERSION]


def agreed(terms: Mapping[str, Any]) -> Rates:
    """The numbers that a request was priced by, from its terms.

    The newest where this server does not know them: a later one wrote them, and was taken back.
    """
    return VERSIONS.get(terms["version"], NEWEST)
