"""Turns prompts into the conditioning of the denoiser. In the engine process only: uses torch.

Our own instead of the pipeline's, for weights, prompts longer than the text encoder, and
`clip_skip`, which diffusers 0.42 looks for where transformers 5.6 and later no longer have it
(https://github.com/huggingface/diffusers/issues/14124).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import torch

from worker.image import prompts
from worker.image.words import Ids, pieces

MAX_CHARS: Final = 20_000
MAX_CHUNKS: Final = 10
"""Anything beyond (750 tokens of Stable Diffusion) does not count."""

Chunk = list[tuple[int, float]]
"""Tokens and their weights."""


@dataclass(frozen=True)
class Conditioning:
    """Encoded prompts, and what did not count of them.

    given: parameters of a pipeline, each for one picture.
    """

    given: dict[str, Any]
    notes: list[str] = field(default_factory=list)

    def repeated(self, count: int) -> dict[str, Any]:
        """Give the same for so many pictures at once."""
        return {
            name: value * count
            if isinstance(value, list)
            else value.repeat(count, *(1,) * (value.dim() - 1))
            for name, value in self.given.items()
        }


@dataclass(frozen=True)
class Encoder:
    """A CLIP text encoder with its tokenizer.

    layer: to read, from the end. is_normed: whether the last layer's norm is applied to it.
    words: what it has learned beside the tokenizer's.
    """

    tokenizer: Any
    model: Any
    layer: int
    is_normed: bool
    words: Ids = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many tokens are encoded at once, without the marks of start and end."""
        return int(self.tokenizer.model_max_length) - 2

    def chunks(self, text: str) -> list[Chunk]:
        """Tokenize a weighted prompt and cut it into chunks that the encoder takes at once."""
        tokens = [
            (token, segment.weight)
            for segment in prompts.parse(text[:MAX_CHARS])
            for piece in pieces(segment.text, self.words)
            for token in self._tokens(piece)
        ]
        return prompts.chunks(tokens, self.size)

    def _tokens(self, piece: str | Sequence[int]) -> Sequence[int]:
        if not isinstance(piece, str):
            return piece
        tokens: list[int] = self.tokenizer(piece, add_special_tokens=False).input_ids
        return tokens

    def states(self, cut: Sequence[Chunk]) -> torch.Tensor:
        """Encode chunks, put them one after the other, and apply the weights: (1, tokens, width).

        A weight moves a token's vector away from what the empty prompt has in its place, or
        towards it: weight 0 is the empty prompt.
        """
        states = self._hidden(self.run([[token for token, _ in chunk] for chunk in cut]))
        weights = torch.ones(states.shape[:2], dtype=states.dtype, device=states.device)
        for row, chunk in enumerate(cut):
            for column, (_, weight) in enumerate(chunk, start=1):
                weights[row, column] = weight
        if bool((weights != 1).any()):
            empty = self._hidden(self.run([[]]))
            states = empty + weights.unsqueeze(-1) * (states - empty)
        return states.reshape(1, -1, states.shape[-1])

    def pooled(self, cut: Sequence[Chunk]) -> torch.Tensor:
        """Encode a prompt's first chunk as one vector: (1, width)."""
        output = self.run([[token for token, _ in cut[0]]])
        embedded = getattr(output, "text_embeds", None)
        return output.pooler_output if embedded is None else embedded

    def run(self, rows: list[list[int]]) -> Any:  # noqa: ANN401 - what transformers gives
        """Encode rows of tokens."""
        tokenizer, device = self.tokenizer, self.model.device
        ids = torch.full(
            (len(rows), self.size + 2), tokenizer.pad_token_id, dtype=torch.long, device=device
        )
        for row, tokens in enumerate(rows):
            marked = [tokenizer.bos_token_id, *tokens, tokenizer.eos_token_id]
            ids[row, : len(marked)] = torch.tensor(marked, device=device)
        attends = None
        if getattr(self.model.config, "use_attention_mask", False):
            attends = (ids != tokenizer.pad_token_id).long()
        return self.model(ids, attention_mask=attends, output_hidden_states=True)

    def _hidden(self, output: Any) -> torch.Tensor:  # noqa: ANN401 - what transformers gives
        layer = min(self.layer, self.model.config.num_hidden_layers)
        states: torch.Tensor = output.hidden_states[-layer]
        if not self.is_normed:
            return states
        inner = getattr(self.model, "text_model", self.model)
        return inner.final_layer_norm(states)


def cut(encoder: Encoder, texts: Iterable[str]) -> tuple[list[list[Chunk]], list[str]]:
    """Cut prompts into chunks, all into as many, and say what of them does not count."""
    each = [encoder.chunks(text) for text in texts]
    longest = max(len(chunks) for chunks in each)
    even = [
        chunks[:MAX_CHUNKS] + [[]] * (min(longest, MAX_CHUNKS) - len(chunks)) for chunks in each
    ]
    dropped = f"the prompt counts up to its token {MAX_CHUNKS * encoder.size}"
    return even, [dropped] if longest > MAX_CHUNKS else []


def of_one(encoder: Encoder, positive: str, negative: str) -> Conditioning:
    """Encode both prompts with one encoder, to the same length."""
    (wanted, unwanted), notes = cut(encoder, (positive, negative))
    given = {
        "prompt_embeds": encoder.states(wanted),
        "negative_prompt_embeds": encoder.states(unwanted),
    }
    return Conditioning(given, notes)


def of_two(encoders: Sequence[Encoder], positive: str, negative: str) -> Conditioning:
    """Encode both prompts with two encoders, whose vectors stand side by side.

    The last encoder's view of the whole prompt counts as well.
    """
    sides, notes = [], list[str]()
    for encoder in encoders:
        (wanted, unwanted), dropped = cut(encoder, (positive, negative))
        sides.append((encoder.states(wanted), encoder.states(unwanted)))
        notes = dropped or notes
    longest = max(states.shape[1] for side in sides for states in side)
    given = {
        "prompt_embeds": _beside([wanted for wanted, _ in sides], longest),
        "negative_prompt_embeds": _beside([unwanted for _, unwanted in sides], longest),
        "pooled_prompt_embeds": encoders[-1].pooled(wanted),
        "negative_pooled_prompt_embeds": encoders[-1].pooled(unwanted),
    }
    return Conditioning(given, notes)


def _beside(states: Sequence[torch.Tensor], length: int) -> torch.Tensor:
    """Put the vectors of two encoders side by side; a shorter one is filled up with nothing."""
    filled = [torch.nn.functional.pad(one, (0, 0, 0, length - one.shape[1])) for one in states]
    return torch.cat(filled, dim=-1)
