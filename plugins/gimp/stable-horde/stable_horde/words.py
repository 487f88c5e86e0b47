"""The user's language, by gettext. Messages stand in English in the code."""

import gettext
from pathlib import Path
from typing import Final

DOMAIN: Final = "stable-horde"
FOLDER: Final = Path(__file__).resolve().parent.parent / "locale"

_translations = gettext.translation(DOMAIN, FOLDER, fallback=True)
_ = _translations.gettext
ngettext = _translations.ngettext
