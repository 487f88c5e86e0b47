"""Reports of abuse: anybody may report something, moderators close the report."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, exists, insert, select, union_all, update

from core.community.ratings.tables import SharedPictureRow
from core.community.tables import CollectionRow, Report, ReportRow, StyleRow
from core.db import Reading, Writing, table
from core.errors import NotFound
from core.moderation.names import clean_text
from core.queue.tables import Generation
from core.users.directory import MAX_ID
from core.users.tables import User, UserRow
from core.workers.tables import TeamRow, WorkerRow

PAGE = 50
KEPT = timedelta(days=90)
"""How long a closed report is kept."""

_reports = table(ReportRow)
_ids = {
    "picture": union_all(
        select(table(Generation).c.attempt_id.label("id")), select(table(SharedPictureRow).c.id)
    )
    .subquery()
    .c.id,
    "style": table(StyleRow).c.id,
    "collection": table(CollectionRow).c.id,
    "worker": table(WorkerRow).c.id,
    "team": table(TeamRow).c.id,
}
_users = table(UserRow)


class NothingToReport(NotFound):
    """Nothing of that kind has that id."""

    code = "NothingToReport"


class ReportNotFound(NotFound):
    """No such report."""

    code = "ReportNotFound"


async def make(
    session: Writing, user: User, *, kind: str, subject: str, reason: str, at: datetime
) -> Report:
    """Report something. A second report by the same user replaces the reason of an open first one.

    kind: picture, style, collection, user, worker or team. subject: its id, as clients know it.

    Raises NothingToReport.
    """
    if not await _exists(session, kind, subject):
        raise NothingToReport(f"There is no {kind} with ID '{subject[:36]}'.")
    reason = clean_text(reason)
    same = (
        _reports.c.user_id == user.id,
        _reports.c.kind == kind,
        _reports.c.subject == subject,
        _reports.c.closed_at.is_(None),
    )
    if not user.is_anonymous:  # which stands for many people, each with a reason
        again = await session.execute(
            update(_reports).where(*same).values(reason=reason).returning(*_reports.c)
        )
        if (earlier := again.mappings().first()) is not None:
            return Report(**earlier)
    values = {"kind": kind, "subject": subject, "reason": reason}
    made = await session.execute(
        insert(_reports).values(user_id=user.id, created_at=at, **values).returning(*_reports.c)
    )
    return Report(**made.mappings().one())


async def _exists(session: Reading, kind: str, subject: str) -> bool:
    try:
        known = _users.c.id == _user_id(subject) if kind == "user" else _ids[kind] == UUID(subject)
    except ValueError:
        return False
    return bool(await session.scalar(select(exists().where(known))))


def _user_id(text: str) -> int:
    """The number. Raises ValueError unless it can be a user's."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_ID))):
        raise ValueError(f"not an id: {text}")
    return min(int(text), MAX_ID)


async def listed(session: Reading, *, state: str, page: int) -> list[Report]:
    """A page of reports. state: open, the oldest first; closed, the latest first; or all."""
    rows = select(_reports)
    if state == "open":
        rows = rows.where(_reports.c.closed_at.is_(None)).order_by(_reports.c.id)
    elif state == "closed":
        rows = rows.where(_reports.c.closed_at.is_not(None)).order_by(_reports.c.id.desc())
    else:
        rows = rows.order_by(_reports.c.id.desc())
    found = await session.execute(rows.limit(PAGE).offset((page - 1) * PAGE))
    return [Report(**row) for row in found.mappings()]


async def change(
    session: Writing,
    moderator: User,
    report_id: int,
    *,
    closed: bool,
    comment: str | None,
    at: datetime,
) -> Report:
    """Close a report, or open it again. comment: a note. Raises ReportNotFound."""
    values = {
        "closed_at": at if closed else None,
        "closed_by": moderator.id if closed else None,
        "comment": None if comment is None else clean_text(comment),
    }
    changed = await session.execute(
        update(_reports).where(_reports.c.id == report_id).values(values).returning(*_reports.c)
    )
    found = changed.mappings().first()
    if found is None:
        raise ReportNotFound(f"Report with ID '{report_id}' not found.")
    return Report(**found)


async def forget(session: Writing, *, at: datetime, limit: int) -> int:
    """Delete reports that were closed long ago. Returns how many."""
    old = select(_reports.c.id).where(_reports.c.closed_at < at - KEPT).limit(limit)
    gone = await session.execute(
        delete(_reports).where(_reports.c.id.in_(old)).returning(_reports.c.id)
    )
    return len(gone.all())
