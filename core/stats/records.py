"""The `kudos_details` of users, from the roll-up of the ledger."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from core.db import Reading
from core.stats import kudos
from core.stats.kudos import Flow
from core.users.tables import User


@dataclass(slots=True, kw_only=True)
class KudosDetails:
    """Where a user's kudos came from and went since registration, in hundredths."""

    accumulated: int = 0
    """Earned by work, less what was spent on requests."""
    gifted: int = 0
    """Given to others: zero or negative, as `donated`."""
    donated: int = 0
    """Given to accounts of education."""
    received: int = 0
    admin: int = 0
    recurring: int = 0
    awarded: int = 0
    styled: int = 0


GAINED = {
    "transfer": "received",
    "donation": "received",
    "grant": "admin",
    "monthly": "recurring",
    "award": "awarded",
    "rating": "awarded",
    "style": "styled",
}
"""How gains count, by kind of ledger event. Any other kind is work: accumulated."""
LOST = GAINED | {"transfer": "gifted", "donation": "donated"}
NOT_SHOWN = frozenset({"floor"})
"""Every account starts with it, so it counts as nothing."""


async def kudos_details(session: Reading, users: Collection[User]) -> dict[int, KudosDetails]:
    """The details of these users' spendable kudos, by user id."""
    flows = await kudos.flows(session, {user.account_id for user in users})
    return {user.id: details(flows.get(user.account_id, {})) for user in users}


def details(flows: Mapping[str, Flow]) -> KudosDetails:
    """Sort the flows of an account, given by kind of event, into the contract's eight."""
    found = KudosDetails()
    for kind, flow in flows.items():
        if kind not in NOT_SHOWN:
            gained, lost = GAINED.get(kind, "accumulated"), LOST.get(kind, "accumulated")
            setattr(found, gained, getattr(found, gained) + flow.gained)
            setattr(found, lost, getattr(found, lost) + flow.lost)
    return found
