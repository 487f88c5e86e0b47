"""Ctrl-C, and SIGTERM: the first ends things in order, the second in a hurry."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def interruptible() -> Iterator[asyncio.Event]:
    """Cancel the current task at the first signal; set the event at the second.

    The task's own `finally` and `async with` then close its resources, and may look at the event.
    """
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("there is no task to interrupt")
    loop = asyncio.get_running_loop()
    hurry = asyncio.Event()
    signalled = False

    def on_signal() -> None:
        nonlocal signalled
        if signalled:
            hurry.set()
        else:
            signalled = True
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    try:
        yield hurry
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
