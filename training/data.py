"""Fetches the icons from npm, by version and hash, and packs their pictures.

package-lock.json holds the exact versions and SHA-512 sums; npm refuses anything else.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np

from training import concepts

SIDE = 128  # pixels of a packed icon
SETS = {"cartoon": "noto", "flat": "fluent-emoji-flat", "glossy": "fluent-emoji"}
"""Our name of a style, and the icon set drawn in it."""

HERE = Path(__file__).parent


def icon_name(emoji: str) -> str:
    """A CLDR short name as icon sets spell it ("T-Rex" → "t-rex")."""
    return re.sub(r"[^a-z0-9]+", "-", emoji.lower()).strip("-")


def prepare(state: Path) -> None:
    """Write icons.npz and words.json into the state folder. Needs npm, node and a registry."""
    folder = state / "npm"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "render.mjs"):
        shutil.copy(HERE / name, folder / name)
    _run(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    _pack(folder, state / "icons.npz")
    _words(folder, state / "words.json")


def _pack(folder: Path, pack: Path) -> None:
    """All concepts in all styles: rgba (n, SIDE, SIDE, 4) uint8 premultiplied, concept, style."""
    table = concepts.shipped()
    names = folder / "names.json"
    names.write_text(json.dumps([icon_name(concept.emoji) for concept in table.values()]))
    pictures = []
    for icon_set in SETS.values():
        raw = folder / f"{icon_set}.rgba"
        _run(folder, "node", "render.mjs", icon_set, str(SIDE), names.name, raw.name)
        pictures.append(np.fromfile(raw, np.uint8).reshape(-1, SIDE, SIDE, 4))
        raw.unlink()
    np.savez_compressed(
        pack,
        rgba=np.concatenate(pictures),
        concept=np.array(list(table) * len(SETS)),
        style=np.repeat(list(SETS), len(table)),
    )


def _run(folder: Path, *command: str) -> None:
    """Run a program found on the path. Raises CalledProcessError where it fails."""
    subprocess.run(command, cwd=folder, check=True)  # noqa: S603 - only the commands above


def _words(folder: Path, words: Path) -> None:
    """Short names and keywords of all emoji: the vocabulary should know them, drawn or not."""
    rows = json.loads((folder / "node_modules/emojibase-data/en/data.json").read_text())
    known = {word for row in rows for word in (row["label"], *row.get("tags", ()))}
    words.write_text(json.dumps(sorted(known)))
