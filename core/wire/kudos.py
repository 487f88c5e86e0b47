"""Kudos on the wire: `kudos/transfer`, `kudos/award`, and `kudos/audit` (ours).

The domain counts whole hundredths of a kudos, the wire sends kudos as a float. Only here is one
converted into the other.
"""

from decimal import ROUND_HALF_UP, Decimal

from core.wire.limits import Name
from core.wire.model import Answer, Request
from core.wire.scalars import Integer

HUNDREDTHS = 100


def to_wire(hundredths: int) -> float:
    """Turn hundredths of a kudos into kudos: 1250 is 12.5."""
    return hundredths / HUNDREDTHS


def to_whole(hundredths: int) -> float:
    """Turn hundredths of a kudos into whole kudos, to the nearest: 1250 is 13.0, 49 is 0.0.

    Prices and costs of requests are also sent like this, beside the exact amount, for clients that
    only read whole numbers.
    """
    return float((hundredths + HUNDREDTHS // 2) // HUNDREDTHS)


def from_wire(kudos: float) -> int:
    """Turn kudos into hundredths, to the nearest one: 0.125 is 13.

    Raises ValueError unless it is a finite number.
    """
    exact = Decimal(repr(kudos)) * HUNDREDTHS
    if not exact.is_finite():
        raise ValueError(f"{kudos} is not an amount of kudos")
    return int(exact.to_integral_value(ROUND_HALF_UP))


class KudosTransferInput(Request):
    """Who gets how many kudos."""

    username: Name
    """An alias, `name#id`; for a transfer also a shared key: its owner gets them."""
    amount: Integer = 100


class KudosTransferred(Answer):
    """The kudos were given."""

    transferred: float


class KudosAwarded(Answer):
    """The kudos were awarded."""

    awarded: float


class KudosAudit(Answer):
    """The proof that no kudos came from nowhere: each event sums to zero, balances are entries."""

    balanced: bool
    """Whether nothing below is wrong."""
    entries_sum: float
    """Kudos; the sum of all entries of all accounts, 0.0 in a sound ledger."""
    unbalanced_events: int
    """Events whose entries do not sum to zero."""
    drifted_accounts: int
    """Accounts whose stored balance is not the sum of their entries."""
    holds_drift: int
    """Accounts whose held amount is not the sum of their holds."""
    wrong_checkpoints: int
    """System accounts whose latest checkpoint is not the sum of the entries it stands for."""
    accounts: int
    """Users' accounts, escrows included."""
    events: int
    entries: int
    supply: float
    """The kudos of all users' accounts together, escrows included."""
    held: float
    """How much of that is held for requests that are not settled yet."""
    system: dict[str, float]
    """Kudos in each system account (mint, burn, tax, forgiveness, ...), by its name."""
