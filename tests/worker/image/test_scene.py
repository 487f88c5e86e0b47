"""What is read out of a prompt of several things, and where it is put."""

import random
import re
from pathlib import Path

import pytest

from core.vocabulary import Reader, Vocabulary
from worker.image import arrangement, layering, scene
from worker.image.arrangement import Shape

FOLDER = Path("worker/models/horde-tiny")
VOCABULARY = Vocabulary.from_json((FOLDER / "vocabulary.json").read_bytes())
READER = Reader(VOCABULARY)
TABLE = layering.of(FOLDER / "layers.toml")


def read(prompt):
    return scene.read(READER.read(prompt), TABLE)


def told(prompt):
    """The place and the things of a prompt, "name*count", in short."""
    found = read(prompt)
    things = [f"{one.text}*{one.count}" if one.count > 1 else one.text for one in found.things]
    return found.prompt, things


@pytest.mark.parametrize(
    "prompt",
    [
        "cat",
        "a red cat on a blue background",
        "cats",
        "an old steam train, masterpiece, 4k",
        "a forest in autumn",
        "a city at night",
        "mushroom house",
        "a chandelier",
        "",
        "on a red to blue gradient background",
    ],
)
def test_one_thing_or_one_place_is_no_scene(prompt):
    assert read(prompt) is None


@pytest.mark.parametrize(
    ("prompt", "place", "things"),
    [
        ("a fox in the snow", "a snowfall", ["fox"]),
        ("a red car in a forest at night", "a forest at night", ["red car"]),
        ("superhero flying over the city, cinematic", "a city", ["superhero"]),
        ("two dogs on the beach", "a beach", ["dog*2"]),
        ("a cat and a dog", "", ["cat", "dog"]),
        ("three apples", "", ["apple*3"]),
        ("seven wolves and 2 cats", "", ["wolf*2", "cat*2"]),
        ("santa claus with gifts", "", ["santa", "gift*2"]),
        ("a castle in the mountains at sunset", "mountains at sunset", ["castle"]),
        ("owl at night", "a night sky", ["owl"]),
        ("wolf howling at the moon", "a night sky", ["wolf"]),
        ("a cat sleeping on a sofa", "", ["cat", "sofa"]),
        ("an elf archer in the forest", "a forest", ["elf"]),
        ("car on a road in the mountains", "a road", ["car"]),
    ],
)
def test_a_scene_is_a_place_and_things(prompt, place, things):
    assert told(prompt) == (place, things)


@pytest.mark.parametrize(
    ("prompt", "alone", "left_out"),
    [
        ("vampire with red eyes", (None, ["vampire"]), ("red eye",)),
        ("sunset over the ocean", ("sunset", []), ("sea",)),
        ("a desert with pyramids", ("pyramids", []), ("desert",)),
        ("galaxy, stars and planets", ("space", []), ("star", "planet")),
    ],
)
def test_what_cannot_be_drawn_beside_it_is_left_out(prompt, alone, left_out):
    found = read(prompt)

    assert (found.place, [one.name for one in found.things]) == alone
    assert found.left_out == left_out


def test_a_background_is_none_of_the_things():
    found = read("a cat and a dog on a red to blue gradient background, flat style")

    assert (found.ground, found.style) == ("red to blue gradient", ", flat style")
    assert [one.text for one in found.things] == ["cat", "dog"]


def boxes(prompt, width=1.0, height=1.0):
    """What was placed, by the names of the things."""
    found = read(prompt)
    shapes = [Shape(0.9, 0.8, 0.1)] * len(found.things)
    placed = arrangement.arranged(found, TABLE, shapes, width=width, height=height)
    named = {}
    for one in placed:
        named.setdefault(found.things[one.thing].name, []).append(one)
    return named


