"""What the model is asked when it is measured, and the real pictures that would be right."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from training import concepts, landscapes
from training.captions import PAIRS, WHERE, with_article
from training.concepts import Concept
from training.landscapes import Place
from training.scenes import COLOURS, Icon, Item, Planner, Scene, held_apart, held_out

PROMPTS = 32  # of each sort
COUNTS = {2: "two", 3: "three"}
PAIR_PLACES = ((0.27, 0.5), (0.73, 0.5))
PAIR_SIZE = 0.46
COUNT_PLACES = {2: (0.27, 0.73), 3: (0.19, 0.5, 0.81)}
COUNT_SIZES = {2: 0.46, 3: 0.32}


@dataclass(frozen=True)
class Question:
    """A prompt, and what its picture must show; None: the prompt does not say.

    other: a second thing, beside the first.
    """

    prompt: str
    concept: str | None = None
    ground: str | None = None
    style: str | None = None
    place: str | None = None
    count: int | None = None
    other: str | None = None


def of_things(icons: Sequence[Icon], *, unseen: bool, count: int = PROMPTS) -> list[Question]:
    """Things on backgrounds, in pairs that are all held out from training or all trained.

    Every second one names a style. The same icons always give the same prompts.
    """
    dice = random.Random(f"questions {unseen}")
    table, names = concepts.shipped(), _names(icons)
    pairs = [
        (name, colour)
        for name in names
        for colour in COLOURS
        if colour != "white" and held_out(name, colour) == unseen
    ]
    asked = []
    for number, (name, ground) in enumerate(dice.sample(pairs, min(count, len(pairs)))):
        styles = sorted({icon.style for icon in icons if icon.concept == name})
        style = dice.choice(styles) if number % 2 else None
        prompt = f"{_said(table[name])} on {with_article(ground)} background"
        prompt += f", {style} style" if style else ""
        asked.append(Question(prompt, name, ground, style))
    return asked


def of_places(count: int = PROMPTS) -> list[Question]:
    """Places alone."""
    places = list(landscapes.shipped().values())
    chosen = random.Random("places").sample(places, min(count, len(places)))
    return [Question(_named(place.noun), place=place.key) for place in chosen]


def of_things_in_places(
    icons: Sequence[Icon], *, unseen: bool, count: int = PROMPTS
) -> list[Question]:
    """Things in places, in pairs that are all kept out of training or all not."""
    dice = random.Random(f"amid {unseen}")
    pairs = [
        (name, place)
        for name in _names(icons)
        for place in landscapes.shipped().values()
        if held_apart(name, place.key) == unseen
    ]
    table = concepts.shipped()
    return [
        Question(
            f"{_said(table[name])} {WHERE.get(place.key, 'in')} {_named(place.noun)}",
            name,
            place=place.key,
        )
        for name, place in dice.sample(pairs, min(count, len(pairs)))
    ]


def of_counts(icons: Sequence[Icon], count: int = PROMPTS) -> list[Question]:
    """Two or three of a thing."""
    dice = random.Random("counts")
    table, names = concepts.shipped(), _names(icons)
    chosen = [(dice.choice(names), dice.choice(list(COUNTS))) for _ in range(count)]
    return [
        Question(f"{COUNTS[number]} {table[name].plural}", name, count=number)
        for name, number in chosen
    ]


def of_pairs(icons: Sequence[Icon], count: int = PROMPTS) -> list[Question]:
    """Two things beside one another; most such pairs were never trained."""
    dice = random.Random("pairs")
    table, names = concepts.shipped(), _names(icons)
    chosen = [dice.sample(names, 2) for _ in range(count)]
    form = PAIRS["beside"][0]
    return [
        Question(form.format(_said(table[one]), _said(table[other])), one, other=other)
        for one, other in chosen
    ]


def scene_for(question: Question, planner: Planner, dice: random.Random) -> Scene:
    """A real scene that is right for a question."""

    def icon_of(concept: str, style: str | None) -> Icon:
        fitting = [
            icon
            for icon in planner.icons
            if icon.concept == concept and style in (None, icon.style)
        ]
        return dice.choice(fitting)

    icon = icon_of(question.concept, question.style) if question.concept else None
    if question.place is not None:
        landscape = landscapes.shipped()[question.place]
        variant = dice.randrange(landscapes.VARIANTS)
        return planner.outdoors(icon, Place(landscape.key, landscape.sky, "summer", variant))
    if icon is None:
        raise ValueError(f"{question.prompt} asks for nothing")
    ground = question.ground or "white"
    if question.count is not None:
        size = COUNT_SIZES[question.count]
        items = tuple(Item(icon, x, 0.5, size) for x in COUNT_PLACES[question.count])
        return Scene(items, COUNTS[question.count], ground, None)
    if question.other is not None:
        both = (icon, icon_of(question.other, None))
        items = tuple(
            Item(each, *place, PAIR_SIZE) for each, place in zip(both, PAIR_PLACES, strict=True)
        )
        return Scene(items, "beside", ground, None)
    return Scene((Item(icon, 0.5, 0.5, 0.86),), "centre", ground, None)


def _names(icons: Sequence[Icon]) -> list[str]:
    return sorted({icon.concept for icon in icons})


def _said(concept: Concept) -> str:
    return _named(concept.noun)


def _named(noun: str) -> str:
    """The noun with its article, if it takes one."""
    return noun if noun.endswith("s") else with_article(noun)
