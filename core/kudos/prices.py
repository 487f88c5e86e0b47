"""What work costs: one table of our own numbers, and the only arithmetic on prices.

Pictures
--------
A picture's price follows the time a diffusion model takes for it: something for loading, encoding
and delivering, and for each step something fixed, something that grows with the area (convolutions)
and something that grows with its square (self-attention). The four numbers were fitted, within a
tenth, to prices that requesters are used to: 7.61 kudos for 512x512 and 30 steps, 11.00 for 50
steps, 11.49 for 768x768x30, 20.74 for 1024x1024x30, 125.62 for 2048x2048x30, 4.16 for 64x64x1.

Texts and forms
---------------
A text's price is what requesters are used to: its tokens times the size of the model, with a factor
for the context that the model had to read. It holds for the tokens that were written; the same
function, for all tokens that were asked for, tells what it costs at most. Forms have fixed prices,
those that make a picture by its size.

Amounts are hundredths of a kudos. Every function rounds once, its result, half up; all but texts,
whose price has powers in it, is computed exactly, in fractions. A change of any number here is a
new VERSION and changes the golden tests.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from core.kinds import image

VERSION = 1
"""Of the numbers below; stored with each request."""

PER_PICTURE = 400
PER_STEP = 4
PER_MEGAPIXEL_STEP = 32
PER_SQUARED_MEGAPIXEL_STEP = 17
MEGAPIXEL = 1024 * 1024

CONTROL = Fraction(8, 5)
"""A second, smaller model runs beside each step."""
POST_PROCESSOR = Fraction(6, 5)
"""Each."""
HIRES_FIX = Fraction(11, 10)
"""The picture is decoded and encoded once more between its two passes."""
PER_LORA = 300
TEXTUAL_INVERSIONS = 100
"""For any number of them."""

BASELINES = {
    "stable_diffusion_xl": 2,
    "stable_cascade": 4,
    "flux_1": 8,
    "z_image_turbo": 8,
    "qwen_image": 12,
}
"""How many times the price of a Stable Diffusion 1 or 2 model; any other baseline counts once."""
QR_CODE_XL = 4
HIRES_FIX_CASCADE = 7

NEWEST_WORKER = Fraction(1)
"""Part of the price that a worker gets whose software is ours and of the newest capabilities."""
OLDER_WORKER = Fraction(9, 10)
OTHER_WORKER = Fraction(3, 4)

REQUEST_TAX = 100
STYLE_TAX = 200
EXTRA_SOURCE_IMAGE_TAX = 500
"""Each."""
PICTURE_TAX = 100

IMG2IMG = Fraction(13, 10)
UPSCALER = Fraction(21, 20)
"""Each."""
FAST_WORKERS_ONLY = Fraction(6, 5)
WORKER_BLACKLIST = Fraction(11, 10)


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
    """Only the control map is wanted: no second model runs."""
    post_processing: tuple[str, ...] = ()
    hires_fix: bool = False
    loras: int = 0
    """How many."""
    tis: int = 0
    """How many textual inversions."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a request wants its pictures, as far as it changes what the requester pays."""

    img2img: bool = False
    """A source image is given."""
    upscalers: int = 0
    """How many of the post-processors enlarge the picture."""
    slow_workers: bool = True
    worker_blacklist: bool = False
    hires_fix: bool = False
    qr_code: bool = False
    """The `qr_code` workflow."""


PLAIN = Terms()


USUAL_BILLIONS = 13.0
"""What a request that names no known model is taken to mean, and the size that costs as it is."""
UNVALIDATED = 0.3
"""Part of the price where nobody knows which model the worker's program really runs."""
UNKNOWN_MODEL_TOKEN = 2.7
"""A token by a model that the horde does not know, of a trusted owner."""
TEXT_TAX = 100

FORM = 100
INTERROGATION = 300
FORM_TILE = 300
"""A square of 512 pixels, for forms that make a picture."""
FORM_TAX = 100
SLOW_FORM_TAX = 100
"""More, where slow workers will do; the contract has it this way round."""


@dataclass(frozen=True, slots=True)
class TextWork:
    """What decides the price of one text."""

    tokens: int
    """To be written, or written."""
    context: int
    """Tokens that had to be read."""
    billions: float | None
    """Size of the model, parameters in thousands of millions; None: unknown."""
    validated: bool = True
    """The worker's program is known to write with the model that it says."""
    trusted: bool = True
    """Its owner is; matters for unknown models alone."""


