"""`kudos/transfer` and `kudos/award`."""

from uuid import uuid4

from quart import Blueprint, request

from core.api import callers, context
from core.api.limits import Limit
from core.api.operation import by_address, by_user, operation
from core.db import now
from core.kudos import grants, transfers
from core.wire.kudos import HUNDREDTHS, KudosAwarded, KudosTransferInput, KudosTransferred

blueprint = Blueprint("kudos", __name__)

A_SECOND, AN_HOUR, AN_HOUR_RELAXED = Limit(1, 1), Limit(90, 3600), Limit(600, 3600)


@blueprint.post("/kudos/transfer")
@operation(
    body=KudosTransferInput,
    answers={200: KudosTransferred},
    limit=by_user(A_SECOND, AN_HOUR, relaxed=(A_SECOND, AN_HOUR_RELAXED)),
    key_required=True,
    errors=(400, 401),
    headers={"Idempotency-Key": "repeat it to mean the same transfer"},
)
async def transfer(body: KudosTransferInput) -> KudosTransferred:
    """Give somebody kudos. With an Idempotency-Key, repeating the call gives them only once."""
    async with callers.writing() as session:
        await transfers.give(
            session,
            await context.user(session),
            target=body.username,
            amount=body.amount * HUNDREDTHS,
            client_key=request.headers.get("Idempotency-Key"),
            at=now(),
        )
    return KudosTransferred(transferred=float(body.amount))


@blueprint.post("/kudos/award")
@operation(
    body=KudosTransferInput,
    answers={200: KudosAwarded},
    limit=by_address(),
    key_required=True,
    errors=(400, 401, 403),
)
async def award(body: KudosTransferInput) -> KudosAwarded:
    """Award somebody kudos; administrators only."""
    async with callers.writing() as session:
        await grants.award(
            session,
            await context.user(session),
            alias=body.username,
            amount=body.amount * HUNDREDTHS,
            key=uuid4().hex,
        )
    return KudosAwarded(awarded=float(body.amount))
