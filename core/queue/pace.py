"""How long jobs take: a part that every job costs, and a part by its size, fitted to past jobs.

A worker that made twenty small pictures has shown what any picture costs it, and little about the
cost of size; one that made large ones has shown the reverse. So both parts are fitted, and if the
jobs do not tell them apart, they keep their usual proportion.
"""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final, NamedTuple

from core.kinds import registry

MIN_SECONDS: Final = 0.001
HALF_LIFE: Final = 25
"""After this many further jobs a job counts half."""
PRIOR_JOBS: Final = 1.0
"""The usual pace counts as this many jobs."""
MAX_DEVIATION: Final = 0.5
"""A job that deviates more, as a share of the expected time, counts less: it was an accident."""
MIN_BY_SIZE: Final = 0.01
"""The part by size is at least this share of the usual one: no worker is infinitely fast."""
ROUNDS: Final = 4


class Pace(NamedTuple):
    """The seconds that a job takes."""

    fixed: float
    """Seconds of every job, whatever its size."""
    per_thing: float

    def seconds(self, jobs: float, things: float) -> float:
        """How long this many jobs, of this size in all, take one after the other."""
        return jobs * self.fixed + things * self.per_thing

    @property
    def speed(self) -> float:
        """Things a second, without the part that every job costs."""
        return 1 / self.per_thing


def usual(kind: str) -> Pace:
    """The pace of an unknown worker."""
    return Pace(*registry.of(kind).usual_pace)


class Sample(NamedTuple):
    """Jobs that a worker did at once, usually a single one."""

    jobs: int
    things: int
    seconds: float


class _Point(NamedTuple):
    """A sample as shares of its expected time, at the usual proportion of the two parts."""

    weight: float
    fixed: float
    by_size: float
    seconds: float


_PRIOR: Final = (_Point(PRIOR_JOBS, 1.0, 0.0, 1.0), _Point(PRIOR_JOBS, 0.0, 1.0, 1.0))


def fit(samples: Sequence[Sample], usual: Pace) -> Pace:
    """The pace that best explains the samples, the newest first; `usual` without any.

    Errors count as shares of the expected time, so that small jobs count as much as large ones.
    """
    if not samples:
        return usual
    guess = _guess(samples, usual)
    points = [
        _Point(
            0.5 ** (age / HALF_LIFE),
            guess.fixed * s.jobs / expected,
            guess.per_thing * s.things / expected,
            s.seconds / expected,
        )
        for age, s in enumerate(samples)
        if (expected := guess.seconds(s.jobs, s.things)) > 0
    ]
    fixed = by_size = 1.0
    if guess.fixed and (first := _line(samples)):
        fixed, by_size = first.fixed / guess.fixed, first.per_thing / guess.per_thing
    for _ in range(ROUNDS):
        fixed, by_size = _solve((*_PRIOR, *points), fixed, by_size)
    return Pace(guess.fixed * fixed, guess.per_thing * by_size)


def _guess(samples: Sequence[Sample], usual: Pace) -> Pace:
    """A first guess: how far the samples are from the usual pace, in the part that dominates them.

    A worker that is faster at the sizes seen is probably faster at others too, but by less.
    """
    scale = median(s.seconds / usual.seconds(s.jobs, s.things) for s in samples)
    share = median(usual.fixed * s.jobs / usual.seconds(s.jobs, s.things) for s in samples)
    fixed, by_size = scale ** ((1 + share) / 2), scale ** (1 - share / 2)
    norm = scale / (share * fixed + (1 - share) * by_size)
    return Pace(usual.fixed * fixed * norm, usual.per_thing * by_size * norm)


def _line(samples: Iterable[Sample]) -> Pace | None:
    """A line through the medians of small and of large jobs; None if all sizes are alike."""
    each = [(s.things / s.jobs, s.seconds / s.jobs) for s in samples]
    smallest, largest = min(each)[0], max(each)[0]
    if largest < 1.5 * smallest:
        return None
    border = (smallest * largest) ** 0.5
    (small, quick), (large, slow) = (
        (median(things for things, _ in half), median(seconds for _, seconds in half))
        for half in (
            [one for one in each if one[0] <= border],
            [one for one in each if one[0] > border],
        )
    )
    per_thing = max(0.0, (slow - quick) / (large - small))
    return Pace(max(0.0, quick - per_thing * small), per_thing)


def _solve(points: Iterable[_Point], fixed: float, by_size: float) -> tuple[float, float]:
    """One round of weighted least squares for both factors, from those of the round before."""
    ff = fs = ss = fy = sy = 0.0
    for point in points:
        expected = fixed * point.fixed + by_size * point.by_size
        scale = max(expected, point.seconds / 2, MIN_SECONDS)
        off = abs(point.seconds - expected) / scale
        weight = point.weight / scale**2 * min(1.0, MAX_DEVIATION / max(off, 1e-9))
        ff += weight * point.fixed**2
        fs += weight * point.fixed * point.by_size
        ss += weight * point.by_size**2
        fy += weight * point.fixed * point.seconds
        sy += weight * point.by_size * point.seconds
    determinant = ff * ss - fs * fs
    fixed, by_size = (fy * ss - sy * fs) / determinant, (sy * ff - fy * fs) / determinant
    if fixed < 0:
        fixed, by_size = 0.0, sy / ss
    if by_size < MIN_BY_SIZE:
        by_size = MIN_BY_SIZE
        fixed = max(0.0, (fy - fs * by_size) / ff)
    return fixed, by_size


def together(crew: Iterable[tuple[Pace, int]]) -> Pace:
    """The pace of several workers, each with so many threads, that take jobs as soon as they can.

    If some are faster at small jobs and others at large ones, no single pace is exact: this one is
    right for two sizes around the size at which both parts weigh the same.
    """
    paces = [(pace, threads) for pace, threads in crew if threads > 0]
    fixed = sum(pace.fixed for pace, _ in paces)
    middle = fixed / sum(pace.per_thing for pace, _ in paces) or 1.0
    small, large = middle / 4, middle * 4
    for_small, for_large = (
        1 / sum(threads / max(pace.seconds(1, size), MIN_SECONDS) for pace, threads in paces)
        for size in (small, large)
    )
    per_thing = (for_large - for_small) / (large - small)
    return Pace(max(0.0, for_small - per_thing * small), per_thing)
