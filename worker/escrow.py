"""How much of a reward its owner gets at once, so that the worker tells the truth."""

import math
from dataclasses import dataclass
from typing import Final

SHARES: Final = 2
"""One of these shares is held back from untrusted owners; an odd hundredth is not."""


@dataclass
class Escrow:
    """Words for rewards. trusted: whether the owner is trusted; None: not known so far."""

    trusted: bool | None = None

    def told(self, earned: float) -> str:
        """Say what was earned, and how much of it is in escrow, if any."""
        told = f"+{earned:.2f} kudos"
        if self.trusted is not False or not earned or not math.isfinite(earned):
            return told
        return f"{told} ({round(earned * 100) // SHARES / 100:.2f} of them in escrow)"
