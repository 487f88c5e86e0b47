"""The sentence for a scene, as people would type it: many wordings, always true of the picture.

A scene fixes what is in the picture; how it is said is drawn anew each time it is trained on.
Words the model cannot know are mixed in and small words left out, so that a prompt with such
words still gives the picture of the others.
"""

import random
import string
from collections.abc import Mapping

from training import landscapes, prompts
from training.concepts import Concept
from training.landscapes import Place
from training.scenes import Item, Scene, chance

KIND_WORDS = frozenset(
    ("animal", "bird", "flower", "plant", "fruit", "vegetable", "vehicle", "building")
)
COLOUR_WORDS = {
    "gray": ("grey", "silver"),
    "purple": ("violet",),
    "turquoise": ("cyan", "teal"),
    "yellow": ("golden",),
    "red": ("crimson",),
    "blue": ("azure",),
}
STYLE_WORDS = {
    "cartoon": ("cartoon", "cartoon", "comic"),
    "flat": ("flat", "flat", "vector"),
    "glossy": ("glossy", "glossy", "3d"),
}
OPENINGS = (
    "a picture of",
    "an image of",
    "an icon of",
    "a drawing of",
    "a photo of",
    "an illustration of",
    "a painting of",
    "an emoji of",
)
ADJECTIVES = (
    *("cute", "beautiful", "happy", "lovely", "funny", "pretty", "old", "young", "shiny", "nice"),
    *("simple", "detailed", "fluffy", "magical", "wild", "realistic", "colorful", "tasty"),
)
TAGS = (
    *("high quality", "best quality", "highly detailed", "masterpiece", "digital art", "4k", "8k"),
    *("sharp focus", "artwork", "studio lighting", "trending on artstation", "professional"),
    *("detailed", "hd", "cinematic", "cinematic lighting", "photorealistic", "realistic", "art"),
    *("ultra realistic", "concept art", "fantasy art", "oil painting", "watercolor", "photo"),
    *("award winning", "beautiful", "photography", "3d render", "unreal engine", "sketch"),
)
"""What people add to any prompt, and what changes nothing here."""
TAGGED_SHARE = 0.3  # of captions, with one to four of these after or before the rest
GROUND_FORMS = (
    *("on a {} background", "on a {} background", "on {} background", "with a {} background"),
    *("{} background", "against a {} background", "in front of a {} background"),
)
SMALL_WORDS = frozenset(("a", "an", "the", "on", "with", "of", "in"))
PLACES = {
    "left": ("on the left", "on the left side"),
    "right": ("on the right", "on the right side"),
    "top": ("at the top", "above"),
    "bottom": ("at the bottom", "below"),
}
PAIRS = {
    "beside": ("{} and {}", "{} and {}", "{} left of {}", "{} next to {}", "{} with {}"),
    "above": ("{} and {}", "{} above {}", "{1} below {0}"),
}
COUNTS = {"two": ("two", "2", "a pair of"), "three": ("three", "3")}
NEAR = (
    "{} in front of {}",
    "{} with {} in the background",
    "{}, {}",
    "{} near {}",
)
"""How a thing is in any place, beside the place's own words."""
WHERE = {
    **dict.fromkeys(("beach", "island", "stage", "mars", "moonland", "roadplace", "cliff"), "on"),
    **dict.fromkeys(("river", "lake", "waterfall", "harbor", "campsite"), "by"),
}
"""The word before a place, where it is not "in"."""
SAID = {
    "underwater": ("under water", "underwater", "in the sea"),
    "space": ("in space", "in outer space"),
    "sunset": ("at sunset", "in the sunset"),
    "sunrise": ("at sunrise", "at dawn"),
    "nightsky": ("at night", "in the night sky", "under the stars"),
    "storm": ("in a storm", "in a thunderstorm"),
    "rain": ("in the rain", "on a rainy day"),
    "snowfall": ("in the snow", "in winter"),
    "skyplace": ("in the sky", "above the clouds"),
    "arctic": ("on ice", "on the ice", "in the arctic"),
    "sea": ("on the sea", "in the ocean", "at sea"),
    "nightcity": ("in a city at night", "in the city at night"),
    "volcanoland": ("on lava", "in hell"),
}
"""How a thing is in these places."""
TIMES = {
    "night": (" at night", " at night", " by night"),
    "sunset": (" at sunset", " at dusk", " in the evening"),
}
SEASONS = {
    "winter": ("{} in winter", "snowy {}", "{} in the snow", "winter {}"),
    "autumn": ("{} in autumn", "autumn {}", "{} in fall"),
}
SIZES = {"small": ("small", "tiny", "little"), "large": ("large", "big", "huge")}


def with_article(phrase: str) -> str:
    """The phrase with "a" or "an" before it."""
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


