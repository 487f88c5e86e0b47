import pytest

from training import concepts
from training.landscapes import Place
from training.scenes import COLOURS, Icon, Planner, held_out


def test_the_same_number_gives_the_same_scene(icons):
    first, second = Planner(icons), Planner(icons)

    assert [first.plan(index) for index in range(50)] == [second.plan(index) for index in range(50)]
    assert Planner(icons, seed=1).plan(0) != first.plan(0)


def test_scenes_stay_as_they_are_for_trainings_that_have_cached_some(icons):
    scene = Planner(icons).plan(7)

    assert (scene.layout, scene.style) == ("amid", "cartoon")
    assert scene.place == Place("office", "room", "summer", 1)


def test_held_out_pairs_are_never_trained():
    table = concepts.shipped()
    every = [Icon(0, key, concept.kind, "flat") for key, concept in table.items()]
    planner = Planner(every)

    scenes = [planner.plan(index) for index in range(5000)]

    for scene in scenes:
        for item in scene.items:
            assert not held_out(item.icon.concept, scene.ground)
            assert scene.ground_to is None or not held_out(item.icon.concept, scene.ground_to)


def test_about_a_sixth_of_the_pairs_is_held_out():
    pairs = [(key, colour) for key in concepts.shipped() for colour in COLOURS]
    coloured = [pair for pair in pairs if pair[1] != "white"]

    share = sum(held_out(*pair) for pair in coloured) / len(coloured)

    assert share == pytest.approx(1 / 6, abs=0.02)
    assert not any(held_out(key, "white") for key in concepts.shipped())


def test_unseen_scenes_show_held_out_pairs_only(icons):
    scenes = [Planner(icons).plan(index, unseen=True) for index in range(200)]

    assert all(held_out(scene.items[0].icon.concept, scene.ground) for scene in scenes)


def test_people_are_never_recoloured_and_others_are(icons):
    planner = Planner(icons)
    scenes = [planner.plan(index) for index in range(3000)]
    scenes += [planner.judged(index) for index in range(3000)]

    tinted = {item.icon.kind for scene in scenes for item in scene.items if item.tint}

    assert tinted == {"fruit", "vehicle", "animal"}


def test_nothing_is_recoloured_into_its_background(icons):
    planner = Planner(icons)
    scenes = [planner.plan(index) for index in range(3000)]

    assert all(item.tint != scene.ground for scene in scenes for item in scene.items)
