"""A process that decodes pictures, as the server sees it: started, asked, ended."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.images.failures import ImageValidationFailed
from core.images.protocol import ANSWER, TASK

WALL_FACTOR: Final = 3
"""A process may run this many times its seconds of CPU, as the machine may be busy."""
START_SECONDS: Final = 30
"""Added to that for a new process, which has to load its libraries first."""

_MAX_ANSWER: Final = 64 * 1024 * 1024
_SLICE: Final = 256 * 1024
_ROOT: Final = Path(__file__).parents[2]
_ENVIRONMENT: Final = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")
"""What the decoder inherits of the environment, where the server may have its secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A picture to be decoded."""

    content: bytes | str
    """A file, or the base64 of one, of ASCII characters."""
    max_pixels: int
    quality: int
    """Of the WebP; 0: a clean still WebP stays as it is."""
    lossless_pixels: int = 0
    """Up to this area the WebP is lossless, whatever the quality."""
    seconds: int
    """Of CPU, after which its process is ended."""


class Process:
    """A decoder, and the pipes to it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None  # noqa: S101 - as it was started, below
        assert process.stdout is not None  # noqa: S101
        self._process, self._tasks, self._answers = process, process.stdin, process.stdout
        self._end: asyncio.TimerHandle | None = None
        self.is_new = True
        """Whether it has not answered yet, so that it may still be loading its libraries."""

    @classmethod
    async def start(cls) -> "Process":
        """Start one, in a session of its own: Ctrl-C at a terminal is the server's alone."""
        ours = os.environ  # noqa: TID251 - no settings are read: most of it is to be kept from it
        inherited = {name: ours[name] for name in _ENVIRONMENT if name in ours}
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "core.images.decoder",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=_SLICE,
                start_new_session=True,
                env=inherited | {"PYTHONPATH": str(_ROOT), "MALLOC_ARENA_MAX": "1"},
            )
        )

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended, as far as is known."""
        return self._process.returncode is None

    async def ask(self, work: Work) -> tuple[int, bytes]:
        """Returns the outcome, and the picture or a reason. Raises ImageValidationFailed."""
        seconds = work.seconds * WALL_FACTOR + (START_SECONDS if self.is_new else 0)
        try:
            async with asyncio.timeout(seconds):
                try:
                    answer = await self._exchange(work)
                except (ConnectionError, asyncio.IncompleteReadError):
                    code = await self._process.wait()
                    raise _late() if code == -signal.SIGPROF else _failed() from None
        except TimeoutError:
            raise _late() from None
        self.is_new = False
        return answer

    async def _exchange(self, work: Work) -> tuple[int, bytes]:
        is_base64 = isinstance(work.content, str)
        self._tasks.write(
            TASK.pack(
                work.max_pixels,
                work.quality,
                work.lossless_pixels,
                is_base64,
                work.seconds,
                len(work.content),
            )
        )
        for piece in _slices(work.content):
            self._tasks.write(piece)
            await self._tasks.drain()
        head = await self._answers.readexactly(ANSWER.size)
        outcome, length = ANSWER.unpack(head)
        if length > _MAX_ANSWER:
            raise ImageValidationFailed("it becomes far too large")
        return outcome, await self._answers.readexactly(length)

    def end_after(self, seconds: float, then: Callable[["Process"], None]) -> None:
        """Call `then` in so many seconds, unless it is used before."""
        self._end = asyncio.get_running_loop().call_later(seconds, then, self)

    def keep(self) -> None:
        """Use it again."""
        if self._end is not None:
            self._end.cancel()
            self._end = None

    def kill(self) -> None:
        """End it, whatever it is doing."""
        self.keep()
        with suppress(ProcessLookupError):
            self._process.kill()

    async def end(self) -> None:
        """The same, and wait until it is gone."""
        self.kill()
        await self._process.wait()


def _slices(content: bytes | str) -> Iterator[bytes]:
    """The content in pieces, so that memory holds no second copy of it."""
    for start in range(0, len(content), _SLICE):
        piece = content[start : start + _SLICE]
        yield piece.encode("ascii") if isinstance(piece, str) else piece


def _late() -> ImageValidationFailed:
    return ImageValidationFailed("it takes too long to decode")


def _failed() -> ImageValidationFailed:
    return ImageValidationFailed("it cannot be decoded")
