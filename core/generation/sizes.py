"""How large an ordered picture has to be, and what a smaller one is worth."""

from fractions import Fraction
from typing import Final

from core.generation.delivery import Amounts, Delivery
from core.kinds.image import ImageParams, enlarges_by

TOLERANCE: Final = 2
"""A picture may have this much less area than was ordered: programs round sides differently."""
MAX_EXPECTED: Final = 4096 * 4096
"""Nobody is expected to enlarge beyond this area."""


def adjusted(amounts: Amounts, params: ImageParams, delivery: Delivery) -> Amounts:
    """The amounts of a picture, in proportion to its area if it is far smaller than ordered."""
    width, height = delivery.size or (0, 0)
    ordered = _expected(params)
    is_judged = delivery.size and not delivery.is_censored and not params.return_control_map
    if not is_judged or width * height * TOLERANCE >= ordered:
        return amounts
    share = Fraction(width * height, ordered)
    return amounts._replace(
        announced_reward=int(amounts.announced_reward * share),
        reward=int(amounts.reward * share),
        charge=int(amounts.charge * share),
        shortfall=f"The picture has {width} x {height} pixels, but {ordered} in all were ordered.",
    )


def _expected(params: ImageParams) -> int:
    """The area that was ordered; of several upscalers, the smallest factor counts."""
    factor = min(map(enlarges_by, params.upscalers), default=1)
    return max(params.pixels, min(MAX_EXPECTED, params.pixels * factor**2))
