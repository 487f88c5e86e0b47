"""Styles and collections as clients see them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from core.api.v2.sharedkeys import to_wire as key_to_wire
from core.community import collections, examples, names, styles
from core.community.tables import Collection, Style
from core.db import Reading
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


async def to_images(session: Reading, found: Sequence[Style]) -> list[StyleStable]:
    """Styles for pictures; one query for each further table."""
    common = await _common(session, found)
    shown = await examples.of_styles(session, [style.id for style in found])
    keys = await _keys(session, found)
    return [
        StyleStable(
            **common[style.id],
            params=ModelStyleInputParamsStable.model_validate(style.params),
            examples=[
                StyleExample(id=str(one.id), url=one.url, primary=one.is_primary)
                for one in shown.get(style.id, [])
            ],
            sharedkey=str(style.shared_key_id) if style.shared_key_id else None,
            shared_key=keys.get(style.id),
        )
        for style in found
    ]


async def to_texts(session: Reading, found: Sequence[Style]) -> list[StyleKobold]:
    """Styles for texts."""
    common = await _common(session, found)
    return [
        StyleKobold(
            **common[style.id], params=ModelStyleInputParamsKobold.model_validate(style.params)
        )
        for style in found
    ]


async def to_collections(
    session: Reading, found: Sequence[Collection]
) -> list[ResponseModelCollection]:
    """Collections, with the names of their styles."""
    members = await collections.members(session, [one.id for one in found])
    return [
        ResponseModelCollection(
            id=str(one.id),
            name=one.name,
            type=one.kind,
            info=one.info,
            public=one.public,
            styles=[
                ResponseModelStylesShort(
                    name=names.unique(style.creator, names.STYLE, style.name), id=str(style.id)
                )
                for style in members.get(one.id, [])
            ],
            use_count=one.use_count,
        )
        for one in found
    ]


async def _common(session: Reading, found: Sequence[Style]) -> dict[UUID, dict[str, Any]]:
    ids = [style.id for style in found]
    tags = await styles.labels(session, ids, styles.TAG)
    models = await styles.labels(session, ids, styles.MODEL)
    return {
        style.id: {
            "id": str(style.id),
            "name": style.name,
            "info": style.info,
            "prompt": style.prompt,
            "public": style.public,
            "nsfw": style.nsfw,
            "tags": tags.get(style.id, []),
            "models": models.get(style.id, []),
            "use_count": style.use_count,
            "creator": style.creator,
        }
        for style in found
    }


async def _keys(session: Reading, found: Sequence[Style]) -> dict[UUID, SharedKeyDetails]:
    """The shared keys of these styles, by style. A key's owner is the style's."""
    by_style: dict[UUID, SharedKeyDetails] = {}
    for style in found:
        if style.shared_key_id is None:
            continue
        key = await shared_keys.by_id(session, style.shared_key_id)
        if key is not None:
            by_style[style.id] = key_to_wire(key, style.creator)
    return by_style
