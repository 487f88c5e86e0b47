import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.image import prompts
from worker.image.prompts import Segment


@pytest.mark.parametrize(
    ("prompt", "parts"),
    [
        ("a fox", ("a fox", "")),
        ("a fox ### blurry, grey", ("a fox", "blurry, grey")),
        ("a###b###c", ("a", "b###c")),
        ("### only not", ("", "only not")),
    ],
)
def test_the_negative_prompt_follows_the_first_three_hashes(prompt, parts):
    assert prompts.split_negative(prompt) == parts


@pytest.mark.parametrize(
    ("prompt", "segments"),
    [
        ("", []),
        ("a red fox", [("a red fox", 1)]),
        ("a (red) fox", [("a ", 1), ("red", 1.1), (" fox", 1)]),
        ("a [red] fox", [("a ", 1), ("red", 1 / 1.1), (" fox", 1)]),
        ("(red:1.3)", [("red", 1.3)]),
        ("(red: .5 )", [("red", 0.5)]),
        ("(red:-1)", [("red", -1)]),
        ("((red))", [("red", 1.1 * 1.1)]),
        ("((red:2) fox:1.5)", [("red", 3.0), (" fox", 1.5)]),
        ("[(red)]", [("red", 1.0)]),
        ("(red:99)", [("red", 5.0)]),
        ("at 12:30 (noon)", [("at 12:30 ", 1), ("noon", 1.1)]),
        ("a: b", [("a: b", 1)]),
        (r"a \(red\) \\ fox \n", [(r"a (red) \ fox \n", 1)]),
        ("a (red fox", [("a (red fox", 1)]),
        ("a red) fox]", [("a red) fox]", 1)]),
        ("a (red] fox", [("a (red] fox", 1)]),
        ("a [red:1.5) fox", [("a [red:1.5) fox", 1)]),
        ("[from:to:0.5]", [("from:to:0.5", 1 / 1.1)]),
    ],
)
def test_weights(prompt, segments):
    parsed = prompts.parse(prompt)
    assert [segment.text for segment in parsed] == [text for text, _ in segments]
    assert [segment.weight for segment in parsed] == pytest.approx([value for _, value in segments])


@given(st.text(alphabet="ab ()[]:.1\\-", max_size=40))
def test_any_text_parses_and_without_brackets_nothing_is_lost(text):
    parsed = prompts.parse(text)
    assert all(-prompts.MAX_WEIGHT <= segment.weight <= prompts.MAX_WEIGHT for segment in parsed)
    if not set(text) & set("()[]\\"):
        assert parsed == ([Segment(text)] if text else [])


@pytest.mark.parametrize(
    "prompt",
    [
        "(a" * 50_000 + ")" * 50_000,
        "[(a" * 30_000,
        "(x:" + "1" * 99_000,
        "(x:" + " " * 99_000,
        "(x:1" + "." * 99_000,
    ],
    ids=lambda prompt: prompt[:4],
)
def test_no_prompt_takes_long_to_read(prompt):
    began = time.process_time()
    assert prompts.parse(prompt)
    assert time.process_time() - began < 20  # one that grows with the square takes minutes


def test_chunks_hold_what_the_encoder_takes():
    tokens = [(number, 1.0) for number in range(160)]
    cut = prompts.chunks(tokens, 75)
    assert [len(chunk) for chunk in cut] == [75, 75, 10]
    assert [token for chunk in cut for token in chunk] == tokens
    assert prompts.chunks([], 75) == [[]]
