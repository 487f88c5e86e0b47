"""The control process's side of the engine: starts it, watches it, and ends it when it hangs."""

import asyncio
import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Final, Self, TypeVar

from worker import engine_process
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
    Held,
    Model,
    Order,
    Shown,
    Stopped,
)

R = TypeVar("R")
F = TypeVar("F", Loaded, Done)
OnReport = Callable[[int, int, Shown | None], None]
"""Called after each step with its number (from 1), how many there will be, and what is to see."""

REAP_SECONDS: Final = 10.0
"""A killed process ends sooner than this, unless a driver holds it."""

_SPAWN: Final = multiprocessing.get_context("spawn")
"""Not fork, which neither CUDA nor threads survive."""


class EngineDied(Exception):
    """The engine process died, or hung and was killed; the next command starts a new one."""


class EngineEnded(EngineDied):
    """The engine process ended by itself, by no order's fault."""


class _Left(Exception):
    """The engine left an order, as it was told."""


@dataclass(frozen=True)
class Limits:
    """Seconds of silence after which an engine counts as hanging.

    start: until the libraries are imported.
    load: for a model.
    step: from the order to the first step, from step to step, from the last to the pictures.
    """

    start: float
    load: float
    step: float


@dataclass
class _Running:
    process: BaseProcess
    connection: Connection
    reports: "asyncio.Queue[Report | None]"
    """None: the end of the pipe."""
    is_ready: bool = False
    """Whether it has said that its libraries are imported."""


class Engine:
    """One engine process at a time. Use it as an asynchronous context manager.

    make: makes the renderer, in the engine process; it is pickled by name.
    """

    def __init__(self, make: Callable[[], DeviceRenderer], limits: Limits) -> None:
        self._make = make
        self._limits = limits
        self._running: _Running | None = None
        self._turn = asyncio.Lock()  # commands of several kinds come one after the other
        self._orders = 0
        self.device: str | None = None
        """The device it renders on, once it has been started."""
        self.held: tuple[Held, ...] = ()
        """The models in its memory when it was last given one to load."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def running(self) -> bool:
        """Whether there is an engine process."""
        return self._running is not None

    @property
    def pid(self) -> int | None:
        """The engine's process id, if there is one."""
        return None if self._running is None else self._running.process.pid

    def begin(self) -> None:
        """Start the process, so that it imports its libraries while other things are done."""
        if self._running is None:
            with contextlib.suppress(OSError):  # the first command tries again, and says why not
                self._running = _start(self._make)

    async def load(self, model: Model) -> None:
        """Have a model ready that was seen to make something. Raises CannotLoad, or EngineDied."""
        async with self._turn:
            await self._command(Load(model), Loaded)

    async def render(
        self,
        order: Order[R],
        on_step: OnReport,
        *,
        stop: "asyncio.Future[str] | None" = None,
        show: "asyncio.Future[None] | None" = None,
    ) -> R:
        """Make what is ordered; `on_step` is called in the event loop.

        stop: once it is done, the order is left at its next step; its result says why.
        show: once it is done, steps bring what there is to see by then.
        Raises CannotRender, CannotLoad, Stopped or EngineDied. When cancelled, the engine is
        killed.
        """
        async with self._turn:
            if stop is not None and stop.done():
                raise Stopped(stop.result())
            self._orders += 1
            number = self._orders
            beside = [
                (future, message)
                for future, message in ((stop, Stop(number)), (show, Show(number)))
                if future is not None
            ]
            try:
                done = await self._command(Render(order, number), Done, on_step, beside)
            except _Left:
                raise Stopped(stop.result() if stop is not None else "") from None
        result: R = done.result
        return result

    async def stop(self) -> None:
        """End the engine, if there is one."""
        if self._running is None:
            return
        running, self._running = self._running, None
        self.held = ()
        running.process.kill()
        await asyncio.to_thread(running.process.join, REAP_SECONDS)
        running.connection.close()

    async def _command(
        self,
        command: Load | Render,
        final: type[F],
        on_step: OnReport | None = None,
        beside: "Sequence[tuple[asyncio.Future[Any], Stop | Show]]" = (),
    ) -> F:
        """Send a command and read reports until the final one."""
        try:
            running = await self._started()
            with contextlib.suppress(OSError):  # a dead engine is found when its report is read
                await asyncio.to_thread(running.connection.send, command)
            with _telling(running, beside):
                return await self._answer(running, final, on_step)
        except (CannotLoad, CannotRender, _Left):
            raise
        except BaseException:  # later reports belong to nobody and must not be read
            await self.stop()
            raise

    async def _answer(self, running: _Running, final: type[F], on_step: OnReport | None) -> F:
        limit = self._limits.load
        while True:
            report = await self._next(running, limit)
            if isinstance(report, Loaded):
                self.held = report.held
            if isinstance(report, final):
                return report
            if isinstance(report, Step) and on_step is not None:
                on_step(report.step, report.steps, report.shown)
            limit = self._limits.step

    async def _next(self, running: _Running, limit: float) -> Report:
        """Read a report. Raises the error of a refusal, and EngineDied if none comes."""
        try:
            async with asyncio.timeout(limit):
                report = await running.reports.get()
        except TimeoutError:
            raise EngineDied(f"the engine showed no sign of life for {limit:g} s") from None
        if report is None:
            await asyncio.to_thread(running.process.join, REAP_SECONDS)
            raise EngineDied(f"the engine died ({_ending(running.process.exitcode)})")
        if isinstance(report, Refused):
            kind = BrokenResult if report.broken else CannotRender
            raise kind(report.reason, report.notes)
        if isinstance(report, NotLoaded):
            raise CannotLoad(report.reason)
        if isinstance(report, Left):
            raise _Left
        if isinstance(report, Ended):
            raise EngineEnded(report.reason)
        return report

    async def _started(self) -> _Running:
        if self._running is not None and not self._running.process.is_alive():
            await self.stop()  # it died between two commands: nobody's fault
        if self._running is None:
            try:
                self._running = _start(self._make)
            except OSError as error:  # out of memory, processes or files
                raise EngineDied(f"the engine cannot be started: {error}") from error
        if not self._running.is_ready:
            report = await self._next(self._running, self._limits.start)
            if not isinstance(report, Ready):
                raise EngineDied(f"the engine began with {report}")
            self.device = report.device
            self._running.is_ready = True
        return self._running


