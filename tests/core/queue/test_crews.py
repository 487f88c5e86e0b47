"""Who may serve what, found out for sets of workers: the same as asked of each."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import factories
from core.queue import matching, pace
from core.queue.crews import Crews, OnlineWorker, Roster
from core.queue.lanes import Lanes
from core.queue.matching import Needs, Offer
from core.queue.pace import Pace

few = st.frozensets(st.sampled_from("abc"))
needs = st.builds(
    Needs,
    models=few,
    workers=few,
    avoid=st.booleans(),
    nsfw=st.booleans(),
    pixels=st.integers(0, 3),
)
offers = st.builds(
    Offer,
    kind=st.sampled_from(["image", "text"]),
    models=few,
    nsfw=st.booleans(),
    pixels=st.integers(0, 3),
    blacklist=few,
    users=st.frozensets(st.integers(0, 3)),
)


@given(st.lists(offers, max_size=8), st.lists(needs, max_size=4), st.text("abcd", max_size=2))
def test_they_are_those_who_accept_it(offered, asked, prompt):
    offered = [replace(offer, worker_id="abcdefgh"[n]) for n, offer in enumerate(offered)]
    roster = Roster([OnlineWorker(offer, 1.0, 1) for offer in offered])
    for wanted in [*asked, *asked]:
        exact = replace(wanted, words=prompt)
        expected = {n for n, offer in enumerate(offered) if matching.accepts(exact, offer)}
        able = roster.able(wanted, prompt)
        assert {n for n in range(len(offered)) if able >> n & 1} == expected


async def test_the_lanes_of_workers_grow_with_the_lanes(session):
    lanes = Lanes(2)
    roster = Roster(
        [OnlineWorker(Offer(worker_id=name, models=frozenset(name)), 1, 1) for name in "ab"]
    )
    first = await factories.request(session, lanes, needs=Needs(models=frozenset("a")))
    await lanes.update(session)
    assert roster.shared(lanes, 0b01) == (first.lane_id,)
    assert roster.shared(lanes, 0b10) == ()
    named = await factories.request(session, lanes, needs=Needs(workers=frozenset("b")))
    any_ = await factories.request(session, lanes, needs=Needs(models=frozenset("c")))
    await lanes.update(session)
    assert set(roster.shared(lanes, 0b01)) == {first.lane_id, any_.lane_id}  # the catch-all
    assert set(roster.shared(lanes, 0b10)) == {named.lane_id, any_.lane_id}


def test_who_may_serve_what_is_kept_as_long_as_the_same_is_offered():
    offer = Offer(worker_id="a", models=frozenset("a"))
    first = Crews([OnlineWorker(offer, 1.0, 1)])
    second = Crews([OnlineWorker(replace(offer), 9.0, 2)], before=first)
    assert second.roster is first.roster
    assert second.threads(1) == 2
    third = Crews([OnlineWorker(replace(offer, nsfw=False), 9.0, 2)], before=second)
    assert third.roster is not first.roster


@pytest.mark.parametrize(
    ("known", "other", "expected"),
    [
        ({"pace": Pace(1, 1), "paces": {"a": Pace(2, 2)}}, {}, Pace(2, 2)),
        ({"pace": Pace(1, 1), "paces": {"b": Pace(2, 2)}}, {}, Pace(1, 1)),
        ({}, {"paces": {"a": Pace(3, 3)}, "pace": Pace(4, 4)}, Pace(3, 3)),
        ({}, {"paces": {"c": Pace(3, 3)}, "pace": Pace(4, 4)}, pace.usual("image")),
    ],
)
def test_what_is_not_known_of_a_worker_is_known_of_others_or_usual(known, other, expected):
    """Its own jobs of the model, its other jobs, others' jobs of the model, any worker's."""
    offer = Offer(models=frozenset("ab"))
    crews = Crews([OnlineWorker(offer, 1.0, 1, **known), OnlineWorker(offer, 1.0, 1, **other)])
    assert crews.pace(0b01, "image", frozenset("a")) == pytest.approx(expected)
