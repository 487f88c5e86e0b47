"""Writes down which words a trained model knows, and what is near to them: its vocabulary.

A thing nobody trained has the nearest one that was by WordNet: what it is a kind of, or else
another thing of the same narrow kind. Which words mean nothing here comes from WordNet, too: its
common adjectives, verbs and adverbs.
"""

import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from core.vocabulary import Vocabulary
from training import captions, concepts, landscapes
from training.concepts import Concept, plural_of
from training.landscapes import Landscape
from training.scenes import COLOURS

MIN_DEPTH = 7
MAX_KINDS = 40
"""Of a kind that makes two things alike: its depth below "entity" (a dwelling is at 8, a canine at
12), and of how many sorts it is ("shrub" of some hundred)."""
MIN_USES = 2
"""In WordNet's own texts, of an adjective, verb or adverb that need not be known."""
NOUN = 1
COMMON_WORDS = """
a about above across after again against ago all along alone also although always among an and
any are around as at away back be because been before behind being below beneath beside between
beyond both but by came can could did do does doing down during each either else even ever every
few for from get go going got had has have having he her here hers him his how i if in into
inside is it its just least less let like made make many me might mine more most much must my
near never no nor not now of off often on once one only onto or other our out outside over own
part per please quite rather really s same she should show since so some something soon still
such sure than that the their them then there these they thing things this those through to
together too toward towards two three under until up upon us used very via was we well were what
when where which while who whom whose why will with within without would yes yet you your four
five six seven eight nine ten first second third
"""
"""Small words, which no dictionary of meanings has."""

TIMES = "night winter autumn sunset snowy fall"
"""What says something of a place, to a model that knows places."""

MANNERS = """
portrait landscape wallpaper logo closeup macro anime manga steampunk medieval futuristic gothic
retro vintage pixel pixelart minimalist surreal abstract epic sketch painting illustration
render octane vray dslr bokeh hdr uhd photo photograph portrait selfie view scenery background
wearing holding colorful playing giant gigantic massive foggy misty rainy sunny cloudy shining
glowing neon spooky scary evil mystical fantasy cooking fishing running howling abducting launching
greg rutkowski artgerm ghibli disney pixar nsfw sfw
"""
"""What people add to say in which manner it is to be drawn; there is one manner here."""

TABLE = Path(__file__).with_suffix(".toml")

NOT_DRAWN = frozenset({"ninja"})
"""What was trained, and comes out as an empty picture all the same."""

PHYSICAL = 1930  # WordNet's number of "physical entity"


@dataclass
class Dictionary:
    """WordNet's nouns, and its other words that are common.

    kinds: of a synset, by its number: the synsets it is a kind of.
    sorts: of a synset: how many are directly a kind of it.
    senses: of a noun, by its lower-case name with spaces: its synsets, the commonest first.
    common: nouns that WordNet's own texts have.
    idle: words that say how something is or what somebody does, and are mostly no nouns.
    """

    kinds: dict[int, list[int]] = field(default_factory=dict)
    sorts: Counter[int] = field(default_factory=Counter)
    common: set[str] = field(default_factory=set)
    senses: dict[str, list[int]] = field(default_factory=dict)
    idle: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, folder: Path) -> "Dictionary":
        """Read the files of WordNet 3.1 (https://wordnet.princeton.edu/documentation/wndb5wn)."""
        made = cls()
        for line in _lines(folder / "data.noun"):
            parts = line.split("|")[0].split()
            pointers = parts[4 + 2 * int(parts[3], 16) :]
            made.kinds[int(parts[0])] = [
                int(pointers[place + 1])
                for place in range(1, len(pointers) - 3, 4)
                if pointers[place] == "@"
            ]
        for line in _lines(folder / "index.noun"):
            parts = line.split()
            count = int(parts[2])
            made.senses[parts[0].replace("_", " ")] = [int(each) for each in parts[-count:]]
        made.sorts = Counter(kind for kinds in made.kinds.values() for kind in kinds)
        uses, as_noun = Counter[str](), Counter[str]()
        for line in _lines(folder / "index.sense"):
            key, _, _, used = line.split()
            word, _, rest = key.partition("%")
            (as_noun if int(rest[0]) == NOUN else uses)[word.replace("_", " ")] += int(used)
        made.common = {word for word, used in as_noun.items() if used}
        made.idle = {
            word
            for word, used in uses.items()
            if used >= MIN_USES and used > as_noun[word] and word.isalpha()
        }
        return made

    def above(self, synset: int) -> dict[int, int]:
        """All that a synset is a kind of, and itself, with the number of steps up to it."""
        steps = {synset: 0}
        waiting = [synset]
        while waiting:
            now = waiting.pop(0)
            for kind in self.kinds.get(now, ()):
                if kind not in steps:
                    steps[kind] = steps[now] + 1
                    waiting.append(kind)
        return steps

    def depth(self, synset: int) -> int:
        """The number of steps from the uppermost kind, by the longest way."""
        return max(self.above(synset).values())


def _lines(file: Path) -> Iterator[str]:
    """The lines of a file of WordNet, without the licence before them."""
    for line in file.read_text().splitlines():
        if not line.startswith("  "):
            yield line


