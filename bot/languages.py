"""Other languages of the commands: what Discord shows in its own menus, by the user's language.

A file of `bot/translations` has the English texts and what they are in one language; a text that it
has not stays English. Commands keep their names, so that everybody can tell others of them.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import discord
from discord import app_commands

FOLDER: Final = Path(__file__).parent / "translations"
NAMES: Final = {
    app_commands.TranslationContextLocation.command_name,
    app_commands.TranslationContextLocation.group_name,
    app_commands.TranslationContextLocation.parameter_name,
}


class Languages(app_commands.Translator):
    """Looks texts up in the files."""

    def __init__(self, texts: Mapping[str, Mapping[str, str]] | None = None) -> None:
        self._texts = read() if texts is None else texts

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContext[Any, Any],
    ) -> str | None:
        """A text in a language; None where it stays as it is."""
        if context.location in NAMES:
            return None
        return self._texts.get(locale.value, {}).get(string.message)


def read() -> dict[str, dict[str, str]]:
    """All texts, by language."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.json")}
