"""How a prompt is read by the words that a model knows."""

import json
from pathlib import Path

import pytest

from core.catalog import vocabularies
from core.vocabulary import MAX_WORDS, Reader, Vocabulary

KNOWN = Vocabulary(
    things=["cat", "dog", "hot dog", "house", "leaf"],
    places=["forest"],
    words={"cats": "cat", "kitten": "cat", "little dog": "dog", "woods": "forest"},
    nearest={"greyhound": "dog", "mansion": "house", "wolf": "dog"},
    helping=["a", "on", "red", "in", "the", "two", "and"],
    idle=["masterpiece", "trending on artstation", "fly", "paint", "majestic"],
)


@pytest.fixture
def reader():
    return Reader(KNOWN)


@pytest.mark.parametrize(
    ("prompt", "text", "shows"),
    [
        ("a red cat", "a red cat", ["cat"]),
        ("Two Cats in the woods", "Two Cats in the woods", ["cat", "forest"]),
        ("a hot dog", "a hot dog", ["hot dog"]),
        ("(a cat:1.2), [dog]", "(a cat:1.2), [dog]", ["cat", "dog"]),
        ("masterpiece, a cat, trending on artstation", "a cat", ["cat"]),
        ("a cat, masterpiece, dog", "a cat, dog", ["cat", "dog"]),
        ("a majestic flying cat, painted", "a cat", ["cat"]),
        ("leaves", "leaf", ["leaf"]),
    ],
)
def test_known_words_stay_and_idle_ones_go(reader, prompt, text, shows):
    read = reader.read(prompt)

    assert (read.text, list(read.shows), read.unknown) == (text, shows, ())


def test_a_word_near_to_a_thing_is_replaced_by_it_and_said(reader):
    read = reader.read("a greyhound and two wolves in a (mansion:1.3)")

    assert read.text == "a dog and two dog in a (house:1.3)"
    assert read.shows == ("dog", "house")
    assert read.notes == [
        "draws dog for greyhound",
        "draws dog for wolves",
        "draws house for mansion",
    ]


def test_a_word_that_nothing_comes_near_to_is_left_out_and_said(reader):
    read = reader.read("a cat on a chandelier, Chandelier, ein Kätzchen")

    assert read.text == "a cat"
    assert read.unknown == ("chandelier", "ein", "kätzchen")
    assert read.notes == ["does not know chandelier, ein, kätzchen"]
    assert read.says_something


def test_a_prompt_says_nothing_only_where_words_of_it_are_unknown(reader):
    assert not reader.read("a chandelier").says_something
    assert reader.read("on a red").says_something
    assert reader.read("masterpiece").says_something


@pytest.mark.parametrize(
    "prompt", ["", "   ", ",,,", "((((", "🐱", "a" * 20_000, "a " * 5000, "\0"]
)
def test_any_text_can_be_read(reader, prompt):
    reader.read(prompt)


def test_the_worker_and_the_server_have_the_same_words_of_the_shipped_model():
    shipped = Path("worker/models/horde-tiny/vocabulary.json").read_bytes()

    assert vocabularies.of("horde-tiny") == Vocabulary(**json.loads(shipped))
    assert vocabularies.of("stable_diffusion") is None
    assert vocabularies.notes("stable_diffusion", "a chandelier") == []
    assert vocabularies.notes("horde-tiny", "a chandelier") == ["does not know chandelier"]
    assert vocabularies.notes("horde-tiny", "a greyhound, 4k") == ["draws dog for greyhound"]


def test_what_the_shipped_model_was_trained_on_is_left_as_it_is():
    reader = Reader(vocabularies.of("horde-tiny"))
    for prompt in (
        "a red fox on a blue background",
        "a small cat on a red to blue gradient background, flat style",
        "a cartoon icon of two dogs",
    ):
        assert reader.read(prompt).text == prompt


ODD = {
    "spaces": "x" + " " * 200_000 + "y",
    "commas": "x" + " ," * 100_000,
    "opened": "x" + "(: " * 66_000,
    "weights": "x(:" + "1." * 100_000,
    "one word": "x" * 200_000,
    "words": " ".join(f"word{n}" for n in range(25_000)),
    "dashes": "x-" * 100_000,
}


@pytest.mark.timeout(20)  # what is looked at more than a few times takes minutes
@pytest.mark.parametrize("prompt", ODD.values(), ids=ODD)
def test_long_prompts_are_read_once_and_little_is_told_of_them(reader, prompt):
    for _ in range(3):
        read = reader.read(prompt)
    assert len(read.unknown) <= MAX_WORDS
    assert len(str(read.notes)) < 1000


def test_words_that_are_not_told_of_are_counted(reader):
    notes = reader.read(" ".join(f"word{n}" for n in range(13))).notes
    assert notes == [f"does not know {', '.join(f'word{n}' for n in range(10))} and 3 more"]
