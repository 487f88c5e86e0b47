"""The table of free prompts, and that no caption for training is one of them."""

import random

from training import concepts, prompts
from training.captions import Captions
from training.scenes import Item, Planner, Scene


def test_the_table_holds_a_hundred_different_prompts_and_what_is_right_for_each() -> None:
    assert len(prompts.texts()) == len(prompts.shipped()) == 100
    assert all(prompt.shows for prompt in prompts.shipped())


def test_no_caption_is_one_of_them(icons) -> None:
    planner, captions = Planner(icons), Captions(concepts.shipped())

    said = {captions.describe(planner.plan(index), random.Random(index)) for index in range(3000)}

    assert said & prompts.texts() == set()


def test_a_bare_name_that_is_a_prompt_is_said_otherwise(icons) -> None:
    cat = Scene((Item(icons[2], 0.5, 0.5, 0.9),), "centre", "white", None)
    captions = Captions(concepts.shipped())

    said = {captions.describe(cat, random.Random(number)) for number in range(500)}

    assert "a cat" in said
    assert "cat" not in said
