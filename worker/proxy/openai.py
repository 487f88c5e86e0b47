"""Texts by servers with OpenAI's completions API: vLLM, Aphrodite, TabbyAPI, llama.cpp, Ollama."""

import json
from typing import Any, Final

from worker.proxy.calls import Caller
from worker.proxy.koboldcpp import finished
from worker.proxy.servers import NotAnswering, ServedWriter
from worker.renderer import CannotRender, OnStep
from worker.text.order import TextOrder, Written

MAX_STOPS: Final = 4
"""OpenAI's own limit; what is beyond it ends the text here."""
DATA: Final = "data:"
END: Final = "[DONE]"


class OpenAI:
    """One of them. Its URL ends in `/v1`."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._knows_more = True  # than OpenAI itself does

    def models(self) -> list[str]:
        """Give what it calls its models. Raises NotAnswering."""
        try:
            return [str(one["id"]) for one in self._caller.get("models")["data"]]
        except (KeyError, TypeError, CannotRender) as error:
            raise NotAnswering(f"{self._caller.url} has no such API ({error})") from error

    def context(self) -> int | None:
        """Say how many tokens it can look back on, where it says so (vLLM does)."""
        try:
            lengths = [one.get("max_model_len") for one in self._caller.get("models")["data"]]
        except (KeyError, TypeError, AttributeError, CannotRender):
            return None
        known = [length for length in lengths if isinstance(length, int)]
        return min(known, default=None)

    def render(self, order: TextOrder, on_step: OnStep) -> tuple[Written, ...]:
        """Have it write a text, token by token. Raises CannotRender and NotAnswering."""
        try:
            return self._write(order, on_step)
        except _Unknown:
            # It takes nothing but what OpenAI has; the samplers of others are left out.
            self._knows_more = False
            return self._write(order, on_step)

    def _write(self, order: TextOrder, on_step: OnStep) -> tuple[Written, ...]:
        parts: list[str] = []

        def take(line: str) -> None:
            if not line.startswith(DATA) or line.removeprefix(DATA).strip() == END:
                return
            try:
                told = json.loads(line.removeprefix(DATA))
                parts.append(str(told["choices"][0].get("text") or ""))
            except (ValueError, KeyError, TypeError, IndexError, AttributeError):
                raise CannotRender("the server's answer is no text") from None
            # Raises where nobody wants it any more, which closes the connection: that stops it.
            on_step(min(len(parts), order.length), order.length)

        try:
            self._caller.lines("completions", self._body(order), take)
        except CannotRender as error:
            if self._knows_more and not parts and error.reason.startswith(_UNKNOWN):
                raise _Unknown from error
            raise
        return (finished("".join(parts), order),)

    def _body(self, order: TextOrder) -> dict[str, Any]:
        model = order.language_model
        if not isinstance(model, ServedWriter):
            raise CannotRender(f"{model.name} is no model of this server")
        sampling = order.sampling
        body: dict[str, Any] = {
            "model": model.theirs,
            "prompt": order.prompt,
            "max_tokens": order.length,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": order.seeds[0],
            "stream": True,
        }
        stops = [*order.stops, *(["\n"] if order.single_line else [])][:MAX_STOPS]
        if stops:
            body["stop"] = stops
        if self._knows_more:
            body |= {
                "top_k": sampling.top_k or -1,
                "min_p": sampling.min_p,
                "typical_p": sampling.typical,
                "repetition_penalty": sampling.rep_pen,
                "ignore_eos": order.endless,
                "include_stop_str_in_output": True,
            }
        return body


_UNKNOWN: Final = ("the server refuses: 400", "the server refuses: 422")


class _Unknown(Exception):
    """It does not know one of the parameters."""
