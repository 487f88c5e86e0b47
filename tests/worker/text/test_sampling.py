"""Each sampler by what it rules out, on probabilities that are known."""

import math

import pytest
import torch

from worker.text.order import Sampling
from worker.text.sampling import Draw, _samplers

PROBABILITIES = (0.5, 0.25, 0.15, 0.06, 0.04)
pytestmark = pytest.mark.filterwarnings("ignore")


def scores(probabilities=PROBABILITIES):
    return torch.tensor([probabilities]).log()


def after(so_far=(), probabilities=PROBABILITIES, **sampling):
    """The probabilities that a sampler leaves."""
    changed = scores(probabilities)
    for sampler in _samplers(Sampling(**sampling)):
        changed = sampler(torch.tensor([so_far], dtype=torch.long), changed)
    return changed.softmax(-1)[0].tolist()


def left(**sampling):
    """The tokens that a sampler leaves."""
    return [token for token, one in enumerate(after(**sampling)) if one > 0]


def test_by_default_probabilities_are_the_models_own():
    assert after((0, 1)) == pytest.approx(PROBABILITIES)


@pytest.mark.parametrize(
    ("sampling", "tokens"),
    [
        ({"top_k": 2}, [0, 1]),
        ({"top_p": 0.7}, [0, 1]),
        ({"min_p": 0.29}, [0, 1, 2]),
        ({"top_a": 0.4}, [0, 1, 2]),  # 0.4 * 0.5 ** 2 = 0.1
        ({"typical": 0.2}, [1]),
        # Bends of 0.15, 0.01 and 0.07 of 0.23 in all: 65 %, 70 %, 100 %.
        ({"tfs": 0.5}, [0]),
        ({"tfs": 0.68}, [0, 1]),
        ({"tfs": 0.75}, [0, 1, 2]),
        ({"tfs": 0.0, "typical": 0.0}, [0, 1, 2, 3, 4]),  # off, as 1 is
    ],
    ids=str,
)
def test_what_is_ruled_out(sampling, tokens):
    assert left(**sampling) == tokens


def test_temperature_and_its_dynamics():
    assert after(temperature=0.5)[0] == pytest.approx(0.25 / sum(p**2 for p in PROBABILITIES))
    entropy = -sum(p * math.log(p) for p in PROBABILITIES) / math.log(5)
    temperature = 0.5 + 1.0 * entropy**2
    powers = [p ** (1 / temperature) for p in PROBABILITIES]
    assert after(dynatemp_range=0.5, dynatemp_exponent=2.0) == pytest.approx(
        [power / sum(powers) for power in powers], rel=1e-4
    )


def test_smoothing_lets_scores_fall_with_the_square_of_their_distance():
    squares = [math.exp(-0.5 * math.log(p / 0.5) ** 2) for p in PROBABILITIES]
    assert after(smoothing_factor=0.5) == pytest.approx([s / sum(squares) for s in squares])


def test_the_order_of_samplers_counts():
    # A high temperature makes the second more probable, so that the share of the first shrinks.
    assert left(temperature=5.0, top_p=0.5, order=(2, 5)) == [0]
    assert len(left(temperature=5.0, top_p=0.5, order=(5, 2))) > 1
    assert left(temperature=5.0, top_p=0.5, order=()) == [0, 1, 2, 3, 4]


def penalties(so_far, **sampling):
    """By what the scores of all tokens were multiplied: they are below 0, so more is less."""
    (sampler,) = _samplers(Sampling(**sampling))
    before = scores()
    changed = sampler(torch.tensor([so_far]), before)
    return (changed / before)[0].tolist()


def test_the_repetition_penalty_reaches_back_its_range():
    assert penalties((0, 1, 2), rep_pen=1.5) == pytest.approx([1.5, 1.5, 1.5, 1, 1])
    assert penalties((0, 1, 2), rep_pen=1.5, rep_pen_range=2) == pytest.approx([1, 1.5, 1.5, 1, 1])
    assert penalties((0, 1), rep_pen=1.5, rep_pen_range=4) == pytest.approx([1.5, 1.5, 1, 1, 1])


def test_with_a_slope_old_tokens_are_penalised_less():
    oldest, middle, newest, *_ = penalties((0, 1, 2), rep_pen=3.0, rep_pen_slope=2.0)
    assert (oldest, middle, newest) == pytest.approx((1, 2, 3))
    quarter = penalties((0, 1, 2, 3, 4), rep_pen=3.0, rep_pen_slope=2.0)[1]
    assert quarter == pytest.approx(1 + (1 - 2 / 3))  # 2 * -0.5 / (1 + 0.5)


def test_a_token_that_occurred_twice_has_its_strongest_penalty():
    assert penalties((0, 1, 0), rep_pen=3.0, rep_pen_slope=2.0)[0] == pytest.approx(3)


def test_positive_scores_are_divided():
    (sampler,) = _samplers(Sampling(rep_pen=2.0))
    assert sampler(torch.tensor([[0]]), torch.tensor([[4.0, 4.0]])).tolist() == [[2.0, 4.0]]


def drawn(seed, *, banned=(), count=40, **sampling):
    draw = Draw(Sampling(**sampling), seed=seed, banned=banned)
    so_far = torch.zeros((1, 0), dtype=torch.long)
    return [draw(so_far, scores()) for _ in range(count)]


def test_a_seed_draws_the_same_again_and_temperature_zero_the_best():
    assert drawn(1) == drawn(1) != drawn(2)
    assert set(drawn(1, temperature=0.0)) == {0}


def test_tokens_are_drawn_as_often_as_they_are_probable_and_banned_ones_never():
    tokens = drawn(3, count=2000)
    assert tokens.count(0) / 2000 == pytest.approx(0.5, abs=0.05)
    assert set(tokens) == {0, 1, 2, 3, 4}
    assert 0 not in drawn(3, banned=(0,))
    assert set(drawn(3, banned=(0,), temperature=0.0)) == {1}
