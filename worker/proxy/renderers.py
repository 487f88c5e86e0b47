"""The engine process's side of other programs: hands orders on to them. Imports no torch."""

import sys
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from worker.proxy.a1111 import WebUI
from worker.proxy.calls import Caller, within
from worker.proxy.comfyui import Comfy
from worker.proxy.koboldcpp import Kobold
from worker.proxy.openai import OpenAI
from worker.proxy.servers import (
    MULTIPLE,
    NATIVE,
    NotAnswering,
    ServedPainter,
    ServedWriter,
    Server,
    named,
)
from worker.renderer import (
    BrokenResult,
    CannotLoad,
    CannotRender,
    DeviceRenderer,
    EngineEnds,
    Held,
    Model,
    OnStep,
    Order,
    Stopped,
)

WAIT_SECONDS: Final = 20.0
"""For a program that is just being restarted."""
DEFAULT_CONTEXT: Final = 4096


class Program(Protocol):
    """One of MAKERS."""

    def models(self) -> list[str]:
        """Give what it calls its models. Raises NotAnswering."""

    def render(self, order: Any, on_step: OnStep) -> Any:  # noqa: ANN401 - as of any renderer
        """Have it make something. Raises CannotRender and NotAnswering."""


MAKERS: Final[Mapping[str, Callable[[Caller], Program]]] = {
    "a1111": WebUI,
    "comfyui": Comfy,
    "koboldcpp": Kobold,
    "openai": OpenAI,
}


class Gone(EngineEnds):
    """The program does not answer any more: the engine process ends, and its model rests."""


class Proxies:
    """Gives each model and order to the program that has it. key: what that asks for, if any."""

    device = "server"

    def __init__(self, *, key: str = "") -> None:
        self._key = key
        self._programs: dict[Server, Program] = {}

    def load(self, model: Model) -> None:
        """See that the program is there and has the model. Raises CannotLoad."""
        if not isinstance(model, ServedPainter | ServedWriter):
            raise CannotLoad(f"no server has a {type(model).__name__}")
        if model.server not in self._programs:
            self._programs[model.server] = program(model.server, self._key)
        try:
            theirs = within(WAIT_SECONDS, self._programs[model.server].models)
        except NotAnswering as error:
            raise _gone(error) from error
        if model.theirs not in theirs:
            raise CannotLoad(f"{model.server} has no {model.theirs} any more")

    def render(self, order: Order[Any], on_step: OnStep) -> Any:  # noqa: ANN401
        """Have what is ordered made. Raises CannotRender."""
        model = order.model
        if not isinstance(model, ServedPainter | ServedWriter):
            raise CannotLoad(f"no server has a {type(model).__name__}")
        try:
            return self._programs[model.server].render(order, on_step)
        except NotAnswering as error:
            raise _gone(error) from error
        except (CannotRender, Stopped):
            raise
        except Exception as error:
            # Whatever a program answers: one that always does so is not to be offered for ever.
            traceback.print_exc()
            raise BrokenResult("the server's answer cannot be read") from error

    def held(self) -> tuple[Held, ...]:
        """None: what the programs hold is theirs."""
        return ()


def _gone(error: NotAnswering) -> Gone:
    sys.stderr.write(f"{error}\n")
    return Gone("the program behind this worker does not answer")


def program(server: Server, key: str = "") -> Program:
    """Make what calls a program."""
    return MAKERS[server.kind](Caller(server.url, key))


def make(*, key: str) -> DeviceRenderer:
    """Make what hands orders on, in the engine process."""
    return Proxies(key=key)


def making(key: str) -> "partial[DeviceRenderer]":
    """Give what an `Engine` makes its renderer with."""
    return partial(make, key=key)


def painters(server: Server, wanted: list[str] | None) -> dict[str, ServedPainter]:
    """Find a program's models that make pictures, by the names that they are offered under.

    Raises NotAnswering.
    """
    theirs = named(wanted, program(server).models())
    return {
        name: ServedPainter(
            name, Path(), native=NATIVE, multiple=MULTIPLE, server=server, theirs=their
        )
        for name, their in theirs.items()
    }


def writers(server: Server, wanted: list[str] | None, key: str) -> dict[str, ServedWriter]:
    """Find a program's models that write, likewise. Raises NotAnswering."""
    asked = program(server, key)
    theirs = named(wanted, asked.models())
    context = asked.context() if isinstance(asked, Kobold | OpenAI) else None
    return {
        name: ServedWriter(
            name, Path(), context=context or DEFAULT_CONTEXT, server=server, theirs=their
        )
        for name, their in theirs.items()
    }
