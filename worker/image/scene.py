"""Reads a prompt of several things as a scene: which place, which things, and what is where.

By simple English: a preposition or a verb says how the thing after it is to the one before it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from core.vocabulary import Piece, Reading
from worker.image.grammar import (
    ALOFT,
    COLOURS,
    GROUND,
    MAX_SHOWN,
    NUMBERS,
    PLAIN,
    RELATIONS,
    SIDES,
    SIZES,
    STYLES,
    TRAITS,
)
from worker.image.layering import Table

MAX_DRAWN: Final = 4
"""Things that are drawn of one prompt: each takes as long as a picture."""
SEVERAL: Final = 2
"""How many a plural without a number is."""
MAX_WORDS: Final = 4


@dataclass(frozen=True)
class Thing:
    """A thing of a scene.

    text: by which it is drawn. name: of the vocabulary. colours: that it was given.
    count: how many. size: of its usual one. aloft: whether it is above the ground.
    side: where it was put, "left" or "right". to, how: another thing of the scene, by its index,
    and in which relation this one is to it.
    """

    text: str
    name: str
    colours: tuple[str, ...] = ()
    count: int = 1
    size: float = 1.0
    aloft: bool = False
    side: str | None = None
    to: int | None = None
    how: str | None = None


@dataclass(frozen=True)
class Scene:
    """What a picture is put together of.

    place: its name; None: plain ground. prompt: by which the place is drawn.
    ground: what a plain ground is, in words.
    style: what is added to each prompt.
    left_out: what was named and is not drawn: a vampire's eyes, what the place shows anyway.
    """

    place: str | None
    prompt: str
    things: tuple[Thing, ...]
    ground: str = ""
    style: str = ""
    left_out: tuple[str, ...] = ()


def read(reading: Reading, table: Table) -> Scene | None:
    """The scene of a prompt; None where it is one thing or one place, or nothing."""
    found = _Reader(reading, table).found()
    drawn = (found.place is not None) + sum(thing.count for thing in found.things)
    return found if drawn > 1 or (drawn and found.left_out) else None


def with_article(noun: str) -> str:
    """The noun with its article, if it takes one."""
    if noun.endswith("s"):
        return noun
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


@dataclass
class _Reader:
    """Goes through a prompt from left to right."""

    reading: Reading
    table: Table
    things: list[Thing] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    phrases: list[str] = field(default_factory=list)
    times: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    traits: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    number: int | None = None
    size: float = 1.0
    relation: str | None = None
    aloft: bool = False

    def found(self) -> Scene:
        known = {*self.table.places}
        pieces = self.reading.pieces
        at = 0
        while at < len(pieces):
            piece = pieces[at]
            if (many := self._phrase(pieces[at:])) > 0:
                at += many
                continue
            if piece.shows is None or (self._is_mood(piece) and len(self.reading.shows) > 1):
                self._word(piece.said)
            elif piece.shows in known:
                self._placed(piece.shows, piece.said)
            else:
                at += self._thing(pieces, at)
            at += 1
        return self._scene()

    def _phrase(self, pieces: Sequence[Piece]) -> int:
        """Take a phrase of several words that says where something is; gives how many."""
        for many in range(min(MAX_WORDS, len(pieces)), 1, -1):
            said = " ".join(piece.said for piece in pieces[:many])
            if said in self.table.where:
                self.phrases.append(self.table.where[said])
                self.times += [
                    self.table.times[word] for word in said.split() if word in self.table.times
                ]
                return many
            if said in RELATIONS:
                self.relation = RELATIONS[said]
                return many
        return 0

    def _word(self, said: str) -> None:
        if said in self.table.times:
            self.times.append(self.table.times[said])
        elif said in NUMBERS:
            self.number = NUMBERS[said]
        elif said in SIZES:
            self.size = SIZES[said]
        elif said in COLOURS or said in TRAITS:
            self.traits.append(said)
        elif said in STYLES:
            self.styles.append(STYLES[said])
        elif said in RELATIONS:
            self.relation = RELATIONS[said]
        elif said in ALOFT:
            self._lift()
        elif said in SIDES and self.things:
            self.things[-1] = replace(self.things[-1], side=said)
            self.relation = None
        elif said in {"and", "background"}:
            self.relation = None
            self._forget()

    def _lift(self) -> None:
        if self.things:
            self.things[-1] = replace(self.things[-1], aloft=True)
        else:
            self.aloft = True

    def _forget(self) -> None:
        self.traits, self.number, self.size = [], None, 1.0

    def _placed(self, place: str, said: str) -> None:
        self.times += [self.table.times[word] for word in said.split() if word in self.table.times]
        if self.relation == "over" and self.things:
            self._lift()
        if self.relation == "with" and self.places and not self.things:
            self.places.insert(0, place)  # a desert with pyramids: the pyramids' picture is both
        else:
            self.places.append(place)
        self.relation = None
        self._forget()

    def _thing(self, pieces: Sequence[Piece], at: int) -> int:
        """Take a thing, with all that follows it at once as its name; gives how many those are."""
        more = 0
        while at + more + 1 < len(pieces):
            following = pieces[at + more + 1]
            is_thing = following.shows is not None and following.shows not in self.table.places
            if not following.follows or not is_thing or self._is_mood(following):
                break
            more += 1
        names = [piece.shows or "" for piece in pieces[at : at + more + 1]]
        if all(name in self.table.people for name in names):
            self.left_out += names[1:]  # of an elf archer, the first says most
            names = names[:1]
        last = pieces[at + more]
        thing = Thing(
            " ".join((*self.traits, *names)),
            names[-1],
            tuple(COLOURS[word] for word in self.traits if word in COLOURS),
            min(self.number or self._many(last), MAX_SHOWN),
            self.size,
            aloft=self.aloft,
        )
        relation = self.relation
        self.relation, self.aloft = None, False
        self._forget()
        self._add(thing, relation)
        return more

    def _is_mood(self, piece: Piece) -> bool:
        """Whether it says how something is, and only names a face where nothing else is."""
        return piece.shows in self.table.moods and piece.said != piece.shows

    def _add(self, thing: Thing, relation: str | None) -> None:
        before = len(self.things) - 1
        is_part = thing.name in self.table.bodily and relation in {"with", None}
        if (before >= 0 and is_part) or any(thing.text == other.text for other in self.things):
            self.left_out.append(thing.text)
            return
        while before >= 0 and self.things[before].name in self.table.worn and before != 0:
            before -= 1  # what somebody wears is not what the next thing is about
        if before >= 0 and relation is not None:
            thing = replace(thing, to=before, how=relation)
        self.things.append(thing)

    def _many(self, piece: Piece) -> int:
        """A plural is several, if something else is there as well."""
        is_plural = piece.several and not (piece.shows or "").endswith("s")
        return SEVERAL if is_plural else 1

    def _scene(self) -> Scene:
        place = next(iter((*self.places, *self.phrases)), None)
        if place is None:
            implied = [self.table.implied.get(thing.name) for thing in self.things]
            if None in implied:
                place = next((name for name in implied if name is not None), None)
        if place is not None and place in self.table.times and self.places[1:]:
            place = self._at_that_time(place, self.places[1])
        things = list(self._kept(place))
        if place is None and len(things) == 1 and not self._is_counted():
            things = [replace(things[0], count=1)]  # "cats" may be one
        style = f", {self.styles[0]}" if self.styles else ""
        others = {name for name in self.places if name != place}
        left_out = (*dict.fromkeys(self.left_out), *(others if not things else ()))
        return Scene(place, self._place(place), tuple(things), self._plain(), style, left_out)

    def _at_that_time(self, time: str, place: str) -> str:
        """The place for "sunset over the mountains": theirs, unless that of the sunset has them."""
        if place in self.table.setting(time).shows or self.table.setting(place).timeless:
            return time
        self.times.append(time)
        return place

    def _is_counted(self) -> bool:
        return any(piece.said in NUMBERS for piece in self.reading.pieces)

    def _kept(self, place: str | None) -> Iterator[Thing]:
        """The things that the place does not show anyway, as many as are drawn."""
        shown = self.table.setting(place).shows if self._are_several() else frozenset()
        kept = [index for index, one in enumerate(self.things) if one.name not in shown]
        kept = kept[:MAX_DRAWN]
        self.left_out += [
            thing.text for index, thing in enumerate(self.things) if index not in kept
        ]
        for index in kept:
            thing = self.things[index]
            to = kept.index(thing.to) if thing.to in kept else None
            yield replace(thing, to=to, how=thing.how if to is not None else None)

    def _are_several(self) -> bool:
        """Whether anything is left of what was asked for without what a place shows anyway."""
        return len(self.things) > 1 or any(thing.count > 1 for thing in self.things)

    def _place(self, place: str | None) -> str:
        """The prompt for a place, at its time."""
        if place is None:
            return ""
        said = with_article(place)
        if self.table.setting(place).timeless:
            return said
        for time in dict.fromkeys(self.times):
            said += f" in {time}" if time in {"winter", "autumn"} else f" at {time}"
        return said

    def _plain(self) -> str:
        """What was asked for as a plain ground."""
        for match in GROUND.finditer(self.reading.text.lower()):
            words = match[1].split()
            if words and all(w in COLOURS or w in {"to", "and", "gradient"} for w in words):
                return " ".join(words)
        return PLAIN
