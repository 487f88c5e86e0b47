"""Writes text with models in llama.cpp's format, by llama-cpp-python. In the engine process only.

The library gives the scores of each next token; how one is drawn is the same as for other models.
"""

import re
from functools import cached_property
from typing import Final

import numpy as np
import torch

from worker.renderer import BrokenResult, CannotLoad, CannotRender, Held, OnStep, nobody
from worker.text.composing import BRACKETS, Text, trial
from worker.text.order import GgufModel, TextOrder, Written

FIRST_CONTEXT: Final = 4096
"""Tokens that can be looked back on at first: memory for more is taken when an order needs it."""
ALL_LAYERS: Final = -1


class GgufWriter:
    """Writes with one loaded model at a time. device: `cpu`, or any GPU that the library knows."""

    def __init__(self, *, device: str) -> None:
        self._device = device
        self._loaded: _Loaded | None = None

    def load(self, model: GgufModel) -> None:
        """Load a model and see it write a word. Raises CannotLoad."""
        if self._loaded is not None and self._loaded.model == model:
            return
        try:
            self._load(model, FIRST_CONTEXT)
            self.render(trial(model), nobody)
        except CannotLoad:
            raise
        except Exception as error:  # a broken model fails in as many ways as it has parts
            self._loaded = None
            raise CannotLoad(f"{type(error).__name__}: {error}") from error

    def held(self) -> tuple[Held, ...]:
        """Name the model in memory."""
        if self._loaded is None:
            return ()
        model = self._loaded.model
        return (Held(model.name, model.folder.stat().st_size),)

    def _load(self, model: GgufModel, context: int) -> "_Loaded":
        self._loaded = None  # one after the other in memory
        self._loaded = _Loaded(model, self._device, min(context, model.context))
        return self._loaded

    def render(self, order: TextOrder, on_step: OnStep) -> tuple[Written, ...]:
        """Continue the prompt, token by token; several texts one after the other."""
        loaded = self._loaded
        if loaded is None or not isinstance(order.model, GgufModel) or loaded.model != order.model:
            raise CannotRender(f"{order.model.name} is not loaded")
        if order.context > loaded.context < order.model.context:
            loaded = self._load(order.model, order.context)
        read = loaded.said if order.chat else loaded.prompt
        prompt = read(order.prompt, max(1, min(order.context, loaded.context) - order.length))
        return tuple(
            _written(loaded, Text(loaded, order, index, prompt), prompt, order.length, on_step)
            for index in range(len(order.seeds))
        )


def _written(
    loaded: "_Loaded", text: Text, prompt: list[int], length: int, on_step: OnStep
) -> Written:
    going = text.goes_on(loaded.read(prompt))
    while going:
        on_step(len(text.written), length, text.so_far)
        going = text.goes_on(loaded.follow(text.written[-1]))
    on_step(len(text.written), length, text.so_far)
    return text.finished()


class _Loaded:
    """A loaded model. context: tokens that it can look back on."""

    def __init__(self, model: GgufModel, device: str, context: int) -> None:
        from llama_cpp import Llama  # noqa: PLC0415 - an extra

        self.model = model
        self.context = context
        self._library = Llama(
            model_path=str(model.folder),
            n_ctx=context,
            n_threads=torch.get_num_threads(),
            n_threads_batch=torch.get_num_threads(),
            n_gpu_layers=0 if device == "cpu" else ALL_LAYERS,
            verbose=False,
        )
        self._read: list[int] = []

    @cached_property
    def ends(self) -> frozenset[int]:
        """The tokens that end a text, or a turn."""
        import llama_cpp  # noqa: PLC0415

        words = llama_cpp.llama_model_get_vocab(self._library.model)
        count = self._library.n_vocab()
        return frozenset(one for one in range(count) if llama_cpp.llama_vocab_is_eog(words, one))

    @cached_property
    def brackets(self) -> frozenset[int]:
        """The tokens with brackets."""
        count = self._library.n_vocab()
        return frozenset(one for one in range(count) if BRACKETS & set(self.text([one])))

    def prompt(self, text: str, room: int) -> list[int]:
        """Tokenize a prompt; if it is too long, its end counts."""
        tokens: list[int] = self._library.tokenize(text.encode(), add_bos=True, special=True)
        first = self._library.token_bos()
        if len(tokens) > room:
            marked = tokens[:1] == [first] and room > 1
            tokens = [first, *tokens[1 - room :]] if marked else tokens[-room:]
        return tokens or [max(0, first)]

    def said(self, text: str, room: int) -> list[int]:
        """Tokenize what is said to the model, in its chat template; if too long, its end counts."""
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter  # noqa: PLC0415

        first, last = (
            self._special(one()) for one in (self._library.token_bos, self._library.token_eos)
        )
        template = self._library.metadata["tokenizer.chat_template"]
        made = Jinja2ChatFormatter(template, eos_token=last, bos_token=first)(
            messages=[{"role": "user", "content": text}]
        )
        # The template has the first token where there is one.
        tokens: list[int] = self._library.tokenize(
            made.prompt.encode(), add_bos=False, special=True
        )
        return tokens[-room:]

    def _special(self, token: int) -> str:
        """Give a token that is no text, as it stands in a template; empty where there is none."""
        if token < 0:
            return ""
        said: bytes = self._library.detokenize([token], special=True)
        return said.decode(errors="ignore")

    def text(self, tokens: list[int]) -> str:
        """Decode tokens to text; half a character at the end is left out."""
        decoded: bytes = self._library.detokenize(tokens)
        return re.sub("\ufffd+$", "", decoded.decode(errors="replace"))

    def read(self, prompt: list[int]) -> torch.Tensor:
        """Read a prompt, of which what was read before is not read again; gives the scores."""
        if prompt == self._read:
            self._library.n_tokens = len(prompt) - 1
            return self.follow(prompt[-1])
        self._library.n_tokens = 0
        self._read = []
        self._library.eval(prompt)
        self._read = list(prompt)
        return self._scores()

    def follow(self, token: int) -> torch.Tensor:
        """Read another token; gives the scores of the next (1, vocabulary)."""
        self._library.eval([token])
        return self._scores()

    def _scores(self) -> torch.Tensor:
        import llama_cpp  # noqa: PLC0415

        last = llama_cpp.llama_get_logits_ith(self._library.ctx, -1)
        scores = np.ctypeslib.as_array(last, shape=(self._library.n_vocab(),))
        if not np.isfinite(scores).all():
            raise BrokenResult("the model's numbers ran out of range")
        return torch.from_numpy(scores.copy())[None]
