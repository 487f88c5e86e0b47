"""Rules for the names of users. Names are shown to everybody and need not be unique."""

import unicodedata

from core.errors import Invalid
from core.moderation import names

MAX_CHARACTERS = 30


class BadUsername(Invalid):
    """The name is empty or too long once it is cleaned."""

    code = "BadUsername"


def clean(username: str) -> str:
    """The name as it is stored: composed (NFC), on one line, without invisible characters.

    Raises BadUsername if nothing, or more than MAX_CHARACTERS, is left.
    """
    name = unicodedata.normalize("NFC", names.clean(username))
    if not name:
        raise BadUsername("A username needs at least one visible character.")
    if len(name) > MAX_CHARACTERS:
        raise BadUsername(f"A username has at most {MAX_CHARACTERS} characters, not {len(name)}.")
    return name
