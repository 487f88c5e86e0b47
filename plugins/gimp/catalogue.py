"""The plug-in's texts: finds them in the code, reads translations, compiles them for gettext.

`python plugins/gimp/catalogue.py LANGUAGE` adds to a translation what it lacks, or begins one.
Standard library only: whoever installs the plug-in may have no gettext tools.
"""

import ast
import struct
import sys
from pathlib import Path
from typing import Final, NamedTuple

HERE: Final = Path(__file__).resolve().parent
PLUGIN: Final = HERE / "stable-horde"
TRANSLATIONS: Final = HERE / "translations"
HEADER: Final = """Content-Type: text/plain; charset=UTF-8
Plural-Forms: nplurals=2; plural=(n != 1);
"""
MAGIC: Final = 0x950412DE
"""The first word of a compiled catalogue (gettext's manual, "The Format of GNU MO Files")."""


class Message(NamedTuple):
    """A text of the code. plural: empty where it has none."""

    text: str
    plural: str = ""


def messages(folder: Path = PLUGIN) -> list[Message]:
    """All texts that are translated, in the order of the files."""
    found: dict[Message, None] = {}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            count = {"_": 1, "ngettext": 2}.get(node.func.id, 0)
            texts = [arg.value for arg in node.args[:count] if isinstance(arg, ast.Constant)]
            if texts:
                found[Message(*map(str, texts))] = None
    return list(found)


def read(path: Path) -> dict[Message, list[str]]:
    """The translations of a `.po` file, as this module writes it: a line for each text."""
    found: dict[Message, list[str]] = {}
    text = plural = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        word, _, value = line.partition(" ")
        if word == "msgid":
            text, plural = ast.literal_eval(value), ""
        elif word == "msgid_plural":
            plural = ast.literal_eval(value)
        elif word.startswith("msgstr"):
            found.setdefault(Message(text, plural), []).append(ast.literal_eval(value))
    return found


def write(path: Path, translated: dict[Message, list[str]]) -> None:
    """Write a `.po` file."""
    entries = []
    for message, texts in translated.items():
        lines = [f"msgid {_quoted(message.text)}"]
        if message.plural:
            lines.append(f"msgid_plural {_quoted(message.plural)}")
            lines += [f"msgstr[{at}] {_quoted(text)}" for at, text in enumerate(texts)]
        else:
            lines.append(f"msgstr {_quoted(texts[0])}")
        entries.append("\n".join(lines))
    path.write_text("\n\n".join(entries) + "\n", encoding="utf-8")


def compiled(translated: dict[Message, list[str]]) -> bytes:
    """The same as gettext reads it; what is not translated is left out."""
    pairs = sorted(
        ("\0".join(part for part in message if part).encode(), "\0".join(texts).encode())
        for message, texts in translated.items()
        if all(texts)
    )
    count = len(pairs)
    start = 28 + 16 * count
    tables: list[bytes] = []
    data = b""
    for column in (0, 1):
        for pair in pairs:
            tables.append(struct.pack("<II", len(pair[column]), start + len(data)))
            data += pair[column] + b"\0"
    header = struct.pack("<7I", MAGIC, 0, count, 28, 28 + 8 * count, 0, 0)
    return header + b"".join(tables) + data


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def main(language: str) -> None:
    """Bring a translation up to date: what is new is empty, what is gone is dropped."""
    path = TRANSLATIONS / f"{language}.po"
    had = read(path) if path.exists() else {Message(""): [HEADER]}
    fresh = {Message(""): had[Message("")]}
    for message in messages():
        fresh[message] = had.get(message, ["", ""] if message.plural else [""])
    TRANSLATIONS.mkdir(exist_ok=True)
    write(path, fresh)
    print(f"{path}: {sum(not all(texts) for texts in fresh.values())} of {len(fresh)} to do")


if __name__ == "__main__":
    main(sys.argv[1])
