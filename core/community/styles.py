"""Styles: finding them, applying them to a request, listing them, and counting their use.

`authoring` makes and changes them; a *collection* is named like a style and stands for a random one
of its styles.
"""

from collections import Counter
from collections.abc import Collection as Several
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Table, exists, func, select, update

from core.community import names, templates
from core.community.names import Name
from core.community.tables import (
    Collection,
    CollectionRow,
    CollectionStyle,
    Style,
    StyleLabel,
    StyleRow,
)
from core.db import Reading, Writing, table
from core.errors import Invalid, NotFound
from core.kudos import settlement
from core.stats import uses
from core.users.shared_keys import SharedKeyAssignedStyles
from core.users.tables import UserRow

PAGE = 25
TAG, MODEL = "tag", "model"

_styles = table(StyleRow)
_labels = table(StyleLabel)
_collections = table(CollectionRow)
_members = table(CollectionStyle)
_users = table(UserRow)


class StyleNotFound(NotFound):
    """No style or collection has this id or name."""

    code = "StyleNotFound"


class StyleMismatch(Invalid):
    """The style is for another kind of request."""

    code = "StyleMismatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenStyle:
    """What a request needs from the style that it names."""

    id: UUID
    kind: str
    user_id: int
    account_id: int
    """The owner's account, for the reward at settlement."""
    prompt: str
    """The template."""
    params: dict[str, Any]
    models: list[str]
    shared_key_id: UUID | None
    """The shared key that pays instead of the caller, if it is good."""
    collection_id: UUID | None
    """The collection that it was drawn from, if the request named one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A selection of public styles."""

    kind: str
    sort: str = "popular"
    """popular: the most used first; age: the oldest first."""
    page: int = 1
    tag: str | None = None
    model: str | None = None


async def resolve(session: Reading, kind: str, name: str) -> ChosenStyle:
    """The style that a request of this kind means; of a collection, a random one of its styles.

    name: an id, or one of the forms of `names.read`. If several have the plain name, a style comes
        before a collection, then the right kind, then public ones, then the most used.

    Raises StyleNotFound, and StyleMismatch if it is for another kind.
    """
    collection_id = None
    style = await find(session, name, kind=kind)
    if style is None:
        collection = await find_collection(session, name, kind=kind)
        if collection is not None:
            collection_id = collection.id
            style = await _draw(session, collection.id)
    if style is None:
        raise StyleNotFound(f"Style '{name}' not found.")
    if style.kind != kind:
        raise StyleMismatch(f"'{name}' is for {style.kind} requests, not for {kind}.")
    models = await labels(session, [style.id], MODEL)
    return ChosenStyle(
        id=style.id,
        kind=style.kind,
        user_id=style.user_id,
        account_id=style.account_id,
        prompt=style.prompt,
        params=style.params,
        models=models.get(style.id, []),
        shared_key_id=style.shared_key_id,
        collection_id=collection_id,
    )


def apply(
    style: ChosenStyle, prompt: str, params: dict[str, Any], models: Sequence[str]
) -> tuple[str, dict[str, Any], list[str]]:
    """Apply the style to a request's prompt, parameters and models.

    params: those that the request gave, without defaults. A style without models leaves the
    request its own.
    """
    return (
        templates.fill(style.prompt, prompt, kind=style.kind),
        templates.merge(style.kind, style.params, params),
        style.models or list(models),
    )


async def by_id(session: Reading, style_id: str) -> Style | None:
    """The style, or None, also if it is not an id."""
    try:
        return await _first(session, _STYLES.where(_styles.c.id == UUID(style_id)))
    except ValueError:
        return None


async def find(
    session: Reading, text: str, *, kind: str | None = None, user_id: int = -1
) -> Style | None:
    """The style of this id or name, if there is one.

    kind, user_id: preferred if several have the name.
    """
    if (known := await by_id(session, text)) is not None:
        return known
    wanted = names.read(text)
    if wanted is None or wanted.what == names.COLLECTION:
        return None
    best = (
        (_styles.c.kind == kind).desc(),
        (_styles.c.user_id == user_id).desc(),
        _styles.c.public.desc(),
        _styles.c.use_count.desc(),
        _styles.c.created_at,
    )
    return await _first(session, _named(_STYLES, _styles, wanted).order_by(*best))


async def find_collection(
    session: Reading, text: str, *, kind: str | None = None
) -> Collection | None:
    """The collection of this id or name, if there is one."""
    try:
        wanted = select(_collections).where(_collections.c.id == UUID(text))
    except ValueError:
        name = names.read(text)
        if name is None or name.what == names.STYLE:
            return None
        wanted = _named(select(_collections), _collections, name)
    best = (
        (_collections.c.kind == kind).desc(),
        _collections.c.public.desc(),
        _collections.c.use_count.desc(),
        _collections.c.created_at,
    )
    row = (await session.execute(wanted.order_by(*best))).mappings().first()
    return None if row is None else Collection(**row)


