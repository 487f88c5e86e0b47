"""What can be drawn: the concepts of concepts.toml and the words for them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("concepts.toml")
RECIPES = Path(__file__).with_name("recipes.toml")

IRREGULAR_ENDINGS = (
    (("s", "x", "ch", "sh"), "", "es"),
    (("ay", "ey", "oy", "uy"), "", "s"),
    (("y",), "y", "ies"),
)


@dataclass(frozen=True)
class Concept:
    """One thing that can be drawn.

    key: names it in data files and in the held-out split; never changes.
    noun, plural: in captions. also: other words for it. emoji: CLDR short name of its pictures.
    kind: the table it stands in, a word for all things like it ("fruit").
    icon: "set/name" of its only picture, or None: one of each set, by its emoji.
    colour: what that picture is filled with, if it is black and white.
    """

    key: str
    noun: str
    plural: str
    also: tuple[str, ...]
    emoji: str
    kind: str
    icon: str | None = None
    colour: str | None = None


def plural_of(noun: str) -> str:
    """The regular English plural of a noun ("cherry" → "cherries", "fox" → "foxes")."""
    for endings, cut, added in IRREGULAR_ENDINGS:
        if noun.endswith(endings):
            return noun.removesuffix(cut) + added
    return noun + "s"


def read(table: Path = TABLE) -> dict[str, Concept]:
    """The concepts of a table, by key, in its order."""
    concepts = {}
    for kind, rows in tomllib.loads(table.read_text()).items():
        for key, row in rows.items():
            noun = row.get("called", key)
            concepts[key] = Concept(
                key=key,
                noun=noun,
                plural=row.get("plural", plural_of(noun)),
                also=tuple(row.get("also", ())),
                emoji=row.get("emoji", key),
                kind=kind,
                icon=row.get("icon"),
                colour=row.get("colour"),
            )
    return concepts


@cache
def shipped() -> dict[str, Concept]:
    """The concepts the shipped model is trained on."""
    return read()


@dataclass(frozen=True)
class Recipe:
    """What is trained. concepts: by style. landscapes: whether places are, too."""

    concepts: Mapping[str, frozenset[str]]
    landscapes: bool = True

    def takes(self, concept: str, style: str) -> bool:
        """Whether an icon of this concept and style is among them."""
        return concept in self.concepts.get(style, ())


def recipe(name: str) -> Recipe:
    """The recipe of that name in recipes.toml. Raises KeyError where there is none."""
    rows = tomllib.loads(RECIPES.read_text())[name]
    known = frozenset(shipped())
    left_out = frozenset(rows.pop("without", "").split())
    with_landscapes = rows.pop("landscapes", True)
    chosen = {
        style: known - left_out if words == "all" else frozenset(words.split())
        for style, words in rows.items()
    }
    unknown = left_out.union(*chosen.values()) - known
    if unknown:
        raise KeyError(f"recipe {name} names unknown concepts: {sorted(unknown)}")
    return Recipe(chosen, with_landscapes)


def shipped_recipe() -> str:
    """The name of the recipe that the weights in worker/models were trained by."""
    return str(tomllib.loads(RECIPES.read_text())["shipped"])
