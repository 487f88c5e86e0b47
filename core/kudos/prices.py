"""Prices: one set of our own numbers for each version, and the only arithmetic on prices.

Pictures
--------
A picture's price follows the time a diffusion model takes for it: something for loading, encoding
and delivering, and for each step something fixed, something that grows with the area (convolutions)
and something that grows with its square (self-attention). The four numbers were fitted, within a
tenth, to prices that requesters are used to: 7.61 kudos for 512x512 and 30 steps, 11.00 for 50
steps, 11.49 for 768x768x30, 20.74 for 1024x1024x30, 125.62 for 2048x2048x30, 4.16 for 64x64x1.

Texts and forms
---------------
A text's price follows what requesters are used to: its tokens times the size of the model, with a
factor for the context that the model had to read. It is charged for the tokens written; the same
function, for all tokens asked for, gives the most that it can cost. Forms have fixed prices; for
those that make a picture, by its size.

Amounts are hundredths of a kudos. Every function rounds only its result, half up; all but texts,
whose price has powers in it, is computed exactly, in fractions. Numbers and arithmetic are
together, so that a price is changed in one file.

Versions
--------
A request keeps the version that it was priced by (`terms["version"]`) and is settled by it, however
long it waits and whatever is deployed meanwhile. So to change a number, add another `Rates` under
the next version, with golden tests; a number for something that no old request has needs no new
version.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Any, Final, Self

from core.catalog.agents import Standing
from core.features import FORMS, Form
from core.kinds import image
from core.kinds.image import ImageParams

MEGAPIXEL = 1024 * 1024


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
    """Factors on the price of a Stable Diffusion 1 or 2 model; any other baseline counts once."""
    qr_code_xl: int = 4
    hires_fix_cascade: int = 7
    worker: Mapping[Standing, Fraction] = field(
        default_factory=lambda: {
            Standing.NEWEST: Fraction(1),
            Standing.OLDER: Fraction(9, 10),
            Standing.OTHER: Fraction(3, 4),
        }
    )
    """The part of a picture's price that a worker gets, by its program."""

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
    """The size of model that is charged in full, and assumed if no known one is named."""
    unvalidated: float = 0.3
    """The part of the price if it is not known which model the worker's program really runs."""
    unknown_model_token: float = 2.7
    """A token by a model that the horde does not know, if the owner is trusted."""
    unknown_model_text: float = 100.0
    """A whole text by such a model, for any other owner."""
    text_tax: int = 100

    form: int = 100
    interrogation: int = 300
    form_tile: int = 300
    """A square of 512 pixels, for forms that make a picture."""
    form_tax: int = 100
    slow_form_tax: int = 100
    """Added if slow workers will do; the contract has it this way round."""


VERSIONS: Final[dict[int, Rates]] = {1: Rates()}
VERSION: Final = max(VERSIONS)
"""The newest, by which requests are priced; stored with each."""
NEWEST: Final = VERSIONS[VERSION]


def agreed(terms: Mapping[str, Any]) -> Rates:
    """The numbers that a request was priced by, from its terms.

    The newest if this server does not know them: a later server wrote them before a roll-back.
    """
    return VERSIONS.get(terms["version"], NEWEST)


