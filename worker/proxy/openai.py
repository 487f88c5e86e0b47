"""Texts by servers with OpenAI's completions API: vLLM, Aphrodite, TabbyAPI, llama.cpp, Ollama."""

import json
from functools import partial
from typing import Any, Final

from worker.proxy.calls import Caller
from worker.proxy.servers import NotAnswering, ServedWriter
from worker.proxy.texts import finished, is_over, length_of
from worker.renderer import BrokenResult, CannotRender, OnStep, Shown
from worker.text.order import TextOrder, Written

MAX_STOPS: Final = 4
"""OpenAI's own limit; what is beyond it ends the text here."""
MAX_EMPTY: Final = 64
"""Pieces beyond one for each token, which have no text; some servers send a few."""
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
        known = [length for length in map(length_of, lengths) if length is not None]
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
        text, pieces = "", 0
        try:
            # Leaving it closes the connection, which stops the server: also where `on_step` raises.
            with self._caller.lines("completions", self._body(order)) as lines:
                for line in lines:
                    if not line.startswith(DATA):
                        continue
                    if line.removeprefix(DATA).strip() == END:
                        break
                    text, pieces = text + _said(line.removeprefix(DATA)), pieces + 1
                    on_step(min(pieces, order.length), order.length, partial(Shown, 0, text))
                    if is_over(text, order) or pieces > order.length + MAX_EMPTY:
                        break
        except CannotRender as error:
            if self._knows_more and not pieces and error.reason.startswith(_UNKNOWN):
                raise _Unknown from error
            raise
        if not pieces:
            raise BrokenResult("the server's answer is no text")
        return (finished(text, order),)

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


def _said(data: str) -> str:
    """Read a piece of the text; some have none, such as the last one's counts. Raises BrokenResult.

    Servers that fail in the middle say so in the place of a piece.
    """
    try:
        told = json.loads(data)
        if "choices" not in told and (failed := told.get("error")):
            why = failed.get("message") if isinstance(failed, dict) else failed
            raise BrokenResult(f"the server failed: {str(why)[:150]}")
        choices = told["choices"]
        return str(choices[0].get("text") or "") if choices else ""
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BrokenResult("the server's answer is no text") from None


_UNKNOWN: Final = ("the server refuses: 400", "the server refuses: 422")


class _Unknown(Exception):
    """It does not know one of the parameters."""
