"""What jobs take, found out from what they took."""

import random

import pytest

from core.kinds import registry
from core.queue import pace
from core.queue.pace import Pace, Sample

TINY, SMALL, LARGE = 12_288, 1_310_720, 7_864_320
LAWS = [Pace(0.28, 0.25e-6), Pace(1.0, 4e-6), Pace(0.0, 1e-6), Pace(3.0, 0.1e-6)]
USUAL_IMAGE = pace.usual("image")


def samples(law, sizes, *, count=50, seed=1):
    chance = random.Random(seed)
    drawn = [chance.choice(sizes) for _ in range(count)]
    return [Sample(1, x, law.seconds(1, x) * chance.lognormvariate(0, 0.1)) for x in drawn]


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("sizes", [(TINY, SMALL, LARGE), (TINY, LARGE)])
def test_both_parts_are_found_where_sizes_differ(law, sizes):
    found = pace.fit(samples(law, sizes), USUAL_IMAGE)
    for things in (TINY, SMALL, LARGE):
        assert found.seconds(1, things) == pytest.approx(law.seconds(1, things), rel=0.25)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("size", [TINY, SMALL, LARGE])
def test_one_size_tells_about_that_size(law, size):
    found = pace.fit(samples(law, [size]), USUAL_IMAGE)
    assert found.seconds(1, size) == pytest.approx(law.seconds(1, size), rel=0.1)


def test_small_jobs_alone_make_nobody_slow():
    """Things a second, all in all, would be 44 000 here: far below what counts as slow."""
    shipped = LAWS[0]
    found = pace.fit(samples(shipped, [TINY]), USUAL_IMAGE)
    assert found.speed == pytest.approx(shipped.speed, rel=0.5)


def test_what_is_known_of_large_jobs_survives_a_long_run_of_small_ones():
    law = Pace(0.0, 1e-6)
    before = pace.fit(samples(law, [TINY, LARGE]), USUAL_IMAGE)
    after = pace.fit(samples(law, [TINY]), before)
    assert after.seconds(1, LARGE) == pytest.approx(law.seconds(1, LARGE), rel=0.1)


def test_an_accident_says_little():
    law = LAWS[0]
    seen = samples(law, [TINY, SMALL, LARGE])
    seen[0] = seen[7] = Sample(1, TINY, 300.0)
    found = pace.fit(seen, USUAL_IMAGE)
    for things in (TINY, SMALL, LARGE):
        assert found.seconds(1, things) == pytest.approx(law.seconds(1, things), rel=0.25)


def test_what_was_done_last_counts_most():
    slow, fast = Pace(2.0, 2e-6), Pace(0.2, 0.2e-6)
    seen = samples(fast, [TINY, LARGE], count=35) + samples(slow, [TINY, LARGE], count=15)
    found = pace.fit(seen, USUAL_IMAGE)
    assert found.seconds(1, LARGE) == pytest.approx(fast.seconds(1, LARGE), rel=0.5)


def test_jobs_made_at_once_share_their_time():
    found = pace.fit([Sample(4, 4 * SMALL, 2.0)] * 9 + [Sample(4, 4 * TINY, 0.4)] * 9, USUAL_IMAGE)
    assert found.seconds(1, SMALL) == pytest.approx(0.5, rel=0.1)
    assert found.seconds(1, TINY) == pytest.approx(0.1, rel=0.1)


def test_forms_have_no_size():
    found = pace.fit([Sample(1, 1, 4.0)] * 3, pace.usual("alchemy"))
    assert found == pytest.approx((0.0, 4.0))
    assert found.speed == pytest.approx(0.25)


def test_nothing_is_known_without_jobs():
    assert pace.fit([], USUAL_IMAGE) == USUAL_IMAGE


@pytest.mark.parametrize("seed", range(20))
def test_whatever_was_seen_gives_a_pace(seed):
    chance = random.Random(seed)
    seen = [
        Sample(
            chance.randint(1, 4),
            round(10 ** chance.uniform(0, 12)),
            10 ** chance.uniform(-3, 5),
        )
        for _ in range(chance.randint(1, 50))
    ]
    found = pace.fit(seen, pace.usual(chance.choice(list(registry.KINDS))))
    assert 0 <= found.fixed < 1e9
    assert 0 < found.per_thing < 1e9


def test_several_work_together():
    one, other = Pace(1.0, 1e-6), Pace(0.5, 2e-6)
    assert pace.together([(one, 1)]) == pytest.approx(one)
    assert pace.together([(one, 1), (one, 3)]) == pytest.approx((0.25, 0.25e-6))
    both = pace.together([(one, 2), (other, 1)])
    for things in (TINY, SMALL):
        expected = 1 / (2 / one.seconds(1, things) + 1 / other.seconds(1, things))
        assert both.seconds(1, things) == pytest.approx(expected, rel=0.1)
    assert pace.together([(Pace(0.0, 1.0), 1), (Pace(0.0, 1.0), 3)]) == pytest.approx((0.0, 0.25))
