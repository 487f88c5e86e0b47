"""What of a reward its owner has at once, so that the worker says no more than is true."""

import math
from dataclasses import dataclass
from typing import Final

SHARES: Final = 2
"""One of them is kept back from owners who are not trusted yet; an odd hundredth is not."""


@dataclass
class Escrow:
    """Words for rewards. trusted: whether the owner is; None: nobody has said so far."""

    trusted: bool | None = None

    def told(self, earned: float) -> str:
        """Say what was earned, and what of it is credited where not all of it is."""
        told = f"+{earned:.2f} kudos"
        if self.trusted is not False or not earned or not math.isfinite(earned):
            return told
        return f"{told} ({round(earned * 100) // SHARES / 100:.2f} of them in escrow)"
