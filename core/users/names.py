"""What a user may be called. Names are shown to everybody and need not be unique."""

import unicodedata

from core.errors import Invalid

MAX_CHARACTERS = 30


class BadUsername(Invalid):
    """The name is empty or too long once it is cleaned."""

    code = "BadUsername"


def clean(username: str) -> str:
    """The name as it is stored: composed (NFC), on one line, without what cannot be seen.

    Control and format characters go (categories C*: a line break, a change of writing direction,
    a lone surrogate, which PostgreSQL could not even store), blanks in a row become one.

    Raises BadUsername where nothing or more than MAX_CHARACTERS is left.
    """
    spaced = "".join(" " if character.isspace() else character for character in username)
    seen = "".join(c for c in spaced if not unicodedata.category(c).startswith("C"))
    name = " ".join(unicodedata.normalize("NFC", seen).split())
    if not name:
        raise BadUsername("A username needs at least one visible character.")
    if len(name) > MAX_CHARACTERS:
        raise BadUsername(f"A username has at most {MAX_CHARACTERS} characters, not {len(name)}.")
    return name
