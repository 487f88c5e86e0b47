import json

import pytest

from core.wire.generate import GenerationInputStable, PopInputStable, SubmitInputStable
from core.wire.register import RegisterInput
from core.wire.scalars import LARGEST
from core.wire.validation import InvalidBody, MalformedBody, parse


def errors(model, body):
    with pytest.raises(InvalidBody) as caught:
        parse(model, json.dumps(body).encode())
    return caught.value.errors


def params(**values):
    return errors(GenerationInputStable, {"prompt": "a fox", "params": values})


def test_everything_wrong_is_said_at_once():
    found = errors(
        GenerationInputStable,
        {"prompt": None, "params": {"width": 65, "n": 21}, "models": ["a", 1], "nsfw": "yes"},
    )
    assert found == {
        "prompt": "None is not of type 'string'",
        "params.width": "65 is not a multiple of 64",
        "params.n": "21 is greater than the maximum of 20",
        "models.1": "1 is not of type 'string'",
        "nsfw": "'yes' is not of type 'boolean'",
    }


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"steps": 0}, "0 is less than the minimum of 1"),
        ({"steps": True}, "True is not of type 'integer'"),
        ({"steps": "5"}, "'5' is not of type 'integer'"),
        ({"steps": 5.5}, "5.5 is not of type 'integer'"),
        ({"cfg_scale": True}, "True is not of type 'number'"),
        ({"cfg_scale": "7"}, "'7' is not of type 'number'"),
        ({"karras": 1}, "1 is not of type 'boolean'"),
        ({"seed": 5}, "5 is not of type 'string'"),
        ({"special": []}, "[] is not of type 'object'"),
        ({"loras": {}}, "{} is not of type 'array'"),
        ({"workflow": "other"}, "'other' is not one of ['qr_code']"),
        ({"post_processing": ["GFPGAN"] * 2}, "['GFPGAN', 'GFPGAN'] has non-unique elements"),
    ],
)
def test_each_rule_has_its_text(values, text):
    assert params(**values) == {f"params.{next(iter(values))}": text}


def test_lengths_are_counted_in_characters():
    assert errors(RegisterInput, {"username": "🦊🦊"}) == {"username": "'🦊🦊' is too short"}
    assert parse(RegisterInput, '{"username": "🦊🦊🦊"}'.encode()).username == "🦊🦊🦊"


def test_what_is_missing_is_named_by_its_own_path():
    assert errors(SubmitInputStable, {}) == {
        field: f"'{field}' is a required property" for field in ("id", "generation", "seed")
    }
    assert params(loras=[{}]) == {"params.loras.0.name": "'name' is a required property"}


def test_a_body_that_is_no_object():
    assert errors(PopInputStable, []) == {"": "[] is not of type 'object'"}


@pytest.mark.parametrize("body", [b"", b"{", b"{'prompt': 1}", b'{"a": "\xff"}', b"[" * 100_000])
def test_a_body_that_is_not_json(body):
    with pytest.raises(MalformedBody):
        parse(PopInputStable, body)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_numbers_are_finite(number):
    with pytest.raises(InvalidBody) as caught:
        parse(GenerationInputStable, b'{"prompt":"x","params":{"cfg_scale":%b}}' % number.encode())
    assert "is not of type 'number'" in caught.value.errors["params.cfg_scale"]


def test_integers_fit_eight_bytes():
    body = {"id": "x", "generation": "R2", "seed": LARGEST}
    assert parse(SubmitInputStable, json.dumps(body).encode()).seed == LARGEST
    assert errors(SubmitInputStable, body | {"seed": LARGEST + 1}).keys() == {"seed"}
    assert errors(SubmitInputStable, body | {"seed": -LARGEST - 1}).keys() == {"seed"}


def test_an_error_repeats_little_of_what_was_sent():
    found = errors(RegisterInput, {"username": "x" * 1_000_000})
    assert len(found["username"]) < 150


def test_whole_floats_are_integers():
    body = b'{"prompt": "x", "params": {"width": 128.0}}'
    width = parse(GenerationInputStable, body).params.width
    assert width == 128
    assert isinstance(width, int)


def test_unknown_keys_are_ignored_at_every_level():
    read = parse(GenerationInputStable, b'{"prompt":"x","more":null,"params":{"more":{},"n":2}}')
    assert read.params.n == 2


def test_absent_fields_have_the_values_in_effect_and_are_known_to_be_absent():
    read = parse(GenerationInputStable, b'{"prompt": "x", "params": {"n": 1}}')
    assert read.model_fields_set == {"prompt", "params"}
    assert read.params.model_fields_set == {"n"}
    assert read.nsfw
    assert read.censor_nsfw
    assert read.models == ["stable_diffusion"]
    assert (read.params.cfg_scale, read.params.karras, read.params.steps) == (5.0, True, 30)
    offer = parse(PopInputStable, b'{"name": "x"}')
    assert (offer.nsfw, offer.extra_slow_worker, offer.allow_lora, offer.wait) == (
        True,
        False,
        False,
        0.0,
    )


@pytest.mark.parametrize(("wait", "fine"), [(0, True), (30.0, True), (30.1, False), (-1, False)])
def test_a_pop_waits_half_a_minute_at_most(wait, fine):
    body = {"name": "x", "wait": wait}
    if fine:
        assert parse(PopInputStable, json.dumps(body).encode()).wait == wait
    else:
        assert errors(PopInputStable, body).keys() == {"wait"}
