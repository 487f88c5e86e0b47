"""`GET kudos/audit` (ours): anybody may check that no kudos come from nowhere."""

from quart import Blueprint

from core.api import context
from core.api.limits import Limit
from core.api.operation import by_address, operation
from core.ledger import audit
from core.wire.kudos import KudosAudit, to_wire

blueprint = Blueprint("audit", __name__)


@blueprint.get("/kudos/audit")
@operation(answers={200: KudosAudit}, limit=by_address(Limit(6, 60)))
async def kudos_audit() -> KudosAudit:
    """Prove that all kudos entries sum to zero and all balances are their entries."""
    async with context.server().database.reading() as session:
        found = await audit.audit(session)
    return KudosAudit(
        balanced=found.balanced,
        entries_sum=to_wire(found.entries_sum),
        unbalanced_events=found.unbalanced_events,
        drifted_accounts=found.drifted_accounts,
        holds_drift=found.holds_drift,
        wrong_checkpoints=found.wrong_checkpoints,
        accounts=found.accounts,
        events=found.events,
        entries=found.entries,
        supply=to_wire(found.supply),
        held=to_wire(found.held),
        system={account.name.lower(): to_wire(sum_) for account, sum_ in found.system.items()},
    )
