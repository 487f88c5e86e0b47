"""Lets each operation be written once, for clients that await it and for clients that block.

A `Part` of a client is a class of operations over an `Api`. Which kind of client it belongs to is
its type argument: an operation of a `Part[Async]` is awaited, the same one of a `Part[Sync]`
returns when it is done.
"""

import asyncio
import functools
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from types import MethodType
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar, cast, overload

from core.client.api import Api

P = ParamSpec("P")
T = TypeVar("T")


class Async:
    """Operations run in the event loop of their caller, who awaits them."""

    def bind(self, method: Callable[P, Coroutine[None, None, T]]) -> Callable[P, object]:
        """The method as callers of this kind see it: as it is."""
        return method

    def bind_stream(self, method: Callable[P, AsyncGenerator[T, None]]) -> Callable[P, object]:
        """The same for a method that yields."""
        return method


class Sync:
    """Operations block the calling thread. They run in one event loop, in a thread of its own.

    Any thread may call them, also one with an event loop (as in a notebook).
    """

    def __init__(self) -> None:
        self._loop: Final = asyncio.new_event_loop()
        self._thread: Final = threading.Thread(
            target=self._loop.run_forever, name="horde client", daemon=True
        )
        self._thread.start()

    def run(self, coroutine: Coroutine[None, None, T]) -> T:
        """Run it to its end; an exception of the caller's own thread, such as Ctrl-C, ends it."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        finally:
            future.cancel()

    def close(self, last: Coroutine[None, None, None]) -> None:
        """Run a last thing, and end the thread. No operation may be running."""
        if self._loop.is_closed():
            last.close()
            return
        self.run(last)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def bind(self, method: Callable[P, Coroutine[None, None, T]]) -> Callable[P, object]:
        """The method as callers of this kind see it: it blocks."""

        @functools.wraps(method)
        def blocking(*args: P.args, **kwargs: P.kwargs) -> T:
            return self.run(method(*args, **kwargs))

        return blocking

    def bind_stream(self, method: Callable[P, AsyncGenerator[T, None]]) -> Callable[P, object]:
        """The same for a method that yields: each step of the loop blocks."""

        @functools.wraps(method)
        def blocking(*args: P.args, **kwargs: P.kwargs) -> Generator[T, None, None]:
            events = method(*args, **kwargs)
            try:
                while (event := self.run(_next(events))) is not _END:
                    yield cast("T", event)
            finally:
                self.run(_close(events))

        return blocking


R = TypeVar("R", bound=Async | Sync)


class Part(Generic[R]):
    """A part of a client: operations on one kind of thing."""

    def __init__(self, api: Api, runner: R) -> None:
        self._api: Final = api
        self._runner: Final = runner


class operation(Generic[P, T]):  # noqa: N801 - used as a decorator
    """Makes a coroutine method of a `Part` an operation of both kinds of clients."""

    def __init__(self, method: Callable[Concatenate[Any, P], Coroutine[None, None, T]]) -> None:
        self._method: Final = method
        functools.update_wrapper(cast("Callable[..., Any]", self), method)

    @overload
    def __get__(
        self, part: Part[Async], owner: type | None = None
    ) -> Callable[P, Coroutine[None, None, T]]: ...
    @overload
    def __get__(self, part: Part[Sync], owner: type | None = None) -> Callable[P, T]: ...
    @overload
    def __get__(self, part: None, owner: type) -> Callable[..., Coroutine[None, None, T]]: ...
    def __get__(self, part: Part[Any] | None, owner: type | None = None) -> object:
        if part is None:
            return self._method
        return part._runner.bind(MethodType(self._method, part))  # noqa: SLF001


class stream(Generic[P, T]):  # noqa: N801 - used as a decorator
    """The same for a method that yields."""

    def __init__(self, method: Callable[Concatenate[Any, P], AsyncGenerator[T, None]]) -> None:
        self._method: Final = method
        functools.update_wrapper(cast("Callable[..., Any]", self), method)

    @overload
    def __get__(
        self, part: Part[Async], owner: type | None = None
    ) -> Callable[P, AsyncGenerator[T, None]]: ...
    @overload
    def __get__(
        self, part: Part[Sync], owner: type | None = None
    ) -> Callable[P, Generator[T, None, None]]: ...
    @overload
    def __get__(self, part: None, owner: type) -> Callable[..., AsyncGenerator[T, None]]: ...
    def __get__(self, part: Part[Any] | None, owner: type | None = None) -> object:
        if part is None:
            return self._method
        return part._runner.bind_stream(MethodType(self._method, part))  # noqa: SLF001


_END: Final = object()


async def _next(events: AsyncGenerator[T, None]) -> T | object:
    return await anext(events, _END)


async def _close(events: AsyncGenerator[Any, None]) -> None:
    await events.aclose()