def vocabulary(
    things: Iterable[Concept], places: Iterable[Landscape], dictionary: Dictionary
) -> Vocabulary:
    """The vocabulary of a model that was trained on these."""
    known = [concept for concept in things if concept.noun not in NOT_DRAWN]
    seen = list(places)
    words: dict[str, str] = {}
    for concept in known:
        others = (concept.plural, *concept.also, *(plural_of(word) for word in concept.also))
        words.update((word.lower(), concept.noun) for word in others if word != concept.noun)
    for place in seen:
        words.update((word.lower(), place.noun) for word in place.also)
        for when in ("night", "sunset"):
            words.setdefault(f"{place.noun} at {when}", place.noun)
    names = {concept.noun for concept in known} | {place.noun for place in seen}
    helping = _helping() | (set(TIMES.split()) if seen else set())
    nearest = _nearest(known, dictionary, names, words.keys() | helping)
    idle = {tag.lower() for tag in (*captions.TAGS, *captions.OPENINGS, *MANNERS.split())}
    idle = (idle | dictionary.idle) - names - words.keys() - helping - nearest.keys()
    return Vocabulary(
        things=sorted(concept.noun for concept in known),
        places=sorted(place.noun for place in seen),
        words={word: words[word] for word in sorted(words.keys() - names)},
        nearest=dict(sorted(nearest.items())),
        helping=sorted(helping),
        idle=sorted(idle),
    )


def _helping() -> set[str]:
    """Words of captions that are no names."""
    told: list[str] = [*COLOURS, *captions.ADJECTIVES, *COMMON_WORDS.split()]
    for table in (captions.COLOUR_WORDS, captions.STYLE_WORDS, captions.SIZES, captions.COUNTS):
        told += [word for words in table.values() for word in words]
    told += ["background", "gradient", "style", "icon", "picture", "drawing", "left", "right"]
    told += [
        "top",
        "bottom",
        "side",
        "pair",
    ]
    told += captions.KIND_WORDS - otherwise().keys()
    return {word for phrase in told for word in re.findall(r"[a-z]+", phrase.lower())}


@cache
def otherwise() -> dict[str, tuple[str, ...]]:
    """Words of words.toml, each with what may be drawn for it, the best first."""
    table = tomllib.loads(TABLE.read_text())
    found: dict[str, tuple[str, ...]] = dict.fromkeys(table["nothing"], ())
    for thing, words in table["instead"].items():
        for word in words:
            found[word] = (*found.get(word, ()), thing)
    return found


def _nearest(
    known: list[Concept], dictionary: Dictionary, names: set[str], others: Iterable[str]
) -> dict[str, str]:
    """The thing to draw for each noun that is near to one. others: words that mean something."""
    taken = names | set(others)
    own, kinds = _meant(known, dictionary)
    found = {}
    for word, senses in dictionary.senses.items():
        if word in taken or word in dictionary.idle or not _is_typed(word, dictionary):
            continue
        thing = _near(dictionary, senses[0], own, kinds)
        if thing is not None and not _is_plural_of(word, taken):
            found[word] = thing
    for word, instead in otherwise().items():
        found.pop(word, None)
        other = next((each for each in instead if each in names), None)
        if word not in taken and other is not None:
            found[word] = other
    return found


def _meant(
    known: list[Concept], dictionary: Dictionary
) -> tuple[dict[int, str], dict[int, list[str]]]:
    """The things by their synsets, and by the narrow kinds that they are directly of."""
    own: dict[int, str] = {}
    kinds: dict[int, list[str]] = defaultdict(list)
    for concept in known:
        for word in (concept.noun, *concept.also):
            for synset in dictionary.senses.get(word.lower(), ())[:1]:
                is_its = own.setdefault(synset, concept.noun) == concept.noun
                for kind in dictionary.kinds[synset] if is_its and word == concept.noun else ():
                    if _is_narrow(dictionary, kind):
                        kinds[kind].append(concept.noun)
    return own, kinds


def _is_narrow(dictionary: Dictionary, kind: int) -> bool:
    return dictionary.depth(kind) >= MIN_DEPTH and dictionary.sorts[kind] <= MAX_KINDS


def _is_typed(word: str, dictionary: Dictionary) -> bool:
    """Whether people type such a word: single ones, and pairs that are common."""
    if not re.fullmatch(r"[a-z][a-z -]{2,}", word) or word.endswith("ing"):
        return False
    return " " not in word or (word.count(" ") == 1 and word in dictionary.common)


def _near(
    dictionary: Dictionary,
    synset: int,
    own: dict[int, str],
    kinds: dict[int, list[str]],
) -> str | None:
    """What a synset is a kind of, else what is of its kind."""
    above = sorted(dictionary.above(synset).items(), key=lambda each: each[1])
    if all(kind != PHYSICAL for kind, _ in above):
        return None
    for kind, _ in above:
        if kind in own:
            return own[kind]
    for kind, steps in above:
        if steps == 1 and kinds.get(kind):
            return min(kinds[kind])
    return None


def _is_plural_of(word: str, taken: set[str]) -> bool:
    return word.endswith("s") and word[:-1] in taken


def of_recipe(name: str, dictionary: Dictionary) -> Vocabulary:
    """The vocabulary of a model trained by a recipe."""
    recipe = concepts.recipe(name)
    trained = frozenset().union(*recipe.concepts.values())
    things = [each for key, each in concepts.shipped().items() if key in trained]
    places = landscapes.shipped().values() if recipe.landscapes else ()
    return vocabulary(things, places, dictionary)
