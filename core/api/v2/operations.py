"""`operations`: addresses that moderators keep out."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from quart import Blueprint

from core.api import callers, context
from core.api.operation import by_address, operation
from core.db import Reading, now
from core.moderation import addresses
from core.moderation.addresses import Network
from core.moderation.tables import AddressTimeout
from core.users import roles
from core.wire.operations import (
    AddTimeoutIPInput,
    AddWorkerTimeout,
    DeleteTimeoutIPInput,
    IPTimeout,
)
from core.wire.simple import SimpleResponse
from core.workers import fleet

blueprint = Blueprint("operations", __name__)


@blueprint.get("/operations/ipaddr")
@operation(answers={200: list[IPTimeout]}, limit=by_address(), key_required=True, errors=(401, 403))
async def list_blocks() -> list[IPTimeout]:
    """List the networks that moderators keep out."""
    at = now()
    async with context.server().database.reading() as session:
        await _moderator(session)
        return _told(await addresses.blocks(session, at=at), at)


@blueprint.post("/operations/ipaddr")
@operation(
    body=AddTimeoutIPInput,
    answers={200: SimpleResponse},
    limit=by_address(),
    key_required=True,
    errors=(400, 401, 403),
)
async def keep_out(body: AddTimeoutIPInput) -> SimpleResponse:
    """Keep an address or a network out for some hours."""
    async with callers.writing() as session:
        await _moderator(session)
        await addresses.keep_out(
            session,
            addresses.network_of(body.ipaddr),
            until=now() + timedelta(hours=body.hours),
            is_block="/" in body.ipaddr,
        )
    return SimpleResponse()


@blueprint.delete("/operations/ipaddr")
@operation(
    body=DeleteTimeoutIPInput,
    answers={200: SimpleResponse},
    limit=by_address(),
    key_required=True,
    errors=(400, 401, 403),
)
async def let_in(body: DeleteTimeoutIPInput) -> SimpleResponse:
    """Let an address or a network in again."""
    async with callers.writing() as session:
        await _moderator(session)
        await addresses.let_in(session, addresses.network_of(body.ipaddr))
    return SimpleResponse()


@blueprint.get("/operations/ipaddr/<path:ipaddr>")
@operation(
    answers={200: list[IPTimeout]}, limit=by_address(), key_required=True, errors=(400, 401, 403)
)
async def see_timeouts(ipaddr: str) -> list[IPTimeout]:
    """See why an address is kept out."""
    at = now()
    async with context.server().database.reading() as session:
        await _moderator(session)
        return _told(await addresses.around(session, addresses.network_of(ipaddr), at=at), at)


@blueprint.put("/operations/block_worker_ipaddr/<worker_id>")
@operation(
    body=AddWorkerTimeout,
    answers={200: SimpleResponse},
    limit=by_address(),
    key_required=True,
    errors=(400, 401, 403, 404),
)
async def block_worker(body: AddWorkerTimeout, worker_id: str) -> SimpleResponse:
    """Keep out the address from which a worker last checked in."""
    async with callers.writing() as session:
        await _moderator(session)
        network = await _network_of(session, worker_id)
        until = now() + timedelta(days=body.days)
        await addresses.keep_out(session, network, until=until, is_block=True)
    return SimpleResponse()


@blueprint.delete("/operations/block_worker_ipaddr/<worker_id>")
@operation(
    answers={200: SimpleResponse}, limit=by_address(), key_required=True, errors=(401, 403, 404)
)
async def unblock_worker(worker_id: str) -> SimpleResponse:
    """Let a worker's address in again."""
    async with callers.writing() as session:
        await _moderator(session)
        await addresses.let_in(session, await _network_of(session, worker_id))
    return SimpleResponse()


async def _moderator(session: Reading) -> None:
    roles.require_moderator(await context.user(session))


async def _network_of(session: Reading, worker_id: str) -> Network:
    row = await fleet.known(session, worker_id)
    if row.address is None:
        raise fleet.WorkerNotFound(f"The address of worker '{worker_id}' is no longer known.")
    return addresses.network_of(row.address)


def _told(rows: Sequence[AddressTimeout], at: datetime) -> list[IPTimeout]:
    return [
        IPTimeout(
            ipaddr=row.network.removesuffix("/32"),
            seconds=max(1, round((row.until - at).total_seconds())),
        )
        for row in rows
    ]
