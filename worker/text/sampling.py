"""Samples the next token as KoboldAI does. In the engine process only: uses torch.

Each sampler changes the scores of all tokens, one row of them, by the tokens so far; excluded
tokens get minus infinity. transformers' own samplers are used if it has them.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Final

import torch
from torch import Tensor
from transformers.generation.logits_process import (
    MinPLogitsWarper,
    SuppressTokensLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from worker.text.order import Sampling

Sampler = Callable[[Tensor, Tensor], Tensor]
"""Takes the tokens so far, (1, n), and the scores of the next, (1, vocabulary)."""

OUT: Final = -torch.inf


class Draw:
    """Samples tokens, the same ones for the same seed.

    On the CPU, so that a seed means the same on every device, as far as the model's own rounding
    allows. banned: tokens that are never sampled.
    """

    def __init__(self, sampling: Sampling, *, seed: int, banned: Collection[int] = ()) -> None:
        self._samplers = list(_samplers(sampling))
        if banned:
            self._samplers.insert(0, SuppressTokensLogitsProcessor(list(banned)))
        self._greedy = sampling.temperature == 0
        self._generator = torch.Generator("cpu").manual_seed(seed)

    def __call__(self, so_far: Tensor, scores: Tensor) -> int:
        """Sample the next token."""
        for sampler in self._samplers:
            scores = sampler(so_far, scores)
        if self._greedy:
            return int(scores.argmax())
        return int(torch.multinomial(scores.softmax(-1), 1, generator=self._generator))


def _samplers(sampling: Sampling) -> Iterator[Sampler]:
    """The samplers that have an effect, in the order that was asked for."""
    made: dict[int, Callable[[Sampling], Iterator[Sampler]]] = {
        0: _top_k,
        1: _top_a,
        2: _top_p,
        3: _tail_free,
        4: _typical,
        5: _temperature,
        6: _repetition_penalty,
    }
    for number in sampling.order:
        if number in made:
            yield from made[number](sampling)


def _top_k(sampling: Sampling) -> Iterator[Sampler]:
    if sampling.top_k > 0:
        yield TopKLogitsWarper(sampling.top_k)


def _top_a(sampling: Sampling) -> Iterator[Sampler]:
    """Exclude tokens less probable than `top_a` times the square of the highest probability."""

    def sampler(_: Tensor, scores: Tensor) -> Tensor:
        probable = scores.softmax(-1)
        least = sampling.top_a * probable.amax(-1, keepdim=True).square()
        return scores.masked_fill(probable < least, OUT)

    if sampling.top_a > 0:
        yield sampler


def _top_p(sampling: Sampling) -> Iterator[Sampler]:
    if sampling.top_p < 1:
        yield TopPLogitsWarper(sampling.top_p)
    if sampling.min_p > 0:
        yield MinPLogitsWarper(sampling.min_p)


def _tail_free(sampling: Sampling) -> Iterator[Sampler]:
    """Exclude the tail, which begins where the sorted probabilities cease to bend.

    It begins where the second derivative has reached the share `tfs` of its sum
    (https://www.trentonbricken.com/Tail-Free-Sampling/).
    """

    def sampler(_: Tensor, scores: Tensor) -> Tensor:
        ordered, tokens = scores.sort(descending=True)
        bends = ordered.softmax(-1).diff().diff().abs()
        share = (bends / bends.sum(-1, keepdim=True).clamp_min(1e-12)).cumsum(-1)
        tail = torch.nn.functional.pad(share > sampling.tfs, (1, 0))  # the first always stays
        tail = torch.nn.functional.pad(tail, (0, 1), value=True)
        return scores.masked_fill(torch.zeros_like(tail).scatter(-1, tokens, tail), OUT)

    if 0 < sampling.tfs < 1:
        yield sampler


def _typical(sampling: Sampling) -> Iterator[Sampler]:
    if 0 < sampling.typical < 1:
        yield TypicalLogitsWarper(sampling.typical)


def _temperature(sampling: Sampling) -> Iterator[Sampler]:
    """Divide scores by the temperature, which may depend on the entropy of the next token."""
    if sampling.dynatemp_range > 0:
        yield _dynamic_temperature(sampling)
    elif sampling.temperature not in {0.0, 1.0}:
        yield TemperatureLogitsWarper(float(sampling.temperature))
    if sampling.smoothing_factor > 0:
        yield _smoothing(sampling.smoothing_factor)


def _dynamic_temperature(sampling: Sampling) -> Sampler:
    """Let the temperature follow the entropy of the next token, from its lowest to its highest."""
    lowest = max(0.0, sampling.temperature - sampling.dynatemp_range)
    highest = sampling.temperature + sampling.dynatemp_range

    def sampler(_: Tensor, scores: Tensor) -> Tensor:
        probable = scores.softmax(-1)
        entropy = torch.special.entr(probable).sum()
        candidates = int(scores.isfinite().sum())
        greatest = torch.log(torch.tensor(float(max(candidates, 2))))
        openness = float((entropy / greatest).clamp(0, 1)) ** sampling.dynatemp_exponent
        return scores / max(lowest + (highest - lowest) * openness, 1e-3)

    return sampler


def _smoothing(factor: float) -> Sampler:
    """Lower scores by the square of their distance from the best (quadratic sampling)."""

    def sampler(_: Tensor, scores: Tensor) -> Tensor:
        best = scores.amax(-1, keepdim=True)
        return best - factor * (scores - best).square()

    return sampler


def _repetition_penalty(sampling: Sampling) -> Iterator[Sampler]:
    """Make tokens that occurred less probable: scores above 0 are divided, others multiplied.

    As in CTRL (arXiv:1909.05858, section 4.1). With a slope, the penalty goes from 1 for the oldest
    token in range to the full one for the newest, along a curve that is steep in the middle.
    """

    def sampler(so_far: Tensor, scores: Tensor) -> Tensor:
        span = sampling.rep_pen_range or so_far.shape[-1]
        tokens = so_far[0, -span:].to(scores.device)
        penalties = _penalties(len(tokens), span, sampling).to(scores.device, scores.dtype)
        strongest = torch.ones_like(scores[0]).scatter_reduce(0, tokens, penalties, "amax")
        return torch.where(scores > 0, scores / strongest, scores * strongest)

    if sampling.rep_pen > 1:
        yield sampler


def _penalties(count: int, span: int, sampling: Sampling) -> Tensor:
    """Penalties of the last `count` tokens, oldest first, if `span` are in range."""
    slope = sampling.rep_pen_slope
    if slope == 0:
        return torch.full((count,), sampling.rep_pen)
    age = torch.linspace(-1, 1, span)[-count:] if span > 1 else torch.ones(count)
    curve = slope * age / (1 + age.abs() * (slope - 1))
    return 1 + (curve + 1) / 2 * (sampling.rep_pen - 1)
