"""Keeps one process running: restarts it when it dies, and gives up if that does not help."""

import asyncio
import signal
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Final

from cli.child import Child
from cli.exits import Exit, Failure

MAX_DEATHS: Final = 5
WITHIN_SECONDS: Final = 300.0
FIRST_PAUSE_SECONDS: Final = 1.0
MAX_PAUSE_SECONDS: Final = 30.0
HURRIED_SECONDS: Final = 5.0
WRONG_SETTINGS: Final = 2
"""The exit status of our programs if restarting them cannot help."""


class Keeper:
    """Keeps a child running. Make a task of `run`; `end` lets it return.

    say: shows a message.
    is_proven: whether it has ever worked; until then its first death is final.
    """

    def __init__(
        self, child: Child, say: Callable[[str], None], is_proven: Callable[[], bool]
    ) -> None:
        self._child = child
        self._say = say
        self._is_proven = is_proven
        self._ending = asyncio.Event()
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Start the child, and again each time it dies.

        Raises Failure after MAX_DEATHS deaths within WITHIN_SECONDS, if its settings are wrong, and
        if it never worked.
        """
        try:
            await self._run()
        finally:
            self._ended.set()

    async def _run(self) -> None:
        deaths = deque[float](maxlen=MAX_DEATHS)
        while True:
            status = await self._child.run()
            if self._ending.is_set():
                return
            deaths.append(monotonic())
            often = len(deaths) == MAX_DEATHS and deaths[-1] - deaths[0] < WITHIN_SECONDS
            if often or status == WRONG_SETTINGS or not self._is_proven():
                raise Failure(Exit.FAILED, self._obituary(status))
            pause = min(FIRST_PAUSE_SECONDS * 2 ** (len(deaths) - 1), MAX_PAUSE_SECONDS)
            self._say(f"{self._obituary(status)}\nIt is started again in {pause:g} s.")
            try:
                await asyncio.wait_for(self._ending.wait(), pause)
            except TimeoutError:
                continue
            return

    async def end(self, patience_seconds: float, hurry: asyncio.Event) -> None:
        """Let the child finish what it has in hand, then kill it.

        hurry: once set, the child is asked again, and killed after HURRIED_SECONDS.
        """
        self._ending.set()
        self._child.end()
        hurried = asyncio.ensure_future(hurry.wait())
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait(
                (hurried, ended), timeout=patience_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if not ended.done():
                self._child.end()
                await asyncio.wait((ended,), timeout=HURRIED_SECONDS)
            self._child.kill()
            await ended
        finally:
            hurried.cancel()
            ended.cancel()

    def _obituary(self, status: int) -> str:
        how = f"with status {status}" if status >= 0 else f"by {signal.Signals(-status).name}"
        words = self._child.last_words or "    (it printed nothing)"
        return (
            f"The {self._child.name} has ended {how}; all it said is in {self._child.log}:\n{words}"
        )
