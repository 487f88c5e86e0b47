"""Writes text with a causal language model. In the engine process only: imports torch."""

import gc
from dataclasses import replace
from typing import Any, Final

import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
from transformers.utils import logging as transformers_logging

from worker.renderer import BrokenResult, CannotLoad, CannotRender, Held, OnStep, nobody
from worker.text.composing import BRACKETS, Text, trial
from worker.text.order import LanguageModel, TextOrder, Written

DTYPES: Final = {
    "cpu": (torch.float32,),
    "cuda": (torch.bfloat16, torch.float32),
    "mps": (torch.float16, torch.float32),
}
"""Of the weights; the next one where a model's numbers run out of range."""


class Writer:
    """Writes with one loaded model at a time. device: `cpu`, `cuda` or `mps`."""

    def __init__(self, *, device: str) -> None:
        transformers_logging.set_verbosity_error()
        transformers_logging.disable_progress_bar()
        self._device = device
        self._loaded: _Loaded | None = None

    def load(self, model: LanguageModel) -> None:
        """Load a model and see it write a word; the one before is dropped first, for its memory."""
        if self._loaded is not None and self._loaded.model == model:
            return
        for dtype in DTYPES[self._device]:
            self._loaded = None
            self._free()
            try:
                self._loaded = _Loaded(model, self._device, dtype)
                with torch.inference_mode():
                    _write(self._loaded, trial(model), nobody)
            except BrokenResult:
                continue
            except Exception as error:  # a broken model fails in as many ways as it has files
                self._loaded = None
                raise CannotLoad(f"{type(error).__name__}: {error}") from error
            return
        self._loaded = None
        raise CannotLoad("its numbers run out of range")

    def held(self) -> tuple[Held, ...]:
        """Name the model in memory."""
        if self._loaded is None:
            return ()
        size = sum(weights.nbytes for weights in self._loaded.network.parameters())
        return (Held(self._loaded.model.name, size),)

    def _free(self) -> None:
        gc.collect()
        if self._device == "cuda":
            torch.cuda.empty_cache()

    def render(self, order: TextOrder, on_step: OnStep) -> tuple[Written, ...]:
        """Continue the prompt, token by token, until an end or the length is reached.

        Several texts are written at once, or one after the other where memory is too small.
        """
        loaded = self._loaded
        if loaded is None or loaded.model != order.language_model:
            raise CannotRender(f"{order.language_model.name} is not loaded")
        try:
            with torch.inference_mode():
                return _write(loaded, order, on_step)
        except torch.OutOfMemoryError:
            pass  # only after this is nothing of it referred to any more
        if len(order.seeds) == 1:
            raise CannotRender("the device has too little memory for this context")
        self._free()
        alone = (replace(order, seeds=(seed,)) for seed in order.seeds)
        return tuple(written for one in alone for written in self.render(one, on_step))


class _Loaded:
    """A loaded model and its tokenizer.

    ends: tokens that end a text.
    brackets: tokens with brackets, in which models trained on stories write notes to themselves.
    """

    def __init__(self, model: LanguageModel, device: str, dtype: torch.dtype) -> None:
        self.model = model
        self.tokenizer = PreTrainedTokenizerFast.from_pretrained(model.folder)
        self.network: Any = AutoModelForCausalLM.from_pretrained(
            model.folder, local_files_only=True, use_safetensors=True, dtype=dtype
        ).to(device)
        self.network.eval()
        ends = self.network.generation_config.eos_token_id
        self.ends = frozenset(ends if isinstance(ends, list) else [ends]) - {None}
        self.brackets = frozenset(
            token for text, token in self.tokenizer.get_vocab().items() if BRACKETS & set(text)
        )

    def said(self, text: str, room: int) -> list[int]:
        """Tokenize what is said to the model, in its chat template; if too long, its end counts."""
        turn = [{"role": "user", "content": text}]
        whole = self.tokenizer.apply_chat_template(turn, add_generation_prompt=True, tokenize=False)
        tokens: list[int] = self.tokenizer(whole, add_special_tokens=False).input_ids
        return tokens[-room:]

    def prompt(self, text: str, room: int) -> list[int]:
        """Tokenize a prompt; if it is too long, its end counts.

        Special tokens in it are read as such, since prompts for an instructed model contain its
        turns. The tokenizer's own first tokens stay first.
        """
        tokens: list[int] = self.tokenizer(text).input_ids
        first = [self.tokenizer.bos_token_id]
        if len(tokens) > room:
            marked = tokens[:1] == first and room > 1
            tokens = first + tokens[1 - room :] if marked else tokens[-room:]
        return tokens or [first[0] if first[0] is not None else min(self.ends, default=0)]

    def text(self, tokens: list[int]) -> str:
        """Decode tokens to text."""
        decoded: str = self.tokenizer.decode(
            tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return decoded


def _write(loaded: _Loaded, order: TextOrder, on_step: OnStep) -> tuple[Written, ...]:
    """Write all texts at once: the prompt is read once, and each step reads the weights once."""
    read = loaded.said if order.chat else loaded.prompt
    prompt = read(order.prompt, max(1, order.context - order.length))
    texts = [Text(loaded, order, index, prompt) for index in range(len(order.seeds))]
    writing, fed, cache = texts, torch.tensor([prompt]), None
    while writing:
        out = loaded.network(
            fed.to(loaded.network.device), past_key_values=cache, use_cache=True, logits_to_keep=1
        )
        scores = out.logits[:, -1].float().cpu()
        if not scores.isfinite().all():
            raise BrokenResult("the model's numbers ran out of range")
        if cache is None and len(writing) > 1:
            out.past_key_values.batch_repeat_interleave(len(writing))
            scores = scores.expand(len(writing), -1)
        cache = out.past_key_values
        going = [row for row, text in enumerate(writing) if text.goes_on(scores[row : row + 1])]
        step = max(len(text.written) for text in writing)
        seen = writing[step % len(writing)]
        if seen.written:
            on_step(step, order.length, seen.so_far)
        if 0 < len(going) < len(writing):
            cache.batch_select_indices(torch.tensor(going, device=loaded.network.device))
        writing = [writing[row] for row in going]
        fed = torch.tensor([text.written[-1:] for text in writing])
    return tuple(text.finished() for text in texts)
