"""Background duties: restarted when they fail, never silently gone, and ended together.

Knows nothing of what the duties are.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import structlog

FIRST_PAUSE_SECONDS: Final = 0.5
MAX_PAUSE_SECONDS: Final = 60.0
STEADY_SECONDS: Final = 60.0
"""A duty that ran for this long starts again at once, as if it had never failed."""
CANCEL_SECONDS: Final = 1.0
CANCELS: Final = 3
ON_STOP: Final = "on_stop"
"""The app's extension that is called when the server has to stop, before it waits for calls."""

Duty = Callable[[], Awaitable[None]]

_log = structlog.get_logger(__name__)


async def keep(name: str, duty: Duty) -> None:
    """Do the duty until it is done or this is cancelled; if it fails, log that and start again.

    The pause before that doubles with each failure in a row.
    """
    loop = asyncio.get_running_loop()
    pause = FIRST_PAUSE_SECONDS
    while True:
        start = loop.time()
        try:
            await duty()
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            _log.exception("duty cancelled from within", duty=name)
        except Exception:  # noqa: BLE001 - whatever it is, the duty starts again
            _log.exception("duty failed", duty=name)
        else:
            _log.info("duty done", duty=name)
            return
        if _is_cancelled():
            return  # it failed at its end
        if loop.time() - start >= STEADY_SECONDS:
            pause = FIRST_PAUSE_SECONDS
        await asyncio.sleep(pause)
        pause = min(2 * pause, MAX_PAUSE_SECONDS)


class Duties:
    """Duties that run side by side."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, duty: Duty) -> None:
        """Begin the duty."""
        self._tasks.append(asyncio.create_task(keep(name, duty), name=name))

    async def close(self) -> None:
        """End them all. The way one of them ends is logged and keeps no other from ending."""
        for _ in range(CANCELS):  # again, if somebody's own code swallowed it
            if not (going_on := [task for task in self._tasks if not task.done()]):
                break
            for task in going_on:
                task.cancel()
            await asyncio.wait(going_on, timeout=CANCEL_SECONDS)
        for task in self._tasks:
            if not task.done():
                _log.error("duty does not end", duty=task.get_name())


async def close_all(steps: Iterable[tuple[str, Callable[[], Awaitable[None]]]]) -> None:
    """Close one thing after the other; a failure keeps no other from being closed."""
    for name, close in steps:
        try:
            await close()
        except Exception:  # noqa: BLE001 - the others have to be closed too
            _log.exception("not closed", what=name)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
