"""Collections of styles of one kind, which any registered user may make."""

from collections.abc import Collection as Several
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.community import authoring, names, styles
from core.community.styles import PAGE, StyleMismatch, StyleNotFound
from core.community.tables import (
    Collection,
    CollectionRow,
    CollectionStyle,
    Member,
    Style,
    StyleRow,
)
from core.db import Reading, Writing, now, table
from core.errors import Invalid, NotFound
from core.moderation.names import clean_text
from core.users.tables import User, UserRow

MAX_STYLES = 500

_collections = table(CollectionRow)
_members = table(CollectionStyle)
_styles = table(StyleRow)
_users = table(UserRow)


class CollectionNotFound(NotFound):
    """No collection has this id or name."""

    code = "CollectionNotFound"


async def known(session: Reading, collection_id: str) -> Collection:
    """The collection. Raises CollectionNotFound, also for text that is not an id."""
    try:
        wanted = select(_collections).where(_collections.c.id == UUID(collection_id))
        found = (await session.execute(wanted)).mappings().first()
    except ValueError:
        found = None
    if found is None:
        raise CollectionNotFound(f"Collection with ID '{collection_id}' not found.")
    return Collection(**found)


async def listed(session: Reading, *, kind: str | None, sort: str, page: int) -> list[Collection]:
    """A page of public collections. kind: None for all; sort: as in `styles.Listing`."""
    rows = select(_collections).where(_collections.c.public.is_(True))
    if kind is not None:
        rows = rows.where(_collections.c.kind == kind)
    is_popular = sort == "popular"
    order = _collections.c.use_count.desc() if is_popular else _collections.c.created_at
    rows = rows.order_by(order, _collections.c.id).limit(PAGE).offset((page - 1) * PAGE)
    return [Collection(**row) for row in (await session.execute(rows)).mappings()]


async def members(session: Reading, collection_ids: Several[UUID]) -> dict[UUID, list[Member]]:
    """The styles of these collections, in the order given."""
    rows = await session.execute(
        select(
            _members.c.collection_id,
            _styles.c.id,
            _styles.c.name,
            _styles.c.user_id,
            _users.c.username,
        )
        .join(_styles, _styles.c.id == _members.c.style_id)
        .join(_users, _users.c.id == _styles.c.user_id)
        .where(_members.c.collection_id.in_(collection_ids))
        .order_by(_members.c.collection_id, _members.c.position)
    )
    found: dict[UUID, list[Member]] = {}
    for row in rows.mappings():
        member = Member(**row)
        found.setdefault(member.collection_id, []).append(member)
    return found


async def create(
    session: Writing,
    author: User,
    *,
    name: str,
    info: str | None,
    public: bool,
    style_names: Sequence[str],
) -> UUID:
    """Make a collection of styles, by their ids or names. Returns its id.

    Raises StylesAnonForbidden, DeletedUser, StyleNotFound, StyleMismatch if the styles are of
    two kinds, and Invalid for names (also for one that the author uses already; then the
    transaction must be rolled back).
    """
    authoring.refuse_anonymous(author)
    found = await _styles_of(session, author, style_names)
    values = _values(name=name, info=info, public=public)
    collection_id = uuid4()
    values |= {
        "id": collection_id,
        "kind": found[0].kind,
        "user_id": author.id,
        "created_at": now(),
    }
    try:
        await session.execute(insert(_collections).values(values))
    except IntegrityError as refused:
        raise Invalid(f"You have a collection called '{name}' already.") from refused
    await _fill(session, collection_id, found)
    return collection_id


async def change(
    session: Writing,
    user: User,
    collection: Collection,
    *,
    name: str | None,
    info: str | None,
    public: bool | None,
    style_names: Sequence[str] | None,
) -> None:
    """Change a collection; None leaves a field as it is. Only for its owner.

    Raises Forbidden for others, and what `create` raises.
    """
    authoring.require_owner(user, collection.user_id)
    if style_names is not None:
        found = await _styles_of(session, user, style_names)
        if found[0].kind != collection.kind:
            raise StyleMismatch(f"This is a collection of {collection.kind} styles.")
        await session.execute(delete(_members).where(_members.c.collection_id == collection.id))
        await _fill(session, collection.id, found)
    values = _values(name=name, info=info, public=public)
    if not values:
        return
    try:
        await session.execute(
            update(_collections).where(_collections.c.id == collection.id).values(values)
        )
    except IntegrityError as refused:
        raise Invalid(f"You have a collection called '{name}' already.") from refused


async def remove(session: Writing, user: User, collection: Collection) -> None:
    """Delete a collection, not its styles. Only its owner and moderators may (Forbidden)."""
    authoring.require_owner(user, collection.user_id, or_moderator=True)
    await session.execute(delete(_collections).where(_collections.c.id == collection.id))


def _values(*, name: str | None, info: str | None, public: bool | None) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if name is not None:
        shown = names.clean(name)
        values |= {"name": shown, "name_key": names.key_of(shown)}
    if info is not None:
        names.refuse_profane(info)
        values["info"] = clean_text(info)
    if public is not None:
        values["public"] = public
    return values


async def _styles_of(session: Reading, author: User, style_names: Sequence[str]) -> list[Style]:
    """The styles, each once. Of several with the same name, the author's own is meant."""
    if not 1 <= len(style_names) <= MAX_STYLES:
        raise Invalid(f"A collection has 1 to {MAX_STYLES} styles.")
    found: dict[UUID, Style] = {}
    for name in style_names:
        style = await styles.find(session, name, user_id=author.id)
        if style is None:
            raise StyleNotFound(f"Style '{name}' not found.")
        found[style.id] = style
    if len({style.kind for style in found.values()}) > 1:
        raise StyleMismatch("A collection has either image or text styles.")
    return list(found.values())


async def _fill(session: Writing, collection_id: UUID, found: Sequence[Style]) -> None:
    rows = [
        {"collection_id": collection_id, "style_id": style.id, "position": position}
        for position, style in enumerate(found)
    ]
    try:
        await session.execute(insert(_members), rows)
    except IntegrityError as refused:
        raise StyleNotFound("One of the styles was deleted meanwhile.") from refused
