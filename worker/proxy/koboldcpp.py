"""Texts by KoboldCpp, or by anything with KoboldAI's API."""

from typing import Any, Final

from worker.proxy.calls import MAKE_SECONDS, Caller, meanwhile
from worker.proxy.servers import NotAnswering, ServedWriter
from worker.renderer import CannotRender, OnStep
from worker.text.formatting import ended, shaped
from worker.text.order import TextOrder, Written

CHARS_A_TOKEN: Final = 4
"""About, in English: for showing how far a text is."""
ALIKE: Final = (
    "temperature", "top_k", "top_p", "top_a", "typical", "tfs", "min_p", "rep_pen",
    "rep_pen_range", "rep_pen_slope", "smoothing_factor", "dynatemp_range", "dynatemp_exponent",
)  # fmt: skip
"""What its API and ours call the same."""
PREFIX: Final = "koboldcpp/"


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
                return int(self._caller.get(path)["value"])
            except (KeyError, TypeError, ValueError, CannotRender):
                continue
        return None

    def render(self, order: TextOrder, on_step: OnStep) -> tuple[Written, ...]:
        """Have it write a text. Raises CannotRender and NotAnswering."""
        body = _body(order)

        def make() -> Any:  # noqa: ANN401 - whatever it answers
            return self._caller.post("/api/v1/generate", body, MAKE_SECONDS)

        told = meanwhile(make, lambda: self._look(order, on_step), self._stop)
        try:
            text = str(told["results"][0]["text"])
        except (KeyError, TypeError, IndexError) as error:
            raise CannotRender("the server's answer has no text") from error
        return (finished(text, order),)

    def _look(self, order: TextOrder, on_step: OnStep) -> None:
        try:
            told = self._caller.post("/api/extra/generate/check", {})
            written = len(str(told["results"][0]["text"])) // CHARS_A_TOKEN
        except (NotAnswering, CannotRender, KeyError, TypeError, IndexError):
            return  # a call that fails says nothing; the watchdog waits for one that does not
        on_step(max(1, min(written, order.length)), order.length)

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


def finished(text: str, order: TextOrder) -> Written:
    """End and shape a text as was asked, whatever the server did of it."""
    whole = ended(text, stops=order.stops, single_line=order.single_line)
    text = text if whole is None else whole
    shape = shaped(text, order.prompt, order.format)
    return Written(shape, max(1, min(order.length, len(text) // CHARS_A_TOKEN)))
