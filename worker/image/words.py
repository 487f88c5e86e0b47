"""Words that were learned for a text encoder (textual inversion, arXiv:2208.01618).

In the engine process only: uses torch. A prompt has such a word as `embedding:name`; it stands for
one or several tokens that the tokenizer does not have.
"""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import load_file
from torch import Tensor

from core.wire.submit import GenerationMetadataStable
from worker.image.order import Word

WORD: Final = re.compile(r"embedding:(?P<name>[^\s,:()\[\]]+)", re.IGNORECASE)
SIDES: Final = {"clip_l": "", "clip_g": "_2"}
"""The text encoders, by what files for two of them call their vectors."""

Ids = Mapping[str, Sequence[int]]
"""Tokens by a word's name, in lower case."""


class Words:
    """The learned words of one order.

    encoders: the text encoders of the model that can learn words, by the suffixes of `SIDES`.
    """

    def __init__(self, encoders: Mapping[str, Any], wanted: Sequence[Word]) -> None:
        self.notes: list[GenerationMetadataStable] = []
        self._encoders = encoders
        self._vectors: dict[str, list[Tensor]] = {"": [], "_2": []}
        self.ids: dict[str, dict[str, list[int]]] = {"": {}, "_2": {}}
        for word in wanted:
            try:
                read = _vectors(word.file)
            except Exception:  # noqa: BLE001 - a broken file fails in as many ways as it can
                self.notes.append(_note(word, "parse_failed"))
                continue
            if not self._learn(word, read):
                self.notes.append(_note(word, "baseline_mismatch"))

    def _learn(self, word: Word, read: Mapping[str, Tensor]) -> bool:
        sides = {suffix: vectors for suffix, vectors in read.items() if self._fits(suffix, vectors)}
        if len(sides) < len(read) or not sides:
            return False
        for suffix, vectors in sides.items():
            table = _table(self._encoders[suffix])
            known = table.num_embeddings + sum(map(len, self._vectors[suffix]))
            self.ids[suffix][word.name.lower()] = list(range(known, known + len(vectors)))
            self._vectors[suffix].append(vectors)
        return True

    def _fits(self, suffix: str, vectors: Tensor) -> bool:
        encoder = self._encoders.get(suffix)
        return encoder is not None and bool(vectors.shape[1] == encoder.config.hidden_size)

    @contextlib.contextmanager
    def known(self) -> Iterator[None]:
        """Let the text encoders know them meanwhile."""
        with contextlib.ExitStack() as hooks:
            for suffix, vectors in self._vectors.items():
                if vectors:
                    table = _table(self._encoders[suffix])
                    hooks.enter_context(_looked_up(table, torch.cat(vectors)))
            yield


def pieces(text: str, ids: Ids) -> Iterator[str | Sequence[int]]:
    """Split a text at its learned words: plain text, and tokens.

    The name of a word that is not there is read as text.
    """
    at = 0
    for found in WORD.finditer(text):
        name = found["name"].lower()
        yield text[at : found.start()]
        yield ids[name] if name in ids else found["name"]
        at = found.end()
    yield text[at:]


@contextlib.contextmanager
def _looked_up(table: torch.nn.Embedding, vectors: Tensor) -> Iterator[None]:
    """Let a table of embeddings have more rows meanwhile."""
    rows = vectors.to(table.weight.device, table.weight.dtype)
    asked: list[Tensor] = []

    def before(_: torch.nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        asked[:] = [given[0]]
        return (torch.where(given[0] < table.num_embeddings, given[0], 0), *given[1:])

    def after(_: torch.nn.Module, __: object, made: Tensor) -> Tensor:
        learned = asked[0] >= table.num_embeddings
        return made.masked_scatter(
            learned[..., None], rows[asked[0][learned] - table.num_embeddings]
        )

    handles = [table.register_forward_pre_hook(before), table.register_forward_hook(after)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _table(encoder: Any) -> torch.nn.Embedding:  # noqa: ANN401 - of its family
    table: torch.nn.Embedding = encoder.get_input_embeddings()
    return table


def _vectors(file: Path) -> dict[str, Tensor]:
    """Read a word's vectors, each (tokens, width), by the suffix of their text encoder.

    Of the three forms that are common: two encoders' by name, one tensor, and A1111's own.
    """
    if file.suffix == ".safetensors":
        read: dict[str, Any] = load_file(file)
    else:
        read = torch.load(file, map_location="cpu", weights_only=True)
    if SIDES.keys() <= read.keys():
        return {suffix: _rows(read[name]) for name, suffix in SIDES.items()}
    if "string_to_param" in read:
        read = read["string_to_param"]
    tensors = [one for one in read.values() if isinstance(one, Tensor) and one.dim() <= 2]  # noqa: PLR2004
    if len(tensors) != 1:
        raise ValueError("not one word")
    return {"": _rows(tensors[0])}


def _rows(tensor: Tensor) -> Tensor:
    rows = tensor.detach().float().reshape(-1, tensor.shape[-1])
    if not bool(rows.isfinite().all()):
        raise ValueError("it has vectors that are no numbers")
    return rows


def _note(word: Word, value: Any) -> GenerationMetadataStable:  # noqa: ANN401 - of the contract
    return GenerationMetadataStable(type="ti", value=value, ref=word.name[:255])
