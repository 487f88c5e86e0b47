import random
from collections import Counter

import numpy as np
import pytest

from training import concepts, landscapes
from training.captions import Captions, made_up
from training.landscapes import Place
from training.scenes import FRAMES, Planner, Scene, held_apart


@pytest.mark.parametrize("landscape", landscapes.shipped().values(), ids=lambda each: each.key)
def test_every_landscape_can_be_painted(landscape):
    place = Place(landscape.key, landscape.sky, "summer", 1)

    picture = landscapes.ground(place, 32)

    assert picture.shape == (32, 32, 3)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 5
    assert np.array_equal(picture, landscapes.ground.__wrapped__(place, 32))


def test_there_are_sixty_of_them_and_four_hundred_things():
    assert len(landscapes.shipped()) >= 60
    assert len(concepts.recipe("cpu").concepts["flat"]) >= 400


def test_no_word_stands_for_two_landscapes_or_for_a_thing_too():
    uses = Counter(
        word for each in landscapes.shipped().values() for word in {each.noun, *each.also}
    )
    things = {word for each in concepts.shipped().values() for word in (each.noun, *each.also)}

    assert [word for word, count in uses.items() if count > 1] == []
    assert uses.keys() & things == set()


def test_what_stands_in_landscapes_is_known():
    props = {prop.concept for each in landscapes.shipped().values() for prop in each.props}

    assert props <= concepts.shipped().keys()


def test_night_is_darker_and_winter_whiter():
    day, night, winter = (
        landscapes.ground(Place("meadow", sky, season, 0), 32).astype(int)
        for sky, season in (("day", "summer"), ("night", "summer"), ("day", "winter"))
    )

    assert night.mean() < day.mean() / 2
    assert winter[-4:].min() > day[-4:].min()


def test_landscapes_are_said_with_their_time_and_season(icons):
    planner, captions = Planner(icons), Captions(concepts.shipped())
    scene = planner.outdoors(None, Place("forest", "night", "winter", 0))
    texts = [captions.describe(scene, random.Random(number)) for number in range(100)]

    assert all("night" in text for text in texts)
    assert all("winter" in text or "snow" in text for text in texts)
    assert any("woods" in text for text in texts)


def test_things_held_apart_from_a_landscape_are_never_in_it(icons):
    planner = Planner(icons)
    amid = [scene for scene in map(planner.plan, range(3000)) if scene.layout == "amid"]

    assert amid
    assert not any(held_apart(scene.items[0].icon.concept, scene.place.landscape) for scene in amid)


@pytest.mark.parametrize("frame", FRAMES)
def test_things_are_inside_pictures_of_every_shape(icons, composer, frame):
    planner = Planner(icons)
    wide, high = FRAMES[frame]
    for index in range(300):
        scene = planner.plan(index, frame=frame)
        for item in scene.items:
            assert abs(item.x - 0.5) < wide / 2
            assert abs(item.y - 0.5) < high / 2
    pictures = composer.paint([planner.plan(index, frame=frame) for index in range(4)], 64)
    assert pictures.shape == (4, 3, *((64, 64) if frame == "square" else (80 * high, 80 * wide)))


def test_made_up_words_alone_are_an_empty_picture(icons):
    scene = Scene((), "empty", "white", None)

    said = Captions(concepts.shipped()).describe(scene, random.Random(3))

    known = {word for each in concepts.shipped().values() for word in (each.noun, *each.also)}
    assert not set(said.split()) & known
    assert made_up(random.Random(1)).isalpha()
