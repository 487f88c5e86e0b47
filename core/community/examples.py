"""Examples of styles: pictures somewhere on the web that show what a style does."""

from collections.abc import Collection as Several
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.community import authoring
from core.community.styles import StyleNotFound
from core.community.tables import Example, Style, StyleExample, StyleRow
from core.db import Reading, Writing, now, table
from core.errors import Forbidden, Invalid, NotFound
from core.users.tables import User

MAX_EXAMPLES = 4
MAX_URL_CHARS = 2048  # characters

_styles = table(StyleRow)
_examples = table(StyleExample)


class TooManyStyleExamples(Forbidden):
    """The style has as many examples as it may have."""

    code = "TooManyStyleExamples"


class ExampleURLAlreadyInUse(Invalid):
    """The style has this example already."""

    code = "ExampleURLAlreadyInUse"


class ExampleNotFound(NotFound):
    """The style has no such example."""

    code = "Style exampleNotFound"


async def of_styles(session: Reading, style_ids: Several[UUID]) -> dict[UUID, list[Example]]:
    """The examples of these styles, the primary one first, then the oldest."""
    rows = await session.execute(
        select(_examples)
        .where(_examples.c.style_id.in_(style_ids))
        .order_by(_examples.c.is_primary.desc(), _examples.c.created_at, _examples.c.id)
    )
    found: dict[UUID, list[Example]] = {}
    for row in rows.mappings():
        example = Example(**row)
        found.setdefault(example.style_id, []).append(example)
    return found


async def add(session: Writing, user: User, style: Style, *, url: str, primary: bool) -> UUID:
    """Add an example. Only for the style's owner and moderators.

    Raises Forbidden, Invalid unless it is an https URL, TooManyStyleExamples, and
    ExampleURLAlreadyInUse, after which the transaction must be rolled back.
    """
    authoring.require_owner(user, style.user_id, or_moderator=True)
    _check_url(url)
    # Of two that are added at once, the second waits here and counts the first.
    locked = select(_styles.c.id).where(_styles.c.id == style.id).with_for_update()
    if await session.scalar(locked) is None:
        raise StyleNotFound(f"Style with ID '{style.id}' not found.")  # deleted meanwhile
    counted = select(func.count()).select_from(_examples).where(_examples.c.style_id == style.id)
    if (await session.scalar(counted) or 0) >= MAX_EXAMPLES:
        raise TooManyStyleExamples(f"A style has at most {MAX_EXAMPLES} examples.")
    if primary:
        await _demote(session, style.id)
    example_id = uuid4()
    try:
        await session.execute(
            insert(_examples).values(
                id=example_id, style_id=style.id, url=url, is_primary=primary, created_at=now()
            )
        )
    except IntegrityError as refused:
        raise ExampleURLAlreadyInUse("The style has this example already.") from refused
    return example_id


async def change(
    session: Writing,
    user: User,
    style: Style,
    example_id: str,
    *,
    url: str | None,
    primary: bool | None,
) -> None:
    """Change an example; None leaves a field as it is.

    Raises ExampleNotFound and what `add` raises, except TooManyStyleExamples.
    """
    authoring.require_owner(user, style.user_id, or_moderator=True)
    example = await _example(session, style, example_id)
    values: dict[str, Any] = {}
    if url is not None:
        _check_url(url)
        values["url"] = url
    if primary is not None:
        values["is_primary"] = primary
    if primary:
        await _demote(session, style.id)
    if not values:
        return
    try:
        await session.execute(update(_examples).where(_examples.c.id == example.id).values(values))
    except IntegrityError as refused:
        raise ExampleURLAlreadyInUse("The style has this example already.") from refused


async def remove(session: Writing, user: User, style: Style, example_id: str) -> None:
    """Delete an example. Raises Forbidden and ExampleNotFound."""
    authoring.require_owner(user, style.user_id, or_moderator=True)
    example = await _example(session, style, example_id)
    await session.execute(delete(_examples).where(_examples.c.id == example.id))


async def _example(session: Reading, style: Style, example_id: str) -> Example:
    try:
        wanted = select(_examples).where(
            _examples.c.id == UUID(example_id), _examples.c.style_id == style.id
        )
        found = (await session.execute(wanted)).mappings().first()
    except ValueError:
        found = None
    if found is None:
        raise ExampleNotFound(f"Example with ID '{example_id}' not found.")
    return Example(**found)


async def _demote(session: Writing, style_id: UUID) -> None:
    """Let at most one example be the primary one."""
    await session.execute(
        update(_examples).where(_examples.c.style_id == style_id).values(is_primary=False)
    )


def _check_url(url: str) -> None:
    is_url = url.lower().startswith("https://") and url.isprintable()
    if not is_url or len(url) > MAX_URL_CHARS:
        raise Invalid(f"An example is an https URL of at most {MAX_URL_CHARS} characters.")
