"""What of a reward its owner has at once, so that the worker says no more than is true."""

from dataclasses import dataclass
from typing import Final

KEPT_BACK: Final = 0.5
"""The share of each reward that owners who are not trusted yet get only later."""


@dataclass
class Escrow:
    """Words for rewards. trusted: whether the owner is; None: nobody has said so far."""

    trusted: bool | None = None

    def told(self, earned: float) -> str:
        """Say what was earned, and what of it is credited where not all of it is."""
        if self.trusted is not False or earned == 0:
            return f"+{earned:.2f} kudos"
        return f"+{earned:.2f} kudos ({earned * KEPT_BACK:.2f} of them in escrow)"
