"""`kudos/transfer`: giving kudos away."""

from core.api import callers, context
from core.api.limits import Limit
from core.api.operation import by_path
from core.api.v1.endpoint import blueprint as new_blueprint
from core.api.v1.endpoint import endpoint
from core.db import now
from core.kudos import transfers
from core.wire import v1
from core.wire.kudos import HUNDREDTHS

blueprint = new_blueprint("v1_kudos")


@blueprint.post("/kudos/transfer")
@endpoint(arguments=v1.TransferArguments, limit=by_path(Limit(1, 1), Limit(90, 60)))
async def transfer(wanted: v1.TransferArguments) -> v1.Transferred:
    """Give somebody kudos."""
    async with callers.writing() as session:
        await transfers.give(
            session,
            await context.user(session),
            target=wanted.username,
            amount=wanted.amount * HUNDREDTHS,
            client_key=None,
            at=now(),
        )
    return v1.Transferred(transfered=wanted.amount)