def text_price(work: TextWork) -> int:
    """The price of one text, before taxes."""
    context = min(30.0, max(0.1, 1.2 + 2.2 ** math.log2(work.context / 1024)))
    if work.billions is None:
        per_text = work.tokens * UNKNOWN_MODEL_TOKEN if work.trusted else 100.0
        return _rounded(Fraction(per_text * context))
    size = (max(work.billions, 13.0) / 13.0) ** 0.2 * work.billions / 1.25
    validity = 1.0 if work.validated else UNVALIDATED
    return _rounded(Fraction(work.tokens * size * validity * context))


def text_charge(price: int) -> int:
    """What the requester pays for one delivered text, tax included."""
    return price + TEXT_TAX


def form_price(form: str, *, tiles: int) -> int:
    """The price of one form, before taxes. tiles: size of the picture in squares of 512 pixels."""
    if form in image.POST_PROCESSORS:
        return FORM_TILE * tiles
    return INTERROGATION if form == "interrogation" else FORM


def form_charge(price: int, *, slow_workers: bool) -> int:
    """What the requester pays for one delivered form, tax included."""
    return price + FORM_TAX + (SLOW_FORM_TAX if slow_workers else 0)


def image_price(work: ImageWork) -> int:
    """The price of one picture by a Stable Diffusion 1 model, before taxes."""
    area = Fraction(work.width * work.height, MEGAPIXEL)
    a_step = PER_STEP + PER_MEGAPIXEL_STEP * area + PER_SQUARED_MEGAPIXEL_STEP * area**2
    price = PER_PICTURE + image.effective_steps(work.sampler, work.steps) * a_step
    if work.control_type and not work.return_control_map:
        price *= CONTROL
    if work.hires_fix:
        price *= HIRES_FIX
    price *= POST_PROCESSOR ** len(work.post_processing)
    price += PER_LORA * work.loras + (TEXTUAL_INVERSIONS if work.tis else 0)
    return _rounded(price)


def baseline_factor(baseline: str, *, hires_fix: bool = False, qr_code: bool = False) -> int:
    """How many times the price of a Stable Diffusion 1 model a model of this baseline costs."""
    if qr_code and baseline == "stable_diffusion_xl":
        return QR_CODE_XL
    if hires_fix and baseline == "stable_cascade":
        return HIRES_FIX_CASCADE
    return BASELINES.get(baseline, 1)


def reward(price: int, baseline: str, bridge_factor: Fraction, terms: Terms = PLAIN) -> int:
    """What the worker's owner gets for one picture.

    price: of `image_price`.
    baseline: of the model that made it.
    bridge_factor: NEWEST_WORKER, OLDER_WORKER or OTHER_WORKER.
    """
    return _rounded(price * _factor(baseline, terms) * bridge_factor)


def charge(price: int, baseline: str, terms: Terms = PLAIN, *, censored: bool = False) -> int:
    """What the requester pays for one delivered picture, tax included.

    price: of `image_price`.
    baseline: of the model that made it.
    censored: the worker held the picture back; only the tax is due.
    """
    amount = Fraction(0 if censored else price * _factor(baseline, terms))
    if terms.img2img:
        amount *= IMG2IMG
    amount *= UPSCALER**terms.upscalers
    amount += PICTURE_TAX
    if not terms.slow_workers:
        amount *= FAST_WORKERS_ONLY
    if terms.worker_blacklist:
        amount *= WORKER_BLACKLIST
    return _rounded(amount)


def estimate(price: int, baselines: Iterable[str], terms: Terms, *, n: int) -> int:
    """What n pictures cost at most, without the request's own tax.

    It is what gets held, and what a dry run tells.

    baselines: of the models that may make them; the dearest decides. Empty: as Stable Diffusion 1.
    """
    dearest = max(baselines, key=lambda baseline: _factor(baseline, terms), default="")
    return n * charge(price, dearest, terms)


def request_tax(*, extra_source_images: int = 0, styled: bool = False) -> int:
    """What a request costs when it is accepted; never given back."""
    styles = STYLE_TAX if styled else 0
    return REQUEST_TAX + EXTRA_SOURCE_IMAGE_TAX * extra_source_images + styles


def _factor(baseline: str, terms: Terms) -> int:
    return baseline_factor(baseline, hires_fix=terms.hires_fix, qr_code=terms.qr_code)


def _rounded(amount: Fraction) -> int:
    return floor(amount + Fraction(1, 2))
