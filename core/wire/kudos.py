"""Kudos on the wire, and `GET /api/v2/kudos/audit` (ours).

The domain counts whole hundredths of a kudos, the wire sends kudos as a float. Only here is one
turned into the other.
"""

from decimal import ROUND_HALF_UP, Decimal

from core.wire.model import Answer

HUNDREDTHS = 100


def to_wire(hundredths: int) -> float:
    """Turn hundredths of a kudos into kudos: 1250 is 12.5."""
    return hundredths / HUNDREDTHS


def from_wire(kudos: float) -> int:
    """Turn kudos into hundredths, to the nearest one: 0.125 is 13.

    Raises ValueError for what is not a finite number.
    """
    exact = Decimal(repr(kudos)) * HUNDREDTHS
    if not exact.is_finite():
        raise ValueError(f"{kudos} is not an amount of kudos")
    return int(exact.to_integral_value(ROUND_HALF_UP))


class KudosAudit(Answer):
    """The proof that no kudos came from nowhere: every entry sums to zero, balances are entries.

    All amounts are kudos.
    """

    balanced: bool
    """Whether `total` is zero and no account is mismatched."""
    total: float
    """The sum of all entries of all accounts, system accounts included; 0.0 in a sound ledger."""
    mismatched_accounts: int
    """How many stored balances differ from the sum of their account's entries."""
    events: int
    entries: int
    users: float
    """The sum of what users can spend and what is in their escrow."""
    held: float
    """How much of that is held for requests that are not settled yet."""
    system: dict[str, float]
    """The balance of each system account (mint, burn, tax, forgiveness, ...), by its name."""
