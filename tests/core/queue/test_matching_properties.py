"""A lane speaks for its jobs: who refuses its least refuses each, who takes its most takes all."""

import json
from dataclasses import fields, replace

from hypothesis import given
from hypothesis import strategies as st

from core.queue import matching
from core.queue.matching import SIZES, UNLIMITED, Needs, Offer

few = st.frozensets(st.sampled_from("abc"))
words = st.text("abc ", max_size=6)
size = st.integers(0, 40) | st.just(UNLIMITED // 2)

needs = st.builds(
    Needs,
    kind=st.sampled_from(["image", "text"]),
    models=few,
    features=few,
    permissions=st.frozensets(st.sampled_from(["lora", "img2img", "sdxl_controlnet"])),
    workers=few,
    avoid=st.booleans(),
    words=words,
    **{name: st.booleans() for name in ("nsfw", "trusted", "slow", "extra_slow", "covered")},
    **dict.fromkeys(SIZES, size),
)
offers = st.builds(
    Offer,
    kind=st.sampled_from(["image", "text"]),
    worker_id=st.sampled_from("abc"),
    user_id=st.integers(0, 9),
    models=few,
    features=few,
    permissions=st.frozensets(st.sampled_from(["lora", "img2img", "sdxl_controlnet"])),
    blacklist=st.frozensets(st.text("abc", min_size=1, max_size=2), max_size=2),
    users=st.frozensets(st.integers(0, 9), max_size=3),
    **{name: st.booleans() for name in ("nsfw", "trusted", "fast", "extra_slow", "only_covered")},
    **dict.fromkeys(SIZES, size | st.just(UNLIMITED)),
)


@st.composite
def near(draw):
    """Needs and an offer that differs from a fitting one in few things, so that many fit."""
    wanted = draw(needs)
    fitting = Offer(
        kind=wanted.kind,
        worker_id=min(wanted.workers, default="a"),
        models=wanted.models or frozenset("a"),
        features=wanted.features,
        permissions=wanted.permissions,
        trusted=True,
        **{name: getattr(wanted, name) for name in SIZES},
    )
    changed = draw(st.sets(st.sampled_from([field.name for field in fields(Offer)]), max_size=1))
    other = draw(offers)
    changes = {name: getattr(other, name) for name in changed}
    if draw(st.booleans()):  # about the limits, where lanes and jobs differ
        name = draw(st.sampled_from(SIZES))
        exact = getattr(wanted, name)
        changes[name] = draw(st.integers(exact // 2, exact * 2))
    return wanted, replace(fitting, **changes)


@given(near() | st.tuples(needs, offers))
def test_a_lane_speaks_for_its_jobs(pair):
    wanted, offer = pair
    coarse = matching.least(wanted)
    exact = matching.accepts(wanted, offer)
    if not matching.accepts(coarse, offer):
        assert not exact
    if matching.accepts(matching.most(coarse), offer) and not offer.blacklist:
        assert exact


@given(needs)
def test_jobs_of_a_lane_have_the_same_coarse_needs(wanted):
    coarse = matching.least(wanted)
    assert matching.least(coarse) == coarse
    assert matching.least(replace(matching.most(coarse), words="other words")) == coarse


@given(near())
def test_reasons_and_acceptance_agree(pair):
    wanted, offer = pair
    assert matching.accepts(wanted, offer) == (
        wanted.kind == offer.kind and not matching.reasons(wanted, offer)
    )


@given(needs | offers)
def test_json_keeps_everything(side):
    assert type(side).from_json(json.loads(json.dumps(side.to_json()))) == side


def test_the_strategy_finds_fitting_pairs():
    """Else the properties above would hold for want of examples."""
    found = {True: 0, False: 0}

    @given(near())
    def count(pair):
        found[matching.accepts(*pair)] += 1

    count()
    assert min(found.values()) >= 10, found
