"""`users/{id}/export` (ours): everything that is stored about a user, only for that user."""

from quart import Blueprint

from core.accounts import export
from core.accounts.export import KeptEntry
from core.api import context, paging, user_views
from core.api.limits import Limit
from core.api.operation import by_path, operation
from core.api.user_views import View
from core.api.v2.users import parsed
from core.users import directory
from core.users.tables import Role, User
from core.wire.export import ExportedAccount, ExportedEntry, UserExport
from core.wire.kudos import to_wire

blueprint = Blueprint("export", __name__)


@blueprint.get("/users/<user_id>/export")
@operation(
    answers={200: UserExport},
    limit=by_path(Limit(30, 60)),
    key_required=True,
    query={"before": "only entries of the ledger older than this one, as `entries_before` says"},
    errors=(400, 401, 403, 404),
)
async def export_user(user_id: str) -> UserExport:
    """Get everything that is stored about oneself."""
    before = paging.number("before")
    async with context.server().database.reading() as session:
        by = await context.user(session)
        user = await directory.by_id(session, parsed(user_id))
        kept = await export.read(session, by, user, before=before)
        return UserExport(
            account=_account(user),
            details=await user_views.details(session, user, View.OWNER),
            kept=kept.rows,
            entries=[_entry(entry, user) for entry in kept.entries],
            entries_before=kept.before,
        )


def _account(user: User) -> ExportedAccount:
    return ExportedAccount(
        id=user.id,
        username=user.alias,
        login=user.oauth_id,
        roles=[str(role.name).lower() for role in Role(user.roles)],
        registered=user.created_at,
        last_active=user.last_active_at,
    )


def _entry(entry: KeptEntry, user: User) -> ExportedEntry:
    return ExportedEntry(
        id=entry.id,
        at=entry.at,
        kind=entry.kind,
        account="spendable" if entry.account_id == user.account_id else "escrow",
        kudos=to_wire(entry.amount),
    )
