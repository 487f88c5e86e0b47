"""The rules of texts for every layer."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from core.catalog import models as catalog
from core.kinds.kind import Rules
from core.kinds.params import Advice
from core.kinds.text import TextParams, check_sampling

MIN_TOKENS = ((20.0, 3.0), (13.0, 4.0), (0.0, 5.0))
"""By a model's least billions of parameters: tokens a second below which a worker is slow."""
FASTEST = 150.0
"""Tokens a second that no honest worker exceeds."""
FASTEST_OF_KNOWN = ((70.0, 30.0), (14.0, 100.0), (0.0, 150.0))
"""The same for known models, by their least billions of parameters."""
MIXTURE, MIXTURE_FACTOR = "8x", 3.0
"""A mark in the names of mixtures of experts, and how much faster these may be."""


class TextRules(Rules):
    """Texts: things are tokens."""

    name: ClassVar[str] = "text"
    usual_pace: ClassVar[tuple[float, float]] = (1.0, 0.1)
    max_models: ClassVar[int] = 200
    safe_addresses_in_raid: ClassVar[bool] = False
    request_only: ClassVar[frozenset[str]] = frozenset({"n", "max_length", "max_context_length"})

    def params_from(self, document: dict[str, Any]) -> TextParams:
        """The parameters that `to_json` wrote."""
        return TextParams.from_json(document)

    def least_speed(self, models: Sequence[str]) -> float:
        """A few tokens a second, by the largest of the worker's models."""
        billions = catalog.most_billions(models) or 0.0
        return next(least for size, least in MIN_TOKENS if billions >= size)

    def fastest(self, model: str) -> float:
        """By the size of the model, if it is known."""
        known = catalog.text_model(model)
        if known is None:
            return FASTEST
        most = next(tokens for least, tokens in FASTEST_OF_KNOWN if known.billions >= least)
        return most * MIXTURE_FACTOR if MIXTURE in model.casefold() else most

    def performance(self, speed: float) -> str:
        """Tokens a second."""
        return f"{speed:.1f} tokens per second"

    def is_screened(self, *, watched: bool) -> bool:
        """Only if the user or the model gives reason to."""
        return watched

    def shows_nudity(self, models: Iterable[str]) -> bool:
        """Whether a known one of these models is made for nudity."""
        known = map(catalog.text_model, models)
        return any(model is not None and model.nsfw for model in known)

    def sizes(self, params: TextParams) -> Mapping[str, int]:
        """A shared key limits the tokens to be written."""
        return {"tokens": params.max_length}

    def check_style(
        self, _prompt: str, params: Mapping[str, Any], _models: Sequence[str]
    ) -> list[Advice]:
        """Raise the reason why these sampling parameters are refused."""
        check_sampling(params)
        return []
