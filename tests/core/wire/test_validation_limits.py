"""What is too long or too much is refused before it costs anything."""

import json

import pytest

from core.wire import limits, validation
from core.wire.generate import GenerationInputStable, PopInputStable
from core.wire.limits import max_bytes
from core.wire.model import Request
from core.wire.text import GenerationInputKobold
from core.wire.validation import InvalidBody, parse


def test_what_only_the_worker_understands_is_limited_in_size_and_depth():
    def refused(special):
        body = {"prompt": "x", "params": {"special": special}}
        with pytest.raises(InvalidBody) as caught:
            parse(GenerationInputStable, json.dumps(body).encode())
        return caught.value.errors

    deep = 1
    for _ in range(limits.MAX_DEPTH + 1):
        deep = {"in": deep}
    assert "nested" in refused(deep)["params.special"]
    assert "characters" in refused({"a": "x" * limits.MAX_FREE_CHARS})["params.special"]
    for number in (float("nan"), float("inf"), 2**63, 10**4000):
        assert refused({"a": [number]}) == {
            "params.special": "a number in it is too large, or none"
        }
    right = {"prompt": "x", "params": {"special": {"a": [1, -(2**62), 1e300, None, "x" * 5000]}}}
    read = parse(GenerationInputStable, json.dumps(right).encode())
    assert read.params.special == right["params"]["special"]


WRONG = {
    "models": [1] * 1_000_000,
    "workers": [{}] * 500_000,
    "params": {"loras": [{"a": 1}] * 300_000, "tis": [3] * 100_000},
}


@pytest.fixture
def few_values(monkeypatch):
    """Bodies of many values are looked at, as if all of them were told apart."""
    monkeypatch.setattr(validation, "MAX_VALUES", 10**9)


@pytest.mark.parametrize("field", WRONG)
@pytest.mark.usefixtures("few_values")
def test_a_long_list_of_wrong_entries_is_one_error(field):
    with pytest.raises(InvalidBody) as caught:
        parse(GenerationInputStable, json.dumps({"prompt": "x", field: WRONG[field]}).encode())
    errors = caught.value.errors
    assert len(errors) <= 2
    assert all("is too long" in text and len(text) < 200 for text in errors.values())


def test_no_more_than_a_hundred_errors_are_told():
    body = {"name": 1, "models": [1] * 4000, "blacklist": [2] * 4000}
    with pytest.raises(InvalidBody) as caught:
        parse(PopInputStable, json.dumps(body).encode())
    assert len(caught.value.errors) == validation.MAX_ERRORS


@pytest.mark.parametrize("junk", [b"1,", b"[],", b'{"a":1},'])
def test_a_body_of_very_many_values_is_not_even_read(junk):
    body = b'{"prompt":"x","unknown":[' + junk * 400_000 + b"1]}"
    with pytest.raises(InvalidBody, match="more than 300000 values"):
        parse(GenerationInputStable, body)


def test_large_pictures_and_long_texts_are_read():
    body = {"prompt": "x, " * 30_000, "source_image": "A" * 20_000_000}
    assert parse(GenerationInputStable, json.dumps(body).encode()).source_image
    body = {"prompt": '{"a": [1, 2]}, ' * 50_000}
    assert parse(GenerationInputKobold, json.dumps(body).encode()).prompt


def test_an_error_shows_the_beginning_of_what_was_sent():
    wrong = {"a": ["x" * 10**6, {"b": None}], "c": []}
    for sent in (wrong, [wrong] * 50, [], {}, ["x"], {"a": 1}):
        with pytest.raises(InvalidBody) as caught:
            parse(GenerationInputStable, json.dumps({"prompt": sent}).encode())
        shown = caught.value.errors["prompt"].removesuffix(" is not of type 'string'")
        assert repr(sent).startswith(shown.removesuffix("..."))
        assert len(shown) < 110


def test_only_what_may_have_a_picture_in_it_may_be_large(wire_classes):
    """Derived from the classes: where a picture stands, `max_bytes` finds it."""
    large = {name for name, model in wire_classes.items() if is_large(model)}
    assert large == {
        "ExtraSourceImage",
        "GenerationInputStable",
        "ModelInterrogationInputStable",
        "SubmitArguments",
        "SubmitInput",
        "SubmitInputStable",
    }
    assert max_bytes(None) == limits.MAX_PLAIN_BYTES
    assert limits.MAX_PLAIN_BYTES < max_bytes(GenerationInputKobold) < 8 * 2**20
    assert max_bytes(PopInputStable) < 2**20


def is_large(model):
    return issubclass(model, Request) and max_bytes(model) is None
