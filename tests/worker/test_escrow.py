import pytest

from worker.escrow import Escrow


@pytest.mark.parametrize(
    ("trusted", "earned", "told"),
    [
        (None, 4.21, "+4.21 kudos"),
        (True, 4.21, "+4.21 kudos"),
        (False, 4.21, "+4.21 kudos (2.10 of them in escrow)"),
        (False, 0.0, "+0.00 kudos"),
        (False, float("nan"), "+nan kudos"),
        (False, float("inf"), "+inf kudos"),
    ],
)
def test_what_is_said_of_a_reward(trusted, earned, told):
    assert Escrow(trusted).told(earned) == told
