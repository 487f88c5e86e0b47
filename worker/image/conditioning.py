"""Turns prompts into conditioning for the denoiser. In the engine process only: uses torch.

Used instead of the pipeline's own, for weights, prompts longer than the text encoder, and
`clip_skip`, which diffusers 0.42 looks for where transformers 5.6 and later no longer have it
(https://github.com/huggingface/diffusers/issues/14124).
"""

from dataclasses import dataclass
from typing import Final

import torch
from diffusers import StableDiffusionPipeline

from worker.image import prompts

MAX_CHARS: Final = 20_000
MAX_CHUNKS: Final = 10
"""The rest after these (750 tokens of Stable Diffusion) does not count."""


@dataclass(frozen=True)
class Conditioning:
    """The encoded prompts, both (1, tokens, width), and a note if parts did not count."""

    positive: torch.Tensor
    negative: torch.Tensor
    dropped: str | None


def encode(
    pipe: StableDiffusionPipeline, positive: str, negative: str, *, clip_skip: int
) -> Conditioning:
    """Encode both prompts with a pipeline's tokenizer and text encoder, to the same length."""
    encoder = _Encoder(pipe, clip_skip)
    cut = [encoder.chunks(text) for text in (positive, negative)]
    longest = max(len(chunks) for chunks in cut)
    dropped = f"the prompt counts up to its token {MAX_CHUNKS * encoder.size}"
    wanted, unwanted = (
        encoder.encode(chunks[:MAX_CHUNKS] + [[]] * (min(longest, MAX_CHUNKS) - len(chunks)))
        for chunks in cut
    )
    return Conditioning(wanted, unwanted, dropped if longest > MAX_CHUNKS else None)


class _Encoder:
    """One pipeline's text encoder, and the layer to use."""

    def __init__(self, pipe: StableDiffusionPipeline, clip_skip: int) -> None:
        self.tokenizer = pipe.tokenizer
        self.model = pipe.text_encoder
        self.device = pipe._execution_device  # noqa: SLF001 - where diffusers itself puts tensors
        self.size = self.tokenizer.model_max_length - 2  # without the marks of start and end
        self.layer = min(clip_skip, self.model.config.num_hidden_layers)

    def chunks(self, text: str) -> list[list[tuple[int, float]]]:
        """Tokenize a weighted prompt and cut it into chunks that the encoder takes at once."""
        tokens = [
            (token, segment.weight)
            for segment in prompts.parse(text[:MAX_CHARS])
            for token in self.tokenizer(segment.text, add_special_tokens=False).input_ids
        ]
        return prompts.chunks(tokens, self.size)

    def encode(self, cut: list[list[tuple[int, float]]]) -> torch.Tensor:
        """Encode chunks, put them one after the other, and apply the weights.

        A weight moves a token's vector away from the one of the empty prompt in its place, or
        towards it: weight 0 is the empty prompt.
        """
        states = self._run([[token for token, _ in chunk] for chunk in cut])
        weights = torch.ones(states.shape[:2], dtype=states.dtype, device=states.device)
        for row, chunk in enumerate(cut):
            for column, (_, weight) in enumerate(chunk, start=1):
                weights[row, column] = weight
        if bool((weights != 1).any()):
            empty = self._run([[]])
            states = empty + weights.unsqueeze(-1) * (states - empty)
        return states.reshape(1, -1, states.shape[-1])

    def _run(self, rows: list[list[int]]) -> torch.Tensor:
        tokenizer = self.tokenizer
        ids = torch.full(
            (len(rows), self.size + 2), tokenizer.pad_token_id, dtype=torch.long, device=self.device
        )
        for row, tokens in enumerate(rows):
            marked = [tokenizer.bos_token_id, *tokens, tokenizer.eos_token_id]
            ids[row, : len(marked)] = torch.tensor(marked, device=self.device)
        attends = None
        if getattr(self.model.config, "use_attention_mask", False):
            attends = (ids != tokenizer.pad_token_id).long()
        hidden = self.model(ids, attention_mask=attends, output_hidden_states=True).hidden_states
        return self.model.final_layer_norm(hidden[-self.layer])
