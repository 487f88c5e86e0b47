"""`users/{id}/export` (ours): everything that is kept about a user, for nobody but them."""

from quart import Blueprint
from sqlalchemy.ext.asyncio import AsyncSession

from core.accounts import export
from core.accounts.export import Kept
from core.api import context, paging, user_views
from core.api.limits import Limit
from core.api.operation import by_path, operation
from core.api.user_views import View
from core.api.v2 import ratings, sharedkeys
from core.api.v2.users import parsed
from core.community import styles
from core.community.ratings import pictures
from core.db import AnyRow, now
from core.users import directory, shared_keys
from core.users.tables import Role, User
from core.wire.export import (
    ExportedAccount,
    ExportedEntry,
    ExportedRating,
    ExportedRequest,
    ExportedStyle,
    ExportedWorker,
    UserExport,
)
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
    """Get everything that is kept about oneself."""
    before = paging.number("before")
    async with context.server().database.reading() as session:
        by = await context.user(session)
        user = await directory.by_id(session, parsed(user_id))
        kept = await export.read(session, by, user, at=now(), before=before)
        return await _exported(session, user, kept)


async def _exported(session: AsyncSession, user: User, kept: Kept) -> UserExport:
    is_full = len(kept.entries) == export.ENTRIES
    return UserExport(
        account=_account(user, kept),
        details=await user_views.details(session, user, View.OWNER),
        shared_keys=[
            sharedkeys.to_wire(key, user.alias)
            for key in await shared_keys.of_user(session, user.id)
        ],
        workers=[_worker(row) for row in kept.workers],
        requests=[_request(row) for row in kept.requests],
        styles=[_style(row) for row in await styles.of_users(session, [user.id])],
        shared_pictures=[
            ratings.described(row) for row in await pictures.of_user_whole(session, user.id)
        ],
        ratings=[_rating(row) for row in await pictures.rated_by(session, user.id)],
        entries=[_entry(row, user) for row in kept.entries],
        entries_before=kept.entries[-1].id if is_full else None,
    )


def _account(user: User, kept: Kept) -> ExportedAccount:
    return ExportedAccount(
        id=user.id,
        username=user.alias,
        login=user.oauth_id,
        roles=[str(role.name).lower() for role in Role(user.roles)],
        registered=user.created_at,
        last_active=user.last_active_at,
        suspicions=kept.suspicions,
        sessions=list(kept.sessions),
    )


def _worker(row: AnyRow) -> ExportedWorker:
    return ExportedWorker(
        id=str(row.id),
        name=row.name,
        kind=row.kind,
        created=row.created_at,
        last_seen=row.seen_at,
        agent=row.agent,
        info=row.info,
        offer=row.offer,
    )


def _request(row: AnyRow) -> ExportedRequest:
    return ExportedRequest(
        id=str(row.id),
        kind=row.kind,
        created=row.created_at,
        expires=row.expires_at,
        client_agent=row.client_agent,
        proxied_account=row.proxied_account,
        webhook=row.webhook,
        shared=row.shared,
        prompt=row.prompt,
        params=row.params,
    )


def _style(row: AnyRow) -> ExportedStyle:
    return ExportedStyle(
        id=str(row.id), name=row.name, kind=row.kind, prompt=row.prompt, params=row.params
    )


def _rating(row: AnyRow) -> ExportedRating:
    return ExportedRating(
        picture=str(row.picture_id),
        at=row.created_at,
        rating=row.rating,
        artifacts=row.artifacts,
        best=row.best,
    )


def _entry(row: AnyRow, user: User) -> ExportedEntry:
    return ExportedEntry(
        id=row.id,
        at=row.at,
        kind=row.kind,
        account="spendable" if row.account_id == user.account_id else "escrow",
        kudos=to_wire(row.amount),
    )
