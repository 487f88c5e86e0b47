import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.wire.kudos import from_wire, to_wire

MOST = 10**13


@given(st.integers(-MOST, MOST))
def test_hundredths_survive_the_wire(hundredths):
    assert from_wire(to_wire(hundredths)) == hundredths


@pytest.mark.parametrize(
    ("kudos", "hundredths"),
    [(0, 0), (12.5, 1250), (1.005, 101), (0.125, 13), (-0.125, -13), (0.1 + 0.2, 30), (7, 700)],
)
def test_kudos_are_rounded_to_the_nearest_hundredth(kudos, hundredths):
    assert from_wire(kudos) == hundredths


@pytest.mark.parametrize("kudos", [math.nan, math.inf, -math.inf])
def test_what_is_no_amount_is_refused(kudos):
    with pytest.raises(ValueError, match="not an amount"):
        from_wire(kudos)


def test_a_wire_amount_is_a_float():
    assert isinstance(to_wire(1000), float)
