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
import traceback
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from worker.messages import Command, Done, Load, Loaded, NotLoaded, Ready, Refused, Report, Step
from worker.renderer import CannotLoad, CannotRender, DeviceRenderer, Model, Order, Renderer


def renderers(*, device: str, threads: int) -> DeviceRenderer:
    """Make the renderer for every kind of model."""
    # Here and not above: the control process imports this module, and must never load torch.
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
    commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(connection, commands), daemon=True).start()
    renderer = make()
    report = connection.send
    report(Ready(renderer.device))
    while True:
        _obey(renderer, commands.get(), report)


def _receive(connection: Connection, commands: "queue.SimpleQueue[Command]") -> None:
    try:
        while True:
            commands.put(connection.recv())
    except (EOFError, OSError):
        os._exit(0)  # even in the middle of a step


def _obey(renderer: Renderer, command: Command, report: Callable[[Report], None]) -> None:
    try:
        if isinstance(command, Load):
            _load(renderer, command.model, report)
        else:
            _render(renderer, command.order, report)
    except CannotLoad as error:
        report(NotLoaded(str(error)))
    except CannotRender as error:
        report(Refused(error.reason, error.notes))
    except Exception as error:  # noqa: BLE001 - one order's bug must not end the engine
        traceback.print_exc()
        report(Refused(f"the worker failed: {type(error).__name__}"))


def _load(renderer: Renderer, model: Model, report: Callable[[Report], None]) -> None:
    renderer.load(model)
    report(Loaded())


def _render(renderer: Renderer, order: Order[Any], report: Callable[[Report], None]) -> None:
    _load(renderer, order.model, report)
    report(Done(renderer.render(order, lambda step, steps: report(Step(step, steps)))))
