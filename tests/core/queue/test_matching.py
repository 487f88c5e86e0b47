"""Each condition by itself: an offer that fits, changed so that only this condition refuses."""

import json
from dataclasses import replace

import pytest

from core.queue import matching
from core.queue.matching import CONDITIONS, UNLIMITED, Needs, Offer

NEEDS = Needs(
    models=frozenset({"a", "b"}),
    features=frozenset({"r2", "karras"}),
    permissions=frozenset({"img2img", "painting", "post-processing", "lora", "controlnet"}),
    nsfw=True,
    trusted=True,
    slow=False,
    workers=frozenset({"w"}),
    covered=True,
    pixels=1000,
    steps=30,
    length=80,
    context=2048,
    tiles=4,
    words="a red fox",
)
OFFER = Offer(
    worker_id="w",
    models=frozenset({"b", "c"}),
    features=frozenset({"r2", "karras", "lora"}),
    permissions=NEEDS.permissions,
    nsfw=True,
    trusted=True,
    fast=True,
    only_covered=True,
    pixels=1000,
    steps=30,
    length=80,
    context=2048,
    tiles=4,
    blacklist=frozenset({"dog"}),
)


def without(permission):
    return NEEDS.permissions - {permission}


REFUSED = [
    ("worker_id", {}, {"worker_id": "v"}),
    ("worker_id", {"avoid": True}, {}),
    ("performance", {}, {"fast": False}),
    ("performance", {}, {"extra_slow": True}),
    ("nsfw", {}, {"nsfw": False}),
    ("untrusted", {}, {"trusted": False}),
    ("models", {}, {"models": frozenset({"c"})}),
    ("models", {}, {"models": frozenset()}),
    ("bridge_version", {}, {"features": frozenset({"r2"})}),
    ("img2img", {}, {"permissions": without("img2img")}),
    ("painting", {}, {"permissions": without("painting")}),
    ("post-processing", {}, {"permissions": without("post-processing")}),
    ("lora", {}, {"permissions": without("lora")}),
    ("controlnet", {}, {"permissions": without("controlnet")}),
    ("controlnet", {"permissions": frozenset({"sdxl_controlnet"})}, {}),
    ("max_pixels", {}, {"pixels": 999}),
    ("step_count", {}, {"steps": 29}),
    ("step_count", {}, {"step_limits": frozenset({("b", 29)})}),
    ("step_count", {"models": frozenset()}, {"steps": 29, "step_limits": frozenset({("b", 8)})}),
    ("max_length", {}, {"length": 79}),
    ("max_context_length", {}, {"context": 2047}),
    ("matching_softprompt", {"softprompt": "a dragon's voice"}, {}),
    ("matching_softprompt", {"softprompt": "a"}, {"softprompts": frozenset({"b"})}),
    ("tiles", {}, {"tiles": 3}),
    ("kudos", {"covered": False}, {}),
    ("blacklist", {}, {"blacklist": frozenset({"dog", "red"})}),
]


def test_the_offer_fits():
    assert matching.accepts(NEEDS, OFFER)
    assert matching.reasons(NEEDS, OFFER) == []


@pytest.mark.parametrize(("name", "needs", "offer"), REFUSED)
def test_each_condition_refuses_by_itself(name, needs, offer):
    changed, changed_offer = replace(NEEDS, **needs), replace(OFFER, **offer)
    assert matching.reasons(changed, changed_offer) == [name]
    assert not matching.accepts(changed, changed_offer)


def test_every_condition_has_such_a_case():
    assert {name for name, _, _ in REFUSED} == {condition.name for condition in CONDITIONS}


def test_another_kind_never_fits():
    assert not matching.accepts(replace(NEEDS, kind="text"), OFFER)


@pytest.mark.parametrize(
    ("needs", "offer"),
    [
        ({"models": frozenset()}, {"models": frozenset({"z"})}),
        ({}, {"steps": 8, "step_limits": frozenset({("b", 30), ("c", 4)})}),
        ({"models": frozenset()}, {"step_limits": frozenset({("b", 29)})}),
        ({"models": frozenset("bc")}, {"steps": 29, "step_limits": frozenset({("c", 30)})}),
        ({"workers": frozenset()}, {"worker_id": "anybody"}),
        ({"avoid": True}, {"worker_id": "anybody"}),
        ({"slow": True}, {"fast": False}),
        ({"extra_slow": True}, {"extra_slow": True}),
        ({"nsfw": False}, {"nsfw": False}),
        ({"trusted": False}, {"trusted": False}),
        ({"covered": False}, {"only_covered": False}),
    ],
)
def test_what_is_not_asked_is_not_needed(needs, offer):
    assert matching.accepts(replace(NEEDS, **needs), replace(OFFER, **offer))


@pytest.mark.parametrize(
    "side",
    [
        Needs(),
        NEEDS,
        Offer(),
        OFFER,
        Offer(users=frozenset({3, 1})),
        Offer(step_limits=frozenset({("b", 8), ("a", 24)})),
    ],
)
def test_both_sides_survive_json(side):
    document = json.loads(json.dumps(side.to_json()))
    assert type(side).from_json(document) == side


def test_what_a_newer_version_wrote_is_read():
    assert Needs.from_json({"pixels": 5, "colour": "red"}) == Needs(pixels=5)


@pytest.mark.parametrize(
    ("size", "least", "most"),
    [(0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 3, 4), (4, 3, 4), (5, 5, 8), (262_144, 131_073, 262_144)],
)
def test_size_classes(size, least, most):
    """A class is (2^(k-1), 2^k]."""
    coarse = matching.least(Needs(pixels=size))
    assert (coarse.pixels, matching.most(coarse).pixels) == (least, most)


def test_no_size_is_beyond_what_a_worker_without_limit_takes():
    needs = Needs(pixels=2**61, steps=2**61)
    assert matching.accepts(matching.most(matching.least(needs)), Offer(pixels=UNLIMITED))
