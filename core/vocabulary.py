"""The words that a small model knows, and how a prompt is read by them.

A model that was trained on few words makes something of any other: the nearest thing of which it
knows nothing tells nobody. Its vocabulary says what it draws, what stands in for words near to
that, and which words it need not know.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

MAX_PHRASE: Final = 4
"""Words of the longest name of a thing."""
SHORT: Final = 2
"""Letters of a word that is passed over, whatever it is."""
MAX_WORDS: Final = 500
"""Words of a prompt that are read; what follows them is left out, as such models read less."""
MAX_TOLD, MAX_TOLD_CHARS = 10, 40
"""Words that are told of, and characters of each."""

_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_BETWEEN: Final = re.compile(r"[\s-]+")
_LEFTOVERS: Final = (
    (re.compile(r"\s+"), " "),  # first, so that no other pattern meets a long run
    (re.compile(r" ?,(?: ?,)+"), ","),
    (re.compile(r"\( ?(?::[\d.]* ?)?\)|\[ ?\]"), ""),
    (re.compile(r" {2,}"), " "),
    (re.compile(r" ,"), ","),
)
_ENDINGS: Final = (("ies", "y"), ("ves", "f"), ("es", ""), ("s", ""))


@dataclass(frozen=True)
class Vocabulary:
    """What a model knows, all in lower case; files have it as JSON.

    things, places: what it draws, and where.
    words: other words and phrases it was trained on, plurals too, each with the thing or place.
    nearest: words it was not trained on, each with the thing that is drawn instead.
    helping: words that say something of a thing: colours, sizes, styles, prepositions.
    idle: words and phrases that change nothing and are left out: "masterpiece", "4k".
    """

    things: Sequence[str] = ()
    places: Sequence[str] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    nearest: Mapping[str, str] = field(default_factory=dict)
    helping: Sequence[str] = ()
    idle: Sequence[str] = ()

    @classmethod
    def from_json(cls, content: str | bytes) -> "Vocabulary":
        """Read a file's content. Raises ValueError and TypeError where it is no vocabulary."""
        return cls(**json.loads(content))


@dataclass(frozen=True)
class Piece:
    """A word of a prompt, or several that are one name.

    said: as it was typed, in lower case.
    shows: the thing or place that it is; None: it is none.
    several: whether it is the plural of another word that is known.
    follows: whether nothing but spaces is between it and the piece before.
    is_replaced: whether something that is known stands in for it.
    is_unknown: whether it is left out because nothing comes near to it.
    """

    said: str
    shows: str | None = None
    several: bool = False
    follows: bool = False
    is_replaced: bool = False
    is_unknown: bool = False


@dataclass(frozen=True)
class Reading:
    """A prompt as a vocabulary has it.

    text: what is left for the model to read.
    shows: the things and places that it draws, each once.
    instead: the words that were replaced, each with what stands in for it.
    unknown: the words that were left out because nothing comes near to them, each once.
    pieces: all of it, also what is left out.
    """

    text: str
    shows: tuple[str, ...]
    instead: dict[str, str]
    unknown: tuple[str, ...]
    pieces: tuple[Piece, ...] = ()

    @property
    def says_something(self) -> bool:
        """Whether a thing or a place of it is known, or no word unknown: "on a blue background"."""
        return bool(self.shows or self.instead or not self.unknown)

    @property
    def notes(self) -> list[str]:
        """What somebody who typed the prompt should know."""
        instead = islice(self.instead.items(), MAX_TOLD)
        told = [f"draws {thing} for {word[:MAX_TOLD_CHARS]}" for word, thing in instead]
        if self.unknown:
            words = ", ".join(word[:MAX_TOLD_CHARS] for word in self.unknown[:MAX_TOLD])
            more = len(self.unknown) - MAX_TOLD
            told.append(f"does not know {words}" + (f" and {more} more" if more > 0 else ""))
        return told


