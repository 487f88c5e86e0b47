import random
from collections import Counter

import pytest

from training import concepts
from training.captions import Captions, with_article, worn
from training.scenes import COLOURS, Item, Planner, Scene


@pytest.fixture
def captions():
    return Captions(concepts.shipped())


def said_of(captions, scene, wordings=200):
    return [captions.describe(scene, random.Random(number)) for number in range(wordings)]


def scene_of(icon, *, layout="centre", tint=None, count=1):
    items = tuple(Item(icon, 0.5, 0.5, 0.9, tint=tint) for _ in range(count))
    return Scene(items, layout, "blue", None)


@pytest.mark.parametrize(
    ("noun", "plural"),
    [("fox", "foxes"), ("cherry", "cherries"), ("monkey", "monkeys"), ("car", "cars")],
)
def test_regular_plurals(noun, plural):
    assert concepts.plural_of(noun) == plural


def test_nouns_with_a_plural_of_their_own():
    table = concepts.shipped()

    assert table["mouse"].plural == "mice"
    assert table["wolf"].plural == "wolves"
    assert table["sheep"].plural == "sheep"


def test_counted_things_are_in_the_plural(captions, icons):
    car = icons[1]

    texts = said_of(captions, scene_of(car, layout="two", count=2))

    assert all("cars" in text for text in texts)


def test_a_caption_names_the_background(captions, icons):
    words = ("blue", "azure")

    assert all(
        any(word in text for word in words) for text in said_of(captions, scene_of(icons[1]))
    )


def test_a_recoloured_thing_has_its_colour_before_it(captions, icons):
    texts = said_of(captions, scene_of(icons[1], tint="green"))

    assert all("green" in text for text in texts)
    assert any("green automobile" in text for text in texts)


def test_no_word_stands_for_two_things():
    """So no caption is a generic keyword ("animal") that many pictures would share."""
    table = concepts.shipped().values()

    uses = Counter(word for each in table for word in {each.noun, *each.also})

    assert [word for word, count in uses.items() if count > 1] == []
    assert not {each.kind for each in table} & set(uses)


def test_words_people_type_are_known(captions, icons):
    cat, car = icons[2], icons[1]

    assert any("kitten" in text for text in said_of(captions, scene_of(cat)))
    assert any("automobile" in text for text in said_of(captions, scene_of(car)))


def test_every_scene_has_a_caption_of_its_style_at_times(captions, icons):
    planner = Planner(icons)
    texts = [captions.describe(planner.plan(index), random.Random(index)) for index in range(400)]

    assert all(text == text.strip() and "{" not in text for text in texts)
    assert any("flat" in text for text in texts)
    assert any(" on a " in text for text in texts)


def test_every_colour_has_its_word_in_captions(captions, icons):
    car = icons[1]
    for colour in COLOURS:
        item = Item(car, 0.5, 0.5, 0.9)
        assert any(
            colour in text for text in said_of(captions, Scene((item,), "centre", colour, None))
        )


def test_article():
    assert with_article("apple") == "an apple"
    assert with_article("fox") == "a fox"


def test_worn_captions_lose_only_small_words():
    for number in range(100):
        said = worn("a red fox on a blue background", random.Random(number))
        assert {"red", "fox", "blue", "background"} <= set(said.split())