def test_things_stand_beside_one_another_as_they_were_told():
    for prompt in ("a cat and a dog", "a cat to the left of a dog", "a dog on the right and a cat"):
        [cat], [dog] = boxes(prompt)["cat"], boxes(prompt)["dog"]
        assert cat.x + cat.width / 2 <= dog.x - dog.width / 2
    [cat], [dog] = boxes("a cat to the right of a dog").values()
    found = boxes("a cat to the right of a dog")
    assert found["dog"][0].x < found["cat"][0].x


def test_a_rider_is_on_what_it_rides_and_before_it():
    found = boxes("astronaut riding a horse")
    [rider], [horse] = found["astronaut"], found["horse"]

    assert rider.bottom < horse.bottom
    assert rider.top < horse.top < rider.bottom
    assert rider.depth < horse.depth


def test_a_hat_is_worn_and_what_flies_is_above():
    found = boxes("a cat wearing a hat on a table")
    assert found["hat"][0].bottom < found["cat"][0].bottom < found["table"][0].bottom
    found = boxes("a helicopter over a cat in the city")
    assert found["helicopter"][0].bottom < found["cat"][0].top + 0.2
    [hero] = boxes("superhero flying over the city")["superhero"]
    assert not hero.stands


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1.5, 1), (1, 1.5), (4, 1), (1, 4)])
@pytest.mark.parametrize(
    "prompt",
    [
        "a fox in the snow",
        "six huge castles on the beach",
        "a cat, a dog, a horse and a bear",
        "a king on a throne wearing a crown",
        "a dragon breathing fire",
        "a house behind a cat in the forest",
        "an ufo over a cow",
        "five airplanes and the sun over the city",
        "flowers in a vase on a table",
    ],
)
def test_everything_is_in_the_picture_whatever_its_shape(prompt, width, height):
    for placed in boxes(prompt, width, height).values():
        for one in placed:
            assert -0.05 <= one.x - one.width / 2 < one.x + one.width / 2 <= width + 0.05
            assert -0.05 <= one.top < one.bottom <= height + 0.05


def placed(found):
    shapes = [Shape(0.8, 0.7, 0.1)] * len(found.things)
    return arrangement.arranged(found, TABLE, shapes, width=1.5, height=1.0)


@pytest.mark.parametrize(
    "prompt",
    [
        "an elf inside a cloud below an apple holding a paintbrush",
        "a panda beside a camera riding a star right of a window right of an octopus",
    ],
)
def test_things_that_are_by_one_another_all_have_their_place(prompt):
    found = read(prompt)
    assert {one.thing for one in placed(found)} == set(range(len(found.things)))


def test_whatever_is_said_has_its_place():
    chosen = random.Random(5)
    things = sorted(VOCABULARY.things)
    many = ["a", "two", "three", "a big", "some", "a flying"]
    where = [*scene.RELATIONS, "in front of", "next to", ",", "and"]
    for _ in range(1000):
        said = [f"{chosen.choice(many)} {chosen.choice(things)}"]
        for _ in range(chosen.randrange(1, 7)):
            said += [chosen.choice(where), f"{chosen.choice(many)} {chosen.choice(things)}"]
        found = read(" ".join(said))
        if found is not None and found.things:
            assert placed(found), said


def test_the_table_names_what_the_vocabulary_has():
    words = Vocabulary.from_json((FOLDER / "vocabulary.json").read_bytes())
    things, places = set(words.things), set(words.places)
    lists = (TABLE.small, TABLE.large, TABLE.heavenly, TABLE.flying, TABLE.bodily, TABLE.people)
    named = set().union(*lists, TABLE.moods, TABLE.swallowing, TABLE.worn, TABLE.seats)
    for names in TABLE.paints.values():
        named |= names

    assert named <= things
    assert set(TABLE.places) == places
    assert {*TABLE.where.values(), *TABLE.implied.values()} <= places
    for setting in TABLE.places.values():
        assert setting.shows <= things | places


def test_a_table_of_another_form_is_refused(tmp_path):
    with pytest.raises(TypeError):
        layering.Table.from_toml("others = 1")
    with pytest.raises(ValueError, match=re.escape("(at")):
        layering.Table.from_toml("small = ")