class Captions:
    """Words for scenes of the concepts given, by key."""

    def __init__(self, concepts: Mapping[str, Concept]) -> None:
        self._concepts = concepts

    def describe(self, scene: Scene, dice: random.Random) -> str:
        """One of many captions of the scene, none of the prompts by which the model is judged."""
        while (said := self._described(scene, dice)) in prompts.texts():
            pass
        return said

    def _described(self, scene: Scene, dice: random.Random) -> str:
        if scene.layout == "empty":
            return " ".join(made_up(dice) for _ in range(dice.randint(1, 3)))
        if scene.place is not None:
            return self._outdoors(scene, scene.place, dice)
        said = self._subject(scene, dice)
        style = dice.choice(STYLE_WORDS[scene.style]) if chance(dice, 0.5) else ""
        if style and chance(dice, 0.3):
            said = f"{with_article(style)} {dice.choice(('icon', 'picture', 'drawing'))} of {said}"
            style = ""
        elif chance(dice, 0.2):
            said = f"{dice.choice(OPENINGS)} {said}"
        said = self._with_ground(said, scene, dice)
        if style:
            said += dice.choice((", {} style", " {} style", " in {} style")).format(style)
        return ended(said, dice)

    def _outdoors(self, scene: Scene, place: Place, dice: random.Random) -> str:
        """A landscape, or a thing in one."""
        landscape = landscapes.shipped()[place.landscape]
        where = dice.choice((landscape.noun, landscape.noun, *landscape.also))
        if place.season in SEASONS:
            where = dice.choice(SEASONS[place.season]).format(where)
        time = ""
        if place.sky in TIMES and not landscape.fixed and place.sky != landscape.sky:
            time = dice.choice(TIMES[place.sky])
        if not scene.items:
            opening = f"{dice.choice(OPENINGS)} " if chance(dice, 0.15) else ""
            said = f"{opening}{_maybe_article(where, dice)}{time}"
            return ended(said, dice)
        thing = _maybe_article(self._named(scene.items[0], dice), dice)
        own = SAID.get(landscape.key)
        if own is not None and chance(dice, 0.8):
            return ended(f"{thing} {dice.choice(own)}", dice)
        article = dice.choice(("the ", "the ", "")) if chance(dice, 0.5) else None
        there = f"{article}{where}" if article is not None else _maybe_article(where, dice)
        if chance(dice, 0.25):
            return ended(dice.choice(NEAR).format(thing, there) + time, dice)
        return ended(f"{thing} {WHERE.get(landscape.key, 'in')} {there}{time}", dice)

    def _subject(self, scene: Scene, dice: random.Random) -> str:
        """What is in the picture and where, without the background."""
        first = scene.items[0]
        if scene.layout in COUNTS:
            phrase = self._named(first, dice, plural=True)
            return f"{dice.choice(COUNTS[scene.layout])} {phrase}"
        if scene.layout in SIZES:
            phrase = f"{dice.choice(SIZES[scene.layout])} {self._named(first, dice)}"
            return _maybe_article(phrase, dice)
        phrase = _maybe_article(self._named(first, dice), dice)
        if scene.layout in PLACES:
            return f"{phrase} {dice.choice(PLACES[scene.layout])}"
        if len(scene.items) == 1:
            return phrase
        other = _maybe_article(self._named(scene.items[1], dice), dice)
        return dice.choice(PAIRS[scene.layout]).format(phrase, other)

    def _named(self, item: Item, dice: random.Random, *, plural: bool = False) -> str:
        """The noun for an item, with its colour if it was recoloured."""
        concept = self._concepts[item.icon.concept]
        noun = concept.plural if plural else self._noun(concept, dice)
        words = [noun]
        if item.tint is not None:
            words.insert(0, colour_word(item.tint, dice))
        if chance(dice, 0.08):
            words.insert(0, dice.choice(ADJECTIVES))
        return " ".join(words)

    def _noun(self, concept: Concept, dice: random.Random) -> str:
        if concept.also and chance(dice, 0.3):
            return dice.choice(concept.also)
        if concept.kind in KIND_WORDS and chance(dice, 0.015):
            return concept.kind
        return concept.noun

    def _with_ground(self, said: str, scene: Scene, dice: random.Random) -> str:
        """The caption with the background; a white one is what nobody need ask for."""
        if scene.ground == "white" and scene.ground_to is None and chance(dice, 0.5):
            return said
        upper = colour_word(scene.ground, dice)
        if scene.ground_to is None:
            words = upper
        else:
            lower = colour_word(scene.ground_to, dice)
            words = dice.choice(("{} and {} gradient", "{} to {} gradient")).format(upper, lower)
        form = dice.choice(GROUND_FORMS).format(words)
        if form.startswith("on a "):
            form = f"on {with_article(words)} background"
        if form.startswith(words):
            return f"{form}, {said}" if chance(dice, 0.4) else f"{said}, {form}"
        return f"{said} {form}"


def colour_word(colour: str, dice: random.Random) -> str:
    """The colour, or now and then another word for it."""
    others = COLOUR_WORDS.get(colour)
    return dice.choice(others) if others and chance(dice, 0.15) else colour


def ended(said: str, dice: random.Random) -> str:
    """The caption as people leave it: with what they add to any prompt, or a word worn."""
    if chance(dice, TAGGED_SHARE):
        tags = ", ".join(dice.sample(TAGS, dice.randint(1, 4)))
        said = f"{said}, {tags}" if chance(dice, 0.75) else f"{tags}, {said}"
    return worn(said, dice) if chance(dice, 0.1) else said


def worn(said: str, dice: random.Random) -> str:
    """The caption with a made-up word put in, or with one small word lost."""
    words = said.split()
    small = [place for place, word in enumerate(words) if word in SMALL_WORDS]
    if small and chance(dice, 0.5):
        del words[dice.choice(small)]
    else:
        words.insert(dice.randint(0, len(words)), made_up(dice))
    return " ".join(words)


def made_up(dice: random.Random) -> str:
    """A word that means nothing."""
    return "".join(dice.choices(string.ascii_lowercase, k=dice.randint(3, 8)))


def _maybe_article(phrase: str, dice: random.Random) -> str:
    """The phrase, often with an article; never "a scissors"."""
    if chance(dice, 0.35) or phrase.endswith("s"):
        return phrase
    return with_article(phrase)
