"""What a model's folder says about pictures of several things: how they are put together.

A small model draws one thing or one place well, and several at once badly. Where its folder has
such a table, the worker draws each by itself (`scene`, `layers`).
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

FEET: Final = 0.92
"""Where things stand in most places: 0 is the upper edge, 1 the lower one."""
PAINTS: Final = ("gray", "blue", "black", "green", "white")
"""Plain grounds on which things are drawn to be cut out: the first that is none of its colours."""


@dataclass(frozen=True)
class Setting:
    """How things are put into a place.

    feet: where they stand, 0 the upper edge, 1 the lower one. floats: whether nothing stands there.
    timeless: whether it has no other time or season.
    shows: things that it shows anyway. paints: as `PAINTS`, the colours least seen at an edge here.
    """

    feet: float = FEET
    floats: bool = False
    timeless: bool = False
    shows: frozenset[str] = frozenset()
    paints: Sequence[str] = PAINTS


@dataclass(frozen=True)
class Table:
    """What a folder's layers.toml says; names are the vocabulary's.

    people: who is one alone, however many words there are for it.
    small, large: things that are drawn so beside others. heavenly: what is in a sky, behind all.
    flying: what is above the ground. bodily: parts of others, which nobody means by themselves.
    worn: what is put on, and how far down the one who wears it its lower edge comes.
    seats: what is sat on, and how far down its top the seat is.
    moods: faces that other words name, which mostly say how something else is.
    swallowing: what is behind that which is "on" it.
    where: what a phrase says of where something is. implied: where a thing is, if nothing else is.
    times: words for a time or season, by which places are drawn.
    places: by name. paints: things by the colours that they have, of those they may be drawn on.
    """

    people: frozenset[str] = frozenset()
    small: frozenset[str] = frozenset()
    large: frozenset[str] = frozenset()
    heavenly: frozenset[str] = frozenset()
    flying: frozenset[str] = frozenset()
    bodily: frozenset[str] = frozenset()
    moods: frozenset[str] = frozenset()
    swallowing: frozenset[str] = frozenset()
    worn: Mapping[str, float] = field(default_factory=dict)
    seats: Mapping[str, float] = field(default_factory=dict)
    where: Mapping[str, str] = field(default_factory=dict)
    implied: Mapping[str, str] = field(default_factory=dict)
    times: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Setting] = field(default_factory=dict)
    paints: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def from_toml(cls, content: str) -> Self:
        """Read a file's content. Raises ValueError and TypeError where it is no such table."""
        given = tomllib.loads(content)
        lists = {name: _names(text) for name, text in given.items() if isinstance(text, str)}
        given["places"] = {name: _setting(of) for name, of in given.get("places", {}).items()}
        given["paints"] = {
            colour: _names(things) for colour, things in given.get("paints", {}).items()
        }
        return cls(**{**given, **lists})

    def setting(self, place: str | None) -> Setting:
        """How things are put into a place; None: onto plain ground."""
        return self.places.get(place or "", Setting())

    def paint(self, thing: str, place: str | None, also: Iterable[str]) -> str:
        """The plain ground for a thing that goes into a place. also: other colours that it has."""
        wanted = (*self.setting(place).paints, *PAINTS)
        has = set(also)
        return next(
            (
                colour
                for colour in wanted
                if colour not in has and thing not in self.paints.get(colour, ())
            ),
            wanted[0],
        )


@cache
def of(file: Path) -> Table:
    """The table of a model's folder."""
    return Table.from_toml(file.read_text())


def _setting(given: Mapping[str, Any]) -> Setting:
    return Setting(**{**given, "shows": _names(given.get("shows", ""))})


def _names(text: str) -> frozenset[str]:
    listed = " ".join(text.split()).split(", ")
    return frozenset(name.strip() for name in listed if name.strip())
