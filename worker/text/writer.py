"""Writes text with a causal language model. In the engine process only: imports torch."""

import gc
from functools import partial
from typing import Any, Final

import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
from transformers.utils import logging as transformers_logging

from worker.renderer import BrokenResult, CannotLoad, CannotRender, OnStep, Shown, nobody
from worker.text import formatting
from worker.text.order import LanguageModel, TextOrder, Written
from worker.text.sampling import Draw

DTYPES: Final = {
    "cpu": (torch.float32,),
    "cuda": (torch.bfloat16, torch.float32),
    "mps": (torch.float16, torch.float32),
}
"""Of the weights; the next one where a model's numbers run out of range."""

BRACKETS: Final = frozenset("[]")


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
            gc.collect()
            if self._device == "cuda":
                torch.cuda.empty_cache()
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

    def render(self, order: TextOrder, on_step: OnStep) -> Written:
        """Continue the prompt, token by token, until an end or the length is reached."""
        loaded = self._loaded
        if loaded is None or loaded.model != order.language_model:
            raise CannotRender(f"{order.language_model.name} is not loaded")
        try:
            with torch.inference_mode():
                return _write(loaded, order, on_step)
        except torch.OutOfMemoryError:
            raise CannotRender("the device has too little memory for this context") from None


def _so_far(text: str) -> Shown:
    return Shown(0, formatting.so_far(text))


def trial(model: LanguageModel) -> TextOrder:
    """The smallest order that shows whether a model writes anything."""
    return TextOrder(language_model=model, prompt="Once", length=1, context=16, seed=0)


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


def _write(loaded: _Loaded, order: TextOrder, on_step: OnStep) -> Written:
    prompt = loaded.prompt(order.prompt, max(1, order.context - order.length))
    banned = loaded.ends | loaded.brackets if order.endless else frozenset[int]()
    draw = Draw(order.sampling, seed=order.seed, banned=banned)
    so_far = torch.tensor([prompt])
    fed, cache = so_far, None
    written: list[int] = []
    text = ""
    while len(written) < order.length:
        out = loaded.network(
            fed.to(loaded.network.device), past_key_values=cache, use_cache=True, logits_to_keep=1
        )
        scores = out.logits[:, -1].float().cpu()
        if not scores.isfinite().all():
            raise BrokenResult("the model's numbers ran out of range")
        token = draw(so_far, scores)
        if token in loaded.ends:
            break
        written.append(token)
        text = loaded.text(written)
        on_step(len(written), order.length, partial(_so_far, text))
        end = formatting.ended(text, stops=order.stops, single_line=order.single_line)
        if end is not None:
            text = end
            break
        fed, cache = torch.tensor([[token]]), out.past_key_values
        so_far = torch.cat((so_far, fed), dim=-1)
    return Written(formatting.shaped(text, order.prompt, order.format), len(written))
