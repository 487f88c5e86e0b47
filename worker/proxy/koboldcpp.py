"""Texts by KoboldCpp, or by anything with KoboldAI's API."""

from functools import partial
from typing import Any, Final

from worker.proxy.calls import MAKE_SECONDS, Caller, meanwhile
from worker.proxy.servers import NotAnswering, ServedWriter
from worker.proxy.texts import bounded, finished, length_of, tokens_of
from worker.renderer import BrokenResult, CannotRender, OnStep, Shown
from worker.text.order import TextOrder, Written

ALIKE: Final = (
    "temperature", "top_k", "top_p", "top_a", "typical", "tfs", "min_p", "rep_pen",
    "rep_pen_range", "rep_pen_slope", "smoothing_factor", "dynatemp_range", "dynatemp_exponent",
)  # fmt: skip
"""What its API and ours call the same."""


class Kobold:
    """One KoboldCpp."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def models(self) -> list[str]:
        """Give what it calls its model. Raises NotAnswering."""
        try:
            name = str(self._caller.get("/api/v1/model")["result"])
        except (KeyError, TypeError, CannotRender) as error:
            raise NotAnswering(f"{self._caller.url} is no KoboldCpp ({error})") from error
        if name.lower() in {"", "none", "read only"}:
            raise NotAnswering(f"{self._caller.url} has no model loaded")
        return [name]

    def context(self) -> int | None:
        """Say how many tokens it can look back on, where it says so."""
        for path in ("/api/extra/true_max_context_length", "/api/v1/config/max_context_length"):
            try:
                known = length_of(self._caller.get(path)["value"])
            except (KeyError, TypeError, CannotRender):
                continue
            if known is not None:
                return known
        return None

    def render(self, order: TextOrder, on_step: OnStep) -> tuple[Written, ...]:
        """Have it write a text. Raises CannotRender and NotAnswering."""
        body = _body(order)

        def make() -> Any:  # noqa: ANN401 - whatever it answers
            return self._caller.post("/api/v1/generate", body, MAKE_SECONDS)

        told = meanwhile(make, lambda: self._look(order, on_step), self._stop)
        try:
            text = told["results"][0]["text"]
        except (KeyError, TypeError, IndexError) as error:
            raise BrokenResult("the server's answer has no text") from error
        if not isinstance(text, str):
            raise BrokenResult("the server's answer has no text")
        return (finished(text, order),)

    def _look(self, order: TextOrder, on_step: OnStep) -> None:
        try:
            told = self._caller.post("/api/extra/generate/check", {})
            text = bounded(str(told["results"][0]["text"]), order)
        except (NotAnswering, CannotRender, KeyError, TypeError, IndexError):
            return  # a call that fails says nothing; the watchdog waits for one that does not
        on_step(tokens_of(text, order), order.length, partial(Shown, 0, text))

    def _stop(self) -> None:
        try:
            self._caller.post("/api/extra/abort", {})
        except (NotAnswering, CannotRender):
            return


def _body(order: TextOrder) -> dict[str, Any]:
    if not isinstance(order.language_model, ServedWriter):
        raise CannotRender(f"{order.language_model.name} is no model of this server")
    return {
        "prompt": order.prompt,
        "max_length": order.length,
        "max_context_length": order.context,
        "sampler_seed": order.seeds[0],
        "sampler_order": list(order.sampling.order),
        "stop_sequence": list(order.stops),
        "singleline": order.single_line,
        "use_default_badwordsids": order.endless,
        "trim_stop": False,
        "quiet": True,
        **{name: getattr(order.sampling, name) for name in ALIKE},
    }