@dataclass(frozen=True, slots=True)
class ImageWork:
    """What decides the price of one picture."""

    width: int
    """Pixels, as `height`."""
    height: int
    steps: int
    sampler: str = "k_euler_a"
    control_type: str | None = None
    return_control_map: bool = False
    """Only the control map is wanted, so no second model runs."""
    post_processing: tuple[str, ...] = ()
    hires_fix: bool = False
    loras: int = 0
    """How many."""
    tis: int = 0
    """How many textual inversions."""

    @classmethod
    def of(cls, params: ImageParams) -> Self:
        """The parameters of a request that determine its price."""
        return cls(
            width=params.width,
            height=params.height,
            steps=params.steps,
            sampler=params.sampler_name,
            control_type=params.control_type,
            return_control_map=params.return_control_map,
            post_processing=tuple(params.post_processing),
            hires_fix=params.hires_fix,
            loras=len(params.loras),
            tis=len(params.tis),
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of a request that change what the requester pays."""

    img2img: bool = False
    """A source image is given."""
    upscalers: int = 0
    """How many of the post-processors enlarge the picture."""
    slow_workers: bool = True
    worker_blacklist: bool = False
    hires_fix: bool = False
    qr_code: bool = False
    """The `qr_code` workflow."""

    @classmethod
    def of(cls, params: ImageParams, agreed: Mapping[str, Any]) -> Self:
        """The terms of a request, at the quote and again at each settlement."""
        return cls(
            img2img=params.source_image is not None,
            upscalers=len(params.upscalers),
            slow_workers=agreed["slow_workers"],
            worker_blacklist=agreed["worker_blacklist"],
            hires_fix=params.hires_fix,
            qr_code=params.workflow == "qr_code",
        )


PLAIN = Terms()


@dataclass(frozen=True, slots=True)
class TextWork:
    """What decides the price of one text."""

    tokens: int
    """Tokens to be written, or written."""
    context: int
    """Tokens that had to be read."""
    billions: float | None
    """Size of the model in billions of parameters; None: unknown."""
    validated: bool = True
    """Whether the worker's program is known to use the model that it declares."""
    trusted: bool = True
    """Whether its owner is trusted; matters only for unknown models."""


def text_price(work: TextWork, *, rates: Rates = NEWEST) -> int:
    """The price of one text, before taxes."""
    context = min(30.0, max(0.1, 1.2 + 2.2 ** math.log2(work.context / 1024)))
    if work.billions is None:
        by_token = work.tokens * rates.unknown_model_token
        per_text = by_token if work.trusted else rates.unknown_model_text
        return _rounded(Fraction(per_text * context))
    usual = rates.usual_billions
    size = (max(work.billions, usual) / usual) ** 0.2 * work.billions / 1.25
    validity = 1.0 if work.validated else rates.unvalidated
    return _rounded(Fraction(work.tokens * size * validity * context))


def text_charge(price: int, *, rates: Rates = NEWEST) -> int:
    """What the requester pays for one delivered text, tax included."""
    return price + rates.text_tax


def form_price(form: str, *, tiles: int, rates: Rates = NEWEST) -> int:
    """The price of one form, before taxes. tiles: size of the picture in squares of 512 pixels."""
    known = FORMS.get(form, Form())
    each: int = getattr(rates, known.rate)
    return each * tiles if known.by_tile else each


def form_charge(price: int, *, slow_workers: bool, rates: Rates = NEWEST) -> int:
    """What the requester pays for one delivered form, tax included."""
    return price + rates.form_tax + (rates.slow_form_tax if slow_workers else 0)


def image_price(work: ImageWork, *, rates: Rates = NEWEST) -> int:
    """The price of one picture by a Stable Diffusion 1 model, before taxes."""
    area = Fraction(work.width * work.height, MEGAPIXEL)
    a_step = rates.per_step + rates.per_megapixel_step * area
    a_step += rates.per_squared_megapixel_step * area**2
    price = rates.per_picture + image.effective_steps(work.sampler, work.steps) * a_step
    if work.control_type and not work.return_control_map:
        price *= rates.control
    if work.hires_fix:
        price *= rates.hires_fix
    price *= rates.post_processor ** len(work.post_processing)
    price += rates.per_lora * work.loras + (rates.textual_inversions if work.tis else 0)
    return _rounded(price)


def reward(
    price: int,
    baseline: str,
    standing: Standing,
    terms: Terms = PLAIN,
    *,
    rates: Rates = NEWEST,
) -> int:
    """What the worker's owner gets for one picture.

    price: of `image_price`.
    baseline: of the model that made it.
    standing: of the worker's program.
    """
    return _rounded(price * _factor(baseline, terms, rates) * rates.worker[standing])


def charge(
    price: int,
    baseline: str,
    terms: Terms = PLAIN,
    *,
    censored: bool = False,
    rates: Rates = NEWEST,
) -> int:
    """What the requester pays for one delivered picture, tax included.

    price: of `image_price`.
    baseline: of the model that made it.
    censored: the worker held the picture back; only the tax is due.
    """
    amount = Fraction(0 if censored else price * _factor(baseline, terms, rates))
    if terms.img2img:
        amount *= rates.img2img
    amount *= rates.upscaler**terms.upscalers
    amount += rates.picture_tax
    if not terms.slow_workers:
        amount *= rates.fast_workers_only
    if terms.worker_blacklist:
        amount *= rates.worker_blacklist
    return _rounded(amount)


def estimate(
    price: int, baselines: Iterable[str], terms: Terms, *, n: int, rates: Rates = NEWEST
) -> int:
    """The most that n pictures can cost, without the request's own tax.

    This amount is held, and returned by a dry run.

    baselines: of the models that may make them; the dearest decides. Empty: Stable Diffusion 1.
    """
    dearest = max(baselines, key=lambda baseline: _factor(baseline, terms, rates), default="")
    return n * charge(price, dearest, terms, rates=rates)


def request_tax(
    *, extra_source_images: int = 0, styled: bool = False, rates: Rates = NEWEST
) -> int:
    """The tax of a request, due when it is accepted and never given back."""
    styles = rates.style_tax if styled else 0
    return rates.request_tax + rates.extra_source_image_tax * extra_source_images + styles


def _factor(baseline: str, terms: Terms, rates: Rates) -> int:
    """The factor of this baseline on the price of a Stable Diffusion 1 model."""
    if terms.qr_code and baseline == "stable_diffusion_xl":
        return rates.qr_code_xl
    if terms.hires_fix and baseline == "stable_cascade":
        return rates.hires_fix_cascade
    return rates.baselines.get(baseline, 1)


def _rounded(amount: Fraction) -> int:
    return floor(amount + Fraction(1, 2))