class Reader:
    """Reads prompts by one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._named = {name: name for name in (*vocabulary.things, *vocabulary.places)}
        self._named.update(vocabulary.words)
        self._nearest = vocabulary.nearest
        self._helping = frozenset(vocabulary.helping)
        self._idle = frozenset(vocabulary.idle)

    def read(self, prompt: str) -> Reading:
        """Read a prompt; what stands between the words, brackets and weights too, stays."""
        found = list(islice(_WORD.finditer(prompt), MAX_WORDS + 1))
        if len(found) > MAX_WORDS:
            prompt = prompt[: found.pop().start()]
        words = [match.group().lower() for match in found]
        pieces: list[Piece] = []
        parts: list[tuple[str, str]] = []
        end = place = 0
        while place < len(found):
            many = self._together(prompt, found, place)
            count, kept = self._known(words[place : place + many])
            first, last = found[place], found[place + count - 1]
            between, end = prompt[end : first.start()], last.end()
            said = " ".join(words[place : place + count])
            follows = _BETWEEN.fullmatch(between) is not None
            pieces.append(self._piece(said, kept, follows=follows))
            if kept is not None and not pieces[-1].is_replaced:
                kept = prompt[first.start() : end]
            parts.append((between, kept or ""))
            place += count
        for lost in _with_the_unknown(pieces):
            parts[lost] = (parts[lost][0], "")
        text = "".join((*(part for both in parts for part in both), prompt[end:]))
        for pattern, by in _LEFTOVERS:
            text = pattern.sub(by, text)
        return Reading(
            text.strip(" ,"),
            tuple(dict.fromkeys(one.shows for one in pieces if one.shows is not None)),
            {one.said: one.shows for one in pieces if one.is_replaced and one.shows is not None},
            tuple(dict.fromkeys(one.said for one in pieces if one.is_unknown)),
            tuple(pieces),
        )

    def _piece(self, said: str, kept: str | None, *, follows: bool) -> Piece:
        return Piece(
            said,
            None if kept is None else self._named.get(kept),
            several=self._is_plural(said),
            follows=follows,
            is_replaced=kept is not None and kept != said and said not in self._named,
            is_unknown=kept is None and not self._is_idle(said),
        )

    def _together(self, prompt: str, found: list[re.Match[str]], place: int) -> int:
        """How many words from here on may be one name: nothing but spaces is between them."""
        many = 1
        while many < MAX_PHRASE and place + many < len(found):
            before, after = found[place + many - 1], found[place + many]
            if not _BETWEEN.fullmatch(prompt[before.end() : after.start()]):
                break
            many += 1
        return many

    def _known(self, words: list[str]) -> tuple[int, str | None]:
        """How many of the words are one name, and what is read for it; None: nothing."""
        for count in range(len(words), 0, -1):
            phrase = " ".join(words[:count])
            if phrase in self._named:
                return count, phrase
            if phrase in self._idle:
                return count, None
            if count > 1 and phrase in self._nearest:
                return count, self._nearest[phrase]
        return 1, self._one(words[0])

    def _is_idle(self, said: str) -> bool:
        """Whether it is idle, or a form of a verb that is: "flying", "painted", "makes"."""
        stems = {said}
        for end in ("ing", "ed", "es", "s", "er"):
            if said.endswith(end):
                stem = said.removesuffix(end)
                stems |= {stem, f"{stem}e", stem[:-1]}
        return not self._idle.isdisjoint(stems)

    def _is_plural(self, said: str) -> bool:
        """Whether it is the regular plural of a word that is known."""
        known = (self._named, self._nearest, self._helping)
        return any(form in each for form in _forms(said)[1:] for each in known)

    def _one(self, word: str) -> str | None:
        if word in self._helping or len(word) <= SHORT or word.isdecimal():
            return word
        for form in _forms(word):
            if form in self._named:
                return word if form == word else form
            if form in self._nearest:
                return self._nearest[form]
        return None


def _with_the_unknown(pieces: Sequence[Piece]) -> list[int]:
    """Which pieces say something of an unknown one alone: "with blue" before "hair".

    Not if it says something itself of what follows it at once: "a chartreuse cat" is a cat.
    """
    lost: list[int] = []
    for index, piece in enumerate(pieces):
        following = pieces[index + 1] if index + 1 < len(pieces) else None
        says_more = following is not None and following.follows and following.shows is not None
        if not piece.is_unknown or says_more:
            continue
        before = index
        while before > 0 and pieces[before].follows and pieces[before - 1].shows is None:
            before -= 1
            lost.append(before)
    return lost


def _forms(word: str) -> list[str]:
    """The word, and what it may be the plural of."""
    singular = [word.removesuffix(end) + by for end, by in _ENDINGS if word.endswith(end)]
    return [word, *singular]
