"""Making, changing and deleting styles."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError

from core.community import names, styles, templates
from core.community.tables import Style, StyleLabel, StyleRow
from core.db import Reading, Writing, now, table
from core.errors import Forbidden, Invalid
from core.kinds import registry
from core.kinds.params import Advice
from core.moderation.names import clean, clean_text
from core.users import shared_keys
from core.users.roles import DeletedUser
from core.users.tables import Role, User

MAX_TAGS, MAX_MODELS = 10, 5

_styles = table(StyleRow)
_labels = table(StyleLabel)


class StylesAnonForbidden(Forbidden):
    """The anonymous user has no styles and no collections."""

    code = "StylesAnonForbidden"


class StylesRequiresCustomizer(Forbidden):
    """Only customizers and trusted users may create styles."""

    code = "StylesRequiresCustomizer"


class StylePromptMissingVars(Invalid):
    """The template has no place for the prompt."""

    code = "StylePromptMissingVars"


class SharedKeyInvalid(Invalid):
    """There is no such shared key."""

    code = "SharedKeyInvalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Changes of a style; None leaves a field as it is."""

    name: str | None = None
    info: str | None = None
    prompt: str | None = None
    params: dict[str, Any] | None = None
    public: bool | None = None
    nsfw: bool | None = None
    tags: list[str] | None = None
    models: list[str] | None = None
    shared_key: str | None = None


def refuse_anonymous(user: User) -> None:
    """Raise the reason why this user may have no styles or collections."""
    if user.is_anonymous:
        raise StylesAnonForbidden("The anonymous user has no styles. Please register.")
    if user.has(Role.DELETED):
        raise DeletedUser("This account is deleted.")


def require_owner(user: User, owner_id: int, *, or_moderator: bool = False) -> None:
    """Raise StylesAnonForbidden, DeletedUser, or Forbidden if it is somebody else's."""
    refuse_anonymous(user)
    if user.id != owner_id and not (or_moderator and user.has(Role.MODERATOR)):
        raise Forbidden("This belongs to somebody else.")


async def create(
    session: Writing, author: User, kind: str, draft: Draft
) -> tuple[UUID, list[Advice]]:
    """Add a style. Returns its id, and warnings of its models' requirements.

    draft: with a name and a prompt.

    Raises what `refuse_anonymous` raises, StylesRequiresCustomizer, what `core.kinds.rules` raises
    for the parameters, StylePromptMissingVars, SharedKeyInvalid, and Invalid for names (also for
    one that the author uses already; then the transaction must be rolled back).
    """
    refuse_anonymous(author)
    if not (author.has(Role.CUSTOMIZER) or author.has(Role.TRUSTED)):
        raise StylesRequiresCustomizer("Only customizers and trusted users may create styles.")
    values = await _values(session, author, kind, draft)
    advice = registry.of(kind).check_style(values["prompt"], draft.params or {}, draft.models or [])
    style_id = uuid4()
    fixed = {"id": style_id, "kind": kind, "user_id": author.id, "created_at": now()}
    try:
        await session.execute(insert(_styles).values({"params": {}, **values, **fixed}))
    except IntegrityError as refused:
        raise _broken(draft, refused) from refused
    await _label(session, style_id, draft)
    return style_id, advice


async def change(session: Writing, user: User, style: Style, draft: Draft) -> list[Advice]:
    """Change what the draft contains of a style, nothing else. Only for its owner.

    Raises Forbidden for others, and what `create` raises.
    """
    require_owner(user, style.user_id)
    values = await _values(session, user, style.kind, draft)
    models = draft.models
    if models is None:
        models = (await styles.labels(session, [style.id], styles.MODEL)).get(style.id, [])
    params = style.params if draft.params is None else draft.params
    advice = registry.of(style.kind).check_style(values.get("prompt", style.prompt), params, models)
    if values:
        try:
            await session.execute(update(_styles).where(_styles.c.id == style.id).values(values))
        except IntegrityError as refused:
            raise _broken(draft, refused) from refused
    await _label(session, style.id, draft)
    return advice


async def remove(session: Writing, user: User, style: Style) -> None:
    """Delete a style, also from collections. Only its owner and moderators may (Forbidden)."""
    require_owner(user, style.user_id, or_moderator=True)
    await session.execute(delete(_styles).where(_styles.c.id == style.id))


async def _values(session: Reading, author: User, kind: str, draft: Draft) -> dict[str, Any]:
    """The columns that the draft changes."""
    values: dict[str, Any] = {
        name: given
        for name in ("info", "prompt", "params", "public", "nsfw")
        if (given := getattr(draft, name)) is not None
    }
    if draft.name is not None:
        shown = names.clean(draft.name)
        values |= {"name": shown, "name_key": names.key_of(shown)}
    if draft.info is not None:
        values["info"] = clean_text(draft.info)
    for text in (draft.info or "", *(draft.tags or [])):
        names.refuse_profane(text)
    _check_labels(draft)
    if draft.prompt is not None and not templates.has_variables(draft.prompt, kind=kind):
        wanted = " and ".join(f"{{{name}}}" for name in templates.variables(kind))
        raise StylePromptMissingVars(f"The prompt of a style has to contain {wanted}.")
    if draft.shared_key is not None:
        values["shared_key_id"] = await _own_key(session, author, draft.shared_key)
    return values


def _check_labels(draft: Draft) -> None:
    if draft.tags is not None and len(draft.tags) > MAX_TAGS:
        raise Invalid(f"A style has at most {MAX_TAGS} tags.")
    if draft.models is not None and not 1 <= len(draft.models) <= MAX_MODELS:
        raise Invalid(f"A style has 1 to {MAX_MODELS} models.")


async def _own_key(session: Reading, author: User, text: str) -> UUID:
    key = await shared_keys.by_key(session, text)
    if key is None:
        raise SharedKeyInvalid("There is no such shared key.")
    if key.user_id != author.id:
        raise Forbidden("Only the owner of a shared key may let a style use it.")
    return key.id


async def _label(session: Writing, style_id: UUID, draft: Draft) -> None:
    """Replace the tags and the models that the draft changes."""
    for what, given in ((styles.TAG, draft.tags), (styles.MODEL, draft.models)):
        if given is None:
            continue
        await session.execute(
            delete(_labels).where(_labels.c.style_id == style_id, _labels.c.what == what)
        )
        rows = [
            {"style_id": style_id, "what": what, "position": position, "label": label}
            for position, label in enumerate(dict.fromkeys(map(clean, given)))
            if label
        ]
        if rows:
            await session.execute(insert(_labels), rows)


def _broken(draft: Draft, refused: IntegrityError) -> Invalid:
    if "name_key" in str(refused.orig):
        return Invalid(f"You have a style called '{draft.name}' already.")
    return SharedKeyInvalid("There is no such shared key.")  # deleted since it was looked up
