"""Writes texts token by token, whoever gives the scores. In the engine process: uses torch."""

from collections.abc import Set as AbstractSet
from typing import Final, Protocol

import torch

from worker.renderer import Shown
from worker.text import formatting
from worker.text.order import LanguageModel, TextOrder, Written
from worker.text.sampling import Draw

BRACKETS: Final = frozenset("[]")


class Vocabulary(Protocol):
    """A loaded model's words."""

    @property
    def ends(self) -> AbstractSet[int]:
        """The tokens that end a text."""

    @property
    def brackets(self) -> AbstractSet[int]:
        """Those with brackets, in which models trained on stories write notes to themselves."""

    def text(self, tokens: list[int]) -> str:
        """Decode tokens to text."""


def trial(model: LanguageModel) -> TextOrder:
    """The smallest order that shows whether a model writes anything."""
    return TextOrder(language_model=model, prompt="Once", length=1, context=16, seeds=(0,))


class Text:
    """One text in the making."""

    def __init__(self, loaded: Vocabulary, order: TextOrder, index: int, prompt: list[int]) -> None:
        self.index = index
        self.written: list[int] = []
        self.text = ""
        self._loaded = loaded
        self._order = order
        self._tokens = torch.tensor([prompt])
        banned = loaded.ends | loaded.brackets if order.endless else frozenset[int]()
        self._draw = Draw(order.sampling, seed=order.seeds[index], banned=banned)

    def goes_on(self, scores: torch.Tensor) -> bool:
        """Write another token, by the scores of all tokens (1, vocabulary); not after an end."""
        token = self._draw(self._tokens, scores)
        if token in self._loaded.ends:
            return False
        self.written.append(token)
        self._tokens = torch.cat((self._tokens, torch.tensor([[token]])), dim=-1)
        self.text = self._loaded.text(self.written)
        order = self._order
        end = formatting.ended(self.text, stops=order.stops, single_line=order.single_line)
        if end is not None:
            self.text = end
        return end is None and len(self.written) < order.length

    def so_far(self) -> Shown:
        """Give what can be shown of it."""
        return Shown(self.index, formatting.so_far(self.text))

    def finished(self) -> Written:
        """Give it in the shape that was asked for."""
        shape = formatting.shaped(self.text, self._order.prompt, self._order.format)
        return Written(shape, len(self.written))
