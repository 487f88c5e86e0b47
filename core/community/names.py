"""Names of styles and collections, and reading names that clients send."""

import re
from dataclasses import dataclass

from core.errors import Invalid
from core.moderation.names import clean as visible
from core.moderation.names import is_profane

SEPARATOR = "::"
STYLE, COLLECTION = "style", "collection"

_ALIAS = re.compile(r".*#(\d{1,9})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Name:
    """A name, parsed."""

    key: str
    """In case-folded form, for comparison."""
    what: str | None = None
    """STYLE or COLLECTION, if the name says so."""
    user_id: int | None = None
    """The id of its owner, if the name says so."""


def read(text: str) -> Name | None:
    """Read `name`, `user#id::name`, `style::name`, `style::user#id::name` (or `collection::…`).

    `user#id::style::name`, as in user details, is read too. None if the part before the name is
    none of these. Of a user only the id counts: people rename themselves.
    """
    owner, _, name = text.rpartition(SEPARATOR)
    what = None
    for word in (STYLE, COLLECTION):
        if owner == word:
            what, owner = word, ""
        elif owner.startswith(word + SEPARATOR):
            what, owner = word, owner.removeprefix(word + SEPARATOR)
        elif owner.endswith(SEPARATOR + word):
            what, owner = word, owner.removesuffix(SEPARATOR + word)
    if not owner:
        return Name(key_of(name), what)
    alias = _ALIAS.fullmatch(owner)
    return Name(key_of(name), what, int(alias[1])) if alias else None


def key_of(name: str) -> str:
    """The name as it is compared."""
    return name.casefold()


def clean(name: str) -> str:
    """The name as it is stored. Raises Invalid for a forbidden name."""
    shown = visible(name)
    if not shown:
        raise Invalid("A name needs at least one visible character.")
    if SEPARATOR in shown:
        raise Invalid(f"A name must not contain {SEPARATOR}, which separates it from its owner.")
    refuse_profane(shown)
    return shown


def refuse_profane(text: str) -> None:
    """Raise Invalid for obscene words."""
    if is_profane(text):
        raise Invalid("Please use other words: this one would be seen by everybody.")


def unique(alias: str, what: str, name: str) -> str:
    """The name that no other style or collection has: `user#id::style::name`."""
    return SEPARATOR.join((alias, what, name))
