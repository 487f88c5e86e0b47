"""Messages to workers: they come with each pop until they expire."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, delete, insert, or_, select
from sqlalchemy.exc import IntegrityError

from core.db import Reading, Writing, table
from core.errors import Forbidden, Invalid, NotFound
from core.moderation.names import clean, clean_text
from core.users import roles
from core.users.tables import Role, User
from core.workers import fleet
from core.workers.tables import Message, MessageRow, WorkerRow

PAGE = 50
SEEN_AGAIN_SECONDS = 2.0
KEPT = timedelta(days=30)
"""How long a message can still be listed after it expired."""

_messages = table(MessageRow)
_workers = table(WorkerRow)


class MessageNotFound(NotFound):
    """No such message."""

    code = "WorkermessageNotFound"


class MessagesOnlyOwnWorkers(Forbidden):
    """Only moderators may write to others' workers, or to all of them."""

    code = "MessagesOnlyOwnWorkers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages are wanted. Neither user nor worker: all that the asking user may see."""

    user_id: int | None = None
    """Its author."""
    worker_id: UUID | None = None
    validity: str = "active"
    """active, expired or all."""
    page: int = 1


async def active(session: Reading, *, at: datetime) -> list[Message]:
    """All messages that have not expired, the oldest first."""
    rows = await session.execute(
        select(_messages)
        .where(_messages.c.expires_at > at)
        .order_by(_messages.c.created_at, _messages.c.id)
    )
    return [Message(*row) for row in rows]


async def write(
    session: Writing,
    author: User,
    *,
    worker_id: str | None,
    message: str,
    origin: str | None,
    hours: int,
    at: datetime,
) -> Message:
    """Send a message to a worker, or to all workers if `worker_id` is None.

    origin: in whose name it is sent; None stands for the author's id.

    Raises AnonForbidden, WorkerNotFound and MessagesOnlyOwnWorkers.
    """
    roles.refuse_anonymous(author, "write messages")
    worker = None if worker_id is None else await fleet.known(session, worker_id)
    is_own = worker is not None and worker.user_id == author.id
    if not is_own and not author.has(Role.MODERATOR):
        raise MessagesOnlyOwnWorkers("You may write to your own workers only.")
    statement = insert(_messages).values(
        id=uuid4(),
        worker_id=None if worker is None else worker.id,
        user_id=author.id,
        message=clean_text(message),
        origin=str(author.id) if origin is None else clean(origin),
        created_at=at,
        expires_at=at + timedelta(hours=hours),
    )
    try:
        added = await session.execute(statement.returning(*_messages.c))
    except IntegrityError as refused:  # deleted since it was looked up
        raise fleet.WorkerNotFound(f"Worker with ID '{worker_id}' not found.") from refused
    return Message(*added.one())


async def by_id(session: Reading, message_id: str) -> Message:
    """The message. Raises MessageNotFound."""
    try:
        wanted = select(_messages).where(_messages.c.id == UUID(message_id))
        found = (await session.execute(wanted)).first()
    except ValueError:
        found = None
    if found is None:
        raise MessageNotFound(f"Message with ID '{message_id}' not found.")
    return Message(*found)


async def remove(session: Writing, user: User, message: Message) -> None:
    """Take a message back. Raises Forbidden for all but its author and moderators."""
    if user.id != message.user_id and not user.has(Role.MODERATOR):
        raise Forbidden("Only the author of a message and moderators may delete it.")
    await session.execute(delete(_messages).where(_messages.c.id == message.id))


async def listed(session: Reading, user: User, wanted: Wanted, *, at: datetime) -> list[Message]:
    """A page of messages, the newest first: moderators see all, others those from or to them.

    Raises Forbidden if somebody asks for another's.
    """
    conditions = await _visible(session, user, wanted)
    if wanted.user_id is not None:
        conditions.append(_messages.c.user_id == wanted.user_id)
    if wanted.worker_id is not None:
        conditions.append(_messages.c.worker_id == wanted.worker_id)
    conditions += _VALID[wanted.validity](at)
    rows = await session.execute(
        select(_messages)
        .where(*conditions)
        .order_by(_messages.c.created_at.desc(), _messages.c.id)
        .limit(PAGE)
        .offset((wanted.page - 1) * PAGE)
    )
    return [Message(*row) for row in rows]


_VALID: dict[str, Any] = {
    "active": lambda at: [_messages.c.expires_at > at],
    "expired": lambda at: [_messages.c.expires_at <= at],
    "all": lambda _: [],
}


def check_validity(validity: str) -> str:
    """The validity, if it is known. Raises Invalid."""
    if validity not in _VALID:
        raise Invalid(f"validity is one of {', '.join(_VALID)}.")
    return validity


async def _visible(session: Reading, user: User, wanted: Wanted) -> list[ColumnElement[bool]]:
    if user.has(Role.MODERATOR):
        return []
    if user.is_anonymous:
        raise Forbidden("The anonymous user has no messages.")
    if wanted.user_id not in (None, user.id):
        raise Forbidden("Only moderators may see the messages of others.")
    own = select(_workers.c.id).where(_workers.c.user_id == user.id)
    if wanted.worker_id is not None:
        if await session.scalar(own.where(_workers.c.id == wanted.worker_id)) is None:
            raise Forbidden("Only moderators may see the messages to others' workers.")
        return []
    return [or_(_messages.c.user_id == user.id, _messages.c.worker_id.in_(own))]


async def forget(session: Writing, *, at: datetime, limit: int) -> int:
    """Delete messages that expired long ago. Returns how many."""
    old = select(_messages.c.id).where(_messages.c.expires_at < at - KEPT).limit(limit)
    gone = await session.execute(
        delete(_messages).where(_messages.c.id.in_(old)).returning(_messages.c.id)
    )
    return len(gone.all())


class MessageCache:
    """The messages that have not expired, as this process last saw them.

    Every pop asks, and there is hardly ever anything to tell: so the messages of all workers are
    read together, at most every 2 s, instead of for each pop.
    """

    def __init__(self) -> None:
        self._read_at = float("-inf")
        self._active: list[Message] = []

    async def refresh(self, session: Reading, *, at: datetime) -> None:
        """Read again if the last look is out of date."""
        if time.monotonic() - self._read_at < SEEN_AGAIN_SECONDS:
            return
        self._active = await active(session, at=at)
        self._read_at = time.monotonic()

    def for_worker(self, worker_id: UUID, *, at: datetime) -> list[Message]:
        """The messages for the worker, the oldest first."""
        return [
            message
            for message in self._active
            if message.worker_id in (None, worker_id) and message.expires_at > at
        ]

    def forget(self) -> None:
        """Look again next time: a message was written or deleted here."""
        self._read_at = float("-inf")
