"""The engine process: loads and renders what it is told, one thing at a time, and reports.

It lives as long as the other end of its pipe: when the control process dies in any way, the pipe
ends and the engine exits at once. It ignores the signals that a terminal or a service manager sends
to all processes together: the control process decides what they mean.
"""

import faulthandler
import os
import queue
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import ClassVar, Final

from worker import bytecode
from worker.messages import (
    Done,
    Ended,
    Left,
    Load,
    Loaded,
    NotLoaded,
    Ready,
    Refused,
    Render,
    Report,
    Show,
    Step,
    Stop,
)
from worker.renderer import (
    BrokenResult,
    CannotLoad,
    CannotRender,
    DeviceRenderer,
    EngineEnds,
    Model,
    Shown,
    Stopped,
)

SHOWN_SECONDS: Final = 1.0
"""Between two looks at what is being made."""
MAX_SHARE_SHOWN: Final = 0.04
"""Of the time, for making what is shown."""

Sent = Callable[[Report], None]
Work = Load | Render


def renderers(*, device: str, threads: int) -> DeviceRenderer:
    """Make the renderer for every kind of model."""
    bytecode.keep("torch")
    # Here and not above: the control process imports this module, and must never load torch.
    from worker import lean  # noqa: PLC0415

    lean.begin()
    from worker.renderers import Renderers  # noqa: PLC0415

    return Renderers(device=device, threads=threads)


def serve(connection: Connection, make: Callable[[], DeviceRenderer]) -> None:
    """Be the engine. Never returns: the process ends with its pipe."""
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
    faulthandler.enable()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # the libraries' messages are for developers
    commands: queue.SimpleQueue[Work] = queue.SimpleQueue()
    told = _Told()
    threading.Thread(target=_receive, args=(connection, commands, told), daemon=True).start()
    renderer = make()
    report = connection.send
    report(Ready(renderer.device))
    while True:
        _obey(renderer, commands.get(), report, told)


@dataclass
class _Told:
    """What was said about orders beside them, by number."""

    stopped: int = 0
    shown: int = 0


def _receive(connection: Connection, commands: "queue.SimpleQueue[Work]", told: _Told) -> None:
    try:
        while True:
            command = connection.recv()
            if isinstance(command, Stop):
                told.stopped = command.number
            elif isinstance(command, Show):
                told.shown = command.number
            else:
                commands.put(command)
    except (EOFError, OSError):
        os._exit(0)  # even in the middle of a step


def _obey(renderer: DeviceRenderer, command: Work, report: Sent, told: _Told) -> None:
    try:
        if isinstance(command, Load):
            _load(renderer, command.model, report)
        else:
            _render(renderer, command, report, told)
    except CannotLoad as error:
        report(NotLoaded(str(error)))
    except CannotRender as error:
        report(Refused(error.reason, error.notes, broken=isinstance(error, BrokenResult)))
    except Stopped:
        report(Left())
    except EngineEnds as error:
        report(Ended(error.reason))
        raise
    except Exception as error:  # noqa: BLE001 - one order's bug must not end the engine
        traceback.print_exc()
        report(Refused(f"the worker failed: {type(error).__name__}"))


def _load(renderer: DeviceRenderer, model: Model, report: Sent) -> None:
    renderer.load(model)
    report(Loaded(renderer.held()))


def _render(renderer: DeviceRenderer, command: Render, report: Sent, told: _Told) -> None:
    _load(renderer, command.order.model, report)
    steps = _Steps(command.number, report, told)
    report(Done(renderer.render(command.order, steps)))


class _Steps:
    """Tells the control process of each step, and lets go of what is not wanted any more.

    cost: seconds that the last look took, of whichever order.
    """

    cost: ClassVar[float] = 0.0

    def __init__(self, number: int, report: Sent, told: _Told) -> None:
        self._number = number
        self._report = report
        self._told = told
        self._failed = False
        self._next = time.monotonic() + self._pause()

    def __call__(
        self, step: int, steps: int, show: Callable[[], Shown | None] | None = None
    ) -> None:
        """Report a step. Raises Stopped."""
        if self._told.stopped == self._number:
            raise Stopped
        self._report(Step(step, steps, self._look(show) if show is not None else None))

    def _look(self, show: Callable[[], Shown | None]) -> Shown | None:
        began = time.monotonic()
        if self._failed or self._told.shown != self._number or began < self._next:
            return None
        try:
            return show()
        except Exception:  # noqa: BLE001 - the result comes all the same
            traceback.print_exc()
            self._failed = True
            return None
        finally:
            _Steps.cost = time.monotonic() - began
            self._next = time.monotonic() + self._pause()

    @staticmethod
    def _pause() -> float:
        return max(SHOWN_SECONDS, _Steps.cost / MAX_SHARE_SHOWN)