_STYLES = select(_styles, _users.c.account_id, _users.c.username).join(
    _users, _users.c.id == _styles.c.user_id
)


def _named(rows: Select[Any], of: Table, wanted: Name) -> Select[Any]:
    named = rows.where(of.c.name_key == wanted.key)
    return named if wanted.user_id is None else named.where(of.c.user_id == wanted.user_id)


async def _first(session: Reading, rows: Select[Any]) -> Style | None:
    row = (await session.execute(rows)).mappings().first()
    return None if row is None else Style(**row)


async def _all(session: Reading, rows: Select[Any]) -> list[Style]:
    return [Style(**row) for row in (await session.execute(rows)).mappings()]


async def _draw(session: Reading, collection_id: UUID) -> Style | None:
    members = _STYLES.join(_members, _members.c.style_id == _styles.c.id)
    drawn = members.where(_members.c.collection_id == collection_id).order_by(func.random())
    return await _first(session, drawn.limit(1))


async def labels(session: Reading, style_ids: Several[UUID], what: str) -> dict[UUID, list[str]]:
    """The tags or models of these styles, in the order they were given."""
    rows = await session.execute(
        select(_labels.c.style_id, _labels.c.label)
        .where(_labels.c.style_id.in_(style_ids), _labels.c.what == what)
        .order_by(_labels.c.style_id, _labels.c.position)
    )
    found: dict[UUID, list[str]] = {}
    for row in rows:
        found.setdefault(row.style_id, []).append(row.label)
    return found


async def listed(session: Reading, wanted: Listing) -> list[Style]:
    """A page of public styles."""
    rows = _STYLES.where(_styles.c.kind == wanted.kind, _styles.c.public.is_(True))
    for what, label in ((TAG, wanted.tag), (MODEL, wanted.model)):
        if label is not None:
            rows = rows.where(
                exists().where(
                    _labels.c.what == what,
                    _labels.c.label == label,
                    _labels.c.style_id == _styles.c.id,
                )
            )
    order = _styles.c.use_count.desc() if wanted.sort == "popular" else _styles.c.created_at
    page = rows.order_by(order, _styles.c.id).limit(PAGE).offset((wanted.page - 1) * PAGE)
    return await _all(session, page)


async def of_users(session: Reading, user_ids: Several[int]) -> list[Style]:
    """The styles of these users, public or not, the oldest first."""
    rows = _STYLES.where(_styles.c.user_id.in_(user_ids))
    return await _all(session, rows.order_by(_styles.c.created_at, _styles.c.id))


async def uses_of(session: Reading, user_ids: Several[int]) -> dict[int, dict[str, int]]:
    """How often these users' styles were used, by user and kind."""
    found: dict[int, dict[str, int]] = {}
    rows = await session.execute(
        select(_styles.c.user_id, _styles.c.kind, func.sum(_styles.c.use_count).label("uses"))
        .where(_styles.c.user_id.in_(user_ids))
        .group_by(_styles.c.user_id, _styles.c.kind)
    )
    for row in rows:
        found.setdefault(row.user_id, {})[row.kind] = int(row.uses)
    return found


async def refuse_assigned(session: Reading, shared_key_id: UUID) -> None:
    """Raise SharedKeyAssignedStyles for a shared key that pays for a style.

    Everybody may read such a key, so it works only through its styles.
    """
    if await session.scalar(select(exists().where(_styles.c.shared_key_id == shared_key_id))):
        raise SharedKeyAssignedStyles(
            "This shared key belongs to a style and cannot be used by itself."
        )


async def count_uses(session: Writing, *, limit: int) -> int:
    """Count uses of styles and collections, each once, and reward the styles' owners.

    Returns how many were counted.
    """
    taken = await uses.take(session, limit=limit)
    await _add_uses(session, _styles, (use.style_id for use in taken))
    await _add_uses(session, _collections, (use.collection_id for use in taken))
    owed = [(use.request_id, use.account_id) for use in taken if use.account_id is not None]
    await settlement.reward_styles(session, owed)
    return len(taken)


async def _add_uses(session: Writing, to: Table, ids: Iterable[UUID | None]) -> None:
    counted = Counter(used_id for used_id in ids if used_id is not None)
    for used_id, count in sorted(counted.items()):
        await session.execute(
            update(to).where(to.c.id == used_id).values(use_count=to.c.use_count + count)
        )