@contextlib.contextmanager
def _telling(
    running: _Running, beside: "Sequence[tuple[asyncio.Future[Any], Stop | Show]]"
) -> Iterator[None]:
    """Meanwhile, tell the engine each of these things about its order once it is so."""

    def tell(message: Stop | Show, _: "asyncio.Future[Any]") -> None:
        with contextlib.suppress(OSError):  # a dead engine is found when its report is read
            running.connection.send(message)  # few bytes: the pipe has the room

    telling = [(future, partial(tell, message)) for future, message in beside]
    for future, call in telling:
        future.add_done_callback(call)
    try:
        yield
    finally:
        for future, call in telling:
            future.remove_done_callback(call)


def _start(make: Callable[[], DeviceRenderer]) -> _Running:
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(
        target=engine_process.serve, args=(theirs, make), name="worker-engine", daemon=True
    )
    with _signals_held():
        process.start()
    theirs.close()  # so that our end closes when the engine ends
    running = _Running(process, ours, asyncio.Queue())
    loop = asyncio.get_running_loop()
    threading.Thread(target=_receive, args=(running, loop), daemon=True).start()
    return running


def _receive(running: _Running, loop: asyncio.AbstractEventLoop) -> None:
    """Pass reports to the event loop; ends with the pipe."""
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        try:
            while True:
                report = running.connection.recv()
                loop.call_soon_threadsafe(running.reports.put_nowait, report)
        except Exception:  # noqa: BLE001 - the pipe's end, or something that cannot be read
            loop.call_soon_threadsafe(running.reports.put_nowait, None)


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Let a child begin with signals blocked, so that none ends it before it ignores them."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"
