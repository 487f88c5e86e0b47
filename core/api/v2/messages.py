"""`workers/messages`: messages to workers, sent with their pops."""

from uuid import UUID

from quart import Blueprint, request

from core.api import callers, context
from core.api.operation import by_address, operation
from core.api.paging import number, page
from core.db import now
from core.errors import Invalid
from core.wire.messages import ResponseModelMessage, ResponseModelMessage__Input
from core.wire.simple import SimpleResponse
from core.workers import messages
from core.workers.tables import Message

blueprint = Blueprint("messages", __name__)


@blueprint.get("/workers/messages")
@operation(
    answers={200: list[ResponseModelMessage]},
    limit=by_address(),
    key_required=True,
    query={
        "user_id": "only messages by this user",
        "worker_id": "only messages to this worker",
        "validity": "active, expired or all",
        "page": "from 1, of 50 messages each",
    },
    errors=(400, 401, 403),
)
async def list_messages() -> list[ResponseModelMessage]:
    """List messages: moderators see all, others those from them or to their workers."""
    wanted = messages.Wanted(
        user_id=number("user_id"),
        worker_id=_worker_id(),
        validity=messages.check_validity(request.args.get("validity", "active")),
        page=page(),
    )
    async with context.server().database.reading() as session:
        user = await context.user(session)
        rows = await messages.listed(session, user, wanted, at=now())
    return [to_wire(row) for row in rows]


@blueprint.post("/workers/messages")
@operation(
    body=ResponseModelMessage__Input,
    answers={200: ResponseModelMessage},
    limit=by_address(),
    key_required=True,
    errors=(400, 401, 403, 404),
)
async def write_message(body: ResponseModelMessage__Input) -> ResponseModelMessage:
    """Send a message to one of your workers; moderators may send to any, or to all."""
    server = context.server()
    async with callers.writing() as session:
        author = await context.user(session)
        row = await messages.write(
            session,
            author,
            worker_id=body.worker_id,
            message=body.message,
            origin=body.origin,
            hours=body.expiry,
            at=now(),
        )
    server.horde.message_cache.forget()
    return to_wire(row)


@blueprint.get("/workers/messages/<message_id>")
@operation(answers={200: ResponseModelMessage}, limit=by_address(), errors=(404,))
async def get_message(message_id: str) -> ResponseModelMessage:
    """See a message."""
    async with context.server().database.reading() as session:
        return to_wire(await messages.by_id(session, message_id))


@blueprint.delete("/workers/messages/<message_id>")
@operation(
    answers={200: SimpleResponse}, limit=by_address(), key_required=True, errors=(401, 403, 404)
)
async def delete_message(message_id: str) -> SimpleResponse:
    """Delete a message."""
    server = context.server()
    async with callers.writing() as session:
        user = await context.user(session)
        await messages.remove(session, user, await messages.by_id(session, message_id))
    server.horde.message_cache.forget()
    return SimpleResponse()


def to_wire(row: Message) -> ResponseModelMessage:
    """A row of `worker_messages` as clients see it."""
    return ResponseModelMessage(
        id=str(row.id),
        message=row.message,
        origin=row.origin,
        expiry=row.expires_at,
        worker_id=str(row.worker_id) if row.worker_id else None,
        user_id=str(row.user_id),
        created=row.created_at,
    )


def _worker_id() -> UUID | None:
    text = request.args.get("worker_id")
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Invalid(f"'{text}' is not a worker's id.") from None
