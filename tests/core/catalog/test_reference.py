import json

import pytest

from core.catalog import reference
from core.catalog.reference import BadReference

GOOD = {
    "version": 1,
    "image": [{"name": "fox", "baseline": "stable_diffusion_xl", "requirements": {"max_steps": 9}}],
    "text": [{"name": "org/Fox-7b", "billions": 7}],
}


def parsed(**changes):
    return reference.parse(json.dumps({**GOOD, **changes}))


def test_what_a_file_says_is_known():
    found = parsed()
    assert found.images["fox"].baseline == "stable_diffusion_xl"
    assert found.images["fox"].most_steps == 9
    assert found.texts["org/Fox-7b"].billions == 7.0
    assert found.short == {"fox-7b": found.texts["org/Fox-7b"]}


def test_new_keys_are_passed_over():
    image = {"name": "fox", "homepage": "https://example.com"}
    assert parsed(image=[image], more=1).images["fox"].name == "fox"


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"image": []},
        {"image": [{"name": ""}]},
        {"image": [{"name": "x", "baseline": "unheard of"}]},
        {"image": [{"name": "x", "nsfw": "perhaps"}]},
        {"image": [{"name": "x", "requirements": {"max_steps": ["many"]}}]},
        {"image": [{"name": "x", "requirements": {"samplers": 3}}]},
        {"image": [{"name": "x", "requirements": {"colour": 3}}]},
        {"image": [{"name": "x"}, {"name": "x"}]},
        {"text": [{"name": "x"}]},
        {"text": [{"name": "x", "billions": 0}]},
        {"text": [{"name": "x", "billions": 1}, {"name": "x", "billions": 2}]},
        {"text": None},
    ],
    ids=str,
)
def test_what_is_impossible_is_refused(changes):
    with pytest.raises(BadReference):
        parsed(**changes)


@pytest.mark.parametrize("content", ["", "null", "[]", "{", b"\xff", "<html>"])
def test_what_is_no_reference_is_refused(content):
    with pytest.raises(BadReference):
        reference.parse(content)


def test_a_reference_is_written_as_it_is_read():
    shipped = reference.shipped()
    assert reference.parse(json.dumps(reference.to_data(shipped))) == shipped


def test_a_newer_one_adds_and_changes_but_takes_nothing_away():
    newer = parsed(image=[{"name": "SDXL 1.0", "nsfw": True}, {"name": "fox"}])
    both = reference.over_shipped(newer)
    assert both.images["SDXL 1.0"].nsfw
    assert not reference.shipped().images["SDXL 1.0"].nsfw
    assert {"fox", "horde-tiny"} <= both.images.keys()
    assert "org/Fox-7b" in both.texts
    assert "fox-7b" in both.short
