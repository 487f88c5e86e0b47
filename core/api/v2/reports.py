"""`reports`: reports of abuse, which moderators see and close."""

from collections.abc import Sequence

from quart import Blueprint, request

from core.api import callers, context
from core.api.limits import Limit
from core.api.operation import by_address, operation
from core.api.paging import page
from core.community import reports
from core.community.tables import Report
from core.db import Reading, now
from core.errors import Invalid
from core.users import directory, roles
from core.users.directory import MAX_ID
from core.wire.reports import ModifyReport, ReportDetails, ReportInput, ReportMade

blueprint = Blueprint("reports", __name__)

STATES = ("open", "closed", "all")


@blueprint.post("/reports")
@operation(
    body=ReportInput,
    answers={201: ReportMade},
    limit=by_address(Limit(5, 60), Limit(30, 3600)),
    key_required=True,
    errors=(400, 401, 404),
)
async def report(body: ReportInput) -> ReportMade:
    """Report a shared picture, a style, or the name of somebody or something as abuse."""
    async with callers.writing() as session:
        user = await context.user(session)
        made = await reports.make(
            session, user, kind=body.kind, subject=body.id.lower(), reason=body.reason, at=now()
        )
    return ReportMade(id=made.id)


@blueprint.get("/reports")
@operation(
    answers={200: list[ReportDetails]},
    limit=by_address(Limit(90, 60)),
    key_required=True,
    query={"state": "open, closed or all", "page": "from 1, of 50 each"},
    errors=(400, 401, 403),
)
async def list_reports() -> list[ReportDetails]:
    """List reports; moderators may."""
    state = request.args.get("state", STATES[0])
    if state not in STATES:
        raise Invalid(f"state is one of {', '.join(STATES)}.")
    async with context.server().database.reading() as session:
        roles.require_moderator(await context.user(session))
        rows = await reports.listed(session, state=state, page=page())
        return await _details(session, rows)


@blueprint.patch("/reports/<report_id>")
@operation(
    body=ModifyReport,
    answers={200: ReportDetails},
    limit=by_address(Limit(90, 60)),
    key_required=True,
    errors=(400, 401, 403, 404),
)
async def change_report(body: ModifyReport, report_id: str) -> ReportDetails:
    """Close a report, or open it again; moderators may."""
    async with callers.writing() as session:
        moderator = await context.user(session)
        roles.require_moderator(moderator)
        row = await reports.change(
            session,
            moderator,
            _number(report_id),
            closed=body.closed,
            comment=body.comment,
            at=now(),
        )
        (details,) = await _details(session, [row])
    return details


def _number(report_id: str) -> int:
    is_id = report_id.isascii() and report_id.isdecimal() and len(report_id) <= len(str(MAX_ID))
    if not is_id:
        raise reports.ReportNotFound(f"Report with ID '{report_id}' not found.")
    return int(report_id)


async def _details(session: Reading, rows: Sequence[Report]) -> list[ReportDetails]:
    people = {row.user_id for row in rows} | {row.closed_by for row in rows if row.closed_by}
    users = await directory.by_ids(session, people)
    return [
        ReportDetails(
            id=row.id,
            kind=row.kind,
            subject=row.subject,
            reason=row.reason,
            reporter=users[row.user_id].alias,
            created=row.created_at,
            closed=row.closed_at,
            closed_by=users[row.closed_by].alias if row.closed_by else None,
            comment=row.comment,
        )
        for row in rows
    ]
