"""Styles and collections as clients see them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from core.api.v2.sharedkeys import to_wire as key_to_wire
from core.community import collections, examples, names, styles
from core.db import AnyRow, Reading
from core.users import shared_keys
from core.wire.collections import ResponseModelCollection, ResponseModelStylesShort
from core.wire.sharedkeys import SharedKeyDetails
from core.wire.styles import (
    ModelStyleInputParamsKobold,
    ModelStyleInputParamsStable,
    StyleExample,
    StyleKobold,
    StyleStable,
)


async def to_images(session: Reading, rows: Sequence[AnyRow]) -> list[StyleStable]:
    """Styles for pictures, from rows of `styles`; one query for each further table."""
    common = await _common(session, rows)
    shown = await examples.of_styles(session, [row.id for row in rows])
    keys = await _keys(session, rows)
    return [
        StyleStable(
            **common[row.id],
            params=ModelStyleInputParamsStable.model_validate(row.params),
            examples=[
                StyleExample(id=str(one.id), url=one.url, primary=one.is_primary)
                for one in shown.get(row.id, [])
            ],
            sharedkey=str(row.shared_key_id) if row.shared_key_id else None,
            shared_key=keys.get(row.id),
        )
        for row in rows
    ]


async def to_texts(session: Reading, rows: Sequence[AnyRow]) -> list[StyleKobold]:
    """Styles for texts, from rows of `styles`."""
    common = await _common(session, rows)
    return [
        StyleKobold(**common[row.id], params=ModelStyleInputParamsKobold.model_validate(row.params))
        for row in rows
    ]


async def to_collections(session: Reading, rows: Sequence[AnyRow]) -> list[ResponseModelCollection]:
    """Collections, from rows of `collections`."""
    members = await collections.members(session, [row.id for row in rows])
    return [
        ResponseModelCollection(
            id=str(row.id),
            name=row.name,
            type=row.kind,
            info=row.info,
            public=row.public,
            styles=[
                ResponseModelStylesShort(name=unique_name(style), id=str(style.id))
                for style in members.get(row.id, [])
            ],
            use_count=row.use_count,
        )
        for row in rows
    ]


def unique_name(row: AnyRow) -> str:
    """The name that no other style has. row: with its owner's `username`."""
    return names.unique(f"{row.username}#{row.user_id}", names.STYLE, row.name)


async def _common(session: Reading, rows: Sequence[AnyRow]) -> dict[UUID, dict[str, Any]]:
    ids = [row.id for row in rows]
    tags = await styles.labels(session, ids, styles.TAG)
    models = await styles.labels(session, ids, styles.MODEL)
    return {
        row.id: {
            "id": str(row.id),
            "name": row.name,
            "info": row.info,
            "prompt": row.prompt,
            "public": row.public,
            "nsfw": row.nsfw,
            "tags": tags.get(row.id, []),
            "models": models.get(row.id, []),
            "use_count": row.use_count,
            "creator": f"{row.username}#{row.user_id}",
        }
        for row in rows
    }


async def _keys(session: Reading, rows: Sequence[AnyRow]) -> dict[UUID, SharedKeyDetails]:
    """The shared keys of these styles, by style. A key's owner is the style's."""
    found: dict[UUID, SharedKeyDetails] = {}
    for row in rows:
        if row.shared_key_id is None:
            continue
        key = await shared_keys.by_id(session, row.shared_key_id)
        if key is not None:
            found[row.id] = key_to_wire(key, f"{row.username}#{row.user_id}")
    return found
